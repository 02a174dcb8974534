//! User data: the octets of TP-UD, or of SMPP's `short_message`, as header and payload.
//!
//! Only 8-bit data is meant: a payload of 7-bit text behind a header begins at a septet boundary, which is another
//! reading of the same octets (TS 23.040 9.2.3.24).

use bytes::Bytes;

use crate::error::UserDataError;
use crate::limits::{MAX_USER_DATA, MAX_USER_DATA_READ};
use crate::udh::{Concatenation, Ports, Udh};

/// The user data of one short message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData {
    /// The header; present exactly when the message's TP-UDHI (SMPP `esm_class` 0x40) is set.
    pub header: Option<Udh>,
    /// What follows the header.
    pub payload: Bytes,
}

impl UserData {
    /// Reads user data; `has_header` is the message's TP-UDHI. The payload is a range of `octets`, not a copy.
    ///
    /// # Errors
    /// [`UserDataError`] with the offset, for a header that does not end where it says and for more than
    /// [`MAX_USER_DATA_READ`] octets.
    pub fn parse(octets: &Bytes, has_header: bool) -> Result<Self, UserDataError> {
        if octets.len() > MAX_USER_DATA_READ {
            return Err(UserDataError::TooLong { length: octets.len(), max: MAX_USER_DATA_READ });
        }
        if !has_header {
            return Ok(UserData { header: None, payload: octets.clone() });
        }
        let (header, taken) = Udh::parse(octets)?;
        Ok(UserData { header: Some(header), payload: octets.slice(taken..) })
    }

    /// Header and payload as they go into one short message.
    ///
    /// # Errors
    /// [`UserDataError::TooLong`] above [`MAX_USER_DATA`] octets.
    pub fn encode(&self) -> Result<Bytes, UserDataError> {
        let length = self.header.as_ref().map_or(0, Udh::encoded_len) + self.payload.len();
        if length > MAX_USER_DATA {
            return Err(UserDataError::TooLong { length, max: MAX_USER_DATA });
        }
        let mut out = Vec::with_capacity(length);
        if let Some(header) = &self.header {
            header.encode_into(&mut out);
        }
        out.extend_from_slice(&self.payload);
        Ok(out.into())
    }

    /// Which segment this is; `None` for a message of its own.
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.header.as_ref().and_then(Udh::concatenation)
    }

    /// The application ports, when the header says them.
    pub fn ports(&self) -> Option<Ports> {
        self.header.as_ref().and_then(Udh::ports)
    }
}
