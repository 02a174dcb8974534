//! What libwbxml reads of ours, and what we read of its: the same documents, binary and as text, both ways.

use std::fmt::Debug;
use std::process::Command;

use bytes::Bytes;
use packetboat_harness::Scene;
use packetboat_harness::peers::Peer;
use packetboat_harness::process::Output;
use packetboat_push::ota::Characteristic as OtaCharacteristic;
use packetboat_push::provisioning::settings::{AccessPoint, Login, MmsAccount, Proxy, Via, bootstrap};
use packetboat_push::{BrowserSettings, Indication, Loading, Provisioning, ServiceLoading, Signal, WspError, XmlError};

/// Their text of these octets; `language` is their name for the document type.
fn to_xml(scene: &Scene, language: &str, wbxml: &[u8]) -> Vec<u8> {
    let (from, to) = (scene.file("in.wbxml", wbxml), scene.path().join("out.xml"));
    Output::of(Command::new("wbxml2xml").args(["-l", language, "-o"]).arg(&to).arg(from)).expect_success();
    std::fs::read(to).expect("their text")
}

/// Their octets of this text.
fn to_wbxml(scene: &Scene, xml: &str) -> Bytes {
    let (from, to) = (scene.file("in.xml", xml), scene.path().join("out.wbxml"));
    Output::of(Command::new("xml2wbxml").arg("-o").arg(&to).arg(from)).expect_success();
    std::fs::read(to).expect("their octets").into()
}

type FromWbxml<T> = fn(&Bytes) -> Result<T, WspError>;
type FromXml<T> = fn(&[u8]) -> Result<T, XmlError>;

/// They read our octets as the text we read as the same value, and we read their octets of our text so too.
fn agree<T: PartialEq + Debug>(
    scene: &Scene,
    language: &str,
    value: &T,
    ours: (Bytes, String),
    read: (FromWbxml<T>, FromXml<T>),
) {
    let text = to_xml(scene, language, &ours.0);
    assert_eq!(read.1(&text).as_ref(), Ok(value), "{}", String::from_utf8_lossy(&text));
    let octets = to_wbxml(scene, &ours.1);
    assert_eq!(read.0(&octets).as_ref(), Ok(value), "{octets:02x?}");
}

fn settings_agree(scene: &Scene, settings: &Provisioning) {
    let ours = (settings.to_wbxml(), settings.to_xml());
    agree(scene, "PROV10", settings, ours, (Provisioning::from_wbxml, Provisioning::from_xml));
}

#[test]
fn links_read_alike() {
    let Some(scene) = Scene::with_peers("links_read_alike", &[Peer::Libwbxml]) else { return };
    for signal in [Signal::None, Signal::Low, Signal::Medium, Signal::High, Signal::Delete] {
        for href in ["http://www.mms.example.com/m/n9", "https://a.net/b.org/", "tel:+447700900999"] {
            let si = Indication {
                href: Some(href.to_owned()),
                id: Some("si-1".to_owned()),
                created: Some(1_760_000_000),
                expires: Some(1_760_054_400),
                signal,
                text: "New <picture> & more".to_owned(),
            };
            agree(&scene, "SI10", &si, (si.to_wbxml(), si.to_xml()), (Indication::from_wbxml, Indication::from_xml));
        }
    }
    for loading in [Loading::Low, Loading::High, Loading::Cache] {
        let sl = ServiceLoading { href: "https://www.mms.example/".to_owned(), loading };
        let ours = (sl.to_wbxml(), sl.to_xml());
        agree(&scene, "SL10", &sl, ours, (ServiceLoading::from_wbxml, ServiceLoading::from_xml));
    }
}

#[test]
fn settings_read_alike() {
    let Some(scene) = Scene::with_peers("settings_read_alike", &[Peer::Libwbxml]) else { return };
    let access_point = AccessPoint {
        id: "ap".to_owned(),
        name: "Example MMS".to_owned(),
        apn: "mms.example".to_owned(),
        login: Some(Login { chap: true, name: "user".to_owned(), secret: "a\"<&".to_owned() }),
        internet: true,
    };
    let proxy = Proxy {
        id: "px".to_owned(),
        name: "Proxy".to_owned(),
        address: "10.0.0.1".to_owned(),
        port: 9201,
        service: Some("CO-WSP".to_owned()),
        access_point: "ap".to_owned(),
        start_page: Some("http://wap.example/".to_owned()),
    };
    let account =
        |via| MmsAccount { name: "MMS".to_owned(), url: "http://mms.example/".to_owned(), via }.characteristic();
    settings_agree(
        &scene,
        &Provisioning::new(vec![
            bootstrap("Example"),
            access_point.characteristic(),
            proxy.characteristic(),
            account(Via::Proxy("px".to_owned())),
            account(Via::AccessPoint("ap".to_owned())),
        ]),
    );
    let older = BrowserSettings {
        characteristics: vec![
            OtaCharacteristic::address()
                .with("BEARER", "GPRS")
                .with("PROXY", "10.0.0.1")
                .with("PORT", "9201")
                .with("GPRS_ACCESSPOINTNAME", "mms.example"),
            OtaCharacteristic::mms_url("http://mms.example/"),
            OtaCharacteristic::name("Example"),
            OtaCharacteristic::bookmark("Home", "http://wap.example/").with("ICON", "R0lGODlh"),
        ],
    };
    let ours = (older.to_wbxml(), older.to_xml());
    agree(&scene, "OTA", &older, ours, (BrowserSettings::from_wbxml, BrowserSettings::from_xml));
}

/// Every token that is written is the same word to both.
#[test]
fn tokens_are_the_same_words() {
    let Some(scene) = Scene::with_peers("tokens_are_the_same_words", &[Peer::Libwbxml]) else { return };
    let mut octets = b"\x03\x0b\x6a\0\xc5\x46\x01".to_vec();
    // Both pages' types, each as a characteristic of its own with every name and value in it.
    for page in [0, 1] {
        (0x51..0x5C).for_each(|number| octets.extend([0x86, 0x00, page, number, 0x01]));
    }
    octets.extend([0xC6, 0x00, 0x00, 0x55, 0x01]);
    for page in [0, 1] {
        (0x07..0x40).chain(0x47..0x50).for_each(|number| octets.extend([0x87, 0x00, page, number, 0x01]));
    }
    // libwbxml has its own spelling of B5 and B6.
    for number in (0x85..0xB5).chain(0xB7..0xBB).chain(0xC5..0xE2) {
        octets.extend([0x87, 0x00, 0x00, 0x10, 0x06, number, 0x01]);
    }
    octets.extend([0x01, 0x01]);
    let mut all = Provisioning::from_wbxml(&octets.into()).expect("every token");
    // What has no name is not known to either, and what came later is text.
    all.characteristics.retain(|each| !each.kind.starts_with('#'));
    for each in &mut all.characteristics {
        let known = |text: &str| !text.starts_with('#');
        each.parms.retain(|parm| known(&parm.name) && parm.value.as_deref().is_none_or(known));
    }
    let parms = all.characteristics.last().map_or(0, |each| each.parms.len());
    assert!(all.characteristics.len() > 15 && parms > 100, "{parms} parms");
    settings_agree(&scene, &all);
}
