//! The other half of [`Reader`](crate::Reader): WSP values into octets, written strictly (I-5).

use crate::tables;

/// The smallest length that needs Length-quote and a uintvar (WAP-230-WSP 8.4.2.2).
const LONG_VALUE: usize = 31;

/// Octets being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Writer::default()
    }

    /// What was written.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// One octet as it is.
    pub fn octet(&mut self, octet: u8) -> &mut Self {
        self.0.push(octet);
        self
    }

    /// Octets as they are.
    pub fn octets(&mut self, octets: &[u8]) -> &mut Self {
        self.0.extend_from_slice(octets);
        self
    }

    /// Uintvar-integer (WAP-230-WSP 8.1.2). A value of more than 32 bits is written in as many octets as it takes.
    pub fn uintvar(&mut self, value: u64) -> &mut Self {
        let groups = (64 - value.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            self.0.push((value >> (7 * group) & 0x7F) as u8 | more);
        }
        self
    }

    /// Short-integer; only the lower seven bits count.
    pub fn short_integer(&mut self, value: u8) -> &mut Self {
        self.octet(value | 0x80)
    }

    /// Long-integer, without leading zeros.
    pub fn long_integer(&mut self, value: u64) -> &mut Self {
        let octets = value.to_be_bytes();
        let skip = (value.leading_zeros() as usize / 8).min(octets.len() - 1);
        self.octet((octets.len() - skip) as u8).octets(&octets[skip..])
    }

    /// Integer-value: short where it fits.
    pub fn integer(&mut self, value: u64) -> &mut Self {
        match u8::try_from(value) {
            Ok(short @ 0..=0x7F) => self.short_integer(short),
            _ => self.long_integer(value),
        }
    }

    /// Value-length (WAP-230-WSP 8.4.2.2).
    pub fn value_length(&mut self, length: usize) -> &mut Self {
        match length < LONG_VALUE {
            true => self.octet(length as u8),
            false => self.octet(31).uintvar(length as u64),
        }
    }

    /// Value-length and the octets it counts.
    pub fn length_prefixed(&mut self, value: &[u8]) -> &mut Self {
        self.value_length(value.len()).octets(value)
    }

    /// Text-string, quoted where its first octet would be taken for something else. NULs are left out: they would end
    /// it early.
    pub fn text_string(&mut self, text: &str) -> &mut Self {
        if text.bytes().find(|octet| *octet != 0).is_some_and(|first| !(0x20..0x7F).contains(&first)) {
            self.octet(0x7F);
        }
        self.terminated(text)
    }

    /// Quoted-string: a quotation mark, the text, a NUL, no closing mark (WAP-230-WSP 8.4.2.1).
    pub fn quoted_string(&mut self, text: &str) -> &mut Self {
        self.octet(b'"').terminated(text)
    }

    /// Encoded-string-value (OMA-TS-MMS_ENC 7.3): plain text where that is ASCII that cannot be taken for anything
    /// else, UTF-8 with its charset otherwise.
    pub fn encoded_string(&mut self, text: &str) -> &mut Self {
        let control = text.as_bytes().first().is_some_and(|first| *first < 0x20);
        if text.is_ascii() && !control && !text.contains("=?") {
            return self.text_string(text);
        }
        let mut value = Writer::new();
        value.integer(u64::from(tables::UTF_8)).text_string(text);
        self.length_prefixed(value.as_slice())
    }

    fn terminated(&mut self, text: &str) -> &mut Self {
        self.0.extend(text.bytes().filter(|octet| *octet != 0));
        self.octet(0)
    }
}
