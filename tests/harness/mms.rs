//! MMS PDUs for stories: enough encoding to play a phone or an MMSC, enough decoding to read what a story asks for.
//!
//! This is deliberately not the product's codec: it is a second, smaller reading of OMA-TS-MMS_ENC 7 that would not
//! share its mistakes. It knows header fields by number, values by the shape that WAP-230-WSP 8.4.1.2 gives them, and
//! multipart bodies of WAP-230-WSP 8.5. What it emits is plain: textual content types, UTF-8, MMS version 1.2.

mod pdu;

pub use pdu::Pdu;

/// Assigned numbers of header fields (OMA-TS-MMS_ENC table 25), without the high bit.
pub mod field {
    #![allow(missing_docs)]
    pub const CC: u8 = 0x02;
    pub const CONTENT_LOCATION: u8 = 0x03;
    pub const CONTENT_TYPE: u8 = 0x04;
    pub const DATE: u8 = 0x05;
    pub const DELIVERY_REPORT: u8 = 0x06;
    pub const EXPIRY: u8 = 0x08;
    pub const FROM: u8 = 0x09;
    pub const MESSAGE_CLASS: u8 = 0x0a;
    pub const MESSAGE_ID: u8 = 0x0b;
    pub const MESSAGE_TYPE: u8 = 0x0c;
    pub const MMS_VERSION: u8 = 0x0d;
    pub const MESSAGE_SIZE: u8 = 0x0e;
    pub const PRIORITY: u8 = 0x0f;
    pub const READ_REPORT: u8 = 0x10;
    pub const REPORT_ALLOWED: u8 = 0x11;
    pub const RESPONSE_STATUS: u8 = 0x12;
    pub const RESPONSE_TEXT: u8 = 0x13;
    pub const STATUS: u8 = 0x15;
    pub const SUBJECT: u8 = 0x16;
    pub const TO: u8 = 0x17;
    pub const TRANSACTION_ID: u8 = 0x18;
    pub const RETRIEVE_STATUS: u8 = 0x19;
    pub const RETRIEVE_TEXT: u8 = 0x1a;
    pub const READ_STATUS: u8 = 0x1b;
}

/// Values of X-Mms-Message-Type (OMA-TS-MMS_ENC 7.3.30).
pub mod kind {
    #![allow(missing_docs)]
    pub const SEND_REQ: u8 = 0x80;
    pub const SEND_CONF: u8 = 0x81;
    pub const NOTIFICATION_IND: u8 = 0x82;
    pub const NOTIFYRESP_IND: u8 = 0x83;
    pub const RETRIEVE_CONF: u8 = 0x84;
    pub const ACKNOWLEDGE_IND: u8 = 0x85;
    pub const DELIVERY_IND: u8 = 0x86;
    pub const READ_REC_IND: u8 = 0x87;
    pub const READ_ORIG_IND: u8 = 0x88;
    pub const FORWARD_REQ: u8 = 0x89;
    pub const FORWARD_CONF: u8 = 0x8a;
}

/// Values of X-Mms-Status (OMA-TS-MMS_ENC 7.3.54).
pub mod status {
    #![allow(missing_docs)]
    pub const EXPIRED: u8 = 0x80;
    pub const RETRIEVED: u8 = 0x81;
    pub const REJECTED: u8 = 0x82;
    pub const DEFERRED: u8 = 0x83;
    pub const UNRECOGNISED: u8 = 0x84;
}

/// Yes, where a header field is a Yes-or-No value.
pub const YES: u8 = 0x80;
/// No, where a header field is a Yes-or-No value.
pub const NO: u8 = 0x81;
/// X-Mms-Response-Status and X-Mms-Retrieve-Status "Ok".
pub const OK: u8 = 0x80;
/// The media type of every MMS PDU.
pub const MEDIA_TYPE: &str = "application/vnd.wap.mms-message";

const VERSION_1_2: u8 = 0x92;
const CHARSET_UTF8: u8 = 0xea;
const ADDRESS_PRESENT: u8 = 0x80;
const INSERT_ADDRESS: u8 = 0x81;
const RELATIVE: u8 = 0x81;

