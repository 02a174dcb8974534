//! node-smpp as the SMSC: what somebody else's reading of SMPP makes of what this bearer says.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use packetboat_api::roles::{Bearer, BearerError, Health, Sent, SmsBody};
use packetboat_harness::peers::tshark::decode_submissions;
use packetboat_harness::peers::{Certificate, Smsc};
use packetboat_harness::{Peer, Scene};
use serde_json::json;
use support::{Memory, push, settings, start, until, wsp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_arrive_and_receipts_become_evidence() {
    let Some(scene) = Scene::with_peers("smpp_carries_pushes", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({}));
    let memory = Arc::new(Memory::default());
    let bearer = start(&settings(smsc.address(), ""), &memory).await;
    let (short, long) = (wsp(1, 60), wsp(2, 300));
    assert_eq!(bearer.send(push(1, short.clone())).await.unwrap().segments, 1);
    assert_eq!(bearer.send(push(2, long.clone())).await.unwrap().segments, 3);
    let taken = smsc.messages();
    assert_eq!((&taken[0].wsp, taken[0].segments, taken[0].port), (&short, 1, 2948));
    assert_eq!((&taken[1].wsp, taken[1].segments, taken[1].port), (&long, 3, 2948));
    assert_eq!((&taken[0].to[..], &taken[0].from[..]), ("358401234567", "100"));
    until("receipts of four short messages", || (memory.lines().len() == 4).then_some(())).await;
    assert_eq!((memory.count("push_delivered"), memory.count("push_sent")), (2, 2), "{:?}", memory.lines());
    smsc.wait_for("receipt_answer", 4);
    assert!(smsc.all("receipt_answer").iter().all(|answer| answer["status"] == 0));
    for addressing in ["sar", "payload"] {
        let other = start(&settings(smsc.address(), &format!("addressing = \"{addressing}\"")), &memory).await;
        other.send(push(3, long.clone())).await.unwrap();
        let last = smsc.messages().pop().unwrap();
        assert_eq!((last.wsp, last.port), (long.clone(), 2948), "{addressing}");
    }
    bearer.drain().await;
    assert!(smsc.all("pdu").iter().any(|pdu| pdu["command"] == "unbind"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_connections_verify_the_certificate() {
    let peers = [Peer::Smsc, Peer::Openssl];
    let Some(scene) = Scene::with_peers("smpp_over_tls", &peers) else { return };
    let certificate = Certificate::make(&scene);
    let smsc = Smsc::start_tls(&scene, "smsc", &certificate);
    let memory = Arc::new(Memory::default());
    let more = format!("tls = \"required\"\nca_file = \"{}\"", certificate.certificate.display());
    let bearer = start(&settings(smsc.address(), &more), &memory).await;
    let payload = wsp(1, 300);
    assert_eq!(bearer.send(push(1, payload.clone())).await.unwrap().segments, 3);
    assert_eq!(smsc.messages()[0].wsp, payload);
    until("the receipts", || (memory.count("push_delivered") == 1).then_some(())).await;

    let stranger = start(&settings(smsc.address(), "tls = \"required\""), &memory).await;
    let error = stranger.send(push(2, Bytes::from(payload))).await.unwrap_err();
    assert!(error.to_string().contains("no TLS"), "{error}");
    assert_eq!(smsc.messages().len(), 1);
}

/// Sends so many pushes of so many octets at once; what became of each.
async fn send_all(bearer: &Arc<dyn Bearer>, count: u64, length: usize) -> Vec<Result<Sent, BearerError>> {
    let send = |number: u64| {
        let bearer = bearer.clone();
        tokio::spawn(async move { bearer.send(push(number, numbered(number, length))).await })
    };
    let sent: Vec<_> = (0..count).map(send).collect();
    let mut results = Vec::new();
    for sending in sent {
        results.push(sending.await.unwrap());
    }
    results
}

/// A push that says which it is.
fn numbered(number: u64, length: usize) -> Vec<u8> {
    [&[number as u8, 6, 1, 0xBE][..], &number.to_be_bytes(), &wsp(0, length)].concat()
}

/// How often each message is at the SMSC.
fn copies(smsc: &Smsc) -> BTreeMap<Vec<u8>, usize> {
    let mut copies = BTreeMap::new();
    for message in smsc.messages() {
        *copies.entry(message.wsp).or_default() += 1;
    }
    copies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttled_smsc_slows_us_and_loses_nothing() {
    let Some(scene) = Scene::with_peers("smpp_throttled", &[Peer::Smsc]) else { return };
    for (status, rate) in [(0x58, 40), (0x14, 60)] {
        let name = format!("smsc{status}");
        let smsc = Smsc::start(&scene, &name, json!({ "rate": rate, "throttle_status": status, "receipts": "none" }));
        let bearer = start(&settings(smsc.address(), ""), &Arc::default()).await;
        let begun = Instant::now();
        let sending = tokio::spawn({
            let bearer = bearer.clone();
            async move { send_all(&bearer, 150, 20).await }
        });
        let slowed = until("throttling in health", || match bearer.health() {
            Health::Degraded(why) if why.contains("throttles us") => Some(why),
            _ => None,
        });
        slowed.await;
        for result in sending.await.unwrap() {
            result.unwrap();
        }
        let copies = copies(&smsc);
        assert_eq!((copies.len(), copies.values().max()), (150, Some(&1)));
        let counts = smsc.tell("/stat");
        let refused = counts["throttled"].as_u64().unwrap();
        assert!(refused > 0 && refused < 75, "{refused} of {} were refused", counts["submissions"]);
        assert!(begun.elapsed() > Duration::from_secs(1), "150 cannot be taken in {:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smsc_reset_mid_window_sends_each_push_once() {
    let Some(scene) = Scene::with_peers("smpp_reset", &[Peer::Smsc]) else { return };
    // What is not answered was not taken: an SMSC that is honest about it.
    let smsc = Smsc::start(&scene, "smsc", json!({ "delay": 20, "drop_after": 35, "receipts": "none" }));
    let bearer = start(&settings(smsc.address(), ""), &Arc::default()).await;
    for result in send_all(&bearer, 40, 200).await {
        assert_eq!(result.unwrap().segments, 2);
    }
    let copies = copies(&smsc);
    assert_eq!((copies.len(), copies.values().max()), (40, Some(&1)));
    assert!(smsc.all("duplicate").is_empty());
    assert_eq!((smsc.all("dropped").len(), smsc.all("bind").len()), (1, 2));
    let unanswered = smsc.all("unanswered").len();
    assert!((1..=10).contains(&unanswered), "{unanswered} were cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_smsc_may_have_is_sent_again_under_the_same_reference() {
    let Some(scene) = Scene::with_peers("smpp_doubt", &[Peer::Smsc]) else { return };
    // What came was taken, answered or not: a repetition of that cannot be helped.
    let smsc = Smsc::start(&scene, "smsc", json!({ "delay": 20, "drop_after": 25, "early": 1, "receipts": "none" }));
    let bearer = start(&settings(smsc.address(), ""), &Arc::default()).await;
    for result in send_all(&bearer, 30, 200).await {
        assert_eq!(result.unwrap().segments, 2);
    }
    assert_eq!(copies(&smsc).len(), 30);
    let answered: Vec<_> = smsc.all("answered").iter().map(|event| event["n"].clone()).collect();
    let mut twice = 0;
    let mut seen = BTreeMap::new();
    for event in smsc.all("submission") {
        // Ports, concatenation and payload: the same octets are the same part under the same reference.
        let message = event["pdu"]["short_message"].as_str().unwrap().to_owned();
        let was_answered = answered.contains(&event["n"]);
        if let Some(before) = seen.insert(message, was_answered) {
            assert!(!before, "sent again although it was answered: {event}");
            twice += 1;
        }
    }
    assert_eq!((seen.len(), twice), (60, smsc.all("unanswered").len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_answers_fill_the_window_and_no_more() {
    let Some(scene) = Scene::with_peers("smpp_slow", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "delay": 100, "receipts": "none" }));
    let bearer = start(&settings(smsc.address(), "window = 5\nconnections = 2"), &Arc::default()).await;
    until("both connections", || (smsc.all("bind").len() == 2).then_some(())).await;
    for result in send_all(&bearer, 40, 20).await {
        result.unwrap();
    }
    let (mut open, mut most) = (0, 0);
    for event in smsc.events() {
        match event["event"].as_str() {
            Some("submission") => open += 1,
            Some("answered") => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    assert!((6..=10).contains(&most), "{most} at once, and 10 are allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_answers_and_silence_make_no_second_push() {
    let Some(scene) = Scene::with_peers("smpp_late", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "delay": 1000, "receipts": "none" }));
    let bearer = start(&settings(smsc.address(), "response_timeout = \"300ms\""), &Arc::default()).await;
    for result in send_all(&bearer, 3, 20).await {
        assert!(matches!(result, Err(BearerError::Retry { after: Some(_), .. })), "{result:?}");
    }
    smsc.wait_for("answered", 3);
    for result in send_all(&bearer, 3, 20).await {
        result.unwrap();
    }
    assert_eq!(smsc.all("submission").len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_become_evidence() {
    let Some(scene) = Scene::with_peers("smpp_receipts", &[Peer::Smsc]) else { return };
    let forms = [
        json!({ "receipt_form": "text", "receipt_id": "decimal" }),
        json!({ "receipt_form": "parameters" }),
        json!({ "receipt_delay": -1, "delay": 200 }),
        json!({ "only": "transmitter" }),
    ];
    for (number, options) in forms.iter().enumerate() {
        let smsc = Smsc::start(&scene, &format!("smsc{number}"), options.clone());
        let memory = Arc::new(Memory::default());
        let apart = options["only"] == "transmitter";
        let more = if apart { "bind = \"transmitter_and_receiver\"" } else { "" };
        let bearer = start(&settings(smsc.address(), more), &memory).await;
        if apart {
            // One kind of bind is refused until it is allowed: the other one sends meanwhile.
            smsc.wait_for("bind", 2);
            smsc.set("only", "");
            until("both binds", || (bearer.health() == Health::Well).then_some(())).await;
        }
        bearer.send(push(1, wsp(1, 200))).await.unwrap();
        until("a delivered push", || (memory.count("push_delivered") == 1).then_some(())).await;
        smsc.set("receipts", "UNDELIV");
        bearer.send(push(2, wsp(2, 20))).await.unwrap();
        until("a failed push", || (memory.count("push_failed") == 1).then_some(())).await;
        smsc.wait_for("receipt_answer", 3);
        assert!(smsc.all("receipt_answer").iter().all(|answer| answer["status"] == 0), "{options}");
        assert!(memory.lines().last().unwrap().contains("cannot be delivered (UNDELIV, short message 1 of 1"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_and_enquiries_of_the_smsc_are_answered() {
    let Some(scene) = Scene::with_peers("smpp_mo", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "ping": 50 }));
    let memory = Arc::new(Memory::default());
    let bearer = start(&settings(smsc.address(), "enquire_link = \"50ms\""), &memory).await;
    smsc.wait_for("pong", 2);
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    smsc.tell(&format!("/deliver?hex={}&from=358407654321", hex(b"hello")));
    smsc.tell(&format!("/deliver?hex={}&esm=64&dcs=4", hex(b"\x06\x05\x04\x0B\x84\x23\xF0\x01\x06\x01\xBE")));
    smsc.tell(&format!("/deliver?hex={}&dcs=4&dest_port=2948&payload=1", hex(&wsp(1, 500))));
    smsc.wait_for("deliver_answer", 3);
    assert!(smsc.all("deliver_answer").iter().all(|answer| answer["status"] == 0));
    let bodies: Vec<_> = memory.arrived().into_iter().map(|arrival| arrival.body).collect();
    assert!(bodies.contains(&SmsBody::Text("hello".into())), "{bodies:?}");
    assert!(bodies.contains(&SmsBody::Push(wsp(1, 0).into())), "{bodies:?}");
    assert!(bodies.contains(&SmsBody::Push(wsp(1, 500).into())), "{bodies:?}");
    // Nobody can take it: the SMSC is told so.
    *memory.broken.lock().unwrap() = true;
    smsc.tell(&format!("/deliver?hex={}", hex(b"later")));
    assert_eq!(smsc.wait_for("deliver_answer", 4)[3]["status"], 0x64);
    // Octets that are no PDU: the connection is made anew.
    smsc.tell("/raw?hex=0000000512345678");
    smsc.wait_for("bind", 2);
    until("the new bind", || (bearer.health() == Health::Well).then_some(())).await;
}

/// m-notification-ind with a Subject of 60 characters: two short messages.
const NOTIFICATION: &[u8] = b"\x8c\x82\x98n11\0\x8d\x92\x89\x15\x80+15550101/TYPE=PLMN\0\x96\x1f\x3e\xea\
    A subject that is long enough to need a second short message\0\x8a\x80\x8e\x02\x75\x30\
    \x88\x05\x81\x03\x03\xf4\x80\x83http://mmsc.example.net:8080/mms/n11-4f1c9d2e7b\0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tshark_finds_the_notification_in_what_was_sent() {
    let Some(scene) = Scene::with_peers("smpp_dissected", &[Peer::Smsc, Peer::Tshark]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "receipts": "none" }));
    for more in ["wide_reference = true", "addressing = \"udh\""] {
        let bearer = start(&settings(smsc.address(), more), &Arc::default()).await;
        let payload = packetboat_push::Push::mms(1, Bytes::from_static(NOTIFICATION)).encode();
        assert_eq!(bearer.send(push(1, payload)).await.unwrap().segments, 2);
    }
    let decoded = decode_submissions(&scene, &smsc.submissions());
    assert_eq!(decoded.len(), 2);
    for decoded in decoded {
        assert_eq!(decoded.problems, [""; 0]);
        assert_eq!(decoded.field("transaction_id"), Some("n11"));
        assert_eq!(decoded.field("content_location"), Some("http://mmsc.example.net:8080/mms/n11-4f1c9d2e7b"));
    }
}
