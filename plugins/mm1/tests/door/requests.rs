//! Requests of every kind at the door, and what each is answered.

use crate::support::{Answer, BOB, CAROL, Door, MAX_SIZE, SECRET, TOKEN, listener, post};
use bytes::Bytes;
use packetboat_api::evidence::Fact;
use packetboat_api::message::Identity;
use packetboat_api::mime::{Entity, MediaType};
use packetboat_api::road::{FetchError, RefusalKind};
use packetboat_mms::codes::{ReadStatus, ResponseStatus, Status};
use packetboat_mms::{Field, FromValue, Pdu, PduType, Version, decode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const V: Version = Version::V1_2;

fn send_req(tid: &str, text: &str) -> Vec<u8> {
    let part = Entity::leaf(MediaType::new("text/plain"), Bytes::copy_from_slice(text.as_bytes()));
    let content = Entity::multipart(MediaType::new("application/vnd.wap.multipart.mixed"), vec![part]);
    Pdu::send_req(tid, V, FromValue::InsertAddress, content).with(Field::To, BOB).to_vec()
}

fn mmsc() -> String {
    format!("/mms/{SECRET}")
}

#[track_caller]
fn conf(answer: &Answer) -> Pdu {
    assert_eq!(answer.status, 200, "{answer:?}");
    let pdu = decode(&answer.body).expect("a PDU");
    assert_eq!(pdu.kind, PduType::SendConf);
    pdu
}

#[tokio::test]
async fn a_submission_is_taken_from_the_phone_it_is_known_to_be_from() {
    let door = Door::open("").await;
    let taken = conf(&door.post(&mmsc(), &send_req("t1", "hello")).await);
    assert_eq!((taken.transaction_id(), taken.response_status()), (Some("t1"), Some(ResponseStatus::Ok)));
    assert_eq!(taken.message_id(), Some("new@mmsc.test"));
    let submission = door.road.submissions.lock().unwrap().pop().expect("a submission");
    assert!(matches!(submission.identity, Identity::Subscriber(number) if number.to_string() == CAROL));
    assert_eq!(submission.envelope.from.map(|from| from.to_string()).as_deref(), Some(CAROL));

    let nobody = conf(&door.post("/", &send_req("t1", "hello")).await);
    assert_eq!(nobody.response_status(), Some(ResponseStatus::PermanentServiceDenied));
    assert!(door.road.submissions.lock().unwrap().is_empty());
    *door.road.refuse.lock().unwrap() = Some(RefusalKind::Full);
    let full = conf(&door.post(&mmsc(), &send_req("t1", "hello")).await);
    assert_eq!(full.response_status(), Some(ResponseStatus::TransientFailure));
    assert_eq!(full.message_id(), None);
}

/// A phone that begins to count anew says something else under an old transaction id: that is another message.
#[tokio::test]
async fn a_repetition_is_known_by_all_that_it_says() {
    let door = Door::open("").await;
    let twice = |tid, text| [send_req(tid, text), send_req(tid, text)];
    for request in [twice("t1", "hello").to_vec(), vec![send_req("t1", "other"), send_req("t2", "hello")]].concat() {
        conf(&door.post(&mmsc(), &request).await);
    }
    let keys: Vec<_> = door.road.submissions.lock().unwrap().drain(..).map(|it| it.dedupe).collect();
    assert!(keys[0].is_some());
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0] != keys[2] && keys[0] != keys[3] && keys[2] != keys[3]);
}

