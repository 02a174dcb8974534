//! The MMS peers: Kannel, mmsd-tng, tshark, python-messaging.

use packetboat_harness::http::{self, Reply, Server};
use packetboat_harness::mail::png;
use packetboat_harness::mms::{self, Part, Pdu, field};
use packetboat_harness::peers::mmsd::{Outgoing, Phone};
use packetboat_harness::peers::tshark::{self, Carrier};
use packetboat_harness::peers::{Kannel, Mmsd, python_messaging};
use packetboat_harness::wait::wait_for;
use packetboat_harness::{DEADLINE, Gateway, Peer, Scene, push};
use std::sync::{Arc, Mutex};

fn parts() -> [Part; 3] {
    [
        Part::new("application/smil", "smil", "<smil><body><par><img src=\"photo.png\"/></par></body></smil>"),
        Part::new("image/png", "photo.png", png(60, 60, 7)),
        Part::new("text/plain", "text.txt", "hello"),
    ]
}

#[test]
fn kannel_carries_a_push_to_the_network() {
    let Some(scene) = Scene::with_peers("kannel_carries_a_push_to_the_network", &[Peer::Kannel]) else { return };
    let reports = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&reports);
    let listener = Server::start(move |request| {
        seen.lock().expect("no panic").push(request.target);
        Some(Reply::new(200, "text/plain", ""))
    });
    let kannel = Kannel::start(&scene);
    let send = |wsp: &[u8], password: &str| {
        let url = format!(
            "{}?username={}&password={password}&from=100&to=%2B447700900123&udh=%06%05%04%0B%84%23%F0&text={}&dlr-mask=31&dlr-url={}",
            kannel.url(),
            Kannel::USER,
            http::percent_encode(wsp),
            http::percent_encode(listener.url("/dlr?state=%d").as_bytes())
        );
        http::get(&url)
    };
    let short = push::wrap(&mms::notification_ind("t1", "+4477", 1, "http://127.0.0.1:8002/a"));
    let long = push::wrap(&mms::notification_ind("t2", &"+4477".repeat(20), 1, "http://127.0.0.1:8002/b"));
    assert!(short.len() < 133 && long.len() > 140);
    send(&short, "wrong").expect_status(403);
    send(&short, Kannel::PASSWORD).expect_status(202);
    assert_eq!(kannel.wait_for_pushes(1)[0].wsp, short);
    send(&long, Kannel::PASSWORD).expect_status(202);
    let pushes = kannel.wait_for_pushes(2);
    assert_eq!((pushes[1].segments, pushes[1].to.as_str(), &pushes[1].wsp), (2, "+447700900123", &long));
    wait_for(DEADLINE, "a delivery report", || reports.lock().expect("no panic").first().cloned());
}

