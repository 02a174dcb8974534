//! Values of WAP-230-WSP 8.4, both ways.

use bytes::Bytes;
use packetboat_mime::MediaType;
use packetboat_wsp::{Reader, Writer, WspError, WspErrorKind, charset, content_type, tables, write_content_type};
use proptest::collection::vec;
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Writer) -> &mut Writer) -> Bytes {
    let mut out = Writer::new();
    write(&mut out);
    out.into_vec().into()
}

fn media(octets: &'static [u8]) -> String {
    let input = Bytes::from_static(octets);
    let mut reader = Reader::new(&input);
    let media = content_type(&mut reader).expect("a type");
    assert!(reader.is_empty(), "{media}: {} left", reader.remaining());
    media.to_string()
}

#[test]
fn numbers_have_the_octets_of_the_specification() {
    let uintvars: [(u64, &[u8]); 5] = [
        (0, &[0]),
        (127, &[0x7F]),
        (128, &[0x81, 0x00]),
        (200, &[0x81, 0x48]),
        (0xFFFF_FFFF, &[0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
    ];
    for (value, octets) in uintvars {
        assert_eq!(written(|out| out.uintvar(value)), octets);
        assert_eq!(Reader::new(&Bytes::copy_from_slice(octets)).uintvar().map(u64::from), Ok(value));
    }
    assert_eq!(written(|out| out.integer(5)), &[0x85][..]);
    assert_eq!(written(|out| out.integer(128)), &[0x01, 0x80][..]);
    assert_eq!(written(|out| out.long_integer(1234)), &[0x02, 0x04, 0xD2][..]);
    assert_eq!(written(|out| out.long_integer(0)), &[0x01, 0x00][..]);
    assert_eq!(written(|out| out.value_length(30)), &[30][..]);
    assert_eq!(written(|out| out.value_length(31)), &[31, 31][..]);
}

#[test]
fn numbers_that_are_too_long_say_so() {
    let fails = |octets: &'static [u8], read: fn(&mut Reader<'_>) -> Result<u64, WspError>, kind| {
        let input = Bytes::from_static(octets);
        assert_eq!(read(&mut Reader::new(&input)), Err(WspError { offset: 0, kind }), "{octets:x?}");
    };
    let uintvar = |reader: &mut Reader<'_>| reader.uintvar().map(u64::from);
    fails(&[0x90, 0x80, 0x80, 0x80, 0x00], uintvar, WspErrorKind::UintvarTooLong);
    fails(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], uintvar, WspErrorKind::UintvarTooLong);
    fails(&[9, 1, 0, 0, 0, 0, 0, 0, 0, 0], |reader| reader.integer(), WspErrorKind::IntegerTooLong);
    let input = Bytes::from_static(&[10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Reader::new(&input).integer(), Ok(1 << 56)); // leading zeros do no harm
}

#[test]
fn errors_name_the_octet_of_the_whole_input() {
    let input = Bytes::from_static(&[0x05, 0x03, 0x81, 0x41, 0x42, 0x43]);
    let mut window = Reader::new(&input).length_prefixed().expect("the outer");
    let error = window.length_prefixed().and_then(|mut inner| inner.take(1).and_then(|_| inner.text_octets()));
    assert_eq!(error, Err(WspError { offset: 3, kind: WspErrorKind::Unterminated }));
    let input = input.slice(1..);
    let error = Reader::new(&input).take(9);
    assert_eq!(error.map_err(|error| error.to_string()), Err("octet 0 (0x0): 9 octets needed, 5 left".to_owned()));
}

#[test]
fn content_types_are_read_in_every_shape() {
    assert_eq!(media(&[0x83]), "text/plain");
    assert_eq!(media(b"\x9e"), "image/jpeg");
    assert_eq!(media(b"audio/AMR\0"), "audio/amr");
    assert_eq!(media(b"text/plain;charset=utf-8\0"), "text/plain; charset=utf-8");
    assert_eq!(media(b"\x03\x83\x81\xea"), "text/plain; charset=utf-8");
    assert_eq!(media(b"\x04\x83\x81\x01\x6a"), "text/plain; charset=utf-8");
    assert_eq!(media(b"\x05\x83\x81\x02\x07\xea"), "text/plain; charset=big5");
    assert_eq!(media(b"\x03\x83\x81\x80"), "text/plain"); // any charset
    assert_eq!(media(b"\x08\x83\x81utf-8\0"), "text/plain; charset=utf-8");
    assert_eq!(media(b"\x03\x02\x03\x05"), "text/calendar"); // a registered type
    assert_eq!(
        media(b"\x06\xb3\x89\x9e\x8ax\0"),
        "application/vnd.wap.multipart.related; type=\"image/jpeg\"; start=x"
    );
    assert_eq!(media(b"\x00"), "application/octet-stream");
    assert_eq!(media(b"\xd9"), "application/x-wsp-59");
    assert_eq!(media(b"\x05\x83\xaf\x02ab"), "text/plain"); // a parameter nobody knows
    assert_eq!(media(b"\x1f\x03\x83\x81\xea"), "text/plain; charset=utf-8");
    assert_eq!(media(b"\x04\x83\x85ab"), "text/plain"); // a parameter that breaks off
}

#[test]
fn content_types_are_written_for_every_decoder() {
    let octets = |text: &str| {
        let mut out = Writer::new();
        write_content_type(&mut out, &MediaType::parse(text));
        Bytes::from(out.into_vec())
    };
    assert_eq!(octets("text/x-vcard"), &b"\x87"[..]);
    assert_eq!(octets("application/octet-stream"), &b"application/octet-stream\0"[..]); // Android has no 0x5A
    assert_eq!(octets("audio/amr"), &b"audio/amr\0"[..]);
    assert_eq!(octets("text/plain; charset=UTF-8; name=a"), &b"\x06\x83\x81\xea\x85a\0"[..]);
    assert_eq!(octets("text/plain; charset=x-none"), &b"\x10\x83charset\0x-none\0"[..]);
    let related = "application/vnd.wap.multipart.related; type=application/smil; start=\"<s>\"";
    assert_eq!(octets(related), &b"\x18\xb3\x89application/smil\0\x8a<s>\0"[..]);
}

#[test]
fn parts_are_counted_at_all_depths() {
    let part = |octets: &[u8]| written(|out| out.uintvar(1).uintvar(octets.len() as u64).octet(0xA3).octets(octets));
    let small = written(|out| out.uintvar(600).octets(&[1, 0, 0x83].repeat(600)));
    let both = written(|out| out.uintvar(2).octets(&part(&small)).octets(&part(&small)));
    let mixed = MediaType::new("application/vnd.wap.multipart.mixed");
    let read = |octets: &Bytes| packetboat_wsp::read_entity(mixed.clone(), Reader::new(octets));
    assert_eq!(read(&small).map(|entity| entity.leaves().len()), Ok(600));
    let too_many = WspErrorKind::TooMany { what: "parts", count: 1202, limit: packetboat_wsp::limits::PARTS };
    assert_eq!(read(&both).map_err(|error| error.kind), Err(too_many));
}

/// The first transfer encoding counts. One that cannot be undone stays where it stood, and when one is undone no other is
/// left, so that writing and reading again changes nothing (a fuzzer's finds).
#[test]
fn of_several_transfer_encodings_the_first_counts() {
    let undone = b"\x83Content-Transfer-Encoding\0base64\0X\0y\0Content-Transfer-Encoding\0base64\0";
    let body = [&[1, undone.len() as u8, 8], &undone[..], b"U0dWcw=="].concat();
    let mixed = MediaType::new("application/vnd.wap.multipart.mixed");
    let read = packetboat_wsp::read_entity(mixed, Reader::new(&Bytes::from(body))).expect("readable");
    let packetboat_mime::Body::Parts(parts) = &read.body else { panic!("no parts: {read:?}") };
    assert_eq!(parts[0].other, [("X".to_owned(), "y".to_owned())]);
    assert_eq!(parts[0].body, packetboat_mime::Body::Leaf(Bytes::from_static(b"SGVs")));

    let headers = b"\x83Content-Transfer-Encoding\0base63\0X\0y\0Content-Transfer-Encoding\0base64\0";
    let body = [&[1, headers.len() as u8, 4], &headers[..], b"SGVs"].concat();
    let mixed = MediaType::new("application/vnd.wap.multipart.mixed");
    let read = |octets: &Bytes| packetboat_wsp::read_entity(mixed.clone(), Reader::new(octets)).expect("readable");
    let first = read(&Bytes::from(body));
    let packetboat_mime::Body::Parts(parts) = &first.body else { panic!("no parts: {first:?}") };
    let values: Vec<&str> = parts[0].other.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["base63", "y", "base64"]);
    let again = Bytes::from(packetboat_wsp::write_entity(Writer::new(), &first).to_vec());
    let mut reader = Reader::new(&again);
    let media = content_type(&mut reader).expect("a type that was written");
    assert_eq!(packetboat_wsp::read_entity(media, reader), Ok(first));
}

