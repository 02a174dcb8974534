//! A phone that rejects a message, or deletes it unfetched, has the last word: its sender hears of it. Cases A-15, M-05.

use crate::node::{
    ANN, BOB, CAROL, DAVE, Node, delivery, fetch_in_vain, handset, mail_to, notified, post, text_part, told,
    wait_for_state,
};
use packetboat_harness::mms::{self, Pdu, Writer, field, kind, status};
use packetboat_harness::peers::ScriptedMx;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Peer, Scene, SmsTap};
use std::time::Duration;

const DELETE_REQ: u8 = 0x94;
const NOT_ALLOWED: u8 = mms::NO;

#[test]
fn phone_that_refuses_is_reported() {
    let Some(scene) = Scene::with_peers("phone_that_refuses_is_reported", &[Peer::Aiosmtpd]) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_mail_host(mx.address()).start();

    let mail = mail_to(BOB).subject("unwanted").text("hello");
    post(&daemon, &mail);
    let notification = notified(&tap, BOB);
    let rejection = mms::notifyresp_ind(&notification.transaction_id(), status::REJECTED);
    // Another phone's word does not count.
    handset(&daemon, CAROL).post(&rejection);
    assert_ne!(delivery(&daemon.trace(mail.message_id()), BOB)["state"], "rejected");
    handset(&daemon, BOB).post(&rejection).expect_status(200);
    wait_for_state(&daemon, mail.message_id(), BOB, "rejected");
    let bounce = mx.wait_for_messages(1).remove(0);
    assert_eq!((bounce.sender.as_str(), bounce.recipients.as_slice()), ("", [ANN.to_owned()].as_slice()));
    assert!(bounce.content.to_lowercase().contains("action: failed"), "{}", bounce.content);
    fetch_in_vain(&handset(&daemon, BOB), &notification.content_location());

    let request = mms::send_req("t1", &[DAVE], "deleted").octet(field::DELIVERY_REPORT, mms::YES);
    let id = handset(&daemon, CAROL).submit(&request.body(&text_part("hello"))).message_id();
    let notification = notified(&tap, DAVE);
    let delete = Writer::new(DELETE_REQ, Some("d1")).text(field::CONTENT_LOCATION, &notification.content_location());
    let reply = handset(&daemon, DAVE).post(&delete.bytes()).expect_status(200);
    assert_eq!(Pdu::read(&reply.body).transaction_id(), "d1");
    wait_for_state(&daemon, &id, DAVE, "rejected");
    let (_, report) = told(&tap, CAROL, kind::DELIVERY_IND);
    assert_eq!((report.message_id(), report.octet(field::STATUS)), (id, Some(status::REJECTED)));

    // A recipient may keep from the sender that it has the message (X-Mms-Report-Allowed: No).
    let request = mms::send_req("t2", &[DAVE], "private").octet(field::DELIVERY_REPORT, mms::YES);
    let id = handset(&daemon, CAROL).submit(&request.body(&text_part("hello"))).message_id();
    let push = tap.wait_for_push(DAVE, |push| push.mms().transaction_id() != notification.transaction_id());
    handset(&daemon, DAVE).fetch(&push.mms().content_location());
    let answer = Writer::new(kind::NOTIFYRESP_IND, Some(&push.mms().transaction_id()))
        .octet(field::STATUS, status::RETRIEVED)
        .octet(field::REPORT_ALLOWED, NOT_ALLOWED);
    handset(&daemon, DAVE).post(&answer.bytes()).expect_status(200);
    wait_for_state(&daemon, &id, DAVE, "delivered");
    let told_of_it = || tap.pushes().iter().any(|push| push.to == CAROL && push.mms().message_id() == id);
    never_within(Duration::from_millis(700), "a report the recipient did not allow", told_of_it);
}
