//! What a gateway's answer to a submission means.
//!
//! The status code of the document decides (WAP-247-PAP 9.14), where there is one: a gateway says no with 202, too. Without one
//! it is the HTTP status. A login it does not know (401, 403, 407) and an address where nothing is (404) are mistakes of the
//! set-up and no fault of the push: they are tried again until somebody mends them, and health says so meanwhile.

use packetboat_api::roles::BearerError;
use packetboat_net::bearer::may_have_arrived;
use packetboat_net::http::{Answer, ErrorKind, HttpError};
use packetboat_push::pap::{Class, Code, Response};

use crate::limits::WORDS;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The gateway's words when it took the push.
    pub result: Result<String, BearerError>,
    /// It would rather have fewer.
    pub slower: bool,
    /// It may have taken the push although it did not say so.
    pub doubtful: bool,
    /// It has a push of this push-id already.
    pub known: bool,
}

/// Service unavailable.
const BUSY: Code = Code(4001);
/// Duplicate push id.
const DUPLICATE: Code = Code(2007);

/// Reads an answer.
pub fn outcome(answer: Result<Answer, HttpError>) -> Outcome {
    let arrived = may_have_arrived(&answer);
    let answer = match answer {
        Ok(answer) => answer,
        Err(HttpError { kind: ErrorKind::Request, detail }) => {
            let why = format!("no request to the gateway can be made: {detail}");
            return Outcome {
                result: Err(BearerError::Permanent { why }),
                slower: false,
                doubtful: false,
                known: false,
            };
        }
        Err(HttpError { kind, detail }) => {
            let why = match kind {
                // Kannel puts our own header into its 403 and 404, a second Content-Length among it.
                ErrorKind::Broken => format!(
                    "the gateway broke off, or its answer is not HTTP: {detail}; Kannel's is not when it does not know the \
                     user or the address"
                ),
                _ => format!("the gateway does not answer: {detail}"),
            };
            return Outcome {
                result: Err(BearerError::Retry { after: None, why }),
                slower: kind == ErrorKind::Timeout,
                doubtful: arrived,
                known: false,
            };
        }
    };
    let response = Response::from_xml(&answer.body);
    let busy = response.as_ref().is_ok_and(|response| response.code == BUSY);
    let known = response.as_ref().is_ok_and(|response| response.code == DUPLICATE);
    // A document says what became of it.
    let doubtful = arrived && response.is_err();
    let slower = busy || matches!(answer.status, 429 | 503);
    let result = match response {
        Ok(response) if answer.is_success() || response.code.class() != Class::Success => by_code(&answer, &response),
        Ok(_) => by_status(&answer, "it says success all the same"),
        Err(error) => by_status(&answer, &format!("no document of PAP: {error}")),
    };
    Outcome { result, slower, doubtful, known }
}

fn by_code(answer: &Answer, response: &Response) -> Result<String, BearerError> {
    let said = in_words(response.code, response.description.as_deref());
    let fragment = response.bad_fragment.as_ref();
    let of = fragment.map_or_else(String::new, |fragment| format!(", at \"{}\"", words(fragment)));
    match response.code.class() {
        Class::Success => Ok(said),
        Class::Temporary => {
            Err(BearerError::Retry { after: answer.retry_after(), why: format!("the gateway cannot now: {said}{of}") })
        }
        Class::Permanent => Err(BearerError::Permanent { why: format!("the gateway refused: {said}{of}") }),
    }
}

fn by_status(answer: &Answer, doubt: &str) -> Result<String, BearerError> {
    let status = answer.status;
    let retry = |why: String| Err(BearerError::Retry { after: answer.retry_after(), why });
    match status {
        401 | 403 | 407 => retry(format!("the gateway does not let us ({status}); look at username and password")),
        404 => retry("the gateway takes no submissions at this address (404); look at url".to_owned()),
        408 | 425 | 429 => retry(format!("the gateway says later ({status})")),
        400..=499 => {
            Err(BearerError::Permanent { why: format!("the gateway refused ({status}): {}", words(&answer.text())) })
        }
        500..=599 => retry(format!("the gateway cannot now ({status}): {}", words(&answer.text()))),
        _ => retry(format!("not an answer of a push proxy gateway ({status}): {doubt}; look at url")),
    }
}

/// A status code with its meaning and what the gateway says besides.
pub fn in_words(code: Code, description: Option<&str>) -> String {
    let meaning = code.meaning().map_or_else(String::new, |meaning| format!(" {meaning}"));
    let description = description.map(words).filter(|words| !words.is_empty());
    let description = description.map_or_else(String::new, |words| format!(" ({words})"));
    format!("{code}{meaning}{description}")
}

/// The first words of a text, on one line.
pub fn words(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(clean).take(WORDS).collect()
}
