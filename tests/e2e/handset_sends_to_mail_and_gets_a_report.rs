//! A phone sends a picture to a mailbox through a real mail server, whose own report comes back to the phone.
//!
//! Cases C-08, E-02, E-05, M-02, M-09, M-16.

use crate::node::{BOB, Node, delivery, handset, plmn, steps, told, wait_for_state, wait_for_step};
use packetboat_harness::mail::png;
use packetboat_harness::mms::{self, Part, field, kind, status};
use packetboat_harness::peers::Postfix;
use packetboat_harness::peers::postfix::Setup;
use packetboat_harness::{Peer, Scene, SmsTap};

#[test]
fn handset_sends_to_mail_and_gets_a_report() {
    let Some(scene) = Scene::with_peers("handset_sends_to_mail_and_gets_a_report", &[Peer::Postfix]) else { return };
    let postfix = Postfix::start(&scene, &Setup { mms_test: Some(scene.address("mail")), ..Setup::default() });
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_mail_host(postfix.address()).start();
    let bob = handset(&daemon, BOB);

    let photo = png(100, 80, 4);
    let smil = "<smil><body><par><img src=\"boat.png\"/><text src=\"text.txt\"/></par></body></smil>";
    let parts = [
        Part::new("application/smil", "smil", smil),
        Part::new("image/png", "boat.png", photo.clone()),
        Part::new("text/plain", "text.txt", "Ahoi from the boat"),
    ];
    let request = mms::Writer::new(kind::SEND_REQ, Some("t1"))
        .from(None)
        .encoded(field::TO, "zoe@mail.test")
        .octet(field::DELIVERY_REPORT, mms::YES)
        .body(&parts);
    let conf = bob.submit(&request);
    assert_eq!(conf.response_status(), Some(mms::OK), "{:?}", conf.text(field::RESPONSE_TEXT));
    let id = conf.message_id();

    let mail = postfix.wait_for_mail("zoe", 1).remove(0);
    let head = mail.split("\n\n").next().unwrap_or_default().to_lowercase();
    assert!(head.contains("return-path: <+447700900123@mms.test>"), "{head}");
    assert!(head.contains("+447700900123@mms.test") && head.contains("\nfrom:"), "{head}");
    assert!(
        head.contains(&format!("message-id: <{}", id.to_lowercase())),
        "the same Message-ID everywhere: {id}\n{head}"
    );
    assert!(head.contains("subject: ahoi from the boat"), "the first words stand for a subject\n{head}");
    assert!(mail.contains("Ahoi from the boat"), "{mail}");
    assert!(!mail.contains("<smil>") && !head.contains("application/smil"), "nobody can open a presentation\n{mail}");
    assert_eq!(attachment(&mail, "image/png").as_deref(), Some(photo.as_slice()), "{mail}");

    let (push, report) = told(&tap, BOB, kind::DELIVERY_IND);
    assert_eq!((push.segments, report.message_id()), (1, id.clone()));
    assert_eq!(report.octet(field::STATUS), Some(status::RETRIEVED), "Postfix says it is in the mailbox");
    assert_eq!(report.text(field::TO).as_deref(), Some("zoe@mail.test"));
    let trace = wait_for_state(&daemon, &id, "zoe@mail.test", "delivered");
    let steps = steps(&trace, "zoe@mail.test");
    let place = |step: &str| steps.iter().position(|it| it == step).unwrap_or_else(|| panic!("no {step} in {steps:?}"));
    assert!(place("handed_over") < place("delivered"), "a smart host's 250 is not delivery: {steps:?}");
    assert_eq!(tap.pushes().len(), 1, "the mail server's report is no message for the phone");

    let request = mms::Writer::new(kind::SEND_REQ, Some("t2"))
        .from(None)
        .encoded(field::TO, "bounced@mail.test")
        .octet(field::DELIVERY_REPORT, mms::YES)
        .body(&parts);
    let id = bob.submit(&request).message_id();
    let trace = wait_for_state(&daemon, &id, "bounced@mail.test", "failed");
    assert!(delivery(&trace, "bounced@mail.test")["reason"].as_str().is_some_and(|why| !why.is_empty()), "{trace:#}");
    wait_for_step(&daemon, &id, "bounced@mail.test", "report");
    let bounced = tap.wait_for_push(BOB, |push| push.mms().message_id() == id).mms();
    assert_eq!(bounced.kind(), kind::DELIVERY_IND);
    let status = bounced.octet(field::STATUS);
    assert!(status != Some(status::RETRIEVED) && status != Some(status::DEFERRED), "{status:x?}");
    assert_eq!(plmn(BOB), format!("{}/TYPE=PLMN", push.to));
}

/// The content of the part of this media type in a mail with base64.
fn attachment(mail: &str, content_type: &str) -> Option<Vec<u8>> {
    let part = &mail[mail.find(&format!("Content-Type: {content_type}"))?..];
    let (head, body) = part.split_once("\n\n")?;
    assert!(head.to_lowercase().contains("base64"), "{head}");
    let coded = body.split("\n--").next()?;
    Some(from_base64(coded))
}

fn from_base64(coded: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut octets = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for value in coded.bytes().filter_map(|byte| ALPHABET.iter().position(|known| *known == byte)) {
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    octets
}
