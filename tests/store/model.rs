//! A store in two hundred lines: maps instead of files. What it answers, every backend must answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, Event};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::Message;
use packetboat_api::store::{Batch, Change, Lease, StoreError};

/// The model.
#[derive(Debug, Default)]
pub struct Model {
    /// Messages and their contents.
    pub messages: BTreeMap<MessageId, (Message, Bytes)>,
    /// Deliveries.
    pub deliveries: BTreeMap<DeliveryId, Delivery>,
    /// Timelines.
    pub timelines: BTreeMap<DeliveryId, Vec<Event>>,
    /// The largest message id ever seen.
    pub last_id: Option<MessageId>,
    keys: HashMap<Vec<u8>, (MessageId, Timestamp)>,
    leases: HashMap<DeliveryId, Held>,
    last_fence: u64,
    /// Due, and left for want of room by the last claim.
    standing: BTreeSet<DeliveryId>,
}

#[derive(Debug)]
struct Held {
    fence: u64,
    until: Timestamp,
    /// It ran out: the delivery can be claimed again.
    over: bool,
}

impl Model {
    /// What [`packetboat_api::store::Store::commit`] does at `now`.
    pub fn commit(&mut self, batch: Batch, now: Timestamp) -> Result<(), StoreError> {
        self.check(&batch, now)?;
        for new in batch.messages {
            self.last_id = self.last_id.max(Some(new.message.id));
            self.messages.insert(new.message.id, (new.message, new.content.concat().into()));
        }
        for delivery in batch.deliveries {
            self.deliveries.insert(delivery.id, delivery);
        }
        for change in batch.changes {
            if let Some(lease) = change.lease {
                self.leases.remove(&lease.delivery);
            }
            self.standing.remove(&change.delivery.id);
            self.deliveries.insert(change.delivery.id, change.delivery);
        }
        for (id, event) in batch.events {
            self.timelines.entry(id).or_default().push(event);
        }
        for key in batch.keys {
            self.keys.insert(key.key, (key.message, key.expires));
        }
        for id in batch.purge {
            self.messages.remove(&id);
            self.deliveries.retain(|delivery, _| delivery.message != id);
            self.timelines.retain(|delivery, _| delivery.message != id);
            self.leases.retain(|delivery, _| delivery.message != id);
        }
        self.drop_pointless_leases();
        Ok(())
    }

    /// A lease that ran out is lost when the delivery is not live any more: nobody will claim it.
    fn drop_pointless_leases(&mut self) {
        let deliveries = &self.deliveries;
        self.leases.retain(|id, held| !held.over || deliveries.get(id).is_some_and(|d| d.state.is_live()));
    }

    /// Every precondition: keys, messages, deliveries, changes, events, in this order.
    fn check(&self, batch: &Batch, now: Timestamp) -> Result<(), StoreError> {
        for (place, key) in batch.keys.iter().enumerate() {
            let there = self.keys.get(&key.key).filter(|(_, expires)| *expires > now).map(|(message, _)| *message);
            let within = batch.keys[..place].iter().find(|earlier| earlier.key == key.key).map(|key| key.message);
            if let Some(message) = there.or(within) {
                return Err(StoreError::Duplicate(message));
            }
        }
        for (place, new) in batch.messages.iter().enumerate() {
            let id = new.message.id;
            let within = batch.messages[..place].iter().any(|earlier| earlier.message.id == id);
            if within || self.messages.contains_key(&id) {
                return Err(StoreError::Duplicate(id));
            }
        }
        for (place, delivery) in batch.deliveries.iter().enumerate() {
            let id = delivery.id;
            let is_new = batch.messages.iter().any(|new| new.message.id == id.message);
            if !is_new && !self.messages.contains_key(&id.message) {
                return Err(StoreError::Missing(format!("message {}", id.message)));
            }
            let within = batch.deliveries[..place].iter().any(|earlier| earlier.id == id);
            if within || self.deliveries.contains_key(&id) {
                return Err(StoreError::Duplicate(id.message));
            }
        }
        batch.changes.iter().try_for_each(|change| self.check_change(change))?;
        for (id, _) in &batch.events {
            let is_new = batch.deliveries.iter().any(|delivery| delivery.id == *id);
            if !is_new && !self.deliveries.contains_key(id) {
                return Err(StoreError::Missing(format!("delivery {id}")));
            }
        }
        Ok(())
    }

