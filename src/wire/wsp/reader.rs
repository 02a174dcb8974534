//! A bounded reader over WSP octets.
//!
//! It can only hand out sub-slices of the `Bytes` it was made of, and a [`Reader`] of a window cannot see beyond that
//! window (I-4, I-6). Errors carry offsets of the whole input, however deep the window is. A failed read leaves the
//! position somewhere inside the failed value: save the reader (it is `Copy`) where a second attempt is wanted.

use bytes::Bytes;
use memchr::memchr;

use crate::{WspError, WspErrorKind, charset, limits};

/// The octet that precedes a Text-string whose first octet is 0x80 or more (WAP-230-WSP 8.4.2.1, Quote).
const QUOTE: u8 = 0x7F;
/// The octet that says the length follows as a uintvar (WAP-230-WSP 8.4.2.2, Length-quote).
const LENGTH_QUOTE: u8 = 31;

/// A window on input and a position in it. Invariant: `at <= end <= input.len()`.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    input: &'a Bytes,
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader of the whole input.
    pub fn new(input: &'a Bytes) -> Self {
        Reader { input, at: 0, end: input.len() }
    }

    /// Where the next octet is in the whole input.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Octets left in this window.
    pub fn remaining(&self) -> usize {
        self.end - self.at
    }

    /// Whether the window is used up.
    pub fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// What is left, without moving.
    pub fn rest(&self) -> &'a [u8] {
        &self.input[self.at..self.end]
    }

    /// What is left, as a range of the input.
    pub fn rest_bytes(&self) -> Bytes {
        self.input.slice(self.at..self.end)
    }

    /// An error at the current position.
    pub fn error(&self, kind: WspErrorKind) -> WspError {
        WspError { offset: self.at, kind }
    }

    /// The next octet, without moving.
    pub fn peek(&self) -> Result<u8, WspError> {
        self.rest().first().copied().ok_or_else(|| self.error(WspErrorKind::End { needed: 1, left: 0 }))
    }

    /// The next octet.
    pub fn octet(&mut self) -> Result<u8, WspError> {
        let octet = self.peek()?;
        self.at += 1;
        Ok(octet)
    }

    /// The next `count` octets as a window of their own.
    pub fn window(&mut self, count: usize) -> Result<Reader<'a>, WspError> {
        if count > self.remaining() {
            return Err(self.error(WspErrorKind::End { needed: count, left: self.remaining() }));
        }
        let window = Reader { input: self.input, at: self.at, end: self.at + count };
        self.at = window.end;
        Ok(window)
    }

    /// The next `count` octets.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WspError> {
        self.window(count).map(|window| window.rest())
    }

    /// Uintvar-integer (WAP-230-WSP 8.1.2).
    pub fn uintvar(&mut self) -> Result<u32, WspError> {
        let start = *self;
        let mut value = 0u64;
        for _ in 0..limits::UINTVAR_OCTETS {
            let octet = self.octet()?;
            value = value << 7 | u64::from(octet & 0x7F);
            if octet & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| start.error(WspErrorKind::UintvarTooLong));
            }
        }
        Err(start.error(WspErrorKind::UintvarTooLong))
    }

    /// Short-integer: one octet, 0–127.
    pub fn short_integer(&mut self) -> Result<u8, WspError> {
        let found = self.peek()?;
        if found < 0x80 {
            return Err(self.error(WspErrorKind::Unexpected { expected: "a short integer", found }));
        }
        self.at += 1;
        Ok(found & 0x7F)
    }

    /// Long-integer: a length of 1–30 and that many octets, the most significant first.
    pub fn long_integer(&mut self) -> Result<u64, WspError> {
        let start = *self;
        let length = self.octet()?;
        if length == 0 || usize::from(length) > limits::LONG_INTEGER_OCTETS {
            return Err(start.error(WspErrorKind::Unexpected { expected: "a long integer", found: length }));
        }
        let octets = self.take(usize::from(length))?;
        let useful = octets.iter().skip_while(|octet| **octet == 0);
        if useful.clone().count() > limits::INTEGER_USEFUL_OCTETS {
            return Err(start.error(WspErrorKind::IntegerTooLong));
        }
        Ok(useful.fold(0, |value, octet| value << 8 | u64::from(*octet)))
    }

    /// Integer-value: short or long. Also reads Date-value and Delta-seconds-value, which some stacks write short.
    pub fn integer(&mut self) -> Result<u64, WspError> {
        match self.peek()? {
            0x80.. => self.short_integer().map(u64::from),
            _ => self.long_integer(),
        }
    }

    /// Value-length (WAP-230-WSP 8.4.2.2), and the window of that many octets that follows it.
    pub fn length_prefixed(&mut self) -> Result<Reader<'a>, WspError> {
        let start = *self;
        let length = match self.octet()? {
            LENGTH_QUOTE => self.uintvar()? as usize,
            short @ 0..LENGTH_QUOTE => usize::from(short),
            found => return Err(start.error(WspErrorKind::Unexpected { expected: "a value length", found })),
        };
        let left = self.remaining();
        self.window(length).map_err(|_| start.error(WspErrorKind::Overrun { what: "value", length, left }))
    }

    /// The window of one value of unknown grammar, its length octets or quote included, by the first-octet rule of
    /// WAP-230-WSP 8.4.1.2: 0–30 a length, 31 a uintvar length, 32–127 a text, 128–255 one octet.
    pub fn value(&mut self) -> Result<Reader<'a>, WspError> {
        let start = *self;
        match self.peek()? {
            0..=LENGTH_QUOTE => self.length_prefixed().map(|_| ())?,
            0x20..=0x7F => self.text_octets().map(|_| ())?,
            0x80.. => self.at += 1,
        }
        Ok(Reader { end: self.at, ..start })
    }

    /// The octets of a text up to its NUL, which is passed; a leading quote octet is taken off.
    pub fn text_octets(&mut self) -> Result<&'a [u8], WspError> {
        let rest = self.rest();
        let length = memchr(0, rest).ok_or_else(|| self.error(WspErrorKind::Unterminated))?;
        self.at += length + 1;
        let text = &rest[..length];
        Ok(text.strip_prefix(&[QUOTE]).unwrap_or(text))
    }

    /// Text-string or Token-text. Read as UTF-8, and as windows-1252 where it is not that.
    pub fn text_string(&mut self) -> Result<String, WspError> {
        self.text_octets().map(charset::guess)
    }

    /// Text-value: No-value, Token-text or Quoted-string; also a Text-string, which phones write in its place.
    pub fn text_value(&mut self) -> Result<String, WspError> {
        let octets = self.text_octets()?;
        let quoted = octets.strip_prefix(b"\"").map(|text| text.strip_suffix(b"\"").unwrap_or(text));
        Ok(charset::guess(quoted.unwrap_or(octets)))
    }

    /// Encoded-string-value (OMA-TS-MMS_ENC 7.3): a Text-string, or a length, a charset and a text. With a length the
    /// text ends where the length says, so that charsets of several octets survive.
    pub fn encoded_string(&mut self) -> Result<String, WspError> {
        if self.peek()? > LENGTH_QUOTE {
            return self.text_string();
        }
        let mut window = self.length_prefixed()?;
        let charset = match window.rest().first() {
            None => return Ok(String::new()),
            Some(0x20..=0x7F) => None, // phones leave the charset out
            Some(_) => Some(window.integer()?),
        };
        Ok(charset::decode(charset, window.rest()))
    }
}
