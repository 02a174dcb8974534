//! "How do I decode this notification?": `packetboat decode --push` reads a push as it is, and the hex of short messages;
//! what it cannot read it names by its place. Case H-05.

use crate::node::BINARY;
use packetboat_harness::mms::{self, MEDIA_TYPE, Part};
use packetboat_harness::process::Output;
use packetboat_harness::{Scene, push};
use serde_json::Value;
use std::process::Command;

fn decode(arguments: &[&str]) -> Output {
    Output::of(Command::new(BINARY).arg("decode").args(arguments))
}

#[test]
fn decode_reads_pushes() {
    let scene = Scene::new("decode_reads_pushes");
    let path = |name: &str, content: &[u8]| scene.file(name, content).to_string_lossy().into_owned();
    let from = "+447700900999/TYPE=PLMN";
    let url = "http://mms.example.net:8002/a-rather-long-path/that-makes-it-two-short-messages/AbCdEfGhIjKlMnOpQrStUv";
    let wsp = push::wrap(&mms::notification_ind("t1", from, 70_000, url));
    assert!(wsp.len() > 140);

    let check = |told: &Value| {
        assert_eq!(told["pdu"], "m-notification-ind", "{told:#}");
        assert_eq!(told["headers"]["X-Mms-Content-Location"], url);
        assert_eq!(told["headers"]["X-Mms-Message-Size"], "70000");
        assert_eq!(told["headers"]["From"], from);
        assert_eq!(told["push"]["content_type"], MEDIA_TYPE);
    };
    check(&decode(&["--push", "--json", &path("push.bin", &wsp)]).expect_success().json());

    // Two short messages, the second first: 16-bit ports and an 8-bit reference (TS 23.040 9.2.3.24).
    let half = 120;
    let short_message = |number: u8, data: &[u8]| {
        let header = [&[0x0b, 0x05, 0x04, 0x0b, 0x84, 0x23, 0xf0, 0x00, 0x03, 0x2a, 2, number][..], data].concat();
        header.iter().map(|octet| format!("{octet:02X}")).collect::<String>()
    };
    let lines = format!("{}\n{}\n", short_message(2, &wsp[half..]), short_message(1, &wsp[..half]));
    check(&decode(&["--push", "--json", &path("push.hex", lines.as_bytes())]).expect_success().json());
    let first = path("1.hex", short_message(1, &wsp[..half]).as_bytes());
    let second = path("2.hex", short_message(2, &wsp[half..]).as_bytes());
    check(&decode(&["--push", "--json", &first, &second]).expect_success().json());
    let people = decode(&["--push", &first, &second]).expect_success().text();
    assert!(people.contains("m-notification-ind") && people.contains(url), "{people}");

    // A link instead of a message: WBXML as xml2wbxml of libwbxml writes it.
    let si =
        b"\x03\x05\x6a\0\x45\xc6\x0c\x03127.0.0.1/mms/inbox\0\x11\x031@mmsc\0\x07\x0a\xc3\x05\x20\x26\x11\x22\x12\x01\
               \x03You have an MMS\0\x01\x01";
    let link = [b"\x01\x06\x03\xae\xaf\x82".as_slice(), si].concat();
    let told = decode(&["--push", "--json", &path("link.bin", &link)]).expect_success().json();
    assert_eq!(told["si"]["href"], "http://127.0.0.1/mms/inbox", "{told:#}");
    assert_eq!(
        (&told["si"]["action"], &told["si"]["created"]),
        (&"signal-medium".into(), &"2026-11-22T12:00:00Z".into())
    );
    assert_eq!((&told["si"]["text"], &told["push"]["application_id"]), (&"You have an MMS".into(), &"wml.ua".into()));
    let people = decode(&["--push", &path("link.bin", &link)]).expect_success().text();
    assert!(people.contains("Service Indication") && people.contains("si-id: 1@mmsc"), "{people}");
    let cut = decode(&["--push", &path("cut-link.bin", &link[..link.len() - 3])]);
    assert!(cut.status.code() == Some(1) && cut.stderr.contains("payload"), "{cut:?}");

    let half_a_push = decode(&["--push", "--json", &first]);
    assert_eq!(half_a_push.status.code(), Some(1), "{half_a_push:?}");
    assert!(half_a_push.stderr.contains('2'), "which one is missing? {}", half_a_push.stderr);

    // A PDU by itself, whole and broken.
    let parts = [Part::new("text/plain", "text.txt", "hello"), Part::new("image/png", "p.png", [1, 2, 3])];
    let pdu = mms::retrieve_conf("t1", "m1", from, "hello", &parts);
    let told = decode(&["--json", &path("whole.mms", &pdu)]).expect_success().json();
    assert_eq!((told["pdu"].as_str(), told["headers"]["Subject"].as_str()), (Some("m-retrieve-conf"), Some("hello")));
    assert_eq!(told["parts"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (told["parts"][1]["content_type"].as_str(), told["parts"][1]["size"].as_u64()),
        (Some("image/png"), Some(3))
    );
    assert_eq!(
        told["parts"][1]["sha256"], "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
        "of the octets 1, 2, 3"
    );
    for (name, content) in
        [("cut.mms", &pdu[..pdu.len() - 2]), ("empty.mms", b""), ("nonsense.mms", b"nonsense, all of it")]
    {
        let refused = decode(&["--json", &path(name, content)]);
        assert_eq!(refused.status.code(), Some(1), "{name}: {refused:?}");
        assert!(refused.stdout.is_empty(), "{name}: {refused:?}");
        let says = refused.stderr.to_lowercase();
        let place = says.contains("offset") || says.contains("octet") || says.contains("byte");
        assert!(place && says.contains(|digit: char| digit.is_ascii_digit()), "{name}: {}", refused.stderr);
    }
    let missing = decode(&["--json", "/nowhere/at/all.mms"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(missing.stderr.contains("/nowhere/at/all.mms"), "{}", missing.stderr);
}
