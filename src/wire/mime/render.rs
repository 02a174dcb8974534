//! A [`Mail`] to octets for SMTP, strictly (invariant I-5): CRLF only, lines of at most 998 octets, header fields in
//! ASCII folded at 76 columns, parameters by RFC 2231, display names and free text by RFC 2047.
//!
//! No randomness in here (I-12): the caller supplies boundaries, and a boundary that occurs in what it should bound
//! is altered until it does not. Bodies that go out as they are stay ranges of what was given (I-6).

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memmem;

use crate::address::{encode_addresses, is_address_field};
use crate::limits::{BOUNDARY_LENGTH, LINE_LENGTH};
use crate::params::encode_param;
use crate::smil::is_smil;
use crate::transfer::{canonical_lines, encode_base64, encode_quoted};
use crate::words::{encode_text, write_folded};
use crate::{Body, Disposition, Entity, Mail, MediaType};

/// How far the way a message takes is clean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Plain SMTP: base64 and quoted-printable wherever octets need it (RFC 5321 4.5.3.1.6, RFC 2045 6.2).
    #[default]
    SevenBit,
    /// BINARYMIME with CHUNKING, or a file: leaves go out untouched, text included (RFC 3030).
    Binary,
}

/// The message as a list of octet runs to be written one after the other.
///
/// Header fields keep their order; `MIME-Version`, `Content-*` of the root follow them. A field whose name is no
/// field name is left out. In a single-part message text without a last line end gets one.
/// `boundary` is called once per multipart.
pub fn render(mail: &Mail<Bytes>, transport: Transport, mut boundary: impl FnMut() -> String) -> Vec<Bytes> {
    let mut writer =
        Writer { transport, boundary: &mut boundary, used: Vec::new(), pending: Vec::new(), chunks: Vec::new() };
    for (name, value) in &mail.headers.0 {
        writer.field(name, value);
    }
    writer.pending.extend_from_slice(b"MIME-Version: 1.0\r\n");
    writer.entity(&mail.root);
    if matches!(mail.root.body, Body::Leaf(_)) && !writer.ends_in_line_end() {
        writer.pending.extend_from_slice(b"\r\n");
    }
    writer.cut();
    writer.chunks
}

/// [`render`] in one piece.
pub fn render_to_bytes(mail: &Mail<Bytes>, transport: Transport, boundary: impl FnMut() -> String) -> Bytes {
    let chunks = render(mail, transport, boundary);
    match chunks.as_slice() {
        [single] => single.clone(),
        several => several.concat().into(),
    }
}

struct Writer<'a> {
    transport: Transport,
    boundary: &'a mut dyn FnMut() -> String,
    /// Boundaries of the multiparts written so far: none may begin with another.
    used: Vec<String>,
    pending: Vec<u8>,
    chunks: Vec<Bytes>,
}

/// Bodies from this size on are passed by reference instead of being copied into the run before them.
const BY_REFERENCE: usize = 4 * 1024;

