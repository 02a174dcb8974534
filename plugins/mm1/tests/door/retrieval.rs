//! Retrievals: what goes out is what is stored, of any size, in pieces, and it counts only when the phone has read it.

use std::time::Duration;

use crate::support::{Door, TOKEN, fetch};
use bytes::Bytes;
use packetboat_api::evidence::Fact;
use packetboat_api::message::Identity;
use packetboat_api::road::FetchError;
use packetboat_mms::codes::RetrieveStatus;
use packetboat_mms::{Field, PduType, decode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PIECE: usize = 256 << 10;

fn octets(length: usize) -> Bytes {
    (0..length).map(|at| (at * 31 % 251) as u8).collect::<Vec<u8>>().into()
}

#[tokio::test]
async fn content_of_any_size_goes_out_as_it_is_stored() {
    let door = Door::open("").await;
    for length in [0, 1, 100_000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17] {
        let content = octets(length);
        door.road.holds(content.clone());
        let answer = door.get(&format!("/{TOKEN}")).await;
        assert_eq!((answer.status, answer.field("content-type")), (200, Some("application/vnd.wap.mms-message")));
        assert_eq!(answer.field("content-length"), Some(answer.body.len().to_string().as_str()), "{length}");
        assert_eq!(answer.field("connection"), Some("close"));
        let pdu = decode(&answer.body).expect("a PDU");
        assert_eq!(
            (pdu.kind, pdu.transaction_id(), pdu.message_id()),
            (PduType::RetrieveConf, Some(&TOKEN[..12]), Some("abc@mmsc.test"))
        );
        assert_eq!((pdu.delivery_report(), pdu.read_report(), pdu.subject()), (Some(true), Some(true), Some("hello")));
        let parts = pdu.parts();
        assert_eq!(parts.len(), 1);
        assert!(parts[0].content().is_some_and(|body| *body == content), "{length} octets");
        assert!(
            door.road.ranges.lock().unwrap().drain(..).all(|range| range.end - range.start <= PIECE as u64),
            "in pieces"
        );
    }
    assert_eq!(door.road.facts(), [Fact::Fetched; 8]);
}

#[tokio::test]
async fn a_message_is_found_by_its_whole_token_and_what_phones_append() {
    let door = Door::open("").await;
    door.road.holds(octets(10));
    let tid = &TOKEN[..12];
    for path in [
        format!("/{TOKEN}"),
        format!("/{TOKEN}{tid}"),
        format!("/{TOKEN}?{tid}"),
        format!("/{TOKEN}?transactionid={tid}"),
        format!("http://mms.example.net:8002/{TOKEN}"),
        format!("/some/prefix/{TOKEN}"),
    ] {
        let answer = door.get(&path).await;
        let pdu = decode(&answer.body).expect("a PDU");
        assert_eq!((answer.status, pdu.retrieve_status()), (200, None), "{path}");
    }
    // The transaction id alone is told to others too, and shorter.
    for path in [format!("/{tid}"), format!("/{}", &TOKEN[..21]), "/".to_owned(), "/mms/x".to_owned()] {
        assert_eq!(door.get(&path).await.status, 404, "{path}");
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(door.ask(head.as_bytes()).await.status, 404, "{path}");
    }
    assert_eq!(door.ask(format!("HEAD /{TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.status, 200);
    let wrong = door.get(&format!("/{}", "x".repeat(22))).await;
    assert_eq!(decode(&wrong.body).expect("a PDU").retrieve_status(), Some(RetrieveStatus::PermanentMessageNotFound));
}

#[tokio::test]
async fn what_is_not_there_is_said_in_a_pdu() {
    let door = Door::open("").await;
    for (error, status) in [
        (FetchError::Unknown, RetrieveStatus::PermanentMessageNotFound),
        (FetchError::Expired, RetrieveStatus::PermanentMessageNotFound),
        (FetchError::Gone, RetrieveStatus::PermanentMessageNotFound),
        (FetchError::TryLater, RetrieveStatus::TransientFailure),
    ] {
        *door.road.fetch_error.lock().unwrap() = Some(error.clone());
        let answer = door.get(&format!("/{TOKEN}")).await;
        let pdu = decode(&answer.body).expect("a PDU");
        assert_eq!((answer.status, pdu.retrieve_status()), (200, Some(status)), "{error}");
        assert!(pdu.retrieve_text().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(door.road.facts(), []);
}

/// A mail becomes an MMS while it goes out; a content that cannot be read breaks the answer off, and counts for nothing.
#[tokio::test]
async fn mail_and_damage() {
    let door = Door::open("").await;
    let content = octets(PIECE + 5);
    door.road.holds(content.clone());
    *door.road.fetch.lock().unwrap() = Some(fetch(content.len() as u64, Identity::User("ann".to_owned())));
    let answer = door.get(&format!("/{TOKEN}")).await;
    let pdu = decode(&answer.body).expect("a PDU");
    assert!(pdu.parts().iter().any(|part| part.content().is_some_and(|body| *body == content)));
    assert_eq!(pdu.texts(Field::To).next(), Some("+447700900123/TYPE=PLMN"));
    assert_eq!(door.road.facts(), [Fact::Fetched]);

    door.road.seen.lock().unwrap().clear();
    *door.road.content.lock().unwrap() = content.slice(..PIECE);
    let (mut client, served) = read_some(&door, 0).await;
    let mut said = Vec::new();
    let _ = client.read_to_end(&mut said).await;
    assert!(said.len() < content.len(), "the phone sees that it is not whole");
    drop(client);
    served.await.expect("an end");
    assert_eq!(door.road.facts(), []);
}

/// Sends a request for the message and reads so much of the answer.
async fn read_some(door: &Door, octets: usize) -> (tokio::net::TcpStream, tokio::task::JoinHandle<()>) {
    let (mut client, served) = door.connect().await;
    let request = format!("GET /{TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n");
    client.write_all(request.as_bytes()).await.expect("a server that listens");
    client.read_exact(&mut vec![0; octets]).await.expect("the beginning of an answer");
    (client, served)
}

#[tokio::test]
async fn only_who_reads_to_the_end_and_closes_has_fetched() {
    let door = Door::open("").await;
    // Small enough that all of it is in the network's hands at once.
    door.road.holds(octets(20_000));
    let (client, served) = read_some(&door, 1000).await;
    drop(client); // with octets unread: a reset
    served.await.expect("an end");
    assert_eq!(door.road.facts(), [], "it broke off");

    let (client, served) = read_some(&door, 1000).await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(200)).await;
    served.await.expect("an end");
    tokio::time::resume();
    assert_eq!(door.road.facts(), [], "of who neither reads nor closes nothing is known");
    drop(client);

    let (mut client, served) = read_some(&door, 1000).await;
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("the rest");
    assert_eq!(door.road.facts(), [], "it has not closed yet");
    drop(client);
    served.await.expect("an end");
    assert_eq!(door.road.facts(), [Fact::Fetched]);
}

#[tokio::test]
async fn who_asks_further_on_the_same_connection_has_read_what_came_before() {
    let door = Door::open("keep_alive = true").await;
    door.road.holds(octets(1000));
    let (mut client, served) = door.connect().await;
    for round in 0..3 {
        let request = format!("GET /{TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n");
        client.write_all(request.as_bytes()).await.expect("a server that listens");
        let mut answer = Vec::new();
        while !answer.windows(1000).any(|window| window == &octets(1000)[..]) {
            assert!(client.read_buf(&mut answer).await.expect("more") > 0);
        }
        assert_eq!(door.road.facts().len(), round);
    }
    drop(client);
    served.await.expect("an end");
    assert_eq!(door.road.facts(), [Fact::Fetched; 3]);
}

#[tokio::test]
async fn draining_does_not_wait_long_for_who_does_not_close() {
    let door = Door::open("").await;
    door.road.holds(octets(1000));
    let (client, served) = read_some(&door, 100).await;
    tokio::time::pause();
    door.drain.cancel();
    let before = tokio::time::Instant::now();
    served.await.expect("an end");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    drop(client);
}
