//! What holds for every push and all input.

use bytes::Bytes;
use packetboat_mime::MediaType;
use packetboat_push::{
    AnalyseError, ApplicationId, Field, FieldName, Push, PushFlag, analyse, fits_one_sms, from_user_data,
};
use packetboat_sms::{Ports, Reference, UserData, segment};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn applications() -> impl Strategy<Value = ApplicationId> {
    prop_oneof![any::<u64>().prop_map(ApplicationId::Number), "[ -~]{1,30}".prop_map(ApplicationId::Text)]
}

fn fields() -> impl Strategy<Value = Field> {
    let number = (2u8.., 0u8..128).prop_map(|(page, number)| FieldName::Number { page, number });
    let text = "[A-Za-z][A-Za-z-]{0,20}".prop_map(FieldName::Text);
    let value = prop_oneof![
        (0x80u8..).prop_map(|octet| vec![octet]),
        vec(any::<u8>(), 0..31).prop_map(|octets| [vec![octets.len() as u8], octets].concat()),
        "[ -~]{1,40}".prop_map(|text| [text.as_bytes(), &[0]].concat()),
    ];
    (prop_oneof![number, text], value).prop_map(|(name, value)| Field { name, value: value.into() })
}

prop_compose! {
    fn pushes()(
        transaction_id: u8,
        content_type in prop_oneof![Just("application/vnd.wap.mms-message"), Just("text/vnd.wap.si"), Just("x/y")],
        charset in option::of(Just("utf-8")),
        application_id in option::of(applications()),
        content_length: Option<u64>,
        flag in option::of((0u8..128).prop_map(PushFlag)),
        initiator in option::of("[!-~]{1,40}"),
        date: Option<u64>,
        others in vec(fields(), 0..8),
        payload in vec(any::<u8>(), 0..400),
    ) -> Push {
        let content_type = charset.map_or(MediaType::new(content_type), |set| MediaType::new(content_type).with("charset", set));
        let payload = Bytes::from(payload);
        Push { transaction_id, content_type, application_id, content_length, flag, initiator, date, others, payload }
    }
}

proptest! {
    #[test]
    fn a_push_written_is_the_push_read(push in pushes()) {
        prop_assert_eq!(Push::parse(&push.encode()), Ok(push));
    }

    #[test]
    fn short_messages_in_any_order_with_copies_give_the_push(
        push in pushes(),
        reference: u16,
        order in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let octets = push.encode();
        let segments = segment(&octets, Ports::WAP_PUSH, Reference::Sixteen(reference)).unwrap();
        prop_assert_eq!(segments.len() == 1, fits_one_sms(octets.len()));
        let messages: Vec<Bytes> = segments.iter().map(|data| data.encode().unwrap()).collect();
        let mut shuffled: Vec<Bytes> = order.iter().map(|at| at.get(&messages).clone()).collect();
        shuffled.extend(messages.clone());
        prop_assert_eq!(&from_user_data(&shuffled), &Ok(push.clone()));
        prop_assert_eq!(&analyse(&shuffled), &Ok(vec![push.clone()]));
        prop_assert_eq!(&analyse(&[octets]), &Ok(vec![push]));
        if messages.len() > 1 {
            let total = messages.len() as u8;
            prop_assert_eq!(from_user_data(&messages[1..]), Err(AnalyseError::Missing { total, missing: vec![1] }));
        }
    }

    #[test]
    fn reading_never_panics_and_names_an_octet(octets in vec(any::<u8>(), 0..200)) {
        let octets = Bytes::from(octets);
        match Push::parse(&octets) {
            Ok(push) => {
                prop_assert!(push.others.iter().all(|field| !field.name.to_text().is_empty()));
                let _: Vec<String> = push.others.iter().map(Field::to_text).collect();
                Push::parse(&push.encode()).unwrap();
            }
            Err(error) => prop_assert!(error.offset <= octets.len()),
        }
    }

    #[test]
    fn a_damaged_push_never_panics(push in pushes(), at: prop::sample::Index, octet: u8, end: prop::sample::Index) {
        let mut octets = push.encode().to_vec();
        let at = at.index(octets.len());
        octets[at] = octet;
        octets.truncate(end.index(octets.len()) + 1);
        let length = octets.len();
        if let Err(error) = Push::parse(&octets.into()) {
            prop_assert!(error.offset <= length);
        }
    }

    #[test]
    fn analysis_never_panics(inputs in vec(vec(any::<u8>(), 0..40), 0..6)) {
        let inputs: Vec<Bytes> = inputs.into_iter().map(Bytes::from).collect();
        let _ = (analyse(&inputs), from_user_data(&inputs));
    }
}

