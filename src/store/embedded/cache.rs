//! Messages, deliveries and small contents in use, bounded in octets.
//!
//! Two generations stand in for an exact order of last use: what is used moves to the young one; when that holds half
//! of the bound it becomes the old one, and what was old and unused is forgotten.
//!
//! Deliveries are put here by the writer only, after their commit, so that what is found is never older than the
//! database. Messages never change, so readers may put them here too, unless one was purged meanwhile.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use packetboat_api::delivery::{Delivery, TRANSACTION_LENGTH};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::Message;

/// What an entry costs beside its own octets: table slots, allocations.
const OVERHEAD: usize = 256;

pub(crate) struct Cache {
    generations: Mutex<Generations>,
    limit: usize,
}

#[derive(Default)]
struct Generations {
    young: Generation,
    old: Generation,
    /// Counts the purges, see [`Cache::epoch`].
    epoch: u64,
}

#[derive(Default)]
struct Generation {
    messages: HashMap<MessageId, Weighed<Arc<Message>>>,
    deliveries: HashMap<DeliveryId, Weighed<Arc<Delivery>>>,
    contents: HashMap<MessageId, Weighed<Bytes>>,
    /// By the part of the token that every look-up has.
    tokens: HashMap<String, DeliveryId>,
    weight: usize,
}

#[derive(Clone)]
struct Weighed<T> {
    value: T,
    weight: usize,
}

impl Cache {
    pub(crate) fn new(limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Cache { generations: Mutex::default(), limit }
    }

    /// To be taken before a message is read from the database that shall be put here afterwards.
    pub(crate) fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    pub(crate) fn message(&self, id: MessageId) -> Option<Arc<Message>> {
        let mut all = self.lock();
        let (found, aged) = find(&all.young.messages, &all.old.messages, &id)?;
        if aged {
            all.old.messages.remove(&id);
            self.put_message(&mut all, found.clone());
        }
        Some(found.value)
    }

    pub(crate) fn delivery(&self, id: DeliveryId) -> Option<Arc<Delivery>> {
        let mut all = self.lock();
        let (found, aged) = find(&all.young.deliveries, &all.old.deliveries, &id)?;
        if aged {
            all.old.deliveries.remove(&id);
            self.put_delivery(&mut all, found.clone());
        }
        Some(found.value)
    }

    /// The delivery whose token starts with `prefix`.
    pub(crate) fn by_token(&self, prefix: &str) -> Option<Arc<Delivery>> {
        let all = self.lock();
        let short = prefix.get(..TRANSACTION_LENGTH)?;
        let id = *all.young.tokens.get(short).or_else(|| all.old.tokens.get(short))?;
        let (found, _) = find(&all.young.deliveries, &all.old.deliveries, &id)?;
        found.value.token.starts_with(prefix).then_some(found.value)
    }

    pub(crate) fn content(&self, id: MessageId) -> Option<Bytes> {
        let all = self.lock();
        find(&all.young.contents, &all.old.contents, &id).map(|(found, _)| found.value)
    }

    /// Keeps a message that was just committed; `weight` is the length of its JSON.
    pub(crate) fn keep_message(&self, message: Arc<Message>, weight: usize) {
        self.put_message(&mut self.lock(), Weighed { value: message, weight: 3 * weight + OVERHEAD });
    }

    /// Keeps a message that was just read, unless something was purged since `epoch`: it might be gone.
    pub(crate) fn keep_read_message(&self, message: Arc<Message>, weight: usize, epoch: u64) {
        let mut all = self.lock();
        if all.epoch == epoch {
            self.put_message(&mut all, Weighed { value: message, weight: 3 * weight + OVERHEAD });
        }
    }

    /// Keeps a delivery that was just committed.
    pub(crate) fn keep_delivery(&self, delivery: Arc<Delivery>, weight: usize) {
        let mut all = self.lock();
        all.old.deliveries.remove(&delivery.id);
        self.put_delivery(&mut all, Weighed { value: delivery, weight: 3 * weight + OVERHEAD });
    }

    pub(crate) fn keep_content(&self, id: MessageId, octets: Bytes) {
        let mut all = self.lock();
        let weight = octets.len() + OVERHEAD;
        put(&mut all.young.contents, id, Weighed { value: octets, weight });
        all.young.weight += weight;
        self.age(&mut all);
    }

    /// Forgets a message (it was purged, or its content was moved) and, when `whole`, its deliveries too.
    pub(crate) fn forget_message(&self, id: MessageId, deliveries: &[DeliveryId]) {
        let mut all = self.lock();
        all.epoch += 1;
        let Generations { young, old, .. } = &mut *all;
        for generation in [young, old] {
            generation.messages.remove(&id);
            generation.contents.remove(&id);
            for id in deliveries {
                generation.deliveries.remove(id);
            }
        }
    }

    pub(crate) fn forget_delivery(&self, id: DeliveryId) {
        let mut all = self.lock();
        all.young.deliveries.remove(&id);
        all.old.deliveries.remove(&id);
    }

    pub(crate) fn clear(&self) {
        let mut all = self.lock();
        *all = Generations { epoch: all.epoch + 1, ..Generations::default() };
    }

    fn put_message(&self, all: &mut Generations, entry: Weighed<Arc<Message>>) {
        all.young.weight += entry.weight;
        put(&mut all.young.messages, entry.value.id, entry);
        self.age(all);
    }

    fn put_delivery(&self, all: &mut Generations, entry: Weighed<Arc<Delivery>>) {
        all.young.weight += entry.weight;
        all.young.tokens.insert(entry.value.transaction().to_owned(), entry.value.id);
        if let Some(before) = put(&mut all.young.deliveries, entry.value.id, entry) {
            all.young.weight -= before.weight.min(all.young.weight);
        }
        self.age(all);
    }

    fn age(&self, all: &mut Generations) {
        if all.young.weight > self.limit / 2 {
            all.old = std::mem::take(&mut all.young);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry, and whether it is in the old generation.
fn find<K: Hash + Eq, T: Clone>(
    young: &HashMap<K, Weighed<T>>,
    old: &HashMap<K, Weighed<T>>,
    key: &K,
) -> Option<(Weighed<T>, bool)> {
    young.get(key).map(|found| (found.clone(), false)).or_else(|| old.get(key).map(|found| (found.clone(), true)))
}

fn put<K: Hash + Eq, T>(map: &mut HashMap<K, Weighed<T>>, key: K, entry: Weighed<T>) -> Option<Weighed<T>> {
    map.insert(key, entry)
}
