//! What the SMSC delivers: receipts and messages.

mod support;

use std::sync::Arc;

use packetboat_api::roles::{Bearer, SmsBody};
use rusmpp::CommandId;
use rusmpp::pdus::DeliverSm;
use support::smsc::{Connection, Smsc, pdu, receipt};
use support::{Memory, push, settings, start, until, wsp};

const OK: (CommandId, u32) = (CommandId::DeliverSmResp, 0);
const LATER: (CommandId, u32) = (CommandId::DeliverSmResp, 0x64);
const REJECTED: (CommandId, u32) = (CommandId::DeliverSmResp, 0x66);

struct Scene {
    memory: Arc<Memory>,
    bearer: Arc<dyn Bearer>,
    connection: Connection,
}

impl Scene {
    async fn new() -> Scene {
        let (smsc, memory) = (Smsc::start().await, Arc::new(Memory::default()));
        let bearer = start(&settings(smsc.address(), ""), &memory).await;
        Scene { memory, bearer, connection: smsc.accept_bound().await }
    }

    /// Sends a push whose short messages get these ids.
    async fn send(&mut self, number: u64, length: usize, ids: &[&str]) {
        let take = async {
            for id in ids {
                let submission = self.connection.submission().await;
                self.connection.take(&submission, id).await;
            }
        };
        let (sent, ()) = tokio::join!(self.bearer.send(push(number, wsp(1, length))), take);
        assert_eq!(sent.unwrap().segments as usize, ids.len());
    }

    /// Delivers something; how it is answered.
    async fn deliver(&mut self, deliver: DeliverSm) -> (CommandId, u32) {
        let number = self.connection.deliver(deliver).await;
        self.connection.answer_to(number).await
    }

    /// Delivers octets as the body of a PDU; how it is answered.
    async fn deliver_raw(&mut self, id: u32, body: &[u8]) -> (CommandId, u32) {
        self.connection.sequence += 1;
        let number = self.connection.sequence;
        self.connection.raw(&pdu(id, 0, number, body)).await;
        self.connection.answer_to(number).await
    }
}

/// A deliver_sm from +358401234567 to 100: esm_class, data_coding, message, parameters.
fn body(esm_class: u8, data_coding: u8, message: &[u8], parameters: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = b"\0\x01\x01358401234567\0\x01\x01100\0".to_vec();
    body.extend([esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, message.len() as u8]);
    body.extend_from_slice(message);
    for (tag, value) in parameters {
        body.extend(tag.to_be_bytes());
        body.extend((value.len() as u16).to_be_bytes());
        body.extend_from_slice(value);
    }
    body
}

#[tokio::test]
async fn a_push_is_delivered_when_all_its_parts_are() {
    let mut scene = Scene::new().await;
    scene.send(1, 200, &["a1", "a2"]).await;
    let text = |id: &str, state: &str| receipt(&format!("id:{id} sub:001 dlvrd:001 stat:{state} err:000 text:"));
    assert_eq!(scene.deliver(text("a1", "ENROUTE")).await, OK);
    assert_eq!(scene.deliver(text("a1", "DELIVRD")).await, OK);
    assert_eq!(scene.deliver(text("a1", "DELIVRD")).await, OK);
    assert_eq!(scene.deliver(text("a2", "DELIVRD")).await, OK);
    let lines = scene.memory.lines();
    assert_eq!(
        lines,
        [
            "push_sent SMSC: on its way (ENROUTE, short message 1 of 2, id a1)",
            "push_sent SMSC: reached the phone (DELIVRD, short message 1 of 2, id a1)",
            "push_delivered SMSC: reached the phone (DELIVRD, short message 2 of 2, id a2)",
        ]
    );
}

#[tokio::test]
async fn every_bad_end_is_a_failure_with_its_words() {
    let mut scene = Scene::new().await;
    for (number, (state, words)) in
        (1..).zip([("UNDELIV", "cannot be"), ("REJECTD", "refused"), ("EXPIRED", "ran out"), ("DELETED", "deleted")])
    {
        scene.send(number, 9, &[&format!("f{number}")]).await;
        let text = format!("ID:f{number} Stat:{} Err:0a5 Text:no such phone", state.to_ascii_lowercase());
        assert_eq!(scene.deliver(receipt(&text)).await, OK);
        let line = scene.memory.lines().pop().unwrap();
        assert!(line.starts_with("push_failed ") && line.contains(words) && line.contains("error 0a5"), "{line}");
    }
}

