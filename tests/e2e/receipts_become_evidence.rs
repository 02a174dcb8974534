//! What the SMSC says of a notification ends up on the message's timeline, and a notification that failed is sent again.
//!
//! Case H-04.

use crate::node::{BOB, CAROL, Node, handset, mail_to, post, wait_for_state, wait_for_step};
use packetboat_harness::peers::Smsc;
use packetboat_harness::{DEADLINE, Peer, Scene, wait_until};
use serde_json::json;

#[test]
fn receipts_become_evidence() {
    let Some(scene) = Scene::with_peers("receipts_become_evidence", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "receipt_id": "decimal", "receipt_form": "text" }));
    let daemon = Node::with_smsc(&scene, &smsc).start();

    let mail = mail_to(BOB).subject("hello").text("hello");
    post(&daemon, &mail);
    wait_for_step(&daemon, mail.message_id(), BOB, "push_delivered");
    handset(&daemon, BOB).retrieve(&smsc.messages()[0].mms());
    wait_for_state(&daemon, mail.message_id(), BOB, "delivered");

    smsc.set("receipts", "UNDELIV");
    let mail = mail_to(CAROL).subject("hello").text("hello");
    post(&daemon, &mail);
    wait_for_step(&daemon, mail.message_id(), CAROL, "push_failed");
    smsc.set("receipts", "DELIVRD");
    let to_carol = || smsc.messages().into_iter().filter(|push| CAROL.ends_with(&push.to)).collect::<Vec<_>>();
    wait_until(DEADLINE, "the notification once more", || to_carol().len() >= 2);
    wait_for_step(&daemon, mail.message_id(), CAROL, "push_delivered");
    handset(&daemon, CAROL).retrieve(&to_carol()[0].mms());
    wait_for_state(&daemon, mail.message_id(), CAROL, "delivered");
    assert!(smsc.all("receipt_answer").iter().all(|answer| answer["status"] == 0), "every receipt was acknowledged");
}
