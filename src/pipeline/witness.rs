//! Witness: evidence about a delivery, from wherever it comes, and what follows from it, on disk before it is answered.

use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_api::delivery::Delivery;
use packetboat_api::evidence::Evidence;
use packetboat_api::id::DeliveryId;
use packetboat_api::message::Message;
use packetboat_api::road::{Content, Receipt, Submission, Witness};
use packetboat_api::store::StoreError;

use crate::Road;
use crate::transition;

impl Road {
    /// The handle through which bearers and transports give evidence.
    pub fn as_witness(&self) -> Arc<dyn Witness> {
        Arc::new(self.clone())
    }

    /// The handle through which content is read.
    pub fn as_content(&self) -> Arc<dyn Content> {
        Arc::new(self.clone())
    }

    /// Applies evidence to a delivery.
    pub(crate) async fn seen(&self, id: DeliveryId, evidence: &Evidence) -> Result<Delivery, StoreError> {
        let delivery = self.0.store.delivery(id).await?;
        let message = self.0.store.message(id.message).await?;
        self.change(None, &message, delivery, |delivery, with| transition::evidence(delivery, evidence, with)).await
    }

    /// A delivery status notification that a mail system sent back to one of our recipients' addresses is evidence about
    /// the delivery it names (RFC 3464), not a message for a phone. `None` when the submission is not one of ours.
    pub(crate) async fn reported(&self, _submission: &Submission) -> Option<Receipt> {
        None
    }

    /// The message of a delivery.
    pub(crate) async fn message_of(&self, delivery: &Delivery) -> Result<Arc<Message>, StoreError> {
        self.0.store.message(delivery.id.message).await
    }
}

#[async_trait]
impl Witness for Road {
    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        self.seen(delivery, &evidence).await.map(drop)
    }
}

#[async_trait]
impl Content for Road {
    async fn read(&self, message: &Message, range: std::ops::Range<u64>) -> Result<bytes::Bytes, StoreError> {
        self.0.store.read(message.content, range).await
    }
}
