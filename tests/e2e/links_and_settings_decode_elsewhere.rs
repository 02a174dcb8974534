//! Links and settings as they go over the air, read by tshark: Service Indication, Service Loading, client provisioning.

use crate::node::{BOB, CAROL, DAVE, Node, mail_to, post};
use packetboat_harness::peers::tshark::{self, Carrier};
use packetboat_harness::{DEADLINE, Peer, Scene, SmsTap, wait_for};

const RULES: &str = r#"
[[rule]]
name = "si"
to = ["+447700900123"]
route = ["wap_push"]

[[rule]]
name = "sl"
to = ["+447700900124"]
route = ["loading"]
"#;
const PROFILE: &str =
    "name = \"Own network\"\n[access_point]\napn = \"mms.own\"\n[proxy]\naddress = \"10.0.0.1\"\nport = 8080\n";

#[test]
fn links_and_settings_decode_elsewhere() {
    let Some(scene) = Scene::with_peers("links_and_settings_decode_elsewhere", &[Peer::Tshark]) else { return };
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap).with_links().rules(RULES);
    let node = node
        .set("transport.wap_push", "link", r#""si""#)
        .set("transport.loading", "plugin", r#""wap_push""#)
        .set("transport.loading", "link", r#""sl""#)
        .set("transport.settings", "plugin", r#""provision""#);
    let daemon = node.describe().file("provisioning/own.toml", PROFILE).start();
    post(&daemon, &mail_to(BOB).subject("Größe").text("hello"));
    post(&daemon, &mail_to(CAROL).subject("loading").text("hello"));
    daemon.cli_json(&["provision", DAVE, "--profile", "own", "--pin", "1234"]);

    let pushes = wait_for(DEADLINE, "three pushes", || Some(tap.pushes()).filter(|all| all.len() >= 3));
    for (to, owed) in [
        (BOB, &["<indication", "href", "</indication>", "Größe"][..]),
        (CAROL, &["<sl", "href"][..]),
        (DAVE, &["USERPIN", "NAPDEF", "mms.own", "10.0.0.1", "w4"][..]),
    ] {
        let push = pushes.iter().find(|push| push.to == to).expect("a push");
        let text = tshark::describe(&scene, Carrier::Wsp, &push.wsp);
        assert!(!text.contains("Malformed") && !text.contains("Invalid"), "{to}:\n{text}");
        for word in owed {
            assert!(text.contains(word), "{to}: no {word:?} in\n{text}");
        }
    }
}
