//! Status codes (WAP-247-PAP 9.14): what they say, and whether trying again may help.

use std::fmt;

/// A status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

/// What a code means for a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It was done, or will be.
    Success,
    /// It will never be done: the submission would have to be another one.
    Permanent,
    /// It was not done now; the same submission may do better later.
    Temporary,
}

/// The assigned codes. A code of none of these is what its thousand is.
const CODES: [(u32, Class, &str); 36] = [
    (1000, Class::Success, "OK"),
    (1001, Class::Success, "accepted for processing"),
    (2000, Class::Permanent, "bad request"),
    (2001, Class::Permanent, "forbidden"),
    (2002, Class::Permanent, "address error"),
    (2003, Class::Permanent, "address not found"),
    (2004, Class::Permanent, "push id not found"),
    (2005, Class::Permanent, "capabilities mismatch"),
    (2006, Class::Permanent, "required capabilities not supported"),
    (2007, Class::Permanent, "duplicate push id"),
    (2008, Class::Permanent, "cancellation not possible"),
    (3000, Class::Temporary, "internal server error"),
    (3001, Class::Permanent, "not implemented"),
    (3002, Class::Permanent, "version not supported"),
    (3003, Class::Permanent, "not possible"),
    (3004, Class::Permanent, "capability matching not supported"),
    (3005, Class::Permanent, "multiple addresses not supported"),
    (3006, Class::Permanent, "transformation failure"),
    (3007, Class::Permanent, "delivery method not possible"),
    (3008, Class::Permanent, "capabilities not available"),
    (3009, Class::Temporary, "required network not available"),
    (3010, Class::Temporary, "required bearer not available"),
    (3011, Class::Permanent, "replacement not supported"),
    (4000, Class::Temporary, "service failure"),
    (4001, Class::Temporary, "service unavailable"),
    (5000, Class::Permanent, "aborted by the phone"),
    // The reasons of WAP-230-WSP table 36, from PROTOERR (E0) on, counted from 5016.
    (5017, Class::Temporary, "aborted by the phone: disconnected"),
    (5018, Class::Temporary, "aborted by the phone: suspended"),
    (5020, Class::Temporary, "aborted by the phone: congestion"),
    (5022, Class::Permanent, "aborted by the phone: too large"),
    (5025, Class::Temporary, "aborted by the phone: network error"),
    (5026, Class::Permanent, "aborted by the phone: on request"),
    (5027, Class::Permanent, "aborted by the phone: refused, no reason given"),
    (5028, Class::Temporary, "aborted by the phone: cannot be delivered now"),
    (5029, Class::Permanent, "aborted by the phone: discarded"),
    (5030, Class::Permanent, "aborted by the phone: content type unknown to it"),
];

impl Code {
    /// It was done.
    pub const OK: Code = Code(1000);
    /// It will be done.
    pub const ACCEPTED: Code = Code(1001);
    /// The document says nothing that can be understood.
    pub const BAD_REQUEST: Code = Code(2000);
    /// There is no such submission.
    pub const PUSH_ID_NOT_FOUND: Code = Code(2004);

    fn row(self) -> Option<&'static (u32, Class, &'static str)> {
        CODES.iter().find(|row| row.0 == self.0)
    }

    /// Whether it was done, and whether trying again may help.
    pub fn class(self) -> Class {
        match (self.row(), self.0) {
            (Some(row), _) => row.1,
            (None, 1000..=1999) => Class::Success,
            (None, 4000..=4999) => Class::Temporary,
            (None, _) => Class::Permanent,
        }
    }

    /// What an assigned code says.
    pub fn meaning(self) -> Option<&'static str> {
        self.row().map(|row| row.2)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
