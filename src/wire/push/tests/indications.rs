//! SI and SL against octets that other programs read and wrote, and laws that hold for all of them.

use bytes::Bytes;
use packetboat_push::{Indication, Loading, Push, ServiceLoading, Signal};
use proptest::prelude::*;

/// 2025-10-09T08:53:20Z.
const MADE: i64 = 1_760_000_000;
/// 2025-10-10T00:00:00Z.
const MIDNIGHT: i64 = 1_760_054_400;

/// Checked with tshark and with libwbxml's wbxml2xml.
const SI: &[u8] =
    b"\x02\x05\x6a\0\x45\xc6\x0d\x03mms.example\0\x85\x03m/n9\0\x11\x03si-1\0\x0a\xc3\x07\x20\x25\x10\x09\x08\x53\x20\
                    \x10\xc3\x04\x20\x25\x10\x10\x01\x03New picture message\0\x01\x01";
const SL: &[u8] = b"\x02\x06\x6a\0\x85\x09\x03mms.example\0\x85\x03m/n9\0\x06\x01";

fn indication() -> Indication {
    Indication {
        href: Some("http://www.mms.example.com/m/n9".to_owned()),
        id: Some("si-1".to_owned()),
        created: Some(MADE),
        expires: Some(MIDNIGHT),
        signal: Signal::Medium,
        text: "New picture message".to_owned(),
    }
}

#[test]
fn an_indication_has_the_octets_of_the_specification() {
    assert_eq!(indication().to_wbxml(), SI);
    assert_eq!(Indication::from_wbxml(&Bytes::from_static(SI)), Ok(indication()));
}

#[test]
fn a_loading_has_the_octets_of_the_specification() {
    let loading = ServiceLoading { href: "http://mms.example.com/m/n9".to_owned(), loading: Loading::High };
    assert_eq!(loading.to_wbxml(), SL);
    assert_eq!(ServiceLoading::from_wbxml(&Bytes::from_static(SL)), Ok(loading));
}

/// Content types by their numbers, for the browser (WAP-235-PushOTA 6; WSP numbers 2E and 30).
#[test]
fn pushes_of_links_have_the_shortest_header() {
    let push = Push::indication(1, &indication());
    assert_eq!(push.encode(), [b"\x01\x06\x03\xae\xaf\x82", SI].concat());
    assert_eq!(Push::parse(&push.encode()), Ok(push));
    let loading = ServiceLoading { href: "http://mms.example.com/m/n9".to_owned(), loading: Loading::High };
    assert_eq!(Push::loading(2, &loading).encode(), [b"\x02\x06\x03\xb0\xaf\x82", SL].concat());
}

/// As libwbxml's xml2wbxml writes it: WBXML 1.3, the default action in so many words.
#[test]
fn what_others_write_is_read() {
    let octets =
        b"\x03\x05\x6a\0\x45\xc6\x0c\x03127.0.0.1/mms/inbox\0\x11\x031@mmsc\0\x07\x0a\xc3\x05\x20\x26\x11\x22\x12\x01\
                   \x03You have an MMS\0\x01\x01";
    let read = Indication::from_wbxml(&Bytes::from_static(octets)).expect("an SI");
    assert_eq!(read.href.as_deref(), Some("http://127.0.0.1/mms/inbox"));
    assert_eq!((read.id.as_deref(), read.signal), (Some("1@mmsc"), Signal::Medium));
    assert_eq!((read.created, read.expires, read.text.as_str()), (Some(1_795_348_800), None, "You have an MMS"));
}

/// A string table, a public identifier and an address in it, a processing instruction, Latin-1, an entity, the date as text.
#[test]
fn an_indication_may_be_written_in_many_ways() {
    let table = b"-//WAPFORUM//DTD SI 1.0//EN\0h.test/\0";
    let mut octets = vec![0x03, 0x00, 0x00, 0x04, table.len() as u8];
    octets.extend_from_slice(table);
    octets.extend_from_slice(
        b"\x43\x0b\x03x\0\x01\x45\xc6\x0e\x83\x1c\x04\x00\x03odd\0\x09\x0a\x032025-10-09T08:53:20Z\0\x01",
    );
    octets.extend_from_slice(b"\x03Gr\xfc\0\x02\x81\x5f\x03e\0\x01\x01");
    let read = Indication::from_wbxml(&octets.into()).expect("an SI");
    assert_eq!((read.href.as_deref(), read.signal), (Some("https://h.test/"), Signal::Delete));
    assert_eq!((read.created, read.text.as_str()), (Some(MADE), "Grüße"));
}

#[test]
fn what_is_none_says_so() {
    let read = |octets: &'static [u8]| Indication::from_wbxml(&Bytes::from_static(octets)).map_err(|e| e.to_string());
    for octets in [b"".as_slice(), b"\x02", b"\x02\x05\x6a\0", SL, b"\x02\x05\x6a\0\x45\x01", b"\x02\x05\x6a\x7f\x45"] {
        let error = read(octets).expect_err("none");
        assert!(error.contains("octet") || error.contains("0x"), "{error}");
    }
    for end in 0..SI.len() {
        assert!(Indication::from_wbxml(&Bytes::from_static(&SI[..end])).is_err(), "cut off at {end}");
    }
    let deep = [b"\x02\x05\x6a\0".as_slice(), &[0x45; 5000]].concat();
    assert!(Indication::from_wbxml(&deep.into()).is_err(), "no recursion without end");
    let table = vec![b'x'; 60_000];
    let mut repeated = [b"\x03\x05\x6a\x83\xd4\x60".as_slice(), &table, b"\x45\x46"].concat();
    repeated.extend(b"\x83\0".repeat(20));
    let error = Indication::from_wbxml(&repeated.into()).expect_err("a megabyte of text").to_string();
    assert!(error.contains("octets of text, at most 1048576"), "{error}");
    let without = ServiceLoading::from_wbxml(&Bytes::from_static(b"\x02\x06\x6a\0\x85\x06\x01"));
    assert!(without.is_err(), "an SL that loads nothing");
}

