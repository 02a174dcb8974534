//! PDUs: octets in, fields out; and the frames that go out (SMPP 3.4 chapters 3 to 5).
//!
//! What is emitted is encoded by rusmpp, to the letter. What is taken is read here, because SMSCs are not so strict: an
//! identifier without its final NUL, an address in Latin-1, a text longer than the protocol allows (I-5). Reading is total:
//! any octets give fields or a [`WireError`] that names the field and the offset in the PDU (I-4).

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use rusmpp::encode::Length;
use rusmpp::encode::owned::Encode;
use rusmpp::{Command, CommandStatus, Pdu};

use crate::limits::{MAX_PDU, MAX_TEXT, MAX_TLVS};
use crate::status::Status;

/// Octets of a PDU's header.
pub const HEADER: usize = 16;
/// Set in the id of an answer.
pub const RESPONSE: u32 = 0x8000_0000;

/// `command_id`s (SMPP 3.4 5.1.2.1).
pub mod id {
    /// An answer to something unreadable.
    pub const GENERIC_NACK: u32 = 0x8000_0000;
    /// Bind for receiving.
    pub const BIND_RECEIVER: u32 = 0x01;
    /// Bind for sending.
    pub const BIND_TRANSMITTER: u32 = 0x02;
    /// A short message for a phone.
    pub const SUBMIT_SM: u32 = 0x04;
    /// A short message or a receipt for us.
    pub const DELIVER_SM: u32 = 0x05;
    /// The end of a session.
    pub const UNBIND: u32 = 0x06;
    /// Bind for both.
    pub const BIND_TRANSCEIVER: u32 = 0x09;
    /// "Are you there?"
    pub const ENQUIRE_LINK: u32 = 0x15;
    /// A phone is there again.
    pub const ALERT_NOTIFICATION: u32 = 0x102;
    /// The other way to carry a short message.
    pub const DATA_SM: u32 = 0x103;
}

/// Tags of optional parameters (SMPP 3.4 5.3.2).
pub mod tag {
    /// The id a receipt is about.
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    /// The port it came from.
    pub const SOURCE_PORT: u16 = 0x020A;
    /// The port it goes to.
    pub const DESTINATION_PORT: u16 = 0x020B;
    /// The reference of a segmented message.
    pub const SAR_REFERENCE: u16 = 0x020C;
    /// Its segments in all.
    pub const SAR_TOTAL: u16 = 0x020E;
    /// The number of this one.
    pub const SAR_SEQUENCE: u16 = 0x020F;
    /// The network's own error.
    pub const NETWORK_ERROR_CODE: u16 = 0x0423;
    /// The message, when it is not in `short_message`.
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    /// What became of it.
    pub const MESSAGE_STATE: u16 = 0x0427;
}

/// One PDU, its body unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// `command_id`.
    pub id: u32,
    /// `command_status`.
    pub status: Status,
    /// `sequence_number`.
    pub sequence: u32,
    /// What follows the header.
    pub body: Bytes,
}

/// `command_length` cannot be right: where the next PDU begins is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("command_length is {length}, and lengths from {HEADER} to {MAX_PDU} are taken")]
pub struct LostFraming {
    /// What it said.
    pub length: u32,
}

/// A body that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} at octet {offset} {}", if *.too_long { "is too long" } else { "is cut off" })]
pub struct WireError {
    /// The field.
    pub field: &'static str,
    /// Its first octet, counted from the start of the PDU.
    pub offset: usize,
    too_long: bool,
}

