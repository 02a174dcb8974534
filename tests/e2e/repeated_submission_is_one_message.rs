//! A phone or a mail server that did not hear our answer says it all again: there is one message, also after a crash
//! between. Cases A-13, E-08.

use crate::node::{ANN, BOB, CAROL, DAVE, Node, at, deliveries, handset, mail_to, post, text_part};
use packetboat_harness::mail::Mail;
use packetboat_harness::mms;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Scene, SmsTap, wait_until};
use std::time::Duration;

#[test]
fn repeated_submission_is_one_message() {
    let scene = Scene::new("repeated_submission_is_one_message");
    let tap = SmsTap::start();
    let mut daemon = Node::new(&scene, &tap).start();

    let submission = mms::send_req("t1", &[BOB], "hello").body(&text_part("hello"));
    let first = handset(&daemon, CAROL).submit(&submission);
    assert_eq!(first.response_status(), Some(mms::OK));
    let second = handset(&daemon, CAROL).submit(&submission);
    assert_eq!((second.response_status(), second.message_id()), (Some(mms::OK), first.message_id()));

    let mail = mail_to(BOB).subject("mail").text("hello");
    let taken = post(&daemon, &mail).text();
    let again = post(&daemon, &mail).text();
    let id = |reply: &str| reply.split_whitespace().find(|word| word.len() >= 8).map(str::to_owned);
    assert_eq!(
        id(taken.trim_end_matches(", taken before")),
        id(again.trim_end_matches(", taken before")),
        "{taken} {again}"
    );

    tap.wait_for_pushes(2);
    daemon.kill9();
    daemon.start();
    let third = handset(&daemon, CAROL).submit(&submission);
    assert_eq!((third.response_status(), third.message_id()), (Some(mms::OK), first.message_id()));
    post(&daemon, &mail);
    assert_eq!(deliveries(&daemon).len(), 2);
    // A kill may repeat a notification, by the same transaction id; it never makes another message.
    let ids = || {
        let mut ids: Vec<_> = tap.pushes().iter().map(|push| push.mms().transaction_id()).collect();
        ids.sort();
        ids.dedup();
        ids.len()
    };
    never_within(Duration::from_secs(1), "a further message", || ids() > 2);

    // What only looks the same is another message: another phone's transaction, another recipient, another mail.
    let other_phone = handset(&daemon, DAVE).submit(&submission);
    assert_ne!(other_phone.message_id(), first.message_id());
    let other_envelope = Mail::new(ANN, &at(BOB)).also_to(&at(CAROL)).text("hello");
    let bytes =
        String::from_utf8_lossy(&other_envelope.bytes()).replace(other_envelope.message_id(), mail.message_id());
    let mut client = packetboat_harness::smtp::Client::connect(daemon.listener("mail"));
    client.ehlo();
    client.command(&format!("MAIL FROM:<{ANN}>")).expect_code(250);
    client.command(&format!("RCPT TO:<{}>", at(CAROL))).expect_code(250);
    client.command("DATA").expect_code(354);
    client.write(&packetboat_harness::smtp::stuffed(bytes.as_bytes()));
    client.read_reply().expect_code(250);
    post(&daemon, &mail_to(BOB).subject("another").text("hello"));
    wait_until(Duration::from_secs(30), "five messages", || ids() == 5);
    assert_eq!(deliveries(&daemon).len(), 5);
}
