//! Who a phone is: the table of what counts and what does not (I-7, cases A-14, B-01).

use std::net::IpAddr;
use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};
use packetboat_api::numbers::NumberPlan;
use packetboat_plugin_mm1::identity::Identities;
use packetboat_plugin_mm1::settings::Mm1Settings;

const BOB: &str = "+447700900123";
const CAROL: &str = "+447700900124";
const SUBSCRIBERS: &str = r#"
    [[subscriber]]
    number = "+447700900123"
    secret = "SecretOfNumber123"
    [[subscriber]]
    number = "+447700900124"
    addresses = ["10.45.0.7", "2001:db8::7"]
"#;

fn load(subscribers: &str, settings: Mm1Settings, numbers: &NumberPlan) -> Result<Identities, String> {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("subscribers.toml"), subscribers).expect("a file");
    let settings = Mm1Settings { subscribers: Some("subscribers.toml".into()), ..settings };
    Identities::load(&settings, numbers, directory.path()).map_err(|(key, message)| {
        assert_eq!(key, "subscribers");
        message
    })
}

fn british() -> NumberPlan {
    NumberPlan {
        country_code: Some("44".to_owned()),
        international_prefix: Some("00".to_owned()),
        national_prefix: Some("0".to_owned()),
        national_lengths: vec![10],
    }
}

fn known(numbers: &NumberPlan) -> Identities {
    let proxies = ["10.20.0.0/16", "2001:db8:20::/48"].map(|net| net.parse().expect("a network"));
    let settings = Mm1Settings { trusted_proxies: proxies.to_vec(), ..Mm1Settings::default() };
    load(SUBSCRIBERS, settings, numbers).expect("subscribers")
}

fn who(known: &Identities, peer: &str, path: &str, fields: &[(&str, &str)]) -> Option<String> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    let peer: IpAddr = peer.parse().expect("an address");
    known.who(peer, path, &headers).map(|number| number.to_string())
}

#[test]
fn who_a_request_is_from() {
    let known = known(&british());
    let (anybody, phone, proxy) = ("192.0.2.1", "10.45.0.7", "10.20.3.4");
    let secret = "/mms/SecretOfNumber123";
    for (what, peer, path, fields, expected) in [
        ("a secret", anybody, secret, &[][..], Some(BOB)),
        ("a secret and more", anybody, "/mms/SecretOfNumber123/x", &[], Some(BOB)),
        ("a secret, whatever else is said", proxy, secret, &[("X-MSISDN", CAROL)], Some(BOB)),
        ("a wrong secret", anybody, "/mms/SecretOfNumber124", &[], None),
        ("a wrong secret from a known address", phone, "/mms/Guess", &[], None),
        ("a wrong secret from a proxy that says who", proxy, "/mms/Guess", &[("X-MSISDN", BOB)], None),
        ("no secret", anybody, "/mms/", &[], None),
        ("no secret from a known address", phone, "/mms/", &[], Some(CAROL)),
        ("a known address", phone, "/", &[], Some(CAROL)),
        ("the same on a dual-stack socket", "::ffff:10.45.0.7", "/", &[], Some(CAROL)),
        ("a known IPv6 address", "2001:db8::7", "/", &[], Some(CAROL)),
        ("a known address that claims to be another", phone, "/", &[("X-MSISDN", BOB)], Some(CAROL)),
        ("anybody who claims", anybody, "/", &[("X-MSISDN", BOB)], None),
        (
            "anybody who claims to come from a proxy",
            anybody,
            "/",
            &[("X-MSISDN", BOB), ("X-Forwarded-For", proxy)],
            None,
        ),
        ("a proxy that says who", proxy, "/", &[("X-MSISDN", BOB)], Some(BOB)),
        ("on a dual-stack socket", "::ffff:10.20.3.4", "/", &[("X-MSISDN", BOB)], Some(BOB)),
        ("a proxy on IPv6", "2001:db8:20::1", "/", &[("X-MSISDN", BOB)], Some(BOB)),
        ("in another field", proxy, "/", &[("x-up-calling-line-id", BOB)], Some(BOB)),
        ("in a field that is not listed", proxy, "/", &[("X-Other", BOB)], None),
        ("a proxy that does not say", proxy, "/", &[], None),
        ("a proxy that says nonsense", proxy, "/", &[("X-MSISDN", "whoever")], None),
        ("without a plus", proxy, "/", &[("X-MSISDN", "447700900123")], Some(BOB)),
        ("national", proxy, "/", &[("X-MSISDN", "07700900123")], Some(BOB)),
        ("with a type", proxy, "/", &[("X-MSISDN", "+447700900123/TYPE=PLMN")], Some(BOB)),
        ("as a tel URI", proxy, "/", &[("X-MSISDN", " tel:+447700900123")], Some(BOB)),
        ("twice the same", proxy, "/", &[("X-MSISDN", BOB), ("X-MDN", "447700900123")], Some(BOB)),
        ("the phone's word beside the proxy's", proxy, "/", &[("X-MSISDN", BOB), ("X-MSISDN", CAROL)], None),
        ("the same in one field", proxy, "/", &[("X-MSISDN", "447700900123, 447700900124")], None),
        ("the same in two fields", proxy, "/", &[("X-WAP-Network-Client-MSISDN", CAROL), ("X-MSISDN", BOB)], None),
        ("nonsense beside the proxy's word", proxy, "/", &[("X-MDN", "unknown"), ("X-MSISDN", BOB)], Some(BOB)),
    ] {
        assert_eq!(who(&known, peer, path, fields).as_deref(), expected, "{what}");
    }
}

