//! Parts as they are stored, whole or by range, streamed from the store.
//!
//! A part is never shown as a page: only pictures, sounds, films and plain text go out under a type of their own, and a picture
//! under the type of its octets; all else is to be saved, as octets nobody interprets.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{IF_RANGE, RANGE};
use http_body::{Body, Frame, SizeHint};
use packetboat_api::message::{Message, Span};
use packetboat_api::road::Content;
use packetboat_api::store::StoreError;

use crate::limits::PIECE;
use crate::view::escaped;

/// How a part is shown, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// In the page, scaled.
    Picture,
    /// In a player.
    Audio,
    /// In a player.
    Video,
    /// As a contact.
    Card,
    /// As a file that is a calendar entry.
    Event,
    /// As words.
    Text,
    /// As a file.
    File,
}

/// How a part of this type is shown.
pub fn shown(essence: &str) -> Shown {
    match essence {
        "image/jpeg" | "image/jpg" | "image/pjpeg" | "image/png" | "image/x-png" | "image/gif" | "image/webp"
        | "image/bmp" | "image/x-ms-bmp" => Shown::Picture,
        "text/x-vcard" | "text/vcard" | "text/directory" => Shown::Card,
        "text/calendar" | "text/x-vcalendar" => Shown::Event,
        "text/plain" => Shown::Text,
        _ if playable(essence, "audio/") => Shown::Audio,
        _ if playable(essence, "video/") => Shown::Video,
        _ => Shown::File,
    }
}

/// A type that can go into a header field as it stands.
fn playable(essence: &str, top: &str) -> bool {
    essence.strip_prefix(top).is_some_and(|subtype| {
        !subtype.is_empty() && subtype.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+".contains(&b))
    })
}

/// The type under which a part that is not a picture goes out.
pub fn media_type(essence: &str) -> &str {
    match (shown(essence), essence) {
        (Shown::Audio | Shown::Video, _) => essence,
        (Shown::Card, "text/directory") => "text/vcard",
        (Shown::Card, _) => essence,
        (Shown::Event, "text/x-vcalendar") => "text/x-vcalendar",
        (Shown::Event, _) => "text/calendar",
        (_, "application/pdf") => essence,
        _ => "application/octet-stream",
    }
}

/// Content-Disposition for a file to be saved (RFC 6266 4): the name as ASCII for old programs, and whole.
pub fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '/' | '%' | ';' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    match plain == name {
        true => format!("attachment; filename=\"{plain}\""),
        false => format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", escaped(name)),
    }
}

/// What of a part is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All of it.
    Whole,
    /// A range, from 0, within it.
    Some(Range<u64>),
    /// A range that it does not have.
    Beyond,
}

/// What a Range field asks for (RFC 9110 14.2). Several ranges, other units and nonsense are answered with all of it, as is a
/// range on condition of another version.
pub fn asked(fields: &HeaderMap, length: u64, tag: &str) -> Asked {
    if fields.get(IF_RANGE).is_some_and(|condition| condition != tag) {
        return Asked::Whole;
    }
    let Some(range) = fields.get(RANGE).and_then(|value| value.to_str().ok()) else { return Asked::Whole };
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (number(first), number(last), first.trim().is_empty(), last.trim().is_empty()) {
        (None, Some(0), true, _) => Asked::Beyond,
        (None, Some(_), true, _) if length == 0 => Asked::Beyond,
        (None, Some(suffix), true, _) => Asked::Some(length.saturating_sub(suffix)..length),
        (Some(first), Some(last), ..) if last < first => Asked::Whole,
        (Some(first), Some(_), ..) | (Some(first), None, _, true) if first >= length => Asked::Beyond,
        (Some(first), Some(last), ..) => Asked::Some(first..last.saturating_add(1).min(length)),
        (Some(first), None, _, true) => Asked::Some(first..length),
        _ => Asked::Whole,
    }
}

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, StoreError>> + Send>>;

/// A range of a message's content on its way out, read in pieces.
pub struct Stored {
    content: Arc<dyn Content>,
    message: Arc<Message>,
    left: Range<u64>,
    reading: Option<Reading>,
}

impl Stored {
    /// A range of a part.
    pub fn new(content: Arc<dyn Content>, message: Arc<Message>, span: Span, range: Range<u64>) -> Self {
        Stored { content, message, left: span.start + range.start..span.start + range.end, reading: None }
    }
}

impl Body for Stored {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let mut reading = self.reading.take().unwrap_or_else(|| {
            let range = self.left.start..self.left.end.min(self.left.start + PIECE);
            let (content, message) = (self.content.clone(), self.message.clone());
            Box::pin(async move { content.read(&message, range).await })
        });
        let Poll::Ready(read) = reading.as_mut().poll(cx) else {
            self.reading = Some(reading);
            return Poll::Pending;
        };
        Poll::Ready(Some(read.map(|octets| {
            self.left.start += octets.len() as u64;
            Frame::data(octets)
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.end - self.left.start)
    }
}