impl Writer<'_> {
    fn entity(&mut self, entity: &Entity<Bytes>) {
        match &entity.body {
            Body::Leaf(body) => self.leaf(entity, body),
            Body::Parts(parts) => {
                let boundary = self.fresh_boundary(entity);
                let media = entity.media.clone().with("boundary", boundary.as_str());
                self.own_fields(entity, &media, None);
                for part in parts {
                    self.pending.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
                    self.entity(part);
                }
                self.pending.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
            }
        }
    }

    fn leaf(&mut self, entity: &Entity<Bytes>, body: &Bytes) {
        let (encoding, octets) = match self.transport {
            Transport::SevenBit => encode_body(&entity.media, body),
            Transport::Binary => ("binary", Cow::Borrowed(&body[..])),
        };
        let global = entity.media.essence() == "message/rfc822" && encoding == "base64";
        // An encoded message/rfc822 is forbidden (RFC 2046 5.2.1); message/global may be (RFC 6532 3.7).
        let mut media = if global { MediaType::new("message/global") } else { entity.media.clone() };
        if media.top() == "text" && media.param("charset").is_none() && !body.is_ascii() {
            media.set("charset", "utf-8"); // what every text leaf of the tree is
        }
        self.own_fields(entity, &media, Some(encoding));
        self.pending.extend_from_slice(b"\r\n");
        match octets {
            Cow::Borrowed(octets) if octets.len() >= BY_REFERENCE => {
                self.cut();
                self.chunks.push(body.slice_ref(octets));
            }
            Cow::Owned(octets) if octets.len() >= BY_REFERENCE => {
                self.cut();
                self.chunks.push(octets.into());
            }
            small => self.pending.extend_from_slice(&small),
        }
    }

    fn own_fields(&mut self, entity: &Entity<Bytes>, media: &MediaType, encoding: Option<&str>) {
        self.parameters("Content-Type", media.essence(), media.params());
        if let Some(encoding) = encoding {
            write_folded(&mut self.pending, "Content-Transfer-Encoding", encoding);
        }
        if let Some(id) = &entity.content_id {
            let id: String = id.chars().filter(|c| c.is_ascii_graphic() && !"<>".contains(*c)).collect();
            write_folded(&mut self.pending, "Content-ID", &format!("<{id}>"));
        }
        if let Some(location) = &entity.location {
            write_folded(&mut self.pending, "Content-Location", &encode_text(location));
        }
        if let Some(Disposition { kind, filename }) = &entity.disposition {
            let filename: Vec<_> = filename.iter().map(|name| ("filename".to_owned(), name.clone())).collect();
            let kind = if crate::media::is_token(kind) { kind } else { "attachment" };
            self.parameters("Content-Disposition", kind, &filename);
        }
        for (name, value) in &entity.other {
            self.field(name, value);
        }
    }

    fn parameters(&mut self, name: &str, value: &str, params: &[(String, String)]) {
        let mut text = value.to_owned();
        for param in params.iter().flat_map(|(name, value)| encode_param(name, value)) {
            text.push_str("; ");
            text.push_str(&param);
        }
        write_folded(&mut self.pending, name, &text);
    }

    fn field(&mut self, name: &str, value: &str) {
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        if !is_name || name.len() > BOUNDARY_LENGTH {
            return;
        }
        let text = match is_address_field(name) {
            true => encode_addresses(value),
            false => encode_text(value),
        };
        write_folded(&mut self.pending, name, &text);
    }

    /// A boundary that is one (RFC 2046 5.1.1), occurs in no leaf it bounds, and begins with no other.
    fn fresh_boundary(&mut self, entity: &Entity<Bytes>) -> String {
        let asked = (self.boundary)();
        let allowed = |c: &char| c.is_ascii_alphanumeric() || "'()+_,-./:=?".contains(*c);
        let base: String = asked.chars().filter(allowed).take(BOUNDARY_LENGTH - 12).collect();
        let leaves = entity.leaves();
        let mut counter = 0u32;
        loop {
            let candidate = if counter == 0 && !base.is_empty() { base.clone() } else { format!("{counter}_{base}") };
            counter += 1;
            let clash = self.used.iter().any(|used| used.starts_with(&candidate) || candidate.starts_with(used));
            let finder = memmem::Finder::new(candidate.as_bytes());
            let inside = leaves.iter().filter_map(|leaf| leaf.content()).any(|body| finder.find(body).is_some());
            if !clash && !inside {
                self.used.push(candidate.clone());
                return candidate;
            }
        }
    }

    fn cut(&mut self) {
        if !self.pending.is_empty() {
            self.chunks.push(std::mem::take(&mut self.pending).into());
        }
    }

    fn ends_in_line_end(&self) -> bool {
        match self.pending.last() {
            Some(last) => *last == b'\n',
            None => self.chunks.last().is_none_or(|chunk| chunk.ends_with(b"\n")),
        }
    }
}

/// The least encoding that makes a leaf safe on a 7-bit way, and the leaf in it.
fn encode_body<'a>(media: &MediaType, body: &'a [u8]) -> (&'static str, Cow<'a, [u8]>) {
    if media.top() != "text" {
        let readable = media.top() == "message" || is_smil(media.essence());
        return match readable && is_seven_bit(body) {
            true => ("7bit", Cow::Borrowed(body)),
            false => ("base64", Cow::Owned(encode_base64(body))),
        };
    }
    let canonical = canonical_lines(body);
    if is_seven_bit(&canonical) && !has_from_line(&canonical) {
        return ("7bit", canonical);
    }
    let foreign = canonical.iter().filter(|byte| !byte.is_ascii()).count();
    match foreign * 6 > canonical.len() {
        true => ("base64", Cow::Owned(encode_base64(&canonical))),
        false => ("quoted-printable", Cow::Owned(encode_quoted(&canonical))),
    }
}

/// ASCII without NUL, line ends CRLF, lines of at most 998 octets (RFC 2045 2.7).
fn is_seven_bit(text: &[u8]) -> bool {
    text.is_ascii()
        && !text.contains(&0)
        && matches!(canonical_lines(text), Cow::Borrowed(_))
        && text.split(|byte| *byte == b'\n').all(|line| line.len() <= LINE_LENGTH + 1)
}

/// Mail stores put a `>` before such a line.
fn has_from_line(text: &[u8]) -> bool {
    text.starts_with(b"From ") || memmem::find(text, b"\nFrom ").is_some()
}
