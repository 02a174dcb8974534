//! Addresses of phones and services (TS 23.040 9.1.2.5), and of service centres (TS 24.011 8.2.5.1).

use std::fmt;

use bytes::Bytes;

use super::error::TpduError;
use super::reader::Reader;
use super::septets::{pack, unpack};
use crate::limits::MAX_ADDRESS;
use crate::text::{from_septets, to_septets};

/// Types of number (9.1.2.5).
mod kind {
    pub const UNKNOWN: u8 = 0;
    pub const INTERNATIONAL: u8 = 1;
    pub const ALPHANUMERIC: u8 = 5;
}

/// The telephone numbering plan, E.164.
const TELEPHONE: u8 = 1;
/// What the semi-octets stand for; the last is the fill.
const SEMI_OCTETS: &[u8; 15] = b"0123456789*#abc";
const FILL: u8 = 0x0F;
/// The bit that ends the type of address.
const NO_EXTENSION: u8 = 0x80;

/// An address: digits of some type and plan, or a name. Always short enough to be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    kind: u8,
    plan: u8,
    /// Digits, `*`, `#`, `a`, `b` and `c`; or a name when `kind` says so.
    text: String,
}

impl Address {
    /// An international number (E.164) without its `+`.
    ///
    /// # Errors
    /// More than 20 digits, or something that is none.
    pub fn international(digits: &str) -> Result<Self, TpduError> {
        Address { kind: kind::INTERNATIONAL, plan: TELEPHONE, text: digits.to_owned() }.checked()
    }

    /// Digits of which nothing is known: a short code, a national number.
    ///
    /// # Errors
    /// More than 20 digits, or something that is none.
    pub fn unknown(digits: &str) -> Result<Self, TpduError> {
        Address { kind: kind::UNKNOWN, plan: TELEPHONE, text: digits.to_owned() }.checked()
    }

    /// A name of at most 11 letters of the default alphabet.
    ///
    /// # Errors
    /// More of them, or others.
    pub fn name(letters: &str) -> Result<Self, TpduError> {
        Address { kind: kind::ALPHANUMERIC, plan: 0, text: letters.to_owned() }.checked()
    }

    /// The digits (with `*`, `#`, `a`, `b`, `c`), or the name.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is an international number.
    pub fn is_international(&self) -> bool {
        self.kind == kind::INTERNATIONAL
    }

    /// Whether it is a name.
    pub fn is_name(&self) -> bool {
        self.kind == kind::ALPHANUMERIC
    }

    fn checked(self) -> Result<Self, TpduError> {
        let odd = match self.is_name() {
            true => self.text.chars().find(|c| to_septets(&c.to_string()).is_none()),
            false => self.text.chars().find(|c| !u8::try_from(*c).is_ok_and(|c| SEMI_OCTETS.contains(&c))),
        };
        if let Some(character) = odd {
            return Err(TpduError::AddressCharacter { character });
        }
        match self.semi_octets() {
            length if length > MAX_ADDRESS => Err(TpduError::AddressUnwritable { length, max: MAX_ADDRESS }),
            _ => Ok(self),
        }
    }

    fn septets(&self) -> Vec<u8> {
        to_septets(&self.text).unwrap_or_default()
    }

    /// Its length as it is written: semi-octets that are of use.
    fn semi_octets(&self) -> usize {
        if self.is_name() { (self.septets().len() * 7).div_ceil(4) } else { self.text.len() }
    }

    fn type_octet(&self) -> u8 {
        NO_EXTENSION | self.kind << 4 | self.plan
    }

    /// Length, type and value, as in a TPDU.
    pub(super) fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend([self.semi_octets() as u8, self.type_octet()]); // at most 20: checked
        match self.is_name() {
            true => out.extend(pack(&self.septets(), 0)),
            false => out.extend(packed_digits(&self.text)),
        }
    }

    /// Reads length, type and value.
    pub(super) fn read(reader: &mut Reader<'_>, element: &'static str) -> Result<Self, TpduError> {
        let offset = reader.offset();
        let length = usize::from(reader.octet(element)?);
        if length > MAX_ADDRESS {
            return Err(TpduError::AddressTooLong { offset, length, max: MAX_ADDRESS });
        }
        let of = reader.octet(element)?;
        let value = reader.take(element, length.div_ceil(2))?;
        Ok(Address::from_parts(of, &value, length))
    }

    fn from_parts(of: u8, value: &[u8], semi_octets: usize) -> Self {
        let (kind, plan) = (of >> 4 & 0b111, of & 0b1111);
        let text = match kind == kind::ALPHANUMERIC {
            // A second escape is reserved and shown as a space (TS 23.038 6.2.1.1).
            true => from_septets(&unpack(value, 0, semi_octets * 4 / 7)).replace('\u{1B}', " "),
            false => {
                let nibbles = value.iter().flat_map(|octet| [octet & 0x0F, octet >> 4]).take(semi_octets);
                let digits = nibbles.take_while(|nibble| *nibble != FILL);
                digits.map(|nibble| char::from(SEMI_OCTETS[usize::from(nibble)])).collect()
            }
        };
        Address { kind, plan, text }
    }

    /// As it stands before a TPDU between a modem and its owner (TS 27.005 3.1): the length counts octets, the type's
    /// included.
    pub fn encode_service_centre(&self) -> Vec<u8> {
        let digits = packed_digits(&self.text);
        [&[digits.len() as u8 + 1, self.type_octet()], &digits[..]].concat() // at most 11: checked
    }
}

/// Digits two to an octet, low half first, filled up (TS 23.040 9.1.2.3).
fn packed_digits(digits: &str) -> Vec<u8> {
    let value = |digit: &u8| SEMI_OCTETS.iter().position(|known| known == digit).map_or(FILL, |at| at as u8);
    digits.as_bytes().chunks(2).map(|pair| value(&pair[0]) | pair.get(1).map_or(FILL, value) << 4).collect()
}

/// Parts the address of the service centre, which a modem puts before the TPDU (TS 27.005 3.1), from the TPDU. `None` when
/// the modem leaves it out.
///
/// # Errors
/// When the octets end inside it, or it is longer than an address may be.
pub fn read_service_centre(octets: &Bytes) -> Result<(Option<Address>, Bytes), TpduError> {
    const ELEMENT: &str = "the service centre's address";
    let mut reader = Reader::new(octets)?;
    let length = usize::from(reader.octet(ELEMENT)?);
    if length == 0 {
        return Ok((None, reader.rest()));
    }
    let semi_octets = (length - 1) * 2;
    if semi_octets > MAX_ADDRESS {
        return Err(TpduError::AddressTooLong { offset: 0, length: semi_octets, max: MAX_ADDRESS });
    }
    let value = reader.take(ELEMENT, length)?;
    Ok((Some(Address::from_parts(value[0], &value[1..], semi_octets)), reader.rest()))
}

/// As people write it: an international number with its `+`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_international() {
            f.write_str("+")?;
        }
        f.write_str(&self.text)
    }
}
