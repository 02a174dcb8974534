//! Refusals as SMTP replies (RFC 5321 4.2.3, RFC 3463), once.

use packetboat_api::road::{Refusal, RefusalKind};
use packetboat_smtp::{EnhancedCode, Reply};

/// The reply that tells a client of this refusal.
pub fn reply(refusal: &Refusal) -> Reply {
    let (code, class, subject, detail) = match refusal.kind {
        RefusalKind::UnknownRecipient => (550, 5, 1, 1),
        RefusalKind::RefusedByRule => (550, 5, 7, 1),
        RefusalKind::RelayDenied => (550, 5, 7, 1),
        RefusalKind::SenderUnknown => (530, 5, 7, 0),
        RefusalKind::BadAddress => (553, 5, 1, 3),
        RefusalKind::TooLarge => (552, 5, 3, 4),
        RefusalKind::TooManyRecipients => (452, 4, 5, 3),
        RefusalKind::Malformed => (554, 5, 6, 0),
        RefusalKind::NotAllowed => (554, 5, 7, 1),
        RefusalKind::Full => (452, 4, 3, 1),
        RefusalKind::TryLater => (451, 4, 3, 0),
    };
    Reply::new(code, Some(EnhancedCode::new(class, subject, detail)), refusal.text.clone())
}
