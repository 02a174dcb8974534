//! One phone sends to another, both with their own MMS program; the sender learns that it arrived.
//!
//! The first phone is known by what its network's gateway says of it, the second by the secret in its MMSC address. Cases
//! B-01, D-01, E-04, I-04.

use crate::node::{BOB, CAROL, Node, delivery, phone, plmn, told, wait_for_state};
use packetboat_harness::mail::png;
use packetboat_harness::mms::{Part, field, kind, status};
use packetboat_harness::peers::Mmsd;
use packetboat_harness::peers::mmsd::{Outgoing, Phone};
use packetboat_harness::{Gateway, Peer, Scene, SmsTap};

#[test]
fn handset_sends_to_handset() {
    let Some(scene) = Scene::with_peers("handset_sends_to_handset", &[Peer::Mmsd]) else { return };
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).set("listener.handsets", "trusted_proxies", r#"["127.0.0.1/32"]"#).start();
    let gateway = Gateway::start(&[("X-MSISDN", BOB)]);
    let door = format!("http://{}/", daemon.listener("handsets"));
    let bob = Mmsd::start(&scene, &Phone::new(BOB, &door).behind(gateway.address()));
    let carol = phone(&scene, &daemon, CAROL);

    let photo = png(120, 90, 3);
    let outgoing = Outgoing {
        to: vec![CAROL.to_owned()],
        subject: "Grüße vom Meer".to_owned(),
        smil: "<smil><head><layout/></head><body><par dur=\"5000ms\"><img src=\"boat.png\"/><text src=\"hello.txt\"/></par>\
               </body></smil>"
            .to_owned(),
        parts: vec![Part::new("image/png", "boat.png", photo.clone()), Part::new("text/plain", "hello.txt", "Ahoi!")],
    };
    let path = bob.send(&outgoing);
    bob.wait_for_message("what it sent", |message| message.path == path && message.status == "sent");

    let (push, notification) = told(&tap, CAROL, kind::NOTIFICATION_IND);
    assert_eq!(
        notification.text(field::FROM).as_deref(),
        Some(plmn(BOB).as_str()),
        "the network's word, not the phone's"
    );
    carol.push(&push.wsp);
    let received = carol.wait_for_message("Bob's message", |message| message.status == "received");
    assert_eq!((received.sender.as_str(), received.subject.as_str()), (BOB, "Grüße vom Meer"));
    assert_eq!(received.part("image/png").map(|part| &part.data), Some(&photo));
    assert_eq!(received.part("text/plain").map(|part| part.data.as_slice()), Some(b"Ahoi!".as_slice()));

    let (push, report) = told(&tap, BOB, kind::DELIVERY_IND);
    assert_eq!(report.octet(field::STATUS), Some(status::RETRIEVED));
    assert_eq!(report.text(field::TO).as_deref(), Some(plmn(CAROL).as_str()), "the report names the recipient");
    bob.push(&push.wsp);
    let delivered = |message: &packetboat_harness::peers::mmsd::Message| {
        message.path == path && (message.status == "delivered" || message.properties.to_string().contains("retrieved"))
    };
    bob.wait_for_message("the delivery report", delivered);

    let trace = wait_for_state(&daemon, &report.message_id(), CAROL, "delivered");
    assert_eq!(trace["from"], BOB);
    assert_eq!(delivery(&trace, CAROL)["via"], "direct");
}
