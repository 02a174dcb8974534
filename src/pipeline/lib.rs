//! The one-way road. In flow order:
//!
//! - [`accept`]: takes a submission, and returns when it is on disk (I-1).
//! - [`normalise`]: ids, addresses, times and limits; pure.
//! - [`route`]: rules decide each recipient's route.
//! - [`queue`]: claims what is due and hands it on; each transport has its own lane.
//! - [`deliver`]: one attempt by one transport; panics and time-outs are caught here (I-10).
//! - [`transition`]: what a verdict, a piece of evidence or the passing of time makes of a delivery; pure (I-3).
//! - [`report`]: what is owed to the sender; a report is a new message that enters at `accept`.
//!
//! Beside the road: [`handsets`], [`witness`] and `gather` (what phones, bearers and transports tell us), `memory` (what is learnt
//! of phones), [`arrivals`] (what comes by short message), `provision` (settings for phones), [`operate`] (what an
//! operator sees and does), [`janitor`] (what is forgotten, and when), [`policy`] (the settings of all this),
//! [`observe`] (what metrics and logs see).

pub mod accept;
pub mod arrivals;
pub mod deliver;
mod gather;
pub mod handsets;
pub mod janitor;
mod lane;
mod memory;
pub mod normalise;
pub mod observe;
pub mod operate;
pub mod policy;
mod provision;
pub mod queue;
pub mod report;
pub mod route;
pub mod transition;
pub mod witness;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use packetboat_api::clock::{Clock, Random};
use packetboat_api::id::IdSource;
use packetboat_api::roles::{Filter, Transport};
use packetboat_api::store::Store;
use packetboat_rules::Program;

use crate::gather::Gathering;
use crate::lane::Lane;

pub use observe::Observer;
pub use policy::{Impossible, LimitSettings, Policy, QueueSettings, Retry};

/// A transport on the road: the plugin's instance and what the configuration says of how to use it.
pub struct TransportSlot {
    /// The instance.
    pub transport: Arc<dyn Transport>,
    /// Its own back-off, when the configuration gives one.
    pub retry: Option<Retry>,
    /// How long one attempt may take.
    time_limit: Duration,
    /// Bounds its attempts.
    pub(crate) lane: Lane,
}

impl TransportSlot {
    /// A slot for this instance.
    pub fn new(transport: Arc<dyn Transport>, retry: Option<Retry>) -> Self {
        let (time_limit, lane) = (transport.time_limit(), Lane::new(transport.concurrency()));
        TransportSlot { transport, retry, time_limit, lane }
    }
}

/// The instances that work on the road. They are built with handles to the road, so the road learns of them afterwards.
pub struct Workers {
    /// Filters in order.
    pub filters: Vec<(String, Arc<dyn Filter>)>,
    /// Transports by instance name.
    pub transports: BTreeMap<String, TransportSlot>,
}

/// What the road is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// This node's name.
    pub node: String,
    /// The rules.
    pub program: Arc<Program>,
    /// The settings.
    pub policy: Policy,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// The road. Cheap to clone.
#[derive(Clone)]
pub struct Road(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    node: String,
    program: Arc<Program>,
    policy: Policy,
    observer: Arc<dyn Observer>,
    ids: IdSource,
    workers: OnceLock<Workers>,
    /// Outcomes of attempts that the store did not take yet.
    unsettled: AtomicUsize,
    /// Told when a lane has room again.
    freed: tokio::sync::Notify,
    /// Told when a lane has plenty of it.
    plenty: tokio::sync::Notify,
    gathering: Gathering,
    recent: arrivals::Recent,
    memory: memory::Memory,
}

impl Road {
    /// Builds the road; nothing moves until [`Road::engage`] and [`queue::Queue::run`].
    pub fn new(parts: Parts) -> Self {
        let ids = IdSource::after(parts.store.last_id());
        Road(Arc::new(Inner {
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
            node: parts.node,
            program: parts.program,
            policy: parts.policy,
            observer: parts.observer,
            ids,
            workers: OnceLock::new(),
            unsettled: AtomicUsize::new(0),
            freed: tokio::sync::Notify::new(),
            plenty: tokio::sync::Notify::new(),
            gathering: Gathering::default(),
            recent: arrivals::Recent::default(),
            memory: memory::Memory::default(),
        }))
    }

    /// Tells the road who works on it. Once.
    pub fn engage(&self, workers: Workers) {
        let _ = self.0.workers.set(workers);
    }

    /// The store, for the operator's view.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    fn filters(&self) -> &[(String, Arc<dyn Filter>)] {
        self.0.workers.get().map_or(&[], |workers| &workers.filters)
    }

    fn transport(&self, name: &str) -> Option<&TransportSlot> {
        self.0.workers.get()?.transports.get(name)
    }
}
