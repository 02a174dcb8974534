//! Charsets: whatever a mailer or a phone declares becomes UTF-8.
//!
//! Decoding never fails and never loses a message over its charset: a wrong or unknown label is answered by the best
//! guess the bytes allow, and what cannot be read becomes U+FFFD. Independent of MIBenum numbers; those belong to WSP.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Text in the charset of that label (IANA name or alias, any case; empty when none was declared) as a string.
///
/// UTF-8 and US-ASCII declarations are not believed blindly: bytes that are not UTF-8 at all are read as
/// windows-1252, the charset such mailers mean. `utf-16` and `iso-10646-ucs-2` look at a byte order mark, then at
/// where the zero octets lie, and are big-endian otherwise (RFC 2781 4.3).
pub fn decode_text(bytes: &[u8], label: &str) -> String {
    decode(bytes, label).into_owned()
}

/// [`decode_text`] without a copy where the bytes are already right.
pub(crate) fn decode<'a>(bytes: &'a [u8], label: &str) -> Cow<'a, str> {
    let label = label.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'').to_ascii_lowercase();
    match label.as_str() {
        "" | "utf-8" | "utf8" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown" | "unknown-8bit" => {
            undeclared(bytes)
        }
        "utf-16" | "utf16" | "ucs-2" | "unicode" | "csunicode" | "iso-10646-ucs-2" => utf16(bytes),
        other => declared(bytes, other),
    }
}

fn declared<'a>(bytes: &'a [u8], label: &str) -> Cow<'a, str> {
    match Encoding::for_label(label.as_bytes()) {
        // Browsers refuse these charsets on purpose; a mail must still be readable.
        Some(found) if found == REPLACEMENT => undeclared(bytes),
        Some(found) => found.decode(bytes).0,
        None => match mail_parser::decoders::charsets::map::charset_decoder(label.as_bytes()) {
            Some(decoder) => Cow::Owned(decoder(bytes)),
            None => undeclared(bytes),
        },
    }
}

fn undeclared(bytes: &[u8]) -> Cow<'_, str> {
    if matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
        return utf16(bytes);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    // Damaged UTF-8 still has whole characters in it; anything else is an old 8-bit charset nobody declared.
    match bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) {
        true => String::from_utf8_lossy(bytes),
        false => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn utf16(bytes: &[u8]) -> Cow<'_, str> {
    let (mut high, mut low) = (0usize, 0usize);
    for pair in bytes.chunks_exact(2) {
        high += usize::from(pair[0] == 0);
        low += usize::from(pair[1] == 0);
    }
    let guess = if low > high { UTF_16LE } else { UTF_16BE };
    guess.decode(bytes).0 // a byte order mark overrules the guess
}
