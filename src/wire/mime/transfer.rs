//! Content-Transfer-Encoding, both ways (RFC 2045 6).
//!
//! Decoding is total: garbage is skipped the way mailers skip it. Base64 of the shape every mailer writes goes
//! through SIMD in blocks; the first irregularity switches to a scalar reader for the whole body.

use std::borrow::Cow;

use base64_simd::{AsOut, STANDARD};
use memchr::{memchr, memchr2, memchr2_iter};

/// Columns of an encoded body line (RFC 2045 6.7, 6.8).
const COLUMNS: usize = 76;
/// Base64 characters gathered before a SIMD call: a multiple of four, small enough to stay in the first cache.
const BLOCK: usize = 16 * 1024;

/// Undoes base64. Line ends, blanks and foreign characters are skipped; padding ends a quantum, not the body, so
/// that concatenated encodings survive.
pub(crate) fn decode_base64(input: &[u8]) -> Vec<u8> {
    decode_regular(input).unwrap_or_else(|| decode_lenient(input))
}

/// The fast path: lines of alphabet characters, padding only at the very end.
fn decode_regular(input: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0u8; input.len() / 4 * 3 + 3];
    let mut written = 0;
    let mut block = [0u8; BLOCK];
    let mut held = 0;
    let mut rest = input;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or(&[]);
        let mut line = line.strip_suffix(b"\r").unwrap_or(line);
        while !line.is_empty() {
            let taken = line.len().min(BLOCK - held);
            block[held..held + taken].copy_from_slice(&line[..taken]);
            held += taken;
            line = &line[taken..];
            if held == BLOCK {
                // A padded block in the middle would hide a shorter result: only the last block may end in '='.
                if block[BLOCK - 1] == b'=' {
                    return None;
                }
                written += STANDARD.decode(&block, out[written..].as_out()).ok()?.len();
                held = 0;
            }
        }
    }
    written += STANDARD.decode(&block[..held], out[written..].as_out()).ok()?.len();
    out.truncate(written);
    Some(out)
}

fn decode_lenient(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for &byte in input {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                flush_quantum(&mut out, bits, count);
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    flush_quantum(&mut out, bits, count);
    out
}

fn flush_quantum(out: &mut Vec<u8>, bits: u32, count: u32) {
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {} // six bits alone say nothing
    }
}

/// Undoes quoted-printable (RFC 2045 6.7): soft breaks joined, blanks at line ends dropped, a `=` that is no escape kept.
pub fn decode_quoted(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let break_at = line.strip_suffix(b"\r").map_or(end, |_| end - 1);
        let line_end = &rest[break_at..(end + 1).min(rest.len())];
        rest = after.get(1..).unwrap_or(&[]);
        let line = line[..break_at].trim_ascii_end();
        let soft = line.last() == Some(&b'=');
        decode_quoted_line(if soft { &line[..line.len() - 1] } else { line }, &mut out);
        if !soft {
            out.extend_from_slice(line_end);
        }
    }
    out
}

fn decode_quoted_line(mut line: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr(b'=', line) {
        out.extend_from_slice(&line[..at]);
        match line.get(at + 1..at + 3).and_then(hex_octet) {
            Some(octet) => {
                out.push(octet);
                line = &line[at + 3..];
            }
            None => {
                out.push(b'=');
                line = &line[at + 1..];
            }
        }
    }
    out.extend_from_slice(line);
}

/// Two hexadecimal digits as one octet.
pub(crate) fn hex_octet(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// Base64 in lines of 76 columns, each ended by CRLF.
pub(crate) fn encode_base64(input: &[u8]) -> Vec<u8> {
    let lines = input.len().div_ceil(COLUMNS / 4 * 3);
    let mut out = vec![0u8; STANDARD.encoded_length(input.len()) + 2 * lines];
    let mut at = 0;
    for chunk in input.chunks(COLUMNS / 4 * 3) {
        at += STANDARD.encode(chunk, out[at..].as_out()).len();
        out[at..at + 2].copy_from_slice(b"\r\n");
        at += 2;
    }
    out
}

/// Quoted-printable of text whose lines already end in CRLF.
pub(crate) fn encode_quoted(input: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(input.len() + input.len() / 4);
    let mut column = 0;
    let mut at = 0;
    while at < input.len() {
        let byte = input[at];
        if input[at..].starts_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
            column = 0;
            at += 2;
            continue;
        }
        let next = input.get(at + 1);
        let line_ends = next.is_none() || input[at + 1..].starts_with(b"\r\n");
        let plain = match byte {
            b' ' | b'\t' => !line_ends,
            b'=' => false,
            // "From " and a lone dot at a line's start are what relays tamper with.
            b'F' | b'.' if column == 0 => false,
            other => other.is_ascii_graphic(),
        };
        let width = if plain { 1 } else { 3 };
        if column + width > COLUMNS - usize::from(!line_ends) {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        match plain {
            true => out.push(byte),
            false => out.extend_from_slice(&[b'=', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
        column += width;
        at += 1;
    }
    out
}

/// Text with every line end written as CRLF (RFC 2046 4.1.1); borrowed when it already is.
pub(crate) fn canonical_lines(text: &[u8]) -> Cow<'_, [u8]> {
    let stray = memchr2_iter(b'\r', b'\n', text).any(|at| match text[at] {
        b'\r' => text.get(at + 1) != Some(&b'\n'),
        _ => at == 0 || text[at - 1] != b'\r',
    });
    if !stray {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    while let Some(at) = memchr2(b'\r', b'\n', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\r\n");
        let pair = rest[at..].starts_with(b"\r\n");
        rest = &rest[at + 1 + usize::from(pair)..];
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}
