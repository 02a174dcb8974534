//! What holds for every PDU and all input.

mod common;

use bytes::Bytes;
use packetboat_mime::{Disposition, Entity, MediaType};
use packetboat_mms::codes::{FlagOperation, MboxUnit};
use packetboat_mms::tables::{FIELDS, Kind, PDUS};
use packetboat_mms::{Chunk, Field, FromValue, Header, Pdu, PduType, TimeValue, Value, Version, decode, mail};
use packetboat_wsp::tables as wsp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Text without NUL, which no text of WSP can hold.
const TEXT: &str = "[^\0]{0,40}";
/// Text that is not quoted already.
const UNQUOTED: &str = "([^\0\"][^\0]{0,20})?";

fn values(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Attribute => select(FIELDS).prop_map(|row| Value::Attribute(row.field)).boxed(),
        Kind::Code(_) => (0x80u8..).prop_map(Value::Code).boxed(),
        Kind::Date | Kind::Integer | Kind::Long => any::<u64>().prop_map(Value::Number).boxed(),
        Kind::Element => {
            (TEXT, vec(("[a-z]{1,3}", UNQUOTED), 0..3)).prop_map(|(text, list)| Value::Element(text, list)).boxed()
        }
        Kind::Encoded | Kind::Text => TEXT.prop_map(Value::Text).boxed(),
        Kind::Flags => {
            let operation = (0x80u8..).prop_map(FlagOperation::from_octet);
            (operation, TEXT).prop_map(|(operation, keyword)| Value::Flags(operation, keyword)).boxed()
        }
        Kind::From => {
            prop_oneof![Just(FromValue::InsertAddress), TEXT.prop_map(FromValue::Address)].prop_map(Value::From).boxed()
        }
        Kind::PreviouslySentBy => (any::<u64>(), TEXT).prop_map(|(n, text)| Value::PreviouslySentBy(n, text)).boxed(),
        Kind::PreviouslySentDate => {
            any::<(u64, u64)>().prop_map(|(n, date)| Value::PreviouslySentDate(n, date)).boxed()
        }
        Kind::Time => {
            prop_oneof![any::<u64>().prop_map(TimeValue::Absolute), any::<u64>().prop_map(TimeValue::Relative),]
                .prop_map(Value::Time)
                .boxed()
        }
        Kind::Totals => (0x80u8.., any::<u64>()).prop_map(|(u, n)| Value::Totals(MboxUnit::from_octet(u), n)).boxed(),
        Kind::Version => (0u8..8, 0u8..16).prop_map(|(major, minor)| Value::Version(Version { major, minor })).boxed(),
        Kind::Content | Kind::Name | Kind::Type => Just(Value::Raw(Bytes::from_static(&[0x80]))).boxed(),
    }
}

fn assigned() -> impl Strategy<Value = Header> {
    let rows: Vec<_> = FIELDS.iter().filter(|row| !matches!(row.kind, Kind::Content | Kind::Type)).cloned().collect();
    select(rows).prop_flat_map(|row| values(row.kind).prop_map(move |value| Header { field: row.field.clone(), value }))
}

fn headers() -> impl Strategy<Value = Header> {
    let unknown = (0x40u8..0x80, vec(any::<u8>(), 0..30)).prop_map(|(number, octets)| {
        let raw = [vec![octets.len() as u8], octets].concat();
        Header { field: Field::Unknown(number), value: Value::Raw(raw.into()) }
    });
    let application = ("[!-~][ -~]{0,10}", TEXT)
        .prop_map(|(name, text)| Header { field: Field::Application(name), value: Value::Text(text) });
    let counted = (any::<u32>(), TEXT).prop_map(|(count, text)| Header {
        field: Field::ContentLocation,
        value: Value::Counted(count.into(), Box::new(text.into())),
    });
    let status = (any::<u64>(), 0x80u8..).prop_map(|(count, code)| Header {
        field: Field::ResponseStatus,
        value: Value::Counted(count, Box::new(Value::Code(code))),
    });
    prop_oneof![8 => assigned(), 1 => unknown, 1 => application, 1 => counted, 1 => status]
}

fn media() -> impl Strategy<Value = MediaType> {
    let known: Vec<_> = wsp::CONTENT_TYPES
        .iter()
        .map(|row| row.1.to_ascii_lowercase())
        .filter(|name| !name.contains("multipart") && !name.contains([';', '*']))
        .collect();
    let charset = option::of(select(wsp::CHARSETS).prop_map(|row| row.1));
    let essence = prop_oneof![
        select(known),
        "[a-z]{1,8}/[a-z0-9.+-]{1,12}".prop_filter("a leaf", |name| !name.starts_with("multipart"))
    ];
    (essence, charset, option::of(UNQUOTED), option::of(UNQUOTED)).prop_map(|(essence, charset, name, other)| {
        let mut media = MediaType::new(essence);
        charset.into_iter().for_each(|charset| media.set("charset", charset));
        name.into_iter().for_each(|name| media.set("name", name));
        other.into_iter().for_each(|value| media.set("x-other", value));
        media
    })
}