#[test]
fn the_header_of_an_mms_push() {
    let push = Push::mms(0x25, Bytes::from_static(b"\x8c\x82"));
    assert_eq!(push.encode(), &b"\x25\x06\x03\xbe\xaf\x84\x8c\x82"[..]);
    assert!(push.is_mms() && push.application_id.is_some_and(|id| id.is_mms()));
    assert!(fits_one_sms(133) && !fits_one_sms(134));
}

/// Every field that has a place of its own, in the octets of WAP-230-WSP 8.4.2, and some that have none.
#[test]
fn fields_are_written_and_read() {
    let mut push = Push::mms(1, Bytes::from_static(b"\x8c\x82"));
    push.application_id = Some(ApplicationId::Text("x-wap-application:mms.ua".to_owned()));
    push.content_length = Some(2);
    push.flag = Some(PushFlag(5));
    push.initiator = Some("http://mms.example/".to_owned());
    push.date = Some(1_760_000_000);
    push.others = vec![
        Field::text(FieldName::CONTENT_URI, "http://mms.example/m"),
        Field::date(FieldName::EXPIRES, 1_760_054_400),
        Field { name: FieldName::Number { page: 1, number: 0x33 }, value: Bytes::from_static(b"\x83") },
        Field::text(FieldName::Text("X-Other".to_owned()), "é"),
    ];
    let written = push.encode();
    let head = b"\xbe\xafx-wap-application:mms.ua\0\x8d\x82\xb4\x85\xb1http://mms.example/\0\x92\x04\x68\xe7\x78\x00\
        \xb0http://mms.example/m\0\x94\x04\x68\xe8\x4c\x80\xb3\x83X-Other\0\x7f\xc3\xa9\0";
    assert_eq!(written, [&[1, 6, head.len() as u8], &head[..], b"\x8c\x82"].concat());
    assert_eq!(Push::parse(&written).as_ref(), Ok(&push));
    assert!(push.application_id.as_ref().is_some_and(ApplicationId::is_mms));
    let flag = push.flag.expect("a flag");
    assert!(flag.initiator_authenticated() && !flag.content_trusted() && flag.last_message());
    let words: Vec<(String, String)> =
        push.others.iter().map(|field| (field.name.to_text(), field.to_text())).collect();
    let expected = [
        ("X-Wap-Content-URI", "http://mms.example/m"),
        ("Expires", "2025-10-10T00:00:00Z"),
        ("Bearer-Indication", "3"),
        ("X-Other", "é"),
    ];
    assert_eq!(words, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let version = Field { name: FieldName::Number { page: 1, number: 0x43 }, value: Bytes::from_static(b"\x93") };
    assert_eq!((version.name.to_text().as_str(), version.to_text().as_str()), ("Encoding-Version", "1.3"));
    let odd = Field { name: FieldName::Number { page: 2, number: 1 }, value: Bytes::from_static(b"\x02\x01") };
    assert_eq!((odd.name.to_text().as_str(), odd.to_text().as_str()), ("field 01 of page 02", "0201"));
}

#[test]
fn what_cannot_be_read_again_is_not_written() {
    let field = |name: &str, value: &'static [u8]| Field {
        name: FieldName::Text(name.into()),
        value: Bytes::from_static(value),
    };
    let mut push = Push::mms(1, Bytes::new());
    push.others =
        vec![field("", b"a\0"), field("\u{7f}", b"a\0"), field("X-Not-One", b"\x80\x80"), field("X-Kept", b"a\0")];
    assert_eq!(Push::parse(&push.encode()).unwrap().others, [field("X-Kept", b"a\0")]);
}

#[test]
fn what_is_wrong_with_the_input_is_said() {
    let said = |inputs: &[&[u8]]| {
        let inputs: Vec<Bytes> = inputs.iter().map(|octets| Bytes::copy_from_slice(octets)).collect();
        analyse(&inputs).unwrap_err().to_string()
    };
    assert_eq!(said(&[]), "nothing to read");
    assert_eq!(said(&[b""]), "nothing to read");
    assert_eq!(said(&[b"\x06\x05\x04\x23\xf4\x00\x00x"]), "message 1: port 9204 is not WAP push (2948)");
    assert_eq!(said(&[b"\x05\x00\x03\x01\x03\x02x"]), "of 3 segments, these are missing: [1, 3]");
    let many: Vec<UserData> = segment(&vec![0; 9000].into(), Ports::WAP_PUSH, Reference::Eight(0)).unwrap();
    let many: Vec<Bytes> = many.iter().map(|data| data.encode().unwrap()).cycle().take(513).collect();
    assert_eq!(analyse(&many).unwrap_err().to_string(), "513 short messages, at most 512 are read");
}