#[tokio::test]
async fn parameters_count_before_the_text() {
    let mut scene = Scene::new().await;
    scene.send(1, 9, &["b1"]).await;
    scene.send(2, 9, &["b2"]).await;
    // The id without its NUL, a text that says nothing.
    let parameters: &[(u16, &[u8])] = &[(0x001E, b"b1"), (0x0427, &[5]), (0x0423, &[3, 0, 9])];
    assert_eq!(scene.deliver_raw(0x05, &body(4, 0, b"sorry", parameters)).await, OK);
    // No bits in esm_class, as a data_sm; the state is a word.
    let mut data = b"\0\x01\x01358401234567\0\x01\x01100\0\0\0\0".to_vec();
    data.extend([0x00, 0x1E, 0, 3]);
    data.extend_from_slice(b"b2\0");
    data.extend([0x04, 0x27, 0, 1, 2]);
    assert_eq!(scene.deliver_raw(0x103, &data).await, (CommandId::DataSmResp, 0));
    let lines = scene.memory.lines();
    assert!(lines[0].contains("UNDELIV") && lines[0].contains("error 9 of network 3"), "{lines:?}");
    assert!(lines[1].starts_with("push_delivered"), "{lines:?}");
}

#[tokio::test]
async fn ids_are_known_in_decimal_and_hexadecimal() {
    let mut scene = Scene::new().await;
    // "10" is an id of its own, and what "a" is in decimal: another phone tells them apart.
    for (number, (said, asked)) in
        (1..).zip([("0000A7F3", "a7f3"), ("1b207", "111111"), ("222222", "3640E"), ("DE-77", "de-77"), ("a", "10")])
    {
        scene.send(number, 9, &[said]).await;
        assert_eq!(scene.deliver(receipt(&format!("id:{asked} stat:DELIVRD"))).await, OK);
        assert_eq!(scene.memory.count("push_delivered"), number as usize, "{said} {asked}");
    }
}

