//! A message, a delivery, and a bearer that remembers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::delivery::{Delivery, State, Step};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::{
    Class, ContentRef, Envelope, Identity, Kind, Message, Priority, Recipient, Span, Traits,
};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::party::Party;
use packetboat_api::plugin::{Env, Role};
use packetboat_api::roles::{Bearer, BearerError, Instance, Job, Sent, Sms, SmsBody, Transport};
use packetboat_api::serve::Door;
use packetboat_api::settings::{Section, Source};
use packetboat_mms::{Pdu, decode};
use packetboat_plugin_direct::PLUGIN;

pub const NOW: Timestamp = Timestamp(1_780_000_000_000);
pub const TOKEN: &str = "Abcdefghijkl0123456789";
pub const URL: &str = "http://mms.example.net:8002";

pub fn party(text: &str) -> Party {
    Party::parse(text).unwrap()
}

/// A job: a message from `from` with this subject to a phone.
pub fn job(from: &str, subject: Option<&str>) -> Job {
    let id = MessageId(7);
    let to = party("+447700900123");
    let message = Message {
        id,
        kind: Kind::Personal,
        received: NOW,
        listener: "mail".to_owned(),
        identity: Identity::Anonymous,
        envelope: Envelope {
            from: Some(party(from)),
            recipients: vec![Recipient::plain(to.clone())],
            ..Envelope::default()
        },
        traits: Traits {
            message_id: "abc@mmsc.test".to_owned(),
            subject: subject.map(str::to_owned),
            class: Class::Personal,
            priority: Priority::Normal,
            expires: NOW.after(Duration::from_secs(86_400)),
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
        state: State::Queued,
        due: NOW,
        expires: message.traits.expires,
        rule: "test".to_owned(),
        route: vec![Step { via: "direct".to_owned(), wait_ms: None }],
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
        line: Default::default(),
    };
    Job { delivery, recipient: Recipient::plain(to), message: Arc::new(message), now: NOW }
}

/// The PDU in a push.
pub fn pdu(push: &Bytes) -> Pdu {
    let push = packetboat_push::Push::parse(push).unwrap();
    assert!(push.is_mms());
    decode(&push.payload).unwrap()
}

/// A bearer that says what it is told.
pub struct Radio {
    pub answer: Result<Sent, BearerError>,
    pub pushes: Mutex<Vec<Sms>>,
}

impl Instance for Radio {}

#[async_trait]
impl Bearer for Radio {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        self.pushes.lock().unwrap().push(sms);
        self.answer.clone()
    }
}

/// The transport, built as the daemon builds it, behind a door with this address.
pub fn direct(url: Option<&str>, radio: &Arc<Radio>, toml: &str) -> Result<Arc<dyn Transport>, String> {
    let door = Door::default();
    url.into_iter().for_each(|url| door.open(url));
    let env = Env {
        clock: Arc::new(ManualClock::new(NOW)),
        doors: BTreeMap::from([("handsets".to_owned(), door)]),
        bearers: BTreeMap::from([("sms".to_owned(), radio.clone() as Arc<dyn Bearer>)]),
        ..Env::nowhere("direct", Path::new(""))
    };
    let source = Source { path: PathBuf::from("packetboat.toml"), text: toml.into() };
    let parsed = source.parse().map_err(|e| e.to_string())?;
    let (key, table) = ("transport.direct".into(), parsed.get_ref().clone());
    let section = Section { source: &source, key, span: parsed.span(), table };
    let Role::Transport(factory) = PLUGIN.roles[0] else { panic!("the first role is the transport") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The push a bearer was given.
pub fn carried(sms: &Sms) -> &Bytes {
    match &sms.body {
        SmsBody::Push(payload) => payload,
        other => panic!("not a push: {other:?}"),
    }
}

/// A bearer that gives this answer.
pub fn radio(answer: Result<Sent, BearerError>) -> Arc<Radio> {
    Arc::new(Radio { answer, pushes: Mutex::default() })
}

/// A bearer that takes everything.
pub fn good_radio() -> Arc<Radio> {
    radio(Ok(Sent { segments: 1, detail: "id 7".to_owned() }))
}