/// Takes the next PDU off the front of what was read; `None` until it is all there.
///
/// # Errors
/// [`LostFraming`] as soon as the length is known.
pub fn next_frame(read: &mut BytesMut) -> Result<Option<Frame>, LostFraming> {
    let Some(length) = read.first_chunk::<4>().map(|octets| u32::from_be_bytes(*octets)) else { return Ok(None) };
    let wanted = usize::try_from(length).ok().filter(|length| (HEADER..=MAX_PDU).contains(length));
    let Some(wanted) = wanted else { return Err(LostFraming { length }) };
    if read.len() < wanted {
        read.reserve(wanted - read.len());
        return Ok(None);
    }
    let mut body = read.split_to(wanted).freeze();
    body.advance(4);
    let (id, status, sequence) = (body.get_u32(), Status(body.get_u32()), body.get_u32());
    Ok(Some(Frame { id, status, sequence, body }))
}

/// A PDU as it goes out.
pub fn encode(status: Status, sequence: u32, pdu: impl Into<Pdu>) -> BytesMut {
    let command = Command::new(CommandStatus::from(status.0), sequence, pdu);
    let length = 4 + command.length();
    let mut octets = BytesMut::with_capacity(length);
    octets.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    command.encode(&mut octets);
    octets
}

/// A PDU without a body, and answers whose body is one empty text.
pub fn answer(id: u32, status: Status, sequence: u32) -> BytesMut {
    // deliver_sm_resp and data_sm_resp have an empty message_id (SMPP 3.4 4.6.2); data_sm_resp shares the form.
    let text = matches!(id & !RESPONSE, id::DELIVER_SM | id::DATA_SM);
    let length = HEADER as u32 + u32::from(text);
    let mut octets = BytesMut::with_capacity(HEADER + 1);
    for word in [length, id, status.0, sequence] {
        octets.extend_from_slice(&word.to_be_bytes());
    }
    octets.extend_from_slice(&[0][..usize::from(text)]);
    octets
}

/// Writes the sequence number into a PDU that was encoded without one.
pub fn number(octets: &mut [u8], sequence: u32) {
    octets[12..HEADER].copy_from_slice(&sequence.to_be_bytes());
}

/// A type of number, a numbering plan and an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Type of number (SMPP 3.4 5.2.5).
    pub ton: u8,
    /// Numbering plan (SMPP 3.4 5.2.6).
    pub npi: u8,
    /// The address.
    pub text: String,
}

/// With `+` before an international number.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plus = self.ton == 1 && !self.text.starts_with('+') && !self.text.is_empty();
        write!(f, "{}{}", if plus { "+" } else { "" }, self.text)
    }
}

/// What `deliver_sm` and `data_sm` have in common, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Who sent it; of a receipt: the phone.
    pub source: Address,
    /// Whom it is for.
    pub destination: Address,
    /// `esm_class`.
    pub esm_class: u8,
    /// `data_coding`.
    pub data_coding: u8,
    /// `short_message`, or `message_payload` when that is there.
    pub message: Bytes,
    /// The optional parameters.
    pub tlvs: Tlvs,
}

/// Optional parameters in the order they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tlvs(Vec<(u16, Bytes)>);

impl Tlvs {
    /// The value of the first one with this tag.
    pub fn octets(&self, tag: u16) -> Option<&Bytes> {
        self.0.iter().find(|(found, _)| *found == tag).map(|(_, value)| value)
    }

