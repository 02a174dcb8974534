//! What can be wrong with WSP input, and where.

use thiserror::Error;

/// Input that cannot be read: what, and at which octet of the whole input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("octet {offset} (0x{offset:x}): {kind}")]
pub struct WspError {
    /// Offset of the offending octet, counted from the start of the input the [`Reader`](crate::Reader) was made of.
    pub offset: usize,
    /// What is wrong there.
    pub kind: WspErrorKind,
}

/// The kinds of [`WspError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WspErrorKind {
    /// The input stops before the value does.
    #[error("{needed} octets needed, {left} left")]
    End {
        /// Octets the value still needs.
        needed: usize,
        /// Octets there are.
        left: usize,
    },
    /// A length says more than there is.
    #[error("{what} is {length} octets long, {left} left")]
    Overrun {
        /// What the length belongs to.
        what: &'static str,
        /// The length it claims.
        length: usize,
        /// Octets there are.
        left: usize,
    },
    /// A text without its closing NUL.
    #[error("text without its end (NUL)")]
    Unterminated,
    /// A uintvar of more than 32 bits (WAP-230-WSP 8.1.2).
    #[error("uintvar of more than 32 bits")]
    UintvarTooLong,
    /// A Long-integer of more than 64 bits.
    #[error("integer of more than 64 bits")]
    IntegerTooLong,
    /// An octet that cannot start what is due.
    #[error("0x{found:02x} cannot start {expected}")]
    Unexpected {
        /// What was due.
        expected: &'static str,
        /// The octet there.
        found: u8,
    },
    /// More of something than its limit allows.
    #[error("{count} {what}, at most {limit} are read")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
}