#[tokio::test]
async fn a_receipt_may_overtake_the_answer() {
    let mut scene = Scene::new().await;
    let sending = tokio::spawn({
        let bearer = scene.bearer.clone();
        async move { bearer.send(push(1, wsp(1, 9))).await }
    });
    let submission = scene.connection.submission().await;
    let number = scene.connection.deliver(receipt("id:77 stat:DELIVRD")).await;
    scene.connection.take(&submission, "77").await;
    assert_eq!(scene.connection.answer_to(number).await, OK);
    assert_eq!(scene.memory.count("push_delivered"), 1);
    sending.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_smsc_is_answered_when_the_evidence_is_on_disk() {
    let mut scene = Scene::new().await;
    scene.send(1, 9, &["c1"]).await;
    *scene.memory.broken.lock().unwrap() = true;
    assert_eq!(scene.deliver(receipt("id:c1 stat:DELIVRD")).await, LATER);
    *scene.memory.broken.lock().unwrap() = false;
    assert_eq!(scene.deliver(receipt("id:c1 stat:DELIVRD")).await, OK);
    assert_eq!(scene.memory.lines().len(), 1);
    // What nobody here knows is not asked for again.
    assert_eq!(scene.deliver(receipt("id:unknown stat:DELIVRD")).await, OK);
    assert_eq!(scene.deliver(receipt("your message was delivered")).await, OK);
    assert_eq!(scene.memory.lines().len(), 1);
}

#[tokio::test]
async fn messages_go_to_whoever_takes_them() {
    let mut scene = Scene::new().await;
    let hello = SmsBody::Text("hällo".into());
    // The default alphabet, Latin-1, UCS-2.
    assert_eq!(scene.deliver_raw(0x05, &body(0, 0, b"h\x7Bllo", &[])).await, OK);
    assert_eq!(scene.deliver_raw(0x05, &body(0, 3, b"h\xE4llo", &[])).await, OK);
    assert_eq!(scene.deliver_raw(0x05, &body(0, 8, b"\0h\0\xE4\0l\0l\0o", &[])).await, OK);
    let arrived = scene.memory.arrived();
    assert_eq!((&arrived[0].bearer[..], &arrived[0].from[..], &arrived[0].to[..]), ("smsc", "+358401234567", "+100"));
    assert!(arrived.iter().all(|arrival| arrival.body == hello), "{arrived:?}");

    // A push in two parts with headers, the second first; with parameters; and as one payload.
    let part = |number: u8, octets: &[u8]| [&[11, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 0, 3, 9, 2, number], octets].concat();
    assert_eq!(scene.deliver_raw(0x05, &body(0x40, 4, &part(2, b"\xBEpdu"), &[])).await, OK);
    assert_eq!(scene.deliver_raw(0x05, &body(0x40, 4, &part(1, &[1, 6, 1]), &[])).await, OK);
    let sar = |number: u8| {
        vec![
            (0x020B, vec![0x0B, 0x84]),
            (0x020A, vec![0x23, 0xF0]),
            (0x020C, vec![0, 7]),
            (0x020E, vec![2]),
            (0x020F, vec![number]),
        ]
    };
    for (number, octets) in [(1, &[1, 6, 1][..]), (2, b"\xBEpdu")] {
        let parameters = sar(number);
        let parameters: Vec<(u16, &[u8])> = parameters.iter().map(|(tag, value)| (*tag, &value[..])).collect();
        assert_eq!(scene.deliver_raw(0x05, &body(0, 4, octets, &parameters)).await, OK);
    }
    let payload = body(0, 4, b"", &[(0x020B, &[0x0B, 0x84]), (0x0424, b"\x01\x06\x01\xBEpdu")]);
    assert_eq!(scene.deliver_raw(0x05, &payload).await, OK);
    let arrived = scene.memory.arrived();
    assert_eq!(arrived.len(), 6);
    let push = SmsBody::Push(b"\x01\x06\x01\xBEpdu".as_slice().into());
    assert!(arrived[3..].iter().all(|arrival| arrival.body == push), "{arrived:?}");
}

#[tokio::test]
async fn messages_are_acknowledged_only_when_taken() {
    let mut scene = Scene::new().await;
    *scene.memory.broken.lock().unwrap() = true;
    assert_eq!(scene.deliver_raw(0x05, &body(0, 0, b"hello", &[])).await, LATER);
    *scene.memory.broken.lock().unwrap() = false;
    // A header that is longer than the message will not become better.
    assert_eq!(scene.deliver_raw(0x05, &body(0x40, 4, b"\x20\x05", &[])).await, REJECTED);
    assert_eq!(scene.memory.arrived().len(), 0);
    assert_eq!(scene.deliver_raw(0x05, &body(0, 0, b"hello", &[])).await, OK);
    assert_eq!(scene.memory.arrived().len(), 1);
    // An acknowledgement by a phone's user is nobody's.
    assert_eq!(scene.deliver_raw(0x05, &body(0x10, 0, b"yes", &[])).await, OK);
    assert_eq!(scene.memory.arrived().len(), 1);
}

#[tokio::test]
async fn a_flood_is_told_to_come_again() {
    let mut scene = Scene::new().await;
    // Receipts that wait for the answer to a submission fill the places there are.
    let sending = tokio::spawn({
        let bearer = scene.bearer.clone();
        async move { bearer.send(push(1, wsp(1, 9))).await }
    });
    let submission = scene.connection.submission().await;
    for number in 0..65 {
        scene.connection.deliver(receipt(&format!("id:n{number} stat:DELIVRD"))).await;
    }
    assert_eq!(scene.connection.answer_to(65).await, LATER);
    scene.connection.take(&submission, "n0").await;
    assert_eq!(scene.connection.answer_to(1).await, OK);
    sending.await.unwrap().unwrap();
    until("the receipt", || (scene.memory.count("push_delivered") == 1).then_some(())).await;
}
