//! A door on a real socket, and a road behind it that remembers.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::delivery::{Delivery, State, Step};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::{Handset, Sighting};
use packetboat_api::message::{
    Class, ContentRef, Envelope, Identity, Kind, Message, Notify, Priority, Recipient, Span, Traits,
};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::{
    Content, Fetch, FetchError, Handsets, Intake, Receipt, Refusal, RefusalKind, Submission, Witness,
};
use packetboat_api::roles::Listener;
use packetboat_api::serve::{CancellationToken, Connection};
use packetboat_api::settings::{Section, Source};
use packetboat_api::spool::SpoolBudget;
use packetboat_api::store::StoreError;
use packetboat_plugin_mm1::PLUGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub const BOB: &str = "+447700900123";
pub const CAROL: &str = "+447700900124";
/// Carol's secret.
pub const SECRET: &str = "SecretOfNumber124";
pub const TOKEN: &str = "Abcdefghijkl0123456789";
pub const NOW: Timestamp = Timestamp(1_780_000_000_000);
const PATIENCE: Duration = Duration::from_secs(20);
/// Largest message that is taken.
pub const MAX_SIZE: u64 = 200_000;

/// What is behind the door.
#[derive(Default)]
pub struct Road {
    pub submissions: Mutex<Vec<Submission>>,
    pub refuse: Mutex<Option<RefusalKind>>,
    pub fetch: Mutex<Option<Fetch>>,
    pub fetch_error: Mutex<Option<FetchError>>,
    pub content: Mutex<Bytes>,
    pub seen: Mutex<Vec<(Fact, String)>>,
    pub forbidden: Mutex<bool>,
    pub read: Mutex<Vec<(String, String, bool)>>,
    pub sightings: Mutex<Vec<(String, Sighting)>>,
    /// What was read of the content, range for range.
    pub ranges: Mutex<Vec<Range<u64>>>,
}

impl Road {
    /// A message of one part waits for Bob.
    pub fn holds(&self, content: Bytes) {
        let fetch = fetch(content.len() as u64, Identity::Subscriber(Msisdn::new(CAROL).unwrap()));
        *self.fetch.lock().unwrap() = Some(fetch);
        *self.content.lock().unwrap() = content;
    }

    pub fn facts(&self) -> Vec<Fact> {
        self.seen.lock().unwrap().iter().map(|(fact, _)| *fact).collect()
    }
}

/// A delivery to Bob of a message of one part.
pub fn fetch(length: u64, identity: Identity) -> Fetch {
    let party = |text: &str| Party::parse(text).unwrap();
    let id = MessageId(7);
    let mut headers = Headers::default();
    headers.push("From", format!("{CAROL}/TYPE=PLMN"));
    headers.push("To", format!("{BOB}/TYPE=PLMN"));
    headers.push("Subject", "hello");
    let notify = Notify { success: true, ..Notify::default() };
    let message = Message {
        id,
        kind: Kind::Personal,
        received: NOW,
        listener: "handsets".to_owned(),
        identity,
        envelope: Envelope {
            from: Some(party(CAROL)),
            recipients: vec![Recipient { notify, ..Recipient::plain(party(BOB)) }],
            ..Envelope::default()
        },
        traits: Traits {
            message_id: "abc@mmsc.test".to_owned(),
            subject: Some("hello".to_owned()),
            class: Class::Personal,
            priority: Priority::Normal,
            expires: NOW.after(Duration::from_secs(86_400)),
            deliver_after: None,
            read_report: true,
            hide_sender: false,
        },
        mail: Mail { headers, root: Entity::leaf(MediaType::new("image/jpeg"), Span { start: 0, length }) },
        content: ContentRef { length, ..ContentRef::default() },
    };
    let delivery = Delivery {
        id: DeliveryId { message: id, index: 0 },
        version: 1,
        to: party(BOB),
        state: State::Waiting,
        due: NOW,
        expires: message.traits.expires,
        rule: "test".to_owned(),
        route: vec![Step { via: "direct".to_owned(), wait_ms: None }],
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
        line: Default::default(),
    };
    Fetch { delivery, message: Arc::new(message) }
}

#[async_trait]
impl Intake for Road {
    async fn check(&self, _: &Identity, _: Option<&Party>, _: &Party) -> Result<(), Refusal> {
        Ok(())
    }

    async fn submit(&self, submission: Submission) -> Result<Receipt, Refusal> {
        if let Some(kind) = *self.refuse.lock().unwrap() {
            return Err(Refusal::new(kind, "as it was told"));
        }
        self.submissions.lock().unwrap().push(submission);
        Ok(Receipt { id: MessageId(8), message_id: "new@mmsc.test".to_owned(), duplicate: false, refused: Vec::new() })
    }

    fn max_size(&self) -> u64 {
        MAX_SIZE
    }

