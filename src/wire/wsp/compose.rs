//! Entities written as bodies (WAP-230-WSP 8.5), strictly (I-5) and without touching a body (I-6).

use bytes::Bytes;
use packetboat_mime::{Body, Entity, Length, MediaType};

use crate::multipart::WAP_MULTIPART;
use crate::part::write_headers;
use crate::{Chunk, Encoded, Writer, write_content_type};

/// Writes the Content-Type-value of `entity` and its body after what `head` already holds. The entity's other header
/// fields belong to whoever holds it and are not written.
pub fn write_entity<B: Length + Clone>(mut head: Writer, entity: &Entity<B>) -> Encoded<B> {
    write_content_type(&mut head, &wap_media(entity));
    let mut out = Sink { encoded: Encoded::default(), head };
    out.body(body(entity));
    out.finish()
}

/// A body that is ready to be written: what it takes and how long that is.
enum Ready<'a, B> {
    Leaf(&'a B),
    Parts { parts: Vec<(Writer, Ready<'a, B>)>, length: u64 },
}

impl<B: Length> Ready<'_, B> {
    fn length(&self) -> u64 {
        match self {
            Ready::Leaf(body) => body.length(),
            Ready::Parts { length, .. } => *length,
        }
    }
}

/// Lengths come before what they count, so that bodies are measured from the inside out first.
fn body<B: Length>(entity: &Entity<B>) -> Ready<'_, B> {
    let entries = match &entity.body {
        Body::Leaf(body) => return Ready::Leaf(body),
        Body::Parts(entries) => entries,
    };
    let mut parts = Vec::with_capacity(entries.len());
    let mut length = uintvar(entries.len()).as_slice().len() as u64;
    for entry in entries {
        let content = body(entry);
        let mut fields = Writer::new();
        write_headers(&mut fields, entry, &wap_media(entry));
        let mut head = uintvar(fields.as_slice().len());
        head.uintvar(content.length()).octets(fields.as_slice());
        length += head.as_slice().len() as u64 + content.length();
        parts.push((head, content));
    }
    Ready::Parts { parts, length }
}

fn uintvar(value: usize) -> Writer {
    let mut out = Writer::new();
    out.uintvar(value as u64);
    out
}

/// Heads gather in one writer until a body comes.
struct Sink<B> {
    encoded: Encoded<B>,
    head: Writer,
}

impl<B: Length + Clone> Sink<B> {
    fn body(&mut self, ready: Ready<'_, B>) {
        match ready {
            Ready::Leaf(body) if body.length() == 0 => {}
            Ready::Leaf(body) => {
                self.flush();
                self.encoded.push(Chunk::Body(body.clone()));
            }
            Ready::Parts { parts, .. } => {
                self.head.uintvar(parts.len() as u64);
                for (head, content) in parts {
                    self.head.octets(head.as_slice());
                    self.body(content);
                }
            }
        }
    }

    fn flush(&mut self) {
        let head = std::mem::take(&mut self.head).into_vec();
        self.encoded.push(Chunk::Head(Bytes::from(head)));
    }

    fn finish(mut self) -> Encoded<B> {
        self.flush();
        self.encoded
    }
}

/// The type as WSP writes it: a multipart by its WAP name, and without the boundary it does not have.
fn wap_media<B>(entity: &Entity<B>) -> MediaType {
    let media = &entity.media;
    let mut written = match (&entity.body, media.essence().split_once('/')) {
        (Body::Parts(_), Some(("multipart", subtype))) => {
            let renamed = MediaType::new(format!("{WAP_MULTIPART}{subtype}"));
            media.params().iter().fold(renamed, |renamed, (name, value)| renamed.with(name, value.clone()))
        }
        (Body::Parts(_), _) if !media.is_multipart() => MediaType::new(format!("{WAP_MULTIPART}mixed")),
        _ => media.clone(),
    };
    if matches!(entity.body, Body::Parts(_)) {
        written.unset("boundary");
    }
    written
}
