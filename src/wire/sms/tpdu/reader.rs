//! A reader that hands out what is there and names what is not.

use bytes::Bytes;

use super::error::TpduError;
use crate::limits::MAX_TPDU;

/// The octets of one TPDU, front to back.
pub struct Reader<'a> {
    octets: &'a Bytes,
    at: usize,
}

impl<'a> Reader<'a> {
    /// From the first octet; refuses more than [`MAX_TPDU`].
    pub fn new(octets: &'a Bytes) -> Result<Self, TpduError> {
        match octets.len() {
            length if length > MAX_TPDU => Err(TpduError::TooLong { length, max: MAX_TPDU }),
            _ => Ok(Reader { octets, at: 0 }),
        }
    }

    /// The first octet, when its TP-MTI is `expected`.
    pub fn first(&mut self, wanted: &'static str, expected: u8) -> Result<u8, TpduError> {
        let first = self.octet("TP-MTI")?;
        match first & super::MTI {
            found if found == expected => Ok(first),
            found => Err(TpduError::Type { found, wanted, expected }),
        }
    }

    /// Where it stands.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// One octet of `element`.
    pub fn octet(&mut self, element: &'static str) -> Result<u8, TpduError> {
        Ok(self.take(element, 1)?[0])
    }

    /// `wanted` octets of `element`.
    pub fn take(&mut self, element: &'static str, wanted: usize) -> Result<Bytes, TpduError> {
        let available = self.octets.len() - self.at;
        if wanted > available {
            return Err(TpduError::Truncated { offset: self.at, element, wanted, available });
        }
        let taken = self.octets.slice(self.at..self.at + wanted);
        self.at += wanted;
        Ok(taken)
    }

    /// Seven octets of `element`.
    pub fn seven(&mut self, element: &'static str) -> Result<[u8; 7], TpduError> {
        let taken = self.take(element, 7)?;
        Ok(std::array::from_fn(|at| taken[at]))
    }

    /// All that is left.
    pub fn rest(self) -> Bytes {
        self.octets.slice(self.at..)
    }
}
