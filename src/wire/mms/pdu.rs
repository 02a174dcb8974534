//! A PDU: its type, its header fields in order and its content.

use packetboat_mime::Entity;

use crate::tables::{Field, PduType};
use crate::value::Value;

/// One header field and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The field.
    pub field: Field,
    /// Its value.
    pub value: Value,
}

/// A PDU. X-Mms-Message-Type is `kind` and Content-Type is part of `content`; neither stands among `headers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu<B = bytes::Bytes> {
    /// The type.
    pub kind: PduType,
    /// The header fields in the order they came; repeated ones stay repeated.
    pub headers: Vec<Header>,
    /// The content, when there is any: a multipart by its WAP name, or a single part.
    pub content: Option<Entity<B>>,
    /// Whether the content came with an empty Content-Type: it stands as `application/octet-stream`, and whoever
    /// takes the PDU may look at it and guess better.
    pub untyped: bool,
}

impl<B> Pdu<B> {
    /// A PDU with neither header fields nor content.
    pub fn new(kind: PduType) -> Self {
        Pdu { kind, headers: Vec::new(), content: None, untyped: false }
    }

    /// The same PDU with one more header field at the end.
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.headers.push(Header { field, value: value.into() });
        self
    }

    /// The same PDU with one more header field, if there is a value for it.
    pub fn with_some(self, field: Field, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// The same PDU with that content.
    pub fn with_content<C>(self, content: Entity<C>) -> Pdu<C> {
        Pdu { kind: self.kind, headers: self.headers, content: Some(content), untyped: false }
    }

    /// The same PDU with every body replaced.
    pub fn map<C>(self, f: &mut impl FnMut(B) -> C) -> Pdu<C> {
        let content = self.content.map(|content| content.map(f));
        Pdu { kind: self.kind, headers: self.headers, content, untyped: self.untyped }
    }

    /// Replaces every field of that kind by one, where the first stood or at the end.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        let at = self.headers.iter().position(|header| header.field == field).unwrap_or(self.headers.len());
        self.remove(&field);
        self.headers.insert(at, Header { field, value: value.into() });
    }

    /// Removes every field of that kind.
    pub fn remove(&mut self, field: &Field) {
        self.headers.retain(|header| header.field != *field);
    }
}
