//! A real store behind one that does as a story tells it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, End, Event, State};
use packetboat_api::evidence::Fact;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::{Handset, Network};
use packetboat_api::message::{ContentRef, Message};
use packetboat_api::party::Msisdn;
use packetboat_api::store::{Batch, Change, Claim, Filter, Lease, Page, Room, Store, StoreError, StoreHealth};

/// A store with a will of its own.
pub struct Wilful {
    store: Arc<dyn Store>,
    /// Takes nothing while this is set.
    pub full: AtomicBool,
    /// Says of every delivery that is claimed that the phone has it, before the claimer can say anything.
    pub meddles: AtomicBool,
    /// Batches that were offered.
    pub commits: AtomicUsize,
}

impl Wilful {
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        let (full, meddles) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Wilful { store, full, meddles, commits: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Store for Wilful {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        match self.full.load(Ordering::SeqCst) {
            true => Err(StoreError::Full("as it was told".to_owned())),
            false => self.store.commit(batch).await,
        }
    }

    async fn claim(&self, now: Timestamp, room: &Room, lease: Duration) -> Result<Vec<Claim>, StoreError> {
        let claims = self.store.claim(now, room, lease).await?;
        for claim in claims.iter().filter(|_| self.meddles.load(Ordering::SeqCst)) {
            let mut delivery = claim.delivery.clone();
            delivery.version += 1;
            delivery.facts.push(Fact::Retrieved);
            delivery.state = State::Done(End::Delivered);
            let change = Change { delivery, from: claim.delivery.version, lease: None };
            self.store.commit(Batch { changes: vec![change], ..Batch::default() }).await?;
        }
        Ok(claims)
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.store.release(lease).await
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.store.next_due()
    }

    async fn stirred(&self) {
        self.store.stirred().await;
    }

    async fn message(&self, id: MessageId) -> Result<Arc<Message>, StoreError> {
        self.store.message(id).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Delivery, StoreError> {
        self.store.delivery(id).await
    }

    async fn by_token(&self, prefix: &str) -> Result<Option<(Delivery, Arc<Message>)>, StoreError> {
        self.store.by_token(prefix).await
    }

    async fn handset(&self, phone: &Msisdn) -> Result<Option<Handset>, StoreError> {
        self.store.handset(phone).await
    }

    async fn network(&self, name: &str) -> Result<Option<Network>, StoreError> {
        self.store.network(name).await
    }

    async fn by_message_id(&self, message_id: &str) -> Result<Option<Arc<Message>>, StoreError> {
        self.store.by_message_id(message_id).await
    }

    async fn read(&self, content: ContentRef, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.store.read(content, range).await
    }

    async fn scan(&self, filter: &Filter, page: Page) -> Result<Vec<Delivery>, StoreError> {
        self.store.scan(filter, page).await
    }

    async fn timeline(&self, id: DeliveryId) -> Result<Vec<Event>, StoreError> {
        self.store.timeline(id).await
    }

    async fn finished(&self, before: Timestamp, most: usize) -> Result<Vec<MessageId>, StoreError> {
        self.store.finished(before, most).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.tidy(now).await
    }

    async fn health(&self) -> StoreHealth {
        self.store.health().await
    }

    fn last_id(&self) -> Option<MessageId> {
        self.store.last_id()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
