//! A reply: code, enhanced status code, text; written to the wire and read from it (RFC 5321 4.2, RFC 2034, RFC 3463).
//!
//! The text may come from anywhere (a rule file, a peer's refusal): writing makes it safe, so that no text can start a
//! line of its own or pass a line limit. Reading never fails: a text without an enhanced code is just a text.

use crate::limits::{REPLY_LINE_MAX, REPLY_LINES_MAX};
use std::borrow::Cow;
use std::fmt;

/// An enhanced status code, `class.subject.detail` (RFC 3463 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedCode {
    /// 2 success, 4 may be tried again, 5 failed for good.
    pub class: u8,
    /// What it is about, 0..=999.
    pub subject: u16,
    /// Which condition exactly, 0..=999.
    pub detail: u16,
}

impl EnhancedCode {
    /// The code `class.subject.detail`.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Reads `class.subject.detail` and nothing else; `None` when it is not one (RFC 3463 2).
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('.');
        let class = match fields.next()? {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        let code = Self { class, subject: up_to_999(fields.next()?)?, detail: up_to_999(fields.next()?)? };
        fields.next().is_none().then_some(code)
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

fn up_to_999(digits: &str) -> Option<u16> {
    let canonical = matches!(digits.len(), 1..=3) && digits.bytes().all(|digit| digit.is_ascii_digit());
    if canonical { digits.parse().ok() } else { None }
}

/// One SMTP reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, 200..=599 (RFC 5321 4.2.1).
    pub code: u16,
    /// The enhanced code, absent where RFC 2034 4 wants none (greeting, EHLO, 3yz) or the peer gave none.
    pub enhanced: Option<EnhancedCode>,
    /// The text; `\n` separates the lines of a multi-line reply.
    pub text: Cow<'static, str>,
}

impl Reply {
    /// A reply with an enhanced code; `const`, for tables.
    pub const fn fixed(code: u16, (class, subject, detail): (u8, u16, u16), text: &'static str) -> Self {
        Self { code, enhanced: Some(EnhancedCode::new(class, subject, detail)), text: Cow::Borrowed(text) }
    }

    /// A reply without an enhanced code; `const`, for tables.
    pub const fn plain(code: u16, text: &'static str) -> Self {
        Self { code, enhanced: None, text: Cow::Borrowed(text) }
    }

    /// A reply with a text made at run time.
    pub fn new(code: u16, enhanced: Option<EnhancedCode>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, enhanced, text: text.into() }
    }

    /// The same code with another text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.text = text.into();
        self
    }

    /// A peer's reply: its code and its text, the lines joined by `\n`. The enhanced code that starts each line goes
    /// into [`Reply::enhanced`] when its class fits the code, and leaves the text.
    pub fn from_peer(code: u16, text: &str) -> Self {
        let enhanced = Self::parse_enhanced(text).map(|(enhanced, _)| enhanced);
        let Some(enhanced) = enhanced.filter(|enhanced| u16::from(enhanced.class) == code / 100) else {
            return Self { code, enhanced: None, text: Cow::Owned(text.to_owned()) };
        };
        let lines: Vec<&str> = text
            .lines()
            .take(REPLY_LINES_MAX)
            .map(|line| match Self::parse_enhanced(line) {
                Some((same, rest)) if same == enhanced => rest,
                _ => line,
            })
            .collect();
        Self { code, enhanced: Some(enhanced), text: Cow::Owned(lines.join("\n")) }
    }

    /// Splits a reply text such as `5.1.1 No such subscriber` into enhanced code and rest; `None` when it does not
    /// start with one (RFC 2034 4).
    pub fn parse_enhanced(text: &str) -> Option<(EnhancedCode, &str)> {
        let end = text.find(|byte: char| byte.is_ascii_whitespace()).unwrap_or(text.len());
        let (code, rest) = text.split_at_checked(end)?;
        Some((EnhancedCode::parse(code)?, rest.strip_prefix([' ', '\t']).unwrap_or(rest)))
    }

    /// 2yz or 3yz: go on.
    pub fn is_positive(&self) -> bool {
        matches!(self.code, 200..=399)
    }

    /// 4yz: the same may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.code, 400..=499)
    }

    /// 5yz: do not try the same again.
    pub fn is_permanent(&self) -> bool {
        matches!(self.code, 500..=599)
    }

    /// 421: the server ends the session after it (RFC 5321 3.8).
    pub fn closes(&self) -> bool {
        self.code == 421
    }

    /// Appends the reply to `out` as `code[-| ][enhanced ]text` lines. Control characters and non-ASCII become `?`,
    /// a line over [`REPLY_LINE_MAX`] is folded into several.
    pub fn write(&self, out: &mut Vec<u8>) {
        let enhanced = self.enhanced.map(|code| format!("{code} ")).unwrap_or_default();
        let room = REPLY_LINE_MAX.saturating_sub("250-\r\n".len() + enhanced.len());
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for line in self.text.split('\n') {
            let safe: Vec<u8> = line.strip_suffix('\r').unwrap_or(line).chars().map(safe_byte).collect();
            if safe.is_empty() {
                lines.push(safe);
            } else {
                lines.extend(safe.chunks(room).map(<[u8]>::to_vec));
            }
        }
        lines.truncate(REPLY_LINES_MAX);
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            out.extend_from_slice(format!("{:03}", self.code).as_bytes());
            out.push(if index < last { b'-' } else { b' ' });
            out.extend_from_slice(enhanced.as_bytes());
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:03} ", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(out, "{enhanced} ")?;
        }
        out.write_str(&self.text)
    }
}

/// Printable ASCII as it is, anything else `?`: a reply is ASCII (RFC 5321 4.2) and one character never starts a line.
fn safe_byte(character: char) -> u8 {
    match u8::try_from(character) {
        Ok(byte @ 0x20..=0x7e) => byte,
        Ok(b'\t') => b' ',
        _ => b'?',
    }
}
