//! Looking up what a claim, or anybody, asks for: the cache first, then the database, all that is missing at once.

use std::sync::Arc;

use packetboat_api::delivery::Delivery;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::Message;
use packetboat_api::store::{Claim, Lease, StoreError};
use rusqlite::Connection;

use crate::EmbeddedStore;
use crate::reader::{self, Read, ReadMessage};
use crate::schema;
use crate::shared::Aside;

/// What was found of a delivery and its message.
pub(crate) type Found = (Result<Delivery, StoreError>, Result<Arc<Message>, StoreError>);

impl EmbeddedStore {
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.shared.readers.run(query).await.map_err(|error| self.read_failed(&error))
    }

    /// Deliveries and their messages; one visit to the database for all that are not in the cache.
    pub(crate) async fn look_up(&self, ids: Vec<DeliveryId>) -> Vec<Found> {
        let cache = &self.shared.cache;
        let epoch = cache.epoch();
        let hot: Vec<_> = ids.iter().map(|id| (cache.delivery(*id), cache.message(id.message))).collect();
        let cold: Vec<_> = ids
            .iter()
            .zip(&hot)
            .map(|(id, (delivery, message))| (*id, delivery.is_none(), message.is_none()))
            .collect();
        let mut read = Vec::new();
        if cold.iter().any(|(_, delivery, message)| *delivery || *message) {
            let wanted = cold.clone();
            let query = move |db: &Connection| {
                // One transaction: locks for each row would cost more than reading it.
                let _db = db.unchecked_transaction()?;
                let row = |(id, delivery, message): (DeliveryId, bool, bool)| {
                    let delivery = delivery.then(|| reader::delivery(db, id));
                    (delivery, message.then(|| reader::message(db, id.message)))
                };
                Ok(wanted.into_iter().map(row).collect::<Vec<_>>())
            };
            read = match self.query(query).await {
                Ok(read) => read,
                Err(error) => return ids.iter().map(|_| (Err(error.clone()), Err(error.clone()))).collect(),
            };
        }
        read.resize_with(ids.len(), || (None, None));
        let both = ids.into_iter().zip(hot).zip(read);
        both.map(|((id, (hot_delivery, hot_message)), (delivery, message))| {
            let delivery = delivery.map(|found| self.found_delivery(id, found));
            let message = message.map(|found| self.found_message(id.message, found, epoch));
            // One of the two is there.
            let gone = || StoreError::Missing(format!("delivery {id}"));
            let delivery = delivery.or_else(|| hot_delivery.map(|hot| Ok(Delivery::clone(&hot))));
            let message = message.or_else(|| hot_message.map(Ok));
            (delivery.unwrap_or_else(|| Err(gone())), message.unwrap_or_else(|| Err(gone())))
        })
        .collect()
    }

    pub(crate) fn found_delivery(
        &self,
        id: DeliveryId,
        found: rusqlite::Result<Option<Read<Delivery>>>,
    ) -> Result<Delivery, StoreError> {
        match found.map_err(|error| self.read_failed(&error))? {
            None => Err(StoreError::Missing(format!("delivery {id}"))),
            Some(Err(reason)) => {
                self.set_aside_delivery(id, reason.clone());
                Err(StoreError::Damaged(format!("delivery {id}: {reason}")))
            }
            Some(Ok(delivery)) => Ok(delivery),
        }
    }

    /// `epoch` is the cache's before the row was read.
    pub(crate) fn found_message(
        &self,
        id: MessageId,
        found: rusqlite::Result<Option<ReadMessage>>,
        epoch: u64,
    ) -> Result<Arc<Message>, StoreError> {
        match found.map_err(|error| self.read_failed(&error))? {
            None => Err(StoreError::Missing(format!("message {id}"))),
            Some(Err(reason)) => {
                self.set_aside(Aside::Other("message", id.to_string(), reason.clone()));
                Err(StoreError::Damaged(format!("message {id}: {reason}")))
            }
            Some(Ok((message, weight))) => {
                let message = Arc::new(message);
                self.shared.cache.keep_read_message(message.clone(), weight, epoch);
                Ok(message)
            }
        }
    }

    /// The claim of a lease; `None` when its delivery is not live any more or cannot be read.
    pub(crate) fn claimed(
        &self,
        lease: Lease,
        delivery: Result<Delivery, StoreError>,
        message: Result<Arc<Message>, StoreError>,
    ) -> Result<Option<Claim>, StoreError> {
        let id = lease.delivery;
        let delivery = match delivery {
            Ok(delivery) if delivery.state.is_live() => delivery,
            Ok(_) | Err(StoreError::Missing(_)) => {
                self.shared.schedule.release(lease);
                return Ok(None);
            }
            Err(StoreError::Damaged(reason)) => {
                self.set_aside_delivery(id, reason);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match message {
            Ok(message) => Ok(Some(Claim { lease, delivery, message })),
            Err(StoreError::Missing(reason) | StoreError::Damaged(reason)) => {
                self.set_aside_delivery(id, format!("its message: {reason}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A row that cannot be read is set aside.
    pub(crate) fn readable(&self, id: DeliveryId, row: Read<Delivery>) -> Option<Delivery> {
        row.map_err(|reason| self.set_aside_delivery(id, reason)).ok()
    }

    fn set_aside_delivery(&self, id: DeliveryId, reason: String) {
        self.shared.schedule.remove(id);
        self.set_aside(Aside::Delivery(id, reason));
    }

    fn read_failed(&self, error: &rusqlite::Error) -> StoreError {
        if schema::is_damage(error) {
            self.set_aside(Aside::Database(error.to_string()));
        }
        reader::read_error(error)
    }
}
