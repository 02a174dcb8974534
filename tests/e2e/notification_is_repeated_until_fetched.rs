//! A phone that does not fetch is told again, by the same transaction id, until it does; then it is left alone.
//!
//! Any one sign that the phone has or knows of the message ends the repetition. Cases A-15, E-01, E-09, H-04.

use crate::node::{BOB, CAROL, DAVE, Node, delivery, handset, mail_to, notified, post, wait_for_state, wait_for_step};
use packetboat_harness::mms::{self, status};
use packetboat_harness::wait::never_within;
use packetboat_harness::{Daemon, Scene, SmsTap, wait_until};
use std::time::Duration;

/// What a phone does about a notification.
type Answer = fn(&Daemon, &mms::Pdu, &str);

#[test]
fn notification_is_repeated_until_fetched() {
    let scene = Scene::new("notification_is_repeated_until_fetched");
    let tap = SmsTap::start();
    let again = ["\"400ms\""; 60].join(", ");
    let node = Node::new(&scene, &tap).set("transport.direct", "again", &format!("[{again}]"));
    let daemon = node.set("queue", "acknowledge_grace", "\"500ms\"").start();

    let answers: [(&str, Answer, &str, &str); 3] = [
        (BOB, retrieve, "retrieved", "delivered"),
        (CAROL, fetch_without_a_word, "fetched", "delivered"),
        (DAVE, defer, "deferred", "waiting"),
    ];
    for (number, answer, step, state) in answers {
        let mail = mail_to(number).subject("again").text("are you there?");
        post(&daemon, &mail);
        let what = format!("three notifications to {number}");
        wait_until(Duration::from_secs(30), &what, || told(&tap, number).len() >= 3);
        let pushes = told(&tap, number);
        let same = pushes.iter().all(|pdu| {
            pdu.transaction_id() == pushes[0].transaction_id() && pdu.content_location() == pushes[0].content_location()
        });
        assert!(same, "a repetition is not told from a new message: {pushes:?}");

        answer(&daemon, &notified(&tap, number), number);
        wait_for_step(&daemon, mail.message_id(), number, step);
        let trace = wait_for_state(&daemon, mail.message_id(), number, state);
        let before = delivery(&trace, number)["notified"].as_u64().unwrap_or_default() as usize;
        never_within(Duration::from_millis(1500), "a further notification", || told(&tap, number).len() > before);
        // What was fetched once can be fetched again: phones lose things.
        handset(&daemon, number).fetch(&notified(&tap, number).content_location());
    }
}

fn retrieve(daemon: &Daemon, notification: &mms::Pdu, number: &str) {
    handset(daemon, number).retrieve(notification);
}

fn fetch_without_a_word(daemon: &Daemon, notification: &mms::Pdu, number: &str) {
    handset(daemon, number).fetch(&notification.content_location());
}

fn defer(daemon: &Daemon, notification: &mms::Pdu, number: &str) {
    let answer = mms::notifyresp_ind(&notification.transaction_id(), status::DEFERRED);
    handset(daemon, number).post(&answer).expect_status(200);
}

fn told(tap: &SmsTap, number: &str) -> Vec<mms::Pdu> {
    tap.pushes().iter().filter(|push| push.to == number).map(packetboat_harness::push::Push::mms).collect()
}
