//! TPDUs, byte for byte: worked examples, and what the specification draws.

use std::time::Duration;

use bytes::Bytes;
use packetboat_sms::tpdu::{
    Address, Class, Coding, DataCoding, Deliver, DeliverReport, ServiceTime, Status, StatusReport, Submit,
    SubmitReport, TpduError, Validity, pack, read_service_centre, unpack,
};
use packetboat_sms::{Concatenation, Ports, Reference, Udh, UserData, from_septets, segment_text, to_septets};

/// A WSP push with an m-notification-ind of 74 octets.
const PUSH: &str = "250603beaf848c82986e39008d928915802b31353535303130312f545950453d504c4d4e009604ea4869008a\
                    808e0204d28805810301518083687474703a2f2f6d6d73632f6d2f6e3900";

fn octets(digits: &str) -> Bytes {
    let digits: String = digits.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn push() -> UserData {
    UserData { header: Udh::new(vec![Ports::WAP_PUSH.into()]).ok(), payload: octets(PUSH) }
}

fn text(words: &str) -> UserData {
    UserData { header: None, payload: to_septets(words).unwrap().into() }
}

fn submit(coding: DataCoding, user_data: UserData) -> Submit {
    Submit {
        reject_duplicates: false,
        status_report: false,
        reply_path: false,
        reference: 0,
        destination: Address::international("15550101").unwrap(),
        protocol: 0,
        coding,
        validity: Validity::Relative(0xA7),
        user_data,
    }
}

#[test]
fn a_push_to_be_sent() {
    let wanted = octets(&format!("510008915155101000F5A7510605040B8423F0{PUSH}"));
    let made = submit(DataCoding(0xF5), push());
    assert_eq!(made.encode().unwrap(), wanted);
    assert_eq!((wanted.len(), Submit::parse(&wanted)), (93, Ok(made)));
    assert_eq!(DataCoding(0xF5).class(), Some(1));
    assert_eq!(Validity::Relative(0xA7).span(), Some(Duration::from_secs(24 * 3600)));
}

#[test]
fn a_push_that_arrived() {
    let wanted = octets(&format!("440891515510000004 52019080350200 51 0605040b8423f0{PUSH}"));
    let read = Deliver::parse(&wanted).unwrap();
    assert_eq!(read.user_data, push());
    assert_eq!(
        (read.originator.to_string(), read.more, read.coding.coding()),
        ("+15550100".into(), false, Coding::Octets)
    );
    // Verified with `date -u -d @1760000000`: the digits 25-10-09 08:53:20 +00.
    assert_eq!(read.time.to_string(), "2025-10-09 08:53:20 +00:00");
    assert_eq!(read.time.seconds(), Some(1_760_000_000));
    assert_eq!(ServiceTime::of_seconds(1_760_000_000), Some(read.time));
    assert_eq!(read.encode().unwrap(), wanted);
}

#[test]
fn texts_are_packed() {
    // The example of many manuals: "hellohello" in septets.
    assert_eq!(pack(&to_septets("hellohello").unwrap(), 0), octets("E8329BFD4697D9EC37")[..]);
    assert_eq!(from_septets(&unpack(&octets("E8329BFD4697D9EC37"), 0, 10)), "hellohello");
    let made = submit(DataCoding::TEXT, text("hellohello")).encode().unwrap();
    assert_eq!(made, octets("11000891515510100000A70A E8329BFD4697D9EC37"));
    // Behind a header of six octets one bit of fill brings the text to a septet's beginning: 7 + 10 septets, 15 octets.
    let part = Concatenation::new(Reference::Eight(1), 2, 1).unwrap();
    let data = UserData { header: Udh::new(vec![part.into()]).ok(), ..text("hellohello") };
    let made = submit(DataCoding::TEXT, data.clone()).encode().unwrap();
    assert_eq!(made[11..], octets("11 050003010201 D06536FB8D2EB3D96F")[..]);
    assert_eq!(Submit::parse(&made).unwrap().user_data, data);
}

#[test]
fn long_texts_fill_their_messages() {
    for (words, coding) in [("é".repeat(400), DataCoding::TEXT), ("я".repeat(200), DataCoding::UCS2)] {
        let segments = segment_text(&words, Reference::Eight(7)).unwrap();
        let mut back = String::new();
        for segment in &segments {
            let data = UserData { header: segment.header.clone(), payload: segment.units().into() };
            let made = submit(coding, data.clone()).encode().unwrap();
            assert!(made.len() <= 13 + 140);
            let read = Submit::parse(&made).unwrap().user_data;
            assert_eq!(read, data);
            back += &match coding.coding() {
                Coding::Ucs2 => packetboat_sms::from_ucs2(&read.payload),
                _ => from_septets(&read.payload),
            };
        }
        assert_eq!(back, words);
    }
    let error = submit(DataCoding::TEXT, text(&"a".repeat(161))).encode().unwrap_err();
    assert_eq!(error.to_string(), "user data: offset 160: user data of 161 octets, 160 are the maximum");
    assert!(submit(DataCoding::BINARY, UserData { header: None, payload: vec![0; 141].into() }).encode().is_err());
}

#[test]
fn addresses_of_every_kind() {
    let encoded = |address: Address| {
        let made = Submit { destination: address, ..submit(DataCoding::TEXT, text("")) }.encode().unwrap();
        made[2..made.len() - 4].to_vec()
    };
    assert_eq!(encoded(Address::international("358401234567").unwrap()), octets("0C91534810325476")[..]);
    assert_eq!(encoded(Address::unknown("100*#").unwrap()), octets("0581 01A0FB")[..]);
    // "Design@Home" of TS 23.040 9.1.2.5 has eleven letters, 20 semi-octets.
    let name = Address::name("Design@Home").unwrap();
    let octets = encoded(name.clone());
    assert_eq!((octets[0], octets[1], octets.len()), (20, 0xD0, 12));
    let made = Submit { destination: name.clone(), ..submit(DataCoding::TEXT, text("x")) }.encode().unwrap();
    assert_eq!(Submit::parse(&made).unwrap().destination, name);
    assert_eq!(
        Address::name("twelve chars").unwrap_err().to_string(),
        "an address of 21 semi-octets, 20 are the maximum"
    );
    assert_eq!(Address::international("+4477"), Err(TpduError::AddressCharacter { character: '+' }));
    assert!(Address::international("123456789012345678901").is_err());
}

#[test]
fn the_centre_before_the_tpdu() {
    let (none, tpdu) = read_service_centre(&octets("000605")).unwrap();
    assert_eq!((none, tpdu), (None, octets("0605")));
    let (centre, tpdu) = read_service_centre(&octets("0791448720003023 0605")).unwrap();
    assert_eq!(centre.map(|centre| centre.to_string()), Some("+447802000332".to_owned()));
    assert_eq!(tpdu, octets("0605"));
    let centre = Address::international("447802000332").unwrap();
    assert_eq!(centre.encode_service_centre(), octets("0791448720003023")[..]);
    assert!(read_service_centre(&octets("0791")).is_err());
    assert!(read_service_centre(&Bytes::new()).is_err());
}

#[test]
fn status_reports() {
    let wanted = octets("06 2A 0C91534810325476 52019080350200 52019080550200 00");
    let report = StatusReport::parse(&wanted).unwrap();
    assert_eq!((report.reference, report.recipient.to_string()), (42, "+358401234567".to_owned()));
    assert_eq!((report.status.class(), report.more), (Class::Delivered, false));
    assert_eq!(report.encode(), wanted);
    let classes = [0x00, 0x01, 0x1F, 0x20, 0x3F, 0x40, 0x46, 0x60, 0x7F, 0xFF].map(|octet| Status(octet).class());
    use Class::{Delivered, Failed, Trying, Unconfirmed};
    assert_eq!(classes, [Delivered, Unconfirmed, Unconfirmed, Trying, Trying, Failed, Failed, Failed, Failed, Failed]);
    assert_eq!(Status(0x46).to_string(), "validity period expired (status 46)");
    let with_more =
        StatusReport::parse(&octets("06 2A 0C91534810325476 52019080350200 52019080550200 46 0100")).unwrap();
    assert_eq!(with_more.optional, octets("0100"));
}

#[test]
fn reports_of_both_ways() {
    let taken = SubmitReport::parse(&octets("01 00 52019080350200"), false).unwrap();
    assert_eq!((taken.failure, taken.time.seconds()), (None, Some(1_760_000_000)));
    let refused = SubmitReport::parse(&octets("01 C5 00 52019080350200"), true).unwrap();
    assert_eq!(refused.failure, Some(0xC5));
    assert_eq!(DeliverReport::TRY_LATER.encode(), octets("00D300"));
    assert_eq!(DeliverReport { failure: None }.encode(), octets("0000"));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let whole = octets(&format!("510008915155101000F5A7510605040B8423F0{PUSH}"));
    let error = |octets: &Bytes| Submit::parse(octets).unwrap_err().to_string();
    assert_eq!(error(&Bytes::new()), "offset 0: the TPDU ends inside TP-MTI: 1 octets wanted, 0 are there");
    assert_eq!(error(&whole.slice(..5)), "offset 4: the TPDU ends inside TP-DA: 4 octets wanted, 1 are there");
    assert_eq!(error(&whole.slice(..90)), "offset 12: the TPDU ends inside TP-UD: 81 octets wanted, 78 are there");
    assert_eq!(error(&octets("04")), "offset 0: message type 0, SMS-SUBMIT is 1");
    assert_eq!(error(&octets("010015")), "offset 2: an address of 21 semi-octets, 20 are the maximum");
    assert_eq!(error(&vec![1; 400].into()), "offset 320: a TPDU of 400 octets, 320 are the maximum");
    let header = "user data at offset 6: offset 0: the user data header claims 9 octets, 1 follow";
    assert_eq!(error(&octets("4100008100 04 02 0900")), header.replace("offset 6", "offset 7"));
    // A header of three octets takes four septets.
    assert_eq!(
        error(&octets("4100008100 00 03 027000")),
        "offset 6: a user data header of 4 septets in user data of 3"
    );
    assert_eq!(
        error(&octets("4100008100 00 00")),
        "user data at offset 7: offset 0: a user data header was announced but the user data is empty"
    );
}

#[test]
fn codings_by_octet() {
    use Coding::{Octets, Septets, Ucs2};
    let wanted = [
        (0x00, Septets),
        (0x04, Octets),
        (0x08, Ucs2),
        (0x0C, Septets),
        (0x10, Septets),
        (0x15, Octets),
        (0x1A, Ucs2),
        (0x20, Octets),
        (0x44, Octets),
        (0x80, Septets),
        (0xC8, Septets),
        (0xD0, Septets),
        (0xE0, Ucs2),
        (0xF0, Septets),
        (0xF5, Octets),
        (0xF6, Octets),
    ];
    for (octet, coding) in wanted {
        assert_eq!(DataCoding(octet).coding(), coding, "{octet:02X}");
    }
    assert_eq!([0x00, 0x10, 0x12, 0xF6].map(|octet| DataCoding(octet).class()), [None, Some(0), Some(2), Some(2)]);
}

#[test]
fn validities() {
    let code = |seconds| Validity::at_least(Duration::from_secs(seconds));
    let hour = 3600;
    let wanted = [
        (0, 0),
        (300, 0),
        (301, 1),
        (12 * hour, 143),
        (12 * hour + 1, 144),
        (24 * hour, 167),
        (24 * hour + 1, 168),
        (30 * 24 * hour, 196),
        (30 * 24 * hour + 1, 197),
        (63 * 7 * 24 * hour, 255),
        (u64::MAX, 255),
    ];
    for (seconds, octet) in wanted {
        assert_eq!(code(seconds), Validity::Relative(octet), "{seconds}");
    }
    for octet in 0..=255 {
        let validity = Validity::Relative(octet);
        assert_eq!(Validity::at_least(validity.span().unwrap()), validity);
    }
}

#[test]
fn dates_that_are_none() {
    let seconds = |digits: &str| ServiceTime(std::array::from_fn(|at| octets(digits)[at])).seconds();
    assert_eq!(seconds("52019080350200"), Some(1_760_000_000));
    // The same moment, eight quarters east and west of Greenwich.
    assert_eq!(seconds("52019001350280"), Some(1_760_000_000));
    assert_eq!(seconds("520190603502A2"), None, "a digit of ten");
    assert_eq!(seconds("52019060350288"), Some(1_760_000_000));
    for none in ["52319080350200", "52209280350200", "52019042350200", "FFFFFFFFFFFFFF", "52010080350200"] {
        assert_eq!(seconds(none), None, "{none}");
    }
    assert_eq!(ServiceTime::of_seconds(-1), None);
    assert_eq!(ServiceTime::of_seconds(4_102_444_800), None, "the year 2100");
}
