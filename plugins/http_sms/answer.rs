//! What a gateway's answer means.
//!
//! In this order: `temporary` and `permanent` are looked for in the body; then the status decides, and for a status that says
//! success what `success.matches` wants. 408, 425, 429 and 5xx are tried again, after Retry-After when it is said. 401, 403
//! and 404 are mistakes of the set-up and no fault of the message: they are tried again, and health says so. Other 4xx are for
//! good.

use packetboat_api::roles::BearerError;
use packetboat_net::http::{Answer, ErrorKind, HttpError};
use regex::Regex;

use crate::limits::{ID, WORDS};
use crate::settings::HttpSmsSettings;

/// How answers are read.
#[derive(Clone, Debug)]
pub struct Reading {
    statuses: Vec<Statuses>,
    success: Option<(String, Regex)>,
    temporary: Option<Regex>,
    permanent: Option<Regex>,
    id: Option<Place>,
}

/// One status, or a class of them.
#[derive(Clone, Copy, Debug)]
enum Statuses {
    One(u16),
    Class(u16),
}

/// Where something stands in an answer.
#[derive(Clone, Debug)]
enum Place {
    Json(String),
    Regex(Regex),
    Header(String),
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The gateway's id or words when it took the message.
    pub result: Result<String, BearerError>,
    /// It would rather have fewer.
    pub slower: bool,
}

impl Reading {
    /// By the settings. An error is `(key, message)`.
    pub fn new(settings: &HttpSmsSettings) -> Result<Reading, (&'static str, String)> {
        let mut statuses = Vec::new();
        for text in &settings.success.status {
            statuses.push(status(text).ok_or_else(|| {
                ("success.status", format!("\"{text}\" is not a status such as \"200\" or a class such as \"2xx\""))
            })?);
        }
        if statuses.is_empty() {
            return Err(("success.status", "without a status nothing succeeds; write [\"2xx\"]".to_owned()));
        }
        if !settings.success.json.is_empty() && settings.success.matches.is_empty() {
            let message = "says where, and success.matches does not say what; write \".\" for anything".to_owned();
            return Err(("success.json", message));
        }
        pointer("success.json", &settings.success.json)?;
        let matches = expression("success.matches", &settings.success.matches)?;
        let place = &settings.id;
        pointer("id.json", &place.json)?;
        let mut places = Vec::new();
        places.extend((!place.json.is_empty()).then(|| Place::Json(place.json.clone())));
        places.extend(expression("id.regex", &place.regex)?.map(Place::Regex));
        places.extend((!place.header.is_empty()).then(|| Place::Header(place.header.clone())));
        if places.len() > 1 {
            return Err(("id", "is in one place; leave json, regex or header out".to_owned()));
        }
        Ok(Reading {
            statuses,
            success: matches.map(|matches| (settings.success.json.clone(), matches)),
            temporary: expression("temporary", &settings.temporary)?,
            permanent: expression("permanent", &settings.permanent)?,
            id: places.pop(),
        })
    }

    /// Reads one.
    pub fn read(&self, answer: Result<Answer, HttpError>) -> Outcome {
        let retry = |why: String| BearerError::Retry { after: None, why };
        let answer = match answer {
            Ok(answer) => answer,
            Err(HttpError { kind: ErrorKind::Request, detail }) => {
                let why = format!("no request to the gateway can be made: {detail}");
                return Outcome { result: Err(BearerError::Permanent { why }), slower: false };
            }
            Err(HttpError { kind, detail }) => {
                let why = format!("the gateway does not answer: {detail}");
                return Outcome { result: Err(retry(why)), slower: kind == ErrorKind::Timeout };
            }
        };
        let said = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(&answer.text()));
        let later = said(&self.temporary);
        let result = match later {
            true => Err(BearerError::Retry { after: answer.retry_after(), why: told("says later", &answer) }),
            false if said(&self.permanent) => Err(BearerError::Permanent { why: told("refused", &answer) }),
            false => self.by_status(&answer),
        };
        Outcome { result, slower: later || matches!(answer.status, 429 | 503) }
    }

    fn by_status(&self, answer: &Answer) -> Result<String, BearerError> {
        let retry = |why: String| Err(BearerError::Retry { after: answer.retry_after(), why });
        let is_success = |statuses: &Statuses| match statuses {
            Statuses::One(one) => answer.status == *one,
            Statuses::Class(class) => answer.status / 100 == *class,
        };
        if self.statuses.iter().any(is_success) {
            return match self.wanted(answer) {
                true => Ok(self.id(answer).unwrap_or_else(|| words(&answer.text()))),
                false => retry(told("does not say that it took the message", answer)),
            };
        }
        match answer.status {
            401 | 403 => retry(told("does not let us", answer) + "; look at user, password and secrets"),
            404 => retry(told("has nothing at this address", answer) + "; look at url"),
            408 | 425 | 429 => retry(told("says later", answer)),
            400..=499 => Err(BearerError::Permanent { why: told("refused", answer) }),
            500..=599 => retry(told("cannot now", answer)),
            _ => retry(told("gave no answer of a gateway", answer) + "; look at url and success.status"),
        }
    }

    /// Whether the body says what success has to say.
    fn wanted(&self, answer: &Answer) -> bool {
        let Some((place, pattern)) = &self.success else { return true };
        match place.as_str() {
            "" => pattern.is_match(&answer.text()),
            place => at(&answer.body, place).is_some_and(|value| pattern.is_match(&value)),
        }
    }

    fn id(&self, answer: &Answer) -> Option<String> {
        let id = match self.id.as_ref()? {
            Place::Json(place) => at(&answer.body, place),
            Place::Regex(pattern) => {
                let text = answer.text();
                let found = pattern.captures(&text)?;
                found.get(1).or_else(|| found.get(0)).map(|id| id.as_str().to_owned())
            }
            Place::Header(name) => answer.headers.get(name)?.to_str().ok().map(str::to_owned),
        };
        id.map(|id| id.chars().filter(|c| !c.is_control()).take(ID).collect()).map(|id: String| format!("id {id}"))
    }
}

fn told(what: &str, answer: &Answer) -> String {
    format!("the gateway {what} ({}): {}", answer.status, words(&answer.text()))
}

fn status(text: &str) -> Option<Statuses> {
    let class = text.strip_suffix("xx").and_then(|digit| digit.parse().ok()).filter(|digit| (1..=5).contains(digit));
    let one = || text.parse().ok().filter(|status| (100..=599).contains(status));
    class.map(Statuses::Class).or_else(|| one().map(Statuses::One))
}

/// Whether it is a JSON pointer (RFC 6901), or empty.
fn pointer(key: &'static str, text: &str) -> Result<(), (&'static str, String)> {
    match text.is_empty() || text.starts_with('/') {
        true => Ok(()),
        false => Err((key, format!("\"{text}\" is not a JSON pointer; write \"/{text}\""))),
    }
}

/// The regular expression of a setting; `None` when it is empty.
fn expression(key: &'static str, text: &str) -> Result<Option<Regex>, (&'static str, String)> {
    if text.is_empty() {
        return Ok(None);
    }
    Regex::new(text).map(Some).map_err(|error| (key, format!("is not a regular expression: {error}")))
}

/// The value at a JSON pointer, as words; `None` when there is none.
fn at(body: &[u8], place: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    match body.pointer(place)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// The first words of a text, on one line.
pub fn words(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(clean).take(WORDS).collect()
}
