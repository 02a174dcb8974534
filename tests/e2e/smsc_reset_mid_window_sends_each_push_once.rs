//! The SMSC cuts the connection with the window full. What it had acknowledged it does not get again, the rest it gets.

use crate::node::{Node, at, mail_to, post, wait_for_state};
use packetboat_harness::peers::Smsc;
use packetboat_harness::{DEADLINE, Peer, Scene, wait_until};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn smsc_reset_mid_window_sends_each_push_once() {
    let Some(scene) = Scene::with_peers("smsc_reset_mid_window_sends_each_push_once", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "delay": 50, "drop_after": 14, "receipts": "none" }));
    let daemon = Node::with_smsc(&scene, &smsc).start();

    let phones: Vec<String> = (0..30).map(|number| format!("+4477009002{number:02}")).collect();
    let mail = phones[1..]
        .iter()
        .fold(mail_to(&phones[0]).subject("hello"), |mail, phone| mail.also_to(&at(phone)))
        .text("hello");
    post(&daemon, &mail);
    wait_until(DEADLINE, "a push to each phone", || smsc.messages().len() >= phones.len());
    for phone in &phones {
        wait_for_state(&daemon, mail.message_id(), phone, "waiting");
    }
    let messages = smsc.messages();
    let told: BTreeSet<_> = messages.iter().map(|push| push.to.clone()).collect();
    assert_eq!((messages.len(), told.len()), (phones.len(), phones.len()), "each phone once");
    assert_eq!(smsc.all("dropped").len(), 1);
    assert!(!smsc.all("unanswered").is_empty(), "something was under way when the connection was cut");
}
