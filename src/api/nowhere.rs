//! Handles that lead nowhere: what plugins are built with by `packetboat check`, which opens no store, and in tests of
//! plugins that have no use for some of them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::async_trait;
use crate::clock::{SystemClock, SystemRandom};
use crate::evidence::Evidence;
use crate::id::DeliveryId;
use crate::memory::{Handset, Sighting};
use crate::message::{Identity, Message};
use crate::numbers::NumberPlan;
use crate::party::{Msisdn, Party};
use crate::plugin::Env;
use crate::road::{
    Arrivals, Content, Fetch, FetchError, Handsets, Intake, Receipt, Refusal, RefusalKind, Submission, Witness,
};
use crate::roles::Arrival;
use crate::spool::SpoolBudget;
use crate::store::StoreError;
use bytes::Bytes;

/// Takes nothing, gives nothing.
pub struct Nowhere;

fn refusal() -> Refusal {
    Refusal::new(RefusalKind::TryLater, "nothing is taken while the configuration is being checked")
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("the configuration is being checked".to_owned())
}

#[async_trait]
impl Intake for Nowhere {
    async fn check(&self, _: &Identity, _: Option<&Party>, _: &Party) -> Result<(), Refusal> {
        Err(refusal())
    }

    async fn submit(&self, _: Submission) -> Result<Receipt, Refusal> {
        Err(refusal())
    }

    fn max_size(&self) -> u64 {
        0
    }

    fn max_recipients(&self) -> usize {
        0
    }
}

#[async_trait]
impl Content for Nowhere {
    async fn read(&self, _: &Message, _: Range<u64>) -> Result<Bytes, StoreError> {
        Err(unavailable())
    }
}

#[async_trait]
impl Witness for Nowhere {
    async fn witness(&self, _: DeliveryId, _: Evidence) -> Result<(), StoreError> {
        Err(unavailable())
    }
}

#[async_trait]
impl Handsets for Nowhere {
    async fn fetch(&self, _: &str) -> Result<Fetch, FetchError> {
        Err(FetchError::TryLater)
    }

    fn content(&self) -> Arc<dyn Content> {
        Arc::new(Nowhere)
    }

    async fn witness(&self, _: DeliveryId, _: Evidence) -> Result<(), StoreError> {
        Err(unavailable())
    }

    async fn witness_soon(&self, _: Fetch, _: Evidence) {}

    async fn known(&self, _: &Msisdn) -> Option<Handset> {
        None
    }

    async fn sighted(&self, _: &Msisdn, _: Sighting) {}

    async fn report_allowed(&self, _: DeliveryId, _: bool) -> Result<(), StoreError> {
        Err(unavailable())
    }

    async fn read_report(&self, _: &str, _: &Msisdn, _: bool) -> Result<(), Refusal> {
        Err(refusal())
    }
}

#[async_trait]
impl Arrivals for Nowhere {
    async fn arrived(&self, _: Arrival) -> Result<(), Refusal> {
        Err(refusal())
    }
}

impl Env {
    /// An environment for the instance `name` whose handles lead nowhere, with the system's clock and randomness; relative file
    /// names start from `base`.
    pub fn nowhere(name: &str, base: &Path) -> Self {
        let nowhere = Arc::new(Nowhere);
        Env {
            name: name.to_owned(),
            node: "localhost".to_owned(),
            base: base.to_owned(),
            numbers: NumberPlan::default(),
            show_addresses: false,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            spool: SpoolBudget::new(0, base),
            intake: nowhere.clone(),
            handsets: nowhere.clone(),
            content: nowhere.clone(),
            witness: nowhere.clone(),
            arrivals: nowhere,
            doors: BTreeMap::new(),
            pages: BTreeMap::new(),
            bearers: BTreeMap::new(),
        }
    }
}
