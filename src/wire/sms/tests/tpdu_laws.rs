//! What holds for every TPDU: what is written reads the same, and no octets make a reader panic.

use bytes::Bytes;
use packetboat_sms::tpdu::{
    Address, DataCoding, Deliver, ServiceTime, Status, StatusReport, Submit, SubmitReport, Validity, pack, unpack,
};
use packetboat_sms::tpdu::{Coding, read_service_centre};
use packetboat_sms::{Element, Udh, UserData};
use proptest::collection::vec;
use proptest::prelude::*;

fn addresses() -> impl Strategy<Value = Address> {
    prop_oneof![
        "[0-9]{0,20}".prop_map(|digits| Address::international(&digits).unwrap()),
        "[0-9*#abc]{0,20}".prop_map(|digits| Address::unknown(&digits).unwrap()),
        "[A-Za-z0-9@ åÄ]{0,11}".prop_map(|name| Address::name(&name).unwrap()),
    ]
}

fn times() -> impl Strategy<Value = ServiceTime> {
    any::<[u8; 7]>().prop_map(ServiceTime)
}

fn validities() -> impl Strategy<Value = Validity> {
    prop_oneof![
        Just(Validity::Unsaid),
        any::<u8>().prop_map(Validity::Relative),
        times().prop_map(Validity::Absolute),
        any::<[u8; 7]>().prop_map(Validity::Enhanced),
    ]
}

/// User data that fits one short message of any coding.
fn user_data() -> impl Strategy<Value = (DataCoding, UserData)> {
    let header = proptest::option::of((any::<u8>(), vec(any::<u8>(), 0..20)));
    (any::<u8>(), header, vec(any::<u8>(), 0..117)).prop_map(|(coding, header, mut payload)| {
        let coding = DataCoding(coding);
        if coding.coding() == Coding::Septets {
            payload.iter_mut().for_each(|octet| *octet &= 0x7F);
        }
        let element = |(id, data): (u8, Vec<u8>)| Udh::new(vec![Element::new(id, data.into()).unwrap()]).unwrap();
        (coding, UserData { header: header.map(element), payload: payload.into() })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_reads_the_same(
        flags in any::<[bool; 3]>(),
        reference in any::<u8>(),
        destination in addresses(),
        protocol in any::<u8>(),
        validity in validities(),
        (coding, user_data) in user_data(),
    ) {
        let [reject_duplicates, status_report, reply_path] = flags;
        let submit = Submit {
            reject_duplicates, status_report, reply_path, reference, destination, protocol, coding, validity, user_data,
        };
        prop_assert_eq!(Submit::parse(&submit.encode().unwrap()), Ok(submit));
    }

    #[test]
    fn what_arrives_reads_the_same(
        flags in any::<[bool; 4]>(),
        originator in addresses(),
        protocol in any::<u8>(),
        time in times(),
        (coding, user_data) in user_data(),
        padding in vec(any::<u8>(), 0..4),
    ) {
        let [more, loop_prevention, status_report, reply_path] = flags;
        let deliver = Deliver {
            more, loop_prevention, status_report, reply_path, originator, protocol, coding, time, user_data,
        };
        let octets = [&deliver.encode().unwrap()[..], &padding].concat();
        prop_assert_eq!(Deliver::parse(&octets.into()), Ok(deliver));
    }

    #[test]
    fn reports_read_the_same(
        flags in any::<[bool; 4]>(),
        numbers in any::<[u8; 2]>(),
        recipient in addresses(),
        sent in times(),
        done in times(),
        optional in vec(any::<u8>(), 0..20),
    ) {
        let [more, loop_prevention, of_command, has_header] = flags;
        let report = StatusReport {
            more, loop_prevention, of_command, has_header, recipient, sent, done,
            reference: numbers[0],
            status: Status(numbers[1]),
            optional: optional.into(),
        };
        prop_assert_eq!(StatusReport::parse(&report.encode()), Ok(report.clone()));
        prop_assert!(!report.status.to_string().is_empty());
    }

    #[test]
    fn no_octets_make_a_reader_panic(octets in vec(any::<u8>(), 0..340), refused: bool) {
        let octets = Bytes::from(octets);
        let inside = |offset: Option<usize>| offset.is_some_and(|offset| offset <= octets.len());
        match Submit::parse(&octets) {
            // Nobody writes more than one short message holds, whatever was read.
            Ok(submit) => if let Ok(again) = submit.encode() { prop_assert_eq!(Submit::parse(&again), Ok(submit)) },
            Err(error) => prop_assert!(inside(error.offset())),
        }
        match Deliver::parse(&octets) {
            Ok(deliver) => if let Ok(again) = deliver.encode() { prop_assert_eq!(Deliver::parse(&again), Ok(deliver)) },
            Err(error) => prop_assert!(inside(error.offset())),
        }
        match StatusReport::parse(&octets) {
            Ok(report) => {
                let _ = (report.sent.seconds(), report.done.to_string());
                prop_assert_eq!(StatusReport::parse(&report.encode()), Ok(report));
            }
            Err(error) => prop_assert!(inside(error.offset())),
        }
        if let Err(error) = SubmitReport::parse(&octets, refused) {
            prop_assert!(inside(error.offset()));
        }
        let _ = read_service_centre(&octets);
    }

    #[test]
    fn septets_are_packed_and_unpacked(septets in vec(0u8..128, 0..200), fill in 0usize..7) {
        let octets = pack(&septets, fill);
        prop_assert_eq!(octets.len(), (fill + septets.len() * 7).div_ceil(8));
        prop_assert_eq!(unpack(&octets, fill, septets.len()), septets);
    }

    #[test]
    fn moments_read_the_same(seconds in 946_684_800i64..4_102_444_800) {
        prop_assert_eq!(ServiceTime::of_seconds(seconds).unwrap().seconds(), Some(seconds));
    }
}
