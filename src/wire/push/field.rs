//! Header fields of a push that are carried and not read: their names and values in words, and values to write.

use bytes::Bytes;
use packetboat_mime::date;
use packetboat_wsp::{Reader, Writer, tables};

/// A header field that is not read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: FieldName,
    /// The octets of its value as they stood, lengths and NULs included.
    pub value: Bytes,
}

/// The name of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldName {
    /// A well-known field: code page (1 is WSP's own) and number 0–127.
    Number {
        /// The code page.
        page: u8,
        /// The number without its high bit.
        number: u8,
    },
    /// A field by name.
    Text(String),
}

/// Fields whose value is a Date-value (WAP-230-WSP 8.4.2): Date, Expires, If-Modified-Since, If-Unmodified-Since,
/// Last-Modified, X-Wap-Tod.
const DATES: [u8; 6] = [0x12, 0x14, 0x17, 0x1B, 0x1D, 0x3F];

/// Encoding-Version, whose value is a Version-value (WAP-230-WSP 8.4.2.70): four bits each.
const ENCODING_VERSION: FieldName = FieldName::Number { page: 1, number: 0x43 };

impl FieldName {
    /// X-Wap-Content-URI: where what is pushed could be had.
    pub const CONTENT_URI: FieldName = FieldName::Number { page: 1, number: 0x30 };
    /// Content-Location: where what is pushed came from.
    pub const CONTENT_LOCATION: FieldName = FieldName::Number { page: 1, number: tables::CONTENT_LOCATION };
    /// Expires: until when what is pushed is good.
    pub const EXPIRES: FieldName = FieldName::Number { page: 1, number: 0x14 };

    /// The name in words; page and number where none is assigned.
    pub fn to_text(&self) -> String {
        match self {
            FieldName::Text(name) => name.clone(),
            FieldName::Number { page, number } => match tables::header_name(*number) {
                Some(name) if *page == 1 => name.to_owned(),
                _ => format!("field {number:02x} of page {page:02x}"),
            },
        }
    }
}

impl Field {
    /// A field with a text, such as an address.
    pub fn text(name: FieldName, value: &str) -> Field {
        let mut out = Writer::new();
        out.text_string(value);
        Field { name, value: out.into_vec().into() }
    }

    /// A field with a date, in seconds since 1970-01-01T00:00:00Z.
    pub fn date(name: FieldName, seconds: u64) -> Field {
        let mut out = Writer::new();
        out.long_integer(seconds);
        Field { name, value: out.into_vec().into() }
    }

    /// The value in words: a text, a number, a date where the field is one; hexadecimal digits for anything else.
    pub fn to_text(&self) -> String {
        let is_date = matches!(self.name, FieldName::Number { page: 1, number } if DATES.contains(&number));
        let hex = || self.value.iter().map(|octet| format!("{octet:02x}")).collect();
        let mut reader = Reader::new(&self.value);
        let text = match self.value.first() {
            Some(0x20..=0x7F) => reader.text_string().ok(),
            Some(0x01..=0x08 | 0x80..) => reader.integer().ok().map(|number| match i64::try_from(number) {
                Ok(seconds) if is_date => date::rfc3339(seconds),
                Ok(version) if self.name == ENCODING_VERSION => format!("{}.{}", version >> 4 & 7, version & 15),
                _ => number.to_string(),
            }),
            _ => None,
        };
        text.filter(|_| reader.is_empty()).unwrap_or_else(hex)
    }
}
