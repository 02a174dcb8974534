//! Client provisioning against octets that other programs read and wrote, and laws that hold for every document.

use bytes::Bytes;
use packetboat_mime::MediaType;
use packetboat_push::provisioning::security::{Imsi, Method, Security, Signature};
use packetboat_push::provisioning::settings::{AccessPoint, Login, MmsAccount, Proxy, Via, bootstrap};
use packetboat_push::provisioning::{Characteristic, Parm};
use packetboat_push::{Provisioning, Push};
use proptest::collection::vec;
use proptest::prelude::*;

/// An access point and an MMS account; as xml2wbxml writes it, and as tshark and wbxml2xml read it.
const SETTINGS: &[u8] = b"\x03\x0b\x6a\x00\xc5\x46\x01\xc6\x55\x01\x87\x11\x06\x03n1\x00\x01\x87\x10\x06\xab\x01\x87\x08\x06\x03mms\x00\x01\
    \x87\x09\x06\x89\x01\x01\xc6\x00\x01\x55\x01\x87\x36\x00\x00\x06\x03w4\x00\x01\x87\x22\x06\x03n1\x00\x01\x87\x00\x01\x34\x00\x00\
    \x06\x03http://mmsc/mms\x00\x01\x01\x01";

fn settings() -> Provisioning {
    let napdef = Characteristic::new("NAPDEF")
        .with("NAPID", "n1")
        .with("BEARER", "GSM-GPRS")
        .with("NAP-ADDRESS", "mms")
        .with("NAP-ADDRTYPE", "APN");
    let account =
        Characteristic::new("APPLICATION").with("APPID", "w4").with("TO-NAPID", "n1").with("ADDR", "http://mmsc/mms");
    Provisioning::new(vec![napdef, account])
}

fn read(octets: &[u8]) -> Provisioning {
    Provisioning::from_wbxml(&Bytes::copy_from_slice(octets)).expect("a provisioning document")
}

#[test]
fn settings_have_the_octets_of_the_specification() {
    assert_eq!(settings().to_wbxml(), SETTINGS);
    assert_eq!(read(SETTINGS), settings());
}

/// The key of USERPIN is what the user types (WAP-184-PROVBOOT 5.2); checked with another HMAC and with tshark.
#[test]
fn a_push_is_signed_with_a_pin() {
    let security = Security::UserPin("1234".to_owned());
    let push = Push::provisioning(1, &settings(), Some(&security));
    let head = b"\x01\x06\x2f\x1f\x2d\xb6\x91\x81\x92406DF57E3335FEA63D930C241017C2AE7CC0E440\x00";
    assert_eq!(push.encode(), [head, SETTINGS].concat());
    let read = Push::parse(&push.encode()).expect("a push");
    let signature = Signature::of(&read.content_type).expect("SEC and MAC");
    assert_eq!(signature.method, Method::UserPin);
    assert!(signature.verify(&security, &read.payload));
    assert!(!signature.verify(&Security::UserPin("1235".to_owned()), &read.payload));
    assert!(!signature.verify(&security, &read.payload[1..]));
    let imsi = Imsi::parse("310150123456789").expect("an IMSI");
    assert!(!signature.verify(&Security::NetwPin(imsi), &read.payload), "another method");
    let unsigned = Push::provisioning(1, &settings(), None);
    assert_eq!(unsigned.encode(), [b"\x01\x06\x01\xb6".as_slice(), SETTINGS].concat());
    assert_eq!(Signature::of(&unsigned.content_type), None);
}

/// The IMSI as the SIM keeps it; the MACs are of another HMAC with the keys `39 01 51 …` and `11 32 54 76 98 10 32 F4`.
#[test]
fn the_network_s_secret_is_the_imsi_in_semi_octets() {
    let sign = |security: Security| security.sign(SETTINGS).mac;
    let odd = Imsi::parse("310150123456789").expect("an IMSI");
    assert_eq!(sign(Security::NetwPin(odd.clone())), "24DC915EBCDF79D35775E4CD50B23D35065A58AF");
    let both = Security::UserNetwPin { imsi: odd.clone(), pin: "1234".to_owned() };
    assert_eq!(sign(both), "2BE9F848A939627CC4AC458F5927476CC05E79B7");
    let even = Imsi::parse("12345678901234").expect("an IMSI");
    assert_eq!(sign(Security::NetwPin(even)), "4D899191642A90CC0374C2BE894369997824520A");
    for wrong in ["", "12345", "1234567890123456", "+31015012345", "31015 0123456"] {
        assert!(Imsi::parse(wrong).is_err(), "{wrong}");
    }
    assert!(!format!("{:?}", Security::NetwPin(odd)).contains("310"), "secrets are not shown");
}

