//! Handles that lead nowhere: what plugins are built with by `packetboat check`, which opens no store, and in tests of
//! plugins that have no use for some of them.

use std::ops::Range;
use std::sync::Arc;

use crate::async_trait;
use crate::evidence::Evidence;
use crate::id::DeliveryId;
use crate::message::{Identity, Message};
use crate::party::{Msisdn, Party};
use crate::road::{Content, Fetch, FetchError, Handsets, Intake, Receipt, Refusal, RefusalKind, Submission, Witness};
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

    async fn report_allowed(&self, _: DeliveryId, _: bool) -> Result<(), StoreError> {
        Err(unavailable())
    }

    async fn read_report(&self, _: &str, _: &Msisdn, _: bool) -> Result<(), Refusal> {
        Err(refusal())
    }
}
