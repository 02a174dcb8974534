//! A message, a delivery, a bearer that remembers, and a phone of which something is known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::delivery::{Delivery, Line, State, Step};
use packetboat_api::evidence::Evidence;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::{Handset, Sighting};
use packetboat_api::message::{
    Class, ContentRef, Envelope, Identity, Kind, Message, Priority, Recipient, Span, Traits,
};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::nowhere::Nowhere;
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::{Content, Fetch, FetchError, Handsets, Refusal};
use packetboat_api::roles::{Bearer, BearerError, Instance, Job, Sent, Sms, Transport};
use packetboat_api::serve::Door;
use packetboat_api::settings::{Section, Source};
use packetboat_api::store::StoreError;
use packetboat_plugin_wap_push::PLUGIN;

pub const NOW: Timestamp = Timestamp(1_780_000_000_000);
pub const TOKEN: &str = "Abcdefghijkl0123456789";
pub const URL: &str = "https://pic.example.net";
pub const BOB: &str = "+447700900123";

pub fn party(text: &str) -> Party {
    Party::parse(text).unwrap()
}

/// A job: a message from Carol's phone with this subject to Bob's.
pub fn job(subject: Option<&str>) -> Job {
    let (id, to) = (MessageId(7), party(BOB));
    let message = Message {
        id,
        kind: Kind::Personal,
        received: NOW,
        listener: "mail".to_owned(),
        identity: Identity::Anonymous,
        envelope: Envelope {
            from: Some(party("+447700900124")),
            recipients: vec![Recipient::plain(to.clone())],
            ..Envelope::default()
        },
        traits: Traits {
            message_id: "abc@mmsc.test".to_owned(),
            subject: subject.map(str::to_owned),
            class: Class::Personal,
            priority: Priority::Normal,
            expires: NOW.after(Duration::from_secs(3 * 86_400)),
            deliver_after: None,
            read_report: false,
            hide_sender: false,
        },
        mail: Mail {
            headers: Headers::default(),
            root: Entity::leaf(MediaType::new("text/plain"), Span { start: 0, length: 30_000 }),
        },
        content: ContentRef { length: 30_000, ..ContentRef::default() },
    };
    let delivery = Delivery {
        id: DeliveryId { message: id, index: 0 },
        version: 1,
        to: to.clone(),
        line: Line::default(),
        state: State::Queued,
        due: NOW,
        expires: message.traits.expires,
        rule: "test".to_owned(),
        route: vec![Step { via: "link".to_owned(), wait_ms: None }],
        step: 0,
        step_since: None,
        attempts: 0,
        notified: 0,
        faults: 0,
        token: TOKEN.to_owned(),
        facts: Vec::new(),
        reason: String::new(),
        reported: false,
        revoked: false,
    };
    Job { delivery, recipient: Recipient::plain(to), message: Arc::new(message), now: NOW }
}

/// A bearer that says what it is told.
pub struct Radio {
    pub answer: Result<Sent, BearerError>,
    pub texts: bool,
    pub sent: Mutex<Vec<Sms>>,
}

impl Instance for Radio {}

#[async_trait]
impl Bearer for Radio {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        self.sent.lock().unwrap().push(sms);
        self.answer.clone()
    }

    fn carries_text(&self) -> bool {
        self.texts
    }
}

/// A bearer that gives this answer.
pub fn radio(answer: Result<Sent, BearerError>) -> Arc<Radio> {
    Arc::new(Radio { answer, texts: true, sent: Mutex::default() })
}

/// A bearer that takes everything.
pub fn good_radio() -> Arc<Radio> {
    radio(Ok(Sent { segments: 1, detail: "id 7".to_owned() }))
}

/// A memory of one phone.
#[derive(Default)]
pub struct Memory(pub Mutex<Option<Handset>>);

#[async_trait]
impl Handsets for Memory {
    async fn known(&self, phone: &Msisdn) -> Option<Handset> {
        self.0.lock().unwrap().clone().filter(|handset| handset.number == *phone)
    }

    async fn fetch(&self, _: &str) -> Result<Fetch, FetchError> {
        Err(FetchError::TryLater)
    }

    fn content(&self) -> Arc<dyn Content> {
        Arc::new(Nowhere)
    }

    async fn witness(&self, _: DeliveryId, _: Evidence) -> Result<(), StoreError> {
        Ok(())
    }

    async fn witness_soon(&self, _: Fetch, _: Evidence) {}

    async fn sighted(&self, _: &Msisdn, _: Sighting) {}

    async fn report_allowed(&self, _: DeliveryId, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    async fn read_report(&self, _: &str, _: &Msisdn, _: bool) -> Result<(), Refusal> {
        Ok(())
    }
}

/// The transport, built as the daemon builds it, with pages at this address and this memory.
pub fn transport(
    url: Option<&str>,
    radio: &Arc<Radio>,
    known: Option<Handset>,
    toml: &str,
) -> Result<Arc<dyn Transport>, String> {
    let door = Door::default();
    url.into_iter().for_each(|url| door.open(url));
    let env = Env {
        clock: Arc::new(ManualClock::new(NOW)),
        handsets: Arc::new(Memory(Mutex::new(known))),
        pages: BTreeMap::from([("pages".to_owned(), door)]),
        bearers: BTreeMap::from([("sms".to_owned(), radio.clone() as Arc<dyn Bearer>)]),
        ..Env::nowhere("link", Path::new(""))
    };
    let source = Source { path: PathBuf::from("packetboat.toml"), text: toml.into() };
    let parsed = source.parse().map_err(|e| e.to_string())?;
    let (key, table) = ("transport.link".into(), parsed.get_ref().clone());
    let section = Section { source: &source, key, span: parsed.span(), table };
    let Role::Transport(factory) = PLUGIN.roles[0] else { panic!("the first role is the transport") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}
