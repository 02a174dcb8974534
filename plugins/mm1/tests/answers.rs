//! Refusals as status values, in the words every version of a phone has for them.

use packetboat_api::road::{FetchError, Refusal, RefusalKind};
use packetboat_mms::Version;
use packetboat_plugin_mm1::answers::{NEWEST, response_status, retrieve_status, version};

const KINDS: [RefusalKind; 11] = [
    RefusalKind::UnknownRecipient,
    RefusalKind::RefusedByRule,
    RefusalKind::RelayDenied,
    RefusalKind::SenderUnknown,
    RefusalKind::BadAddress,
    RefusalKind::TooLarge,
    RefusalKind::TooManyRecipients,
    RefusalKind::Malformed,
    RefusalKind::NotAllowed,
    RefusalKind::Full,
    RefusalKind::TryLater,
];

/// OMA-TS-MMS_ENC 7.3.42: 0xC0 to 0xDF are transient, 0xE0 to 0xFF permanent, since 1.1; 0x81 to 0x88 are 1.0's.
#[test]
fn a_refusal_is_as_lasting_as_its_status() {
    for kind in KINDS {
        let refusal = Refusal::new(kind, "no");
        let octet = response_status(&refusal).octet();
        assert_eq!((0xc0..0xe0).contains(&octet), refusal.is_temporary(), "{kind:?} is 0x{octet:02x}");
        let old = response_status(&refusal).fold(Version::V1_0).octet();
        assert!((0x81..=0x88).contains(&old), "{kind:?} is 0x{old:02x} in 1.0");
    }
    for (error, octet) in [
        (FetchError::Unknown, 0xe2),
        (FetchError::Expired, 0xe2),
        (FetchError::Gone, 0xe2),
        (FetchError::TryLater, 0xc0),
    ] {
        assert_eq!(retrieve_status(&error).octet(), octet, "{error}");
    }
}

#[test]
fn phones_are_answered_in_their_own_version() {
    assert_eq!(version(None), Version::V1_0);
    assert_eq!(version(Some(Version::V1_1)), Version::V1_1);
    assert_eq!(version(Some(Version { major: 1, minor: 9 })), NEWEST);
    assert_eq!(version(Some(Version { major: 7, minor: 0 })), NEWEST);
}
