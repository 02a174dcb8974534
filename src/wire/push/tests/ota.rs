//! Browser settings against octets that other programs read and wrote, and laws.

use bytes::Bytes;
use packetboat_push::ota::Characteristic;
use packetboat_push::provisioning::Parm;
use packetboat_push::{BrowserSettings, Push, analyse};
use packetboat_sms::{Ports, Reference, segment};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// As xml2wbxml of libwbxml writes it.
const SETTINGS: &[u8] =
    b"\x01\x01j\x00E\xc6\x06\x01\x87\x12I\x01\x87\x13\x11\x0310.0.0.1\x00\x01\x87\x14a\x01\x87\x1c\x11\
    \x03mms.example\x00\x01\x87\x22p\x01\x87#\x11\x03user\x00\x01\x01\x86\x07\x11\x03http://wap.exam\
    ple/\x00\x01\x86|\x11\x03http://mms.example/\x00\x01\xc6\x08\x01\x87\x15\x11\x03Example\x00\x01\x01\
    \xc6\x7f\x01\x87\x15\x11\x03Home\x00\x01\x87\x17\x11\x03http://wap.example/home\x00\x01\x01\x01";

fn settings() -> BrowserSettings {
    let address = Characteristic::address()
        .with("BEARER", "GPRS")
        .with("PROXY", "10.0.0.1")
        .with("PORT", "9201")
        .with("GPRS_ACCESSPOINTNAME", "mms.example")
        .with("PPP_AUTHTYPE", "PAP")
        .with("PPP_AUTHNAME", "user");
    BrowserSettings {
        characteristics: vec![
            address,
            Characteristic::url("http://wap.example/"),
            Characteristic::mms_url("http://mms.example/"),
            Characteristic::name("Example"),
            Characteristic::bookmark("Home", "http://wap.example/home"),
        ],
    }
}

#[test]
fn settings_have_the_octets_of_the_specification() {
    assert_eq!(settings().to_wbxml(), SETTINGS);
    assert_eq!(BrowserSettings::from_wbxml(&Bytes::from_static(SETTINGS)), Ok(settings()));
    let [address, url, ..] = &settings().characteristics[..] else { panic!("five of them") };
    assert_eq!((address.parm("PORT"), address.value.as_deref()), (Some("9201"), None));
    assert_eq!((url.kind.as_str(), url.value.as_deref()), ("URL", Some("http://wap.example/")));
}

/// The header Kannel writes, for the port Kannel sends to.
#[test]
fn they_go_to_a_port_of_their_own() {
    let push = Push::browser_settings(1, &settings());
    let head = b"\x01\x06\x2c\x1f\x2aapplication/x-wap-prov.browser-settings\0\x81\xea";
    assert_eq!(push.encode(), [head, SETTINGS].concat());
    let ports = Ports { destination: packetboat_push::ota::PORT, originator: 49154 };
    let messages: Vec<Bytes> = segment(&push.encode(), ports, Reference::Eight(7))
        .expect("short messages")
        .iter()
        .map(|data| data.encode().expect("user data"))
        .collect();
    assert_eq!(analyse(&messages), Ok(vec![push]));
}

/// An icon is octets, as xml2wbxml writes them too.
#[test]
fn icons_are_octets() {
    let icon = Characteristic::bookmark("Home", "http://h/").with("ICON", "R0lGODlh");
    let settings = BrowserSettings { characteristics: vec![icon.with("OTHER", "R0lGODlh")] };
    let written = settings.to_wbxml();
    assert!(written.windows(14).any(|window| window == b"\x10\x03ICON\0\x11\xc3\x06GIF8"), "{written:02x?}");
    assert_eq!(BrowserSettings::from_wbxml(&written), Ok(settings));
    let text = BrowserSettings { characteristics: vec![Characteristic::address().with("ICON", "no base64")] };
    assert_eq!(BrowserSettings::from_wbxml(&text.to_wbxml()), Ok(text));
}

