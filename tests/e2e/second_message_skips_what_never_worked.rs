//! What a phone did is remembered: the second message does not wait for what did not work the first time, and a phone that
//! fetches after all is believed again.

use crate::node::{BOB, CAROL, Node, handset, mail_to, notified, post, steps, wait_for_state, wait_for_step};
use packetboat_harness::sms_tap::Delivery;
use packetboat_harness::{Daemon, Scene, SmsTap};

const RULES: &str = r#"
[[rule]]
name = "does not reach us"
to = ["+447700900*"]
when = 'message.kind == "personal" && handset.direct_fails'
route = ["wap_push"]

[[rule]]
name = "our phones"
to = ["+447700900*"]
route = [{ via = "direct", wait = "1s" }, "wap_push"]

[[test]]
to = "+447700900123"
handset = "direct fails"
expect = ["wap_push"]
"#;

fn direct(daemon: &Daemon, number: &str) -> String {
    daemon.cli_json(&["handset", number])["direct"].as_str().unwrap_or("-").to_owned()
}

fn send(daemon: &Daemon, number: &str, subject: &str) -> String {
    let mail = mail_to(number).subject(subject).text("hello");
    post(daemon, &mail);
    mail.message_id().to_owned()
}

#[test]
fn second_message_skips_what_never_worked() {
    let scene = Scene::new("second_message_skips_what_never_worked");
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap).with_links().rules(RULES);
    let mut daemon = node.set("queue", "acknowledge_grace", r#""500ms""#).start();
    assert_eq!(direct(&daemon, BOB), "-");

    let first = send(&daemon, BOB, "first");
    let told = notified(&tap, BOB);
    tap.report(&tap.accepted()[0], Delivery::Delivered).expect_status(200);
    wait_for_step(&daemon, &first, BOB, "link_sent");
    assert_eq!(direct(&daemon, BOB), "fails");

    let second = send(&daemon, BOB, "second");
    let trace = wait_for_step(&daemon, &second, BOB, "link_sent");
    let taken = steps(&trace, BOB);
    assert!(!taken.iter().any(|step| step == "push_sent" || step == "next_step"), "{taken:?}");

    // A phone that was not reached shows nothing: it may be switched off.
    let silent = send(&daemon, CAROL, "first");
    wait_for_step(&daemon, &silent, CAROL, "link_sent");
    assert_eq!(direct(&daemon, CAROL), "-");

    // It is remembered over a restart.
    daemon.restart();
    assert_eq!(direct(&daemon, BOB), "fails");

    // Another phone, or another access point: it fetches, and is told of the next one as before.
    handset(&daemon, BOB).fetch(&told.content_location());
    wait_for_state(&daemon, &first, BOB, "delivered");
    assert_eq!(direct(&daemon, BOB), "works");
    let third = send(&daemon, BOB, "third");
    let push = tap.wait_for_push(BOB, |push| push.mms().subject() == "third");
    handset(&daemon, BOB).retrieve(&push.mms());
    let trace = wait_for_state(&daemon, &third, BOB, "delivered");
    assert!(!steps(&trace, BOB).iter().any(|step| step == "link_sent"));
}