/// One part of a multipart body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The media type as text, or `0xNN` for an assigned number this module does not know.
    pub content_type: String,
    /// Content-Location, empty when there is none.
    pub location: String,
    /// Content-ID without its angle brackets, empty when there is none.
    pub id: String,
    /// The content.
    pub data: Vec<u8>,
}

impl Part {
    /// A part whose Content-Location and Content-ID are `name`.
    pub fn new(content_type: &str, name: &str, data: impl Into<Vec<u8>>) -> Self {
        Part {
            content_type: content_type.to_owned(),
            location: name.to_owned(),
            id: name.to_owned(),
            data: data.into(),
        }
    }
}

/// A PDU being written, header field by header field; X-Mms-Message-Type is first.
#[derive(Debug, Clone)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// A PDU of this type. Those that carry a transaction id name it here, since it must come second.
    pub fn new(kind: u8, transaction_id: Option<&str>) -> Self {
        let writer = Writer(Vec::new()).octet(field::MESSAGE_TYPE, kind);
        let writer = match transaction_id {
            Some(id) => writer.text(field::TRANSACTION_ID, id),
            None => writer,
        };
        writer.octet(field::MMS_VERSION, VERSION_1_2)
    }

    /// A field with a one-octet value.
    #[must_use]
    pub fn octet(mut self, field: u8, value: u8) -> Self {
        self.0.extend([field | 0x80, value]);
        self
    }

    /// A field with a Text-string.
    #[must_use]
    pub fn text(mut self, field: u8, value: &str) -> Self {
        self.0.push(field | 0x80);
        self.0.extend(text_string(value));
        self
    }

    /// A field with an Encoded-string: as it is when it is ASCII, else with its charset.
    #[must_use]
    pub fn encoded(mut self, field: u8, value: &str) -> Self {
        self.0.push(field | 0x80);
        self.0.extend(encoded_string(value));
        self
    }

    /// A field with a Long-integer.
    #[must_use]
    pub fn long(mut self, field: u8, value: u64) -> Self {
        self.0.push(field | 0x80);
        self.0.extend(long_integer(value));
        self
    }

    /// A field whose value follows a Value-length.
    #[must_use]
    pub fn sized(mut self, field: u8, value: &[u8]) -> Self {
        self.0.push(field | 0x80);
        self.0.extend(with_length(value));
        self
    }

    /// From with an address, or with the insert-address-token for `None`.
    #[must_use]
    pub fn from(self, address: Option<&str>) -> Self {
        match address {
            Some(address) => {
                let value = [vec![ADDRESS_PRESENT], encoded_string(address)].concat();
                self.sized(field::FROM, &value)
            }
            None => self.sized(field::FROM, &[INSERT_ADDRESS]),
        }
    }

    /// X-Mms-Expiry, this many seconds from now.
    #[must_use]
    pub fn expiry(self, seconds: u64) -> Self {
        self.sized(field::EXPIRY, &[vec![RELATIVE], long_integer(seconds)].concat())
    }

    /// The PDU, without a body.
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// The PDU with a body: `application/vnd.wap.multipart.mixed`, or `.related` when a part is SMIL.
    pub fn body(mut self, parts: &[Part]) -> Vec<u8> {
        self.0.push(field::CONTENT_TYPE | 0x80);
        let smil = parts.iter().find(|part| part.content_type == "application/smil");
        match smil {
            // Well-known type 0x33, parameters start (0x0a) and type (0x09) as text (WAP-230-WSP tables 38 and 40).
            Some(smil) => {
                let start = text_string(&format!("<{}>", smil.id));
                let value = [vec![0xb3, 0x8a], start, vec![0x89], text_string("application/smil")].concat();
                self.0.extend(with_length(&value));
            }
            None => self.0.push(0xa3),
        }
        self.0.extend(uintvar(parts.len()));
        for part in parts {
            let mut head = text_string(&part.content_type);
            head.extend([vec![0xc0], quoted_string(&format!("<{}>", part.id))].concat());
            head.extend([vec![0x8e], text_string(&part.location)].concat());
            self.0.extend(uintvar(head.len()));
            self.0.extend(uintvar(part.data.len()));
            self.0.extend(head);
            self.0.extend(&part.data);
        }
        self.0
    }
}

