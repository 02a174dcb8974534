//! Octets to a [`Mail`]: header fields, the multipart tree, transfer encodings, charsets.
//!
//! The tree is walked here, by boundary search over the octets, and not by mail-parser, which undoes every transfer
//! encoding on the way at a sixth of the speed; mail-parser's charsets stay in use. Bodies that need no decoding are
//! ranges of the input (I-6). Any input gives a tree or a limit's name (I-4): broken or missing
//! boundaries give the text that is there.

use bytes::Bytes;
use memchr::{memchr, memmem};

use crate::address::is_address_field;
use crate::limits::{DEPTH, FIELD_LENGTH, FIELDS, PARTS};
use crate::params::decode_params;
use crate::transfer::{decode_base64, decode_quoted};
use crate::words::{Grammar, decode_value, unfold};
use crate::{Body, Disposition, Entity, Headers, Mail, MediaType, charset};

/// Why octets are no message: a limit of [`crate::limits`] was reached. Offsets are into the input; for an entity
/// inside an encoded multipart, into its decoded octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MimeError {
    /// More than [`PARTS`] entities.
    #[error("more than {PARTS} parts (octet {offset})")]
    TooManyParts {
        /// Where the part too many begins.
        offset: usize,
    },
    /// Multiparts more than [`DEPTH`] deep.
    #[error("multiparts nested more than {DEPTH} deep (octet {offset})")]
    TooDeep {
        /// Where the multipart too deep begins.
        offset: usize,
    },
    /// More than [`FIELDS`] header fields in one entity.
    #[error("more than {FIELDS} header fields (octet {offset})")]
    TooManyFields {
        /// Where the field too many begins.
        offset: usize,
    },
    /// A header field longer than [`FIELD_LENGTH`] octets.
    #[error("a header field longer than {FIELD_LENGTH} octets (octet {offset})")]
    FieldTooLong {
        /// Where the field begins.
        offset: usize,
    },
}

/// Reads a message as received (RFC 5322, RFC 2045): line ends CRLF or LF, with or without MIME header fields.
///
/// Leaves are decoded; text leaves are UTF-8 and say so; `boundary` parameters are gone, because the tree says what
/// they said. A message/rfc822 attachment stays one leaf.
pub fn parse(input: &Bytes) -> Result<Mail<Bytes>, MimeError> {
    let mut walk = Walk { parts: 0 };
    let envelope = match input.starts_with(b"From ") || input.starts_with(b">From ") {
        true => memchr(b'\n', input).map_or(input.len(), |at| at + 1), // an mbox line is no field
        false => 0,
    };
    let (mut root, own) = walk.entity(input.slice(envelope..), envelope, 0, "text/plain")?;
    let mut headers = Headers::default();
    for (name, value) in own {
        match name.len() >= 8 && name.as_bytes()[..8].eq_ignore_ascii_case(b"content-") {
            true => root.other.push((name, value)),
            false if name.eq_ignore_ascii_case("mime-version") => {}
            false => headers.push(name, value),
        }
    }
    Ok(Mail { headers, root })
}

/// Header fields that are not told by an [`Entity`]'s own members.
type Rest = Vec<(String, String)>;

struct Walk {
    parts: usize,
}

impl Walk {
    fn entity(
        &mut self,
        source: Bytes,
        offset: usize,
        depth: usize,
        default: &str,
    ) -> Result<(Entity, Rest), MimeError> {
        self.parts += 1;
        if self.parts > PARTS {
            return Err(MimeError::TooManyParts { offset });
        }
        let head = Head::read(&source, offset)?;
        let (mut entity, encoding, rest) = describe(&source, &head, default);
        let body = source.slice(head.body..);
        let body_offset = offset + head.body;
        if entity.media.is_multipart() {
            let boundary = entity.media.param("boundary").map(str::to_owned);
            entity.media.unset("boundary");
            let encoded = !matches!(encoding, Encoding::Identity);
            let body = undo(body, encoding);
            let offset = if encoded { 0 } else { body_offset };
            match self.parts_of(&body, boundary.as_deref(), offset, depth, &entity.media)? {
                Some(parts) => entity.body = Body::Parts(parts),
                None => {
                    entity.media = MediaType::new("text/plain");
                    entity.body = Body::Leaf(to_utf8(body, &mut entity.media));
                }
            }
            return Ok((entity, rest));
        }
        let mut body = undo(body, encoding);
        if entity.media.top() == "text" {
            body = to_utf8(body, &mut entity.media);
        }
        entity.body = Body::Leaf(body);
        Ok((entity, rest))
    }

