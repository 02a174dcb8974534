//! The user data header and its information elements (TS 23.040 9.2.3.24).
//!
//! A header is a list of elements in the order they stand; all are kept as octets, so a header that is read and written
//! again is the same octets, unknown elements included (I-4). Concatenation and ports are views of that list.
//!
//! What the specification wants ignored is not an error here: an element 00 or 08 whose sequence or total is zero, or
//! whose sequence is above its total (9.2.3.24.1), and one whose length is not its own, give no view but stay in the
//! list. When an element is repeated or two exclude each other, the last one counts.

use bytes::Bytes;

use crate::error::UserDataError;
use crate::limits::{MAX_ELEMENT_DATA, MAX_ELEMENTS, MAX_HEADER};

/// Identifiers of the information elements known here (TS 23.040 9.2.3.24).
mod id {
    pub const CONCATENATION_8: u8 = 0x00;
    pub const PORTS_8: u8 = 0x04;
    pub const PORTS_16: u8 = 0x05;
    pub const CONCATENATION_16: u8 = 0x08;
}

/// A user data header: information elements in the order they stand. Never longer than its length octet can say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Udh {
    elements: Vec<Element>,
}

/// One information element, known or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    id: u8,
    data: Bytes,
}

/// Application port addresses (TS 23.040 9.2.3.24.3 and .4), 8-bit ports widened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports {
    /// The port of the receiving application.
    pub destination: u16,
    /// The port of the sending application.
    pub originator: u16,
}

impl Ports {
    /// Where a connectionless WAP push goes and comes from: 2948 (wap-push) and 9200 (WSP).
    pub const WAP_PUSH: Ports = Ports { destination: 2948, originator: 9200 };
}

/// The number that segments of one message share; its width decides the element's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// Element 00 (TS 23.040 9.2.3.24.1).
    Eight(u8),
    /// Element 08 (TS 23.040 9.2.3.24.8).
    Sixteen(u16),
}

/// Which segment of which message this is (TS 23.040 9.2.3.24.1 and .8). `1 <= sequence <= total` always holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concatenation {
    reference: Reference,
    total: u8,
    sequence: u8,
}

impl Concatenation {
    /// Segment `sequence` (from 1) of `total`; `None` unless `1 <= sequence <= total`.
    pub fn new(reference: Reference, total: u8, sequence: u8) -> Option<Self> {
        (1..=total).contains(&sequence).then_some(Concatenation { reference, total, sequence })
    }

    /// The reference the message's segments share.
    pub fn reference(&self) -> Reference {
        self.reference
    }

    /// Segments in all.
    pub fn total(&self) -> u8 {
        self.total
    }

    /// This segment's number, from 1.
    pub fn sequence(&self) -> u8 {
        self.sequence
    }
}

impl Element {
    /// Any element; refuses data longer than 255 octets.
    pub fn new(id: u8, data: Bytes) -> Result<Self, UserDataError> {
        match data.len() > MAX_ELEMENT_DATA {
            true => Err(UserDataError::ElementTooLong { id, length: data.len(), max: MAX_ELEMENT_DATA }),
            false => Ok(Element { id, data }),
        }
    }

    /// The identifier (IEI).
    pub fn id(&self) -> u8 {
        self.id
    }

    /// The data, at most 255 octets.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// The concatenation this element says; `None` when it is another element or the specification wants it ignored.
    pub fn concatenation(&self) -> Option<Concatenation> {
        let (reference, total, sequence) = match (self.id, &self.data[..]) {
            (id::CONCATENATION_8, &[reference, total, sequence]) => (Reference::Eight(reference), total, sequence),
            (id::CONCATENATION_16, &[high, low, total, sequence]) => {
                (Reference::Sixteen(u16::from_be_bytes([high, low])), total, sequence)
            }
            _ => return None,
        };
        Concatenation::new(reference, total, sequence)
    }

    /// The ports this element says; `None` when it is another element.
    pub fn ports(&self) -> Option<Ports> {
        match (self.id, &self.data[..]) {
            (id::PORTS_8, &[destination, originator]) => {
                Some(Ports { destination: destination.into(), originator: originator.into() })
            }
            (id::PORTS_16, &[to_high, to_low, from_high, from_low]) => Some(Ports {
                destination: u16::from_be_bytes([to_high, to_low]),
                originator: u16::from_be_bytes([from_high, from_low]),
            }),
            _ => None,
        }
    }
}

impl From<Concatenation> for Element {
    fn from(value: Concatenation) -> Self {
        let (id, mut data) = match value.reference {
            Reference::Eight(reference) => (id::CONCATENATION_8, vec![reference]),
            Reference::Sixteen(reference) => (id::CONCATENATION_16, reference.to_be_bytes().to_vec()),
        };
        data.extend([value.total, value.sequence]);
        Element { id, data: data.into() }
    }
}

/// Always the 16-bit form, which every port fits.
impl From<Ports> for Element {
    fn from(value: Ports) -> Self {
        let data = [value.destination.to_be_bytes(), value.originator.to_be_bytes()].concat();
        Element { id: id::PORTS_16, data: data.into() }
    }
}

impl Udh {
    /// A header of these elements; refuses more than 255 octets in all.
    pub fn new(elements: Vec<Element>) -> Result<Self, UserDataError> {
        let header = Udh { elements };
        match header.encoded_len() - 1 {
            length if length > MAX_HEADER => Err(UserDataError::HeaderTooLong { length, max: MAX_HEADER }),
            _ => Ok(header),
        }
    }

    /// Reads a header from its length octet on; gives the header and how many octets it took.
    ///
    /// # Errors
    /// When the octets end before the header, or the header before one of its elements.
    pub fn parse(octets: &Bytes) -> Result<(Self, usize), UserDataError> {
        let Some((&declared, rest)) = octets.split_first() else { return Err(UserDataError::HeaderMissing) };
        let declared = usize::from(declared);
        if declared > rest.len() {
            return Err(UserDataError::HeaderTruncated { declared, available: rest.len() });
        }
        let end = 1 + declared;
        let (mut elements, mut at) = (Vec::new(), 1);
        while at < end {
            let truncated = UserDataError::ElementTruncated { offset: at, id: octets[at] };
            if at + 1 == end {
                return Err(truncated);
            }
            let (from, to) = (at + 2, at + 2 + usize::from(octets[at + 1]));
            if to > end {
                return Err(truncated);
            }
            elements.push(Element { id: octets[at], data: octets.slice(from..to) });
            at = to;
        }
        debug_assert!(elements.len() <= MAX_ELEMENTS);
        Ok((Udh { elements }, end))
    }

    /// The elements in the order they stand.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The concatenation that counts: the last one said.
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.elements.iter().rev().find_map(Element::concatenation)
    }

    /// The ports that count: the last ones said.
    pub fn ports(&self) -> Option<Ports> {
        self.elements.iter().rev().find_map(Element::ports)
    }

    /// Octets the header takes, its length octet included.
    pub fn encoded_len(&self) -> usize {
        1 + self.elements.iter().map(|element| 2 + element.data.len()).sum::<usize>()
    }

    /// Appends the header, length octet first.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        // `new` and `parse` both keep the elements within what one octet can say.
        out.push((self.encoded_len() - 1) as u8);
        for element in &self.elements {
            out.extend([element.id, element.data.len() as u8]);
            out.extend_from_slice(&element.data);
        }
    }
}
