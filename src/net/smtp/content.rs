//! The octets of a message, fit for DATA: lines end in CRLF and in nothing else (RFC 5321 2.3.8).
//!
//! A bare CR or LF would be passed on as it is and could hide an end of DATA from us that another server sees, so
//! there is none in a [`Content`]. Octets that are right already stay where they are (I-6).

use bytes::Bytes;
use memchr::memchr2;

/// A message as it goes out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Content {
    chunks: Vec<Bytes>,
    size: u64,
    eight_bit: bool,
    utf8_headers: bool,
}

impl Content {
    /// From octet runs that follow one another. Line ends become CRLF, and the last line gets one.
    pub fn new(chunks: Vec<Bytes>) -> Content {
        let mut chunks = if is_canonical(&chunks) { chunks } else { vec![canonical(&chunks).into()] };
        chunks.retain(|chunk| !chunk.is_empty());
        let eight_bit = chunks.iter().any(|chunk| !chunk.is_ascii());
        Content {
            size: chunks.iter().map(|chunk| chunk.len() as u64).sum(),
            eight_bit,
            utf8_headers: eight_bit && header_is_eight_bit(&chunks),
            chunks,
        }
    }

    /// Octets, as SIZE counts them: line ends are two, stuffed dots are not counted (RFC 1870 4).
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether any octet is above 127: owes BODY=8BITMIME (RFC 6152).
    pub fn is_eight_bit(&self) -> bool {
        self.eight_bit
    }

    /// Whether the header section has such octets: owes SMTPUTF8 (RFC 6531 3.4).
    pub fn has_utf8_headers(&self) -> bool {
        self.utf8_headers
    }

    /// The octets without the last CRLF, which the end of DATA brings with it.
    pub(super) fn without_last_line_end(&self) -> impl Iterator<Item = &[u8]> + Send {
        let mut left = usize::try_from(self.size).unwrap_or(usize::MAX).saturating_sub(2);
        self.chunks.iter().map(move |chunk| {
            let taken = chunk.len().min(left);
            left -= taken;
            chunk.get(..taken).unwrap_or_default()
        })
    }
}

/// Whether every CR is followed by LF, every LF preceded by CR, and the end is a line end.
fn is_canonical(chunks: &[Bytes]) -> bool {
    let mut after_cr = false;
    let mut at_line_end = false;
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        let mut rest: &[u8] = chunk;
        if after_cr {
            let Some(after) = rest.strip_prefix(b"\n") else { return false };
            rest = after;
            after_cr = false;
            at_line_end = true;
        }
        while let Some(at) = memchr2(b'\r', b'\n', rest) {
            match rest.get(at..).unwrap_or_default() {
                [b'\r', b'\n', ..] => rest = rest.get(at + 2..).unwrap_or_default(),
                [b'\r'] => {
                    after_cr = true;
                    rest = &[];
                }
                _ => return false,
            }
            at_line_end = rest.is_empty() && !after_cr;
        }
        at_line_end &= rest.is_empty();
    }
    at_line_end && !after_cr
}

/// With every CRLF, bare CR and bare LF as one CRLF, and one at the end.
fn canonical(chunks: &[Bytes]) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunks.iter().map(Bytes::len).sum::<usize>() + 2);
    let mut after_cr = false;
    for octet in chunks.iter().flatten() {
        match octet {
            b'\n' if after_cr => {} // the CR before it made the line end already
            b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(*other),
        }
        after_cr = *octet == b'\r';
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Whether an octet above 127 comes before the empty line that ends the header section.
fn header_is_eight_bit(chunks: &[Bytes]) -> bool {
    let mut line_is_empty = true;
    for octet in chunks.iter().flatten() {
        match octet {
            b'\r' => {}
            b'\n' if line_is_empty => return false,
            b'\n' => line_is_empty = true,
            other if !other.is_ascii() => return true,
            _ => line_is_empty = false,
        }
    }
    false
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
