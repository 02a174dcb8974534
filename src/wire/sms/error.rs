//! What can be wrong with user data, with a payload to be sent, and with a segment that arrives.

use thiserror::Error;

/// Why octets are not the user data of a short message. Offsets count from the first octet of the user data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UserDataError {
    /// A header was announced (TP-UDHI set) and there is not one octet.
    #[error("offset 0: a user data header was announced but the user data is empty")]
    HeaderMissing,
    /// The header's length octet says more than there is.
    #[error("offset 0: the user data header claims {declared} octets, {available} follow")]
    HeaderTruncated {
        /// Octets the length octet claims.
        declared: usize,
        /// Octets that follow it.
        available: usize,
    },
    /// An information element does not end inside its header. TS 23.040 9.2.3.24 then wants the whole header ignored.
    #[error("offset {offset}: information element {id:02X} does not end inside the header")]
    ElementTruncated {
        /// Where the element's identifier stands.
        offset: usize,
        /// The element's identifier.
        id: u8,
    },
    /// More octets than one short message can hold.
    #[error("offset {max}: user data of {length} octets, {max} are the maximum")]
    TooLong {
        /// Octets given.
        length: usize,
        /// [`crate::limits::MAX_USER_DATA_READ`] when reading, [`crate::limits::MAX_USER_DATA`] when writing.
        max: usize,
    },
    /// The elements of a header to be written exceed what its length octet can say.
    #[error("a user data header of {length} octets, {max} are the maximum")]
    HeaderTooLong {
        /// Octets all elements take together.
        length: usize,
        /// [`crate::limits::MAX_HEADER`].
        max: usize,
    },
    /// The data of an information element to be written exceed what its length octet can say.
    #[error("information element {id:02X} of {length} octets, {max} are the maximum")]
    ElementTooLong {
        /// The element's identifier.
        id: u8,
        /// Octets given.
        length: usize,
        /// [`crate::limits::MAX_ELEMENT_DATA`].
        max: usize,
    },
}

impl UserDataError {
    /// Where reading stopped; `None` for an error of a value to be written.
    pub fn offset(&self) -> Option<usize> {
        match *self {
            UserDataError::HeaderMissing | UserDataError::HeaderTruncated { .. } => Some(0),
            UserDataError::ElementTruncated { offset, .. } => Some(offset),
            UserDataError::TooLong { max, .. } => Some(max),
            UserDataError::HeaderTooLong { .. } | UserDataError::ElementTooLong { .. } => None,
        }
    }
}

/// Why a payload cannot be carried by short messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a payload of {length} octets does not fit {max} short messages")]
pub struct SegmentError {
    /// Octets of the payload.
    pub length: usize,
    /// [`crate::limits::MAX_SEGMENTS`].
    pub max: usize,
}

/// Why a segment was refused. The sets that were open stay as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReassembleError {
    /// A set with the same originator, reference and ports is open and has another total.
    #[error("segment {sequence} says {claimed} segments in all, the set already open says {open}")]
    ConflictingTotal {
        /// The segment's own number, from 1.
        sequence: u8,
        /// The total it claims.
        claimed: u8,
        /// The total of the open set.
        open: u8,
    },
    /// This segment arrived before with other octets.
    #[error("segment {sequence} of {total} arrived before with other content")]
    ConflictingContent {
        /// The segment's own number, from 1.
        sequence: u8,
        /// The set's total.
        total: u8,
    },
    /// As many sets are open as may be (I-8). The sender should be told to try later.
    #[error("{max} messages are already waiting for their missing segments")]
    TooManyOpen {
        /// The maximum given to the reassembler.
        max: usize,
    },
    /// The segment carries more octets than a short message can.
    #[error("a segment of {length} octets, {max} are the maximum")]
    TooLong {
        /// Octets of the segment's payload.
        length: usize,
        /// [`crate::limits::MAX_USER_DATA_READ`].
        max: usize,
    },
}
