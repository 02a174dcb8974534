//! An operator sends a phone settings over the air, signed with a PIN; a rule sends them beside a message, once.

use crate::node::{BINARY, BOB, CAROL, Node, delivery, mail_to, post, wait_for_state};
use packetboat_harness::process::Output;
use packetboat_harness::{DEADLINE, Scene, SmsTap, wait_for};
use std::process::Command;

const RULES: &str = r#"
[[rule]]
name = "with settings"
to = ["+447700900124"]
route = ["direct"]
provision = "own"

[[rule]]
name = "our phones"
to = ["+447700900*"]
route = ["direct"]
"#;
const PROFILE: &str = "name = \"Own network\"\n[access_point]\napn = \"mms.own\"\n";

#[test]
fn settings_lead_a_phone_to_us() {
    let scene = Scene::new("settings_lead_a_phone_to_us");
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap).rules(RULES).set("transport.settings", "plugin", r#""provision""#);
    let daemon = node.describe().file("provisioning/own.toml", PROFILE).start();
    let settings = |number: &str| {
        let all = tap.pushes().into_iter().filter(|push| push.to == number);
        all.filter(|push| push.wsp.windows(7).any(|octets| octets == b"mms.own")).collect::<Vec<_>>()
    };

    let sent = daemon.cli_json(&["provision", BOB, "--profile", "own", "--pin", "1234"]);
    let id = sent["id"].as_str().expect("an id").to_owned();
    let trace = wait_for_state(&daemon, &id, BOB, "handed_over");
    assert!(!trace.to_string().contains("1234"), "the PIN is shown: {trace:#}");
    assert_eq!(delivery(&trace, BOB)["via"], "settings");
    let push = settings(BOB).pop().expect("a push with the access point");
    // Told to the phone: the method (USERPIN) and 40 digits of the MAC.
    let file = scene.file("settings.push", &push.wsp);
    let mut decode = Command::new(BINARY);
    let text = Output::of(decode.args(["decode", "--push", "--pin", "1234"]).arg(&file)).expect_success().text();
    assert!(text.contains("USERPIN") && text.contains("mms.own"), "{text}");
    assert_eq!(daemon.cli_json(&["handset", BOB])["handset"]["provisioned"][0], "own");

    for (arguments, why) in [
        (vec!["provision", BOB, "--profile", "other"], "there is no profile \"other\"; there are: own"),
        (vec!["provision", "07700", "--profile", "own"], "E.164"),
    ] {
        let refused = daemon.cli(&arguments);
        assert!(!refused.status.success() && refused.stderr.contains(why), "{}", refused.stderr);
    }

    for subject in ["first", "second"] {
        post(&daemon, &mail_to(CAROL).subject(subject).text("hello"));
        tap.wait_for_push(CAROL, |push| push.body().starts_with(&[0x8c, 0x82]) && push.mms().subject() == subject);
    }
    wait_for(DEADLINE, "settings for Carol", || (!settings(CAROL).is_empty()).then_some(()));
    assert_eq!(settings(CAROL).len(), 1, "once, not beside every message");
}
