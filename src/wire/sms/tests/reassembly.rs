//! Sets that contradict, age and crowd.

use std::time::Duration;

use bytes::Bytes;
use packetboat_sms::{
    Accepted, Concatenation, Element, Incomplete, Ports, ReassembleError, Reassembler, Reference, Udh, UserData,
};

const AT: fn(u64) -> Duration = Duration::from_secs;

fn part(reference: u8, total: u8, sequence: u8, payload: &'static str) -> UserData {
    let concatenation = Concatenation::new(Reference::Eight(reference), total, sequence).unwrap();
    let header = Udh::new(vec![Ports::WAP_PUSH.into(), concatenation.into()]).unwrap();
    UserData { header: Some(header), payload: Bytes::from_static(payload.as_bytes()) }
}

fn whole(accepted: Accepted) -> Bytes {
    match accepted {
        Accepted::Whole(message) => message.payload,
        other => panic!("not whole: {other:?}"),
    }
}

#[test]
fn last_first_with_a_copy() {
    let mut sets = Reassembler::new(8, AT(60));
    assert_eq!(sets.accept("A", part(1, 3, 3, "c"), AT(0)), Ok(Accepted::Waiting { missing: 2 }));
    assert_eq!(sets.accept("A", part(1, 3, 1, "a"), AT(1)), Ok(Accepted::Waiting { missing: 1 }));
    assert_eq!(sets.accept("A", part(1, 3, 3, "c"), AT(1)), Ok(Accepted::Duplicate));
    assert_eq!(whole(sets.accept("A", part(1, 3, 2, "b"), AT(2)).unwrap()), "abc");
    assert_eq!(sets.open_sets(), 0);
}

#[test]
fn originator_reference_and_ports_tell_sets_apart() {
    let mut sets = Reassembler::new(8, AT(60));
    let other_ports = |sequence, payload| {
        let concatenation = Concatenation::new(Reference::Eight(1), 2, sequence).unwrap();
        UserData { header: Udh::new(vec![concatenation.into()]).ok(), payload: Bytes::from_static(payload) }
    };
    sets.accept("A", part(1, 2, 1, "a"), AT(0)).unwrap();
    sets.accept("B", part(1, 2, 1, "b"), AT(0)).unwrap();
    sets.accept("A", part(2, 2, 1, "c"), AT(0)).unwrap();
    sets.accept("A", other_ports(1, b"d"), AT(0)).unwrap();
    assert_eq!(sets.open_sets(), 4);
    assert_eq!(whole(sets.accept("A", part(1, 2, 2, "1"), AT(0)).unwrap()), "a1");
    assert_eq!(whole(sets.accept("B", part(1, 2, 2, "2"), AT(0)).unwrap()), "b2");
    assert_eq!(whole(sets.accept("A", part(2, 2, 2, "3"), AT(0)).unwrap()), "c3");
    assert_eq!(whole(sets.accept("A", other_ports(2, b"4"), AT(0)).unwrap()), "d4");
}

#[test]
fn contradictions_are_refused_and_change_nothing() {
    let mut sets = Reassembler::new(8, AT(60));
    sets.accept("A", part(1, 2, 1, "a"), AT(0)).unwrap();
    let total = ReassembleError::ConflictingTotal { sequence: 3, claimed: 3, open: 2 };
    assert_eq!(sets.accept("A", part(1, 3, 3, "z"), AT(0)), Err(total));
    let content = ReassembleError::ConflictingContent { sequence: 1, total: 2 };
    assert_eq!(sets.accept("A", part(1, 2, 1, "z"), AT(0)), Err(content));
    assert_eq!(whole(sets.accept("A", part(1, 2, 2, "b"), AT(0)).unwrap()), "ab");
}

#[test]
fn old_sets_are_forgotten_oldest_first() {
    let mut sets = Reassembler::new(8, AT(60));
    sets.accept("A", part(9, 3, 2, "x"), AT(0)).unwrap();
    sets.accept("B", part(1, 2, 1, "y"), AT(30)).unwrap();
    assert_eq!(sets.next_expiry(), Some(AT(60)));
    assert!(sets.expire(AT(59)).is_empty());
    let gone = Incomplete { originator: "A", reference: Reference::Eight(9), total: 3, missing: vec![1, 3] };
    assert_eq!(sets.expire(AT(60)), [gone]);
    // The reference is free again, even for another total.
    assert_eq!(sets.accept("A", part(9, 2, 1, "n"), AT(61)), Ok(Accepted::Waiting { missing: 1 }));
    assert_eq!(sets.next_expiry(), Some(AT(90)));
}

#[test]
fn a_full_reassembler_still_finishes_what_is_open() {
    let mut sets = Reassembler::new(1, AT(60));
    sets.accept("A", part(1, 2, 1, "a"), AT(0)).unwrap();
    assert_eq!(sets.accept("B", part(1, 2, 1, "b"), AT(0)), Err(ReassembleError::TooManyOpen { max: 1 }));
    assert_eq!(whole(sets.accept("A", part(1, 2, 2, "c"), AT(0)).unwrap()), "ac");
    assert!(sets.accept("B", part(1, 2, 1, "b"), AT(0)).is_ok());
}

#[test]
fn a_segment_of_one_and_a_message_without_concatenation_are_whole_at_once() {
    let mut sets = Reassembler::new(0, AT(60));
    assert_eq!(whole(sets.accept("A", part(1, 1, 1, "all"), AT(0)).unwrap()), "all");
    let plain = UserData { header: None, payload: Bytes::from_static(b"plain") };
    assert_eq!(whole(sets.accept("A", plain, AT(0)).unwrap()), "plain");
}

#[test]
fn a_segment_longer_than_a_short_message_is_refused() {
    let mut sets = Reassembler::new(1, AT(60));
    let long = UserData { payload: vec![0; 256].into(), ..part(1, 2, 1, "") };
    assert_eq!(sets.accept("A", long, AT(0)), Err(ReassembleError::TooLong { length: 256, max: 255 }));
    assert_eq!(sets.open_sets(), 0);
    let element = Element::new(1, vec![0; 256].into());
    assert!(element.is_err());
    assert!(Udh::new(vec![Element::new(1, vec![0; 254].into()).unwrap()]).is_err());
}
