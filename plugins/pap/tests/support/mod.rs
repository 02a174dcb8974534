//! What the bearer needs around it: an environment, a witness that remembers, a gateway that answers as it is told.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::evidence::Evidence;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::party::Msisdn;
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::Witness;
use packetboat_api::roles::{Bearer, Sms, SmsBody};
use packetboat_api::serve::{CancellationToken, Connection, Serve};
use packetboat_api::settings::{Section, Source};
use packetboat_api::store::StoreError;
use packetboat_plugin_pap::PLUGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When the tests play: 2025-10-09T08:53:20Z.
pub const NOW: Timestamp = Timestamp(1_760_000_000_000);

/// Remembers evidence; refuses it while `broken`.
#[derive(Default)]
pub struct Memory {
    seen: Mutex<Vec<(DeliveryId, Evidence)>>,
    pub broken: Mutex<bool>,
}

impl Memory {
    /// Facts and words of what was seen, one line each.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        assert!(seen.iter().all(|(delivery, _)| *delivery == sms(SmsBody::Text(String::new())).delivery));
        seen.iter().map(|(_, evidence)| format!("{} {}", evidence.fact, evidence.detail)).collect()
    }
}

#[async_trait]
impl Witness for Memory {
    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Unavailable("out of order".into()));
        }
        self.seen.lock().unwrap().push((delivery, evidence));
        Ok(())
    }
}

/// A bearer named `ppg` on node mms.example, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn build(toml: &str, witness: Arc<Memory>) -> Result<Arc<dyn Bearer>, Vec<String>> {
    let base = tempfile::tempdir().unwrap();
    for (name, secret) in [("password", "secret"), ("callback", "a secret of our own"), ("short", "short")] {
        std::fs::write(base.path().join(name), format!("{secret}\n")).unwrap();
    }
    let clock = Arc::new(ManualClock::new(NOW));
    let env = Env { clock, witness, node: "mms.example".into(), ..Env::nowhere("ppg", base.path()) };
    let source = Source { path: Path::new("packetboat.toml").into(), text: toml.into() };
    let parsed = source.parse().unwrap();
    let section =
        Section { source: &source, key: "bearer.ppg".into(), span: parsed.span(), table: parsed.get_ref().clone() };
    let Role::Bearer(factory) = PLUGIN.roles[0] else { panic!("the first role is the bearer") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// What goes to +358401234567 for delivery 7-1, of use for an hour.
pub fn sms(body: SmsBody) -> Sms {
    let (to, delivery) = (Msisdn::new("+358401234567").unwrap(), DeliveryId { message: MessageId(7), index: 0 });
    Sms::plain(to, delivery, body, NOW.after(Duration::from_secs(3600)))
}

pub fn push(octets: impl Into<Bytes>) -> Sms {
    sms(SmsBody::Push(octets.into()))
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub head: String,
    pub body: Bytes,
}

impl Asked {
    pub fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The document of a gateway that took the push.
pub const ACCEPTED: &str = "<?xml version=\"1.0\"?><!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 1.0//EN\" \
    \"http://www.wapforum.org/DTD/pap_1.0.dtd\"><pap><push-response push-id=\"p\" reply-time=\"2025-10-09T08:53:20Z\">\
    <response-result code=\"1001\" desc=\"The request has been accepted for processing.\"></response-result></push-response></pap>";

/// A gateway that gives prepared answers, then takes everything, and remembers what it was asked.
pub struct Gateway {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Gateway {
    /// Each answer is a status line's end (with more of a header, if need be) and a body; `None` closes the connection.
    pub async fn start(answers: &[Option<(&str, &str)>]) -> Gateway {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut ready: VecDeque<_> =
            answers.iter().map(|answer| answer.map(|(a, b)| (a.to_owned(), b.to_owned()))).collect();
        let remembered = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                remembered.lock().unwrap().push(request);
                let answer = ready.pop_front().unwrap_or(Some(("202 Accepted".into(), ACCEPTED.into())));
                let Some((status, body)) = answer else { continue };
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Gateway { address, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let mut asked = Asked { head: String::from_utf8(head).unwrap(), body: Bytes::new() };
    let mut body = vec![0; asked.field("content-length")?.parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    asked.body = body.into();
    Some(asked)
}

/// Serves the bearer's callbacks on a port of its own, as the daemon does.
pub async fn serve_callbacks(callbacks: Arc<dyn Serve>) -> SocketAddr {
    let socket = TcpListener::bind(&callbacks.listen().listen[0]).await.unwrap();
    let local = socket.local_addr().unwrap();
    callbacks.bound(&[local]);
    tokio::spawn(async move {
        while let Ok((stream, peer)) = socket.accept().await {
            let drain = CancellationToken::new();
            let connection = Connection { stream: Box::new(stream), peer, local, secure: false, upgrade: None, drain };
            let callbacks = callbacks.clone();
            tokio::spawn(async move { callbacks.serve(connection).await });
        }
    });
    local
}

/// What `method target` with a document is answered: status and body.
pub async fn call(address: SocketAddr, method: &str, target: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/xml\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