#[test]
fn a_real_handset_receives_and_sends() {
    let Some(scene) = Scene::with_peers("a_real_handset_receives_and_sends", &[Peer::Mmsd]) else { return };
    let posted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&posted);
    let mmsc = Server::start(move |request| {
        assert_eq!(request.field("X-MSISDN"), Some("+447700900123"));
        assert!(!request.target.starts_with("http://"));
        if request.method == "GET" {
            let conf = mms::retrieve_conf("t7", "m7", "+447700900999/TYPE=PLMN", "grüße", &parts());
            return Some(Reply::new(200, mms::MEDIA_TYPE, conf));
        }
        let pdu = Pdu::read(&request.body);
        let is_request = pdu.kind() == mms::kind::SEND_REQ;
        let answer = if is_request { mms::send_conf(&pdu.transaction_id(), "m8") } else { Vec::new() };
        seen.lock().expect("no panic").push(pdu);
        Some(Reply::new(200, mms::MEDIA_TYPE, answer))
    });
    let posted = |kind: u8| {
        let what = format!("a posted PDU of type {kind:#x}");
        wait_for(DEADLINE, &what, || {
            posted.lock().expect("no panic").iter().find(|pdu: &&Pdu| pdu.kind() == kind).cloned()
        })
    };
    let gateway = Gateway::start(&[("X-MSISDN", "+447700900123")]);
    let phone = Phone::new("+447700900123", &mmsc.url("/mms")).behind(gateway.address());
    let phone = Mmsd::start(&scene, &phone);

    let notification = mms::notification_ind("t7", "+447700900999/TYPE=PLMN", 11_000, &mmsc.url("/m7"));
    phone.push(&push::wrap(&notification));
    let message = phone.wait_for_message("the mailed photo", |message| message.status == "received");
    assert_eq!((message.sender.as_str(), message.subject.as_str()), ("+447700900999", "grüße"));
    assert_eq!(message.part("image/png").map(|part| &part.data), Some(&png(60, 60, 7)));
    let response = posted(mms::kind::NOTIFYRESP_IND);
    assert_eq!(
        (response.transaction_id().as_str(), response.octet(field::STATUS)),
        ("t7", Some(mms::status::RETRIEVED))
    );

    let outgoing = Outgoing {
        to: vec!["+447700900999".to_owned()],
        subject: "äö €".to_owned(),
        parts: parts()[1..].to_vec(),
        smil: String::from_utf8_lossy(&parts()[0].data).into_owned(),
    };
    let path = phone.send(&outgoing);
    phone.wait_for_message("the message it sent", |message| message.path == path && message.status == "sent");
    let request = posted(mms::kind::SEND_REQ);
    assert_eq!(request.texts(field::TO), ["+447700900999/TYPE=PLMN"]);
    assert_eq!(request.text(field::SUBJECT).as_deref(), Some("äö €"), "{:x?}", request.fields);
    assert_eq!(request.part("image/png").map(|part| &part.data), Some(&png(60, 60, 7)));
    phone.stop();
}

#[test]
fn tshark_reads_what_is_right_and_complains_of_what_is_not() {
    let story = "tshark_reads_what_is_right_and_complains_of_what_is_not";
    let Some(scene) = Scene::with_peers(story, &[Peer::Tshark]) else { return };
    let mut all = parts().to_vec();
    all.push(Part::new("image/png", "big.png", png(200, 200, 9)));
    let good = mms::send_req("t8", &["+4477/TYPE=PLMN"], "grüße").octet(field::READ_REPORT, mms::YES).body(&all);
    let response = mms::notifyresp_ind("t9", mms::status::RETRIEVED);
    let decoded = tshark::decode_all(&scene, Carrier::Http, &[&good, &response, &good[..40], b"nonsense"]);
    assert_eq!(decoded[0].problems, [""; 0], "{:#}", decoded[0].mmse);
    assert_eq!(decoded[0].field("transaction_id"), Some("t8"));
    assert_eq!(decoded[1].problems, [""; 0], "{:#}", decoded[1].mmse);
    assert!(!decoded[2].problems.is_empty() && !decoded[3].problems.is_empty());

    let notification = mms::notification_ind("t10", "+4477/TYPE=PLMN", 70_000, "http://127.0.0.1/x");
    let bare = tshark::decode(&scene, Carrier::Push, &notification);
    assert_eq!(bare.problems, [""; 0], "{:#}", bare.mmse);
    let wrapped = tshark::decode(&scene, Carrier::Wsp, &push::wrap(&notification));
    assert_eq!(wrapped.problems, [""; 0], "{:#}", wrapped.mmse);
    assert_eq!(wrapped.field("content_location"), Some("http://127.0.0.1/x"));
}

#[test]
fn python_messaging_reads_a_message() {
    let Some(scene) = Scene::with_peers("python_messaging_reads_a_message", &[Peer::PythonMessaging]) else { return };
    let conf = mms::retrieve_conf("t11", "m11", "+4477/TYPE=PLMN", "hello", &parts());
    let decoded = python_messaging::decode_all(&scene, &[&conf, &conf[..conf.len() / 2]]);
    assert_eq!(decoded[0]["headers"]["Transaction-Id"], "t11", "{}", decoded[0]);
    assert_eq!(decoded[0]["headers"]["Subject"], "hello");
    let png_part = decoded[0]["parts"].as_array().and_then(|parts| parts.get(1)).expect("three parts");
    assert_eq!(
        (png_part["content_type"].as_str(), png_part["size"].as_u64()),
        (Some("image/png"), Some(png(60, 60, 7).len() as u64))
    );
    assert!(decoded[1]["error"].is_string(), "{}", decoded[1]);
}
