//! What the bearer needs around it: an environment, a witness that remembers, a gateway that answers as it is told.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::evidence::Evidence;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::Priority;
use packetboat_api::party::Msisdn;
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::Witness;
use packetboat_api::roles::{Bearer, Sms, SmsBody};
use packetboat_api::serve::{CancellationToken, Connection, Serve};
use packetboat_api::settings::{Section, Source};
use packetboat_api::store::StoreError;
use packetboat_plugin_kannel::PLUGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// When the tests play.
pub const NOW: Timestamp = Timestamp(1_760_000_000_000);

/// Remembers evidence; refuses it while `broken`.
#[derive(Default)]
pub struct Memory {
    seen: Mutex<Vec<(DeliveryId, Evidence)>>,
    pub broken: Mutex<bool>,
}

impl Memory {
    pub fn seen(&self) -> Vec<(DeliveryId, Evidence)> {
        self.seen.lock().unwrap().clone()
    }

    /// Facts and words of what was seen, one line each.
    pub fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|(_, evidence)| format!("{} {}", evidence.fact, evidence.detail)).collect()
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

/// A bearer named `smsc`, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn build(toml: &str, witness: Arc<Memory>) -> Result<Arc<dyn Bearer>, Vec<String>> {
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join("secret"), "p w&d%\n").unwrap();
    std::fs::write(base.path().join("kannel-secret"), "secret\n").unwrap();
    let env = Env { clock: Arc::new(ManualClock::new(NOW)), witness, ..Env::nowhere("smsc", base.path()) };
    let source = Source { path: Path::new("packetboat.toml").into(), text: toml.into() };
    let parsed = source.parse().unwrap();
    let section =
        Section { source: &source, key: "bearer.smsc".into(), span: parsed.span(), table: parsed.get_ref().clone() };
    let Role::Bearer(factory) = PLUGIN.roles[0] else { panic!("the first role is the bearer") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// Settings for a gateway at `address`, and more of them.
pub fn settings(address: SocketAddr, more: &str) -> String {
    format!(
        "url = \"http://{address}/cgi-bin/sendsms\"\nusername = \"mm s\"\npassword = {{ file = \"secret\" }}\n\
         timeout = \"2s\"\nconnect_timeout = \"1s\"\n{more}\n"
    )
}

/// A push of these octets to +358401234567 for delivery 7-1, of use for an hour.
pub fn push(payload: impl Into<Bytes>) -> Sms {
    Sms {
        to: Msisdn::new("+358401234567").unwrap(),
        body: SmsBody::Push(payload.into()),
        from: None,
        on_behalf_of: String::new(),
        delivery: DeliveryId { message: MessageId(7), index: 0 },
        priority: Priority::Normal,
        expires: NOW.after(Duration::from_secs(3600)),
    }
}

/// A gateway that gives prepared answers, then 202 for ever, and remembers the targets of the requests.
pub struct Gateway {
    pub address: SocketAddr,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    /// Each answer is a status line's end and a body; `None` closes the connection without one.
    pub async fn start(answers: &[Option<(&str, &str)>]) -> Gateway {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let targets = Arc::new(Mutex::new(Vec::new()));
        let ready: VecDeque<_> =
            answers.iter().map(|answer| answer.map(|(a, b)| (a.to_owned(), b.to_owned()))).collect();
        tokio::spawn(answer(socket, ready, targets.clone()));
        Gateway { address, targets }
    }

    /// The parameters of each request, percent-decoded.
    pub fn requests(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
        let targets = self.targets.lock().unwrap();
        targets.iter().map(|target| parameters(target.split_once('?').unwrap().1)).collect()
    }
}

async fn answer(socket: TcpListener, mut ready: VecDeque<Option<(String, String)>>, targets: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut stream, _)) = socket.accept().await {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(octet) = stream.read_u8().await else { break };
            head.push(octet);
        }
        let head = String::from_utf8(head).unwrap();
        targets.lock().unwrap().push(head.split(' ').nth(1).unwrap_or_default().to_owned());
        let answer = ready.pop_front().unwrap_or(Some(("202 Accepted".into(), "0: Accepted for delivery".into())));
        let Some((status, body)) = answer else { continue };
        let text = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(text.as_bytes()).await;
    }
}

/// A query as a map, percent-decoded strictly: a plus sign stays one.
pub fn parameters(query: &str) -> BTreeMap<String, Vec<u8>> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), octets(value))).collect()
}

fn octets(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap());
        out.extend_from_slice(&part.as_bytes()[2..]);
    }
    out
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

/// What `method target` is answered: the status.
pub async fn call(address: SocketAddr, method: &str, target: &str) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
