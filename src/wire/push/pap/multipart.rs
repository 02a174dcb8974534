//! The body of a submission: `multipart/related` of the control document, what is pushed, and the phone's capabilities if
//! they are known (WAP-247-PAP 8.2; RFC 2387).

use bytes::Bytes;
use packetboat_mime::{Entity, MediaType, MimeError};
use thiserror::Error;

use super::MEDIA_TYPE;

/// What is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What it is.
    pub media: MediaType,
    /// Header fields that go with it, such as X-Wap-Application-Id.
    pub headers: Vec<(String, String)>,
    /// Its octets, transfer encodings undone.
    pub octets: Bytes,
}

/// The parts of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The control document.
    pub control: Bytes,
    /// What is pushed; cancelling and asking push nothing.
    pub content: Option<Content>,
    /// What the phone can do, as RDF.
    pub capabilities: Option<Bytes>,
}

/// Why a body is no submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MultipartError {
    /// Too much of something.
    #[error("{0}")]
    Mime(#[from] MimeError),
    /// There is no part of it.
    #[error("no part (octet 0): expected multipart/related with the control document first")]
    Empty,
}

/// The body of a submission, its control document first. `headers` are the content's own fields: Content-Type at least,
/// and X-Wap-Application-Id; a field that is no field is left out. No field is added: gateways send the content's fields to
/// the phone, octet for octet. The request's Content-Type is [`content_type`]`(boundary)`.
///
/// The boundary must not occur in what it bounds; the caller makes it long and random.
pub fn multipart(boundary: &str, control: &str, headers: &[(&str, &str)], content: &[u8]) -> Vec<u8> {
    let mut out =
        format!("--{boundary}\r\nContent-Type: {MEDIA_TYPE}; charset=UTF-8\r\n\r\n{control}\r\n--{boundary}\r\n")
            .into_bytes();
    for (name, value) in headers.iter().filter(|(name, value)| is_name(name) && is_value(value)) {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(content);
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    out
}

/// The Content-Type of a request with a [`multipart`] body.
pub fn content_type(boundary: &str) -> String {
    format!("multipart/related; boundary=\"{boundary}\"; type=\"{MEDIA_TYPE}\"")
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

fn is_value(value: &str) -> bool {
    !value.contains(char::is_control)
}

/// The parts of a submission with this Content-Type; a document that is posted alone is the control document.
///
/// # Errors
/// [`MultipartError`]: more parts or longer fields than anybody needs, or no part at all.
pub fn parse_multipart(content_type: &str, body: &Bytes) -> Result<Body, MultipartError> {
    // One line, or it would be several fields.
    let content_type: String = content_type.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if !MediaType::parse(&content_type).is_multipart() {
        return match body.is_empty() {
            true => Err(MultipartError::Empty),
            false => Ok(Body { control: body.clone(), content: None, capabilities: None }),
        };
    }
    let message = [format!("Content-Type: {content_type}\r\n\r\n").as_bytes(), body].concat();
    let root = packetboat_mime::parse(&message.into())?.root;
    let parts = match root.body {
        packetboat_mime::Body::Parts(parts) => parts,
        // No boundary in it.
        packetboat_mime::Body::Leaf(_) => Vec::new(),
    };
    let mut parts = parts.into_iter();
    let control = parts.next().ok_or(MultipartError::Empty)?;
    let control = control.content().cloned().unwrap_or_default();
    let content = parts.next().map(content);
    let capabilities = parts.next().and_then(|part| part.content().cloned());
    Ok(Body { control, content, capabilities })
}

fn content(part: Entity<Bytes>) -> Content {
    let octets = part.content().cloned().unwrap_or_default();
    Content { media: part.media, headers: part.other, octets }
}
