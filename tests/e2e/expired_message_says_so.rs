//! A message nobody fetches in time: its sender is told, and so is the phone that comes too late.
//!
//! Cases A-15, M-05, M-16.

use crate::node::{
    ANN, BOB, CAROL, Node, delivery, fetch_in_vain, handset, mail_to, notified, plmn, post, steps, text_part, told,
    wait_for_state,
};
use packetboat_harness::mms::{self, field, kind, status};
use packetboat_harness::peers::ScriptedMx;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Peer, Scene, SmsTap};
use std::time::Duration;

/// X-Mms-Retrieve-Status Error-permanent-message-not-found (OMA-TS-MMS_ENC 7.3.43).
const MESSAGE_NOT_FOUND: u8 = 0xe2;

#[test]
fn expired_message_says_so() {
    let Some(scene) = Scene::with_peers("expired_message_says_so", &[Peer::Aiosmtpd]) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_mail_host(mx.address()).set("queue", "expiry", "\"3s\"").start();

    let mail = mail_to(BOB).subject("Dinner at eight").text("or at nine?");
    post(&daemon, &mail);
    let notification = notified(&tap, BOB);
    let trace = wait_for_state(&daemon, mail.message_id(), BOB, "expired");
    assert!(steps(&trace, BOB).iter().any(|step| step == "expired"), "{trace:#}");

    let late = fetch_in_vain(&handset(&daemon, BOB), &notification.content_location());
    assert_eq!(late.retrieve_status(), Some(MESSAGE_NOT_FOUND));
    assert!(late.text(field::RETRIEVE_TEXT).is_some_and(|text| text.contains("expired")), "{late:?}");
    let said: Vec<_> = late.parts.iter().map(|part| String::from_utf8_lossy(&part.data).into_owned()).collect();
    assert!(said.iter().all(|text| text.contains("expired")), "phones show this in its place: {said:?}");

    let bounce = mx.wait_for_messages(1).remove(0);
    assert_eq!((bounce.sender.as_str(), bounce.recipients.as_slice()), ("", [ANN.to_owned()].as_slice()));
    let content = bounce.content.replace("\r\n", "\n");
    let lower = content.to_lowercase();
    for owed in [
        "multipart/report",
        "report-type=delivery-status",
        "auto-submitted: auto-",
        "action: failed",
        "status: 5.4.7",
        "final-recipient: rfc822; +447700900123@mms.test",
        "dinner at eight",
        &format!("<{}>", mail.message_id()),
    ] {
        assert!(lower.contains(owed), "no {owed:?} in the report:\n{content}");
    }
    assert!(content.contains("did not fetch"), "people are not told why:\n{content}");

    // A phone asked for a report of its own and gets one; one that did not ask gets none.
    let carol = handset(&daemon, CAROL);
    let asked = mms::send_req("t1", &[BOB], "asked").octet(field::DELIVERY_REPORT, mms::YES).expiry(2);
    let asked = carol.submit(&asked.body(&text_part("hello"))).message_id();
    let unasked = mms::send_req("t2", &[BOB], "unasked").expiry(2).body(&text_part("hello"));
    let unasked = carol.submit(&unasked).message_id();
    let (_, report) = told(&tap, CAROL, kind::DELIVERY_IND);
    assert_eq!((report.message_id(), report.octet(field::STATUS)), (asked, Some(status::EXPIRED)));
    assert_eq!(report.text(field::TO).as_deref(), Some(plmn(BOB).as_str()));
    let trace = wait_for_state(&daemon, &unasked, BOB, "expired");
    assert_eq!(delivery(&trace, BOB)["state"], "expired");
    let to_carol = || tap.pushes().iter().filter(|push| push.to == CAROL).count();
    never_within(Duration::from_secs(1), "a report nobody asked for", || to_carol() > 1);
    assert_eq!(mx.messages().len(), 1, "one bounce a message");
}
