//! Whatever a phone sends, it hears something it can show, and the next phone is served as if nothing had been.
//!
//! Cases B-01, B-02, B-06.

use crate::node::{BOB, CAROL, Node, handset, notified, text_part};
use packetboat_harness::mms::{self, MEDIA_TYPE, Pdu, Writer, field, kind};
use packetboat_harness::{Handset, Scene, SmsTap};

const SERVICE_DENIED: u8 = 0xe1;
const FORMAT_CORRUPT: u8 = 0xe2;
const ADDRESS_UNRESOLVED: u8 = 0xe3;
const CONTENT_NOT_ACCEPTED: u8 = 0xe5;
const VERSION_2_0: u8 = 0xa0;

#[test]
fn bad_pdus_get_a_proper_answer() {
    let scene = Scene::new("bad_pdus_get_a_proper_answer");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).set("limits", "message_size", "\"100KiB\"").start();
    let bob = handset(&daemon, BOB);
    let stranger = Handset::new(&format!("http://{}/", daemon.listener("handsets")));
    let guesser = Handset::new(&format!("http://{}/mms/NotASecretOfOurs", daemon.listener("handsets")));

    let good = mms::send_req("good", &[CAROL], "hello").body(&text_part("hello"));
    let cut_off = &mms::send_req("cut", &[CAROL], "hello").body(&text_part(&"hello ".repeat(100)))[..150];
    let lies_about_lengths =
        [&mms::send_req("lies", &[CAROL], "hello").bytes()[..], b"\x84\xa3\x01\x05\xff\xff\xff\x7f\x03\x83"];
    let too_large = mms::send_req("large", &[CAROL], "hello").body(&text_part(&"x".repeat(200 << 10)));
    let to_nobody = Writer::new(kind::SEND_REQ, Some("nobody")).from(None).body(&text_part("hello"));
    let to_nonsense = mms::send_req("nonsense", &["()<>"], "hello").body(&text_part("hello"));
    let to_strangers = mms::send_req("strangers", &["+15550100"], "hello").body(&text_part("hello"));
    let from_carol = Writer::new(kind::SEND_REQ, Some("spoof"))
        .from(Some("+447700900124/TYPE=PLMN"))
        .encoded(field::TO, CAROL)
        .encoded(field::SUBJECT, "spoof")
        .body(&text_part("hello"));
    let mut version_2 = mms::send_req("version", &[CAROL], "hello").body(&text_part("hello"));
    let place = version_2.windows(2).position(|pair| pair == [0x8d, 0x92]).expect("the version");
    version_2[place + 1] = VERSION_2_0;

    let refusals: [(&str, &Handset, &[u8], &str, u8); 9] = [
        ("cut off", &bob, cut_off, "cut", FORMAT_CORRUPT),
        ("wrong lengths", &bob, &lies_about_lengths.concat(), "lies", FORMAT_CORRUPT),
        ("too large", &bob, &too_large, "large", CONTENT_NOT_ACCEPTED),
        ("no recipient", &bob, &to_nobody, "nobody", FORMAT_CORRUPT),
        ("no address", &bob, &to_nonsense, "nonsense", ADDRESS_UNRESOLVED),
        ("no route", &bob, &to_strangers, "strangers", ADDRESS_UNRESOLVED),
        ("an unknown phone", &stranger, &good, "good", SERVICE_DENIED),
        ("a wrong secret", &guesser, &good, "good", SERVICE_DENIED),
        ("a version from the future", &bob, &version_2, "version", FORMAT_CORRUPT),
    ];
    for (what, phone, pdu, tid, status) in refusals {
        let reply = phone.post(pdu);
        assert_eq!((reply.status, reply.field("Content-Type")), (200, Some(MEDIA_TYPE)), "{what}: {}", reply.text());
        let conf = Pdu::read(&reply.body);
        assert_eq!((conf.kind(), conf.transaction_id().as_str()), (kind::SEND_CONF, tid), "{what}");
        let text = conf.text(field::RESPONSE_TEXT).unwrap_or_default();
        assert_eq!(conf.response_status(), Some(status), "{what}: {text}");
        assert!(text.len() > 10, "{what}: nothing that a phone could show: {text:?}");
    }

    let unreadable: [&[u8]; 5] = [b"", b"nonsense", b"\x8c", b"\x8c\x80\x98", &[0xff; 1000]];
    for pdu in unreadable {
        let reply = bob.post(pdu);
        assert_eq!(reply.status, 400, "{pdu:02x?}: {}", reply.text());
    }
    // What only an MMSC sends, and what nobody knows of, wedges nothing either.
    for pdu in [mms::send_conf("x", "y"), mms::notifyresp_ind("unknown", 0x81), mms::acknowledge_ind("unknown")] {
        let reply = bob.post(&pdu);
        assert!(matches!(reply.status, 200 | 400), "{}", reply.status);
    }
    bob.get(&format!("http://{}/nothing", daemon.listener("handsets"))).expect_status(404);
    let lost = bob.fetch(&format!("http://{}/AAAAAAAAAAAAAAAAAAAAAA", daemon.listener("handsets")));
    assert!(lost.retrieve_status().is_some_and(|status| status >= 0xe0), "{lost:?}");

    assert!(tap.pushes().is_empty(), "{:?}", tap.pushes());
    assert_eq!(bob.submit(&good).response_status(), Some(mms::OK));
    let notification = notified(&tap, CAROL);
    assert_eq!(handset(&daemon, CAROL).retrieve(&notification).text(field::SUBJECT).as_deref(), Some("hello"));

    // The phone may claim to be another: the network's word counts.
    assert_eq!(bob.submit(&from_carol).response_status(), Some(mms::OK));
    let spoofed = tap.wait_for_pushes(2)[1].mms();
    let carol = handset(&daemon, CAROL);
    for told in [&spoofed, &carol.fetch(&spoofed.content_location())] {
        assert_eq!(told.text(field::FROM).as_deref(), Some("+447700900123/TYPE=PLMN"));
    }
    assert_eq!(daemon.metric("packetboat_accepted_messages_total", &[("listener", "handsets")]), Some(2.0));
}
