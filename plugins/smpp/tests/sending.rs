//! What the bearer says, and what it makes of the answers.

mod support;

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::message::Priority;
use packetboat_api::roles::{BearerError, Health, SmsBody};
use rusmpp::tlvs::TlvValue;
use support::smsc::{Connection, Smsc, Submission, message, tlv};
use support::{Memory, build, push, settings, start, until, wsp};

fn memory() -> Arc<Memory> {
    Arc::default()
}

/// Takes so many submissions.
async fn take_all(connection: &mut Connection, count: usize) -> Vec<Submission> {
    let mut all = Vec::new();
    for number in 0..count {
        let submission = connection.submission().await;
        connection.take(&submission, &format!("id{number}")).await;
        all.push(submission);
    }
    all
}

#[tokio::test]
async fn a_push_says_ports_and_parts_in_its_header() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), "service_type = \"WAP\""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let payload = wsp(7, 296);
    let mut sms = push(1, payload.clone());
    sms.priority = Priority::High;
    let (sent, all) = tokio::join!(bearer.send(sms), take_all(&mut connection, 3));
    let sent = sent.unwrap();
    assert_eq!((sent.segments, &sent.detail[..]), (3, "SMSC id id0, id1, id2"));
    let mut whole = Vec::new();
    for (number, Submission { pdu, .. }) in (1..).zip(&all) {
        let octets = message(pdu);
        assert_eq!(octets[..9], [11, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 0, 3], "{octets:02x?}");
        assert_eq!((octets[9], &octets[10..12]), (message(&all[0].pdu)[9], &[3, number][..]));
        assert!(octets.len() <= 140);
        whole.extend_from_slice(&octets[12..]);
        assert_eq!((u8::from(pdu.esm_class), u8::from(pdu.data_coding), pdu.priority_flag.value), (0x40, 0x04, 1));
        assert_eq!(
            (u8::from(pdu.source_addr_ton), u8::from(pdu.source_addr_npi), pdu.source_addr.as_str()),
            (3, 0, "100")
        );
        let to = (u8::from(pdu.dest_addr_ton), u8::from(pdu.dest_addr_npi), pdu.destination_addr.as_str());
        assert_eq!(to, (1, 1, "358401234567"));
        assert_eq!((u8::from(pdu.registered_delivery), pdu.service_type.value().as_str()), (1, "WAP"));
        assert!(pdu.tlvs().is_empty() && pdu.validity_period.to_string().ends_with("000+"), "{pdu:?}");
    }
    assert_eq!(whole, payload);
}

#[tokio::test]
async fn ports_and_parts_go_into_parameters_when_asked() {
    let smsc = Smsc::start().await;
    let more =
        "addressing = \"sar\"\nregistered_delivery = \"none\"\nvalidity = \"relative\"\nbinary_data_coding = 245";
    let bearer = start(&settings(smsc.address(), more), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let payload = wsp(7, 200);
    let (sent, all) = tokio::join!(bearer.send(push(1, payload.clone())), take_all(&mut connection, 2));
    assert_eq!(sent.unwrap().segments, 2);
    let port = |value: &TlvValue| if let TlvValue::DestPort(port) = value { Some((*port).into()) } else { None };
    let from = |value: &TlvValue| if let TlvValue::SourcePort(port) = value { Some((*port).into()) } else { None };
    let total =
        |value: &TlvValue| if let TlvValue::SarTotalSegments(total) = value { Some((*total).into()) } else { None };
    let part =
        |value: &TlvValue| if let TlvValue::SarSegmentSeqnum(part) = value { Some((*part).into()) } else { None };
    for (number, Submission { pdu, .. }) in (1..).zip(&all) {
        assert_eq!((tlv(pdu.tlvs(), port), tlv(pdu.tlvs(), from)), (Some(2948), Some(9200)));
        assert_eq!((tlv(pdu.tlvs(), total), tlv(pdu.tlvs(), part)), (Some(2), Some(number)));
        assert_eq!((u8::from(pdu.esm_class), u8::from(pdu.data_coding)), (0, 0xF5));
        assert_eq!((u8::from(pdu.registered_delivery), &pdu.validity_period.to_string()[..6]), (0, "000000"));
    }
    assert_eq!([message(&all[0].pdu), message(&all[1].pdu)].concat(), payload);
}

#[tokio::test]
async fn a_payload_goes_whole_when_asked() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), "addressing = \"payload\"\nvalidity = \"none\""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let payload = wsp(7, 1000);
    let (sent, all) = tokio::join!(bearer.send(push(1, payload.clone())), take_all(&mut connection, 1));
    assert_eq!(sent.unwrap().segments, 1);
    let pdu = &all[0].pdu;
    let carried = pdu.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref().to_vec()),
        _ => None,
    });
    assert_eq!((carried, pdu.sm_length(), pdu.validity_period.is_empty()), (Some(payload), 0, true));
}

