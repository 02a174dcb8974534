//! The callback server: what it gives to a plugin, and its bounds.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use packetboat_api::serve::{CancellationToken, Connection};
use packetboat_net::callback::{
    Base, Call, Fields, Limits, MAX_FIELDS, Reply, percent_decoded, percent_encoded, serve,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LIMITS: Limits = Limits { head: 8192, body: 100, silence: Duration::from_secs(20) };

/// Serves connections; each call is remembered and answered 202 with "heard".
async fn serving(limits: Limits, drain: CancellationToken) -> (SocketAddr, Arc<Mutex<Vec<Call>>>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let local = socket.local_addr().unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let heard = calls.clone();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = socket.accept().await {
            let drain = drain.clone();
            let connection = Connection { stream: Box::new(stream), peer, local, secure: false, upgrade: None, drain };
            let heard = heard.clone();
            tokio::spawn(async move {
                let hear = |call: Call| {
                    heard.lock().unwrap().push(call);
                    let reply =
                        Reply { status: StatusCode::ACCEPTED, content_type: "text/plain", body: "heard".into() };
                    std::future::ready(reply)
                };
                serve(connection, limits, "test", hear).await;
            });
        }
    });
    (local, calls)
}

/// What these octets are answered, to the end of the connection.
async fn said(address: SocketAddr, octets: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(octets.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_call_is_given_whole() {
    let (address, calls) = serving(LIMITS, CancellationToken::new()).await;
    let answer = said(
        address,
        "POST /front/dlr/tok%20en?a=1&b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n\r\n3\r\nc=%\r\n5\r\n00+&d\r\n0\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nheard"));
    let calls = calls.lock().unwrap();
    let call = &calls[0];
    assert_eq!((&call.method, &call.path[..], &call.query[..]), (&Method::POST, "/front/dlr/tok%20en", "a=1&b"));
    assert_eq!((call.below("/dlr/"), call.below("/sms/")), (Some("tok%20en"), None));
    assert_eq!(call.media_type(), "application/x-www-form-urlencoded");
    assert!(call.peer.is_loopback());
    let fields = call.fields();
    assert_eq!(fields.text("a").as_deref(), Some("1"));
    assert_eq!(fields.octets("c").map(|octets| &octets[..]), Some(&b"\0 "[..]));
    assert_eq!(
        (fields.text("b").as_deref(), fields.text("d").as_deref(), fields.text("e")),
        (Some(""), Some(""), None)
    );
}

#[tokio::test]
async fn bodies_heads_and_silence_are_bounded() {
    let (address, calls) = serving(LIMITS, CancellationToken::new()).await;
    let long = "x".repeat(101);
    let post = |more: &str| format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}");
    for body in [
        format!("Content-Length: 101\r\n\r\n{long}"),
        format!("Transfer-Encoding: chunked\r\n\r\n65\r\n{long}\r\n0\r\n\r\n"),
    ] {
        assert!(said(address, &post(&body)).await.starts_with("HTTP/1.1 413 "));
    }
    let head = post(&format!("X: {}\r\n\r\n", "x".repeat(9000)));
    assert!(said(address, &head).await.starts_with("HTTP/1.1 431 "));
    let impatient = Limits { silence: Duration::from_millis(50), ..LIMITS };
    let (address, silent) = serving(impatient, CancellationToken::new()).await;
    assert!(said(address, &post("Content-Length: 5\r\n\r\nx")).await.starts_with("HTTP/1.1 408 "));
    assert_eq!(said(address, "POST / HT").await, "");
    assert!(calls.lock().unwrap().is_empty() && silent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn draining_ends_idle_connections() {
    let drain = CancellationToken::new();
    let (address, calls) = serving(LIMITS, drain.clone()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    drain.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(ended.expect("the connection ends").is_ok() && calls.lock().unwrap().len() == 1);
}

#[test]
fn fields_are_octets_and_bounded() {
    assert_eq!(percent_decoded("a+b%2B%zz%4"), b"a b+%zz%4");
    let every: Vec<u8> = (0..=255).collect();
    let encoded = percent_encoded(&every);
    assert_eq!(percent_decoded(&encoded), every);
    assert!(encoded.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"%-._~".contains(&octet)));
    let many: String = (0..=MAX_FIELDS).map(|at| format!("f{at}=x&")).collect();
    let fields = Fields::read(&many);
    assert!(fields.text("f0").is_some() && fields.text(&format!("f{MAX_FIELDS}")).is_none());
}

#[test]
fn addresses_begin_with_what_the_operator_says_or_what_was_bound() {
    let base = Base::new("https://mms.example/gw//").unwrap();
    base.bound(&["127.0.0.1:1".parse().unwrap()], false);
    assert_eq!(base.url(), Some("https://mms.example/gw"));
    assert!(base.doubt(&["0.0.0.0:1".into()]).is_none());
    let base = Base::new("").unwrap();
    assert_eq!(base.url(), None);
    base.bound(&["127.0.0.1:1".parse().unwrap()], true);
    base.bound(&["127.0.0.1:2".parse().unwrap()], false);
    assert_eq!(base.url(), Some("https://127.0.0.1:1"));
    assert!(base.doubt(&["[::]:1".into()]).is_some() && base.doubt(&["127.0.0.1:1".into()]).is_none());
    assert!(Base::new("mms.example").is_err() && Base::new("http://mms.example/?a").is_err());
}
