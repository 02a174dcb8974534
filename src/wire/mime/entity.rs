//! The MIME tree as the rest of packetboat sees it.
//!
//! The type is generic over what a leaf's body is, so that one tree serves three stages without a copy: bytes just
//! received ([`Bytes`], a range of the input), a span of stored content, and pieces of an answer being written.
//! Bodies are always *decoded*: a Content-Transfer-Encoding is undone before an [`Entity`] exists (invariant I-6).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::MediaType;

/// One MIME entity: its own header fields and its body (RFC 2045 2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity<B = Bytes> {
    /// Content-Type, with all its parameters except `name` and `charset` of text, which stay here too.
    pub media: MediaType,
    /// Content-ID without the angle brackets (RFC 2392).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
    /// Content-Location as written (RFC 2557).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Content-Disposition (RFC 2183), when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// Every other header field of the entity, in order, names as written. Kept, never interpreted (I-4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
    /// What it holds.
    pub body: Body<B>,
}

/// The body of an [`Entity`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body<B = Bytes> {
    /// A leaf: decoded content.
    Leaf(B),
    /// A multipart: its parts in order.
    Parts(Vec<Entity<B>>),
}

/// Content-Disposition (RFC 2183).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// inline, attachment, or anything else (lower case).
    pub kind: String,
    /// The `filename` parameter, decoded to Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// A whole message: header fields and the entity they head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail<B = Bytes> {
    /// The message header fields that are not the entity's own (no Content-*, no MIME-Version), in order.
    pub headers: Headers,
    /// The message body.
    pub root: Entity<B>,
}

/// Message header fields in order; values are unfolded and decoded to Unicode (RFC 2047).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first field of that name (names compare without case, RFC 5322 1.2.2).
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Every field of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Adds a field at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Replaces every field of that name by one; adds it at the end when there was none.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(slot) => slot.1 = value,
            None => return self.push(name, value),
        }
        let mut seen = false;
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name) || !std::mem::replace(&mut seen, true));
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }
}

/// What can say how long it is without being read: bytes, a stored span, a piece of an answer.
pub trait Length {
    /// Length in octets.
    fn length(&self) -> u64;
}

impl Length for Bytes {
    fn length(&self) -> u64 {
        self.len() as u64
    }
}

impl<B> Entity<B> {
    /// A leaf with nothing but a type and a body.
    pub fn leaf(media: MediaType, body: B) -> Self {
        Entity { media, content_id: None, location: None, disposition: None, other: Vec::new(), body: Body::Leaf(body) }
    }

    /// A multipart with nothing but a type and its parts.
    pub fn multipart(media: MediaType, parts: Vec<Entity<B>>) -> Self {
        Entity {
            media,
            content_id: None,
            location: None,
            disposition: None,
            other: Vec::new(),
            body: Body::Parts(parts),
        }
    }

    /// The leaves in document order; a leaf yields itself.
    pub fn leaves(&self) -> Vec<&Entity<B>> {
        let mut found = Vec::new();
        self.collect_leaves(&mut found);
        found
    }

    fn collect_leaves<'a>(&'a self, found: &mut Vec<&'a Entity<B>>) {
        match &self.body {
            Body::Leaf(_) => found.push(self),
            Body::Parts(parts) => parts.iter().for_each(|part| part.collect_leaves(found)),
        }
    }

    /// The leaf's body; `None` for a multipart.
    pub fn content(&self) -> Option<&B> {
        match &self.body {
            Body::Leaf(body) => Some(body),
            Body::Parts(_) => None,
        }
    }

    /// The file name to show: disposition's filename, else the type's `name`, else Content-Location.
    pub fn file_name(&self) -> Option<&str> {
        let disposition = self.disposition.as_ref().and_then(|d| d.filename.as_deref());
        disposition.or_else(|| self.media.param("name")).or(self.location.as_deref())
    }

    /// The same tree with every leaf body replaced.
    pub fn map<C>(self, f: &mut impl FnMut(B) -> C) -> Entity<C> {
        let body = match self.body {
            Body::Leaf(body) => Body::Leaf(f(body)),
            Body::Parts(parts) => Body::Parts(parts.into_iter().map(|part| part.map(f)).collect()),
        };
        Entity {
            media: self.media,
            content_id: self.content_id,
            location: self.location,
            disposition: self.disposition,
            other: self.other,
            body,
        }
    }
}

impl<B: Length> Entity<B> {
    /// Octets of all leaves together.
    pub fn content_length(&self) -> u64 {
        match &self.body {
            Body::Leaf(body) => body.length(),
            Body::Parts(parts) => parts.iter().map(Entity::content_length).sum(),
        }
    }
}
