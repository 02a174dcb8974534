//! The pieces by themselves: settings, tables, pace, ids, reading of anything.

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use packetboat_api::clock::Timestamp;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_net::bearer::Ticket;
use packetboat_plugin_smpp::limits::{MAX_PDU, MAX_TICKETS, SLOWEST};
use packetboat_plugin_smpp::link::Place;
use packetboat_plugin_smpp::pace::Pace;
use packetboat_plugin_smpp::receipt::{Kind, kind};
use packetboat_plugin_smpp::settings::Validity;
use packetboat_plugin_smpp::status::{Class, State, Status};
use packetboat_plugin_smpp::submit::validity;
use packetboat_plugin_smpp::tickets::Tickets;
use packetboat_plugin_smpp::wire::{Delivered, next_frame, read_delivered};
use support::{Memory, build, settings};
use tokio::time::Instant;

#[test]
fn impossible_settings_name_their_key() {
    let memory = Arc::new(Memory::default());
    let cases = [
        ("system_id = \"x\"", "addresses: say where the SMSC is"),
        ("addresses = [\"a b\"]\nsystem_id = \"x\"", "addresses: \"a b\" is not an address"),
        ("addresses = [\"smsc\"]", "system_id: the SMSC wants to know"),
        (
            "addresses = [\"smsc\"]\nsystem_id = \"sixteen-letters!\"",
            "system_id: system_id \"sixteen-letters!\" is not",
        ),
        (
            "addresses = [\"smsc\"]\nsystem_id = \"x\"\npassword = { file = \"long\" }",
            "password: SMPP passwords have at most 8",
        ),
        ("addresses = [\"smsc\"]\nsystem_id = \"x\"\nwindow = 0", "window: between 1 and"),
        ("addresses = [\"smsc\", \"smsd\"]\nsystem_id = \"x\"\nconnections = 33", "connections: from 1"),
        ("addresses = [\"smsc\"]\nsystem_id = \"x\"\nsource = \"Fährgesellschaft\"", "source: the sender"),
        ("addresses = [\"smsc\"]\nsystem_id = \"x\"\nservice_type = \"toolong\"", "service_type: service_type"),
        ("addresses = [\"smsc\"]\nsystem_id = \"x\"\nlate_timeout = \"1s\"", "late_timeout: not shorter"),
        ("addresses = [\"smsc\"]\nsystem_id = \"x\"\nenquire_link = \"0s\"", "enquire_link: longer than no time"),
        (
            "addresses = [\"smsc\"]\nsystem_id = \"x\"\nca_file = \"none.pem\"\ntls = \"required\"",
            "ca_file: the certificate file",
        ),
        ("addresses = [\"smsc\"]\nsystem_id = \"x\"\nadress = \"a\"", "did you mean \"addresses\""),
    ];
    for (toml, wanted) in cases {
        let errors = build(toml, &memory).err().unwrap_or_default();
        assert!(errors.iter().any(|error| error.contains(wanted)), "{toml}: {errors:?}");
    }
}

#[test]
fn doubts_are_told() {
    let memory = Arc::new(Memory::default());
    let doubts = |address: &str, more: &str| build(&settings(address, more), &memory).unwrap().check().join("\n");
    assert_eq!(doubts("127.0.0.1:2775", ""), "");
    assert!(doubts("smsc.example.net:2775", "").contains("in the clear"));
    assert_eq!(doubts("smsc.example.net:2775", "tls = \"required\""), "");
    assert!(doubts("smsc.example.net:2775", "tls = \"unverified\"").contains("whoever answers"));
    assert!(doubts("localhost", "bind = \"transmitter\"").contains("they arrive nowhere"));
    assert!(doubts("[::1]:2775", "registered_delivery = \"none\"").contains("will not be known"));
    let open = "addresses = [\"localhost\"]\nsystem_id = \"x\"";
    assert!(build(open, &memory).unwrap().check().join("").contains("password is not set"));
}

