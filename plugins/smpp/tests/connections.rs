//! Connections: binds, the sign of life, what cannot be read, and coming back.

mod support;

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::roles::{Bearer, BearerError, Health, Sent};
use rusmpp::{CommandId, Pdu};
use support::smsc::{Smsc, pdu, receipt};
use support::{Memory, push, settings, start, until, wsp};
use tokio::task::JoinHandle;

fn memory() -> Arc<Memory> {
    Arc::default()
}

#[tokio::test]
async fn a_refused_bind_names_the_setting() {
    for (status, words) in [
        (0x0E, "ESME_RINVPASWD (0x0e); look at password"),
        (0x0F, "ESME_RINVSYSID (0x0f); look at system_id"),
        (0x0D, "ESME_RBINDFAIL (0x0d); look at bind, system_id and password"),
        (0x05, "ESME_RALYBND (0x05); look at connections"),
        (0x08, "ESME_RSYSERR (0x08)"),
    ] {
        let smsc = Smsc::start().await;
        let bearer = start(&settings(smsc.address(), ""), &memory()).await;
        let bind = smsc.accept().await.answer_bind(status).await;
        let Some(Pdu::BindTransceiver(bind)) = bind.pdu() else { panic!("{bind:?}") };
        assert_eq!((bind.system_id.as_str(), bind.password.as_str()), ("packetboat", "secret"));
        assert_eq!(u8::from(bind.interface_version), 0x34);
        let down = until("a refused bind in health", || match bearer.health() {
            Health::Down(why) if why.contains("refused") => Some(why),
            _ => None,
        });
        let why = down.await;
        assert!(why.contains(words) && why.contains("is not bound since 2"), "{why}");
        let error = bearer.send(push(1, wsp(1, 9))).await.unwrap_err();
        assert!(matches!(&error, BearerError::Retry { why, .. } if why.contains(words)), "{error}");
    }
}

#[tokio::test]
async fn it_comes_back_when_the_smsc_does() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    for _ in 0..3 {
        let connection = smsc.accept_bound().await;
        until("the bind", || (bearer.health() == Health::Well).then_some(())).await;
        drop(connection);
        until("the loss", || matches!(bearer.health(), Health::Down(_)).then_some(())).await;
    }
}

#[tokio::test]
async fn a_sender_without_transceivers_binds_twice() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), "bind = \"transmitter_and_receiver\""), &memory()).await;
    let mut first = smsc.accept().await;
    let mut second = smsc.accept().await;
    let mut binds = [first.answer_bind(0).await.id(), second.answer_bind(0).await.id()];
    let (transmitter, receiver) = match binds[0] {
        CommandId::BindTransmitter => (&mut first, &mut second),
        _ => (&mut second, &mut first),
    };
    binds.sort();
    assert_eq!(binds, [CommandId::BindReceiver, CommandId::BindTransmitter]);
    until("both binds", || (bearer.health() == Health::Well).then_some(())).await;
    let take = async {
        let submission = transmitter.submission().await;
        transmitter.take(&submission, "a").await;
    };
    let (sent, ()) = tokio::join!(bearer.send(push(1, wsp(1, 9))), take);
    sent.unwrap();
    receiver.say(0, 9, Pdu::EnquireLink).await;
    assert_eq!(receiver.next().await.unwrap().id(), CommandId::EnquireLinkResp);
}

