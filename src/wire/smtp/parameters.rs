//! The ESMTP parameters of MAIL and RCPT as typed values.
//!
//! smtp-proto reads the values; before it, every parameter passes a check of its own, for smtp-proto lets through what
//! must not count: a parameter given twice, a size beyond its integer, xtext with broken escapes, `NOTIFY=NEVER` beside
//! others. ORCPT is read here, since smtp-proto knows the address type `rfc822` only (RFC 3461 4.2 allows any).
//! A parameter that is not in the tables is refused with 555 (RFC 5321 4.1.1.11).

use crate::limits::{ENVID_MAX, MAIL_AUTH_MAX, ORCPT_MAX, PARAMETERS_MAX};
use crate::path::Mailbox;
use crate::replies;
use crate::reply::Reply;
use smtp_proto::request::parser::Rfc5321Parser;
use smtp_proto::{Error, MailFrom, RcptTo};
use std::borrow::Cow;

/// MAIL: who sends, and what holds for the whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The reverse-path; `None` is `<>`, a report that must not be answered by one.
    pub sender: Option<Mailbox>,
    /// SIZE: octets the client says the message has (RFC 1870 5).
    pub size: Option<u64>,
    /// BODY (RFC 6152, RFC 3030).
    pub body: BodyType,
    /// SMTPUTF8: addresses and header fields may be UTF-8 (RFC 6531).
    pub smtputf8: bool,
    /// RET: how much of the message a failure report gives back (RFC 3461 4.3).
    pub ret: Option<Ret>,
    /// ENVID: the sender's own id of the message, decoded (RFC 3461 4.4).
    pub envelope_id: Option<String>,
    /// BY: when delivery loses its sense (RFC 2852).
    pub deliver_by: Option<DeliverBy>,
    /// AUTH: who submitted it in the first place, as the client claims it, decoded (RFC 4954 5); `<>` is "unknown".
    pub submitter: Option<String>,
}

/// BODY of MAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyType {
    /// Lines of ASCII; also when nothing is said.
    #[default]
    SevenBit,
    /// Lines of octets (RFC 6152).
    EightBitMime,
    /// Octets without lines, by BDAT only (RFC 3030 3).
    BinaryMime,
}

/// RET of MAIL (RFC 3461 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header.
    Headers,
}

/// BY of MAIL (RFC 2852 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliverBy {
    /// Seconds from now; not positive means due already (mode notify only).
    pub seconds: i64,
    /// What happens when the time is over.
    pub mode: DeliverByMode,
    /// `T`: report each relay.
    pub trace: bool,
}

/// The by-mode of BY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverByMode {
    /// Go on trying and tell the sender.
    Notify,
    /// Give up and return it.
    Return,
}

/// RCPT: one recipient and what its sender wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rcpt {
    /// The forward-path, source route dropped.
    pub recipient: Mailbox,
    /// NOTIFY; `None` when the sender said nothing, which means failure (and delay) reports (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// ORCPT: the recipient as the sender first wrote it (RFC 3461 4.2).
    pub original: Option<OriginalRecipient>,
}

/// NOTIFY of RCPT (RFC 3461 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notify {
    /// No report at all, alone by definition.
    Never,
    /// Reports for these; at least one is set.
    On {
        /// When it arrived.
        success: bool,
        /// When it failed for good.
        failure: bool,
        /// When it takes long.
        delay: bool,
    },
}

/// ORCPT of RCPT, decoded (RFC 3461 4.2, RFC 6533 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalRecipient {
    /// `rfc822`, `utf-8`, or any other registered type, as sent.
    pub addr_type: String,
    /// The address, xtext undone.
    pub address: String,
}