#[test]
fn places_are_read_as_people_write_them() {
    let place = |text: &str| Place::read(text).map(|place| (place.host, place.port));
    assert_eq!(place("smsc.example.net"), Ok(("smsc.example.net".into(), 2775)));
    assert_eq!(place("192.0.2.1:16000"), Ok(("192.0.2.1".into(), 16000)));
    assert_eq!(place("[2001:db8::1]:2776"), Ok(("2001:db8::1".into(), 2776)));
    assert_eq!(place("[2001:db8::1]"), Ok(("2001:db8::1".into(), 2775)));
    for wrong in ["", ":2775", "a:b", "2001:db8::1", "smpp://a:2775", "a:0", "a:70000", "me@a:1"] {
        assert!(place(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn statuses_have_names_and_classes() {
    let table = [
        (0x58, "ESME_RTHROTTLED (0x58)", Class::Slower),
        (0x14, "ESME_RMSGQFUL (0x14)", Class::Slower),
        (0x0B, "ESME_RINVDSTADR (0x0b)", Class::Never),
        (0x08, "ESME_RSYSERR (0x08)", Class::Later),
        (0x04, "ESME_RINVBNDSTS (0x04)", Class::Session),
        (0x4FF, "a status of the vendor's own (0x4ff)", Class::Later),
    ];
    for (number, name, class) in table {
        assert_eq!((Status(number).to_string(), Status(number).class()), (name.to_owned(), class));
    }
    assert_eq!(State::of_word("undeliverable"), Some(State::Undeliverable));
    assert_eq!(State::of_word("Delivrd"), Some(State::Delivered));
    assert_eq!((State::of_word("DEL"), State::of_word("ZÄÖÜ"), State::of_number(9)), (None, None, None));
}

#[test]
fn validity_is_written_both_ways() {
    let now = Timestamp(1_763_866_177_000); // 2025-11-23T02:49:37Z
    let end = now.after(Duration::from_secs(3 * 86_400 + 3_723));
    assert_eq!(validity(Validity::Absolute, now, end), "251126035140000+");
    assert_eq!(validity(Validity::Relative, now, end), "000003010203000R");
    assert_eq!(validity(Validity::Relative, now, now.after(Duration::from_secs(400 * 86_400))), "010110000000000R");
    assert_eq!(validity(Validity::Relative, now, now), "000000000100000R");
    assert_eq!(validity(Validity::None, now, end), "");
}

#[test]
fn receipts_are_read_as_they_come() {
    let read = |text: &str| {
        let message = Bytes::copy_from_slice(text.as_bytes());
        let Kind::Receipt(receipt) = kind(&Delivered { esm_class: 4, message, ..Delivered::default() }) else {
            panic!()
        };
        (receipt.ids.join(","), receipt.state, receipt.error)
    };
    let said = |ids: &str, state, error: Option<&str>| (ids.to_owned(), state, error.map(str::to_owned));
    assert_eq!(
        read("id:7f sub:001 dlvrd:001 submit date:2511230249 done date:251123024937 stat:DELIVRD err:000 text:id:8"),
        said("7f", Some(State::Delivered), None)
    );
    assert_eq!(read("stat: REJECTD, ID: 12"), said("12", Some(State::Rejected), None));
    assert_eq!(read("id:12 stat:  err: text:"), said("12", None, None));
    assert_eq!(read("paid:99 id:12\0 stat:WHAT err:34A"), said("12", None, Some("34A")));
    assert_eq!(read(""), said("", None, None));
}

#[test]
fn ids_are_about_the_right_phone() {
    let tickets = Tickets::default();
    let ticket = |number: u64| Ticket {
        delivery: DeliveryId { message: MessageId(number), index: 0 },
        sending: "s".into(),
        part: 1,
        parts: 1,
    };
    let found =
        |id: &str, phone: &str| tickets.find(&[id.to_owned()], phone).map(|found| found.ticket.delivery.message.0);
    tickets.add("a", ticket(1), "358401111111");
    tickets.add("10", ticket(2), "358402222222");
    assert_eq!(found("10", "0401111111"), Some(1), "decimal of another id, but this phone's");
    assert_eq!(found("10", "358402222222"), Some(2));
    assert_eq!(found("10", "100"), Some(2), "as it is, whatever the phone");
    assert_eq!(found("16", "358403333333"), None, "in another form only for its phone");
    // The same id from two SMSCs.
    tickets.add("10", ticket(3), "358404444444");
    assert_eq!(
        (found("10", "358402222222"), found("10", "358404444444"), found("10", "100")),
        (Some(2), Some(3), None)
    );
    // Bounded: the oldest goes first.
    for number in 0..MAX_TICKETS {
        tickets.add(&format!("x{number}"), ticket(9), "1");
    }
    assert_eq!((found("a", "358401111111"), found("10", "358404444444")), (None, None));
    assert_eq!(found("x0", "1"), Some(9));
}

#[test]
fn the_pace_settles_below_what_the_smsc_allows() {
    // An SMSC that takes 20 in any second, and a sender that always has something.
    let (pace, begin) = (Pace::default(), Instant::now());
    let (mut now, mut taken, mut throttled) = (begin, Vec::new(), 0);
    while now < begin + Duration::from_secs(30) {
        now += Duration::from_micros(200);
        if let Err(next) = pace.admit(now) {
            now = next;
            continue;
        }
        let recent = taken.iter().rev().take_while(|at| now.duration_since(**at) < Duration::from_secs(1)).count();
        if recent < 20 {
            pace.taken(now);
            taken.push(now);
        } else {
            throttled += 1;
            pace.slower(now);
        }
    }
    let rate = taken.len() as f64 / 30.0;
    assert!((15.0..=20.5).contains(&rate), "{rate} a second");
    assert!(throttled < taken.len() / 10, "{throttled} refused, {} taken", taken.len());
    // Then it allows everything: there is no pace any more after a while.
    for _ in 0..1_000 {
        now = pace.admit(now).err().unwrap_or(now);
        pace.taken(now);
    }
    assert_eq!(pace.interval(), Duration::ZERO);
    // One that refuses everything is asked slowly, and no slower than that.
    for _ in 0..10 {
        now += SLOWEST;
        pace.slower(now);
    }
    assert_eq!(pace.admit(now), Err(now + SLOWEST));
}

#[test]
fn any_octets_are_read_or_refused() {
    let mut whole = b"\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01WAP\0\x01\x01358401234567\0\x01\x01100\0\x44\0\0\0\0\x01\0\x04\0\x05\x02\x70\0ab\x00\x1E\0\x03a1\0\x04\x27\0\x01\x02".to_vec();
    whole[3] = whole.len() as u8;
    let frame = next_frame(&mut BytesMut::from(&whole[..])).unwrap().unwrap();
    assert_eq!(read_delivered(&frame).unwrap().tlvs.number(0x0427), Some(2));
    let mut refused = 0;
    for at in 0..whole.len() {
        // Cut off there, with the length made right; and with every value in that place.
        let mut cut = whole[..at].to_vec();
        if at >= 16 {
            cut[3] = at as u8;
        }
        let frame = next_frame(&mut BytesMut::from(&cut[..]));
        assert_eq!(matches!(frame, Ok(Some(_))), at >= 16, "{at}");
        if let Ok(Some(frame)) = frame
            && let Err(error) = read_delivered(&frame)
        {
            assert!(error.to_string().contains("is cut off") && error.offset <= at, "{error}");
            refused += 1;
        }
        for value in 0..=255 {
            let mut changed = whole.clone();
            changed[at] = value;
            if let Ok(Some(frame)) = next_frame(&mut BytesMut::from(&changed[..]))
                && let Ok(delivered) = read_delivered(&frame)
            {
                let _ = kind(&delivered);
            }
        }
    }
    assert!(refused > 30);
    let length = |length: u32| next_frame(&mut BytesMut::from(&length.to_be_bytes()[..]));
    assert!(length(15).is_err() && length(16).is_ok() && length(MAX_PDU as u32).is_ok());
    assert_eq!(length(MAX_PDU as u32 + 1).unwrap_err().length, MAX_PDU as u32 + 1);
}
