//! A submission in the one form of the road: times, priorities, what must not travel, limits.

use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::id::MessageId;
use packetboat_api::message::{Class, Envelope, Identity, Kind, Notify, Priority, ReadReport, Recipient};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{RefusalKind, Submission};
use packetboat_api::units::ByteSize;
use packetboat_pipeline::normalise::{Arrival, Draft, normalise};
use packetboat_pipeline::{LimitSettings, Policy};

/// 2026-05-28T20:26:40Z.
const NOW: Timestamp = Timestamp(1_780_000_000_000);

fn party(text: &str) -> Party {
    Party::parse(text).expect("a party")
}

fn submission(headers: &[(&str, &str)]) -> Submission {
    let headers = Headers(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    let part = |text: &'static str| Entity::leaf(MediaType::new("text/plain"), Bytes::from_static(text.as_bytes()));
    let root = Entity::multipart(
        MediaType::new("multipart/mixed"),
        vec![part("hello"), Entity::multipart(MediaType::new("multipart/related"), vec![part(""), part("there")])],
    );
    Submission {
        kind: Kind::Personal,
        identity: Identity::User("ann".to_owned()),
        envelope: Envelope {
            from: Some(party("ann@example.net")),
            recipients: vec![Recipient::plain(party("+447700900123"))],
            ..Envelope::default()
        },
        mail: Mail { headers, root },
        dedupe: None,
    }
}

fn made(submission: Submission, policy: &Policy) -> Result<Draft, RefusalKind> {
    let at = Arrival { listener: "mail", node: "mmsc.test", id: MessageId(32), now: NOW };
    normalise(submission, at, policy).map_err(|refusal| {
        assert!(!refusal.text.is_empty());
        refusal.kind
    })
}

fn with(headers: &[(&str, &str)]) -> Draft {
    made(submission(headers), &Policy::default()).expect("taken")
}

fn after(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

#[test]
fn bodies_are_spans_of_one_content_in_document_order() {
    let draft = with(&[]);
    let message = &draft.message;
    let spans: Vec<(u64, u64)> =
        message.mail.root.leaves().iter().filter_map(|leaf| leaf.content()).map(|s| (s.start, s.length)).collect();
    assert_eq!(spans, [(0, 5), (5, 0), (5, 5)]);
    assert_eq!((message.size(), draft.content.concat()), (10, b"hellothere".to_vec()));
    assert_eq!((message.received, message.listener.as_str(), message.id), (NOW, "mail", MessageId(32)));
}

#[test]
fn expiry_is_what_was_asked_for_within_bounds() {
    let day = 86_400;
    for (value, expires) in [
        (None, 3 * day),
        (Some("3600"), 3600),
        (Some(" 60 "), 60),
        (Some("4294967295"), 14 * day),
        (Some("Thu, 28 May 2026 21:26:40 +0000"), 3600),
        (Some("Thu, 28 May 2026 22:26:40 +0100"), 3600),
        (Some("Mon, 28 May 2091 21:26:40 +0000"), 14 * day),
        // What is past, or cannot be read, is as if nothing had been said.
        (Some("0"), 3 * day),
        (Some("Wed, 27 May 2026 21:26:40 +0000"), 3 * day),
        (Some("99999999999999999999"), 3 * day),
        (Some("-5"), 3 * day),
        (Some("soon"), 3 * day),
        (Some(""), 3 * day),
    ] {
        let headers: Vec<(&str, &str)> = value.map(|value| ("x-mms-expiry", value)).into_iter().collect();
        assert_eq!(with(&headers).message.traits.expires, after(expires), "{value:?}");
    }
}

#[test]
fn delivery_time_is_in_the_future_or_nothing() {
    for (value, expected) in [
        ("600", Some(after(600))),
        ("Thu, 28 May 2026 21:26:40 +0000", Some(after(3600))),
        ("0", None),
        ("Wed, 27 May 2026 21:26:40 +0000", None),
        ("tomorrow", None),
    ] {
        assert_eq!(with(&[("X-Mms-Delivery-Time", value)]).message.traits.deliver_after, expected, "{value}");
    }
}

#[test]
fn class_and_priority_are_read_from_every_field_that_says_so() {
    for (headers, priority) in [
        (&[][..], Priority::Normal),
        (&[("X-Mms-Priority", "High")], Priority::High),
        (&[("Importance", "low")], Priority::Low),
        (&[("X-Priority", "1 (Highest)")], Priority::High),
        (&[("X-Priority", "2")], Priority::High),
        (&[("X-Priority", "3")], Priority::Normal),
        (&[("X-Priority", "5 (Lowest)")], Priority::Low),
        (&[("X-Priority", "1"), ("Importance", "low"), ("X-Mms-Priority", "Normal")], Priority::Normal),
        (&[("Importance", "")], Priority::Normal),
        (&[("X-Mms-Priority", "urgent!")], Priority::Normal),
    ] {
        assert_eq!(with(headers).message.traits.priority, priority, "{headers:?}");
    }
    for (value, class) in [
        ("Personal", Class::Personal),
        ("ADVERTISEMENT", Class::Advertisement),
        (" informational", Class::Informational),
        ("Auto", Class::Auto),
        ("whatever", Class::Personal),
    ] {
        assert_eq!(with(&[("X-Mms-Message-Class", value)]).message.traits.class, class, "{value}");
    }
    let mut from_nobody = submission(&[]);
    from_nobody.envelope.from = None;
    assert_eq!(made(from_nobody, &Policy::default()).map(|draft| draft.message.traits.class), Ok(Class::Auto));
}

#[test]
fn message_ids_are_kept_when_every_protocol_can_carry_them() {
    let ours = "0000000000010@mmsc.test";
    let long = format!("<{}@x>", "a".repeat(300));
    for (value, expected) in [
        ("<abc@example.net>", "abc@example.net"),
        (" abc@example.net ", "abc@example.net"),
        ("<no-domain>", "no-domain"),
        ("<>", ours),
        ("<a b@example.net>", ours),
        ("<é@example.net>", ours),
        ("<a@b> <c@d>", ours),
        (long.as_str(), ours),
    ] {
        let message = with(&[("Message-ID", value)]).message;
        assert_eq!(message.wire_id(), expected, "{value}");
        assert_eq!(message.mail.headers.first("Message-ID"), Some(format!("<{expected}>").as_str()));
        assert_eq!(message.mail.headers.all("Message-ID").count(), 1);
    }
    assert_eq!(with(&[]).message.wire_id(), ours);
}

#[test]
fn what_must_not_travel_is_removed_and_what_must_be_there_is_added() {
    let headers = [
        ("Bcc", "secret@example.net"),
        ("bcc", "another@example.net"),
        ("Return-Path", "<x@example.net>"),
        ("From", "Somebody <else@example.net>"),
        ("Subject", "  "),
    ];
    let message = with(&headers).message;
    let fields = &message.mail.headers;
    assert_eq!((fields.first("Bcc"), fields.first("Return-Path")), (None, None));
    assert_eq!(fields.first("Date"), Some("Thu, 28 May 2026 20:26:40 +0000"));
    assert_eq!(message.traits.subject, None, "a subject of nothing is none (case C-08)");
    assert_eq!(fields.first("From"), Some("Somebody <else@example.net>"));
    // The network's word about who a phone is counts, not the phone's (I-7).
    let mut from_phone = submission(&headers);
    from_phone.identity = Identity::Subscriber(Msisdn::new("447700900124").expect("a number"));
    let message = made(from_phone, &Policy::default()).expect("taken").message;
    assert_eq!(message.mail.headers.first("From"), Some("+447700900124/TYPE=PLMN"));
}

#[test]
fn reports_are_wanted_when_they_are_asked_for() {
    let plain = with(&[]).message;
    assert_eq!((plain.envelope.recipients[0].notify, plain.traits.read_report), (Notify::default(), false));
    let asked = with(&[("X-Mms-Delivery-Report", "yes"), ("X-Mms-Read-Reply", "Yes")]).message;
    let both = Notify { success: true, failure: true, ..Notify::default() };
    assert_eq!((asked.envelope.recipients[0].notify, asked.traits.read_report), (both, true));
    assert!(with(&[("Disposition-Notification-To", "ann@example.net")]).message.traits.read_report);
    assert!(!with(&[("X-Mms-Read-Reply", "No")]).message.traits.read_report);
    let mut never = submission(&[("X-Mms-Delivery-Report", "Yes")]);
    never.envelope.recipients[0].notify.never = true;
    let never = made(never, &Policy::default()).expect("taken").message;
    assert_eq!(never.envelope.recipients[0].notify, Notify { never: true, ..Notify::default() });
}

#[test]
fn over_a_limit_is_refused_with_the_reason() {
    let limits = |limits: LimitSettings| Policy { limits, ..Policy::default() };
    let size = |octets| limits(LimitSettings { message_size: ByteSize(octets), ..LimitSettings::default() });
    assert!(made(submission(&[]), &size(10)).is_ok());
    assert_eq!(made(submission(&[]), &size(9)).err(), Some(RefusalKind::TooLarge));
    let few = limits(LimitSettings { recipients: 1, ..LimitSettings::default() });
    let mut two = submission(&[]);
    two.envelope.recipients.push(Recipient::plain(party("+447700900124")));
    assert!(made(submission(&[]), &few).is_ok());
    assert_eq!(made(two, &few).err(), Some(RefusalKind::TooManyRecipients));
    let hops = |count: usize| {
        let received = ("Received", "from x by y; Thu, 28 May 2026 20:26:40 +0000");
        made(submission(&vec![received; count]), &limits(LimitSettings { hops: 5, ..LimitSettings::default() }))
    };
    assert!(hops(5).is_ok());
    assert_eq!(hops(6).err(), Some(RefusalKind::NotAllowed), "it goes in a circle");
}

/// RFC 4356 2.1.3.2.
#[test]
fn what_is_personal_or_private_is_not_sent_on() {
    for (value, taken) in [("Personal", false), ("private", false), ("Company-Confidential", true), ("", true)] {
        let result = made(submission(&[("Sensitivity", value)]), &Policy::default());
        assert_eq!(result.err(), (!taken).then_some(RefusalKind::NotAllowed), "{value}");
    }
    let mut report = submission(&[("Sensitivity", "Personal")]);
    let (about, recipient) = ("a@b".to_owned(), party("+447700900123"));
    report.kind = Kind::ReadReport(ReadReport { about, recipient, read: true, at: NOW });
    assert!(made(report, &Policy::default()).is_ok(), "a report is about something else");
}
