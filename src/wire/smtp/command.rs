//! One command line -> one command or the reply that refuses it.
//!
//! smtp-proto names the commands; this module holds it to the letter where it is generous: octets a command line may
//! have, arguments after commands that take none, the chunk size of BDAT (smtp-proto's integer wraps on overflow, which
//! would lose the end of the chunk), paths ([`crate::path`]) and parameters ([`crate::parameters`]).

use crate::parameters::{self, Mail, Rcpt};
use crate::path;
use crate::replies;
use crate::reply::Reply;
use crate::sasl::Mechanism;
use smtp_proto::{Error, Request};

/// A command that is well formed; whether it may come now is the session's matter.
#[derive(Debug)]
pub(crate) enum Command {
    /// EHLO (`extended`) or HELO, with the client's name.
    Hello {
        extended: bool,
        name: String,
    },
    Mail(Box<Mail>),
    Rcpt(Box<Rcpt>),
    Data,
    /// BDAT with the chunk's octets.
    Chunk {
        size: u64,
        last: bool,
    },
    /// BDAT whose size cannot be read: there is no way to stay in step.
    BadChunk,
    /// AUTH; `mechanism` is `None` for one that this crate does not speak.
    Auth {
        mechanism: Option<Mechanism>,
        initial: Option<String>,
    },
    StartTls,
    Reset,
    Noop,
    Verify,
    Help,
    Quit,
    /// Known to RFCs, not offered.
    NotImplemented,
    /// A request line of HTTP.
    Http,
}

/// Digits of the largest chunk size that is read; far over any size limit.
const CHUNK_DIGITS_MAX: usize = 18;

const HTTP_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"];

/// Reads one line without its line end.
pub(crate) fn parse(line: &[u8]) -> Result<Command, Reply> {
    let allowed = |byte: &u8| !byte.is_ascii_control() || *byte == b'\t';
    let verb_end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let is_chunk = line.get(..verb_end).is_some_and(|verb| verb.eq_ignore_ascii_case(b"BDAT"));
    let text = match std::str::from_utf8(line) {
        Ok(text) if line.iter().all(allowed) => text,
        _ if is_chunk => return Ok(Command::BadChunk),
        _ => return Err(replies::BAD_LINE),
    };
    let (verb, arguments) = text.split_at_checked(verb_end).unwrap_or((text, ""));
    let arguments = arguments.trim_matches([' ', '\t']);
    if HTTP_METHODS.contains(&verb) {
        return Ok(Command::Http);
    }
    if is_chunk {
        return Ok(chunk(arguments));
    }
    if verb.eq_ignore_ascii_case("MAIL") {
        let path = after_keyword(arguments, "FROM").ok_or(replies::BAD_ARGUMENT)?;
        let (sender, rest) = path::split(path).map_err(|_| replies::BAD_SENDER)?;
        return Ok(Command::Mail(Box::new(parameters::mail(sender, rest)?)));
    }
    if verb.eq_ignore_ascii_case("RCPT") {
        let path = after_keyword(arguments, "TO").ok_or(replies::BAD_ARGUMENT)?;
        let (recipient, rest) = path::split(path).map_err(|_| replies::BAD_RECIPIENT)?;
        return Ok(Command::Rcpt(Box::new(parameters::rcpt(recipient.ok_or(replies::BAD_RECIPIENT)?, rest)?)));
    }
    named(text, arguments)
}

/// The commands that smtp-proto reads whole.
fn named(text: &str, arguments: &str) -> Result<Command, Reply> {
    let line = format!("{text}\r\n");
    let is_auth = text.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case("AUTH "));
    let request = Request::parse(&mut line.as_bytes().iter()).map_err(|error| match error {
        Error::SyntaxError { .. } if is_auth => replies::UNKNOWN_MECHANISM,
        Error::SyntaxError { .. } | Error::InvalidParameter { .. } => replies::BAD_ARGUMENT,
        _ => replies::UNKNOWN_COMMAND,
    })?;
    let alone = |command: Command| if arguments.is_empty() { Ok(command) } else { Err(replies::BAD_ARGUMENT) };
    match request {
        Request::Ehlo { host } => Ok(Command::Hello { extended: true, name: host.into_owned() }),
        Request::Helo { host } => Ok(Command::Hello { extended: false, name: host.into_owned() }),
        Request::Data => alone(Command::Data),
        Request::StartTls => alone(Command::StartTls),
        Request::Rset => alone(Command::Reset),
        Request::Quit => alone(Command::Quit),
        Request::Auth { mechanism, .. } => {
            let mut words = arguments.split(' ').filter(|word| !word.is_empty()).skip(1);
            let initial = words.next().map(str::to_owned);
            match words.next() {
                Some(_) => Err(replies::BAD_ARGUMENT),
                None => Ok(Command::Auth { mechanism: Mechanism::from_bit(mechanism), initial }),
            }
        }
        Request::Noop { .. } => Ok(Command::Noop),
        Request::Vrfy { .. } => Ok(Command::Verify),
        Request::Help { .. } => Ok(Command::Help),
        Request::Expn { .. }
        | Request::Lhlo { .. }
        | Request::Etrn { .. }
        | Request::Atrn { .. }
        | Request::Burl { .. } => Ok(Command::NotImplemented),
        // Read above; smtp-proto names them only if this module's own reading of the verb is changed.
        Request::Mail { .. } | Request::Rcpt { .. } | Request::Bdat { .. } => Err(replies::UNKNOWN_COMMAND),
    }
}

/// `FROM:` or `TO:` in any case, blanks allowed before the colon.
fn after_keyword<'a>(arguments: &'a str, keyword: &str) -> Option<&'a str> {
    let (found, rest) = arguments.split_at_checked(keyword.len())?;
    if found.eq_ignore_ascii_case(keyword) { rest.trim_start_matches(' ').strip_prefix(':') } else { None }
}

/// `chunk-size [SP "LAST"]` (RFC 3030 2), to the letter.
fn chunk(arguments: &str) -> Command {
    let mut words = arguments.split(' ');
    let digits = words.next().unwrap_or_default();
    let last = match (words.next(), words.next()) {
        (None, _) => false,
        (Some(word), None) if word.eq_ignore_ascii_case("LAST") => true,
        _ => return Command::BadChunk,
    };
    let valid = (1..=CHUNK_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    match digits.parse() {
        Ok(size) if valid => Command::Chunk { size, last },
        _ => Command::BadChunk,
    }
}
