//! Status values between versions: what an older or newer peer can understand, and what reserved octets stand for.

use crate::codes::{ResponseStatus, RetrieveStatus, Status, StoreStatus};
use crate::value::Version;

/// First octets of the transient and permanent ranges.
const TRANSIENT: u8 = 0xC0;
const PERMANENT: u8 = 0xE0;

/// The octet that stands for a reserved one (OMA-TS-MMS_ENC 7.3.42): its range's general failure; octets outside all
/// ranges are permanent failures.
fn reserved(octet: u8) -> u8 {
    match octet {
        TRANSIENT..PERMANENT => TRANSIENT,
        _ => PERMANENT,
    }
}

macro_rules! known {
    ($($status:ident)*) => {$(
        impl $status {
            /// The value itself, or what a receiver must take an unknown octet for.
            pub fn known(self) -> Self {
                match self {
                    $status::Other(octet) => $status::from_octet(reserved(octet)),
                    known => known,
                }
            }

            /// Whether the peer may try again later.
            pub fn is_transient(self) -> bool {
                (TRANSIENT..PERMANENT).contains(&self.known().octet())
            }
        }
    )*};
}

known! { ResponseStatus RetrieveStatus StoreStatus }

impl ResponseStatus {
    /// The nearest value that a client of `version` knows: 0x80–0x88 for 1.0, the newer ones since.
    ///
    /// Partial success is success to those who have no word for it: an error would make them send everything again.
    pub fn fold(self, version: Version) -> Self {
        use ResponseStatus as S;
        let status = self.known();
        if version < Version::V1_1 {
            return match status {
                S::Ok | S::TransientPartialSuccess => S::Ok,
                S::PermanentServiceDenied | S::PermanentLackOfPrepaid => S::ServiceDenied,
                S::PermanentMessageFormatCorrupt => S::MessageFormatCorrupt,
                S::PermanentSendingAddressUnresolved | S::TransientSendingAddressUnresolved => {
                    S::SendingAddressUnresolved
                }
                S::PermanentMessageNotFound | S::TransientMessageNotFound => S::MessageNotFound,
                S::TransientFailure | S::TransientNetworkProblem => S::NetworkProblem,
                S::PermanentContentNotAccepted => S::ContentNotAccepted,
                old if old.octet() < TRANSIENT => old,
                _ => S::Unspecified,
            };
        }
        match status {
            S::Unspecified => S::PermanentFailure,
            S::ServiceDenied => S::PermanentServiceDenied,
            S::MessageFormatCorrupt | S::UnsupportedMessage => S::PermanentMessageFormatCorrupt,
            S::SendingAddressUnresolved => S::PermanentSendingAddressUnresolved,
            S::MessageNotFound => S::PermanentMessageNotFound,
            S::NetworkProblem => S::TransientNetworkProblem,
            S::ContentNotAccepted => S::PermanentContentNotAccepted,
            S::TransientPartialSuccess if version < Version::V1_2 => S::Ok,
            S::PermanentAddressHidingNotSupported if version < Version::V1_2 => S::PermanentFailure,
            S::PermanentLackOfPrepaid if version < Version::V1_3 => S::PermanentServiceDenied,
            known => known,
        }
    }
}

impl Status {
    /// The nearest value that a client of `version` knows; `None` where any value would claim what is not known, so
    /// that nothing should be said (I-3).
    pub fn fold(self, version: Version) -> Option<Self> {
        match self {
            Status::Unreachable if version < Version::V1_2 => Some(Status::Expired),
            Status::Indeterminate | Status::Forwarded if version < Version::V1_1 => None,
            Status::Other(_) => None,
            known => Some(known),
        }
    }
}
