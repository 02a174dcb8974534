//! One short message becomes a `submit_sm` (SMPP 3.4 4.4.1).
//!
//! Parts are cut here, with `addressing = "udh"` and `"sar"` alike, so that one part without an answer can be sent again by
//! itself. A `submit_sm` is encoded without its sequence number: the connection writes that in.

use bytes::{Bytes, BytesMut};
use packetboat_api::clock::Timestamp;
use packetboat_api::message::Priority;
use packetboat_api::party::Msisdn;
use packetboat_api::roles::SmsBody;
use packetboat_sms::{Alphabet, Concatenation, Ports, Reference, TextSegment, Udh, UserData, segment, segment_text};
use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, Npi, PriorityFlag, RegisteredDelivery, ServiceType, Ton};

use crate::settings::{Addressing, SmppSettings, Validity};
use crate::status::Status;
use crate::wire::{self, Address};

/// UDH indicator of `esm_class` (SMPP 3.4 5.2.12).
pub const UDHI: u8 = 0x40;
/// Letters of an alphanumeric sender (TS 23.040 9.1.2.5).
const MAX_LETTERS: usize = 11;
/// Most digits of a short code; longer ones are numbers.
const SHORT_CODE: usize = 8;

/// The parts of one message, cut but not yet encoded.
#[derive(Clone, Debug)]
pub struct Parts {
    data_coding: u8,
    parts: Vec<Part>,
}

/// One short message: what is said of it, and what it carries.
#[derive(Clone, Debug)]
struct Part {
    ports: Option<Ports>,
    concatenation: Option<Concatenation>,
    octets: Bytes,
}

/// What stands around the parts of one message.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    /// The phone.
    pub to: &'a Msisdn,
    /// Its sender.
    pub source: &'a Address,
    /// How urgent it is.
    pub priority: Priority,
    /// When there is no more use in it.
    pub expires: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// Cuts a message. The error is in words: it is too long.
pub fn cut(body: &SmsBody, reference: Reference, settings: &SmppSettings) -> Result<Parts, String> {
    let whole = settings.addressing == Addressing::Payload;
    match body {
        SmsBody::Push(octets) => binary(octets, Ports::WAP_PUSH, reference, whole, settings),
        SmsBody::Data { destination, originator, octets } => {
            let ports = Ports { destination: *destination, originator: *originator };
            binary(octets, ports, reference, whole, settings)
        }
        SmsBody::Text(text) => {
            let segments = segment_text(text, reference).map_err(|error| error.to_string())?;
            // At least one: an empty text is one empty segment.
            let alphabet = segments.first().map_or(Alphabet::Gsm7, |segment| segment.alphabet);
            let data_coding = match alphabet {
                Alphabet::Gsm7 => settings.text_data_coding,
                Alphabet::Ucs2 => settings.ucs2_data_coding,
            };
            let part = |segment: &TextSegment| Part {
                ports: None,
                concatenation: segment.header.as_ref().and_then(Udh::concatenation),
                octets: segment.units().into(),
            };
            let mut parts: Vec<Part> = segments.iter().map(part).collect();
            if whole && parts.len() > 1 {
                let octets = parts.iter().flat_map(|part| part.octets.to_vec()).collect::<Vec<u8>>().into();
                parts = vec![Part { ports: None, concatenation: None, octets }];
            }
            Ok(Parts { data_coding, parts })
        }
    }
}

fn binary(
    octets: &Bytes,
    ports: Ports,
    reference: Reference,
    whole: bool,
    settings: &SmppSettings,
) -> Result<Parts, String> {
    // Also when the SMSC cuts it, a message is not longer than what can be cut.
    let cut = segment(octets, ports, reference).map_err(|error| error.to_string())?;
    let part = |data: UserData| Part { ports: Some(ports), concatenation: data.concatenation(), octets: data.payload };
    let parts = match whole {
        true => vec![Part { ports: Some(ports), concatenation: None, octets: octets.clone() }],
        false => cut.into_iter().map(part).collect(),
    };
    Ok(Parts { data_coding: settings.binary_data_coding, parts })
}

