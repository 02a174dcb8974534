//! The generator makes what it says it makes.

use packetboat_mms::decode;

use crate::load::content::{Delivery, Mails, SendReq, confirmation, is_confirmed};
use crate::measure::median;

#[test]
fn mails_have_their_size_and_no_line_begins_with_a_dot() {
    for size in [3_000, 30_000, 100_000, 300_000] {
        let mails = Mails::new(size, "test", Delivery::Tomorrow);
        for number in [0, 1, 999_999_999] {
            let mail = mails.whole(number);
            assert!(mail.len() <= size && mail.len() + 100 > size, "{} octets instead of {size}", mail.len());
            assert!(mail.ends_with(b"\r\n") && !mail.windows(3).any(|three| three == b"\r\n."));
        }
        assert_ne!(mails.head(1), mails.head(2));
        assert!(mails.decoded() < size);
    }
}

#[test]
fn pdus_have_their_size_and_each_its_own_transaction_id() {
    let pdus = SendReq::new(100_000, "r1", "+447710000000", Delivery::Now).expect("a PDU");
    assert_eq!(pdus.len(), 100_000);
    let id = |number| {
        let (head, rest) = pdus.pieces(number);
        let pdu = decode(&[&head[..], &rest].concat().into()).expect("a PDU");
        pdu.transaction_id().map(str::to_owned)
    };
    assert_eq!(id(0), Some("r1000000000000000000".to_owned()));
    assert_eq!(id(12_345), Some("r1000000000000012345".to_owned()));
}

#[test]
fn a_confirmation_is_told_from_a_refusal() {
    assert!(is_confirmed(&confirmation()));
    assert!(!is_confirmed(b"\x8C\x81\x98r\0\x8D\x92\x92\x81"));
    assert!(!is_confirmed(b"It did not work."));
}

#[test]
fn medians() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    assert!(median(&[]).is_nan());
}
