//! `[[test]]` blocks: rule files carry their own tests.

use std::path::PathBuf;

use packetboat_api::clock::Timestamp;
use packetboat_api::memory::{Handset, Network};
use packetboat_api::message::{Class, Identity, Priority};
use packetboat_api::mime::Headers;
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::units::ByteSize;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, StrDeserializer};
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};
use toml::value::{Datetime, Offset};

use crate::decision::Outcome;
use crate::facts::{CLASSES, Contents, Facts, KINDS, PRIORITIES, Part, Parts, Remembered, Who};
use crate::limits;
use crate::program::Program;
use crate::toml_reader::{self, Lines, Table as Toml, Value, integer, items};
use crate::unknown;

const KEYS: &[&str] = &[
    "to",
    "from",
    "listener",
    "identity",
    "at",
    "size",
    "subject",
    "class",
    "priority",
    "kind",
    "headers",
    "parts",
    "handset",
    "fetch_rate",
    "expect",
    "reject",
];
/// What a test can say of the recipient's phone.
const HANDSETS: &[&str] = &["direct works", "direct fails", "known"];
const PART_KEYS: &[&str] = &["type", "name", "size"];

/// When a test takes place unless it says so: 2026-01-01T12:00:00Z, a Thursday.
const USUAL_TIME: Timestamp = Timestamp(1_767_268_800_000);

/// How one `[[test]]` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// The file it stands in.
    pub file: PathBuf,
    /// The line it stands at, from 1.
    pub line: usize,
    /// Whether it came out as expected.
    pub ok: bool,
    /// What it expects: `route: direct, wap_push`, `reject: …`, `no rule matches`.
    pub expected: String,
    /// What the rules say.
    pub got: String,
    /// Why they say so, as [`crate::Decision::explain`] puts it; empty when it came out as expected.
    pub explanation: String,
}

/// One `[[test]]`.
#[derive(Debug)]
pub(crate) struct Example {
    file: PathBuf,
    line: usize,
    to: Party,
    from: Option<Party>,
    listener: String,
    identity: Identity,
    now: Timestamp,
    size: u64,
    subject: String,
    class: Class,
    priority: Priority,
    kind: &'static str,
    headers: Headers,
    parts: Vec<(String, String, u64)>,
    handset: Option<Handset>,
    network: Option<Network>,
    expect: Expect,
}

#[derive(Debug)]
enum Expect {
    /// These transports in order.
    Route(Vec<String>),
    /// With this text, if it matters.
    Reject(Option<String>),
    NoRule,
}

impl Example {
    /// Reads a block; `None` when it has been complained about.
    pub(crate) fn read(lines: &Lines, toml: &mut Toml<'_, '_>) -> Option<Example> {
        toml.only(KEYS);
        let to = party(toml, "to");
        if to.is_none() && toml.find("to").is_none() {
            toml.wrong_here("a test needs a recipient: to = \"+447700900123\"");
        }
        let from = party(toml, "from");
        let parts = parts(toml);
        let whole = parts.iter().map(|(_, _, size)| size).fold(0u64, |sum, size| sum.saturating_add(*size));
        let size = toml.find("size").and_then(|value| size(toml, value, "size"));
        let expect = expect(toml);
        let text = |toml: &mut Toml<'_, '_>, key| toml.text(key).map(|(text, _)| text.to_owned()).unwrap_or_default();
        let kind = word(toml, "kind", KINDS).and_then(|word| KINDS.iter().find(|kind| **kind == word));
        let now = at(toml).unwrap_or(USUAL_TIME);
        let (handset, network) = remembered(toml, to.as_ref().and_then(Party::phone), now);
        let example = Example {
            file: toml.source.path.clone(),
            line: lines.line(toml.span.start),
            to: to.unwrap_or_else(|| Party::ShortCode(String::new())),
            from,
            listener: text(toml, "listener"),
            identity: identity(toml),
            now,
            size: size.unwrap_or(whole),
            subject: text(toml, "subject"),
            class: word(toml, "class", CLASSES).and_then(by_word).unwrap_or_default(),
            priority: word(toml, "priority", PRIORITIES).and_then(by_word).unwrap_or_default(),
            kind: kind.copied().unwrap_or("personal"),
            headers: headers(toml),
            parts,
            handset,
            network,
            expect: expect.unwrap_or(Expect::NoRule),
        };
        toml.errors.is_empty().then_some(example)
    }

