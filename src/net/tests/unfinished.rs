//! A push that was begun is known again when it comes again, within bounds.

use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::party::Msisdn;
use packetboat_api::roles::{BearerError, Sms, SmsBody};
use packetboat_net::bearer::{Begun, MAX_UNFINISHED, PushKey, RESUME, Unfinished, may_have_arrived};
use packetboat_net::http::{ErrorKind, HttpError};
use packetboat_sms::Reference;

const NOW: Timestamp = Timestamp(1_760_000_000_000);

fn sms(body: SmsBody) -> Sms {
    let (to, delivery) = (Msisdn::new("+358401234567").unwrap(), DeliveryId { message: MessageId(7), index: 0 });
    Sms::plain(to, delivery, body, NOW.after(Duration::from_secs(3600)))
}

fn text(words: &str) -> PushKey {
    PushKey::of(&sms(SmsBody::Text(words.into())))
}

#[test]
fn a_repetition_is_known_by_what_it_says_again() {
    let push = |octets: &[u8]| sms(SmsBody::Push(octets.to_vec().into()));
    let first = push(&[1, 6, 2, 0xBE, 0xAF, b'a', b'1']);
    let known = |other: &Sms| PushKey::of(other) == PushKey::of(&first);
    assert!(known(&push(&[1, 6, 2, 0xBE, 0xAF, b'a', b'9'])), "another expiry");
    assert!(!known(&push(&[2, 6, 2, 0xBE, 0xAF, b'a', b'1'])), "another transaction");
    assert!(!known(&push(&[1, 6, 2, 0xBE, 0xAE, b'a', b'1'])), "other headers");
    assert!(!known(&push(&[1, 6, 2, 0xBE, 0xAF, b'a'])), "another length");
    assert!(!known(&Sms { step: 1, ..first.clone() }), "tickets name the step");
    assert!(!known(&Sms { from: Some("100".into()), ..first.clone() }));
    assert!(!known(&Sms { to: Msisdn::new("+358401234568").unwrap(), ..first.clone() }));
    let delivery = DeliveryId { message: MessageId(7), index: 1 };
    assert!(!known(&Sms { delivery, ..first.clone() }));
    // Headers that would be longer than all of it.
    assert_ne!(PushKey::of(&push(&[1, 6, 0xFF, 0xFF, 0xFF, 1])), PushKey::of(&push(&[1, 6, 0xFF, 0xFF, 0xFF, 2])));
    let data = |destination, octets: &[u8]| {
        PushKey::of(&sms(SmsBody::Data { destination, originator: 0, octets: octets.to_vec().into() }))
    };
    assert_eq!(data(1, b"x"), data(1, b"x"));
    assert!(data(1, b"x") != data(2, b"x") && data(1, b"x") != data(1, b"y"));
    assert_ne!(text("one"), text("two"));
}

#[test]
fn what_is_not_done_is_kept_for_a_while() {
    let unfinished = Unfinished::default();
    let (one, other) = (text("one"), text("other"));
    unfinished.keep(&one, NOW, 1);
    unfinished.keep(&one, NOW, 2);
    assert_eq!(unfinished.take(&other, NOW), None);
    assert_eq!(unfinished.take(&one, NOW), Some(2));
    assert_eq!(unfinished.take(&one, NOW), None);
    unfinished.keep(&one, NOW, 1);
    assert_eq!(unfinished.take(&one, NOW.after(RESUME)), None, "the phone has forgotten");
    unfinished.keep(&one, NOW, 1);
    unfinished.forget(&one);
    assert_eq!(unfinished.take(&one, NOW), None);
    unfinished.keep(&one, NOW, 1);
    for number in 0..MAX_UNFINISHED {
        unfinished.keep(&text(&number.to_string()), NOW, 1);
    }
    assert_eq!(unfinished.take(&one, NOW), None, "the oldest is forgotten");
}

#[test]
fn only_what_was_taken_or_is_in_doubt_is_gone_on_with() {
    let unfinished = Unfinished::default();
    let key = text("one");
    let begun = Begun::new(&sms(SmsBody::Text("one".into())), Reference::Eight(7), "abc".into());
    let later = BearerError::Retry { after: None, why: "busy".into() };
    let never = BearerError::Permanent { why: "no".into() };
    let left = |begun: &Begun, error: &BearerError, arrived| {
        unfinished.launch(&key, NOW, begun);
        unfinished.put_back(&key, NOW, begun.clone(), error, arrived);
        unfinished.take(&key, NOW)
    };
    assert_eq!(left(&begun, &later, false), None);
    let doubtful = Begun { doubtful: true, ..begun.clone() };
    assert_eq!(left(&begun, &later, true), Some(doubtful.clone()));
    assert_eq!(left(&doubtful, &later, false), Some(doubtful.clone()), "nothing was learnt of the earlier copy");
    let half = Begun { taken: vec!["ok".into()], ..begun.clone() };
    assert_eq!(left(&half, &later, false), Some(half.clone()));
    assert_eq!(left(&half, &never, false), None);
    // Nobody waited for the answer.
    unfinished.launch(&key, NOW, &begun);
    assert_eq!(unfinished.take(&key, NOW), Some(doubtful));
}

#[test]
fn what_has_no_answer_may_have_arrived() {
    let failed = |kind| may_have_arrived(&Err(HttpError { kind, detail: String::new() }));
    assert!(failed(ErrorKind::Timeout) && failed(ErrorKind::Broken) && !failed(ErrorKind::Connect));
}
