//! Text in the charsets that WSP numbers (IANA MIBenum).
//!
//! Decoding never fails: text in a wrong or unknown charset is still somebody's text, so that what cannot be read
//! becomes U+FFFD or is read as windows-1252, and the message lives.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::tables;

/// Reads text of which no charset is known: UTF-8, or windows-1252 when it is not valid UTF-8.
pub fn guess(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned(),
    }
}

/// Reads the text of an Encoded-string: `octets` is all that follows the charset, quote and NUL included.
pub fn decode(mib: Option<u64>, octets: &[u8]) -> String {
    let mib = mib.unwrap_or(0);
    match mib {
        tables::UCS_4 => ucs4(octets),
        tables::UCS_2 | tables::UTF_16BE | tables::UTF_16LE | tables::UTF_16 => utf16(mib, octets),
        _ => {
            let octets = octets.strip_prefix(&[0x7F]).unwrap_or(octets);
            let text = octets.split(|octet| *octet == 0).next().unwrap_or_default();
            match encoding(mib) {
                Some(encoding) if encoding != UTF_8 => encoding.decode_without_bom_handling(text).0.into_owned(),
                _ => guess(text),
            }
        }
    }
}

/// The encoding of a charset by number; `None` when there is none that can be decoded.
pub fn encoding(mib: u64) -> Option<&'static Encoding> {
    let label = tables::charset_name(mib)?;
    Encoding::for_label_no_replacement(label.as_bytes())
}

fn utf16(mib: u64, octets: &[u8]) -> String {
    let octets = match octets {
        [0x7F, 0xFE, 0xFF, ..] | [0x7F, 0xFF, 0xFE, ..] => &octets[1..],
        // One quote, whole units and one NUL: without the quote the count would be odd.
        [0x7F, text @ .., last, 0] if octets.len().is_multiple_of(2) && *last != 0 => &octets[1..text.len() + 2],
        _ => octets,
    };
    let assumed = if mib == tables::UTF_16LE { UTF_16LE } else { UTF_16BE };
    let (encoding, marked) = match octets {
        [0xFE, 0xFF, ..] => (UTF_16BE, 2),
        [0xFF, 0xFE, ..] => (UTF_16LE, 2),
        _ => (assumed, 0),
    };
    let even = &octets[marked..][..(octets.len() - marked) & !1]; // an odd last octet is the NUL of a Text-string
    let text = encoding.decode_without_bom_handling(even).0;
    text.trim_end_matches('\0').to_owned()
}

fn ucs4(octets: &[u8]) -> String {
    let units =
        octets.chunks_exact(4).map(|unit| unit.iter().fold(0u32, |value, octet| value << 8 | u32::from(*octet)));
    let text: String = units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_end_matches('\0').to_owned()
}