    /// A number of one or two octets.
    pub fn number(&self, tag: u16) -> Option<u16> {
        match self.octets(tag)?[..] {
            [octet] => Some(octet.into()),
            [high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        }
    }

    /// A text, up to its NUL if it has one.
    pub fn text(&self, tag: u16) -> Option<String> {
        let octets = self.octets(tag)?;
        let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
        Some(latin(&octets[..end]))
    }
}

/// Reads the body of a `deliver_sm` (SMPP 3.4 4.6.1) or `data_sm` (4.7.1).
///
/// # Errors
/// [`WireError`] for a mandatory field. Optional parameters that are cut off are left out with all that follows.
pub fn read_delivered(frame: &Frame) -> Result<Delivered, WireError> {
    let mut read = Reader { body: &frame.body, at: 0 };
    read.text("service_type")?;
    let source = read.address("source_addr_ton", "source_addr")?;
    let destination = read.address("dest_addr_ton", "destination_addr")?;
    let esm_class = read.octet("esm_class")?;
    let (data_coding, mut message);
    if frame.id == id::DATA_SM {
        read.octet("registered_delivery")?;
        data_coding = read.octet("data_coding")?;
        message = Bytes::new();
    } else {
        read.octet("protocol_id")?;
        read.octet("priority_flag")?;
        read.text("schedule_delivery_time")?;
        read.text("validity_period")?;
        read.octet("registered_delivery")?;
        read.octet("replace_if_present_flag")?;
        data_coding = read.octet("data_coding")?;
        read.octet("sm_default_msg_id")?;
        let length = read.octet("sm_length")?;
        message = read.octets("short_message", length.into())?;
    }
    let tlvs = read.tlvs();
    if let Some(payload) = tlvs.octets(tag::MESSAGE_PAYLOAD) {
        message = payload.clone();
    }
    Ok(Delivered { source, destination, esm_class, data_coding, message, tlvs })
}

/// The text an answer begins with: the message id of `submit_sm_resp`, the SMSC's name of a bind's answer. Empty when there is
/// none.
pub fn first_text(body: &Bytes) -> String {
    let end = body.iter().position(|octet| *octet == 0).unwrap_or(body.len());
    latin(&body[..end.min(MAX_TEXT)])
}

struct Reader<'a> {
    body: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, field: &'static str, too_long: bool) -> WireError {
        WireError { field, offset: HEADER + self.at, too_long }
    }

    fn octets(&mut self, field: &'static str, length: usize) -> Result<Bytes, WireError> {
        if self.body.len() - self.at < length {
            return Err(self.error(field, false));
        }
        self.at += length;
        Ok(self.body.slice(self.at - length..self.at))
    }

    fn octet(&mut self, field: &'static str) -> Result<u8, WireError> {
        Ok(self.octets(field, 1)?[0])
    }

    fn text(&mut self, field: &'static str) -> Result<String, WireError> {
        match self.body[self.at..].iter().position(|octet| *octet == 0) {
            Some(length) if length > MAX_TEXT => Err(self.error(field, true)),
            Some(length) => {
                let text = latin(&self.body[self.at..self.at + length]);
                self.at += length + 1;
                Ok(text)
            }
            None => Err(self.error(field, false)),
        }
    }

    fn address(&mut self, ton: &'static str, text: &'static str) -> Result<Address, WireError> {
        Ok(Address { ton: self.octet(ton)?, npi: self.octet(ton)?, text: self.text(text)? })
    }

    fn tlvs(&mut self) -> Tlvs {
        let mut found = Vec::new();
        while found.len() < MAX_TLVS {
            let Ok(head) = self.octets("optional parameter", 4) else { break };
            let (tag, length) = (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
            let Ok(value) = self.octets("optional parameter", length.into()) else { break };
            found.push((tag, value));
        }
        Tlvs(found)
    }
}

/// A text whose octets are Latin-1, of which ASCII is a part.
pub fn latin(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

/// The name of a command for logs.
pub fn command(id: u32) -> String {
    let name = match id & !RESPONSE {
        0 => return "generic_nack".to_owned(),
        id::BIND_RECEIVER => "bind_receiver",
        id::BIND_TRANSMITTER => "bind_transmitter",
        id::SUBMIT_SM => "submit_sm",
        id::DELIVER_SM => "deliver_sm",
        id::UNBIND => "unbind",
        id::BIND_TRANSCEIVER => "bind_transceiver",
        id::ENQUIRE_LINK => "enquire_link",
        id::ALERT_NOTIFICATION => "alert_notification",
        id::DATA_SM => "data_sm",
        _ => return format!("command 0x{id:08x}"),
    };
    format!("{name}{}", if id & RESPONSE == 0 { "" } else { "_resp" })
}
