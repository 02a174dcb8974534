//! Random histories: the same steps on a store and on the [`Model`], the same answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::clock::{Clock, Timestamp};
use packetboat_api::delivery::{Delivery, End, State};
use packetboat_api::store::{Batch, Change, Filter, Key, Lease, Page, Room, Store};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::Backend;
use crate::model::Model;
use crate::samples::{START, delivery, delivery_id, event, id, message};

/// One part of a batch.
#[derive(Clone, Debug)]
enum Part {
    /// A message with some deliveries and a key.
    Accept { n: u64, length: usize, recipients: u32, minutes: u64, key: u8 },
    /// A change of a delivery, made from its present version or an older one, under one of the leases seen or none.
    Change { which: Index, state: State, minutes: u64, lease: Option<Index>, stale: bool },
    /// A line.
    Note { n: u64, index: u32 },
    /// A delivery for a message that may be there.
    Recipient { n: u64, index: u32 },
    /// The end of a message.
    Purge { n: u64 },
}

#[derive(Clone, Debug)]
enum Action {
    Commit(Vec<Part>),
    Claim { minutes: u64, most: usize },
    Release { lease: Index },
    Advance { minutes: u64 },
    Tidy,
    Reopen { close: bool },
}

const STATES: [State; 6] = [
    State::Queued,
    State::Waiting,
    State::Held,
    State::Quarantined,
    State::Done(End::Delivered),
    State::Done(End::Failed),
];

fn part() -> impl Strategy<Value = Part> {
    let length = prop_oneof![Just(0usize), 1..200usize, 4000..4200usize, 30_000..300_000usize];
    let lease = proptest::option::of(any::<Index>());
    prop_oneof![
        4 => (1..20u64, length, 0..4u32, 0..30u64, 0..12u8)
            .prop_map(|(n, length, recipients, minutes, key)| Part::Accept { n, length, recipients, minutes, key }),
        6 => (any::<Index>(), proptest::sample::select(&STATES[..]), 0..30u64, lease, prop::bool::weighted(0.1))
            .prop_map(|(which, state, minutes, lease, stale)| Part::Change { which, state, minutes, lease, stale }),
        1 => (1..20u64, 0..4u32).prop_map(|(n, index)| Part::Note { n, index }),
        1 => (1..20u64, 0..4u32).prop_map(|(n, index)| Part::Recipient { n, index }),
        2 => (1..20u64).prop_map(|n| Part::Purge { n }),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => proptest::collection::vec(part(), 1..4).prop_map(Action::Commit),
        4 => (0..40u64, 0..4usize).prop_map(|(minutes, most)| Action::Claim { minutes, most }),
        1 => any::<Index>().prop_map(|lease| Action::Release { lease }),
        1 => (0..30u64).prop_map(|minutes| Action::Advance { minutes }),
        1 => Just(Action::Tidy),
        1 => any::<bool>().prop_map(|close| Action::Reopen { close }),
    ]
}

/// Runs `cases` histories, each on a backend of its own.
pub fn run<B: Backend>(cases: u32, make: impl Fn() -> B) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let histories = proptest::collection::vec(action(), 1..60);
    let result = TestRunner::new(config).run(&histories, |actions| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let backend = make();
        runtime.block_on(History::start(&backend)).run(&runtime, actions)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

struct History<'a, B> {
    backend: &'a B,
    store: Option<Arc<dyn Store>>,
    model: Model,
    /// Every lease ever given.
    leases: Vec<Lease>,
    /// The time of the latest claim.
    latest: Timestamp,
}

impl<'a, B: Backend> History<'a, B> {
    async fn start(backend: &'a B) -> Self {
        History {
            backend,
            store: Some(backend.open().await),
            model: Model::default(),
            leases: Vec::new(),
            latest: START,
        }
    }

    fn run(mut self, runtime: &tokio::runtime::Runtime, actions: Vec<Action>) -> Result<(), TestCaseError> {
        runtime.block_on(async {
            for action in actions {
                self.step(action).await?;
                prop_assert_eq!(self.store().next_due(), self.model.next_due());
            }
            self.compare().await?;
            self.reopen(false).await;
            self.compare().await
        })
    }

    fn store(&self) -> &dyn Store {
        self.store.as_deref().expect("a store is open")
    }

    fn now(&self) -> Timestamp {
        self.backend.clock().now()
    }

