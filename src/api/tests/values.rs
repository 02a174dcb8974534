//! Quantities, numbers, addresses and ids: what is read, what is refused, what is written.

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::State;
use packetboat_api::id::{DeliveryId, IdSource, MessageId};
use packetboat_api::mask::masked;
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::{MailAddress, Msisdn, Party};
use packetboat_api::units::{ByteSize, Period};
use proptest::prelude::*;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn periods_and_sizes_are_read_as_people_write_them() {
    for (text, milliseconds) in [
        ("250ms", 250),
        ("30s", 30_000),
        (" 15m ", 900_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        ("1h30m", 5_400_000),
    ] {
        assert_eq!(text.parse::<Period>().map(|p| p.0.as_millis()), Ok(milliseconds), "{text}");
    }
    for text in ["", "30", "s", "-3s", "3 s", "1.5h", "30S", "99999999999999999999s", "99999999999999999d", "5s,", "½h"]
    {
        assert!(text.parse::<Period>().is_err_and(|e| e.contains("such as \"30s\"")), "{text}");
    }
    for (text, octets) in
        [("0B", 0), ("512B", 512), ("300KiB", 307_200), ("300 kB", 300_000), ("2MiB", 2 << 20), ("1GB", 1_000_000_000)]
    {
        assert_eq!(text.parse::<ByteSize>().map(|s| s.0), Ok(octets), "{text}");
    }
    for text in ["", "300", "KiB", "300kib", "-1B", "1.5MiB", "99999999999GiB", "1 TB"] {
        assert!(text.parse::<ByteSize>().is_err_and(|e| e.contains("such as \"300KiB\"")), "{text}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_is_read_again(number in any::<u32>()) {
        let period = Period(std::time::Duration::from_millis(u64::from(number)));
        prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        let size = ByteSize(u64::from(number));
        prop_assert_eq!(size.to_string().parse::<ByteSize>(), Ok(size));
    }

    #[test]
    fn ids_are_written_in_their_order(one in any::<u64>(), other in any::<u64>(), index in 0..u32::MAX) {
        let (one, other) = (MessageId(one), MessageId(other));
        prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(&other));
        prop_assert_eq!(one.to_string().parse::<MessageId>(), Ok(one));
        let delivery = DeliveryId { message: one, index };
        prop_assert_eq!(delivery.to_string().parse::<DeliveryId>(), Ok(delivery));
    }

    #[test]
    fn parsers_take_anything(text in any::<String>(), plan in any::<bool>()) {
        let plan = if plan { british() } else { NumberPlan::default() };
        let _ = (plan.parse(&text), Party::parse(&text), MailAddress::new(&text), masked(&text));
        let _ = (text.parse::<MessageId>(), text.parse::<DeliveryId>(), text.parse::<Period>(), text.parse::<ByteSize>());
    }

    #[test]
    fn parties_are_read_as_they_are_written(digits in "[1-9][0-9]{4,14}", local in "[a-z0-9.+_-]{1,20}", code in "[0-9]{3,8}") {
        for text in [format!("+{digits}"), format!("{local}@example.net"), code] {
            let party = Party::parse(&text).expect("a party");
            prop_assert_eq!(party.to_string(), text);
            prop_assert_eq!(Party::parse(&party.to_mms()), Some(party));
        }
    }

    /// Nothing of a text that has a number or an address in it shows it whole (I-11).
    #[test]
    fn no_whole_number_or_address_is_left(
        before in "[ <\"(:=a-z]{0,12}",
        digits in "[1-9][0-9]{4,14}",
        local in "[a-z]{2,12}",
        after in "[ >\",);]{0,5}",
    ) {
        let shown = masked(&format!("{before}+{digits}{after}{before} {local}@example.net{after}"));
        prop_assert!(!shown.contains(&digits), "{}", shown);
        prop_assert!(!shown.contains(&format!("{local}@")), "{}", shown);
        prop_assert_eq!(masked(&shown), shown);
    }
}

fn british() -> NumberPlan {
    NumberPlan {
        country_code: Some("44".to_owned()),
        international_prefix: Some("00".to_owned()),
        national_prefix: Some("0".to_owned()),
        national_lengths: vec![10],
    }
}

fn american() -> NumberPlan {
    NumberPlan {
        country_code: Some("1".to_owned()),
        international_prefix: Some("011".to_owned()),
        national_prefix: Some("1".to_owned()),
        national_lengths: vec![10],
    }
}

/// Case D-10.
#[test]
fn numbers_are_read_as_people_write_them() {
    let number = "+15551234567";
    for text in [
        "+15551234567",
        "+1 555 123 4567",
        "+1 (555) 123-4567",
        "(555) 123-4567",
        "555-123-4567",
        "555.123.4567",
        "5551234567",
        "15551234567",
        "1-555-123-4567",
        "01115551234567",
        " 555 123 4567 ",
        "5551234567/TYPE=PLMN",
        "+15551234567/type=plmn",
    ] {
        assert_eq!(american().parse(text).map(|n| n.to_string()).as_deref(), Some(number), "{text}");
    }
    let number = "+447700900123";
    for text in [
        "07700 900123",
        "+44 7700 900123",
        "+44 (0)7700 900123",
        "+44 (0) 7700 900 123",
        "0044 7700 900123",
        "447700900123",
        "7700900123",
        "(07700) 900123",
    ] {
        assert_eq!(british().parse(text).map(|n| n.to_string()).as_deref(), Some(number), "{text}");
    }
    assert_eq!(british().parse("+49 151 12345678").map(|n| n.to_string()).as_deref(), Some("+4915112345678"));
    assert_eq!(british().parse("0049 151 12345678").map(|n| n.to_string()).as_deref(), Some("+4915112345678"));
    // Ten digits that begin like the country code are a whole national number.
    assert_eq!(british().parse("4412345678").map(|n| n.to_string()).as_deref(), Some("+444412345678"));
}

#[test]
fn what_is_no_number_is_none() {
    for text in [
        "",
        "+",
        "0",
        "7777",
        "555-1234",
        "bob",
        "bob@example.net",
        "++15551234567",
        "+1555123456789012",
        "5551234567x",
        "+05551234567",
        "1 5 5",
        "１２３４５６７８９０",
        &"1".repeat(100),
        "+1(0)",
    ] {
        assert_eq!(american().parse(text), None, "{text}");
    }
    // Without a country code only what is international is taken.
    let none = NumberPlan::default();
    assert_eq!(none.parse("5551234567"), None);
    assert!(none.parse("+1 555 123 4567").is_some());
    // Without lengths anything of six digits or more is national.
    let any = NumberPlan { national_lengths: Vec::new(), ..british() };
    assert_eq!(any.parse("0123456").map(|n| n.to_string()).as_deref(), Some("+44123456"));
    assert_eq!(any.parse("01234"), None);
}

#[test]
fn parties_have_every_form_of_the_protocols() {
    let phone = |digits: &str| Party::Phone(Msisdn::new(digits).expect("a number"));
    let mail = |text: &str| Party::Mail(MailAddress::new(text).expect("an address"));
    for (text, party) in [
        ("+447700900123/TYPE=PLMN", phone("447700900123")),
        ("+44 7700-900.123/type=plmn", phone("447700900123")),
        ("Bob <+447700900123>", phone("447700900123")),
        ("bob@Example.NET", mail("bob@example.net")),
        ("\"Bob, B.\" <Bob@example.net>", mail("Bob@example.net")),
        ("\"a b\"@example.net", mail("\"a b\"@example.net")),
        ("7777/TYPE=PLMN", Party::ShortCode("7777".to_owned())),
        ("PACKET", Party::ShortCode("PACKET".to_owned())),
        ("192.0.2.1/TYPE=IPv4", Party::Ip([192, 0, 2, 1].into())),
        ("2001:db8::1/TYPE=IPv6", Party::Ip("2001:db8::1".parse().expect("an address"))),
    ] {
        assert_eq!(Party::parse(text), Some(party.clone()), "{text}");
        assert_eq!(party.to_string().parse(), Ok(party), "{text}");
    }
    for text in [
        "",
        " ",
        "<>",
        "@",
        "a@",
        "@b",
        "a b@example.net",
        "a@b c",
        "a@b>",
        "+",
        "+123/TYPE=IPv4",
        "x/TYPE=IPv6",
        "!!",
        &format!("{}@example.net", "a".repeat(300)),
        &"9".repeat(40),
    ] {
        assert_eq!(Party::parse(text), None, "{text}");
    }
    assert_eq!(phone("447700900123").to_mms(), "+447700900123/TYPE=PLMN");
    assert_eq!(mail("bob@example.net").to_mms(), "bob@example.net");
}

#[test]
fn logs_hide_numbers_and_addresses() {
    for (text, shown) in [
        ("no route to +447700900123.", "no route to +447…23."),
        ("+44 7700 900123 is unknown", "+447…23 is unknown"),
        ("to=447700900123&x", "to=447…23&x"),
        ("to=%2B447700900123", "to=%2B447…23"),
        ("550 5.1.1 <bob@example.net> unknown", "550 5.1.1 <b…@example.net> unknown"),
        ("+447700900123@mms.example.net", "+…@mms.example.net"),
        ("+12345", "+1…5"),
        // What is no number stays as it is.
        (
            "2026-07-05T10:00:00.123456Z 10485760 octets, 5.1.1, 127.0.0.1:2525",
            "2026-07-05T10:00:00.123456Z 10485760 octets, 5.1.1, 127.0.0.1:2525",
        ),
        ("delivery 1N8ZK4T0QR2MA-1 of 01N8Z40123456", "delivery 1N8ZK4T0QR2MA-1 of 01N8Z40123456"),
        ("Sun, 05 Jul 2026 10:00:00 +0000", "Sun, 05 Jul 2026 10:00:00 +0000"),
        ("1 + 2 @ 3", "1 + 2 @ 3"),
        ("", ""),
    ] {
        assert_eq!(masked(text), shown);
    }
    let shown = |text: &str| Party::parse(text).expect("a party").masked();
    assert_eq!(shown("+447700900123"), "+447…23");
    assert_eq!(shown("+12345"), "+1…5");
    assert_eq!(shown("bob@example.net"), "b…@example.net");
    assert_eq!(shown("192.0.2.1/TYPE=IPv4"), "ip…");
}

#[test]
fn ids_grow_whatever_the_clock_does() {
    let ids = IdSource::after(Some(MessageId(5 << 20)));
    let given: Vec<MessageId> = [10, 10, 3, 10, 0, -7, 11].map(|now| ids.next(Timestamp(now))).to_vec();
    assert!(given.windows(2).all(|two| two[0] < two[1]), "{given:?}");
    assert_eq!((given[0].0 >> 20, given[6].0 >> 20), (10, 11));
    assert!(IdSource::after(None).next(Timestamp(1_780_000_000_000)).0 < 1 << 63, "fits a signed column");
}

#[test]
fn what_is_no_id_is_refused() {
    for text in ["", "1N8ZK4T0QR2M", "1N8ZK4T0QR2MAA", "1N8ZK4T0QR2MU", "ZZZZZZZZZZZZZ", "1N8ZK4T0QR2é"] {
        assert!(text.parse::<MessageId>().is_err(), "{text}");
    }
    for text in
        ["1N8ZK4T0QR2MA", "1N8ZK4T0QR2MA-", "1N8ZK4T0QR2MA-0", "1N8ZK4T0QR2MA--1", "-1", "1N8ZK4T0QR2MA-4294967296"]
    {
        assert!(text.parse::<DeliveryId>().is_err(), "{text}");
    }
    assert_eq!("1n8zk4t0qr2ma".parse::<MessageId>(), "1N8ZK4T0QR2MA".parse(), "read out over the phone");
}

#[test]
fn every_state_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<&str> = State::ALL.iter().map(|state| state.word()).collect();
    assert_eq!(words.len(), State::ALL.len());
    assert!(State::ALL.iter().all(|state| !(state.is_live() && state.is_done())));
}
