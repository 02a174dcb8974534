//! A request to smsbox's sendsms, and what its answer means (Kannel user guide, chapter "Setting up a sendsms-user").
//!
//! Octets travel percent-encoded in `udh` and `text`. `coding` says what `text` is: 1 is 8-bit data, which Kannel passes on
//! as they are; 0 and 2 are words, written here in UTF-8, which Kannel brings into the default alphabet or UCS-2.

use packetboat_api::message::Priority;
use packetboat_api::roles::BearerError;
use packetboat_net::bearer::{Content, Piece};
use packetboat_net::callback::percent_encoded;
use packetboat_net::http::{Answer, ErrorKind, HttpError};
use packetboat_sms::Alphabet;

use crate::limits::WORDS;
use crate::settings::KannelSettings;

/// What all requests of one sending have in common.
#[derive(Clone, Copy, Debug)]
pub struct Common<'a> {
    /// The sendsms-user's password.
    pub password: &'a str,
    /// The destination, prefix included.
    pub to: &'a str,
    /// The sender to be shown; Kannel's own when empty.
    pub from: &'a str,
    /// How urgent.
    pub priority: Priority,
    /// For how many minutes it is of use.
    pub validity: u64,
}

impl Common<'_> {
    /// The address to GET. `dlr_url` is where reports go; `%d` and `%F` in it are Kannel's to fill in.
    pub fn url(&self, settings: &KannelSettings, piece: &Piece, dlr_url: Option<&str>) -> String {
        let mut url = settings.url.clone();
        url.push(if url.contains('?') { '&' } else { '?' });
        let (coding, text) = match &piece.content {
            Content::Octets(octets) => ("coding=1", &octets[..]),
            Content::Words(text, Alphabet::Gsm7) => ("coding=0&charset=UTF-8", text.as_bytes()),
            Content::Words(text, Alphabet::Ucs2) => ("coding=2&charset=UTF-8", text.as_bytes()),
        };
        url.push_str(coding);
        let validity = self.validity.to_string();
        let mask = settings.dlr_mask.to_string();
        let fixed = [("username", &settings.username[..]), ("password", self.password), ("to", self.to)];
        let optional = [
            ("from", self.from),
            ("smsc", &settings.smsc),
            ("validity", &validity),
            ("priority", priority(self.priority)),
            ("dlr-mask", dlr_url.map_or("", |_| &mask)),
            ("dlr-url", dlr_url.unwrap_or_default()),
        ];
        let optional = optional.into_iter().filter(|(_, value)| !value.is_empty());
        for (name, value) in fixed.into_iter().chain(optional) {
            parameter(&mut url, name, value.as_bytes());
        }
        if !piece.udh.is_empty() {
            parameter(&mut url, "udh", &piece.udh);
        }
        parameter(&mut url, "text", text);
        url
    }
}

/// Kannel knows 0 to 3, and so does SMPP, where 0 is the usual and 1 to 3 are "priority" in GSM networks (SMPP 3.4 5.2.14).
/// Without one, a message would stand behind those of no urgency in Kannel's queue.
fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "2",
        Priority::Normal | Priority::Low => "0",
    }
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Kannel's words when it took the message.
    pub result: Result<String, BearerError>,
    /// It would rather have fewer.
    pub slower: bool,
}

/// Whether Kannel took the message, and its words.
///
/// smsbox answers 202 with `0: Accepted for delivery` or `3: Queued for later delivery`, 400 for what it will never take,
/// and 503 while no connection of Kannel's can take it. A login it does not know (403) and an address that is not
/// sendsms (404, a redirect) are mistakes of the set-up and no fault of the message: they are tried again until somebody
/// mends them, and health says so meanwhile.
pub fn outcome(answer: Result<Answer, HttpError>) -> Outcome {
    let slower = match &answer {
        Ok(answer) => matches!(answer.status, 429 | 503) || answer.is_success() && number(&answer.text()) == Some(3),
        Err(error) => error.kind == ErrorKind::Timeout,
    };
    Outcome { result: result(answer), slower }
}

fn result(answer: Result<Answer, HttpError>) -> Result<String, BearerError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(HttpError { kind: ErrorKind::Request, detail }) => {
            return Err(BearerError::Permanent { why: format!("no request to Kannel can be made: {detail}") });
        }
        Err(HttpError { detail, .. }) => {
            return Err(BearerError::Retry { after: None, why: format!("Kannel does not answer: {detail}") });
        }
    };
    let after = answer.retry_after();
    let retry = |why: String| Err(BearerError::Retry { after, why });
    let (status, words) = (answer.status, words(&answer.text()));
    match status {
        200..=299 if refusing_code(&words) => Err(BearerError::Permanent { why: format!("Kannel refused: {words}") }),
        200..=299 => Ok(words),
        401 | 403 => retry(format!("Kannel does not let us ({status}): {words}; look at username and password")),
        404 => retry(format!("there is no sendsms at this address (404): {words}; look at url")),
        408 | 429 => retry(format!("Kannel says later ({status}): {words}")),
        400..=499 => Err(BearerError::Permanent { why: format!("Kannel refused ({status}): {words}") }),
        500..=599 => retry(format!("Kannel cannot now ({status}): {words}")),
        _ => retry(format!("not an answer of sendsms ({status}): {words}; look at url")),
    }
}

/// A numbered answer other than "accepted" and "queued". Gateways that imitate Kannel answer without a number.
fn refusing_code(words: &str) -> bool {
    number(words).is_some_and(|number| number != 0 && number != 3)
}

fn number(words: &str) -> Option<u32> {
    words.split_once(':')?.0.trim().parse().ok()
}

/// The first words of a text, on one line.
pub fn words(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(clean).take(WORDS).collect()
}

fn parameter(url: &mut String, name: &str, value: &[u8]) {
    for part in ["&", name, "=", &percent_encoded(value)] {
        url.push_str(part);
    }
}