    fn max_recipients(&self) -> usize {
        20
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
        self.seen.lock().unwrap().push((evidence.fact, evidence.detail));
        Ok(())
    }
}

/// The handset door's handle.
pub struct Handle(pub Arc<Road>);

#[async_trait]
impl Handsets for Handle {
    async fn fetch(&self, token: &str) -> Result<Fetch, FetchError> {
        if let Some(error) = self.0.fetch_error.lock().unwrap().clone() {
            return Err(error);
        }
        let found = self.0.fetch.lock().unwrap().clone();
        let named = token.get(..22).or_else(|| token.get(..12)).is_some_and(|name| TOKEN.starts_with(name));
        found.filter(|_| named).ok_or(FetchError::Unknown)
    }

    fn content(&self) -> Arc<dyn Content> {
        self.0.clone()
    }

    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        self.0.witness(delivery, evidence).await
    }

    async fn witness_soon(&self, _: Fetch, evidence: Evidence) {
        self.0.seen.lock().unwrap().push((evidence.fact, evidence.detail));
    }

    async fn known(&self, _: &Msisdn) -> Option<Handset> {
        None
    }

    async fn sighted(&self, phone: &Msisdn, sighting: Sighting) {
        self.0.sightings.lock().unwrap().push((phone.to_string(), sighting));
    }

    async fn report_allowed(&self, _: DeliveryId, allowed: bool) -> Result<(), StoreError> {
        *self.0.forbidden.lock().unwrap() |= !allowed;
        Ok(())
    }

    async fn read_report(&self, message_id: &str, reader: &Msisdn, read: bool) -> Result<(), Refusal> {
        self.0.read.lock().unwrap().push((message_id.to_owned(), reader.to_string(), read));
        Ok(())
    }
}

/// The door, open.
pub struct Door {
    pub road: Arc<Road>,
    pub drain: CancellationToken,
    listener: Arc<dyn Listener>,
    socket: TcpListener,
    pub directory: tempfile::TempDir,
}

/// The listener, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn listener(road: &Arc<Road>, base: &Path, toml: &str) -> Result<Arc<dyn Listener>, String> {
    let handsets = Arc::new(Handle(road.clone()));
    let env = Env {
        node: "mmsc.test".into(),
        show_addresses: true,
        clock: Arc::new(ManualClock::new(NOW)),
        spool: SpoolBudget::new(1 << 20, base),
        intake: road.clone(),
        handsets,
        content: road.clone(),
        witness: road.clone(),
        ..Env::nowhere("handsets", base)
    };
    let source = Source { path: PathBuf::from("packetboat.toml"), text: toml.into() };
    let parsed = source.parse().map_err(|e| e.to_string())?;
    let (key, table) = ("listener.handsets".into(), parsed.get_ref().clone());
    let section = Section { source: &source, key, span: parsed.span(), table };
    let Role::Listener(factory) = PLUGIN.roles[0] else { panic!("the first role is the listener") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

impl Door {
    /// With these keys beside the subscribers.
    pub async fn open(toml: &str) -> Self {
        let road = Arc::new(Road::default());
        let directory = tempfile::tempdir().unwrap();
        let subscribers = format!("[[subscriber]]\nnumber = \"{CAROL}\"\nsecret = \"{SECRET}\"\n");
        std::fs::write(directory.path().join("subscribers.toml"), subscribers).unwrap();
        let listener =
            listener(&road, directory.path(), &format!("subscribers = \"subscribers.toml\"\n{toml}")).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Door { road, drain: CancellationToken::new(), listener, socket, directory }
    }

    /// A connection to it, and what becomes of its other end.
    pub async fn connect(&self) -> (TcpStream, JoinHandle<()>) {
        let local = self.socket.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(local), self.socket.accept());
        let (stream, peer): (TcpStream, SocketAddr) = accepted.unwrap();
        let connection = Connection {
            stream: Box::new(stream),
            peer,
            local,
            secure: false,
            upgrade: None,
            drain: self.drain.clone(),
        };
        let listener = self.listener.clone();
        (client.unwrap(), tokio::spawn(async move { listener.serve(connection).await }))
    }

    /// Sends a request on a connection of its own, reads the answer to its end and closes.
    pub async fn ask(&self, request: &[u8]) -> Answer {
        let (mut client, served) = self.connect().await;
        let answer = async {
            client.write_all(request).await.unwrap();
            let mut octets = Vec::new();
            client.read_to_end(&mut octets).await.unwrap();
            drop(client);
            served.await.unwrap();
            Answer::read(&octets)
        };
        tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await
    }

    pub async fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.ask(&post(path, body)).await
    }
}

/// A POST as phones send it.
pub fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
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
        Answer { status, head: head.to_ascii_lowercase(), body: Bytes::copy_from_slice(&octets[end + 4..]) }
    }

    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}
