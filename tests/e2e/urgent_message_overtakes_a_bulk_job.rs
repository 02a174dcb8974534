//! Somebody sends two hundred messages through a slow SMSC; what is urgent, and the only message of somebody else, do not
//! wait for them.

use crate::node::{BOB, CAROL, Node, at, mail_to, post};
use packetboat_harness::mail::Mail;
use packetboat_harness::peers::Smsc;
use packetboat_harness::{Peer, Scene, smtp, wait_for};
use serde_json::json;

#[test]
fn urgent_message_overtakes_a_bulk_job() {
    let Some(scene) = Scene::with_peers("urgent_message_overtakes_a_bulk_job", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "delay": 100, "receipts": "none" }));
    let node = Node::with_smsc(&scene, &smsc).set("bearer.sms", "window", "2");
    let daemon = node.start();
    let mut bulk = smtp::Client::connect(daemon.listener("mail"));
    for n in 0..200 {
        let mail = Mail::new("bulk@news.test", &at(&format!("+447700900{}", 200 + n))).subject("News").text("hello");
        bulk.deliver(&mail).expect_code(250);
    }
    let place = |number: &str| {
        let digits = number.trim_start_matches('+').to_owned();
        smsc.messages().iter().position(|push| push.to.trim_start_matches('+') == digits)
    };
    let before = smsc.messages().len();
    post(&daemon, &mail_to(BOB).subject("only one").text("hello"));
    post(&daemon, &mail_to(CAROL).subject("urgent").text("hello").field("X-Priority", "1"));
    let (bob, carol) = wait_for(packetboat_harness::DEADLINE, "both messages", || place(BOB).zip(place(CAROL)));
    assert!(before < 150, "the bulk job was over already: {before}");
    assert!(bob.max(carol) < before + 40, "they waited for {} and {} others", bob - before, carol - before);
}
