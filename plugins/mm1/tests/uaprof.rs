//! Phones' descriptions as vendors write them, and as they should not.

use packetboat_api::memory::{MAX_ACCEPTED, Profile};
use packetboat_plugin_mm1::limits::{MAX_DEPTH, MAX_MEDIA_TYPE, MAX_NAME};
use packetboat_plugin_mm1::uaprof::read;
use proptest::prelude::*;

const URL: &str = "http://phones.example/p.xml";

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn nokia_style() {
    let expected = Profile {
        url: URL.to_owned(),
        model: "Nokia 6630".to_owned(),
        accepts: strings(&["image/jpeg", "image/gif", "audio/amr", "text/plain", "application/smil", "video/3gpp"]),
        max_size: Some(307_200),
        max_image: Some((1600, 1200)),
        screen: Some((176, 208)),
    };
    assert_eq!(read(include_bytes!("profiles/nokia.xml"), URL), Some(expected));
}

/// Other prefixes, properties as attributes, defaults that stand before what overrides them.
#[test]
fn samsung_style() {
    let expected = Profile {
        url: URL.to_owned(),
        model: "SAMSUNG SM-G900&X".to_owned(),
        accepts: strings(&["image/png", "image/webp", "video/mp4"]),
        max_size: Some(1_048_576),
        max_image: Some((640, 480)),
        screen: Some((1080, 1920)),
    };
    assert_eq!(read(include_bytes!("profiles/samsung.xml"), URL), Some(expected));
}

/// Elements that are not closed or closed by another name, values that cannot be meant, an end in the middle.
#[test]
fn broken_as_far_as_it_goes() {
    let expected = Profile {
        url: URL.to_owned(),
        model: "R & D Phones B-1".to_owned(),
        accepts: strings(&["image/jpeg", "image/gif"]),
        max_size: Some(102_400),
        max_image: Some((640, 480)),
        screen: Some((128, 160)),
    };
    assert_eq!(read(include_bytes!("profiles/broken.xml"), URL), Some(expected));
}

#[test]
fn what_describes_no_phone_is_no_profile() {
    for document in
        ["", "not found", "<html><body><h1>404</h1></body></html>", "<rdf:RDF/>", "<a><Model/></a>", "\0\u{1}<"]
    {
        assert_eq!(read(document.as_bytes(), URL), None, "{document}");
    }
    assert_eq!(read(b"\xff\xfe<\0R\0D\0F\0", URL), None);
}

#[test]
fn entities_are_not_expanded() {
    let bomb = format!(
        "<!DOCTYPE r [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;\">\n<!ENTITY f SYSTEM \"file:///etc/passwd\">]>\
         <r><Model>x&b;&f;y&lt;&#65;&#x110000;</Model></r>",
        "lol".repeat(1000)
    );
    assert_eq!(read(bomb.as_bytes(), URL).expect("a profile").model, "xy<A");
}

#[test]
fn values_and_depth_are_bounded() {
    let types: String = (0..1000).map(|at| format!("<li>image/x-{at}</li>")).collect();
    let long = "ü".repeat(100_000);
    let document =
        format!("<r><Model>{long}</Model><MmsCcppAccept><Bag><li>image/{long}</li>{types}</Bag></MmsCcppAccept></r>");
    let profile = read(document.as_bytes(), URL).expect("a profile");
    assert_eq!((profile.model.len(), profile.accepts.len()), (MAX_NAME, MAX_ACCEPTED));

    let deep = |levels: usize| format!("{}<Model>x</Model>", "<a>".repeat(levels));
    assert!(read(deep(MAX_DEPTH - 1).as_bytes(), URL).is_some());
    assert!(read(deep(MAX_DEPTH).as_bytes(), URL).is_none());
    // What would take the square of its length somewhere is done with before anybody notices.
    let wide = format!("<r {}><Model>x</Model></r>", (0..20_000).map(|at| format!("a{at}='' ")).collect::<String>());
    assert!(read(wide.as_bytes(), URL).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any mixture of what profiles are made of gives a bounded profile or none.
    #[test]
    fn anything_is_read_or_not(pieces in prop::collection::vec(
        prop_oneof![
            Just("<rdf:Description Model='m' x".to_owned()), Just("<Vendor>".to_owned()), Just("</Vendor>".to_owned()),
            Just("<MmsCcppAccept>".to_owned()), Just("<rdf:Bag><rdf:li>".to_owned()), Just("</rdf:li>".to_owned()),
            Just("<Defaults>".to_owned()), Just("</".to_owned()), Just("<!--".to_owned()), Just("<![CDATA[".to_owned()),
            Just("]]>".to_owned()), Just("&#0;".to_owned()), Just("&amp".to_owned()), Just("<?xml".to_owned()),
            Just("<!DOCTYPE a [".to_owned()), Just("<ScreenSize>1x1".to_owned()), Just("image/gif".to_owned()), ".{0,12}",
        ], 0..64))
    {
        if let Some(profile) = read(pieces.concat().as_bytes(), URL) {
            prop_assert!(profile.model.len() <= 2 * MAX_NAME + 1 && profile.accepts.len() <= MAX_ACCEPTED);
            prop_assert!(profile.accepts.iter().all(|media| media.len() <= MAX_MEDIA_TYPE && media.contains('/')));
        }
    }

    #[test]
    fn any_octets_are_read_or_not(octets in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(read(&octets, URL).is_none_or(|profile| profile.url == URL));
    }
}