    /// Asks the program.
    pub(crate) fn run(&self, program: &Program) -> TestResult {
        let parts: Vec<Part<'_>> =
            self.parts.iter().map(|(media, name, size)| Part { media, name, size: *size }).collect();
        let who = Who {
            to: &self.to,
            from: self.from.as_ref(),
            listener: &self.listener,
            identity: &self.identity,
            now: self.now,
        };
        let contents = Contents {
            size: self.size,
            subject: &self.subject,
            class: self.class,
            priority: self.priority,
            kind: self.kind,
            headers: &self.headers,
            parts: Parts::List(&parts),
        };
        let remembered = Remembered { handset: self.handset.as_ref(), network: self.network.as_ref() };
        let decision = program.explain(&Facts { who, contents, remembered });
        let ok = self.expect.fits(&decision.outcome);
        TestResult {
            file: self.file.clone(),
            line: self.line,
            ok,
            expected: self.expect.words(),
            got: decision.outcome.to_string(),
            explanation: if ok { String::new() } else { decision.explain() },
        }
    }
}

impl Expect {
    fn fits(&self, outcome: &Outcome<'_>) -> bool {
        match (self, outcome) {
            (Expect::Route(names), Outcome::Route { steps, .. }) => names.iter().eq(steps.iter().map(|step| &step.via)),
            (Expect::Reject(wanted), Outcome::Reject { text, .. }) => {
                wanted.as_ref().is_none_or(|wanted| wanted == text)
            }
            (Expect::NoRule, Outcome::NoRule) => true,
            _ => false,
        }
    }

    fn words(&self) -> String {
        match self {
            Expect::Route(names) => format!("route: {}", names.join(", then ")),
            Expect::Reject(None) => "reject".to_owned(),
            Expect::Reject(Some(text)) => format!("reject: {text}"),
            Expect::NoRule => Outcome::NoRule.to_string(),
        }
    }
}

/// What is remembered of the recipient: `handset` says what direct delivery came to, `fetch_rate` how much of what its
/// network's phones were told they fetched.
fn remembered(toml: &mut Toml<'_, '_>, phone: Option<&Msisdn>, now: Timestamp) -> (Option<Handset>, Option<Network>) {
    let handset = word(toml, "handset", HANDSETS).zip(phone).map(|(word, phone)| {
        let mut handset = Handset::new(phone.clone(), now);
        match word {
            "direct works" => handset.fetched = Some(now),
            "direct fails" => handset.missed = Some(now),
            _ => {}
        }
        handset
    });
    let rate = toml.find("fetch_rate").and_then(|value| {
        let written = value.get_ref().as_float().and_then(|float| float.as_str().parse::<f64>().ok());
        let rate =
            written.or_else(|| integer(value).map(|whole| whole as f64)).filter(|rate| (0.0..=1.0).contains(rate));
        if rate.is_none() {
            toml.wrong(value.span(), "fetch_rate", "write a share from 0.0 to 1.0");
        }
        rate
    });
    // So many that the share is what was written.
    let network = |rate: f64| Network { fetched: 1e9 * rate, missed: 1e9 * (1.0 - rate), ..Network::new("test", now) };
    (handset, rate.map(network))
}

fn expect(toml: &mut Toml<'_, '_>) -> Option<Expect> {
    let Some(reject) = toml.find("reject") else {
        if toml.find("expect").is_none() {
            toml.wrong_here("say what to expect: expect = [\"direct\"] (or [] for no rule), or reject = true");
        }
        let names: Vec<String> = toml.texts("expect")?.into_iter().map(|(name, _)| name.to_owned()).collect();
        return Some(if names.is_empty() { Expect::NoRule } else { Expect::Route(names) });
    };
    if toml.find("expect").is_some() {
        toml.wrong(reject.span(), "reject", "a test expects either a route or a rejection");
    }
    match reject.get_ref() {
        DeValue::Boolean(true) => Some(Expect::Reject(None)),
        DeValue::String(text) => Some(Expect::Reject(Some(text.to_string()))),
        _ => {
            toml.wrong(reject.span(), "reject", "write true, or the text");
            None
        }
    }
}

fn party(toml: &mut Toml<'_, '_>, key: &str) -> Option<Party> {
    let (text, span) = toml.text(key)?;
    match text.parse() {
        Ok(party) => Some(party),
        Err(what) => {
            toml.wrong(span, key, what);
            None
        }
    }
}

fn identity(toml: &mut Toml<'_, '_>) -> Identity {
    let Some(value) = toml.find("identity") else { return Identity::Anonymous };
    decoded(value).unwrap_or_else(|_| {
        let right = "write \"anonymous\", \"ourselves\", { user = \"bob\" }, { network = \"192.0.2.1\" } or \
                     { subscriber = \"+447700900123\" }";
        toml.wrong(value.span(), "identity", right);
        Identity::Anonymous
    })
}

