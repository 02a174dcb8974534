//! The lines of MAIL and RCPT, with what is offered and without.

use bytes::Bytes;

use super::super::Content;
use super::*;

fn all() -> Features {
    Features { pipelining: true, size: Some(0), eight_bit: true, utf8: true, dsn: true }
}

fn sample() -> (Mail, Recipient) {
    let recipient = Recipient {
        to: Mailbox::parse("+447700900001/TYPE=PLMN@mms.example.net").expect("mailbox"),
        notify: Notify { success: true, failure: true, ..Notify::default() },
        original: Some("rfc822;+4477@x y".to_owned()),
    };
    let mail = Mail {
        sender: Some(Mailbox::parse("\"a b\"@x.example").expect("mailbox")),
        recipients: vec![recipient.clone()],
        envelope_id: Some("id+1=x".to_owned()),
        headers_only: Some(true),
        content: Content::new(vec![Bytes::from_static(b"A: b\r\n\r\n\xC3\xA9\r\n")]),
    };
    (mail, recipient)
}

#[test]
fn everything_that_is_offered_is_used() {
    let (message, recipient) = sample();
    assert_eq!(mail(&message, &all()), "MAIL FROM:<\"a b\"@x.example> SIZE=12 BODY=8BITMIME RET=HDRS ENVID=id+2B1+3Dx");
    assert_eq!(
        rcpt(&recipient, &all()),
        "RCPT TO:<+447700900001/TYPE=PLMN@mms.example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;+2B4477@x+20y"
    );
}

#[test]
fn nothing_is_used_that_is_not_offered() {
    let (mut message, recipient) = sample();
    message.sender = None;
    assert_eq!(mail(&message, &Features::default()), "MAIL FROM:<>");
    assert_eq!(rcpt(&recipient, &Features::default()), "RCPT TO:<+447700900001/TYPE=PLMN@mms.example.net>");
}

#[test]
fn what_dsn_cannot_carry_is_left_out() {
    let (mut message, mut recipient) = sample();
    message.envelope_id = Some("x".repeat(101));
    message.headers_only = None;
    recipient.original = Some("rfc822;zoë@exämple.org".to_owned());
    recipient.notify = Notify { never: true, ..Notify::default() };
    assert_eq!(mail(&message, &all()), "MAIL FROM:<\"a b\"@x.example> SIZE=12 BODY=8BITMIME");
    assert!(rcpt(&recipient, &all()).ends_with("> NOTIFY=NEVER"));
}

#[test]
fn a_foreign_local_part_asks_for_smtputf8() {
    let (mut message, _) = sample();
    assert!(!needs_utf8(&message));
    message.sender = Some(Mailbox::parse("zoë@example.org").expect("mailbox"));
    assert!(mail(&message, &all()).contains(" SMTPUTF8"));
}
