//! Values of header fields: what they are, read and written by the grammar the table names.
//!
//! Reading never fails over a value's inside: one whose extent is clear but whose octets are not what its field wants
//! is kept as [`Value::Raw`] (I-4), because a strange report flag must not cost the message.

use bytes::Bytes;
use packetboat_wsp::{Reader, Writer, WspError, WspErrorKind, charset, content_type, tables};

use crate::codes::{self, FlagOperation, MboxUnit};
use crate::tables::{Field, Kind};

/// X-Mms-MMS-Version (OMA-TS-MMS_ENC 7.3.34).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 1–7.
    pub major: u8,
    /// 0–14; 15 says that there is none.
    pub minor: u8,
}

impl Version {
    /// 1.0
    pub const V1_0: Version = Version { major: 1, minor: 0 };
    /// 1.1
    pub const V1_1: Version = Version { major: 1, minor: 1 };
    /// 1.2
    pub const V1_2: Version = Version { major: 1, minor: 2 };
    /// 1.3
    pub const V1_3: Version = Version { major: 1, minor: 3 };

    fn from_octet(octet: u8) -> Self {
        Version { major: octet >> 4 & 7, minor: octet & 15 }
    }

    fn octet(self) -> u8 {
        0x80 | (self.major & 7) << 4 | self.minor & 15
    }

    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.').unwrap_or((text.trim(), "15"));
        let version = Version { major: major.parse().ok()?, minor: minor.parse().ok()? };
        (version.major < 8 && version.minor < 16).then_some(version)
    }
}

/// `1.2`, or `1` without a minor version.
impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.minor {
            15 => write!(f, "{}", self.major),
            minor => write!(f, "{}.{minor}", self.major),
        }
    }
}

/// From (OMA-TS-MMS_ENC 7.3.20).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FromValue {
    /// An address, as written.
    Address(String),
    /// The relay is to put in what the network says (Insert-address-token).
    InsertAddress,
}

/// A time limit (OMA-TS-MMS_ENC 7.3.18): seconds since 1970, or seconds from when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeValue {
    /// Seconds since 1970-01-01 UTC.
    Absolute(u64),
    /// Seconds.
    Relative(u64),
}

impl TimeValue {
    /// Seconds since 1970-01-01 UTC, for a reader whose clock says `now`.
    pub fn at(self, now: u64) -> u64 {
        match self {
            TimeValue::Absolute(time) => time,
            TimeValue::Relative(seconds) => now.saturating_add(seconds),
        }
    }
}

/// The value of a header field. Which one a field has is said by its [`Kind`]; [`Value::Raw`] stands where the input
/// had something else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Text-string or Encoded-string-value.
    Text(String),
    /// An octet with a meaning, 0x80 or more.
    Code(u8),
    /// A number, a size, or a date in seconds since 1970.
    Number(u64),
    /// X-Mms-MMS-Version.
    Version(Version),
    /// From.
    From(FromValue),
    /// A time limit.
    Time(TimeValue),
    /// X-Mms-Previously-Sent-By: how many times forwarded before, and by whom.
    PreviouslySentBy(u64, String),
    /// X-Mms-Previously-Sent-Date: how many times forwarded before, and when.
    PreviouslySentDate(u64, u64),
    /// X-Mms-MM-Flags: what to do with a keyword.
    Flags(FlagOperation, String),
    /// X-Mms-Mbox-Totals and X-Mms-Mbox-Quotas.
    Totals(MboxUnit, u64),
    /// X-Mms-Attributes: a field asked for.
    Attribute(Field),
    /// X-Mms-Element-Descriptor: a content reference and its parameters (`type`, or any other by name).
    Element(String, Vec<(String, String)>),
    /// A value with its Status-count, in m-mbox-delete-conf and m-delete-conf.
    Counted(u64, Box<Value>),
    /// The octets as they came.
    Raw(Bytes),
}

impl Value {
    /// Reads the value of a field. Fails only where its end cannot be found.
    pub(crate) fn read(field: &Field, counted: bool, reader: &mut Reader<'_>) -> Result<Value, WspError> {
        let kind = field.kind();
        let textual = matches!(kind, Some(Kind::Text | Kind::Encoded)) || matches!(field, Field::Application(_));
        match reader.peek()? {
            // A text that lacks its quote: no field has a number this high.
            0xC0.. if textual => return reader.text_octets().map(|text| Value::Text(charset::guess(text))),
            // A value left out: this is the number of the next field.
            0x80..=0xBF if matches!(kind, Some(Kind::Text | Kind::Encoded)) => return Ok(Value::Text(String::new())),
            _ => {}
        }
        let mut window = reader.value()?;
        let raw = window.rest_bytes();
        let value = match (kind, raw.first()) {
            (Some(kind), _) => {
                let counted = counted && *field == Field::ResponseText || *field == Field::ContentLocation;
                kind.read(counted, &mut window)
            }
            (None, Some(0x20..=0x7F)) if textual => window.text_string().map(Value::Text),
            (None, Some(0)) if textual => Ok(Value::Text(String::new())),
            (None, _) => return Ok(Value::Raw(raw)),
        };
        Ok(value.unwrap_or(Value::Raw(raw)))
    }