#[test]
fn text_is_read_in_its_charset() {
    assert_eq!(charset::decode(Some(4), b"\xdcber\0"), "Über");
    assert_eq!(charset::decode(Some(2026), b"\xa4\xa4\xa4\xe5\0"), "中文");
    assert_eq!(charset::decode(Some(113), b"\xd6\xd0\xce\xc4\0"), "中文");
    assert_eq!(charset::decode(Some(17), b"\x7f\x93\xfa\x96\x7b\0"), "日本");
    assert_eq!(charset::decode(Some(1015), b"\xff\xfeA\0\xe5e\0\0"), "A日");
    assert_eq!(charset::decode(Some(1014), b"A\0\xe5e\0"), "A日");
    assert_eq!(charset::decode(Some(1000), b"\x7f\x8e\x00A\0\0"), "美A"); // no quote: the first half of a character
    assert_eq!(charset::decode(Some(1000), b"\x7f\x8e\x00A\0"), "美A");
    assert_eq!(charset::decode(Some(1001), b"\0\0\0A\0\x01\xf6\x08\0"), "A😈");
    assert_eq!(charset::decode(Some(9999), b"caf\xc3\xa9\0"), "café");
    assert_eq!(charset::decode(None, b"caf\xe9\0"), "café");
}

#[test]
fn tables_are_in_order_and_say_nothing_twice() {
    assert!(tables::CONTENT_TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(tables::CHARSETS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(tables::PARAMETERS.windows(2).all(|pair| pair[0].code < pair[1].code));
    assert_eq!(tables::header_name(tables::CONTENT_LOCATION), Some("Content-Location"));
    assert_eq!(tables::header_name(tables::CONTENT_DISPOSITION), Some("Content-Disposition"));
    assert_eq!(tables::header_name(tables::CONTENT_ID), Some("Content-ID"));
    assert_eq!(tables::header_name(tables::CONTENT_DISPOSITION_14), Some("Content-Disposition"));
    assert_eq!(tables::content_type_name(0x3E), Some("application/vnd.wap.mms-message"));
    for (mib, name) in tables::CHARSETS {
        assert_eq!(tables::charset_mib(name), Some(*mib));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(number: u64, small: u32, text in "[^\0]{0,40}", quoted in "[^\0\"]{0,20}") {
        let octets = written(|out| {
            out.integer(number).uintvar(small.into()).text_string(&text).quoted_string(&quoted).encoded_string(&text)
        });
        let mut reader = Reader::new(&octets);
        prop_assert_eq!(reader.integer(), Ok(number));
        prop_assert_eq!(reader.uintvar(), Ok(small));
        prop_assert_eq!(reader.text_string(), Ok(text.clone()));
        prop_assert_eq!(reader.text_value(), Ok(quoted));
        prop_assert_eq!(reader.encoded_string(), Ok(text));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn a_value_of_unknown_grammar_is_passed_over_exactly(number: u64, text in "[^\0]{0,40}", value in vec(any::<u8>(), 0..300)) {
        let octets = written(|out| out.integer(number).text_string(&text).length_prefixed(&value).octet(0x7E));
        let mut reader = Reader::new(&octets);
        for _ in 0..3 {
            prop_assert!(reader.value().is_ok());
        }
        prop_assert_eq!(reader.rest(), &[0x7E]);
    }

    #[test]
    fn no_octets_cause_a_panic(octets in vec(any::<u8>(), 0..100), mib: u16) {
        let input = Bytes::from(octets);
        let whole = Reader::new(&input);
        let reads: [fn(&mut Reader<'_>) -> Option<WspError>; 8] = [
            |reader| reader.uintvar().err(),
            |reader| reader.integer().err(),
            |reader| reader.length_prefixed().err(),
            |reader| reader.value().err(),
            |reader| reader.text_string().err(),
            |reader| reader.text_value().err(),
            |reader| reader.encoded_string().err(),
            |reader| content_type(reader).err(),
        ];
        for read in reads {
            let mut reader = whole;
            prop_assert!(read(&mut reader).is_none_or(|error| error.offset <= input.len()));
        }
        charset::decode(Some(mib.into()), &input);
        let media = MediaType::new("application/vnd.wap.multipart.mixed");
        if let Err(error) = packetboat_wsp::read_entity(media, whole) {
            prop_assert!(error.offset <= input.len());
        }
    }
}
