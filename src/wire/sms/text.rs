//! Words for a phone's inbox: GSM 7-bit where it can say them, UCS-2 where it cannot (TS 23.038 6.2.1, 6.2.3).
//!
//! A text is cut between characters: neither an escape and its letter nor the two halves of a surrogate pair are parted, so
//! that every segment can be shown by itself. How the septets travel is the bearer's business: SMPP wants an octet for each,
//! a modem wants them packed.

use crate::error::SegmentError;
use crate::limits::{MAX_SEGMENTS, MAX_USER_DATA};
use crate::udh::{Concatenation, Reference, Udh};

/// Septets in a short message (TS 23.040 9.2.3.24).
const SEPTETS: usize = 160;
/// The escape to the extension table.
const ESCAPE: u8 = 0x1B;

/// The default alphabet (TS 23.038 6.2.1), by septet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1B}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table (TS 23.038 6.2.1.1): what follows the escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How the characters of a text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// Septets of the default alphabet and its extension.
    Gsm7,
    /// 16-bit units, most significant octet first. Characters outside the basic plane go as surrogate pairs, as all phones
    /// of today take them.
    Ucs2,
}

/// One short message of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSegment {
    /// The header, when there are several: the concatenation.
    pub header: Option<Udh>,
    /// The words of this segment.
    pub text: String,
    /// How they are written.
    pub alphabet: Alphabet,
}

impl TextSegment {
    /// The characters without the header: an octet for each septet, or the octets of UCS-2.
    pub fn units(&self) -> Vec<u8> {
        match self.alphabet {
            Alphabet::Gsm7 => self.text.chars().flat_map(septets).collect(),
            Alphabet::Ucs2 => self.text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

/// The septets of a character; none when the alphabet has no word for it.
fn septets(c: char) -> Vec<u8> {
    if c != char::from(ESCAPE)
        && let Some(at) = BASIC.chars().position(|basic| basic == c)
    {
        return vec![at as u8]; // below 128: so many characters the table has
    }
    EXTENSION.iter().find(|(_, extended)| *extended == c).map(|(septet, _)| vec![ESCAPE, *septet]).unwrap_or_default()
}

/// The septets of a text, an octet for each; `None` when the default alphabet cannot say it.
pub fn to_septets(text: &str) -> Option<Vec<u8>> {
    let each: Vec<Vec<u8>> = text.chars().map(septets).collect();
    each.iter().all(|septets| !septets.is_empty()).then(|| each.concat())
}

/// The alphabet that can say a text.
pub fn alphabet_of(text: &str) -> Alphabet {
    match text.chars().all(|c| !septets(c).is_empty()) {
        true => Alphabet::Gsm7,
        false => Alphabet::Ucs2,
    }
}

/// The text of octets with one septet each; what the table does not have is shown as U+FFFD. An escape before a septet that
/// the extension lacks shows the basic one (TS 23.038 6.2.1.1).
pub fn from_septets(septets: &[u8]) -> String {
    let basic = |septet: u8| BASIC.chars().nth(usize::from(septet)).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut text = String::with_capacity(septets.len());
    let mut escaped = false;
    for &septet in septets {
        if septet == ESCAPE && !escaped {
            escaped = true;
            continue;
        }
        let extended = EXTENSION.iter().find(|(code, _)| escaped && *code == septet).map(|(_, c)| *c);
        text.push(extended.unwrap_or_else(|| basic(septet)));
        escaped = false;
    }
    text
}

/// The text of UCS-2 octets; halves of pairs that stand alone are shown as U+FFFD, an odd last octet is left out.
pub fn from_ucs2(octets: &[u8]) -> String {
    let units: Vec<u16> = octets.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// Cuts a text into as few short messages as it takes: 160 septets or 70 units in one, less the header in several.
///
/// # Errors
/// [`SegmentError`] when more than [`MAX_SEGMENTS`] would be needed; its length is in octets of UTF-8.
pub fn segment_text(text: &str, reference: Reference) -> Result<Vec<TextSegment>, SegmentError> {
    let alphabet = alphabet_of(text);
    let header = match reference {
        Reference::Eight(_) => 6,
        Reference::Sixteen(_) => 7,
    };
    // In units: septets, or 16 bits each. A header before septets is filled up to a septet's end (TS 23.040 9.2.3.24).
    let (whole, each) = match alphabet {
        Alphabet::Gsm7 => (SEPTETS, SEPTETS - (header * 8usize).div_ceil(7)),
        Alphabet::Ucs2 => (MAX_USER_DATA / 2, (MAX_USER_DATA - header) / 2),
    };
    let length = |c: char| match alphabet {
        Alphabet::Gsm7 => septets(c).len(),
        Alphabet::Ucs2 => c.len_utf16(),
    };
    if text.chars().map(length).sum::<usize>() <= whole {
        return Ok(vec![TextSegment { header: None, text: text.to_owned(), alphabet }]);
    }
    let (mut pieces, mut piece, mut taken) = (Vec::new(), String::new(), 0);
    for c in text.chars() {
        if taken + length(c) > each {
            pieces.push(std::mem::take(&mut piece));
            taken = 0;
        }
        piece.push(c);
        taken += length(c);
    }
    pieces.push(piece);
    let too_long = SegmentError { length: text.len(), max: MAX_SEGMENTS };
    let total = u8::try_from(pieces.len()).map_err(|_| too_long)?;
    let segment = |(sequence, text)| {
        let concatenation = Concatenation::new(reference, total, sequence)?; // always: 1 <= sequence <= total
        Some(TextSegment { header: Udh::new(vec![concatenation.into()]).ok(), text, alphabet })
    };
    Ok((1..=total).zip(pieces).filter_map(segment).collect())
}
