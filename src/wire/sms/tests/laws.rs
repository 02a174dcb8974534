//! What holds for every payload and all input: cutting and joining are inverse in any order with copies, reading never
//! panics, and what was read is written back as the same octets.

use std::time::Duration;

use bytes::Bytes;
use packetboat_sms::limits::{MAX_SEGMENTS, MAX_USER_DATA};
use packetboat_sms::{Accepted, Concatenation, Element, Ports, Reassembler, Reference, Udh, UserData, segment};
use proptest::collection::vec;
use proptest::prelude::*;

fn references() -> impl Strategy<Value = Reference> {
    prop_oneof![any::<u8>().prop_map(Reference::Eight), any::<u16>().prop_map(Reference::Sixteen)]
}

proptest! {
    #[test]
    fn segments_in_any_order_with_copies_give_the_payload(
        payload in vec(any::<u8>(), 0..4000),
        destination in any::<u16>(),
        originator in any::<u16>(),
        reference in references(),
        order in vec(any::<prop::sample::Index>(), 0..80),
    ) {
        let payload = Bytes::from(payload);
        let ports = Ports { destination, originator };
        let segments = segment(&payload, ports, reference).unwrap();
        prop_assert_eq!(segments.len(), reference.width().segments_needed(payload.len()));
        // A random walk with repetitions, then all of them, so that each comes at least once.
        let walk = order.iter().map(|index| index.index(segments.len())).chain(0..segments.len());
        let mut sets = Reassembler::new(1, Duration::from_secs(60));
        let mut whole = None;
        for index in walk {
            let octets = segments[index].encode().unwrap();
            prop_assert!(octets.len() <= MAX_USER_DATA);
            let read = UserData::parse(&octets, true).unwrap();
            prop_assert_eq!(&read, &segments[index]);
            if let Accepted::Whole(message) = sets.accept("A", read, Duration::ZERO).unwrap() {
                whole = Some(message);
                break;
            }
        }
        let whole = whole.expect("every segment came");
        prop_assert_eq!(whole.ports, Some(ports));
        prop_assert_eq!(whole.payload, payload);
        prop_assert_eq!(sets.open_sets(), 0);
        prop_assert_eq!(sets.next_expiry(), None);
    }

    #[test]
    fn reading_never_panics_and_writing_gives_the_same_octets(octets in vec(any::<u8>(), 0..300), has_header: bool) {
        let octets = Bytes::from(octets);
        match UserData::parse(&octets, has_header) {
            Ok(data) => {
                let _ = (data.ports(), data.concatenation());
                match data.encode() {
                    Ok(again) => prop_assert_eq!(again, octets),
                    Err(_) => prop_assert!(octets.len() > MAX_USER_DATA),
                }
            }
            Err(error) => prop_assert!(error.offset().is_some_and(|offset| offset <= octets.len())),
        }
    }

    #[test]
    fn elements_come_back_in_any_order(
        reference in references(),
        total in 1u8..,
        destination in any::<u16>(),
        unknown in vec(any::<u8>(), 0..9),
        order in Just([0usize, 1, 2]).prop_shuffle(),
        payload in vec(any::<u8>(), 0..100),
    ) {
        let ports = Ports { destination, originator: 9200 };
        let part = Concatenation::new(reference, total, total).unwrap();
        let all = [ports.into(), part.into(), Element::new(0x24, unknown.into()).unwrap()];
        let header = Udh::new(order.iter().map(|at| all[*at].clone()).collect()).unwrap();
        let data = UserData { header: Some(header), payload: payload.into() };
        let read = UserData::parse(&data.encode().unwrap(), true).unwrap();
        prop_assert_eq!(read.ports(), Some(ports));
        prop_assert_eq!(read.concatenation(), Some(part));
        prop_assert_eq!(read, data);
    }

    #[test]
    fn a_reassembler_stays_within_its_bounds(
        arrivals in vec((0u8..4, 0u8..4, 0u8..5, 0u8..5, vec(any::<u8>(), 0..3), 0u64..3), 0..200),
    ) {
        let (mut sets, mut now) = (Reassembler::new(3, Duration::from_secs(5)), Duration::ZERO);
        for (originator, reference, total, sequence, payload, passed) in arrivals {
            now += Duration::from_secs(passed);
            let element = Element::new(0, vec![reference, total, sequence].into()).unwrap();
            let data = UserData { header: Udh::new(vec![element]).ok(), payload: payload.into() };
            let _ = sets.accept(originator, data, now);
            prop_assert!(sets.open_sets() <= 3);
            prop_assert!(sets.next_expiry().is_none_or(|at| at > now && at <= now + Duration::from_secs(5)));
        }
        sets.expire(now + Duration::from_secs(5));
        prop_assert_eq!(sets.open_sets(), 0);
    }
}

#[test]
fn limits_of_segmentation() {
    let lengths = |length, reference| -> Vec<usize> {
        let segments = segment(&Bytes::from(vec![7; length]), Ports::WAP_PUSH, reference).unwrap();
        segments.iter().map(|data| data.encode().unwrap().len()).collect()
    };
    assert_eq!(lengths(133, Reference::Eight(1)), [140]);
    assert_eq!(lengths(134, Reference::Eight(1)), [140, 12 + 6]);
    assert_eq!(lengths(256, Reference::Eight(1)), [140, 140]);
    assert_eq!(lengths(256, Reference::Sixteen(1)), [140, 140, 13 + 2]);
    let longest = MAX_SEGMENTS * 128;
    assert_eq!(lengths(longest, Reference::Eight(1)).len(), MAX_SEGMENTS);
    let error = segment(&Bytes::from(vec![7; longest + 1]), Ports::WAP_PUSH, Reference::Eight(1)).unwrap_err();
    assert_eq!(error.to_string(), "a payload of 32641 octets does not fit 255 short messages");
}