fn leaves() -> impl Strategy<Value = Entity> {
    let disposition = ("[a-z]{1,8}|attachment|inline", option::of(UNQUOTED))
        .prop_map(|(kind, filename)| Disposition { kind, filename });
    let other = vec(("X-[A-Za-z]{1,5}", UNQUOTED), 0..3);
    let ids = (option::of("[!-;=?-~][ -;=?-~]{0,8}[!-;=?-~]"), option::of("[^\0\"]{1,20}"));
    (media(), ids, option::of(disposition), other, vec(any::<u8>(), 0..300)).prop_map(
        |(media, (content_id, location), disposition, other, body)| {
            let content_id = content_id.map(|id| id.trim_matches('"').to_owned()).filter(|id| !id.is_empty());
            Entity { content_id, location, disposition, other, ..Entity::leaf(media, body.into()) }
        },
    )
}

fn trees() -> impl Strategy<Value = Entity> {
    let multiparts = select(vec!["mixed", "related", "alternative", "form-data"]);
    leaves().prop_recursive(3, 12, 4, move |inner| {
        (multiparts.clone(), vec(inner, 0..4), option::of("<[a-z.]{1,9}>")).prop_map(|(subtype, parts, start)| {
            let mut media = MediaType::new(format!("application/vnd.wap.multipart.{subtype}"));
            if let Some(start) = start {
                media.set("type", "application/smil");
                media.set("start", start);
            }
            Entity::multipart(media, parts)
        })
    })
}

fn pdus() -> impl Strategy<Value = Pdu> {
    let content = option::of(trees().prop_map(|entity| Entity {
        content_id: None,
        location: None,
        disposition: None,
        other: Vec::new(),
        ..entity
    }));
    (select(PDUS), vec(headers(), 0..12), content).prop_map(|(spec, headers, content)| {
        let mut pdu = Pdu { kind: spec.kind, headers, content, untyped: false };
        let encoded = |header: &Header| header.field == Field::ResponseText;
        pdu.headers.retain(|header| !(spec.counted && encoded(header))); // these are counted there
        common::sorted(pdu)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pdu_written_is_the_pdu_read(pdu in pdus()) {
        let encoded = pdu.encode();
        let octets = Bytes::from(encoded.to_vec());
        prop_assert_eq!(octets.len() as u64, encoded.length);
        prop_assert_eq!(decode(&octets), Ok(pdu));
    }

    #[test]
    fn chunks_are_never_empty_and_heads_never_neighbours(pdu in pdus()) {
        let chunks = pdu.encode().chunks;
        prop_assert!(chunks.iter().all(|(Chunk::Head(octets) | Chunk::Body(octets))| !octets.is_empty()));
        prop_assert!(chunks.windows(2).all(|pair| !matches!(pair, [Chunk::Head(_), Chunk::Head(_)])));
    }

    #[test]
    fn no_octets_cause_a_panic(octets in vec(any::<u8>(), 0..200), start in select(PDUS)) {
        everything_works(&Bytes::from(octets.clone()));
        everything_works(&Bytes::from([vec![0x8C, start.octet], octets].concat()));
    }

    #[test]
    fn no_damage_causes_a_panic(pdu in pdus(), damage in vec((any::<Index>(), any::<u8>()), 1..6), cut in any::<Index>()) {
        let mut octets = pdu.to_vec();
        for (at, octet) in damage {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        everything_works(&Bytes::from(octets.clone()));
        octets.truncate(cut.index(octets.len()));
        everything_works(&Bytes::from(octets));
    }

    #[test]
    fn no_mail_causes_a_panic(names in vec(("[A-Za-z-]{1,30}|X-Mms-Expiry|Date|To|X-Mms-Previously-sent-by", ".{0,40}"), 0..10), root in trees()) {
        let headers = packetboat_mime::Headers(names);
        let mail = packetboat_mime::Mail { headers, root };
        let pdu = mail::retrieve_conf(&mail, Some("t"), Version::V1_3, 0);
        prop_assert_eq!(pdu.check(), Vec::<&str>::new());
        let again = decode(&pdu.to_vec().into()).expect("what was written");
        prop_assert_eq!(again.parts().len(), pdu.parts().len());
        mail::send_req(&mail, "t", Version::V1_0, FromValue::InsertAddress).to_vec();
    }

    #[test]
    fn no_text_makes_two_header_fields(subject in "[^\0]{0,30}", address in "[^\0]{0,30}") {
        let pdu: Pdu = Pdu::new(PduType::SendReq).with(Field::Subject, subject).with(Field::To, address);
        let mail = mail::to_mail(pdu);
        prop_assert!(mail.headers.0.iter().all(|(_, value)| !value.contains(char::is_control)));
    }
}

fn everything_works(octets: &Bytes) {
    match decode(octets) {
        Ok(pdu) => {
            pdu.describe();
            pdu.check();
            assert!(pdu.parts().iter().all(|part| part.content().is_some_and(|body| body.len() <= octets.len())));
            let again = decode(&pdu.to_vec().into()).expect("what was written");
            assert_eq!(again.kind, pdu.kind);
            let mail = mail::to_mail(pdu);
            mail::retrieve_conf(&mail, None, Version::V1_2, 0).to_vec();
        }
        Err(error) => assert!(error.offset <= octets.len() && !error.to_string().is_empty()),
    }
}
