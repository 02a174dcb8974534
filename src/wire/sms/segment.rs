//! Cutting a binary payload for application ports into short messages.
//!
//! Every segment carries the port element and, when there are several, the concatenation element behind it: a segment
//! without ports is shown as text or dropped, whatever the first one said. The reference number is an argument (I-12);
//! keep one counter for each destination, so that two messages on their way to one handset do not share a number.

use bytes::Bytes;

use crate::error::SegmentError;
use crate::limits::{MAX_SEGMENTS, MAX_USER_DATA};
use crate::udh::{Concatenation, Element, Ports, Reference, Udh};
use crate::user_data::UserData;

/// Octets of a header of 16-bit ports alone, length octet included.
const PORTS_HEADER: usize = 7;

/// Octets of payload in a message that needs no concatenation.
pub const SINGLE_PAYLOAD: usize = MAX_USER_DATA - PORTS_HEADER;

/// How wide the concatenation reference is. Sixteen bits cost one octet of each segment and are not read by some old
/// handsets; eight bits come round again after 256 messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReferenceWidth {
    /// Element 00.
    #[default]
    Eight,
    /// Element 08.
    Sixteen,
}

impl ReferenceWidth {
    /// Octets of payload in each segment beside 16-bit ports: 128 or 127.
    pub const fn payload_per_segment(self) -> usize {
        match self {
            ReferenceWidth::Eight => SINGLE_PAYLOAD - 5,
            ReferenceWidth::Sixteen => SINGLE_PAYLOAD - 6,
        }
    }

    /// Short messages that a payload of `length` octets takes. May exceed what [`segment`] agrees to make.
    pub const fn segments_needed(self, length: usize) -> usize {
        match length <= SINGLE_PAYLOAD {
            true => 1,
            false => length.div_ceil(self.payload_per_segment()),
        }
    }
}

impl Reference {
    /// The width of this reference.
    pub fn width(self) -> ReferenceWidth {
        match self {
            Reference::Eight(_) => ReferenceWidth::Eight,
            Reference::Sixteen(_) => ReferenceWidth::Sixteen,
        }
    }
}

/// Short messages that a payload of `length` octets takes beside 16-bit ports and an 8-bit reference.
pub const fn segments_needed(length: usize) -> usize {
    ReferenceWidth::Eight.segments_needed(length)
}

/// Cuts `payload` for `ports`: one message without concatenation when it fits, else as few segments as it takes, in
/// order, each a range of `payload`. Every one encodes within 140 octets.
///
/// # Errors
/// [`SegmentError`] when more than [`MAX_SEGMENTS`] would be needed.
pub fn segment(payload: &Bytes, ports: Ports, reference: Reference) -> Result<Vec<UserData>, SegmentError> {
    if payload.len() <= SINGLE_PAYLOAD {
        return Ok(vec![with_header(vec![ports.into()], payload.clone())]);
    }
    let width = reference.width();
    let total = match u8::try_from(width.segments_needed(payload.len())) {
        Ok(total) => total,
        Err(_) => return Err(SegmentError { length: payload.len(), max: MAX_SEGMENTS }),
    };
    let size = width.payload_per_segment();
    let segments = (1..=total).filter_map(|sequence| {
        let from = usize::from(sequence - 1) * size;
        let part = payload.slice(from..payload.len().min(from + size));
        let concatenation = Concatenation::new(reference, total, sequence)?; // always: 1 <= sequence <= total
        Some(with_header(vec![ports.into(), concatenation.into()], part))
    });
    Ok(segments.collect())
}

fn with_header(elements: Vec<Element>, payload: Bytes) -> UserData {
    UserData { header: Udh::new(elements).ok(), payload } // ok: at most 12 octets
}