impl Parts {
    /// How many there are: at least one, at most 255.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Never.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The `submit_sm` of a part, from 0, without its sequence number. The error names the value that does not fit.
    pub fn encode(&self, at: usize, around: &Around<'_>, settings: &SmppSettings) -> Result<BytesMut, String> {
        let part = self.parts.get(at).ok_or("there is no such part")?;
        let to = format!("{}{}", settings.number_prefix, around.to.digits());
        let validity = validity(settings.validity, around.now, around.expires);
        let builder = SubmitSm::builder()
            .service_type(ServiceType::new(text("service_type", &settings.service_type)?))
            .source_addr_ton(Ton::from(around.source.ton))
            .source_addr_npi(Npi::from(around.source.npi))
            .source_addr(text("the sender", &around.source.text)?)
            .dest_addr_ton(Ton::from(settings.dest_ton))
            .dest_addr_npi(Npi::from(settings.dest_npi))
            .destination_addr(text("the number with its prefix", &to)?)
            .priority_flag(PriorityFlag::new(u8::from(around.priority == Priority::High)))
            .validity_period(EmptyOrFullCOctetString::from_string(validity).map_err(|error| error.to_string())?)
            .registered_delivery(RegisteredDelivery::from(settings.registered_delivery.octet()))
            .data_coding(DataCoding::from(self.data_coding));
        let (mut octets, mut esm_class, mut tlvs) = (part.octets.clone(), 0, Vec::new());
        if settings.addressing == Addressing::Udh {
            let elements: Vec<_> =
                part.ports.map(Into::into).into_iter().chain(part.concatenation.map(Into::into)).collect();
            if !elements.is_empty() {
                let header = Udh::new(elements).map_err(|error| error.to_string())?;
                let mut with_header = Vec::with_capacity(header.encoded_len() + octets.len());
                header.encode_into(&mut with_header);
                with_header.extend_from_slice(&octets);
                (octets, esm_class) = (with_header.into(), UDHI);
            }
        } else {
            tlvs = parameters(part);
        }
        let builder = builder.esm_class(EsmClass::from(esm_class));
        let whole = settings.addressing == Addressing::Payload || octets.len() > usize::from(u8::MAX) - 1;
        let builder = match whole {
            true => {
                tlvs.push(Tlv::MessagePayload(MessagePayload::new(AnyOctetString::from_bytes(octets))));
                builder
            }
            false => builder.short_message(OctetString::from_bytes(octets).map_err(|error| error.to_string())?),
        };
        Ok(wire::encode(Status::OK, 0, builder.tlvs(tlvs).build()))
    }
}

/// Ports and parts as optional parameters (SMPP 3.4 5.3.2.20 to .24).
fn parameters(part: &Part) -> Vec<Tlv> {
    let mut tlvs = Vec::new();
    if let Some(ports) = part.ports {
        tlvs.extend([Tlv::SourcePort(ports.originator), Tlv::DestPort(ports.destination)]);
    }
    if let Some(part) = part.concatenation {
        let reference = match part.reference() {
            Reference::Eight(reference) => reference.into(),
            Reference::Sixteen(reference) => reference,
        };
        tlvs.extend([
            Tlv::SarMsgRefNum(reference),
            Tlv::SarTotalSegments(part.total()),
            Tlv::SarSegmentSeqnum(part.sequence()),
        ]);
    }
    tlvs
}

/// A C-octet string (SMPP 3.4 3.1), `MAX` octets with its NUL.
pub fn text<const MAX: usize>(what: &str, value: &str) -> Result<COctetString<1, MAX>, String> {
    COctetString::from_string(value.to_owned()).map_err(|_| {
        format!("{what} \"{value}\" is not what SMPP can say: at most {} characters, all of them ASCII", MAX - 1)
    })
}

/// `validity_period` (SMPP 3.4 7.1.1): `YYMMDDhhmmsst00+` in UTC, or `YYMMDDhhmmss000R`. At least a minute, so that it is not
/// over before it arrives; empty when it is over two years, which 3.4 has no two digits for in many SMSCs.
pub fn validity(how: Validity, now: Timestamp, expires: Timestamp) -> String {
    let span = now.until(expires).as_secs().max(60);
    if how == Validity::None || span > 2 * 365 * 86_400 {
        return String::new();
    }
    if how == Validity::Relative {
        let (days, rest) = (span / 86_400, span % 86_400);
        // Days have two digits; months are not all of one length, so weeks of days go as months of thirty.
        let (months, days) = (days / 30, days % 30);
        let (years, months) = (months / 12, months % 12);
        let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
        return format!("{years:02}{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R");
    }
    let end = Timestamp::from_seconds(now.seconds().saturating_add(i64::try_from(span).unwrap_or(0)));
    // 2026-11-23T02:49:37.000Z
    let digits: String = end.to_string().chars().filter(char::is_ascii_digit).collect();
    match digits.get(2..14) {
        Some(digits) => format!("{digits}000+"),
        None => String::new(),
    }
}

/// The sender as SMPP says it: what a message names, or the setting. The error is in words.
pub fn source(named: Option<&str>, settings: &SmppSettings) -> Result<Address, String> {
    let name = named.filter(|name| !name.is_empty());
    let text = name.unwrap_or(&settings.source);
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    let (ton, npi) = match () {
        () if text.is_empty() => (0, 0),
        () if !is_number => (5, 0),
        () if text.starts_with('+') || digits.len() > SHORT_CODE => (1, 1),
        () => (3, 0),
    };
    if !is_number && text.chars().count() > MAX_LETTERS {
        return Err(format!("the sender \"{text}\" has more than {MAX_LETTERS} letters"));
    }
    if !text.is_ascii() || digits.len() > 20 {
        return Err(format!(
            "the sender \"{text}\" is not what SMPP can say: at most 20 characters, all of them ASCII"
        ));
    }
    // The settings describe the configured sender only.
    let (ton, npi) = match name {
        Some(_) => (ton, npi),
        None => (settings.source_ton.unwrap_or(ton), settings.source_npi.unwrap_or(npi)),
    };
    let text = if is_number { digits } else { text };
    Ok(Address { ton, npi, text: text.to_owned() })
}