    /// The parts of a multipart; `None` when not one delimiter is there, so that its text is not lost.
    fn parts_of(
        &mut self,
        body: &Bytes,
        boundary: Option<&str>,
        offset: usize,
        depth: usize,
        media: &MediaType,
    ) -> Result<Option<Vec<Entity>>, MimeError> {
        if depth >= DEPTH {
            return Err(MimeError::TooDeep { offset });
        }
        let boundary = boundary.map(str::trim).filter(|boundary| !boundary.is_empty());
        let delimiter = match boundary {
            Some(boundary) => format!("--{boundary}").into_bytes(),
            None => match guess_delimiter(body) {
                Some(line) => line.to_vec(),
                None => return Ok(None),
            },
        };
        let default = if media.essence() == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        let mut parts = Vec::new();
        let mut delimiters = Delimiters::new(body, &delimiter);
        let Some(mut open) = delimiters.next() else { return Ok(None) };
        while !open.closes {
            let next = delimiters.next();
            let end = next.as_ref().map_or(body.len(), |next| before_line_end(body, next.start)).max(open.end);
            if next.is_none() && body[open.end..end].trim_ascii().is_empty() {
                break; // a last delimiter that forgot to close
            }
            let (mut part, rest) = self.entity(body.slice(open.end..end), offset + open.end, depth + 1, default)?;
            part.other = rest;
            parts.push(part);
            match next {
                Some(next) => open = next,
                None => break,
            }
        }
        Ok(Some(parts))
    }
}

/// The header fields at the front of `source`, decoded, and where what follows the empty line begins. Over a limit
/// there are none and nothing follows.
pub(crate) fn read_fields(source: &[u8]) -> (Rest, usize) {
    let Ok(head) = Head::read(source, 0) else { return (Rest::new(), source.len()) };
    let decoded = head.fields.iter().map(|field| {
        let name = String::from_utf8_lossy(source[field.start..field.colon].trim_ascii_end()).into_owned();
        (name, decode_value(&source[field.colon + 1..field.end], Grammar::Text))
    });
    (decoded.collect(), head.body)
}

/// A delimiter line: where it starts, where the next line starts, whether it is the closing one.
struct Delimiter {
    start: usize,
    end: usize,
    closes: bool,
}

struct Delimiters<'a> {
    body: &'a [u8],
    found: memmem::FindIter<'a, 'a>,
    length: usize,
}

impl<'a> Delimiters<'a> {
    fn new(body: &'a [u8], delimiter: &'a [u8]) -> Self {
        Delimiters { body, found: memmem::find_iter(body, delimiter), length: delimiter.len() }
    }
}

impl Iterator for Delimiters<'_> {
    type Item = Delimiter;

    fn next(&mut self) -> Option<Delimiter> {
        loop {
            let start = self.found.next()?;
            if start > 0 && self.body[start - 1] != b'\n' {
                continue;
            }
            let after = &self.body[start + self.length..];
            let closes = after.starts_with(b"--");
            // `--outer-2` is no delimiter of `outer`.
            if closes || after.first().is_none_or(u8::is_ascii_whitespace) {
                let line = memchr(b'\n', after).map_or(after.len(), |at| at + 1);
                return Some(Delimiter { start, end: start + self.length + line, closes });
            }
        }
    }
}

/// The line end before a delimiter belongs to the delimiter (RFC 2046 5.1.1).
fn before_line_end(body: &[u8], at: usize) -> usize {
    let kept = &body[..at];
    let kept = kept.strip_suffix(b"\n").unwrap_or(kept);
    kept.strip_suffix(b"\r").unwrap_or(kept).len()
}

/// For a multipart that does not say its boundary: the first line that looks like a delimiter.
fn guess_delimiter(body: &[u8]) -> Option<&[u8]> {
    let line = body.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"--"))?.trim_ascii_end();
    (line.len() > 2 && line.len() < 200 && !line.contains(&b' ')).then_some(line)
}

/// The header section of an entity: fields by range, and where the body begins.
struct Head {
    fields: Vec<Field>,
    body: usize,
}

struct Field {
    start: usize,
    colon: usize,
    end: usize,
}

