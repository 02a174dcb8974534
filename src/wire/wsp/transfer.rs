//! Undoing a part's Content-Transfer-Encoding (RFC 2045 6).
//!
//! WSP bodies are binary and owe none, yet operators' gateways pass on what they got by mail. A body that is not what
//! its encoding says is kept as it came.

use bytes::Bytes;

/// The decoded body; `None` when the encoding is unknown or the body is not of it.
pub(crate) fn undo(encoding: &str, body: &Bytes) -> Option<Bytes> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "7bit" | "8bit" | "binary" | "" => Some(body.clone()),
        "base64" => base64_simd::forgiving_decode_to_vec(body).ok().map(Bytes::from),
        "quoted-printable" => Some(Bytes::from(packetboat_mime::decode_quoted(body))),
        _ => None,
    }
}