/// An m-send-req from a phone that leaves its own number to the MMSC.
///
/// Stories that want more header fields add them to this writer before its body.
pub fn send_req(transaction_id: &str, to: &[&str], subject: &str) -> Writer {
    let writer = Writer::new(kind::SEND_REQ, Some(transaction_id)).from(None);
    let writer = to.iter().fold(writer, |writer, address| writer.encoded(field::TO, address));
    writer.encoded(field::SUBJECT, subject)
}

/// An m-notifyresp-ind with one of [`status`].
pub fn notifyresp_ind(transaction_id: &str, status: u8) -> Vec<u8> {
    Writer::new(kind::NOTIFYRESP_IND, Some(transaction_id)).octet(field::STATUS, status).bytes()
}

/// An m-acknowledge-ind.
pub fn acknowledge_ind(transaction_id: &str) -> Vec<u8> {
    Writer::new(kind::ACKNOWLEDGE_IND, Some(transaction_id)).bytes()
}

/// An m-read-rec-ind that says "read".
pub fn read_rec_ind(message_id: &str, to: &str) -> Vec<u8> {
    let writer = Writer::new(kind::READ_REC_IND, None).text(field::MESSAGE_ID, message_id);
    writer.encoded(field::TO, to).from(None).octet(field::READ_STATUS, YES).bytes()
}

/// An m-notification-ind, for a story that plays the MMSC.
pub fn notification_ind(transaction_id: &str, from: &str, size: u64, url: &str) -> Vec<u8> {
    Writer::new(kind::NOTIFICATION_IND, Some(transaction_id))
        .from(Some(from))
        .octet(field::MESSAGE_CLASS, 0x80)
        .long(field::MESSAGE_SIZE, size)
        .expiry(86_400)
        .text(field::CONTENT_LOCATION, url)
        .bytes()
}

/// An m-retrieve-conf, for a story that plays the MMSC.
pub fn retrieve_conf(transaction_id: &str, message_id: &str, from: &str, subject: &str, parts: &[Part]) -> Vec<u8> {
    Writer::new(kind::RETRIEVE_CONF, Some(transaction_id))
        .text(field::MESSAGE_ID, message_id)
        .long(field::DATE, 1_795_348_800)
        .from(Some(from))
        .encoded(field::SUBJECT, subject)
        .body(parts)
}

/// An m-send-conf that says "Ok", for a story that plays the MMSC.
pub fn send_conf(transaction_id: &str, message_id: &str) -> Vec<u8> {
    Writer::new(kind::SEND_CONF, Some(transaction_id))
        .octet(field::RESPONSE_STATUS, OK)
        .text(field::MESSAGE_ID, message_id)
        .bytes()
}

fn text_string(text: &str) -> Vec<u8> {
    let quote = text.bytes().next().is_some_and(|first| first >= 0x80).then_some(0x7f);
    quote.into_iter().chain(text.bytes()).chain([0]).collect()
}

fn quoted_string(text: &str) -> Vec<u8> {
    [b"\"", text.as_bytes(), b"\0"].concat()
}

fn encoded_string(text: &str) -> Vec<u8> {
    if text.is_ascii() { text_string(text) } else { with_length(&[vec![CHARSET_UTF8], text_string(text)].concat()) }
}

fn long_integer(value: u64) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let first = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len() - 1);
    let significant = &octets[first..];
    [&[significant.len() as u8], significant].concat()
}

fn with_length(value: &[u8]) -> Vec<u8> {
    let length = if value.len() <= 30 { vec![value.len() as u8] } else { [vec![31], uintvar(value.len())].concat() };
    [length, value.to_vec()].concat()
}

/// A uintvar (WAP-230-WSP 8.1.2): seven bits an octet, the high bit on all but the last.
pub(crate) fn uintvar(mut value: usize) -> Vec<u8> {
    let mut octets = vec![(value & 0x7f) as u8];
    value >>= 7;
    while value > 0 {
        octets.insert(0, (value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    octets
}