const MAIL_KEYWORDS: &[&str] = &["SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "BY", "AUTH"];
const RCPT_KEYWORDS: &[&str] = &["NOTIFY", "ORCPT"];

/// Digits a SIZE may have before it counts as too large without being read (RFC 1870 4 allows 20).
const SIZE_DIGITS_MAX: usize = 18;

/// Seconds in BY have at most this many digits (RFC 2852 4).
const BY_DIGITS_MAX: usize = 9;

/// Reads what follows the reverse-path.
pub(crate) fn mail(sender: Option<Mailbox>, text: &str) -> Result<Mail, Reply> {
    let fields = split(text, MAIL_KEYWORDS)?;
    let mut mail = Mail {
        sender,
        size: None,
        body: BodyType::SevenBit,
        smtputf8: fields.iter().any(|field| field.is("SMTPUTF8")),
        ret: None,
        envelope_id: None,
        deliver_by: None,
        submitter: None,
    };
    for field in &fields {
        match field.value {
            Some(value) if field.is("ENVID") => mail.envelope_id = Some(xtext(value, ENVID_MAX)?),
            Some(value) if field.is("AUTH") => mail.submitter = Some(xtext(value, MAIL_AUTH_MAX)?),
            Some(value) if field.is("SIZE") => check_size(value)?,
            Some(value) if field.is("BY") => check_by(value)?,
            _ => {}
        }
    }
    let line = for_smtp_proto(&fields, &["ENVID", "AUTH"]);
    let parsed = with_parser(&line, |parser| parser.mail_from_parameters(Cow::Borrowed("")))?;
    mail.size = fields.iter().any(|field| field.is("SIZE")).then_some(parsed.size as u64);
    mail.body = body_type(parsed.flags);
    mail.ret = ret(parsed.flags);
    mail.deliver_by = if fields.iter().any(|field| field.is("BY")) { Some(deliver_by(&parsed)?) } else { None };
    Ok(mail)
}

/// Reads what follows the forward-path.
pub(crate) fn rcpt(recipient: Mailbox, text: &str) -> Result<Rcpt, Reply> {
    let fields = split(text, RCPT_KEYWORDS)?;
    let mut original = None;
    if let Some(field) = fields.iter().find(|field| field.is("ORCPT")) {
        original = Some(original_recipient(field.value.unwrap_or_default())?);
    }
    let line = for_smtp_proto(&fields, &["ORCPT"]);
    let parsed = with_parser(&line, |parser| parser.rcpt_to_parameters(Cow::Borrowed("")))?;
    Ok(Rcpt { recipient, notify: notify(&parsed)?, original })
}

/// One `keyword` or `keyword=value`.
struct Field<'a> {
    keyword: &'a str,
    value: Option<&'a str>,
}

impl Field<'_> {
    fn is(&self, keyword: &str) -> bool {
        self.keyword.eq_ignore_ascii_case(keyword)
    }
}

fn split<'a>(text: &'a str, known: &[&str]) -> Result<Vec<Field<'a>>, Reply> {
    let mut fields: Vec<Field<'a>> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (word, None),
        };
        if !known.iter().any(|name| name.eq_ignore_ascii_case(keyword)) {
            return Err(replies::UNKNOWN_PARAMETER);
        }
        if fields.len() == PARAMETERS_MAX || fields.iter().any(|field| field.is(keyword)) {
            return Err(replies::BAD_PARAMETER);
        }
        let takes_value = !keyword.eq_ignore_ascii_case("SMTPUTF8");
        if takes_value != value.is_some_and(|value| !value.is_empty()) || (!takes_value && value.is_some()) {
            return Err(replies::BAD_PARAMETER);
        }
        fields.push(Field { keyword, value });
    }
    Ok(fields)
}

/// The parameters that smtp-proto reads, as one line.
fn for_smtp_proto(fields: &[Field<'_>], read_here: &[&str]) -> String {
    let mut line = String::new();
    for field in fields.iter().filter(|field| !read_here.iter().any(|name| field.is(name))) {
        line.push_str(field.keyword);
        if let Some(value) = field.value {
            line.push('=');
            line.push_str(value);
        }
        line.push(' ');
    }
    line.push('\n');
    line
}

fn with_parser<'a, T>(
    line: &'a str,
    read: impl FnOnce(&mut Rfc5321Parser<'_, 'a>) -> Result<T, Error>,
) -> Result<T, Reply> {
    let mut octets = line.as_bytes().iter();
    let mut parser = Rfc5321Parser::new(&mut octets);
    parser.stop_char = b' ';
    read(&mut parser).map_err(|error| match error {
        Error::UnsupportedParameter { .. } => replies::UNKNOWN_PARAMETER,
        _ => replies::BAD_PARAMETER,
    })
}

