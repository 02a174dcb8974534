//! A road on a real store in a temporary directory, a clock that is moved by hand, a transport that does as it is told.

pub mod store;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, ManualClock, SeededRandom, Timestamp};
use packetboat_api::delivery::{Delivery, Event};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::DeliveryId;
use packetboat_api::message::{Envelope, Identity, Kind, Notify, Recipient};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::party::Party;
use packetboat_api::road::{Receipt, Refusal, Submission};
use packetboat_api::roles::{Instance, Job, Transport, Verdict};
use packetboat_api::serve::CancellationToken;
use packetboat_api::store::{Filter, Page, Store};
use packetboat_api::units::{ByteSize, Period};
use packetboat_pipeline::observe::Nobody;
use packetboat_pipeline::queue::Queue;
use packetboat_pipeline::{Parts, Policy, Retry, Road, TransportSlot, Workers};
use packetboat_rules::Program;
use packetboat_store::{EmbeddedStore, Settings};
use tokio::task::JoinHandle;

use self::store::Wilful;

pub const START: Timestamp = Timestamp(1_780_000_000_000);
pub const BOB: &str = "+447700900123";
pub const CAROL: &str = "+447700900124";
pub const ANN: &str = "ann@example.net";

/// The rules most stories want: phones by the transport `sms`, mailboxes by `mail`.
pub const RULES: &str = "[[rule]]\nname = \"phones\"\nto = [\"+*\"]\nroute = [\"sms\"]\n\
                         [[rule]]\nname = \"mailboxes\"\nto = [\"*@*\"]\nroute = [\"mail\"]\n";

/// What a transport does with an attempt.
#[derive(Clone, Debug)]
pub enum Act {
    Say(Verdict),
    Panic,
    Hang,
    /// One verdict too many.
    Babble,
}

/// A transport that does what it is told, then what it does by habit, and remembers for whom.
pub struct Puppet {
    pub acts: Mutex<VecDeque<Act>>,
    pub habit: Act,
    pub seen: Mutex<Vec<(DeliveryId, Timestamp)>>,
    pub concurrency: usize,
    pub time_limit: Duration,
}

impl Puppet {
    pub fn new(habit: Act) -> Self {
        let (acts, seen) = (Mutex::default(), Mutex::default());
        Puppet { acts, habit, seen, concurrency: 8, time_limit: Duration::from_secs(30) }
    }

    pub fn then(self, act: Act) -> Self {
        self.acts.lock().expect("a lock").push_back(act);
        self
    }

    /// Attempts so far: seconds since the start.
    pub fn attempts(&self) -> Vec<u64> {
        self.seen.lock().expect("a lock").iter().map(|(_, at)| START.until(*at).as_secs()).collect()
    }
}

impl Instance for Puppet {}

#[async_trait]
impl Transport for Puppet {
    async fn deliver(&self, jobs: &[Job]) -> Vec<Verdict> {
        self.seen.lock().expect("a lock").extend(jobs.iter().map(|job| (job.delivery.id, job.now)));
        let act = self.acts.lock().expect("a lock").pop_front().unwrap_or_else(|| self.habit.clone());
        match act {
            Act::Say(verdict) => vec![verdict; jobs.len()],
            Act::Babble => vec![notified(None); jobs.len() + 1],
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("as it was told"),
        }
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn time_limit(&self) -> Duration {
        self.time_limit
    }
}

pub fn notified(again: Option<u64>) -> Verdict {
    let evidence = vec![Evidence::now(Fact::PushSent, "1 short message")];
    Verdict::Notified { evidence, again: again.map(Duration::from_secs) }
}

pub fn handed_over() -> Verdict {
    Verdict::HandedOver { detail: "250 ok".to_owned(), reports: false }
}

/// Everything that a story needs.
pub struct Scene {
    pub road: Road,
    pub clock: ManualClock,
    pub store: Arc<Wilful>,
    pub sms: Arc<Puppet>,
    pub mail: Arc<Puppet>,
    running: Option<(CancellationToken, JoinHandle<()>)>,
    _directory: tempfile::TempDir,
}

impl Scene {
    /// With this transport for phones. Mailboxes take everything.
    pub fn new(sms: Puppet) -> Self {
        Scene::with(sms, Puppet::new(Act::Say(handed_over())), RULES)
    }

