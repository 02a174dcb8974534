//! Media types as phones and mailers really write them.
//!
//! The `mime` crate refuses much of what handsets send (`TEXT/Plain ; Charset = x`, unquoted UTF-8 names,
//! `start=<x@y>`), so input is read leniently here and written strictly (invariant I-5).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A media type with parameters (RFC 2045 5.1). The essence and parameter names are kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaType {
    essence: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    params: Vec<(String, String)>,
}

impl MediaType {
    /// A type without parameters; `essence` is `type/subtype` in any case.
    pub fn new(essence: impl AsRef<str>) -> Self {
        MediaType { essence: essence.as_ref().trim().to_ascii_lowercase(), params: Vec::new() }
    }

    /// The same type with one more parameter (an existing one of that name is replaced).
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a parameter.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.params.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(slot) => slot.1 = value,
            None => self.params.push((name.to_ascii_lowercase(), value)),
        }
    }

    /// Removes a parameter.
    pub fn unset(&mut self, name: &str) {
        self.params.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// `type/subtype`, lower case.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The part before the slash.
    pub fn top(&self) -> &str {
        self.essence.split('/').next().unwrap_or("")
    }

    /// Whether this is any multipart, MIME's or WAP's.
    pub fn is_multipart(&self) -> bool {
        self.top() == "multipart" || self.essence.starts_with("application/vnd.wap.multipart.")
    }

    /// A parameter's value.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// All parameters in order.
    pub fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// Reads a Content-Type value. Never fails: what cannot be read as `type/subtype` becomes
    /// `application/octet-stream` (RFC 2045 5.2), and parameters that cannot be read are left out.
    pub fn parse(text: &str) -> Self {
        let (essence, rest) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim();
        let well_formed = essence.split_once('/').is_some_and(|(t, s)| is_token(t.trim()) && is_token(s.trim()));
        let mut media = match well_formed {
            true => MediaType::new(essence.replace(char::is_whitespace, "")),
            false => MediaType::new("application/octet-stream"),
        };
        let mut rest = rest;
        while let Some((name, value, left)) = next_param(rest) {
            if !name.is_empty() && media.param(&name).is_none() {
                media.set(&name, value);
            }
            rest = left;
        }
        media
    }
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
}

/// One `name=value` from the front of `text`, and what follows its semicolon.
fn next_param(text: &str) -> Option<(String, String, &str)> {
    let text = text.trim_start_matches([';', ' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return None;
    }
    let end = text.find(['=', ';']).unwrap_or(text.len());
    let name = text[..end].trim().to_ascii_lowercase();
    let Some(value) = text[end..].strip_prefix('=') else {
        return Some((String::new(), String::new(), &text[end..])); // a name alone says nothing
    };
    let value = value.trim_start();
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find(';').unwrap_or(value.len());
        return Some((name, value[..end].trim().to_owned(), &value[end..]));
    };
    let (mut out, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                out.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => {
                let left = &quoted[at + 1..];
                return Some((name, out, &left[left.find(';').unwrap_or(left.len())..]));
            }
            _ => out.push(c),
        }
    }
    Some((name, out, ""))
}

/// Written strictly: a value that is not a token is quoted (RFC 2045 5.1). Non-ASCII values are written as they
/// are; a mail writer encodes them by RFC 2231 where 7-bit headers are owed.
impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in &self.params {
            match is_token(value) {
                true => write!(f, "; {name}={value}")?,
                false => write!(f, "; {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))?,
            }
        }
        Ok(())
    }
}