fn decoded<T: DeserializeOwned>(value: &Value<'_>) -> Result<T, toml::de::Error> {
    T::deserialize(ValueDeserializer::from(Spanned::new(value.span(), value.get_ref().clone())))
}

fn by_word<'t, T: Deserialize<'t>>(word: &'t str) -> Option<T> {
    T::deserialize(StrDeserializer::<ValueError>::new(word)).ok()
}

fn word<'t>(toml: &mut Toml<'_, 't>, key: &str, words: &[&str]) -> Option<&'t str> {
    let (text, span) = toml.text(key)?;
    if words.contains(&text) {
        return Some(text);
    }
    toml.wrong(span, key, unknown(key, text, words.iter().copied()));
    None
}

fn size(toml: &mut Toml<'_, '_>, value: &Value<'_>, key: &str) -> Option<u64> {
    let number = integer(value).and_then(|number| u64::try_from(number).ok());
    let read = match (number, value.get_ref().as_str()) {
        (Some(number), _) => Ok(number),
        (None, Some(text)) => text.parse::<ByteSize>().map(|size| size.0),
        (None, None) => Err("write octets, or a size such as \"300KiB\"".to_owned()),
    };
    read.map_err(|what| toml.wrong(value.span(), key, what)).ok()
}

fn parts(toml: &mut Toml<'_, '_>) -> Vec<(String, String, u64)> {
    let mut parts = Vec::new();
    let Some(value) = toml.find("parts") else { return parts };
    if items(value).len() > limits::TEST_ITEMS {
        toml.wrong(value.span(), "parts", format!("a test has at most {} parts", limits::TEST_ITEMS));
    }
    for item in items(value).into_iter().take(limits::TEST_ITEMS) {
        match item.get_ref() {
            DeValue::String(media) => parts.push((media.to_ascii_lowercase(), String::new(), 0)),
            DeValue::Table(table) => {
                let mut inner = Toml::new(toml.source, "test.parts", item.span(), table);
                inner.only(PART_KEYS);
                let media = inner.text("type").map(|(media, _)| media.to_ascii_lowercase()).unwrap_or_default();
                let name = inner.text("name").map(|(name, _)| name.to_owned()).unwrap_or_default();
                let octets = inner.find("size").and_then(|value| size(&mut inner, value, "size")).unwrap_or(0);
                toml.errors.append(&mut inner.errors);
                parts.push((media, name, octets));
            }
            _ => {
                let what = toml_reader::words(item);
                toml.wrong(
                    item.span(),
                    "parts",
                    format!("this is {what}; write \"image/jpeg\" or {{ type = \"image/jpeg\", size = \"90KiB\" }}"),
                );
            }
        }
    }
    parts
}

fn headers(toml: &mut Toml<'_, '_>) -> Headers {
    let mut headers = Headers::default();
    let Some(value) = toml.find("headers") else { return headers };
    let DeValue::Table(table) = value.get_ref() else {
        toml.wrong(value.span(), "headers", "write { \"X-Name\" = \"value\" }");
        return headers;
    };
    for (name, value) in table.iter().take(limits::TEST_ITEMS) {
        match value.get_ref().as_str() {
            Some(text) => headers.push(name.get_ref().to_string(), text),
            None => toml.wrong(
                value.span(),
                "headers",
                format!("this is {}; write a text in quotes", toml_reader::words(value)),
            ),
        }
    }
    headers
}

fn at(toml: &mut Toml<'_, '_>) -> Option<Timestamp> {
    let value = toml.find("at")?;
    let written = match value.get_ref() {
        DeValue::Datetime(at) => Some(*at),
        DeValue::String(text) => text.parse().ok(),
        _ => None,
    };
    let read = written.and_then(timestamp);
    if read.is_none() {
        toml.wrong(value.span(), "at", "write date and time, such as 2026-01-31T18:30:00Z");
    }
    read
}

/// Without an offset it is UTC, as `now` is.
fn timestamp(at: Datetime) -> Option<Timestamp> {
    let (date, time) = (at.date?, at.time?);
    let minutes = match at.offset {
        Some(Offset::Custom { minutes }) => i64::from(minutes),
        Some(Offset::Z) | None => 0,
    };
    let (year, month, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
    // Days since the epoch, in years that begin in March so that the leap day comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
            - 719_469;
    let second = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    Some(Timestamp::from_seconds(days * 86_400 + second - minutes * 60))
}