fn check_size(value: &str) -> Result<(), Reply> {
    if !value.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(replies::BAD_PARAMETER);
    }
    if value.len() > SIZE_DIGITS_MAX { Err(replies::TOO_LARGE) } else { Ok(()) }
}

fn check_by(value: &str) -> Result<(), Reply> {
    let (seconds, _) = value.split_once(';').ok_or(replies::BAD_PARAMETER)?;
    let digits = seconds.strip_prefix(['-', '+']).unwrap_or(seconds);
    let valid = (1..=BY_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    if valid { Ok(()) } else { Err(replies::BAD_PARAMETER) }
}

fn body_type(flags: u64) -> BodyType {
    if flags & smtp_proto::MAIL_BODY_BINARYMIME != 0 {
        BodyType::BinaryMime
    } else if flags & smtp_proto::MAIL_BODY_8BITMIME != 0 {
        BodyType::EightBitMime
    } else {
        BodyType::SevenBit
    }
}

fn ret(flags: u64) -> Option<Ret> {
    if flags & smtp_proto::MAIL_RET_FULL != 0 {
        Some(Ret::Full)
    } else if flags & smtp_proto::MAIL_RET_HDRS != 0 {
        Some(Ret::Headers)
    } else {
        None
    }
}

fn deliver_by(parsed: &MailFrom<Cow<'_, str>>) -> Result<DeliverBy, Reply> {
    let returns = parsed.flags & smtp_proto::MAIL_BY_RETURN != 0;
    if returns && parsed.by <= 0 {
        return Err(replies::BAD_PARAMETER);
    }
    Ok(DeliverBy {
        seconds: parsed.by,
        mode: if returns { DeliverByMode::Return } else { DeliverByMode::Notify },
        trace: parsed.flags & smtp_proto::MAIL_BY_TRACE != 0,
    })
}

fn notify(parsed: &RcptTo<Cow<'_, str>>) -> Result<Option<Notify>, Reply> {
    let has = |flag: u64| parsed.flags & flag != 0;
    let (success, failure, delay) = (
        has(smtp_proto::RCPT_NOTIFY_SUCCESS),
        has(smtp_proto::RCPT_NOTIFY_FAILURE),
        has(smtp_proto::RCPT_NOTIFY_DELAY),
    );
    let any = success || failure || delay;
    match (has(smtp_proto::RCPT_NOTIFY_NEVER), any) {
        (true, true) => Err(replies::BAD_PARAMETER),
        (true, false) => Ok(Some(Notify::Never)),
        (false, true) => Ok(Some(Notify::On { success, failure, delay })),
        (false, false) => Ok(None),
    }
}

fn original_recipient(value: &str) -> Result<OriginalRecipient, Reply> {
    let (addr_type, address) = value.split_once(';').ok_or(replies::BAD_PARAMETER)?;
    let is_atom = !addr_type.is_empty() && addr_type.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_atom || value.len() > ORCPT_MAX {
        return Err(replies::BAD_PARAMETER);
    }
    Ok(OriginalRecipient { addr_type: addr_type.to_owned(), address: xtext(address, ORCPT_MAX)? })
}

/// Undoes xtext, `+XX` for an octet (RFC 3461 4). UTF-8 passes for RFC 6533; the result has no control characters and
/// is not empty.
fn xtext(value: &str, max: usize) -> Result<String, Reply> {
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        octets.push(match byte {
            b'+' => match (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(replies::BAD_PARAMETER),
            },
            b'=' => return Err(replies::BAD_PARAMETER),
            _ => byte,
        });
    }
    match String::from_utf8(octets) {
        Ok(text) if !text.is_empty() && text.len() <= max && !text.chars().any(char::is_control) => Ok(text),
        _ => Err(replies::BAD_PARAMETER),
    }
}

/// RFC 3461 4 wants upper case; lower case is taken too (I-5).
fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
