//! What the bearer needs around it: an environment, a witness and a desk that remember, a gateway that answers as it is told.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use packetboat_plugin_http_sms::PLUGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When the tests play.
pub const NOW: Timestamp = Timestamp(1_760_000_000_000);

/// What is in the secret files, which bear the names of their contents' uses.
pub const SECRETS: [(&str, &str); 6] = [
    ("password", "p w&d%"),
    ("token", "s3cret-token.of_ours"),
    ("callback", "a secret of our own, long enough"),
    ("short", "short"),
    ("key", "k\"3y"),
    ("kannel", "secret"),
];

/// Remembers evidence and arrivals; refuses them while `broken`.
#[derive(Default)]
pub struct World {
    seen: Mutex<Vec<(DeliveryId, Evidence)>>,
    taken: Mutex<Vec<Arrival>>,
    pub broken: Mutex<bool>,
}

impl World {
    /// Facts and words of what was seen, one line each.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        assert!(seen.iter().all(|(delivery, _)| *delivery == sms(SmsBody::Text(String::new())).delivery));
        seen.iter().map(|(_, evidence)| format!("{} {}", evidence.fact, evidence.detail)).collect()
    }

    pub fn taken(&self) -> Vec<Arrival> {
        self.taken.lock().unwrap().clone()
    }
}

#[async_trait]
impl Witness for World {
    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Unavailable("out of order".into()));
        }
        self.seen.lock().unwrap().push((delivery, evidence));
        Ok(())
    }
}

#[async_trait]
impl Arrivals for World {
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal> {
        if *self.broken.lock().unwrap() {
            return Err(Refusal::new(RefusalKind::TryLater, "later"));
        }
        self.taken.lock().unwrap().push(arrival);
        Ok(())
    }
}

/// A bearer named `gw`, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn build(toml: &str, world: Arc<World>) -> Result<Arc<dyn Bearer>, Vec<String>> {
    let base = tempfile::tempdir().unwrap();
    for (name, secret) in SECRETS {
        std::fs::write(base.path().join(name), format!("{secret}\n")).unwrap();
    }
    let clock = Arc::new(ManualClock::new(NOW));
    let env = Env { clock, witness: world.clone(), arrivals: world, ..Env::nowhere("gw", base.path()) };
    let source = Source { path: Path::new("packetboat.toml").into(), text: toml.into() };
    let parsed = source.parse().map_err(|error| vec![error.to_string()])?;
    let section =
        Section { source: &source, key: "bearer.gw".into(), span: parsed.span(), table: parsed.get_ref().clone() };
    let Role::Bearer(factory) = PLUGIN.roles[0] else { panic!("the first role is the bearer") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// What goes to +358401234567 for delivery 7-1, of use for an hour.
pub fn sms(body: SmsBody) -> Sms {
    let (to, delivery) = (Msisdn::new("+358401234567").unwrap(), DeliveryId { message: MessageId(7), index: 0 });
    Sms::plain(to, delivery, body, NOW.after(Duration::from_secs(3600)))
}

pub fn push(octets: &[u8]) -> Sms {
    sms(SmsBody::Push(octets.to_vec().into()))
}

pub fn text(text: &str) -> Sms {
    sms(SmsBody::Text(text.to_owned()))
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    /// Names in lower case.
    pub header: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.header.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// A gateway that gives prepared answers, then `200 OK` with `fine`, and remembers what it was asked.
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
                let Some((status, body)) = ready.pop_front().unwrap_or(Some(("200 OK".into(), "fine".into()))) else {
                    continue;
                };
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
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let header: Vec<_> = lines.filter_map(field).collect();
    let length =
        header.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { line, header, body: String::from_utf8(body).unwrap() })
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

/// What `method target` with a body is answered: the status.
pub async fn call(address: SocketAddr, method: &str, target: &str, media_type: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {media_type}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