#[tokio::test]
async fn a_silent_smsc_is_asked_and_then_given_up() {
    let smsc = Smsc::start().await;
    let waits = "enquire_link = \"100ms\"\nresponse_timeout = \"100ms\"";
    let _bearer = start(&settings(smsc.address(), waits), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    for _ in 0..3 {
        let asked = connection.next().await.unwrap();
        assert_eq!(asked.id(), CommandId::EnquireLink);
        connection.say(0, asked.sequence_number(), Pdu::EnquireLinkResp).await;
    }
    assert_eq!(connection.next().await.unwrap().id(), CommandId::EnquireLink);
    assert!(connection.next().await.is_none(), "the connection is ended");
    smsc.accept_bound().await;
}

#[tokio::test]
async fn requests_that_are_not_for_us_are_nacked_and_the_session_goes_on() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    connection.raw(&pdu(0x0000_0777, 0, 5, b"what is this?")).await;
    assert_eq!(connection.answer_to(5).await, (CommandId::GenericNack, 0x03));
    // A deliver_sm that ends within its address, and one whose message is longer than it is.
    connection.raw(&pdu(0x05, 0, 6, b"\0\x01\x0135840")).await;
    assert_eq!(connection.answer_to(6).await, (CommandId::GenericNack, 0x02));
    connection.raw(&pdu(0x05, 0, 7, b"\0\x01\x013584\0\x01\x01100\0\0\0\0\0\0\0\0\0\0\x50short")).await;
    assert_eq!(connection.answer_to(7).await, (CommandId::GenericNack, 0x02));
    connection.raw(&pdu(0x05, 0, 8, b"")).await;
    assert_eq!(connection.answer_to(8).await, (CommandId::GenericNack, 0x02));
    // Answers to nothing, and news of no interest.
    connection.raw(&pdu(0x8000_0004, 0, 4711, b"x\0")).await;
    connection.raw(&pdu(0x102, 0, 9, b"\0\0\0\0\0\0")).await;
    let take = async {
        let submission = connection.submission().await;
        connection.take(&submission, "a").await;
    };
    let (sent, ()) = tokio::join!(bearer.send(push(1, wsp(1, 9))), take);
    sent.unwrap();
}

#[tokio::test]
async fn a_length_that_cannot_be_right_ends_the_connection() {
    for octets in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0, 0, 0, 15], &[0xFF; 16], &[0; 64]] {
        let smsc = Smsc::start().await;
        let bearer = start(&settings(smsc.address(), ""), &memory()).await;
        let mut connection = smsc.accept_bound().await;
        connection.raw(octets).await;
        assert!(connection.next().await.is_none());
        let mut connection = smsc.accept_bound().await;
        let take = async {
            let submission = connection.submission().await;
            connection.take(&submission, "a").await;
        };
        let (sent, ()) = tokio::join!(bearer.send(push(1, wsp(1, 9))), take);
        sent.unwrap();
    }
    // The same in place of the answer to the bind.
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    smsc.accept().await.raw(b"220 mail.example.net ESMTP\r\n").await;
    let down = until("the wrong protocol in health", || match bearer.health() {
        Health::Down(why) if why.contains("does not speak SMPP") => Some(why),
        _ => None,
    });
    assert!(down.await.contains("look at addresses"));
}

#[tokio::test]
async fn a_nack_of_a_submission_is_its_answer() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let nack = async {
        let submission = connection.submission().await;
        connection.raw(&pdu(0x8000_0000, 0x02, submission.sequence, b"")).await;
    };
    let (sent, ()) = tokio::join!(bearer.send(push(1, wsp(1, 9))), nack);
    let error = sent.unwrap_err();
    assert!(matches!(&error, BearerError::Permanent { why } if why.contains("ESME_RINVCMDLEN")), "{error}");
}

#[tokio::test]
async fn the_smsc_can_end_a_session() {
    let smsc = Smsc::start().await;
    let _bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    connection.say(0, 3, Pdu::Unbind).await;
    assert_eq!(connection.answer_to(3).await, (CommandId::UnbindResp, 0));
    assert!(connection.next().await.is_none());
    smsc.accept_bound().await;
}

/// Sends a push in a task of its own.
fn sending(bearer: &Arc<dyn Bearer>, number: u64) -> JoinHandle<Result<Sent, BearerError>> {
    let bearer = bearer.clone();
    tokio::spawn(async move { bearer.send(push(number, wsp(1, 9))).await })
}

#[tokio::test]
async fn a_session_that_the_smsc_ends_is_brought_to_its_end() {
    let smsc = Smsc::start().await;
    let memory = memory();
    let bearer = start(&settings(smsc.address(), ""), &memory).await;
    let mut connection = smsc.accept_bound().await;
    let (first, second) = (sending(&bearer, 1), sending(&bearer, 2));
    let submissions = [connection.submission().await, connection.submission().await];
    connection.take(&submissions[0], "a").await;
    // In one go: what is delivered, the goodbye, and behind it the answer that was on its way.
    connection.deliver(receipt("id:a stat:DELIVRD err:000 text:")).await;
    connection.say(0, 77, Pdu::Unbind).await;
    assert_eq!(connection.answer_to(1).await, (CommandId::DeliverSmResp, 0));
    assert_eq!(memory.count("push_delivered"), 1);
    connection.take(&submissions[1], "b").await;
    assert_eq!(connection.answer_to(77).await, (CommandId::UnbindResp, 0));
    assert!(connection.next().await.is_none(), "and no submission again");
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    smsc.accept_bound().await;
}

