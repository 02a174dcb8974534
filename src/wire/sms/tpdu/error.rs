//! What can be wrong with a TPDU. Offsets count from its first octet.

use thiserror::Error;

use crate::error::UserDataError;

/// Why octets are not the TPDU they were taken for, or a value cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TpduError {
    /// It ends inside an element.
    #[error("offset {offset}: the TPDU ends inside {element}: {wanted} octets wanted, {available} are there")]
    Truncated {
        /// Where the element begins.
        offset: usize,
        /// The element, as the specification names it.
        element: &'static str,
        /// Octets it should have.
        wanted: usize,
        /// Octets there are.
        available: usize,
    },
    /// TP-MTI names another TPDU.
    #[error("offset 0: message type {found}, {wanted} is {expected}")]
    Type {
        /// TP-MTI as it stands.
        found: u8,
        /// The TPDU it was taken for.
        wanted: &'static str,
        /// TP-MTI of that.
        expected: u8,
    },
    /// More octets than any TPDU has.
    #[error("offset {max}: a TPDU of {length} octets, {max} are the maximum")]
    TooLong {
        /// Octets given.
        length: usize,
        /// [`crate::limits::MAX_TPDU`].
        max: usize,
    },
    /// An address of more semi-octets than one may have.
    #[error("offset {offset}: an address of {length} semi-octets, {max} are the maximum")]
    AddressTooLong {
        /// Where its length stands.
        offset: usize,
        /// Semi-octets it claims.
        length: usize,
        /// [`crate::limits::MAX_ADDRESS`].
        max: usize,
    },
    /// An address to be written that takes more semi-octets than one may have.
    #[error("an address of {length} semi-octets, {max} are the maximum")]
    AddressUnwritable {
        /// Semi-octets it takes.
        length: usize,
        /// [`crate::limits::MAX_ADDRESS`].
        max: usize,
    },
    /// A character that no address can have.
    #[error("'{character}' cannot stand in an address")]
    AddressCharacter {
        /// The character.
        character: char,
    },
    /// The user data header takes more septets than TP-UDL says there are.
    #[error("offset {offset}: a user data header of {header} septets in user data of {length}")]
    HeaderOverLength {
        /// Where TP-UDL stands.
        offset: usize,
        /// Septets of the header, fill bits included.
        header: usize,
        /// TP-UDL.
        length: usize,
    },
    /// The user data cannot be written.
    #[error("user data: {0}")]
    Unwritable(UserDataError),
    /// The user data cannot be read.
    #[error("user data at offset {offset}: {error}")]
    UserData {
        /// Where TP-UD begins.
        offset: usize,
        /// What is wrong; its offset counts from the first octet of the user data.
        error: UserDataError,
    },
}

impl TpduError {
    /// Where reading stopped; `None` for an error of a value to be written.
    pub fn offset(&self) -> Option<usize> {
        match *self {
            TpduError::Truncated { offset, .. }
            | TpduError::HeaderOverLength { offset, .. }
            | TpduError::AddressTooLong { offset, .. } => Some(offset),
            TpduError::Type { .. } => Some(0),
            TpduError::TooLong { max, .. } => Some(max),
            TpduError::UserData { offset, error } => error.offset().map(|inside| offset + inside),
            TpduError::AddressCharacter { .. } | TpduError::AddressUnwritable { .. } | TpduError::Unwritable(_) => None,
        }
    }
}
