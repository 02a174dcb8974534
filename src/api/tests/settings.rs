//! Mistakes in a config file are named with their place and the nearest valid key (I-9).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use packetboat_api::numbers::NumberPlan;
use packetboat_api::serve::Listen;
use packetboat_api::settings::{NoSettings, Secret, Section, Settings, Source, unknown};
use packetboat_api::units::{ByteSize, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Sample {
    #[serde(flatten)]
    listen: Listen,
    domains: Vec<String>,
    aliases: BTreeMap<String, String>,
    patience: Period,
    largest: ByteSize,
    attempts: u32,
    strict: bool,
    colour: Colour,
    secret: Option<Secret>,
    inner: Inner,
    items: Vec<Inner>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Inner {
    name: String,
    depth: Option<Period>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    #[default]
    Red,
    Green,
}

impl Default for Sample {
    fn default() -> Self {
        Sample {
            listen: Listen::default(),
            domains: Vec::new(),
            aliases: BTreeMap::new(),
            patience: Period::seconds(30),
            largest: ByteSize::kib(300),
            attempts: 3,
            strict: true,
            colour: Colour::Red,
            secret: None,
            inner: Inner::default(),
            items: Vec::new(),
        }
    }
}

/// Decodes `text` as the table `sample` of `x.toml`; the mistakes as they are printed.
fn decode<S: Settings>(text: &str) -> Result<S, Vec<String>> {
    let source = Source { path: PathBuf::from("x.toml"), text: text.to_owned() };
    let root = source.parse().map_err(|e| vec![e.to_string()])?;
    let table = root.get_ref().clone();
    let section = Section { source: &source, key: "sample".to_owned(), span: root.span(), table };
    section.decode::<S>().map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The mistakes of a text that has some.
#[track_caller]
fn mistakes(text: &str) -> Vec<String> {
    decode::<Sample>(text).expect_err("a mistake")
}

#[test]
fn all_keys_are_read() {
    let text = r#"
        listen = ["127.0.0.1:25"]
        max_connections = 7
        domains = ["a", "b"]
        aliases = { door = "+447700900123" }
        patience = "1m30s"
        largest = "2MiB"
        attempts = 5
        strict = false
        colour = "green"
        secret = { env = "HOME" }
        inner = { name = "x", depth = "2s" }
        [[items]]
        name = "y"
    "#;
    let read: Sample = decode(text).expect("no mistake");
    assert_eq!((read.listen.listen.len(), read.listen.max_connections), (1, Some(7)));
    assert_eq!((read.domains.len(), read.aliases.len(), read.attempts, read.strict), (2, 1, 5, false));
    assert_eq!((read.patience, read.largest), (Period::seconds(90), ByteSize::mib(2)));
    assert_eq!((read.colour, read.inner.depth, read.items.len()), (Colour::Green, Some(Period::seconds(2)), 1));
    assert_eq!(read.secret, Some(Secret::Env("HOME".to_owned())));
    let left_out: Sample = decode("").expect("no mistake");
    assert_eq!(left_out.attempts, 3);
}

#[test]
fn unknown_keys_name_the_nearest() {
    let text = "domain = [\"a\"]\nattempts = 2\n  lissten = []\ninner = { nmae = \"x\" }\n[[items]]\ndpth = \"2s\"\n";
    let found = mistakes(text);
    let expected = [
        "x.toml:1:1: sample.domain: unknown key \"domain\"; did you mean \"domains\"?",
        "x.toml:3:3: sample.lissten: unknown key \"lissten\"; did you mean \"listen\"?",
        "x.toml:4:11: sample.inner.nmae: unknown key \"nmae\"; did you mean \"name\"?",
        "x.toml:6:1: sample.items.dpth: unknown key \"dpth\"; did you mean \"depth\"?",
    ];
    for line in expected {
        assert!(found.iter().any(|it| it == line), "{line}\nis not among\n{}", found.join("\n"));
    }
    assert_eq!(found.len(), expected.len());
    assert!(unknown("qqqq", ["one", "two"].into_iter()).ends_with("valid here: one, two"));
    let none = decode::<NoSettings>("x = 1").expect_err("a mistake");
    assert_eq!(none, ["x.toml:1:1: sample.x: unknown key \"x\"; there are no keys here"]);
}

/// A wrong value is named with the place of the value, also in a flattened part and in a table of a table.
#[test]
fn wrong_values_have_a_place() {
    for (text, place, says) in [
        ("attempts = \"many\"", "1:12", "attempts"),
        ("\nattempts = -1", "2:12", "a whole number"),
        ("domains = \"a\"", "1:11", "expected a list"),
        ("domains = [\"a\", 5]", "1:17", "domains"),
        ("patience = \"soon\"", "1:12", "not a span of time"),
        ("patience = 30", "1:12", "patience"),
        ("largest = \"10 elephants\"", "1:11", "not a size"),
        ("strict = \"yes\"", "1:10", "strict"),
        ("colour = \"blue\"", "1:10", "red"),
        ("strict = true\nlisten = \"0.0.0.0:25\"", "2:10", "listen"),
        ("max_connections = \"many\"", "1:19", "max_connections"),
        ("inner = { name = 5 }", "1:18", "inner.name"),
        ("inner = 5", "1:9", "expected a table"),
        ("[[items]]\n[[items]]\ndepth = true", "3:9", "items.depth"),
        ("aliases = { door = 7 }", "1:20", "aliases.door"),
        ("secret = \"pass\"", "1:10", "secret"),
    ] {
        let found = mistakes(text);
        let line = found.first().map_or("", String::as_str);
        assert!(line.starts_with(&format!("x.toml:{place}: sample")), "{text:?} gives {line}");
        assert!(line.contains(says), "{text:?} gives {line}");
        assert_eq!(found.len(), 1, "{text:?} gives {found:?}");
    }
}

#[test]
fn an_error_about_a_key_stands_where_the_key_does() {
    let text = "attempts = 3\n[inner]\nname = \"x\"\n";
    let source = Source { path: Path::new("x.toml").into(), text: text.into() };
    let parsed = source.parse().unwrap();
    let section = Section { source: &source, key: "sample".into(), span: 0..1, table: parsed.get_ref().clone() };
    for (key, place) in [("attempts", (1, 1)), ("inner.name", (3, 1)), ("inner.depth", (2, 2)), ("domains", (1, 1))] {
        let error = section.error(key, "no");
        assert_eq!((error.place, error.key), (Some(place), format!("sample.{key}")));
    }
}

#[test]
fn what_is_not_toml_has_a_place() {
    assert!(mistakes("a = 1\na = 2\n")[0].starts_with("x.toml:2:"), "a key that is there twice");
    assert!(mistakes("a = \n")[0].starts_with("x.toml:1:"));
    assert!(mistakes("\n\n[x\n")[0].starts_with("x.toml:3:"));
}

#[test]
fn places_count_characters() {
    let source = Source { path: PathBuf::new(), text: "é = 1\nab\r\nc".to_owned() };
    assert_eq!(source.place(0), (1, 1));
    assert_eq!(source.place(3), (1, 3), "after the two octets of é and a blank");
    assert_eq!(source.place(7), (2, 1));
    assert_eq!(source.place(9999), (3, 2), "beyond the end is the end");
}

#[test]
fn secrets_are_read_and_never_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
    file("good", "hunter2\r\nsecond line\n");
    file("empty", "\n");
    let read = |name: &str| Secret::File(PathBuf::from(name)).read(directory.path());
    assert_eq!(read("good").as_deref(), Ok("hunter2"));
    assert!(read("empty").is_err_and(|e| e.contains("nothing in its first line")));
    assert!(read("missing").is_err_and(|e| e.contains("missing")));
    assert!(Secret::Env("PACKETBOAT_NO_SUCH".to_owned()).read(Path::new("")).is_err_and(|e| e.contains("is not set")));
    let shown = format!("{:?}", Secret::File(PathBuf::from("good")));
    assert!(!shown.contains("hunter2"));
}

#[test]
fn impossible_listeners_and_number_plans_are_named() {
    let listen = |address: &str| Listen { listen: vec![address.to_owned()], ..Listen::default() }.check();
    for good in ["0.0.0.0:25", "[::]:25", "localhost:0", "mms.example.net:8002"] {
        assert_eq!(listen(good), Ok(()), "{good}");
    }
    for bad in ["25", ":25", "0.0.0.0", "[::]", "host:port", "host:99999", ""] {
        assert!(listen(bad).is_err_and(|(key, _)| key == "listen"), "{bad}");
    }
    let nobody = Listen { max_connections: Some(0), ..Listen::default() };
    assert!(nobody.check().is_err_and(|(key, _)| key == "max_connections"));

    let plan = NumberPlan { country_code: Some("44".to_owned()), national_lengths: vec![10], ..NumberPlan::default() };
    assert_eq!(plan.check(), Ok(()));
    assert_eq!(NumberPlan::default().check(), Ok(()));
    for (code, key) in [("+44", "country_code"), ("", "country_code"), ("UK", "country_code")] {
        let plan = NumberPlan { country_code: Some(code.to_owned()), ..NumberPlan::default() };
        assert!(plan.check().is_err_and(|(at, _)| at == key), "{code}");
    }
    assert!(NumberPlan { national_lengths: vec![0], ..plan.clone() }.check().is_err());
    assert!(
        NumberPlan { national_lengths: vec![14], ..plan }.check().is_err(),
        "more than fifteen with the country code"
    );
}