#[tokio::test]
async fn what_the_smsc_does_not_answer_before_it_ends_is_sent_again() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let sending = sending(&bearer, 1);
    connection.submission().await;
    connection.say(0, 77, Pdu::Unbind).await;
    assert_eq!(connection.answer_to(77).await, (CommandId::UnbindResp, 0));
    assert!(connection.next().await.is_none());
    let mut connection = smsc.accept_bound().await;
    let submission = connection.submission().await;
    connection.take(&submission, "a").await;
    sending.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_session_that_is_not_fit_is_made_anew() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let sendings = [sending(&bearer, 1), sending(&bearer, 2)];
    let submissions = [connection.submission().await, connection.submission().await];
    // ESME_RINVBNDSTS; what else is on its way still counts.
    connection.refuse(&submissions[0], 0x04).await;
    let unbind = connection.next_but_enquiries().await;
    assert_eq!(unbind.id(), CommandId::Unbind);
    connection.take(&submissions[1], "b").await;
    connection.say(0, unbind.sequence_number(), Pdu::UnbindResp).await;
    assert!(connection.next().await.is_none());
    let mut connection = smsc.accept_bound().await;
    let [first, second] = sendings;
    let results = [first.await.unwrap(), second.await.unwrap()];
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    let [BearerError::Retry { why, .. }] = &failed[..] else { panic!("{results:?}") };
    assert!(why.contains("ESME_RINVBNDSTS (0x04)"), "{why}");
    // The new one works, and a nack of the kind ends it too.
    let third = sending(&bearer, 3);
    let submission = connection.submission().await;
    connection.take(&submission, "c").await;
    third.await.unwrap().unwrap();
    connection.raw(&pdu(0x8000_0000, 0x04, 0, b"")).await;
    assert_eq!(connection.next_but_enquiries().await.id(), CommandId::Unbind);
    drop(connection);
    smsc.accept_bound().await;
}

#[tokio::test]
async fn a_sign_of_life_that_says_no_is_none() {
    let smsc = Smsc::start().await;
    let _bearer = start(&settings(smsc.address(), "enquire_link = \"100ms\""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let asked = connection.next().await.unwrap();
    connection.say(0x04, asked.sequence_number(), Pdu::EnquireLinkResp).await;
    let unbind = connection.next().await.unwrap();
    assert_eq!((asked.id(), unbind.id()), (CommandId::EnquireLink, CommandId::Unbind));
    connection.say(0, unbind.sequence_number(), Pdu::UnbindResp).await;
    assert!(connection.next().await.is_none());
    smsc.accept_bound().await;
}

#[tokio::test]
async fn an_unused_connection_ends_and_comes_back_for_a_push() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), "inactivity_timeout = \"100ms\""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let unbind = connection.next().await.unwrap();
    assert_eq!(unbind.id(), CommandId::Unbind);
    connection.say(0, unbind.sequence_number(), Pdu::UnbindResp).await;
    assert!(connection.next().await.is_none());
    assert_eq!(bearer.health(), Health::Well);
    let take = async {
        let mut connection = smsc.accept_bound().await;
        let submission = connection.submission().await;
        connection.take(&submission, "a").await;
    };
    let (sent, ()) = tokio::join!(bearer.send(push(1, wsp(1, 9))), take);
    sent.unwrap();
}

#[tokio::test]
async fn draining_waits_for_answers_and_says_goodbye() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let sending = tokio::spawn({
        let bearer = bearer.clone();
        async move { bearer.send(push(1, wsp(1, 9))).await }
    });
    let submission = connection.submission().await;
    let draining = tokio::spawn({
        let bearer = bearer.clone();
        async move { bearer.drain().await }
    });
    assert!(connection.is_silent(Duration::from_millis(50)).await, "not before the answer");
    connection.take(&submission, "a").await;
    let unbind = connection.next().await.unwrap();
    assert_eq!(unbind.id(), CommandId::Unbind);
    connection.say(0, unbind.sequence_number(), Pdu::UnbindResp).await;
    sending.await.unwrap().unwrap();
    draining.await.unwrap();
    assert!(matches!(bearer.send(push(2, wsp(1, 9))).await.unwrap_err(), BearerError::Retry { .. }));
}