#[test]
fn a_mac_that_is_none_is_never_right() {
    let security = Security::UserPin("1234".to_owned());
    let right = security.sign(SETTINGS).mac;
    for (mac, expected) in
        [(right.as_str(), true), (&right.to_lowercase(), true), (&right[1..], false), ("", false), ("ä", false)]
    {
        let media = MediaType::new("a/b").with("sec", "1").with("mac", mac);
        assert_eq!(Signature::of(&media).expect("both").verify(&security, SETTINGS), expected, "{mac}");
    }
    for sec in ["4", "-1", "x"] {
        assert_eq!(Signature::of(&MediaType::new("a/b").with("sec", sec).with("mac", "00")), None, "{sec}");
    }
}

#[test]
fn what_people_need_is_in_a_few_words() {
    let proxy = Proxy {
        id: "px".to_owned(),
        name: "MMS proxy".to_owned(),
        address: "10.0.0.1".to_owned(),
        port: 8080,
        access_point: "ap".to_owned(),
        ..Proxy::default()
    };
    let document = Provisioning::new(vec![
        bootstrap("Example"),
        AccessPoint {
            id: "ap".to_owned(),
            name: "Example MMS".to_owned(),
            apn: "mms.example".to_owned(),
            login: Some(Login { chap: false, name: "u".to_owned(), secret: "s".to_owned() }),
            internet: true,
        }
        .characteristic(),
        proxy.characteristic(),
        MmsAccount { name: "MMS".to_owned(), url: "http://mmsc.example/".to_owned(), via: Via::Proxy("px".to_owned()) }
            .characteristic(),
    ]);
    assert_eq!(read(&document.to_wbxml()), document);
    let [_, napdef, logical, account] = &document.characteristics[..] else { panic!("{document:#?}") };
    assert_eq!((napdef.value("BEARER"), napdef.children[0].value("AUTHTYPE")), (Some("GSM-GPRS"), Some("PAP")));
    assert_eq!(napdef.parms.last(), Some(&Parm { name: "INTERNET".to_owned(), value: None }));
    let physical = &logical.children[0];
    assert_eq!((physical.value("PXADDR"), physical.value("PXADDRTYPE")), (Some("10.0.0.1"), Some("IPV4")));
    assert_eq!(physical.children[0].value("PORTNBR"), Some("8080"));
    assert_eq!((account.value("APPID"), account.value("TO-PROXY")), (Some("w4"), Some("px")));
    for (address, kind) in [("::1", "IPV6"), ("proxy.example", "ALPHA")] {
        let logical = Proxy { address: address.to_owned(), ..proxy.clone() }.characteristic();
        assert_eq!(logical.children[0].value("PXADDRTYPE"), Some(kind));
    }
}

/// Tokens nobody here knows are kept as text, and become the same tokens again.
#[test]
fn unknown_tokens_survive() {
    let octets =
        b"\x03\x0b\x6a\x00\xc5\x46\x01\xc6\x00\x01\x7f\x01\x87\x6a\x06\xbf\x01\x87\x00\x00\x10\x06\xab\x01\x01\x01";
    let document = read(octets);
    let group = &document.characteristics[0];
    assert_eq!(
        (group.kind.as_str(), group.value("#1:6a"), group.value("BEARER")),
        ("#1:7f", Some("#1:bf"), Some("GSM-GPRS"))
    );
    let again = document.to_wbxml();
    assert_eq!(read(&again), document);
    assert!(again.windows(4).any(|window| window == b"\xc6\x00\x01\x7f"), "{again:02x?}");
    // One that has a name is text.
    let named = Provisioning::new(vec![Characteristic::new("#0:55").with("#0:10", "#0:ab")]);
    assert_eq!(read(&named.to_wbxml()), named);
}