/// What a number without plus and zero is, only a plan that knows how long national numbers are can say.
#[test]
fn numbers_of_ten_digits_are_national_where_national_numbers_have_ten() {
    let american =
        NumberPlan { country_code: Some("1".to_owned()), national_lengths: vec![10], ..NumberPlan::default() };
    let field = |number| [("X-MDN", number)];
    let here = known(&american);
    assert_eq!(who(&here, "10.20.0.1", "/", &field("5551234567")).as_deref(), Some("+15551234567"));
    assert_eq!(who(&here, "10.20.0.1", "/", &field("15551234567")).as_deref(), Some("+15551234567"));
    assert_eq!(who(&here, "10.20.0.1", "/", &field("447700900123")).as_deref(), Some(BOB), "a guest");
    let anywhere = known(&NumberPlan::default());
    assert_eq!(who(&anywhere, "10.20.0.1", "/", &field("447700900123")).as_deref(), Some(BOB));
    assert_eq!(who(&anywhere, "10.20.0.1", "/", &field("07700900123")), None);
}

#[test]
fn mistakes_in_the_subscribers_file_are_named() {
    let table = |text: &str| format!("[[subscriber]]\n{text}\n");
    let twice = |text: &str| {
        table(&format!("number = \"+447700900123\"\n{text}")) + &table(&format!("number = \"+447700900124\"\n{text}"))
    };
    for (file, owed) in [
        (table("number = \"07700900123\""), "is not an international number"),
        (table("secret = \"SecretOfNumber123\""), "is not an international number"),
        (table("number = \"+447700900123\"\nsecret = \"short\""), "16 or more letters and digits"),
        (table("number = \"+447700900123\"\nsecret = \"with/slash/and/more\""), "16 or more letters and digits"),
        (table("number = \"+447700900123\"\nsecrte = \"SecretOfNumber123\""), "did you mean \"secret\""),
        (table("number = \"+447700900123\"\naddresses = [\"10.0.0.0/8\"]"), "subscribers.toml:3:14"),
        (twice("secret = \"SecretOfNumber123\""), "another subscriber's too"),
        (twice("addresses = [\"10.0.0.1\"]"), "another subscriber's too"),
        ("subscriber = 5\n".to_owned(), "subscribers.toml:1:14"),
        ("[subscriber\n".to_owned(), "subscribers.toml:1:"),
    ] {
        let error = load(&file, Mm1Settings::default(), &british()).err().unwrap_or_default();
        assert!(error.contains(owed), "{file}gives {error}");
        assert!(!error.contains("SecretOfNumber123"), "a secret is never printed: {error}");
    }
    let missing = Mm1Settings { subscribers: Some("nowhere.toml".into()), ..Mm1Settings::default() };
    let error = Identities::load(&missing, &british(), Path::new("/nowhere")).err().expect("an error");
    assert!(error.1.contains("/nowhere/nowhere.toml cannot be read"));
}