#[test]
fn unknown_tokens_survive() {
    let octets = b"\x01\x01\x6a\0\x45\xc6\x7b\x01\x87\x30\x50\x01\x01\xc6\x06\x01\x87\x12\x4a\x01\x87\x00\x01\x12\x45\x01\x01\x01";
    let read = BrowserSettings::from_wbxml(&Bytes::from_static(octets)).expect("settings");
    let [odd, address] = &read.characteristics[..] else { panic!("{read:?}") };
    assert_eq!((odd.kind.as_str(), odd.parm("#0:30")), ("#0:7b", Some("#0:50")));
    assert_eq!((address.parm("BEARER"), address.parm("#1:12")), (Some("#0:4a"), Some("#1:45")));
    assert_eq!(read.to_wbxml(), &octets[..]);
}

#[test]
fn what_is_none_says_so() {
    for octets in [b"".as_slice(), b"\x01\x01\x6a\0", b"\x01\x01\x6a\0\x06"] {
        let error = BrowserSettings::from_wbxml(&Bytes::copy_from_slice(octets)).expect_err("none").to_string();
        assert!(error.contains("octet"), "{error}");
    }
    for end in 0..SETTINGS.len() {
        assert!(BrowserSettings::from_wbxml(&Bytes::from_static(&SETTINGS[..end])).is_err(), "cut off at {end}");
    }
    let odd = BrowserSettings { characteristics: vec![Characteristic::default()] };
    assert_eq!(odd.to_wbxml(), &b"\x01\x01\x6a\0\x05"[..], "a type that cannot be written");
}

#[test]
fn settings_as_text() {
    let text = settings().to_xml();
    assert!(text.contains("<!DOCTYPE CHARACTERISTIC-LIST SYSTEM \"characteristic-list.dtd\">"), "{text}");
    assert_eq!(BrowserSettings::from_xml(text.as_bytes()), Ok(settings()));
    let said = |inner: &str| {
        let text = format!("<CHARACTERISTIC-LIST>{inner}</CHARACTERISTIC-LIST>");
        BrowserSettings::from_xml(text.as_bytes()).expect_err("wrong").to_string()
    };
    assert_eq!(said("<PARM/>"), "octet 21: expected a characteristic, found \"PARM\"");
    assert_eq!(said("<CHARACTERISTIC/>"), "octet 21: expected a characteristic with a type");
    assert_eq!(
        said("<CHARACTERISTIC TYPE='APN'/>"),
        "octet 21: expected the type ADDRESS, URL, MMSURL, NAME, ID or BOOKMARK, found \"APN\""
    );
    assert_eq!(said("<CHARACTERISTIC TYPE='URL'><X/></CHARACTERISTIC>"), "octet 48: expected a parm, found \"X\"");
    assert_eq!(said("<CHARACTERISTIC TYPE='ID'><PARM/></CHARACTERISTIC>"), "octet 47: expected a parm with a name");
}

fn words() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "BEARER", "PORT", "NAME", "GPRS", "9201", "PAP", "ICON", "R0lGODlh", "R0l=", "#0:30", "#1:12", "#0:12",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[^\0-\x1f\x7f\u{fffe}\u{ffff}]{0,12}", "#[01]:[0-9a-f][0-9a-f]"]
}

fn characteristics() -> impl Strategy<Value = Characteristic> {
    let kind = prop::sample::select(vec!["ADDRESS", "URL", "MMSURL", "NAME", "ID", "BOOKMARK", "#0:7b", "#3:06"]);
    let parm = (words(), option::of(words())).prop_map(|(name, value)| Parm { name, value });
    let parts = (kind, option::of(words()), vec(parm, 0..5));
    parts.prop_map(|(kind, value, parms)| Characteristic { kind: kind.to_owned(), value, parms })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(characteristics in vec(characteristics(), 0..5)) {
        let settings = BrowserSettings { characteristics };
        prop_assert_eq!(&BrowserSettings::from_wbxml(&settings.to_wbxml()), &Ok(settings.clone()));
        prop_assert_eq!(BrowserSettings::from_xml(settings.to_xml().as_bytes()), Ok(settings));
    }

    #[test]
    fn no_octets_break_it(octets in vec(any::<u8>(), 0..200)) {
        let octets = [b"\x01\x01\x6a\0\x45\xc6".as_slice(), &octets].concat();
        if let Ok(settings) = BrowserSettings::from_wbxml(&octets.into()) {
            prop_assert_eq!(BrowserSettings::from_wbxml(&settings.to_wbxml()), Ok(settings));
        }
    }
}
