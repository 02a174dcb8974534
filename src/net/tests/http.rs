//! The HTTP client against a peer that follows a script.

mod peer;

use std::io::Write;
use std::time::Duration;

use packetboat_net::http::{Client, ErrorKind, Options, basic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Serves one connection: reads a request, writes `answer`, then closes or hangs. Gives the request back.
async fn answering(answer: &'static [u8], hang: bool) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}/cgi-bin/sendsms?to=1", listener.local_addr().expect("address"));
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let read = stream.read(&mut piece).await.expect("read");
            request.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&request);
            let whole = text.contains("\r\n\r\n") && (text.starts_with("GET") || text.ends_with("body"));
            if read == 0 || whole {
                break;
            }
        }
        stream.write_all(answer).await.expect("write");
        if hang {
            let _ = stream.read(&mut piece).await;
        }
        String::from_utf8_lossy(&request).into_owned()
    });
    (url, task)
}

fn client(change: impl FnOnce(&mut Options)) -> Client {
    let mut options = Options { user_agent: "Boat/1".to_owned(), ..Options::default() };
    change(&mut options);
    Client::new(&options).expect("client")
}

#[tokio::test]
async fn get_and_post_bring_status_type_and_body() {
    let answer =
        b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n\r\n0: Accepted for deliver";
    let (url, task) = answering(answer, false).await;
    let got = client(|_| ()).get(&url).await.expect("answer");
    assert_eq!((got.status, got.content_type.as_deref()), (202, Some("text/plain")));
    assert_eq!(got.text(), "0: Accepted for delive");
    let request = task.await.expect("peer").to_ascii_lowercase();
    assert!(request.contains("user-agent: boat/1\r\n"), "{request}");

    let (url, task) = answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", false).await;
    let got = client(|_| ()).post(&url, "application/x-test", "a body").await.expect("answer");
    assert_eq!((got.status, got.is_success()), (503, false));
    let request = task.await.expect("peer");
    assert!(request.to_ascii_lowercase().contains("content-type: application/x-test\r\n"), "{request}");
}

#[tokio::test]
async fn https_believes_the_authorities_it_is_given() {
    let (config, pem) = peer::certificate("localhost");
    let mut ca = tempfile::NamedTempFile::new().expect("file");
    ca.write_all(pem.as_bytes()).expect("write");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("https://localhost:{}/", listener.local_addr().expect("address").port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = tokio_rustls::TlsAcceptor::from(config.clone()).accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 204 Fine\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    let known = client(|o| o.ca_file = Some(ca.path().to_owned()));
    assert_eq!(known.get(&url).await.expect("answer").status, 204);
    let unknown = client(|_| ()).get(&url).await.expect_err("unknown authority");
    assert_eq!(unknown.kind, ErrorKind::Connect, "{}", unknown.detail);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let (url, _task) = answering(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", false).await;
    assert_eq!(client(|_| ()).get(&url).await.expect("answer").status, 302);
}

#[tokio::test]
async fn bodies_are_bounded_with_and_without_a_declared_length() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n0\r\n\r\n",
    ] {
        let (url, _task) = answering(answer, true).await;
        let error = client(|o| o.max_body = 7).get(&url).await.expect_err("too large");
        assert_eq!(error.kind, ErrorKind::TooLarge);
    }
}

#[tokio::test]
async fn failures_say_whether_the_request_may_have_arrived() {
    let (url, _task) = answering(b"", true).await;
    let slow = client(|o| o.timeout = Duration::from_millis(100)).get(&url).await.expect_err("hangs");
    assert_eq!(slow.kind, ErrorKind::Timeout);

    let (url, _task) = answering(b"", false).await;
    let broken = client(|_| ()).get(&url).await.expect_err("closed");
    assert_eq!(broken.kind, ErrorKind::Broken);
    assert!(broken.kind.may_have_arrived());

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}/?password=secret", listener.local_addr().expect("address"));
    drop(listener);
    let refused = client(|_| ()).get(&url).await.expect_err("nobody there");
    assert_eq!(refused.kind, ErrorKind::Connect);
    assert!(!refused.kind.may_have_arrived());
    assert!(!refused.detail.contains("secret"), "{}", refused.detail);

    let nonsense = client(|_| ()).get("not a url").await.expect_err("no url");
    assert_eq!(nonsense.kind, ErrorKind::Request);
}

#[tokio::test]
async fn any_request_can_be_sent_and_its_header_read() {
    let answer = b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nX-Id: 7\r\nContent-Length: 0\r\n\r\n";
    let (url, task) = answering(answer, false).await;
    let request = http::Request::put(&url).header("X-Key", "k").header("Authorization", basic("me", "pass word"));
    let request = request.body("a body".into()).expect("request");
    let got = client(|options| options.user_agent.clear()).send(request).await.expect("answer");
    assert_eq!((got.status, got.headers["x-id"].to_str().ok()), (429, Some("7")));
    assert_eq!(got.retry_after(), Some(Duration::from_secs(120)));
    let request = task.await.expect("peer").to_ascii_lowercase();
    assert!(request.starts_with("put /cgi-bin/sendsms?to=1 http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nx-key: k\r\n") && request.contains("\r\nauthorization: basic bwu6cgfzcyb3b3jk\r\n"));
    assert!(!request.contains("user-agent"), "{request}");
    assert!(request.ends_with("\r\n\r\na body"));

    for (field, expected) in [("999999999", Some(86_400)), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)] {
        let answer = format!("HTTP/1.1 503 No\r\nRetry-After: {field}\r\nContent-Length: 0\r\n\r\n");
        let (url, _task) = answering(answer.leak().as_bytes(), false).await;
        let got = client(|_| ()).get(&url).await.expect("answer");
        assert_eq!(got.retry_after(), expected.map(Duration::from_secs));
    }
    let nowhere = http::Request::get("/only/a/path").body(bytes::Bytes::new()).expect("request");
    assert_eq!(client(|_| ()).send(nowhere).await.expect_err("no host").kind, ErrorKind::Request);
}