/// Cases B-02, B-06.
#[tokio::test]
async fn what_is_too_large_or_unreadable_is_said_in_a_pdu() {
    let door = Door::open("").await;
    let most = usize::try_from(MAX_SIZE).expect("a size") + (64 << 10);
    let large = send_req("big", &"x".repeat(most + 1));
    let refused = conf(&door.post(&mmsc(), &large).await);
    assert_eq!(
        (refused.transaction_id(), refused.response_status()),
        (Some("big"), Some(ResponseStatus::PermanentContentNotAccepted))
    );
    let chunked = [
        format!("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", mmsc(), large.len())
            .into_bytes(),
        large.clone(),
        b"\r\n0\r\n\r\n".to_vec(),
    ];
    assert_eq!(conf(&door.ask(&chunked.concat()).await).transaction_id(), Some("big"));
    assert_eq!(door.post("/", &vec![0; most + 1]).await.status, 413, "what says nothing of itself");

    let whole = send_req("t1", "hello");
    let cut = conf(&door.post(&mmsc(), &whole[..whole.len() - 3]).await);
    assert_eq!(
        (cut.transaction_id(), cut.response_status()),
        (Some("t1"), Some(ResponseStatus::PermanentMessageFormatCorrupt))
    );
    let version = whole.windows(2).position(|two| two == [0x8d, 0x92]).expect("the version");
    let newer = [&whole[..version], &[0x8d, 0xa0], &whole[version + 2..]].concat();
    assert_eq!(
        conf(&door.post(&mmsc(), &newer).await).response_status(),
        Some(ResponseStatus::PermanentMessageFormatCorrupt)
    );
    for nonsense in [&b""[..], b"\x8c", b"GET / HTTP/1.1", &[0xff; 300], &[0x8c, 0x82, 0x98]] {
        assert_eq!(door.post(&mmsc(), nonsense).await.status, 400, "{nonsense:x?}");
    }
    let notification = Pdu::<Bytes>::delivery_ind(V, "a@b", BOB, 0, Status::Retrieved).to_vec();
    assert_eq!(door.post(&mmsc(), &notification).await.status, 400, "not from a phone");
    assert!(door.road.submissions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_a_phone_says_of_its_message_is_evidence() {
    let door = Door::open("trusted_proxies = [\"127.0.0.1/32\"]").await;
    door.road.holds(Bytes::from_static(b"hello"));
    let tid = &TOKEN[..12];
    let from = |number: &str, path: &str, pdu: &Pdu| {
        let body = pdu.to_vec();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nX-MSISDN: {number}\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    };
    let said = |status| Pdu::<Bytes>::notifyresp_ind(tid, V, status);
    for (pdu, fact) in [
        (said(Status::Retrieved), Fact::Retrieved),
        (said(Status::Deferred), Fact::Deferred),
        (said(Status::Rejected), Fact::Rejected),
        (said(Status::Unrecognised), Fact::Unrecognised),
        (Pdu::acknowledge_ind(tid, V), Fact::Retrieved),
    ] {
        assert_eq!(door.ask(&from(BOB, "/", &pdu)).await.status, 200);
        assert_eq!(door.road.seen.lock().unwrap().pop().map(|(fact, _)| fact), Some(fact));
    }
    // A phone that leaves the transaction id out is known by the address it posts to.
    let unnamed = Pdu::<Bytes>::notifyresp_ind("", V, Status::Retrieved);
    assert_eq!(door.ask(&from(BOB, &format!("/{TOKEN}"), &unnamed)).await.status, 200);
    assert_eq!(door.road.facts(), [Fact::Retrieved]);
    door.road.seen.lock().unwrap().clear();

    assert!(!*door.road.forbidden.lock().unwrap());
    let silent = said(Status::Retrieved).with(Field::ReportAllowed, false);
    door.ask(&from(BOB, "/", &silent)).await;
    assert!(*door.road.forbidden.lock().unwrap());
    door.road.seen.lock().unwrap().clear();

    // Nobody speaks for another (I-7); what is not there is taken kindly; what cannot be written down is to be said again.
    assert_eq!(door.ask(&from(CAROL, "/", &said(Status::Rejected))).await.status, 200);
    let unknown = Pdu::<Bytes>::acknowledge_ind("nothing-of-ours", V);
    assert_eq!(door.ask(&from(BOB, "/", &unknown)).await.status, 200);
    *door.road.fetch_error.lock().unwrap() = Some(FetchError::TryLater);
    assert_eq!(door.ask(&from(BOB, "/", &said(Status::Retrieved))).await.status, 503);
    assert_eq!(door.road.facts(), []);

    let read = Pdu::<Bytes>::read_rec_ind(V, "abc@mmsc.test", CAROL, FromValue::InsertAddress, ReadStatus::Read);
    assert_eq!(door.ask(&from(BOB, "/", &read)).await.status, 200);
    assert_eq!(*door.road.read.lock().unwrap(), [("abc@mmsc.test".to_owned(), BOB.to_owned(), true)]);
    assert_eq!(door.post("/mms/NoSecretOfOurs0", &read.to_vec()).await.status, 200);
    assert_eq!(door.road.read.lock().unwrap().len(), 1, "nobody knows who that is");
}

#[tokio::test]
async fn only_its_recipient_deletes_or_forwards_a_message() {
    let door = Door::open("trusted_proxies = [\"127.0.0.1/32\"]").await;
    door.road.holds(Bytes::from_static(b"hello"));
    let url = format!("http://x/{TOKEN}");
    let forward =
        |tid| Pdu::<Bytes>::forward_req(tid, V, FromValue::InsertAddress, &url).with(Field::To, CAROL).to_vec();
    let from = |number: &str, body: &[u8]| {
        let head =
            format!("POST / HTTP/1.1\r\nHost: x\r\nX-MSISDN: {number}\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let status = |answer: &Answer| decode(&answer.body).expect("a PDU").response_status();
    assert_ne!(status(&door.ask(&from(CAROL, &forward("f1"))).await), Some(ResponseStatus::Ok));
    assert!(door.road.submissions.lock().unwrap().is_empty());
    assert_eq!(status(&door.ask(&from(BOB, &forward("f1"))).await), Some(ResponseStatus::Ok));
    let submission = door.road.submissions.lock().unwrap().pop().expect("a submission");
    assert_eq!(submission.mail.root.content().map(|body| &body[..]), Some(&b"hello"[..]));
    *door.road.fetch_error.lock().unwrap() = Some(FetchError::TryLater);
    assert_eq!(status(&door.ask(&from(BOB, &forward("f2"))).await), Some(ResponseStatus::TransientFailure));
}

#[tokio::test]
async fn odd_requests_get_http_answers() {
    let door = Door::open("upload_time = \"200ms\"").await;
    let answer = door.ask(b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.field("allow")), (405, Some("get, head, post")));
    assert_eq!(door.ask(b"nonsense\r\n\r\n").await.status, 400);
    let large = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(400_000));
    let (mut client, served) = door.connect().await;
    let _ = client.write_all(large.as_bytes()).await; // it may have heard enough before the end
    let mut said = Vec::new();
    let _ = client.read_to_end(&mut said).await;
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&said));
    served.await.expect("an end");

    let slow = post(&mmsc(), &send_req("t1", "hello"));
    let answer = door.ask(&slow[..slow.len() - 1]).await;
    assert_eq!(answer.status, 408, "it never comes to an end");
}

#[tokio::test]
async fn addresses_that_phones_cannot_use_are_mistakes() {
    let door = Door::open("").await;
    let build = |toml: &str| listener(&door.road, door.directory.path(), toml);
    for bad in
        ["mms.example.net", "ftp://mms.example.net", "http://", "http://mms.example.net/?x=1", "/mms", "http://a b/"]
    {
        let error = build(&format!("public_url = \"{bad}\"")).err().unwrap_or_default();
        assert!(error.contains("packetboat.toml:1:1: listener.handsets.public_url"), "{bad}: {error}");
    }
    let doubts = build("public_url = \"http://192.0.2.1:8002\"").expect("a listener").check();
    assert_eq!(doubts.len(), 2, "nobody can submit, and not a host name: {doubts:?}");
    let well =
        build("public_url = \"http://mms.example.net:8002/\"\ntrusted_proxies = [\"10.0.0.0/8\"]").expect("a listener");
    assert_eq!(well.check(), [""; 0]);
    assert_eq!(
        well.door().and_then(|door| door.url().map(str::to_owned)).as_deref(),
        Some("http://mms.example.net:8002")
    );
}
