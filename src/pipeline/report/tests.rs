//! Who is told what: every wish against every end.

use packetboat_api::message::{Notify, ReportedStatus};
use packetboat_api::party::Party;

use super::{status, wanted};
use packetboat_api::delivery::End;

const ENDS: [End; 5] = [End::Delivered, End::HandedOver, End::Rejected, End::Expired, End::Failed];

#[test]
fn who_is_told_what() {
    let mailbox = Party::parse("ann@example.net").expect("a mailbox");
    let phone = Party::parse("+447700900123").expect("a phone");
    let notify = |success, failure, delay, never| Notify { success, failure, delay, never };
    for (what, sender, wish, success, failure) in [
        ("a mailbox that said nothing hears of failure", &mailbox, notify(false, false, false, false), false, true),
        ("a phone that said nothing hears nothing", &phone, notify(false, false, false, false), false, false),
        ("success only", &mailbox, notify(true, false, false, false), true, false),
        ("failure only", &mailbox, notify(false, true, false, false), false, true),
        ("both", &phone, notify(true, true, false, false), true, true),
        ("delay only", &mailbox, notify(false, false, true, false), false, false),
        ("never", &mailbox, notify(false, false, false, true), false, false),
        ("never, whatever else", &phone, notify(true, true, true, true), false, false),
    ] {
        for end in ENDS {
            let owed = if matches!(end, End::Delivered | End::HandedOver) { success } else { failure };
            assert_eq!(wanted(wish, sender, status(end)), owed, "{what}: {end:?}");
        }
    }
}

#[test]
fn every_end_has_a_word_for_the_sender() {
    let words = ENDS.map(status);
    let expected = [
        ReportedStatus::Retrieved,
        ReportedStatus::Forwarded,
        ReportedStatus::Rejected,
        ReportedStatus::Expired,
        ReportedStatus::Unreachable,
    ];
    assert_eq!(words, expected);
}
