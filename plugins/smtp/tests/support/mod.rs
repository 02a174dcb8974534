//! A client over an in-memory connection, and a road that remembers.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, SaltString};
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::id::MessageId;
use packetboat_api::message::Identity;
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::Party;
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::{Intake, Receipt, Refusal, RefusalKind, Submission};
use packetboat_api::roles::Listener;
use packetboat_api::serve::{CancellationToken, Connection};
use packetboat_api::settings::{Section, Source};
use packetboat_api::spool::SpoolBudget;
use packetboat_plugin_smtp::PLUGIN;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(20);

/// The road behind the listener.
pub struct Desk {
    pub drain: CancellationToken,
    road: Arc<Road>,
}

#[derive(Default)]
struct Road {
    submissions: Mutex<Vec<Submission>>,
    refused: Mutex<HashMap<String, RefusalKind>>,
    refuse_submissions: Mutex<Option<RefusalKind>>,
}

impl Desk {
    pub fn new() -> Self {
        Desk { drain: CancellationToken::new(), road: Arc::new(Road::default()) }
    }

    /// What was submitted so far.
    pub fn submissions(&self) -> Vec<Submission> {
        self.road.submissions.lock().unwrap().clone()
    }

    /// Refuse this recipient.
    pub fn refuse(&self, to: &str, kind: RefusalKind) {
        self.road.refused.lock().unwrap().insert(to.to_owned(), kind);
    }

    /// Refuse every message.
    pub fn refuse_submissions(&self, kind: RefusalKind) {
        *self.road.refuse_submissions.lock().unwrap() = Some(kind);
    }
}

#[async_trait]
impl Intake for Road {
    async fn check(&self, _: &Identity, _: Option<&Party>, to: &Party) -> Result<(), Refusal> {
        match self.refused.lock().unwrap().get(&to.to_string()) {
            Some(kind) => Err(Refusal::new(*kind, format!("not {to}"))),
            None => Ok(()),
        }
    }

    async fn submit(&self, submission: Submission) -> Result<Receipt, Refusal> {
        if let Some(kind) = *self.refuse_submissions.lock().unwrap() {
            return Err(Refusal::new(kind, "not now"));
        }
        let mut submissions = self.submissions.lock().unwrap();
        submissions.push(submission);
        let id = MessageId(submissions.len() as u64);
        Ok(Receipt { id, message_id: format!("{id}@mmsc.test"), duplicate: false, refused: Vec::new() })
    }

    fn max_size(&self) -> u64 {
        1 << 20
    }

    fn max_recipients(&self) -> usize {
        100
    }
}

/// The listener, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn listener(desk: &Desk, toml: &str) -> Result<Arc<dyn Listener>, String> {
    let base = tempfile::tempdir().unwrap();
    let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
    let cheap = argon2::Params::new(64, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cheap);
    let hash = argon2.hash_password(b"secret", &salt).unwrap();
    std::fs::write(base.path().join("users"), format!("# users\npat:{hash}:pat@mail.example, *@site.example\n"))
        .unwrap();
    std::fs::write(base.path().join("broken"), "# users\npat:secret\n").unwrap();
    let numbers = NumberPlan {
        country_code: Some("1".into()),
        international_prefix: Some("011".into()),
        national_prefix: None,
        national_lengths: vec![10],
    };
    let env = Env {
        node: "mmsc.test".into(),
        numbers,
        clock: Arc::new(ManualClock::new(Timestamp::from_seconds(1_795_000_000))),
        spool: SpoolBudget::new(1 << 20, base.path()),
        intake: desk.road.clone(),
        ..Env::nowhere("mail", base.path())
    };
    let source = Source { path: Path::new("packetboat.toml").into(), text: toml.into() };
    let parsed = source.parse().unwrap();
    let section =
        Section { source: &source, key: "listener.mail".into(), span: parsed.span(), table: parsed.get_ref().clone() };
    let Role::Listener(factory) = PLUGIN.roles[0] else { panic!("the first role is the listener") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// One client.
pub struct Client {
    stream: DuplexStream,
    received: String,
    served: JoinHandle<()>,
}

impl Client {
    /// From 192.0.2.7; the greeting is read already.
    pub async fn connect(desk: &Desk, toml: &str) -> Self {
        let listener = listener(desk, toml).unwrap();
        let (ours, theirs) = tokio::io::duplex(4096);
        let connection = Connection {
            stream: Box::new(theirs),
            peer: "192.0.2.7:40000".parse().unwrap(),
            local: "198.51.100.1:25".parse().unwrap(),
            secure: false,
            upgrade: None,
            drain: desk.drain.clone(),
        };
        let served = tokio::spawn(async move { listener.serve(connection).await });
        let mut client = Client { stream: ours, received: String::new(), served };
        assert!(client.reply().await.starts_with("220 mmsc.test "));
        client
    }

    /// Sends a line and reads the reply to it.
    pub async fn say(&mut self, line: &str) -> String {
        self.send(&format!("{line}\r\n")).await;
        self.reply().await
    }

    /// Sends octets as they are.
    pub async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next reply, all its lines.
    pub async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            while let Some((line, rest)) = self.received.split_once("\r\n") {
                let last = line.as_bytes().get(3) == Some(&b' ');
                reply.push_str(line);
                reply.push('\n');
                self.received = rest.to_owned();
                if last {
                    return reply;
                }
            }
            assert!(self.read().await > 0, "closed after {reply:?}");
        }
    }

    /// Whether the server closes now, having said nothing more.
    pub async fn is_closed(&mut self) -> bool {
        self.read().await == 0 && self.received.is_empty()
    }

    /// Closes, and waits until the server has seen it.
    pub async fn hang_up(self) {
        drop(self.stream);
        tokio::time::timeout(PATIENCE, self.served).await.expect("the server lets go").unwrap();
    }

    async fn read(&mut self) -> usize {
        let mut buffer = [0; 1024];
        let read =
            tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("the server says something");
        let read = read.unwrap_or(0);
        self.received.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        read
    }
}
