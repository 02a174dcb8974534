//! Operate: what an operator sees of the queue and does to it. All of it is `scan` + `commit`, so that it works on every
//! backend.

use packetboat_api::delivery::{Delivery, Event};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::Message;
use packetboat_api::store::{Batch, Filter, Page, StoreError};
use std::sync::Arc;

use crate::Road;
use crate::transition::{self, Circumstances};

/// A message with its deliveries and their timelines.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The message.
    pub message: Arc<Message>,
    /// Its deliveries, each with its timeline.
    pub deliveries: Vec<(Delivery, Vec<Event>)>,
}

impl Road {
    /// Lists deliveries with their messages.
    pub async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<(Delivery, Option<Arc<Message>>)>, StoreError> {
        let mut listed = Vec::new();
        for delivery in self.0.store.scan(filter, page).await? {
            let message = self.message_of(&delivery).await.ok();
            listed.push((delivery, message));
        }
        Ok(listed)
    }

    /// Withdraws deliveries: all of a message, or one. What is behind their content URLs and pages cannot be fetched any more.
    /// Gives how many were not withdrawn before.
    pub async fn revoke(&self, name: &str) -> Result<usize, StoreError> {
        let trace = self.trace(name).await?;
        let one = name.parse::<DeliveryId>().ok();
        if one.is_some_and(|one| trace.deliveries.iter().all(|(delivery, _)| delivery.id != one)) {
            return Err(StoreError::Missing(format!("delivery {name}")));
        }
        let mut withdrawn = 0;
        for (delivery, _) in trace.deliveries {
            if delivery.revoked || one.is_some_and(|one| one != delivery.id) {
                continue;
            }
            let revoke = |delivery: &Delivery, with: Circumstances<'_>, _: &mut Batch| {
                Some(transition::revoked(delivery, "an operator withdrew it", with))
            };
            self.change(None, &trace.message, delivery, revoke).await?;
            withdrawn += 1;
        }
        Ok(withdrawn)
    }

    /// Everything known of a message. `name` is its id, a delivery's id, or a Message-ID.
    pub async fn trace(&self, name: &str) -> Result<Trace, StoreError> {
        let missing = || StoreError::Missing(format!("message {name}"));
        let by_delivery = || name.parse::<DeliveryId>().map(|id| id.message);
        let message = match name.parse::<MessageId>().or_else(|_| by_delivery()) {
            Ok(id) => self.0.store.message(id).await?,
            Err(_) => {
                let id = name.trim_start_matches('<').trim_end_matches('>');
                self.0.store.by_message_id(id).await?.ok_or_else(missing)?
            }
        };
        let filter = Filter { message: Some(message.id), ..Filter::default() };
        let page = Page { limit: message.envelope.recipients.len().max(1), ..Page::default() };
        let mut deliveries = Vec::new();
        for delivery in self.0.store.scan(&filter, page).await? {
            let timeline = self.0.store.timeline(delivery.id).await?;
            deliveries.push((delivery, timeline));
        }
        Ok(Trace { message, deliveries })
    }
}