    fn check_change(&self, change: &Change) -> Result<(), StoreError> {
        let id = change.delivery.id;
        if change.lease.is_some_and(|lease| lease.delivery != id || !self.holds(lease)) {
            return Err(StoreError::Fenced(id));
        }
        match self.deliveries.get(&id) {
            None => Err(StoreError::Missing(format!("delivery {id}"))),
            Some(present) if present.version != change.from => Err(StoreError::Stale(id)),
            Some(_) => Ok(()),
        }
    }

    fn holds(&self, lease: Lease) -> bool {
        self.leases.get(&lease.delivery).is_some_and(|held| held.fence == lease.fence)
    }

    /// Which deliveries [`packetboat_api::store::Store::claim`] leases; the fences are the store's to choose.
    pub fn due(&mut self, now: Timestamp, most: usize) -> Vec<DeliveryId> {
        for held in self.leases.values_mut() {
            held.over |= held.until <= now;
        }
        self.drop_pointless_leases();
        let mut due: Vec<_> = self.unleased().filter(|(at, _)| *at <= now).collect();
        due.sort();
        let mut taken: Vec<_> = due.into_iter().map(|(_, id)| id).collect();
        let left = taken.split_off(most.min(taken.len()));
        self.standing.retain(|id| !taken.contains(id));
        self.standing.extend(left);
        taken
    }

    /// The store leased these; every fence must be larger than all before.
    pub fn leased(&mut self, leases: &[Lease], until: Timestamp) {
        for lease in leases {
            assert!(lease.fence > self.last_fence, "fence {} after {}", lease.fence, self.last_fence);
            self.last_fence = lease.fence;
            self.leases.insert(lease.delivery, Held { fence: lease.fence, until, over: false });
        }
    }

    /// What [`packetboat_api::store::Store::release`] does.
    pub fn release(&mut self, lease: Lease) -> Result<(), StoreError> {
        if !self.holds(lease) {
            return Err(StoreError::Fenced(lease.delivery));
        }
        self.leases.remove(&lease.delivery);
        Ok(())
    }

    /// What [`packetboat_api::store::Store::next_due`] says.
    pub fn next_due(&self) -> Option<Timestamp> {
        let ends = self.leases.values().filter(|held| !held.over).map(|held| held.until);
        let next = self.unleased().filter(|(_, id)| !self.standing.contains(id));
        next.map(|(at, _)| at).chain(ends).min()
    }

    fn unleased(&self) -> impl Iterator<Item = (Timestamp, DeliveryId)> + '_ {
        let free = |id: &DeliveryId| self.leases.get(id).is_none_or(|held| held.over);
        let live = self.deliveries.values().filter(|delivery| delivery.state.is_live());
        live.filter(move |delivery| free(&delivery.id)).map(|delivery| (delivery.due, delivery.id))
    }

    /// A restart: leases are void.
    pub fn restart(&mut self) {
        self.leases.clear();
        self.standing.clear();
    }

    /// What [`packetboat_api::store::Store::finished`] says.
    pub fn finished(&self, before: Timestamp) -> Vec<MessageId> {
        let old = self.messages.values().filter(|(message, _)| message.received < before);
        let open = |id| self.deliveries.values().any(|d| d.id.message == id && !(d.state.is_done() && d.due < before));
        let mut found: Vec<_> = old.map(|(m, _)| (m.received, m.id)).filter(|(_, id)| !open(*id)).collect();
        found.sort();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Deliveries by state word.
    pub fn tally(&self) -> BTreeMap<String, u64> {
        let mut tally = BTreeMap::new();
        for delivery in self.deliveries.values() {
            *tally.entry(delivery.state.word().to_owned()).or_default() += 1;
        }
        tally
    }

    /// How long leases last in the histories.
    pub const LEASE: Duration = Duration::from_secs(120);
}
