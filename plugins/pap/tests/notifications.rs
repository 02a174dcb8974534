//! What the gateway tells of a push later becomes evidence, and only of pushes of ours.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use packetboat_push::Push;
use packetboat_push::pap::{self, Code, PushMessage, ResultNotification, ResultNotificationResponse, State};
use support::{Gateway, Memory, build, call, push, serve_callbacks};

/// A bearer that submitted a push: its witness, where it is told things, and the submission.
async fn submitted(more: &str) -> (Arc<Memory>, SocketAddr, PushMessage) {
    let gateway = Gateway::start(&[]).await;
    let witness = Arc::new(Memory::default());
    let toml = format!(
        "url = \"http://{}/pap\"\ncallback_listen = [\"127.0.0.1:0\"]\ncallback_secret = {{ file = \"callback\" }}\n{more}",
        gateway.address
    );
    let bearer = build(&toml, witness.clone()).unwrap();
    let address = serve_callbacks(bearer.clone().callbacks().unwrap()).await;
    bearer.send(push(Push::mms(1, Bytes::from_static(b"\x8c\x82")).encode())).await.unwrap();
    let asked = gateway.asked().remove(0);
    let body = pap::parse_multipart(asked.field("content-type").unwrap(), &asked.body).unwrap();
    (witness, address, PushMessage::from_xml(&body.control).unwrap())
}

fn told(message: &PushMessage, state: State, code: u32) -> String {
    let notification = ResultNotification {
        push_id: message.push_id.clone(),
        address: message.address.clone(),
        state,
        code: Code(code),
        description: None,
        received: None,
        happened: Some(1_760_000_100),
    };
    notification.to_xml()
}

fn path(address: SocketAddr, message: &PushMessage) -> String {
    let url = message.notify_to.as_deref().unwrap();
    url.strip_prefix(&format!("http://{address}")).unwrap_or(url).to_owned()
}

#[tokio::test]
async fn each_state_becomes_its_evidence() {
    let (witness, address, message) = submitted("").await;
    let path = path(address, &message);
    assert!(path.starts_with("/pap/"), "{path}");
    let states = [
        (State::Pending, 1001, "push_sent PPG: pending, 1001 accepted for processing"),
        (State::Delivered, 1000, "push_delivered PPG: delivered, 1000 OK"),
        (State::Undeliverable, 2003, "push_failed PPG: undeliverable, 2003 address not found"),
        (State::Expired, 4000, "push_failed PPG: expired, 4000 service failure"),
        (State::Aborted, 5000, "push_failed PPG: aborted, 5000 aborted by the phone"),
        (State::Timeout, 4000, "push_failed PPG: timeout, 4000 service failure"),
        (State::Cancelled, 1000, "push_failed PPG: cancelled, 1000 OK"),
        (State::Rejected, 2001, "push_failed PPG: rejected, 2001 forbidden"),
        (State::Unknown, 1000, "push_sent PPG: unknown, 1000 OK"),
    ];
    for (state, code, _) in states {
        let (status, body) = call(address, "POST", &path, &told(&message, state, code)).await;
        let response = ResultNotificationResponse::from_xml(body.as_bytes()).unwrap();
        assert_eq!((status, response.code), (202, Code::OK));
        assert_eq!((response.push_id, response.address), (message.push_id.clone(), message.address.clone()));
    }
    assert_eq!(witness.lines(), states.map(|(_, _, line)| line));
}

#[tokio::test]
async fn a_gateway_with_one_fixed_address_is_believed_by_the_push_id() {
    let (witness, address, message) = submitted("callback_public_url = \"https://mms.example/ppg/\"").await;
    assert!(message.notify_to.as_deref().unwrap().starts_with("https://mms.example/ppg/pap/"));
    for path in ["/pap", "/pap/", "/ppg/pap/"] {
        assert_eq!(call(address, "POST", path, &told(&message, State::Delivered, 1000)).await.0, 202);
    }
    assert_eq!(witness.lines().len(), 3);
}

#[tokio::test]
async fn a_push_that_is_none_of_ours_is_nothing() {
    let (witness, address, message) = submitted("").await;
    let path = path(address, &message);
    let other = PushMessage { push_id: message.push_id.replacen(".1.1.", ".1.2.", 1), ..message.clone() };
    for wrong in ["", "no-at-sign", "a.b.c.d.e@x"] {
        let other = PushMessage { push_id: format!("x{wrong}"), ..message.clone() };
        assert_eq!(call(address, "POST", &path, &told(&other, State::Delivered, 1000)).await.0, 404, "{wrong}");
    }
    let (status, body) = call(address, "POST", "/pap/", &told(&other, State::Delivered, 1000)).await;
    let response = ResultNotificationResponse::from_xml(body.as_bytes()).unwrap();
    assert_eq!((status, response.code), (404, Code::PUSH_ID_NOT_FOUND));
    let good = told(&message, State::Delivered, 1000);
    for wrong in ["/", "/pap/x", &format!("{path}x"), "/papp/"] {
        assert_eq!(call(address, "POST", wrong, &good).await.0, 404, "{wrong}");
    }
    assert_eq!(call(address, "GET", &path, "").await.0, 405);
    assert!(witness.lines().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_or_written_is_not_acknowledged() {
    let (witness, address, message) = submitted("").await;
    let path = path(address, &message);
    for wrong in ["", "<pap>", "<pap><push-response/></pap>", "\u{0}"] {
        let (status, body) = call(address, "POST", &path, wrong).await;
        assert!(status == 400 && body.contains("badmessage-response") && body.contains("code=\"2000\""), "{body}");
    }
    assert_eq!(call(address, "POST", &path, &" ".repeat(100 << 10)).await.0, 413);
    *witness.broken.lock().unwrap() = true;
    assert_eq!(call(address, "POST", &path, &told(&message, State::Delivered, 1000)).await, (503, String::new()));
    assert!(witness.lines().is_empty());
}
