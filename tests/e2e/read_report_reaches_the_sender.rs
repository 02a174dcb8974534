//! A recipient reads a message: a sender who asked hears of it, by MMS or by mail; one who did not ask hears nothing.
//!
//! Cases A-09, E-04, E-07.

use crate::node::{ANN, BOB, CAROL, Node, handset, mail_to, notified, plmn, post, text_part, told, wait_for_step};
use packetboat_harness::mms::{self, field, kind};
use packetboat_harness::peers::ScriptedMx;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Peer, Scene, SmsTap};
use std::time::Duration;

#[test]
fn read_report_reaches_the_sender() {
    let Some(scene) = Scene::with_peers("read_report_reaches_the_sender", &[Peer::Aiosmtpd]) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_mail_host(mx.address()).start();
    let (bob, carol) = (handset(&daemon, BOB), handset(&daemon, CAROL));

    let request = mms::send_req("t1", &[BOB], "from a phone").octet(field::READ_REPORT, mms::YES);
    let id = carol.submit(&request.body(&text_part("hello"))).message_id();
    let retrieved = bob.retrieve(&notified(&tap, BOB));
    assert_eq!(retrieved.octet(field::READ_REPORT), Some(mms::YES), "the phone is asked");
    assert_eq!(retrieved.message_id(), id, "a read report has to name the message");
    // Only the recipient can have read it.
    carol.post(&mms::read_rec_ind(&id, &plmn(CAROL)));
    never_within(Duration::from_millis(500), "a report on another phone's word", || tap.pushes().len() > 1);
    for _ in 0..2 {
        bob.post(&mms::read_rec_ind(&id, &plmn(CAROL))).expect_status(200);
    }
    let (_, report) = told(&tap, CAROL, kind::READ_ORIG_IND);
    assert_eq!((report.message_id(), report.octet(field::READ_STATUS)), (id.clone(), Some(mms::YES)));
    assert_eq!(report.text(field::FROM).as_deref(), Some(plmn(BOB).as_str()));
    assert_eq!(report.text(field::TO).as_deref(), Some(plmn(CAROL).as_str()));
    wait_for_step(&daemon, &id, BOB, "read");

    let mail = mail_to(BOB).subject("from a mailbox").field("Disposition-Notification-To", ANN).text("hello");
    post(&daemon, &mail);
    let notification =
        tap.wait_for_push(BOB, |push| push.mms().text(field::FROM).is_some_and(|from| from == ANN)).mms();
    let retrieved = bob.retrieve(&notification);
    bob.post(&mms::read_rec_ind(&retrieved.message_id(), ANN)).expect_status(200);
    let receipt = mx.wait_for_messages(1).remove(0);
    assert_eq!((receipt.sender.as_str(), receipt.recipients.as_slice()), ("", [ANN.to_owned()].as_slice()));
    let content = receipt.content.to_lowercase();
    for owed in ["disposition-notification", "disposition:", "displayed", "final-recipient", mail.message_id()] {
        assert!(content.contains(owed), "no {owed:?} in the receipt:\n{}", receipt.content);
    }

    let before = tap.pushes().len();
    let unasked = carol.submit(&mms::send_req("t2", &[BOB], "unasked").body(&text_part("hello"))).message_id();
    tap.wait_for_pushes(before + 1);
    bob.post(&mms::read_rec_ind(&unasked, &plmn(CAROL))).expect_status(200);
    wait_for_step(&daemon, &unasked, BOB, "read");
    never_within(Duration::from_millis(700), "a report nobody asked for, or a second one", || {
        tap.pushes().len() > before + 1 || mx.messages().len() > 1
    });
}