impl Head {
    /// Lines that are no fields are skipped when fields follow; when none follow, the body begins there, as it does
    /// for a sender who forgot the empty line.
    fn read(source: &[u8], offset: usize) -> Result<Head, MimeError> {
        let mut fields: Vec<Field> = Vec::new();
        let mut at = 0;
        let mut stray = None;
        loop {
            let line_end = memchr(b'\n', &source[at..]).map_or(source.len(), |length| at + length + 1);
            let line = source[at..line_end].trim_ascii_end();
            if line.is_empty() && !continues(source, at) {
                return Ok(Head { fields, body: stray.unwrap_or(line_end) });
            }
            match fields.last_mut() {
                Some(last) if stray.is_none() && continues(source, at) => {
                    last.end = line_end;
                    if last.end - last.start > FIELD_LENGTH {
                        return Err(MimeError::FieldTooLong { offset: offset + last.start });
                    }
                }
                _ => match field_name_length(line) {
                    Some(_) if fields.len() == FIELDS => {
                        return Err(MimeError::TooManyFields { offset: offset + at });
                    }
                    Some(_) if line_end - at > FIELD_LENGTH => {
                        return Err(MimeError::FieldTooLong { offset: offset + at });
                    }
                    Some(length) => {
                        stray = None;
                        fields.push(Field { start: at, colon: at + length, end: line_end });
                    }
                    None => stray = stray.or(Some(at)),
                },
            }
            at = line_end;
        }
    }
}

/// Whether the line at `at` continues the field before it, lines of nothing but blanks included (RFC 5322 4.2).
fn continues(source: &[u8], at: usize) -> bool {
    matches!(source.get(at), Some(b' ' | b'\t'))
}

/// Octets of the field name at the front of a line; blanks before the colon are taken as old mailers wrote them.
fn field_name_length(line: &[u8]) -> Option<usize> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(colon)
}

enum Encoding {
    Identity,
    Base64,
    Quoted,
}

/// What the header fields say of the entity; its body is still to come.
fn describe(source: &[u8], head: &Head, default: &str) -> (Entity, Encoding, Rest) {
    let mut entity = Entity::leaf(MediaType::new(default), Bytes::new());
    let (mut encoding, mut typed) = (Encoding::Identity, false);
    let mut rest = Vec::new();
    for field in &head.fields {
        let name = String::from_utf8_lossy(source[field.start..field.colon].trim_ascii_end());
        let raw = &source[field.colon + 1..field.end];
        let text = || decode_value(raw, Grammar::Text);
        match name.to_ascii_lowercase().as_str() {
            "content-type" if !typed && !raw.trim_ascii().is_empty() => {
                entity.media = read_media(raw);
                typed = true;
            }
            "content-transfer-encoding" => match raw.trim_ascii().to_ascii_lowercase().as_slice() {
                [b'b', b'a', b's', b'e', b'6', b'4', ..] => encoding = Encoding::Base64,
                [b'q', b'u', b'o', b't', b'e', b'd', ..] => encoding = Encoding::Quoted,
                _ => {}
            },
            "content-type" => {}
            "content-id" if entity.content_id.is_none() => {
                let id = text();
                let id = id.trim_matches(|c: char| c.is_whitespace() || c == '<' || c == '>');
                entity.content_id = (!id.is_empty()).then(|| id.to_owned());
            }
            "content-location" if entity.location.is_none() => {
                entity.location = Some(text()).filter(|location| !location.is_empty());
            }
            "content-disposition" if entity.disposition.is_none() => entity.disposition = read_disposition(raw),
            _ => {
                let grammar = if is_address_field(&name) { Grammar::Addresses } else { Grammar::Text };
                rest.push((name.into_owned(), decode_value(raw, grammar)));
            }
        }
    }
    (entity, encoding, rest)
}

/// Charset first, structure second, encoded words last: a decoded quote must not look like structure.
fn read_media(raw: &[u8]) -> MediaType {
    decode_params(MediaType::parse(&unfold(raw)))
}

fn read_disposition(raw: &[u8]) -> Option<Disposition> {
    let text = unfold(raw);
    let (kind, params) = text.split_once(';').unwrap_or((&text, ""));
    let kind = kind.trim().to_ascii_lowercase();
    let params = decode_params(MediaType::parse(&format!("x/x;{params}")));
    let filename = params.param("filename").map(str::to_owned).filter(|name| !name.is_empty());
    (!kind.is_empty() || filename.is_some()).then_some(Disposition { kind, filename })
}

fn undo(body: Bytes, encoding: Encoding) -> Bytes {
    match encoding {
        Encoding::Identity => body,
        Encoding::Base64 => decode_base64(&body).into(),
        Encoding::Quoted => decode_quoted(&body).into(),
    }
}

/// Text as UTF-8 that says so; the same octets when they already are.
fn to_utf8(body: Bytes, media: &mut MediaType) -> Bytes {
    let label = media.param("charset").unwrap_or("").to_owned();
    media.set("charset", "utf-8");
    match charset::decode(&body, &label) {
        std::borrow::Cow::Borrowed(text) => body.slice_ref(text.as_bytes()),
        std::borrow::Cow::Owned(text) => text.into(),
    }
}
