//! Reports find what they are about.

use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_net::bearer::Ticket;
use packetboat_plugin_modem::limits::{AWAITED, EARLY};
use packetboat_plugin_modem::reports::Awaited;
use packetboat_sms::tpdu::{Address, ServiceTime, Status, StatusReport};

fn ticket(part: u8) -> Ticket {
    Ticket { delivery: DeliveryId { message: MessageId(7), index: 0 }, sending: "abc".into(), part, parts: 9 }
}

fn report(reference: u8, recipient: Address, status: u8) -> StatusReport {
    let time = ServiceTime::of_seconds(1_760_000_000).unwrap();
    StatusReport {
        more: false,
        loop_prevention: false,
        of_command: false,
        reference,
        recipient,
        sent: time,
        done: time,
        status: Status(status),
        has_header: false,
        optional: bytes::Bytes::new(),
    }
}

fn abroad(digits: &str) -> Address {
    Address::international(digits).unwrap()
}

#[test]
fn reference_and_number_must_both_fit() {
    let awaited = Awaited::default();
    assert!(awaited.sent(5, "358401234567", ticket(1)).is_empty());
    assert!(awaited.sent(5, "447700900123", ticket(2)).is_empty());
    assert_eq!(awaited.ticket(&report(6, abroad("358401234567"), 0)), None);
    assert_eq!(awaited.ticket(&report(5, abroad("358401234568"), 0)), None);
    // Still trying: the last word is to come. Written as at home, with and without its zero.
    let at_home = Address::unknown("0401234567").unwrap();
    assert_eq!(awaited.ticket(&report(5, at_home, 0x20)), Some(ticket(1)));
    assert_eq!(awaited.ticket(&report(5, abroad("358401234567"), 0)), Some(ticket(1)));
    assert_eq!(awaited.ticket(&report(5, abroad("358401234567"), 0)), None);
    assert_eq!(awaited.ticket(&report(5, Address::unknown("7700900123").unwrap(), 0x46)), Some(ticket(2)));
}

#[test]
fn the_newest_is_meant_and_reports_may_come_first() {
    let awaited = Awaited::default();
    awaited.sent(5, "358401234567", ticket(1));
    awaited.sent(5, "358401234567", ticket(2));
    assert_eq!(awaited.ticket(&report(5, abroad("358401234567"), 0)), Some(ticket(2)));
    assert_eq!(awaited.ticket(&report(5, abroad("358401234567"), 0)), Some(ticket(1)));
    let (trying, done) = (report(9, abroad("358401234567"), 0x21), report(9, abroad("358401234567"), 0));
    for early in [&trying, &done, &report(8, abroad("358401234567"), 0)] {
        assert_eq!(awaited.ticket(early), None);
    }
    assert_eq!(awaited.sent(9, "358401234567", ticket(3)), [trying, done.clone()]);
    assert_eq!(awaited.ticket(&done), Some(ticket(3)));
}

#[test]
fn what_is_kept_is_bounded() {
    let awaited = Awaited::default();
    for number in 0..=AWAITED {
        awaited.sent(1, &format!("3584{number:08}"), ticket(1));
    }
    assert_eq!(awaited.ticket(&report(1, abroad("358400000000"), 0)), None, "the oldest is forgotten");
    assert_eq!(awaited.ticket(&report(1, abroad("358400000001"), 0)), Some(ticket(1)));
    for reference in 0..=EARLY as u8 {
        awaited.ticket(&report(reference, abroad("447700900123"), 0));
    }
    assert!(awaited.sent(0, "447700900123", ticket(1)).is_empty());
    assert_eq!(awaited.sent(1, "447700900123", ticket(1)).len(), 1);
}
