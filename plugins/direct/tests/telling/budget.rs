//! A notification fits one short message: the subject is left out first, then the sender (case A-10).

use bytes::Bytes;
use packetboat_api::message::{Class, Notify, Priority};
use packetboat_api::roles::Job;
use packetboat_mms::FromValue;
use packetboat_mms::codes::{MessageClass, Priority as MmsPriority};
use packetboat_plugin_direct::notification::{Shown, default_size, notification};
use packetboat_push::fits_one_sms;

use crate::support::{NOW, TOKEN, URL, direct, good_radio, job, party, pdu};

const ALL: Shown = Shown { sender: true, subject: true };

fn told(job: &Job, door: &str, shown: Shown) -> Bytes {
    notification(&job.message, &job.delivery, &format!("{door}/{TOKEN}"), shown, NOW)
}

/// The sender and the subject a push names.
fn names(push: &Bytes) -> (bool, Option<String>) {
    let pdu = pdu(push);
    (matches!(pdu.from(), Some(FromValue::Address(_))), pdu.subject().map(str::to_owned))
}

#[test]
fn the_subject_goes_first_then_the_sender() {
    let short = job("+447700900124", Some("Hi"));
    let push = told(&short, URL, ALL);
    assert!(fits_one_sms(push.len()));
    assert_eq!(names(&push), (true, Some("Hi".to_owned())));

    let wordy = job("+447700900124", Some("A subject that is far too long for one short message"));
    let push = told(&wordy, URL, ALL);
    assert!(fits_one_sms(push.len()), "{} octets", push.len());
    assert_eq!(names(&push), (true, None), "the subject is left out");

    let address = format!("{}@a-rather-long-domain-name.example.net", "somebody.with.a.long.name".repeat(2));
    let long_sender = job(&address, Some("Hi"));
    let push = told(&long_sender, URL, ALL);
    assert!(fits_one_sms(push.len()), "{} octets", push.len());
    assert_eq!(names(&push), (false, None), "then the sender, which the message itself names");

    // When nothing helps, nothing is hidden; a long subject is cut all the same.
    let door = format!("http://{}.example.net:8002", "x".repeat(80));
    let push = told(&wordy, &door, ALL);
    assert!(!fits_one_sms(push.len()));
    assert_eq!(names(&push), (true, Some("A subject that is far too long for one s".to_owned())));
    let accents = job("+447700900124", Some(&"é".repeat(60)));
    assert_eq!(names(&told(&accents, &door, ALL)).1.map(|subject| subject.chars().count()), Some(40));
}

#[test]
fn what_is_not_to_be_shown_is_not() {
    let plain = job("+447700900124", Some("Hi"));
    assert_eq!(names(&told(&plain, URL, Shown { sender: false, subject: true })), (false, Some("Hi".to_owned())));
    assert_eq!(names(&told(&plain, URL, Shown { sender: true, subject: false })), (true, None));
    let mut hidden = job("+447700900124", None);
    std::sync::Arc::make_mut(&mut hidden.message).traits.hide_sender = true;
    assert_eq!(names(&told(&hidden, URL, ALL)), (false, None), "the sender does not want it");
    assert_eq!(names(&told(&job("+447700900124", None), URL, ALL)).1, None, "no subject is made up (case C-08)");
}

#[test]
fn the_fields_say_what_the_message_is() {
    let mut it = job("ann@example.net", None);
    let message = std::sync::Arc::make_mut(&mut it.message);
    message.traits.class = Class::Advertisement;
    message.traits.priority = Priority::High;
    message.envelope.recipients[0].notify = Notify { success: true, ..Notify::default() };
    let pdu = pdu(&told(&it, URL, ALL));
    assert_eq!(pdu.transaction_id(), Some(&TOKEN[..12]));
    assert_eq!(pdu.content_location(), Some(format!("{URL}/{TOKEN}").as_str()));
    assert_eq!((pdu.message_class(), pdu.priority()), (Some(MessageClass::Advertisement), Some(MmsPriority::High)));
    assert_eq!((pdu.delivery_report(), pdu.message_size().is_some_and(|size| size >= 30_000)), (Some(true), true));
    assert!(pdu.from().is_some_and(|from| *from == FromValue::Address("ann@example.net".to_owned())));
    let mut late = job("ann@example.net", None);
    late.delivery.expires = NOW;
    assert!(crate::support::pdu(&told(&late, URL, ALL)).expiry().is_some(), "what has run out has one second left");
    assert_eq!(party("ann@example.net").to_mms(), "ann@example.net");
}

#[test]
fn check_warns_when_the_address_makes_it_two() {
    let doubts = |url: Option<&str>| direct(url, &good_radio(), "").unwrap().check();
    assert_eq!(doubts(Some(URL)), [""; 0]);
    assert_eq!(doubts(None), [""; 0], "where it will listen is not known yet");
    let longest =
        (1..80).map(|n| format!("http://{}", "x".repeat(n))).take_while(|url| doubts(Some(url)).is_empty()).last();
    let longest = longest.expect("a short address is no reason to warn");
    assert!(longest.len() > 30 && fits_one_sms(default_size(&longest)), "{longest}");
    let warning = doubts(Some(&format!("{longest}x"))).pop().expect("a warning");
    assert!(warning.contains("two short messages instead of one") && warning.contains(&longest), "{warning}");
}
