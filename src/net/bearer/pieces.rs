//! What is sent becomes the pieces a gateway is asked to carry: a short message each, or all of it when the gateway cuts.

use bytes::Bytes;
use packetboat_api::roles::{BearerError, SmsBody};
use packetboat_sms::{Alphabet, Ports, Reference, Udh, alphabet_of, segment, segment_text};

/// Who cuts what needs several short messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// We do: a piece for each.
    Here,
    /// The gateway does: one piece, with the ports for a header.
    There,
}

/// One piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The user data header, its length octet included; empty when there is none.
    pub udh: Bytes,
    /// What goes behind it.
    pub content: Content,
}

/// What a piece says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// 8-bit data.
    Octets(Bytes),
    /// Words, and the alphabet of the whole text they are from.
    Words(String, Alphabet),
}

/// The pieces of `body`, in order, and how many short messages they make.
pub fn pieces(body: &SmsBody, reference: Reference, cut: Cut) -> Result<(Vec<Piece>, u8), BearerError> {
    let (ports, octets) = match body {
        SmsBody::Push(octets) => (Ports::WAP_PUSH, octets),
        SmsBody::Data { destination, originator, octets } => {
            (Ports { destination: *destination, originator: *originator }, octets)
        }
        SmsBody::Text(text) => return words(text, reference, cut),
    };
    let made = segment(octets, ports, reference).map_err(too_long)?;
    let parts = made.len() as u8; // at most 255: MAX_SEGMENTS
    let pieces = match cut {
        Cut::Here => {
            let piece = |data: packetboat_sms::UserData| Piece {
                udh: header(data.header.as_ref()),
                content: Content::Octets(data.payload),
            };
            made.into_iter().map(piece).collect()
        }
        Cut::There => {
            let udh = Udh::new(vec![ports.into()]).ok(); // ok: seven octets
            vec![Piece { udh: header(udh.as_ref()), content: Content::Octets(octets.clone()) }]
        }
    };
    Ok((pieces, parts))
}

fn words(text: &str, reference: Reference, cut: Cut) -> Result<(Vec<Piece>, u8), BearerError> {
    let made = segment_text(text, reference).map_err(too_long)?;
    let parts = made.len() as u8; // at most 255: MAX_SEGMENTS
    let alphabet = alphabet_of(text);
    let piece = |udh, text: &str| Piece { udh, content: Content::Words(text.to_owned(), alphabet) };
    let pieces = match cut {
        Cut::Here => made.iter().map(|segment| piece(header(segment.header.as_ref()), &segment.text)).collect(),
        Cut::There => vec![piece(Bytes::new(), text)],
    };
    Ok((pieces, parts))
}

fn too_long(error: packetboat_sms::SegmentError) -> BearerError {
    BearerError::Permanent { why: error.to_string() }
}

fn header(udh: Option<&Udh>) -> Bytes {
    let mut octets = Vec::new();
    if let Some(udh) = udh {
        udh.encode_into(&mut octets);
    }
    octets.into()
}

/// The same error, saying which of several requests it is about.
pub fn of_part(error: BearerError, part: u8, requests: usize) -> BearerError {
    let said = |why: String| if requests == 1 { why } else { format!("{why} (short message {part} of {requests})") };
    match error {
        BearerError::Retry { after, why } => BearerError::Retry { after, why: said(why) },
        BearerError::Permanent { why } => BearerError::Permanent { why: said(why) },
    }
}
