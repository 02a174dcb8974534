//! Octets into a PDU (OMA-TS-MMS_ENC 7), leniently (I-5): fields in any order, unknown and application fields kept,
//! fields in the wrong PDU kept, values that are not what they should be kept raw.
//!
//! What fails is input whose structure breaks off: a value or a part that runs past the end, or no PDU type at all.
//! The error then carries what a server needs to answer with a proper PDU: type, transaction id and version as far as
//! they were read.

use bytes::Bytes;
use packetboat_wsp::{Reader, WspError, WspErrorKind, content_type, read_entity};
use thiserror::Error;

use crate::tables::{Field, PduType};
use crate::value::{Value, Version};
use crate::{Header, Pdu, limits};

/// A PDU that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("octet {offset} (0x{offset:x}), reading {reading}: {kind}")]
pub struct DecodeError {
    /// Offset of the offending octet in the input.
    pub offset: usize,
    /// What was being read: a field by its name, `header` or `content`.
    pub reading: String,
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The PDU type, if it was read before.
    pub pdu: Option<PduType>,
    /// The transaction id, if it was read before.
    pub transaction_id: Option<String>,
    /// The version, if it was read before.
    pub version: Option<Version>,
}

/// The kinds of [`DecodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeErrorKind {
    /// A value, a header or a part is broken.
    #[error("{0}")]
    Wsp(WspErrorKind),
    /// There is no X-Mms-Message-Type: this is no PDU.
    #[error("no X-Mms-Message-Type")]
    NoMessageType,
    /// X-Mms-Message-Type has an octet that no version assigns.
    #[error("unknown PDU type 0x{0:02x}")]
    UnknownMessageType(u8),
    /// More header fields than [`limits::FIELDS`].
    #[error("more than {} header fields", limits::FIELDS)]
    TooManyFields,
}

/// Reads a PDU. Bodies are ranges of `input`.
pub fn decode(input: &Bytes) -> Result<Pdu, DecodeError> {
    let mut partial = Partial::default();
    let read = partial.read(input);
    let kind = match (partial.message_type, read) {
        (Some((at, octet)), Ok(())) => match PduType::from_octet(octet) {
            Some(kind) => kind,
            None => return Err(partial.error(at, "X-Mms-Message-Type", DecodeErrorKind::UnknownMessageType(octet))),
        },
        (None, Ok(())) => return Err(partial.error(0, "header", DecodeErrorKind::NoMessageType)),
        (_, Err(failure)) => return Err(partial.error(failure.offset, &failure.reading, failure.kind)),
    };
    Ok(Pdu { kind, headers: partial.headers, content: partial.content, untyped: partial.untyped })
}

impl Pdu {
    /// [`decode`].
    pub fn decode(input: &Bytes) -> Result<Pdu, DecodeError> {
        decode(input)
    }
}

/// What is wrong, before what was read by then is added.
struct Failure {
    offset: usize,
    reading: String,
    kind: DecodeErrorKind,
}

impl Failure {
    fn new(reading: impl ToString, error: WspError) -> Self {
        Failure { offset: error.offset, reading: reading.to_string(), kind: DecodeErrorKind::Wsp(error.kind) }
    }
}

/// A PDU as far as it has been read.
#[derive(Default)]
struct Partial {
    /// Offset and octet of the first X-Mms-Message-Type.
    message_type: Option<(usize, u8)>,
    headers: Vec<Header>,
    content: Option<packetboat_mime::Entity<Bytes>>,
    untyped: bool,
}

impl Partial {
    fn read(&mut self, input: &Bytes) -> Result<(), Failure> {
        let mut reader = Reader::new(input);
        while !reader.is_empty() {
            let start = reader;
            let field = field(&mut reader).map_err(|error| Failure::new("header", error))?;
            match field {
                None => {}
                Some(Field::ContentType) => return self.content(reader),
                Some(field) if self.headers.len() >= limits::FIELDS => {
                    let offset = start.offset();
                    return Err(Failure { offset, reading: field.to_string(), kind: DecodeErrorKind::TooManyFields });
                }
                Some(Field::MessageType) => self.message_type(&mut reader)?,
                Some(field) => {
                    let value = Value::read(&field, self.counted(), &mut reader);
                    let value = value.map_err(|error| Failure::new(&field, error))?;
                    self.headers.push(Header { field, value });
                }
            }
        }
        Ok(())
    }

    fn message_type(&mut self, reader: &mut Reader<'_>) -> Result<(), Failure> {
        let offset = reader.offset();
        let octet = reader.octet().map_err(|error| Failure::new(Field::MessageType, error))?;
        self.message_type.get_or_insert((offset, octet));
        Ok(())
    }

    /// Content-Type is the last field: all that follows is content.
    fn content(&mut self, mut reader: Reader<'_>) -> Result<(), Failure> {
        self.untyped = reader.peek().is_ok_and(|length| length == 0);
        let media = content_type(&mut reader).map_err(|error| Failure::new(Field::ContentType, error))?;
        let content = read_entity(media, reader).map_err(|error| Failure::new("content", error))?;
        self.content = Some(content);
        Ok(())
    }

    /// Whether the PDU, as far as it is known, has counted values.
    fn counted(&self) -> bool {
        self.message_type.and_then(|(_, octet)| PduType::from_octet(octet)).is_some_and(|kind| kind.spec().counted)
    }

    fn error(self, offset: usize, reading: &str, kind: DecodeErrorKind) -> DecodeError {
        let pdu = self.message_type.and_then(|(_, octet)| PduType::from_octet(octet));
        let read: Pdu = Pdu { headers: self.headers, ..Pdu::new(PduType::SendReq) };
        let transaction_id = read.transaction_id().map(str::to_owned);
        DecodeError { offset, reading: reading.to_owned(), kind, pdu, transaction_id, version: read.version() }
    }
}

/// The name of the next field; `None` where there was only an octet between fields that names none.
fn field(reader: &mut Reader<'_>) -> Result<Option<Field>, WspError> {
    match reader.peek()? {
        0x80.. => reader.short_integer().map(|number| Some(Field::from_number(number))),
        0x20..=0x7E => reader.text_string().map(|name| Some(Field::Application(name))),
        0x7F => reader.take(2).map(|_| None), // a shift to another code page (WAP-230-WSP 8.4.2.6)
        _ => reader.octet().map(|_| None),    // its short form, or a stray NUL
    }
}
