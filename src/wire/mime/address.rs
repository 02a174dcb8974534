//! Address fields: from decoded text to mailboxes, and back to what a 7-bit header may hold (RFC 5322 3.4).

use crate::limits::{FIELD_LENGTH, MAILBOXES};
use crate::words::{encode_phrase, encode_text, quote_phrase};

/// One mailbox of an address field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, unquoted.
    pub name: Option<String>,
    /// The address as written: `alice@example.net`, `+447700900123/TYPE=PLMN@mms.example.net`, or a bare number.
    pub address: String,
}

/// The mailboxes of an address field's value (From, To, Cc, Reply-To, …), groups flattened, in order. Never fails:
/// what cannot be read as an address is left out. A value longer than a field may be has none.
///
/// Read here and not by mail-parser, which joins the words of `a "b" <c@d>` without a blank. A word without a host
/// counts as an address when it looks like a number or says its type (`7777/TYPE=PLMN`).
pub fn addresses(value: &str) -> Vec<Mailbox> {
    if value.len() > FIELD_LENGTH {
        return Vec::new();
    }
    let mut reader = Reader { rest: value.chars(), entry: Entry::default(), found: Vec::new() };
    while reader.found.len() < MAILBOXES && reader.step() {}
    reader.found
}

/// What stands between two commas.
#[derive(Default)]
struct Entry {
    words: Vec<String>,
    /// Whether the last word goes on with the next character.
    open: bool,
    angle: Option<String>,
    comment: Option<String>,
}

struct Reader<'a> {
    rest: std::str::Chars<'a>,
    entry: Entry,
    found: Vec<Mailbox>,
}

impl Reader<'_> {
    /// One token; false at the end.
    fn step(&mut self) -> bool {
        let Some(c) = self.rest.next() else {
            self.finish();
            return false;
        };
        match c {
            ',' | ';' => self.finish(),
            // A group's name (RFC 5322 3.4); a colon inside a word is the word's (`IPv6:…`).
            ':' if !self.entry.words.iter().any(|word| word.contains('@')) => self.entry = Entry::default(),
            '"' => {
                let text = self.until('"', None);
                self.word(&text);
            }
            '(' => {
                let text = self.until(')', Some('('));
                self.entry.comment.get_or_insert(text);
                self.entry.open = false;
            }
            '<' => {
                let text = self.until('>', None);
                // The source route of old (RFC 5322 4.4) is ignored.
                let address =
                    text.rsplit_once(':').filter(|_| text.starts_with('@')).map_or(text.as_str(), |(_, end)| end);
                self.entry.angle.get_or_insert(address.split_whitespace().collect());
            }
            c if c.is_whitespace() || c.is_control() => self.entry.open = false,
            c => self.word(c.encode_utf8(&mut [0; 4])),
        }
        true
    }

    fn word(&mut self, text: &str) {
        match self.entry.words.last_mut() {
            Some(word) if self.entry.open => word.push_str(text),
            _ => self.entry.words.push(text.to_owned()),
        }
        self.entry.open = true;
    }

    /// What stands before the closing character, escapes undone; nested where it nests; all when it never closes.
    fn until(&mut self, close: char, open: Option<char>) -> String {
        let (mut text, mut depth) = (String::new(), 0u32);
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => text.extend(self.rest.next()),
                c if c == close && depth == 0 => break,
                c => {
                    depth = depth.saturating_sub(u32::from(c == close)) + u32::from(Some(c) == open);
                    text.push(if c.is_control() { ' ' } else { c });
                }
            }
        }
        text
    }

    fn finish(&mut self) {
        let Entry { mut words, angle, comment, .. } = std::mem::take(&mut self.entry);
        let address = match angle {
            Some(address) => address,
            None => {
                let Some(at) = words.iter().position(|word| is_address(word)) else { return };
                words.remove(at)
            }
        };
        if address.is_empty() {
            return;
        }
        let name = if words.is_empty() { comment.unwrap_or_default() } else { words.join(" ") };
        let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        self.found.push(Mailbox { name, address });
    }
}

fn is_address(word: &str) -> bool {
    let number = word.strip_prefix('+').unwrap_or(word);
    word.contains('@') && word.len() > 1 || word.contains("/TYPE=") || number.starts_with(|c: char| c.is_ascii_digit())
}

impl std::fmt::Display for Mailbox {
    /// `name <address>` as decoded text, the name quoted when it must be.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} <{}>", quote_phrase(name), self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Whether a field of that name holds addresses.
pub(crate) fn is_address_field(name: &str) -> bool {
    const FIELDS: &[&str] = &[
        "from",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "sender",
        "resent-from",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "resent-sender",
        "resent-reply-to",
        "disposition-notification-to",
        "return-receipt-to",
        "mail-followup-to",
        "errors-to",
    ];
    FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name))
}

/// An address field's value in ASCII where display names are what is not; non-ASCII addresses (RFC 6531) stay.
pub(crate) fn encode_addresses(value: &str) -> String {
    if value.is_ascii() {
        return value.to_owned();
    }
    let found = addresses(value);
    if found.is_empty() {
        return encode_text(value); // nothing an address could be damaged in
    }
    let encoded = found.iter().map(|mailbox| match &mailbox.name {
        Some(name) if !name.is_ascii() => format!("{} <{}>", encode_phrase(name), mailbox.address),
        _ => mailbox.to_string(),
    });
    encoded.collect::<Vec<_>>().join(", ")
}