    async fn step(&mut self, action: Action) -> Result<(), TestCaseError> {
        match action {
            Action::Commit(parts) => {
                let batch = self.batch(parts);
                let found = self.store().commit(batch.clone()).await;
                let now = self.now();
                prop_assert_eq!(found, self.model.commit(batch, now));
            }
            Action::Claim { minutes, most } => {
                // Time does not run backwards.
                let now = self.latest.max(START.after(Duration::from_secs(60 * minutes)));
                self.latest = now;
                let claims = self.store().claim(now, &Room::of_any(most), Model::LEASE).await.expect("claim");
                let found: Vec<_> = claims.iter().map(|claim| claim.lease.delivery).collect();
                prop_assert_eq!(found, self.model.due(now, most));
                let leases: Vec<_> = claims.iter().map(|claim| claim.lease).collect();
                self.model.leased(&leases, now.after(Model::LEASE));
                self.leases.extend(leases);
                for claim in claims {
                    prop_assert_eq!(Some(&claim.delivery), self.model.deliveries.get(&claim.delivery.id));
                    prop_assert_eq!(claim.message.id, claim.delivery.id.message);
                }
            }
            Action::Release { lease } if !self.leases.is_empty() => {
                let lease = *lease.get(&self.leases);
                let found = self.store().release(lease).await;
                prop_assert_eq!(found, self.model.release(lease));
            }
            Action::Release { .. } => {}
            Action::Advance { minutes } => self.backend.clock().advance(Duration::from_secs(60 * minutes)),
            Action::Tidy => prop_assert_eq!(self.store().tidy(self.now()).await, Ok(())),
            Action::Reopen { close } => self.reopen(close).await,
        }
        Ok(())
    }

    fn batch(&self, parts: Vec<Part>) -> Batch {
        let mut batch = Batch::default();
        for part in parts {
            match part {
                Part::Accept { n, length, recipients, minutes, key } => {
                    batch.messages.push(message(n, length));
                    for index in 0..recipients {
                        let due = START.after(Duration::from_secs(60 * minutes));
                        batch.deliveries.push(Delivery { due, ..delivery(n, index) });
                        batch.events.push((delivery_id(n, index), event("accepted")));
                    }
                    let expires = self.now().after(Duration::from_secs(60 * 15));
                    batch.keys.push(Key { key: vec![key], message: id(n), expires });
                }
                Part::Change { which, state, minutes, lease, stale } => {
                    let there: Vec<_> = self.model.deliveries.values().collect();
                    if there.is_empty() {
                        continue;
                    }
                    let present = *which.get(&there);
                    let from = if stale { present.version - 1 } else { present.version };
                    let due = START.after(Duration::from_secs(60 * minutes));
                    let changed = Delivery { version: from + 1, state, due, ..present.clone() };
                    // Mostly the newest lease of this delivery, sometimes a wrong or an old one.
                    let own: Vec<_> = self.leases.iter().filter(|lease| lease.delivery == present.id).collect();
                    let lease = lease.filter(|_| !own.is_empty()).map(|which| {
                        if which.index(8) == 0 { *which.get(&self.leases) } else { **own.last().expect("not empty") }
                    });
                    if batch.changes.iter().all(|change: &Change| change.delivery.id != changed.id) {
                        batch.changes.push(Change { delivery: changed, from, lease });
                    }
                }
                Part::Note { n, index } => batch.events.push((delivery_id(n, index), event("noted"))),
                Part::Recipient { n, index } => batch.deliveries.push(delivery(n, index)),
                Part::Purge { n } => batch.purge.push(id(n)),
            }
        }
        batch
    }

    async fn reopen(&mut self, close: bool) {
        if close {
            self.store().close().await;
        }
        self.store = None;
        self.store = Some(self.backend.open().await);
        self.model.restart();
    }

    /// Everything that can be asked.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let (store, model) = (self.store(), &self.model);
        let page = Page { limit: usize::MAX, ..Page::default() };
        let listed = store.scan(&Filter::default(), page).await.expect("scan");
        prop_assert_eq!(listed, model.deliveries.values().cloned().collect::<Vec<_>>());
        for (id, delivery) in &model.deliveries {
            prop_assert_eq!(&store.delivery(*id).await.expect("delivery"), delivery);
            let found = store.by_token(&delivery.token).await.expect("by token");
            prop_assert_eq!(found.as_ref().map(|(delivery, _)| delivery), Some(delivery));
            prop_assert_eq!(found.map(|(_, message)| message.id), Some(id.message));
            let timeline = store.timeline(*id).await.expect("timeline");
            prop_assert_eq!(timeline, model.timelines.get(id).cloned().unwrap_or_default());
        }
        for (id, (message, content)) in &model.messages {
            let found = store.message(*id).await.expect("message");
            prop_assert_eq!(&found.traits, &message.traits);
            prop_assert_eq!(&found.mail, &message.mail);
            let octets = store.read(found.content, 0..found.content.length).await.expect("content");
            prop_assert!(octets == *content, "content of {}", id);
        }
        prop_assert_eq!(store.last_id(), model.last_id);
        prop_assert_eq!(store.next_due(), model.next_due());
        let before = START.after(Duration::from_millis(10));
        prop_assert_eq!(store.finished(before, usize::MAX).await.expect("finished"), model.finished(before));
        let health = store.health().await;
        prop_assert_eq!(health.messages, model.messages.len() as u64);
        prop_assert_eq!(health.deliveries.into_iter().collect::<BTreeMap<_, _>>(), model.tally());
        let octets: usize = model.messages.values().map(|(_, content)| content.len()).sum();
        prop_assert_eq!(health.content_bytes, octets as u64);
        prop_assert_eq!((health.writable, health.quarantined), (true, 0));
        Ok(())
    }
}
