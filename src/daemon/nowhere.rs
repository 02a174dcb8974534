//! Handles that lead nowhere: what plugins are built with by `packetboat check`, which opens no store.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::evidence::Evidence;
use packetboat_api::id::DeliveryId;
use packetboat_api::message::{Identity, Message};
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{
    Content, Fetch, FetchError, Handsets, Intake, Receipt, Refusal, RefusalKind, Submission, Witness,
};
use packetboat_api::store::StoreError;

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
