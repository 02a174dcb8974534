//! A request to smsbox's sendsms, and what its answer means (Kannel user guide, chapter "Setting up a sendsms-user").
//!
//! Octets travel percent-encoded in `udh` and `text`; `coding=1` says that they are 8-bit data, so that Kannel passes
//! them on as they are.

use std::fmt::Write;
use std::time::Duration;

use packetboat_api::roles::BearerError;
use packetboat_net::http::{Answer, ErrorKind, HttpError};

use crate::limits::WORDS;
use crate::settings::KannelSettings;

/// One short message, or one whole push that Kannel cuts itself.
#[derive(Clone, Copy, Debug)]
pub struct SendSms<'a> {
    /// The sendsms-user's password.
    pub password: &'a str,
    /// The destination, prefix included.
    pub to: &'a str,
    /// User data header, its length octet included.
    pub udh: &'a [u8],
    /// User data behind the header.
    pub text: &'a [u8],
    /// How long it is of use.
    pub validity: Duration,
    /// Where receipts go; `%d` and `%F` are Kannel's to fill in.
    pub dlr_url: Option<&'a str>,
}

impl SendSms<'_> {
    /// The address to GET.
    pub fn url(&self, settings: &KannelSettings) -> String {
        let mut url = settings.url.clone();
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str("coding=1");
        let validity = (self.validity.as_secs() / 60).max(1).to_string(); // in minutes
        let mask = settings.dlr_mask.to_string();
        let fixed = [("username", &settings.username[..]), ("password", self.password), ("to", self.to)];
        let optional = [("from", &settings.from[..]), ("smsc", &settings.smsc), ("validity", &validity)];
        let receipts = self.dlr_url.map(|to| [("dlr-mask", &mask[..]), ("dlr-url", to)]);
        let optional =
            optional.into_iter().chain(receipts.into_iter().flatten()).filter(|(_, value)| !value.is_empty());
        for (name, value) in fixed.into_iter().chain(optional) {
            parameter(&mut url, name, value.as_bytes());
        }
        parameter(&mut url, "udh", self.udh);
        parameter(&mut url, "text", self.text);
        url
    }
}

/// Whether Kannel took the message, and its words.
///
/// smsbox answers 202 with `0: Accepted for delivery` or `3: Queued for later delivery`, 400 for what it will never take,
/// and 503 while no connection of Kannel's can take it. A login it does not know (403) and an address that is not
/// sendsms (404, a redirect) are mistakes of the set-up and no fault of the message: they are tried again until somebody
/// mends them, and health says so meanwhile.
pub fn outcome(result: Result<Answer, HttpError>) -> Result<String, BearerError> {
    let retry = |why: String| Err(BearerError::Retry { after: None, why });
    let answer = match result {
        Ok(answer) => answer,
        Err(HttpError { kind: ErrorKind::Request, detail }) => {
            return Err(BearerError::Permanent { why: format!("no request to Kannel can be made: {detail}") });
        }
        Err(HttpError { detail, .. }) => {
            return retry(format!("Kannel does not answer: {detail}"));
        }
    };
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
    let number = words.split_once(':').map(|(number, _)| number.trim());
    number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number != 0 && number != 3)
}

/// The first words of a text, on one line.
pub fn words(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(clean).take(WORDS).collect()
}

fn parameter(url: &mut String, name: &str, value: &[u8]) {
    url.push('&');
    url.push_str(name);
    url.push('=');
    for octet in value {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(*octet)),
            _ => {
                let _ = write!(url, "%{octet:02X}"); // a String takes everything
            }
        }
    }
}
