//! Reports as mail: delivery status ([`dsn`], RFC 3464), disposition ([`mdn`], RFC 8098), and the facts that keep
//! machines from answering one another ([`loop_facts`], RFC 3834).
//!
//! Built strictly, read leniently: a report without this or that field is still one; what has no machine-readable
//! part is none.

mod automatic;
pub mod dsn;
pub mod mdn;

use bytes::Bytes;

use crate::parse::read_fields;
use crate::{Body, Entity, Headers, Mail, MediaType};

pub use automatic::{LoopFacts, loop_facts};

/// The header fields every report has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// From.
    pub from: String,
    /// To: the return path of a message, or its Disposition-Notification-To.
    pub to: String,
    /// Date (RFC 5322 3.3).
    pub date: String,
    /// Message-ID, with its brackets.
    pub message_id: String,
    /// Subject.
    pub subject: String,
}

impl Envelope {
    fn headers(&self, original_message_id: Option<&str>) -> Headers {
        let mut headers = Headers::default();
        headers.push("From", self.from.as_str());
        headers.push("To", self.to.as_str());
        headers.push("Date", self.date.as_str());
        headers.push("Subject", self.subject.as_str());
        headers.push("Message-ID", self.message_id.as_str());
        if let Some(id) = original_message_id {
            headers.push("In-Reply-To", id);
            headers.push("References", id);
        }
        headers.push("Auto-Submitted", "auto-replied");
        headers
    }
}

/// A multipart/report (RFC 6522 3): what a person reads, what a machine reads, the original's header fields.
fn report(headers: Headers, kind: &str, text: &str, fields: String, original: Option<String>) -> Mail<Bytes> {
    let person = MediaType::new("text/plain").with("charset", "utf-8");
    let text = crate::transfer::canonical_lines(text.as_bytes()).into_owned();
    let machine = MediaType::new(format!("message/{kind}"));
    let mut parts = vec![Entity::leaf(person, Bytes::from(text)), Entity::leaf(machine, fields.into())];
    if let Some(original) = original {
        let media = MediaType::new("text/rfc822-headers").with("charset", "utf-8");
        parts.push(Entity::leaf(media, original.into()));
    }
    let media = MediaType::new("multipart/report").with("report-type", kind);
    Mail { headers, root: Entity::multipart(media, parts) }
}

/// One field of a machine-readable part: ASCII, on one line, whatever it was made of.
fn push_field(out: &mut String, name: &str, value: &str) {
    let clean: String = value.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
    let clean = clean.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut octets = Vec::new();
    crate::words::write_folded(&mut octets, name, &clean);
    out.push_str(&String::from_utf8_lossy(&octets));
}

/// An address with its type: `rfc822` unless it says another (`type;address`, RFC 3464 2.1.2).
fn typed(address: &str) -> String {
    match address.contains(';') {
        true => address.to_owned(),
        false => format!("rfc822; {address}"),
    }
}

/// The address of a typed one; other types than `rfc822` keep theirs.
fn untyped(value: &str) -> String {
    match value.split_once(';') {
        Some((kind, address)) if kind.trim().eq_ignore_ascii_case("rfc822") => address.trim().to_owned(),
        _ => value.trim().to_owned(),
    }
}

/// The machine-readable leaf of a report of that kind, wherever it lies.
fn machine_part<'a>(root: &'a Entity<Bytes>, kind: &str) -> Option<&'a Bytes> {
    let names = [format!("message/{kind}"), format!("message/global-{kind}")];
    root.leaves().into_iter().find(|leaf| names.iter().any(|name| name == leaf.media.essence()))?.content()
}

/// The header fields of the original message a report carries, whole or in part.
fn original_fields(root: &Entity<Bytes>) -> Headers {
    const KINDS: &[&str] = &["text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers"];
    let leaf = root.leaves().into_iter().find(|leaf| KINDS.contains(&leaf.media.essence()));
    Headers(leaf.and_then(Entity::content).map(|body| read_fields(body).0).unwrap_or_default())
}

/// What a report says to a person: its first text.
fn human_text(root: &Entity<Bytes>) -> String {
    let text = root.leaves().into_iter().find(|leaf| leaf.media.essence() == "text/plain").map(|leaf| &leaf.body);
    match text {
        Some(Body::Leaf(body)) => crate::charset::decode_text(body, "utf-8"),
        _ => String::new(),
    }
}
