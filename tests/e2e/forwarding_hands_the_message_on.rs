//! A phone sends a message on without fetching it; the next one gets the same content and learns who sent it before.

use crate::node::{ANN, BOB, CAROL, Node, handset, mail_to, notified, plmn, post};
use packetboat_harness::mail::png;
use packetboat_harness::mms::{self, Pdu, Writer, field, kind};
use packetboat_harness::{Scene, SmsTap};

/// X-Mms-Previously-Sent-By.
const PREVIOUSLY_SENT_BY: u8 = 0x20;

#[test]
fn forwarding_hands_the_message_on() {
    let scene = Scene::new("forwarding_hands_the_message_on");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).start();
    let (bob, carol) = (handset(&daemon, BOB), handset(&daemon, CAROL));

    let photo = png(60, 40, 5);
    let mail = mail_to(BOB).subject("Look").text("the bay").attach("bay.png", "image/png", &photo);
    post(&daemon, &mail);
    let notification = notified(&tap, BOB);
    let forward = |tid: &str, location: &str| {
        Writer::new(kind::FORWARD_REQ, Some(tid))
            .from(None)
            .encoded(field::TO, CAROL)
            .text(field::CONTENT_LOCATION, location)
            .bytes()
    };

    // Only the phone that was told of it may send it on.
    let denied = Pdu::read(&carol.post(&forward("f0", &notification.content_location())).expect_status(200).body);
    assert_eq!(denied.kind(), kind::FORWARD_CONF);
    assert!(denied.response_status().is_some_and(|status| status >= 0xe0), "{denied:?}");

    let request = forward("f1", &notification.content_location());
    let conf = Pdu::read(&bob.post(&request).expect_status(200).body);
    assert_eq!((conf.kind(), conf.transaction_id().as_str()), (kind::FORWARD_CONF, "f1"));
    assert_eq!(conf.response_status(), Some(mms::OK), "{:?}", conf.text(field::RESPONSE_TEXT));
    assert!(!conf.message_id().is_empty());
    let again = Pdu::read(&bob.post(&request).expect_status(200).body);
    assert_eq!(again.message_id(), conf.message_id(), "a repeated request is one message");

    let told = notified(&tap, CAROL);
    assert_eq!(told.text(field::FROM).as_deref(), Some(plmn(BOB).as_str()));
    let message = carol.retrieve(&told);
    assert_eq!(message.part("image/png").map(|part| &part.data), Some(&photo));
    assert_eq!(message.text(field::SUBJECT).as_deref(), Some("Look"));
    let before =
        message.fields.iter().find(|(number, _)| *number == PREVIOUSLY_SENT_BY).map(|(_, value)| value.clone());
    let before = before.unwrap_or_else(|| panic!("nothing of who sent it before: {message:?}"));
    assert!(String::from_utf8_lossy(&before).contains(ANN), "{before:x?}");

    // The first recipient can still fetch it.
    assert_eq!(bob.retrieve(&notification).part("image/png").map(|part| &part.data), Some(&photo));
    assert_eq!(tap.pushes().len(), 2);
}
