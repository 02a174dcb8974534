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
        "quoted-printable" => Some(Bytes::from(quoted_printable(body))),
        _ => None,
    }
}

/// RFC 2045 6.7; an equals sign that starts no escape stays (its robustness advice).
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&octet, after)) = rest.split_first() {
        let (decoded, left) = match (octet, after) {
            (b'=', [b'\r', b'\n', left @ ..] | [b'\n', left @ ..]) => (None, left),
            (b'=', [high, low, left @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (Some(nibble(*high) << 4 | nibble(*low)), left)
            }
            _ => (Some(octet), after),
        };
        out.extend(decoded);
        rest = left;
    }
    out
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}