#[tokio::test]
async fn texts_go_one_character_an_octet_or_in_ucs2() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let mut sms = push(1, vec![]);
    sms.body = SmsBody::Text("ä€".into());
    sms.from = Some("Ferry".into());
    let (sent, all) = tokio::join!(bearer.send(sms.clone()), take_all(&mut connection, 1));
    sent.unwrap();
    let pdu = &all[0].pdu;
    assert_eq!((message(pdu), u8::from(pdu.data_coding), u8::from(pdu.esm_class)), (vec![0x7B, 0x1B, 0x65], 0, 0));
    assert_eq!((u8::from(pdu.source_addr_ton), pdu.source_addr.as_str()), (5, "Ferry"));

    sms.body = SmsBody::Text("ж".repeat(80));
    let (sent, all) = tokio::join!(bearer.send(sms.clone()), take_all(&mut connection, 2));
    assert_eq!(sent.unwrap().segments, 2);
    let octets = message(&all[0].pdu);
    assert_eq!((u8::from(all[0].pdu.data_coding), u8::from(all[0].pdu.esm_class)), (8, 0x40));
    assert_eq!((octets[..3].to_vec(), octets[4..8].to_vec()), (vec![5, 0, 3], vec![2, 1, 0x04, 0x36]));

    sms.from = Some("much too long a name".into());
    let error = bearer.send(sms).await.unwrap_err();
    assert!(matches!(&error, BearerError::Permanent { why } if why.contains("11 letters")), "{error}");
}

#[tokio::test]
async fn refusals_are_named() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let cases = [
        (0x0B, true, "ESME_RINVDSTADR (0x0b)"),
        (0x08, false, "ESME_RSYSERR (0x08)"),
        (0x15, false, "ESME_RINVSERTYP (0x15); look at service_type"),
        (0x401, false, "a status of the vendor's own (0x401)"),
    ];
    for (status, for_good, words) in cases {
        let refuse = async {
            let submission = connection.submission().await;
            connection.refuse(&submission, status).await;
        };
        let (sent, ()) = tokio::join!(bearer.send(push(1, wsp(1, 9))), refuse);
        let error = sent.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(matches!(error, BearerError::Permanent { .. }), for_good, "{error}");
        assert_eq!(bearer.health() == Health::Well, for_good, "{:?}", bearer.health());
    }
    let (sent, _) = tokio::join!(bearer.send(push(1, wsp(1, 9))), take_all(&mut connection, 1));
    sent.unwrap();
    assert_eq!(bearer.health(), Health::Well);
}

#[tokio::test]
async fn the_window_is_kept_and_what_is_urgent_goes_first() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), "window = 3"), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let send = |number: u64, priority: Priority| {
        let bearer = bearer.clone();
        let mut sms = push(number, wsp(number as u8, 9));
        sms.priority = priority;
        tokio::spawn(async move { bearer.send(sms).await.unwrap() })
    };
    let mut sent: Vec<_> = (0..12).map(|number| send(number, Priority::Normal)).collect();
    let mut first = Vec::new();
    for _ in 0..3 {
        first.push(connection.submission().await);
    }
    assert!(connection.is_silent(Duration::from_millis(100)).await, "more than the window");
    sent.push(send(99, Priority::High));
    // It stands in line once the others do, which the silence above made sure of.
    tokio::task::yield_now().await;
    connection.take(&first[0], "a").await;
    let urgent = connection.submission().await;
    assert_eq!(message(&urgent.pdu)[7], 99);
    for submission in first[1..].iter().chain([&urgent]) {
        connection.take(submission, "b").await;
    }
    take_all(&mut connection, 9).await;
    for sending in sent {
        sending.await.unwrap();
    }
}

