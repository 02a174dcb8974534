//! Reverse-path and forward-path: `<local@domain>` (RFC 5321 4.1.2, RFC 6531 3.3).
//!
//! Strict where ambiguity hurts (brackets, quotes, control characters, lengths), lenient where real senders are
//! (I-5): dots anywhere in a local part, numbers with brackets and blanks (`<(555) 123-4567@…>`), a local part without a
//! domain (`<12345>`), no angle brackets, blanks after the colon. Source routes are dropped (RFC 5321 4.1.1.3). smtp-proto's own path reader refuses a local part without a
//! domain and keeps quotes open across the `>`; this reader stands in its place.

use crate::limits::{DOMAIN_MAX, PATH_MAX};
use std::fmt;
use std::net::IpAddr;

/// A mailbox as the envelope names it: the local part unquoted, the domain as sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    local: String,
    domain: Option<String>,
}

/// Why a path is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer than [`PATH_MAX`].
    #[error("path over {PATH_MAX} octets")]
    TooLong,
    /// No closing `>` or quote.
    #[error("path not closed")]
    NotClosed,
    /// A character that the place at this octet of the path does not allow.
    #[error("octet {0} of the path is not allowed there")]
    Octet(usize),
    /// Nothing before the `@`, or nothing at all where an address is needed.
    #[error("local part is empty")]
    EmptyLocalPart,
    /// Not a domain name nor an address literal.
    #[error("invalid domain")]
    Domain,
}

impl Mailbox {
    /// Reads `local@domain` or `local`, without angle brackets; the local part may be quoted.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > PATH_MAX {
            return Err(PathError::TooLong);
        }
        let (local, rest) = if text.starts_with('"') { quoted_local(text)? } else { plain_local(text)? };
        if local.is_empty() {
            return Err(PathError::EmptyLocalPart);
        }
        let domain = match rest.strip_prefix('@') {
            Some(domain) => Some(checked_domain(domain)?.to_owned()),
            None if rest.is_empty() => None,
            None => return Err(PathError::Octet(text.len() - rest.len())),
        };
        Ok(Self { local, domain })
    }

    /// The local part, quotes and escapes undone: `+447700900123/TYPE=PLMN`, `postmaster`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain as sent, a literal with its brackets; `None` for a bare local part.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// The address of a domain literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    pub fn ip_literal(&self) -> Option<IpAddr> {
        let inner = self.domain.as_deref()?.strip_prefix('[')?.strip_suffix(']')?;
        match inner.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner.get(5..)?.parse().ok().map(IpAddr::V6),
            _ => inner.parse().ok().map(IpAddr::V4),
        }
    }

    /// `<postmaster>`, which every server takes without a domain (RFC 5321 4.5.1).
    pub fn is_bare_postmaster(&self) -> bool {
        self.domain.is_none() && self.local.eq_ignore_ascii_case("postmaster")
    }

    /// Only ASCII in local part and domain: no need of SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii() && self.domain.as_deref().is_none_or(str::is_ascii)
    }
}

/// `local@domain`, the local part quoted when it is no dot-string.
impl fmt::Display for Mailbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_dot_string = self.local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
        if is_dot_string {
            out.write_str(&self.local)?;
        } else {
            out.write_str("\"")?;
            for character in self.local.chars() {
                if matches!(character, '"' | '\\') {
                    out.write_str("\\")?;
                }
                write!(out, "{character}")?;
            }
            out.write_str("\"")?;
        }
        match &self.domain {
            Some(domain) => write!(out, "@{domain}"),
            None => Ok(()),
        }
    }
}

/// Splits what follows `FROM:` or `TO:` into the path and the parameters after it. The path is `None` for `<>`.
pub(crate) fn split(text: &str) -> Result<(Option<Mailbox>, &str), PathError> {
    let text = text.trim_start_matches(' ');
    let Some(inside) = text.strip_prefix('<') else {
        let end = text.find(' ').unwrap_or(text.len());
        let (path, rest) = text.split_at_checked(end).ok_or(PathError::NotClosed)?;
        return Ok((Some(Mailbox::parse(path)?), rest));
    };
    let end = closing_bracket(inside)?;
    let (path, rest) = inside.split_at_checked(end).ok_or(PathError::NotClosed)?;
    let rest = rest.strip_prefix('>').ok_or(PathError::NotClosed)?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(PathError::Octet(end + 1));
    }
    let path = path.trim_matches(' ');
    let path = if path.starts_with('@') { without_route(path)? } else { path };
    if path.is_empty() { Ok((None, rest)) } else { Ok((Some(Mailbox::parse(path)?), rest)) }
}

/// Index of the first `>` outside quotes.
fn closing_bracket(text: &str) -> Result<usize, PathError> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Ok(index),
            _ => {}
        }
    }
    Err(PathError::NotClosed)
}

/// Drops `@relay,@relay:` in front of a mailbox (RFC 5321 4.1.2, A-d-l).
fn without_route(path: &str) -> Result<&str, PathError> {
    let (route, mailbox) = path.split_once(':').ok_or(PathError::EmptyLocalPart)?;
    for hop in route.split(',') {
        checked_domain(hop.strip_prefix('@').ok_or(PathError::Domain)?)?;
    }
    if mailbox.is_empty() { Err(PathError::EmptyLocalPart) } else { Ok(mailbox) }
}

fn plain_local(text: &str) -> Result<(String, &str), PathError> {
    let end = text.find('@').unwrap_or(text.len());
    let (local, rest) = text.split_at_checked(end).ok_or(PathError::EmptyLocalPart)?;
    // `(555) 123-4567`, as people write numbers: it needs quotes, and not every sender knows.
    let is_number = local.bytes().all(|byte| byte.is_ascii_digit() || b"+-/.() ".contains(&byte));
    match local.find(|character: char| !is_atext(character) && character != '.') {
        Some(_) if is_number => Ok((local.to_owned(), rest)),
        Some(index) => Err(PathError::Octet(index)),
        None => Ok((local.to_owned(), rest)),
    }
}

fn quoted_local(text: &str) -> Result<(String, &str), PathError> {
    let mut local = String::new();
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if character.is_control() => return Err(PathError::Octet(index)),
            _ if escaped => {
                escaped = false;
                local.push(character);
            }
            '\\' => escaped = true,
            '"' => return Ok((local, text.get(index + 1..).unwrap_or_default())),
            _ => local.push(character),
        }
    }
    Err(PathError::NotClosed)
}

/// atext of RFC 5322 3.2.3, and UTF-8 beyond ASCII (RFC 6531 3.3).
fn is_atext(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || (!character.is_ascii() && !character.is_control())
}

/// A domain name (underscores and a trailing dot as the Internet has them, U-labels with SMTPUTF8) or a literal.
fn checked_domain(domain: &str) -> Result<&str, PathError> {
    let literal = domain.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let valid = match literal {
        Some(inner) => {
            let dtext = |byte: u8| matches!(byte, 0x21..=0x5a | 0x5e..=0x7e);
            !inner.is_empty() && inner.bytes().all(dtext)
        }
        None => domain.strip_suffix('.').unwrap_or(domain).split('.').all(is_label),
    };
    if valid && domain.len() <= DOMAIN_MAX { Ok(domain) } else { Err(PathError::Domain) }
}

fn is_label(label: &str) -> bool {
    let allowed = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '-' | '_')
            || (!character.is_ascii() && !character.is_control() && !character.is_whitespace())
    };
    !label.is_empty() && label.chars().all(allowed)
}
