//! A link has gone out already when the phone fetches after all: nothing more follows, and the timeline says both.

use crate::node::{BOB, Node, handset, mail_to, notified, post, steps, wait_for_state, wait_for_step};
use packetboat_harness::wait::never_within;
use packetboat_harness::{Scene, SmsTap, http};
use std::time::Duration;

const RULES: &str = r#"
[[rule]]
name = "our phones"
to = ["+447700900*"]
route = [{ via = "direct", wait = "1s" }, "wap_push"]
"#;

#[test]
fn late_fetch_stops_the_fallback() {
    let scene = Scene::new("late_fetch_stops_the_fallback");
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap).with_links().rules(RULES);
    let node = node.set("transport.wap_push", "again", r#"["2s", "3s"]"#);
    let daemon = node.set("queue", "acknowledge_grace", r#""500ms""#).start();

    let mail = mail_to(BOB).subject("late").text("hello");
    post(&daemon, &mail);
    let told = notified(&tap, BOB);
    let link = tap.wait_for_link(BOB);
    wait_for_step(&daemon, mail.message_id(), BOB, "link_sent");
    handset(&daemon, BOB).fetch(&told.content_location());
    let trace = wait_for_state(&daemon, mail.message_id(), BOB, "delivered");
    assert!(steps(&trace, BOB).contains(&"fetched".to_owned()));
    let texts = tap.texts().len();
    never_within(Duration::from_secs(3), "a reminder of what was fetched", || tap.texts().len() > texts);

    // The link still works, and that there were two ways is said.
    let person = [("User-Agent", packetboat_harness::peers::chromium::PHONE), ("Accept", "text/html,image/webp,*/*")];
    let ask = |url: &str| {
        let request = person.iter().fold(http::Request::new("GET", url), |it, (name, value)| it.field(name, value));
        request.send()
    };
    ask(&link).expect_status(200);
    ask(&format!("{link}/seen")).expect_status(200);
    wait_for_step(&daemon, mail.message_id(), BOB, "both_ways");
    wait_for_state(&daemon, mail.message_id(), BOB, "delivered");

    // Fetched between the end of the wait and the link: no link at all. The gateway is slow to take it.
    let mail = mail_to(BOB).subject("in time").text("hello");
    post(&daemon, &mail);
    let told = tap.wait_for_push(BOB, |push| push.mms().subject() == "in time").mms();
    handset(&daemon, BOB).retrieve(&told);
    wait_for_state(&daemon, mail.message_id(), BOB, "delivered");
    let texts = tap.texts().len();
    never_within(Duration::from_secs(2), "a link for what was fetched", || tap.texts().len() > texts);
}