    /// Writes the value of a field. A value that its field cannot have is written by its own nature.
    pub(crate) fn write(&self, kind: Option<Kind>, out: &mut Writer) {
        let mut inner = Writer::new();
        match self {
            Value::Text(text) if kind == Some(Kind::Encoded) => out.encoded_string(text),
            Value::Text(text) => out.text_string(text),
            Value::Code(octet) => out.octet(octet | 0x80),
            Value::Number(number) if kind == Some(Kind::Integer) => out.integer(*number),
            Value::Number(number) => out.long_integer(*number),
            Value::Version(version) => out.octet(version.octet()),
            Value::Attribute(field) => match field.number() {
                Some(number) => out.short_integer(number),
                None => out.text_string(&field.to_string()),
            },
            Value::Raw(octets) => out.octets(octets),
            Value::From(FromValue::InsertAddress) => out.length_prefixed(&[INSERT_ADDRESS]),
            Value::From(FromValue::Address(address)) => {
                out.length_prefixed(inner.octet(ADDRESS_PRESENT).encoded_string(address).as_slice())
            }
            Value::Time(TimeValue::Absolute(time)) => {
                out.length_prefixed(inner.octet(ABSOLUTE).long_integer(*time).as_slice())
            }
            Value::Time(TimeValue::Relative(time)) => {
                out.length_prefixed(inner.octet(RELATIVE).long_integer(*time).as_slice())
            }
            Value::PreviouslySentBy(count, address) => {
                out.length_prefixed(inner.integer(*count).encoded_string(address).as_slice())
            }
            Value::PreviouslySentDate(count, date) => {
                out.length_prefixed(inner.integer(*count).long_integer(*date).as_slice())
            }
            Value::Flags(operation, keyword) => {
                out.length_prefixed(inner.octet(operation.octet() | 0x80).encoded_string(keyword).as_slice())
            }
            Value::Totals(unit, amount) => {
                out.length_prefixed(inner.octet(unit.octet() | 0x80).integer(*amount).as_slice())
            }
            Value::Element(reference, parameters) => {
                write_element(&mut inner, reference, parameters);
                out.length_prefixed(inner.as_slice())
            }
            Value::Counted(count, value) => {
                inner.integer(*count);
                value.write(kind, &mut inner);
                out.length_prefixed(inner.as_slice())
            }
        };
    }
}

/// From-value tokens.
const ADDRESS_PRESENT: u8 = 0x80;
const INSERT_ADDRESS: u8 = 0x81;
/// Expiry-value and Delivery-time-value tokens.
const ABSOLUTE: u8 = 0x80;
const RELATIVE: u8 = 0x81;
/// The `type` parameter of an element descriptor.
const ELEMENT_TYPE: u8 = 0x02;

impl Kind {
    /// Reads a value from a window that is exactly as long as it.
    fn read(self, counted: bool, window: &mut Reader<'_>) -> Result<Value, WspError> {
        let structured = window.peek()? <= 31;
        match self {
            Kind::Text | Kind::Encoded if structured => {
                let whole = *window;
                let value = if counted { counted_value(self, window).ok() } else { None };
                *window = whole;
                match value {
                    Some(value) => Ok(value),
                    None => window.encoded_string().map(Value::Text), // some write it for a Text-string, too
                }
            }
            Kind::Code(_) if structured => counted_value(self, window),
            Kind::Text => window.text_string().map(Value::Text),
            Kind::Encoded => window.encoded_string().map(Value::Text),
            Kind::Code(table) => match window.peek()? {
                0x80.. => window.octet().map(Value::Code),
                _ => window.text_string().map(|text| match codes::octet_of(table, &text) {
                    Some(octet) if self != MESSAGE_CLASS => Value::Code(octet),
                    _ => Value::Text(text),
                }),
            },
            Kind::Date | Kind::Long | Kind::Integer => match window.peek()? {
                0x20..=0x7F => {
                    let text = window.text_string()?;
                    Ok(text.trim().parse().map(Value::Number).unwrap_or(Value::Text(text)))
                }
                _ => window.integer().map(Value::Number),
            },
            Kind::Version => match window.peek()? {
                0x80.. => window.octet().map(|octet| Value::Version(Version::from_octet(octet))),
                _ => window.text_string().map(|text| Version::parse(&text).map_or(Value::Text(text), Value::Version)),
            },
            Kind::Attribute => match window.peek()? {
                0x80.. => window.short_integer().map(|number| Value::Attribute(Field::from_number(number))),
                _ => window.text_string().map(|name| Value::Attribute(Field::Application(name))),
            },
            Kind::From if !structured => match window.peek()? {
                INSERT_ADDRESS => Ok(Value::From(FromValue::InsertAddress)),
                _ => window.text_string().map(|address| Value::From(FromValue::Address(address))),
            },
            _ => self.read_structured(window.length_prefixed()?),
        }
    }

