//! Pages on a real socket, and a road behind them that remembers.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::delivery::{Delivery, Line, State, Step};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::{Handset, Sighting};
use packetboat_api::message::{
    Class, ContentRef, Envelope, Identity, Kind, Message, Priority, Recipient, Span, Traits,
};
use packetboat_api::mime::{Disposition, Entity, Headers, Length, Mail, MediaType};
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::{Content, Fetch, FetchError, Handsets, Refusal, Witness};
use packetboat_api::roles::Listener;
use packetboat_api::serve::{CancellationToken, Connection};
use packetboat_api::settings::{Section, Source};
use packetboat_api::store::StoreError;
use packetboat_plugin_pages::PLUGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub const BOB: &str = "+447700900123";
pub const CAROL: &str = "+447700900124";
pub const TOKEN: &str = "Abcdefghijkl0123456789";
pub const NOW: Timestamp = Timestamp(1_780_000_000_000);
pub const PATIENCE: Duration = Duration::from_secs(60);
/// A browser of today.
pub const BROWSER: &str = "User-Agent: Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n";

/// What is behind the pages.
pub struct Road {
    pub fetch: Mutex<Option<Fetch>>,
    pub fetch_error: Mutex<Option<FetchError>>,
    pub content: Mutex<Bytes>,
    pub seen: Mutex<Vec<(Fact, String)>>,
    pub sightings: Mutex<Vec<(String, Sighting)>>,
    /// What was read of the content, range for range.
    pub ranges: Mutex<Vec<Range<u64>>>,
    /// How often a message was looked up.
    pub fetches: Mutex<usize>,
    pub clock: ManualClock,
}

impl Default for Road {
    fn default() -> Self {
        Road {
            fetch: Mutex::default(),
            fetch_error: Mutex::default(),
            content: Mutex::default(),
            seen: Mutex::default(),
            sightings: Mutex::default(),
            ranges: Mutex::default(),
            fetches: Mutex::default(),
            clock: ManualClock::new(NOW),
        }
    }
}

/// A message for Bob being put together.
pub struct Draft {
    parts: Vec<Entity<Bytes>>,
    pub from: Option<Party>,
    pub from_field: String,
    pub subject: Option<String>,
    pub hide_sender: bool,
    pub identity: Identity,
}

impl Draft {
    /// From Carol's phone.
    pub fn new() -> Draft {
        Draft {
            parts: Vec::new(),
            from: Party::parse(CAROL),
            from_field: format!("{CAROL}/TYPE=PLMN"),
            subject: Some("hello".to_owned()),
            hide_sender: false,
            identity: Identity::Subscriber(Msisdn::new(CAROL).unwrap()),
        }
    }

    /// With one more part.
    pub fn with(mut self, media: &str, name: &str, content: impl Into<Bytes>) -> Draft {
        let mut part = Entity::leaf(MediaType::parse(media), content.into());
        if !name.is_empty() {
            part.location = Some(name.to_owned());
            part.disposition = Some(Disposition { kind: "inline".to_owned(), filename: Some(name.to_owned()) });
        }
        self.parts.push(part);
        self
    }

    fn finish(self) -> (Fetch, Bytes) {
        let mut content = Vec::new();
        let root = Entity::multipart(MediaType::new("multipart/related"), self.parts).map(&mut |body: Bytes| {
            let span = Span { start: content.len() as u64, length: body.length() };
            content.extend_from_slice(&body);
            span
        });
        let mut headers = Headers::default();
        headers.push("From", self.from_field);
        headers.push("To", format!("{BOB}/TYPE=PLMN"));
        let id = MessageId(7);
        let to = Party::parse(BOB).unwrap();
        let message = Message {
            id,
            kind: Kind::Personal,
            received: NOW,
            listener: "handsets".to_owned(),
            identity: self.identity,
            envelope: Envelope {
                from: self.from,
                recipients: vec![Recipient::plain(to.clone())],
                ..Envelope::default()
            },
            traits: Traits {
                message_id: "abc@mmsc.test".to_owned(),
                subject: self.subject,
                class: Class::Personal,
                priority: Priority::Normal,
                expires: NOW.after(Duration::from_secs(86_400)),
                deliver_after: None,
                read_report: false,
                hide_sender: self.hide_sender,
            },
            mail: Mail { headers, root },
            content: ContentRef { length: content.len() as u64, crc: 0xC0FFEE, ..ContentRef::default() },
        };
        let delivery = Delivery {
            id: DeliveryId { message: id, index: 0 },
            version: 1,
            to,
            line: Line::default(),
            state: State::Waiting,
            due: NOW,
            expires: message.traits.expires,
            rule: "test".to_owned(),
            route: vec![Step { via: "link".to_owned(), wait_ms: None }],
            step: 0,
            step_since: None,
            attempts: 1,
            notified: 1,
            faults: 0,
            token: TOKEN.to_owned(),
            facts: Vec::new(),
            reason: String::new(),
            reported: false,
            revoked: false,
        };
        (Fetch { delivery, message: Arc::new(message) }, content.into())
    }
}

impl Road {
    /// A message waits for Bob.
    pub fn holds(&self, draft: Draft) {
        let (fetch, content) = draft.finish();
        *self.fetch.lock().unwrap() = Some(fetch);
        *self.content.lock().unwrap() = content;
    }

    pub fn facts(&self) -> Vec<Fact> {
        self.seen.lock().unwrap().iter().map(|(fact, _)| *fact).collect()
    }

    fn saw(&self, evidence: Evidence) {
        if let Some(fetch) = self.fetch.lock().unwrap().as_mut() {
            fetch.delivery.facts.push(evidence.fact);
        }
        self.seen.lock().unwrap().push((evidence.fact, evidence.detail));
    }
}