/// Page 1 throughout, tags too; a version in words; later tokens; words of several tokens; no attributes at all.
#[test]
fn settings_may_be_written_in_many_ways() {
    let octets = b"\x01\x0b\x6a\x00\xc5\x45\x031.1\x00\x01\x00\x01\xc6\x00\x01\x55\x01\x87\x07\x06\x03x\x00\x01\
        \x87\x33\x06\x91\x92\x90\x91\x93\x01\x87\x05\x03odd\x00\x06\x03a\x00\x03b\x00\x01\x07\x01\x06\x01\x01";
    let document = read(octets);
    assert_eq!(document.version, "1.1");
    let account = &document.characteristics[0];
    assert_eq!(account.kind, "APPLICATION");
    let values = ["NAME", "AAUTHTYPE", "odd"].map(|name| account.value(name));
    assert_eq!(values, [Some("x"), Some("HTTP-BASIC,HTTP-DIGEST"), Some("ab")]);
    assert_eq!(account.parms.len(), 3, "a parm without name says nothing");
    let again = document.to_wbxml();
    assert_eq!(read(&again), document);
}

#[test]
fn what_is_no_settings_says_so() {
    for octets in [b"".as_slice(), b"\x03", b"\x03\x0b\x6a\x00", b"\x02\x05\x6a\0\x45\x01", b"\x03\x0b\x6a\0\x46\x01"] {
        let error = Provisioning::from_wbxml(&Bytes::copy_from_slice(octets)).expect_err("none").to_string();
        assert!(error.contains("octet"), "{error}");
    }
    for end in 0..SETTINGS.len() {
        assert!(Provisioning::from_wbxml(&Bytes::from_static(&SETTINGS[..end])).is_err(), "cut off at {end}");
    }
}

#[test]
fn settings_as_text() {
    let text = settings().to_xml();
    assert!(text.contains("<!DOCTYPE wap-provisioningdoc PUBLIC \"-//WAPFORUM//DTD PROV 1.0//EN\""), "{text}");
    assert_eq!(Provisioning::from_xml(text.as_bytes()), Ok(settings()));
    let said = |text: &str| Provisioning::from_xml(text.as_bytes()).expect_err("wrong").to_string();
    assert_eq!(said("<si/>"), "octet 0: expected wap-provisioningdoc, found \"si\"");
    assert_eq!(
        said("<wap-provisioningdoc> <characteristic/></wap-provisioningdoc>"),
        "octet 22: expected a characteristic with a type"
    );
    assert_eq!(
        said("<wap-provisioningdoc><parm name='A'/></wap-provisioningdoc>"),
        "octet 21: expected a characteristic, found \"parm\""
    );
}

fn words() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "NAME",
        "APPID",
        "NAPDEF",
        "APPLICATION",
        "PAP",
        "IPV4",
        "AUTHTYPE",
        "BEARER",
        "#1:6a",
        "#0:85",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[^\0-\x1f\x7f\u{fffe}\u{ffff}]{0,12}", "#[01]:[4-9a-f][0-9a-f]"]
}

fn characteristics() -> impl Strategy<Value = Characteristic> {
    let parms = || vec((words(), prop::option::of(words())).prop_map(|(name, value)| Parm { name, value }), 0..5);
    let leaf = (words(), parms()).prop_map(|(kind, parms)| Characteristic { kind, parms, children: Vec::new() });
    leaf.prop_recursive(4, 20, 3, move |inner| {
        (words(), parms(), vec(inner, 0..3)).prop_map(|(kind, parms, children)| Characteristic {
            kind,
            parms,
            children,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(characteristics in vec(characteristics(), 0..4), version in "1\\.[0-9]") {
        let document = Provisioning { version, characteristics };
        prop_assert_eq!(&Provisioning::from_wbxml(&document.to_wbxml()), &Ok(document.clone()));
        prop_assert_eq!(&Provisioning::from_xml(document.to_xml().as_bytes()), &Ok(document));
    }

    #[test]
    fn no_octets_break_it(octets in vec(any::<u8>(), 0..200)) {
        let octets = [b"\x03\x0b\x6a\0\xc5\x46\x01\xc6".as_slice(), &octets].concat();
        if let Ok(document) = Provisioning::from_wbxml(&octets.into()) {
            prop_assert_eq!(Provisioning::from_wbxml(&document.to_wbxml()), Ok(document));
        }
    }

    #[test]
    fn damage_gives_another_document_or_an_error(at in 0..SETTINGS.len(), octet: u8) {
        let mut octets = SETTINGS.to_vec();
        octets[at] = octet;
        let length = octets.len();
        match Provisioning::from_wbxml(&octets.into()) {
            Ok(document) => prop_assert_eq!(Provisioning::from_wbxml(&document.to_wbxml()), Ok(document)),
            Err(error) => prop_assert!(error.offset <= length),
        }
    }
}