    /// Reads what stands behind a Value-length.
    fn read_structured(self, mut inner: Reader<'_>) -> Result<Value, WspError> {
        Ok(match self {
            Kind::From => match inner.peek()? {
                INSERT_ADDRESS => Value::From(FromValue::InsertAddress),
                _ => {
                    if inner.peek()? == ADDRESS_PRESENT {
                        inner.octet()?;
                    }
                    let empty = inner.is_empty();
                    let address = if empty { String::new() } else { encoded_rest(&mut inner)? };
                    Value::From(FromValue::Address(address))
                }
            },
            Kind::Time => match inner.octet()? {
                ABSOLUTE => Value::Time(TimeValue::Absolute(inner.integer()?)),
                RELATIVE => Value::Time(TimeValue::Relative(inner.integer()?)),
                found => return Err(inner.error(WspErrorKind::Unexpected { expected: "a time", found })),
            },
            Kind::PreviouslySentBy => Value::PreviouslySentBy(inner.integer()?, encoded_rest(&mut inner)?),
            Kind::PreviouslySentDate => Value::PreviouslySentDate(inner.integer()?, inner.integer()?),
            Kind::Flags => Value::Flags(FlagOperation::from_octet(inner.octet()?), encoded_rest(&mut inner)?),
            Kind::Totals => Value::Totals(MboxUnit::from_octet(inner.octet()?), inner.integer()?),
            Kind::Element => read_element(&mut inner)?,
            _ => return Err(inner.error(WspErrorKind::Unexpected { expected: "a value", found: inner.peek()? })),
        })
    }
}

/// A class may be any token, so that one that spells a code stays the token it was.
const MESSAGE_CLASS: Kind = Kind::Code(codes::MessageClass::TABLE);

/// Value-length, Status-count, value (OMA-TS-MMS_ENC 7.3.48).
fn counted_value(kind: Kind, window: &mut Reader<'_>) -> Result<Value, WspError> {
    let mut inner = window.length_prefixed()?;
    let count = inner.integer()?;
    let value = match kind {
        // A charset reads like a count; nobody counts to UTF-8's.
        Kind::Encoded if count != u64::from(tables::UTF_8) => Value::Text(encoded_rest(&mut inner)?),
        Kind::Text => Value::Text(inner.text_string()?),
        _ => Value::Code(inner.octet()?),
    };
    match inner.is_empty() {
        true => Ok(Value::Counted(count, Box::new(value))),
        false => Err(inner.error(WspErrorKind::Unexpected { expected: "a counted value", found: inner.peek()? })),
    }
}

/// An Encoded-string at the end of a window: its closing NUL may be missing.
fn encoded_rest(inner: &mut Reader<'_>) -> Result<String, WspError> {
    let whole = *inner;
    inner.encoded_string().or_else(|error| match whole.rest() {
        [0x20..=0xFF, ..] => Ok(charset::decode(None, whole.rest())),
        _ => Err(error),
    })
}

fn read_element(inner: &mut Reader<'_>) -> Result<Value, WspError> {
    let reference = inner.text_string()?;
    let mut parameters = Vec::new();
    while !inner.is_empty() && parameters.len() < packetboat_wsp::limits::PARAMETERS {
        if inner.peek()? < 0x80 {
            parameters.push((inner.text_string()?, inner.text_value()?));
        } else if inner.short_integer()? == ELEMENT_TYPE {
            parameters.push(("type".to_owned(), content_type(inner)?.to_string()));
        } else {
            inner.value()?;
        }
    }
    Ok(Value::Element(reference, parameters))
}

fn write_element(out: &mut Writer, reference: &str, parameters: &[(String, String)]) {
    out.text_string(reference);
    for (name, value) in parameters {
        match name.as_str() {
            "type" => {
                out.short_integer(ELEMENT_TYPE);
                packetboat_wsp::write_content_type(out, &packetboat_mime::MediaType::parse(value));
            }
            _ => {
                out.text_string(name).text_string(value);
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Value {
        if yes { codes::YesNo::Yes.into() } else { codes::YesNo::No.into() }
    }
}

impl From<Version> for Value {
    fn from(version: Version) -> Value {
        Value::Version(version)
    }
}

impl From<FromValue> for Value {
    fn from(from: FromValue) -> Value {
        Value::From(from)
    }
}

impl From<TimeValue> for Value {
    fn from(time: TimeValue) -> Value {
        Value::Time(time)
    }
}

impl From<Field> for Value {
    fn from(field: Field) -> Value {
        Value::Attribute(field)
    }
}