#[async_trait]
impl Content for Road {
    async fn read(&self, _: &Message, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.ranges.lock().unwrap().push(range.clone());
        let content = self.content.lock().unwrap();
        let missing = || StoreError::Missing("octets".to_owned());
        let (start, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
        (end <= content.len()).then(|| content.slice(start..end)).ok_or_else(missing)
    }
}

#[async_trait]
impl Witness for Road {
    async fn witness(&self, _: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        self.saw(evidence);
        Ok(())
    }
}

/// The handle the pages get.
pub struct Handle(pub Arc<Road>);

#[async_trait]
impl Handsets for Handle {
    async fn fetch(&self, token: &str) -> Result<Fetch, FetchError> {
        *self.0.fetches.lock().unwrap() += 1;
        if let Some(error) = self.0.fetch_error.lock().unwrap().clone() {
            return Err(error);
        }
        let found = self.0.fetch.lock().unwrap().clone();
        found.filter(|_| token == TOKEN).ok_or(FetchError::Unknown)
    }

    fn content(&self) -> Arc<dyn Content> {
        self.0.clone()
    }

    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        self.0.witness(delivery, evidence).await
    }

    async fn witness_soon(&self, _: Fetch, evidence: Evidence) {
        self.0.saw(evidence);
    }

    async fn known(&self, _: &Msisdn) -> Option<Handset> {
        None
    }

    async fn sighted(&self, phone: &Msisdn, sighting: Sighting) {
        self.0.sightings.lock().unwrap().push((phone.to_string(), sighting));
    }

    async fn report_allowed(&self, _: DeliveryId, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    async fn read_report(&self, _: &str, _: &Msisdn, _: bool) -> Result<(), Refusal> {
        Ok(())
    }
}

/// The listener, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn listener(road: &Arc<Road>, base: &Path, toml: &str) -> Result<Arc<dyn Listener>, String> {
    let env = Env {
        clock: Arc::new(road.clock.clone()),
        handsets: Arc::new(Handle(road.clone())),
        content: road.clone(),
        witness: road.clone(),
        ..Env::nowhere("pages", base)
    };
    let source = Source { path: PathBuf::from("packetboat.toml"), text: toml.into() };
    let parsed = source.parse().map_err(|e| e.to_string())?;
    let (key, table) = ("listener.pages".into(), parsed.get_ref().clone());
    let section = Section { source: &source, key, span: parsed.span(), table };
    let Role::Listener(factory) = PLUGIN.roles[0] else { panic!("the first role is the listener") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The pages, open.
pub struct Pages {
    pub road: Arc<Road>,
    pub secure: bool,
    pub drain: CancellationToken,
    pub listener: Arc<dyn Listener>,
    pub socket: TcpListener,
}

impl Pages {
    /// With these keys, and a message behind them.
    pub async fn open(toml: &str, draft: Draft) -> Self {
        let road = Arc::new(Road::default());
        road.holds(draft);
        let listener = listener(&road, Path::new(""), toml).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Pages { road, secure: false, drain: CancellationToken::new(), listener, socket }
    }

    /// The same messages behind a daemon started again.
    pub async fn again(self, toml: &str) -> Self {
        let listener = listener(&self.road, Path::new(""), toml).unwrap();
        Pages { listener, ..self }
    }

    /// A connection to them, and what becomes of its other end.
    pub async fn connect(&self) -> (TcpStream, JoinHandle<()>) {
        let local = self.socket.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(local), self.socket.accept());
        let (stream, peer): (TcpStream, SocketAddr) = accepted.unwrap();
        let connection = Connection {
            stream: Box::new(stream),
            peer,
            local,
            secure: self.secure,
            upgrade: None,
            drain: self.drain.clone(),
        };
        let listener = self.listener.clone();
        (client.unwrap(), tokio::spawn(async move { listener.serve(connection).await }))
    }

    /// Sends a request on a connection of its own and reads the answer to its end.
    pub async fn ask(&self, request: &str) -> Answer {
        let (mut client, served) = self.connect().await;
        let answer = async {
            client.write_all(request.as_bytes()).await.unwrap();
            let mut octets = Vec::new();
            client.read_to_end(&mut octets).await.unwrap();
            drop(client);
            served.await.unwrap();
            Answer::read(&octets)
        };
        tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time")
    }

    /// GET with these fields.
    pub async fn get(&self, path: &str, fields: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n")).await
    }

    /// The message's page, as a browser asks for it.
    pub async fn browse(&self, fields: &str) -> Answer {
        self.get(&format!("/{TOKEN}"), &format!("{BROWSER}{fields}")).await
    }

    /// What is below the message's page, as a browser asks for it.
    pub async fn below(&self, path: &str, fields: &str) -> Answer {
        self.get(&format!("/{TOKEN}/{path}"), &format!("{BROWSER}{fields}")).await
    }

    /// The button is pressed.
    pub async fn press(&self, fields: &str) -> Answer {
        self.ask(&format!(
            "POST /{TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n{BROWSER}{fields}\r\n"
        ))
        .await
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Bytes,
}

impl Answer {
    fn read(octets: &[u8]) -> Answer {
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n").expect("a header");
        let head = String::from_utf8(octets[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: Bytes::copy_from_slice(&octets[end + 4..]) }
    }

    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The page.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The cookie it sets, as a field for the next request.
    pub fn cookie(&self) -> String {
        let set = self.field("set-cookie").expect("a cookie");
        format!("Cookie: other=1; {}\r\n", set.split(';').next().unwrap())
    }
}