#[test]
fn links_as_text() {
    let text = indication().to_xml();
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <!DOCTYPE si PUBLIC \"-//WAPFORUM//DTD SI 1.0//EN\" \"http://www.wapforum.org/DTD/si.dtd\">\n<si>\n\
        <indication href=\"http://www.mms.example.com/m/n9\" si-id=\"si-1\" created=\"2025-10-09T08:53:20Z\" \
        si-expires=\"2025-10-10T00:00:00Z\" action=\"signal-medium\">New picture message</indication>\n</si>\n";
    assert_eq!(text, expected);
    assert_eq!(Indication::from_xml(text.as_bytes()), Ok(indication()));
    let loading = ServiceLoading { href: "http://h/?a&b".to_owned(), loading: Loading::Cache };
    assert!(loading.to_xml().ends_with("<sl href=\"http://h/?a&amp;b\" action=\"cache\"/>\n"), "{}", loading.to_xml());
    assert_eq!(ServiceLoading::from_xml(loading.to_xml().as_bytes()), Ok(loading));
    // As people write it.
    let text = b"\xef\xbb\xbf<!-- a link -->\n<si><indication created=''\n href='http://h/' >\n  You&#x20;have <![CDATA[<1>]]> &amp; more\n</indication></si>";
    let read = Indication::from_xml(text).expect("an SI");
    assert_eq!((read.href.as_deref(), read.text.as_str()), (Some("http://h/"), "You have <1> & more"));
}

#[test]
fn a_text_that_is_none_says_so() {
    let si = |text: &str| Indication::from_xml(text.as_bytes()).expect_err("none").to_string();
    assert_eq!(si("<sl href='x'/>"), "octet 0: expected si, found \"sl\"");
    assert_eq!(si("<si></si>"), "octet 0: expected an indication");
    assert_eq!(
        si("<si><indication created='soon'/></si>"),
        "octet 4: expected a date such as 2025-10-09T08:53:20Z, found \"soon\""
    );
    assert_eq!(
        si("<si><indication action='loud'/></si>"),
        "octet 4: expected signal-none, signal-low, signal-medium, signal-high or delete, found \"loud\""
    );
    let sl = |text: &str| ServiceLoading::from_xml(text.as_bytes()).expect_err("none").to_string();
    assert_eq!(sl("<sl/>"), "octet 0: expected an address to load (href)");
    assert_eq!(
        sl("<sl href='x' action='now'/>"),
        "octet 0: expected execute-low, execute-high or cache, found \"now\""
    );
}

fn address() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec!["", "http://", "http://www.", "https://", "https://www.", "tel:"]);
    let part = prop::sample::select(vec![".com/", ".net/", ".org/", ".edu/", "a", "www.", "é", "/x?y=z"]);
    (start, prop::collection::vec(part, 0..8)).prop_map(|(start, parts)| start.to_owned() + &parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        href in prop::option::of(address()),
        id in prop::option::of("[^\0\x7f]{0,20}"),
        created in prop::option::of(0i64..4_000_000_000),
        expires in prop::option::of(0i64..4_000_000_000),
        signal in prop::sample::select(vec![Signal::None, Signal::Low, Signal::Medium, Signal::High, Signal::Delete]),
        text in "[^\0\x7f]{0,40}",
    ) {
        let mut indication = Indication { href, id, created, expires, signal, text };
        prop_assert_eq!(&Indication::from_wbxml(&indication.to_wbxml()), &Ok(indication.clone()));
        // XML has no words for control characters, nor for blanks at either end.
        let plain = |text: &str| text.replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), "");
        indication.text = plain(&indication.text).trim().to_owned();
        indication.id = indication.id.as_deref().map(plain);
        prop_assert_eq!(Indication::from_xml(indication.to_xml().as_bytes()), Ok(indication));
    }

    #[test]
    fn a_loading_that_is_written_is_read(
        href in address(),
        loading in prop::sample::select(vec![Loading::Low, Loading::High, Loading::Cache]),
    ) {
        let loading = ServiceLoading { href, loading };
        prop_assert_eq!(&ServiceLoading::from_wbxml(&loading.to_wbxml()), &Ok(loading.clone()));
        prop_assert_eq!(ServiceLoading::from_xml(loading.to_xml().as_bytes()), Ok(loading));
    }

    #[test]
    fn no_octets_break_it(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let octets = [b"\x02\x05\x6a\0\x45\xc6".as_slice(), &octets].concat();
        let _ = Indication::from_wbxml(&octets.clone().into());
        let _ = ServiceLoading::from_wbxml(&octets.into());
    }
}