#[tokio::test]
async fn a_late_answer_makes_no_second_push() {
    let smsc = Smsc::start().await;
    let bearer =
        start(&settings(smsc.address(), "response_timeout = \"150ms\"\nenquire_link = \"1m\""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let error = bearer.send(push(1, wsp(1, 9))).await.unwrap_err();
    assert!(matches!(&error, BearerError::Retry { after: Some(_), why } if why.contains("did not answer")), "{error}");
    let submission = connection.submission().await;
    // Its repetition tells another expiry: the last octet.
    let mut again = wsp(1, 9);
    again[12] ^= 1;
    bearer.send(push(1, again.clone())).await.unwrap_err();
    connection.take(&submission, "77").await;
    assert_eq!(bearer.send(push(1, again)).await.unwrap().detail, "SMSC id 77");
    assert!(connection.is_silent(Duration::from_millis(100)).await, "a second push");
    // Telling the phone again on purpose is another sending.
    let (sent, _) = tokio::join!(bearer.send(push(1, wsp(1, 9))), take_all(&mut connection, 1));
    assert_eq!(sent.unwrap().detail, "SMSC id id0");
}

#[tokio::test]
async fn an_answer_that_is_too_late_ends_the_connection() {
    let smsc = Smsc::start().await;
    let waits = "response_timeout = \"100ms\"\nlate_timeout = \"300ms\"\nenquire_link = \"1m\"";
    let bearer = start(&settings(smsc.address(), waits), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    bearer.send(push(1, wsp(1, 200))).await.unwrap_err();
    let submission = connection.submission().await;
    while connection.next().await.is_some() {}
    let mut connection = smsc.accept_bound().await;
    let (sent, all) = tokio::join!(bearer.send(push(1, wsp(1, 200))), take_all(&mut connection, 2));
    sent.unwrap();
    assert_eq!(message(&all[0].pdu), message(&submission.pdu), "sent again under the same reference");
}

#[tokio::test]
async fn after_a_lost_connection_only_what_was_not_taken_is_sent() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), ""), &memory()).await;
    let mut connection = smsc.accept_bound().await;
    let sending = tokio::spawn({
        let bearer = bearer.clone();
        async move { bearer.send(push(1, wsp(1, 300))).await }
    });
    let first = connection.submission().await;
    connection.take(&first, "a").await;
    let second = connection.submission().await;
    drop(connection);
    let mut connection = smsc.accept_bound().await;
    let again = take_all(&mut connection, 2).await;
    assert_eq!(message(&again[0].pdu), message(&second.pdu));
    assert_eq!(message(&again[1].pdu)[9..12], [message(&first.pdu)[9], 3, 3]);
    assert_eq!(sending.await.unwrap().unwrap().detail, "SMSC id a, id0, id1");
}

#[tokio::test]
async fn the_least_loaded_connection_is_used() {
    let smsc = Smsc::start().await;
    let bearer = start(&settings(smsc.address(), "connections = 2\nwindow = 2"), &memory()).await;
    let mut connections = [smsc.accept_bound().await, smsc.accept_bound().await];
    until("both connections", || (bearer.health() == Health::Well).then_some(())).await;
    let send = |number: u64| {
        let bearer = bearer.clone();
        tokio::spawn(async move { bearer.send(push(number, wsp(1, 9))).await.unwrap() })
    };
    let sent: Vec<_> = (0..4).map(send).collect();
    for connection in &mut connections {
        take_all(connection, 2).await;
    }
    for sending in sent {
        sending.await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_sent_by_a_receiver_or_before_the_start() {
    let receiver = start(&settings("127.0.0.1:9", "bind = \"receiver\""), &memory()).await;
    let error = receiver.send(push(1, wsp(1, 9))).await.unwrap_err();
    assert!(matches!(&error, BearerError::Permanent { why } if why.contains("receiver")), "{error}");
    let idle = build(&settings("127.0.0.1:9", ""), &memory()).unwrap();
    idle.drain().await;
    assert!(matches!(idle.send(push(1, wsp(1, 9))).await.unwrap_err(), BearerError::Retry { .. }));
    assert!(matches!(idle.health(), Health::Down(_)));
}

#[tokio::test]
async fn one_address_of_two_is_enough() {
    let (first, second) = (Smsc::start().await, Smsc::start().await);
    let addresses = format!("{}\", \"{}", first.address(), second.address());
    let bearer = start(&settings(addresses, ""), &memory()).await;
    let lost = first.accept_bound().await;
    let mut connection = second.accept_bound().await;
    until("both connections", || (bearer.health() == Health::Well).then_some(())).await;
    drop((lost, first));
    let degraded = until("the lost one in health", || match bearer.health() {
        Health::Degraded(why) => Some(why),
        _ => None,
    });
    assert!(degraded.await.starts_with("1 of 2 connections are bound; 127.0.0.1:"));
    for _ in 0..3 {
        let (sent, _) = tokio::join!(bearer.send(push(1, wsp(1, 9))), take_all(&mut connection, 1));
        sent.unwrap();
    }
}