    /// With these transports and rules.
    pub fn with(sms: Puppet, mail: Puppet, rules: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("rules.toml"), rules).expect("a rule file");
        let program = Program::load(&["rules.toml"], directory.path()).expect("rules");
        let clock = ManualClock::new(START);
        let settings = Settings {
            path: directory.path().join("store"),
            free_space_floor: ByteSize(0),
            durability: packetboat_store::Durability::ProcessCrash,
            ..Settings::default()
        };
        let opened = EmbeddedStore::open(settings, Arc::new(clock.clone())).expect("a store");
        let store = Wilful::new(Arc::new(opened));
        let mut policy = Policy::default();
        policy.queue.retry = Retry { first: Period::seconds(10), jitter: 0.0, ..Retry::default() };
        let road = Road::new(Parts {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            random: Arc::new(SeededRandom::new(1)),
            node: "mmsc.test".to_owned(),
            program: Arc::new(program),
            policy,
            observer: Arc::new(Nobody),
        });
        let (sms, mail) = (Arc::new(sms), Arc::new(mail));
        let slot = |transport: &Arc<Puppet>| TransportSlot::new(transport.clone(), None);
        let transports = [("sms".to_owned(), slot(&sms)), ("mail".to_owned(), slot(&mail))].into();
        road.engage(Workers { filters: Vec::new(), transports });
        Scene { road, clock, store, sms, mail, running: None, _directory: directory }
    }

    /// Starts the queue.
    pub fn run(mut self) -> Self {
        let drain = CancellationToken::new();
        let queue = tokio::spawn(Queue::new(&self.road).run(drain.clone()));
        self.running = Some((drain, queue));
        self
    }

    /// Ends the queue and waits for what is in hand.
    pub async fn drain(&mut self) {
        if let Some((drain, queue)) = self.running.take() {
            drain.cancel();
            queue.await.expect("a queue that ends well");
        }
    }

    /// Moves the clock.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn seconds(&self) -> u64 {
        START.until(self.clock.now()).as_secs()
    }

    pub async fn submit(&self, submission: Submission) -> Result<Receipt, Refusal> {
        self.road.intake("mail").submit(submission).await
    }

    /// All deliveries, oldest first.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.store.scan(&Filter::default(), Page { limit: 1000, ..Page::default() }).await.expect("a list")
    }

    pub async fn delivery(&self, id: DeliveryId) -> Delivery {
        self.store.delivery(id).await.expect("a delivery")
    }

    pub async fn timeline(&self, id: DeliveryId) -> Vec<Event> {
        self.store.timeline(id).await.expect("a timeline")
    }

    /// Waits until the delivery is as it should be.
    pub async fn until(&self, id: DeliveryId, what: &str, is: impl Fn(&Delivery) -> bool) -> Delivery {
        let wait = async {
            loop {
                let now = self.delivery(id).await;
                if is(&now) {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), wait).await {
            Ok(delivery) => delivery,
            Err(_) => panic!("not {what}: {:?}", self.delivery(id).await),
        }
    }
}

/// The only delivery of a message.
pub fn first(receipt: &Receipt) -> DeliveryId {
    DeliveryId { message: receipt.id, index: 0 }
}

pub fn party(text: &str) -> Party {
    Party::parse(text).expect("a party")
}

/// A mail of Ann's to these, who wants to hear of everything.
pub fn letter(to: &[&str]) -> Submission {
    let notify = Notify { success: true, failure: true, ..Notify::default() };
    let recipients = to.iter().map(|to| Recipient { notify, ..Recipient::plain(party(to)) }).collect();
    let mut headers = Headers::default();
    headers.push("Subject", "hello");
    Submission {
        kind: Kind::Personal,
        identity: Identity::User("ann".to_owned()),
        envelope: Envelope { from: Some(party(ANN)), recipients, ..Envelope::default() },
        mail: Mail { headers, root: Entity::leaf(MediaType::new("text/plain"), Bytes::from_static(b"hello")) },
        dedupe: None,
    }
}
