//! What request headers show, as phones and gateways write them.

use http::{HeaderMap, HeaderName, HeaderValue};
use packetboat_api::memory::{MAX_ACCEPTED, MAX_USER_AGENT};
use packetboat_plugin_mm1::limits::{MAX_MEDIA_TYPE, MAX_PROFILE_URL};
use packetboat_plugin_mm1::sighting::{Look, profile_url};

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().expect("a name"), HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
    };
    fields.iter().map(field).collect()
}

fn profile(fields: &[(&str, &str)]) -> Option<String> {
    profile_url(&headers(fields)).map(str::to_owned)
}

#[test]
fn nothing_shown_is_nothing_seen() {
    assert_eq!(Look::of(&HeaderMap::new()), Look::default());
    assert_eq!(Look::of(&headers(&[("User-Agent", "  "), ("Accept", ", ;"), ("x-wap-profile", "")])), Look::default());
}

#[test]
fn user_agent_is_bounded_and_need_not_be_text() {
    let agent = |value: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", HeaderValue::from_bytes(value).expect("a value"));
        Look::of(&headers).sighting.user_agent
    };
    assert_eq!(agent(b" Nokia6630/1.0 ").as_deref(), Some("Nokia6630/1.0"));
    assert_eq!(agent(b"T\xe9l\xe9").as_deref(), Some("T\u{fffd}l\u{fffd}"));
    let long = agent("ü".repeat(1000).as_bytes()).expect("an agent");
    assert!(long.len() <= MAX_USER_AGENT && long.len() > MAX_USER_AGENT - 4);
}

#[test]
fn accept_gives_types_without_parameters_each_once() {
    let accepts = |values: &[&str]| {
        let fields: Vec<_> = values.iter().map(|value| ("accept", *value)).collect();
        Look::of(&headers(&fields)).sighting.accepts
    };
    assert_eq!(
        accepts(&[
            "*/*;q=0.1, Application/VND.wap.mms-message; level=1,image/*",
            " text/plain;charset=\"utf-8\",, image/*"
        ]),
        ["*/*", "application/vnd.wap.mms-message", "image/*", "text/plain"]
    );
    assert_eq!(
        accepts(&["video/mp4;q=0, audio/amr; Q=0.000, image/gif;q=0.001, image/png;q=x"]),
        ["image/gif", "image/png"]
    );
    let long = format!("image/{}", "x".repeat(MAX_MEDIA_TYPE));
    assert_eq!(accepts(&["nonsense, /, a/, /b, a/b/c, a b/c, tëxt/plain", &long]), [""; 0]);
    let many = (0..1000).map(|at| format!("image/x-{at}")).collect::<Vec<_>>().join(", ");
    assert_eq!(accepts(&[&many]).len(), MAX_ACCEPTED);
}

#[test]
fn profiles_are_named_in_many_ways() {
    const URL: &str = "http://nds1.nds.nokia.com/uaprof/N6630r100.xml";
    for fields in [
        &[("x-wap-profile", "\"http://nds1.nds.nokia.com/uaprof/N6630r100.xml\"")][..],
        &[("X-Wap-Profile", URL)],
        &[("Profile", URL)],
        &[("profile", "\"1-uKhJE/AEeeMzFSejsYshHg==\", \"http://nds1.nds.nokia.com/uaprof/N6630r100.xml\"")],
        &[("x-wap-profile", "http://nds1.nds.nokia.com/uaprof/N6630r100.xml,http://proxy.example/p.rdf")],
        &[(
            "x-wap-profile",
            "\"http://nds1.nds.nokia.com/uaprof/N6630r100.xml\",\"http://proxy.example/p.rdf\", \"1-x\"",
        )],
        &[("x-wap-profile", " <http://nds1.nds.nokia.com/uaprof/N6630r100.xml>; ")],
        &[("x-wap-profile", "urn://none"), ("x-wap-profile", URL)],
        &[("x-wap-profile", "http://"), ("profile", URL)],
        &[("Opt", "\"http://www.w3.org/1999/06/24-CCPPexchange\" ; ns=19"), ("19-Profile", URL)],
        &[
            ("Opt", "\"http://other.example/\"; ns=11, \"http://www.w3.org/1999/06/24-CCPPexchange\"; ns=\"80\""),
            ("80-profile", URL),
        ],
        &[("Man", "http://www.w3.org/1999/06/24-ccppexchange ; NS=1"), ("1-profile", URL)],
    ] {
        assert_eq!(profile(fields).as_deref(), Some(URL), "{fields:?}");
    }
    assert_eq!(
        profile(&[("profile", "\"HTTPS://x.example/a,b?c=d;e\"")]).as_deref(),
        Some("HTTPS://x.example/a,b?c=d;e")
    );
}

#[test]
fn what_is_no_profile_is_none() {
    let long = format!("http://x.example/{}", "x".repeat(MAX_PROFILE_URL));
    for fields in [
        &[("x-wap-profile", "1-uKhJE/AEeeMzFSejsYshHg==")][..],
        &[("x-wap-profile", "\"\"")],
        &[("x-wap-profile", "file:///etc/passwd, ftp://x.example/ xhttp:/ ://")],
        &[("x-wap-profile", "gopherhttp://x.example/")],
        &[("x-wap-profile", "http://\u{e9}.example/")],
        &[("x-wap-profile", &long)],
        &[("19-Profile", "http://x.example/")],
        &[("Opt", "\"http://www.w3.org/1999/06/24-CCPPexchange\""), ("19-Profile", "http://x.example/")],
        &[
            ("Opt", "\"http://www.w3.org/1999/06/24-CCPPexchange\"; ns=x-wap"),
            ("x-wap-profile-diff", "http://x.example/"),
        ],
        &[("Opt", "\"http://www.w3.org/1999/06/24-CCPPexchange\"; ns=99999"), ("99999-Profile", "http://x.example/")],
    ] {
        assert_eq!(profile(fields), None, "{fields:?}");
    }
}
