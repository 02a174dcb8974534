//! Refusals as MM1 status values (OMA-TS-MMS_ENC 7.3.42, 7.3.43), once.

use packetboat_api::road::{FetchError, Refusal, RefusalKind};
use packetboat_mms::Version;
use packetboat_mms::codes::{ResponseStatus, RetrieveStatus};

/// The newest version we speak.
pub const NEWEST: Version = Version::V1_3;

/// The version to answer in: the peer's, as far as we know it.
pub fn version(asked: Option<Version>) -> Version {
    asked.unwrap_or(Version::V1_0).min(NEWEST)
}

/// The Response-Status of a refusal; fold it to the client's version.
pub fn response_status(refusal: &Refusal) -> ResponseStatus {
    match refusal.kind {
        RefusalKind::UnknownRecipient | RefusalKind::BadAddress => ResponseStatus::PermanentSendingAddressUnresolved,
        RefusalKind::SenderUnknown | RefusalKind::RelayDenied => ResponseStatus::PermanentServiceDenied,
        RefusalKind::RefusedByRule | RefusalKind::NotAllowed => ResponseStatus::PermanentServiceDenied,
        RefusalKind::TooLarge => ResponseStatus::PermanentContentNotAccepted,
        RefusalKind::TooManyRecipients => ResponseStatus::PermanentServiceDenied,
        RefusalKind::Malformed => ResponseStatus::PermanentMessageFormatCorrupt,
        RefusalKind::Full | RefusalKind::TryLater => ResponseStatus::TransientFailure,
    }
}

/// The Retrieve-Status of a message that cannot be given out.
pub fn retrieve_status(error: &FetchError) -> RetrieveStatus {
    match error {
        FetchError::Unknown | FetchError::Expired | FetchError::Gone => RetrieveStatus::PermanentMessageNotFound,
        FetchError::TryLater => RetrieveStatus::TransientFailure,
    }
}
