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
use packetboat_api::party::Msisdn;
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::{Arrivals, Refusal, RefusalKind, Witness};
use packetboat_api::roles::{Arrival, Bearer, Sms, SmsBody};
use packetboat_api::serve::{CancellationToken, Connection, Serve};
use packetboat_api::settings::{Section, Source};
use packetboat_api::store::StoreError;
use packetboat_plugin_kannel::PLUGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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

/// Takes what arrives, or says "later" as often as it is told to.
#[derive(Default)]
pub struct Desk {
    pub later: Mutex<u32>,
    taken: Mutex<Vec<Arrival>>,
}

impl Desk {
    pub fn taken(&self) -> Vec<Arrival> {
        self.taken.lock().unwrap().clone()
    }
}

#[async_trait]
impl Arrivals for Desk {
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal> {
        let mut later = self.later.lock().unwrap();
        if *later > 0 {
            *later -= 1;
            return Err(Refusal::new(RefusalKind::TryLater, "later"));
        }
        self.taken.lock().unwrap().push(arrival);
        Ok(())
    }
}

/// The token of the address for short messages that arrive, in the file `token`.
pub const TOKEN: &str = "s3cret-token.of_ours";

/// A bearer named `smsc`, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn build(toml: &str, witness: Arc<Memory>) -> Result<Arc<dyn Bearer>, Vec<String>> {
    build_with(toml, witness, Arc::default())
}

/// The same, with a desk for what arrives.
pub fn build_with(toml: &str, witness: Arc<Memory>, arrivals: Arc<Desk>) -> Result<Arc<dyn Bearer>, Vec<String>> {
    let base = tempfile::tempdir().unwrap();
    let secrets = [("secret", "p w&d%"), ("kannel-secret", "secret"), ("token", TOKEN), ("short-token", "short")];
    for (name, secret) in secrets {
        std::fs::write(base.path().join(name), format!("{secret}\n")).unwrap();
    }
    let clock = Arc::new(ManualClock::new(NOW));
    let env = Env { clock, witness, arrivals, ..Env::nowhere("smsc", base.path()) };
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
    carrying(SmsBody::Push(payload.into()))
}

/// The same, carrying something else.
pub fn carrying(body: SmsBody) -> Sms {
    let (to, delivery) = (Msisdn::new("+358401234567").unwrap(), DeliveryId { message: MessageId(7), index: 0 });
    Sms::plain(to, delivery, body, NOW.after(Duration::from_secs(3600)))
}

/// A gateway that gives prepared answers, then 202 for ever, and remembers the targets of the requests.
pub struct Gateway {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    ready: Mutex<VecDeque<Option<(String, String)>>>,
    targets: Mutex<Vec<String>>,
    /// Requests that wait for an answer, and the most there ever were.
    waiting: watch::Sender<(usize, usize)>,
    /// No answer before there were so many requests at once.
    wanted: Mutex<usize>,
}

impl Gateway {
    /// Each answer is a status line's end (with more of a header, if need be) and a body; `None` closes the connection
    /// without one.
    pub async fn start(answers: &[Option<(&str, &str)>]) -> Gateway {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let ready = answers.iter().map(|answer| answer.map(|(a, b)| (a.to_owned(), b.to_owned()))).collect();
        let inner = Arc::new(Inner {
            ready: Mutex::new(ready),
            targets: Mutex::default(),
            waiting: watch::Sender::new((0, 0)),
            wanted: Mutex::new(0),
        });
        let serving = inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(answer(stream, serving.clone()));
            }
        });
        Gateway { address, inner }
    }

    /// The parameters of each request, percent-decoded.
    pub fn requests(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
        let targets = self.inner.targets.lock().unwrap();
        targets.iter().map(|target| parameters(target.split_once('?').unwrap().1)).collect()
    }

    /// Holds answers back until there were so many requests at once.
    pub fn answer_when_there_are(&self, wanted: usize) {
        *self.inner.wanted.lock().unwrap() = wanted;
    }

    /// The most requests there were at once.
    pub fn most_at_once(&self) -> usize {
        self.inner.waiting.borrow().1
    }
}

async fn answer(mut stream: TcpStream, inner: Arc<Inner>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(octet) = stream.read_u8().await else { break };
        head.push(octet);
    }
    let head = String::from_utf8(head).unwrap();
    inner.targets.lock().unwrap().push(head.split(' ').nth(1).unwrap_or_default().to_owned());
    inner.waiting.send_modify(|(now, most)| {
        *now += 1;
        *most = (*most).max(*now);
    });
    let wanted = *inner.wanted.lock().unwrap();
    inner.waiting.subscribe().wait_for(|(_, most)| *most >= wanted).await.unwrap();
    for _ in 0..200 {
        tokio::task::yield_now().await; // whoever else may come does
    }
    inner.waiting.send_modify(|(now, _)| *now -= 1);
    let ready = inner.ready.lock().unwrap().pop_front();
    let answer = ready.unwrap_or(Some(("202 Accepted".into(), "0: Accepted for delivery".into())));
    let Some((status, body)) = answer else { return };
    let text = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes()).await;
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
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
