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

    // Settings for a phone, signed with the PIN 1234 (WAP-183-PROVCONT, WAP-184-PROVBOOT): as xml2wbxml of libwbxml
    // writes them, the MAC by another HMAC. Then the older kind, in two short messages to its own port.
    let settings = b"\x03\x0b\x6a\0\xc5\x46\x01\xc6\x55\x01\x87\x11\x06\x03n1\0\x01\x87\x10\x06\xab\x01\x87\x08\x06\x03mms\0\x01\
        \x87\x09\x06\x89\x01\x01\xc6\0\x01\x55\x01\x87\x36\0\0\x06\x03w4\0\x01\x87\x22\x06\x03n1\0\x01\x87\0\x01\x34\0\0\
        \x06\x03http://mmsc/mms\0\x01\x01\x01";
    let head = b"\x01\x06\x2f\x1f\x2d\xb6\x91\x81\x92406DF57E3335FEA63D930C241017C2AE7CC0E440\0";
    let file = path("settings.bin", &[&head[..], settings].concat());
    for (arguments, right) in [
        (&["--push", "--json", &file][..], Value::Null),
        (&["--push", "--json", "--pin", "1234", &file], true.into()),
        (&["--push", "--json", "--pin", "4321", &file], false.into()),
        (&["--push", "--json", "--imsi", "310150123456789", &file], false.into()),
    ] {
        let told = decode(arguments).expect_success().json();
        assert_eq!((&told["signed"]["method"], &told["signed"]["right"]), (&"USERPIN".into(), &right), "{told:#}");
        let account = &told["provisioning"]["characteristics"][1];
        assert_eq!(account["type"], "APPLICATION");
        assert_eq!(account["parms"][2], serde_json::json!({ "name": "ADDR", "value": "http://mmsc/mms" }));
    }
    let people = decode(&["--push", "--pin", "1234", &file]).expect_success().text();
    assert!(people.contains("signed with USERPIN: right") && people.contains("    NAP-ADDRESS: mms\n"), "{people}");
    let wrong = decode(&["--push", "--imsi", "12", &file]);
    assert!(wrong.status.code() == Some(1) && wrong.stderr.contains("--imsi"), "{wrong:?}");
    let older = [
        b"\x01\x06\x2c\x1f\x2aapplication/x-wap-prov.browser-settings\0\x81\xea".as_slice(),
        b"\x01\x01\x6a\0\x45\xc6\x06\x01\x87\x12\x49\x01\x87\x14\x61\x01\x01\x86\x7c\x11\x03http://mms.example/\0\x01\x01",
    ]
    .concat();
    let segment = |number: u8, data: &[u8]| {
        let header = [&[0x0b, 0x05, 0x04, 0xc3, 0x4f, 0xc0, 0x02, 0x00, 0x03, 0x2b, 2, number][..], data].concat();
        header.iter().map(|octet| format!("{octet:02X}")).collect::<String>()
    };
    let lines = format!("{}\n{}\n", segment(1, &older[..50]), segment(2, &older[50..]));
    let file = path("older.hex", lines.as_bytes());
    let told = decode(&["--push", "--json", &file]).expect_success().json();
    let found = &told["browser_settings"]["characteristics"];
    assert_eq!((&found[0]["parms"][0]["value"], &found[1]["value"]), (&"GPRS".into(), &"http://mms.example/".into()));
    let people = decode(&["--push", &file]).expect_success().text();
    assert!(
        people.contains("Browser settings\n  ADDRESS\n    BEARER: GPRS") && people.contains("MMSURL: http"),
        "{people}"
    );

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
