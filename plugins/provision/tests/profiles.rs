//! Profiles become pushes that read as they should, and mistakes in them are named.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use packetboat_api::message::PhoneSettings;
use packetboat_api::roles::SmsBody;
use packetboat_plugin_provision::profile::{Profile, load};
use packetboat_push::Push;
use packetboat_push::ota::BrowserSettings;
use packetboat_push::provisioning::Provisioning;
use packetboat_push::provisioning::security::{Security, Signature};

const DOOR: &str = "http://mms.example.net:8002";

fn profiles(files: &[(&str, &str)]) -> Result<BTreeMap<String, Profile>, String> {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).expect("a file");
    }
    let told = load(directory.path(), directory.path());
    told.map_err(|why| why.replace(&format!("{}/", directory.path().display()), ""))
}

fn profile(text: &str) -> Profile {
    profiles(&[("it.toml", text)]).expect("a profile").remove("it").expect("the profile")
}

fn settings(pin: Option<&str>, imsi: Option<&str>) -> PhoneSettings {
    PhoneSettings { profile: "it".into(), pin: pin.map(str::to_owned), imsi: imsi.map(str::to_owned) }
}

fn push(profile: &Profile, settings: &PhoneSettings) -> Push {
    match profile.body(settings, DOOR, 7).expect("a body").0 {
        SmsBody::Push(octets) => Push::parse(&octets).expect("a push"),
        other => panic!("not a push: {other:?}"),
    }
}

fn document(push: &Push) -> Provisioning {
    Provisioning::from_wbxml(&push.payload).expect("a document")
}

#[test]
fn a_profile_becomes_a_document() {
    let profile = profile("name = \"Own\"\n[access_point]\napn = \"mms.own\"\n");
    let push = push(&profile, &settings(None, None));
    assert_eq!(push.content_type.essence(), Provisioning::MEDIA_TYPE);
    let document = document(&push);
    let kinds: Vec<&str> = document.characteristics.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["BOOTSTRAP", "NAPDEF", "APPLICATION"]);
    let value = |at: usize, name: &str| document.characteristics[at].value(name).unwrap_or("-").to_owned();
    assert_eq!((value(0, "NAME"), value(1, "NAP-ADDRESS")), ("Own".into(), "mms.own".into()));
    assert_eq!(
        (value(2, "APPID"), value(2, "ADDR"), value(2, "TO-NAPID")),
        ("w4".into(), DOOR.into(), value(1, "NAPID"))
    );
}

#[test]
fn a_proxy_and_a_login_are_said() {
    let text = "name = \"Own\"\n[access_point]\napn = \"mms.own\"\nlogin = \"u\"\npassword = { env = \"PATH\" }\n\
                [proxy]\naddress = \"10.0.0.1\"\nport = 9201\nwsp = true\n[mms]\nurl = \"http://other/\"\n";
    let document = document(&push(&profile(text), &settings(None, None)));
    let kinds: Vec<&str> = document.characteristics.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["BOOTSTRAP", "PXLOGICAL", "NAPDEF", "APPLICATION"]);
    let [_, proxy, point, account] = &document.characteristics[..] else { panic!("{document:?}") };
    assert_eq!(account.value("TO-PROXY"), proxy.value("PROXY-ID"));
    assert_eq!(account.value("ADDR"), Some("http://other/"));
    assert_eq!(proxy.children[0].value("PXADDR"), Some("10.0.0.1"));
    assert_eq!(proxy.children[0].children[0].value("SERVICE"), Some("CO-WSP"));
    let login = &point.children[0];
    assert_eq!((login.value("AUTHTYPE"), login.value("AUTHNAME")), (Some("PAP"), Some("u")));
    assert_eq!(login.value("AUTHSECRET"), std::env::var("PATH").ok().as_deref());
}

#[test]
fn a_pin_signs_it() {
    let profile = profile("name = \"Own\"\n[access_point]\napn = \"mms.own\"\n");
    let push = push(&profile, &settings(Some("1234"), None));
    let signature = Signature::of(&push.content_type).expect("a signature");
    assert!(signature.verify(&Security::UserPin("1234".into()), &push.payload));
    assert!(!signature.verify(&Security::UserPin("1235".into()), &push.payload));
    for (pin, imsi, why) in [
        (Some("12"), None, "a PIN has 3 to 10 digits"),
        (Some("12a4"), None, "a PIN has 3 to 10 digits"),
        (None, Some("x"), "an IMSI"),
    ] {
        let error = profile.body(&settings(pin, imsi), DOOR, 7).expect_err(why);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn old_phones_get_browser_settings() {
    let profile = profile("name = \"Own\"\nform = \"ota\"\n[access_point]\napn = \"mms.own\"\n");
    let (body, _) = profile.body(&settings(None, None), DOOR, 7).expect("a body");
    let SmsBody::Data { destination: 49999, octets, .. } = body else { panic!("{body:?}") };
    let push = Push::parse(&octets).expect("a push");
    let settings_sent = BrowserSettings::from_wbxml(&push.payload).expect("settings");
    let address = &settings_sent.characteristics[0];
    assert_eq!(address.parm("GPRS_ACCESSPOINTNAME"), Some("mms.own"));
    assert!(profile.body(&settings(Some("1234"), None), DOOR, 7).expect_err("signed").contains("cannot be signed"));
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (text, expected) in [
        ("nme = \"x\"", "unknown field `nme`"),
        ("name = \"\"\n[access_point]\napn = \"a\"", "it.toml: name is empty"),
        ("name = \"x\"", "missing field `access_point`"),
        ("name = \"x\"\n[access_point]\napn = \"a\"\npassword = { env = \"PATH\" }", "of no use without"),
        ("name = \"x\"\nform = \"xml\"\n[access_point]\napn = \"a\"", "line 2, column 8"),
    ] {
        let why = profiles(&[("it.toml", text)]).expect_err(text);
        assert!(why.starts_with("it.toml: ") && why.contains(expected), "{why}");
    }
    assert!(load(Path::new("/nowhere/at/all"), Path::new("/")).expect("none").is_empty());
    let both =
        profiles(&[("a.toml", "name = \"A\"\n[access_point]\napn = \"a\""), ("notes.txt", "x")]).expect("profiles");
    assert_eq!(both.keys().collect::<Vec<_>>(), ["a"]);
    let _: Bytes = push(&both["a"], &settings(None, None)).payload;
}
