//! Memory: what phones and their networks really do, learnt from what becomes of deliveries.
//!
//! A lesson is put down in passing and taken to heart a moment later, with others: whoever reads the memory meanwhile sees it
//! all the same. Lessons are no part of a delivery's fate: a crash forgets the last ones, and when more come than can be
//! written down, some are passed over; the next one teaches the same.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex as Lock, PoisonError};
use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, End, State};
use packetboat_api::evidence::Fact;
use packetboat_api::memory::{Handset, Network, Sighting};
use packetboat_api::party::Msisdn;
use packetboat_api::store::{Batch, StoreError};
use tokio::sync::Mutex;

use crate::Road;
use crate::transition::Next;

/// Lessons that wait to be taken to heart; more are passed over.
const WAITING: usize = 512;
/// How long lessons are gathered before they are written down.
const PAUSE: Duration = Duration::from_millis(250);
/// Phones and networks kept in memory each; the rest is in the store.
const KEPT: usize = 4096;
/// A phone that fetches is noted once in so long.
const ENOUGH: Duration = Duration::from_secs(3600);

/// What is learnt of a phone.
#[derive(Clone, Debug)]
pub(crate) enum Lesson {
    /// It fetched from us.
    Fetched,
    /// It was told, and did not fetch while there was time.
    Missed,
    /// It showed something of itself.
    Seen(Box<Sighting>),
}

/// The memory of the road.
#[derive(Default)]
pub(crate) struct Memory {
    lessons: Lock<Lessons>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Lessons {
    waiting: Vec<(Msisdn, Lesson)>,
    /// Somebody is going to write them down.
    being_written: bool,
}

/// What is known, as far as it is in memory.
#[derive(Default)]
struct Known {
    handsets: HashMap<Msisdn, Option<Handset>>,
    networks: HashMap<String, Option<Network>>,
    /// Changed and not written down yet.
    changed_handsets: HashSet<Msisdn>,
    changed_networks: HashSet<String>,
}

impl Road {
    /// What is known of a phone.
    pub async fn handset(&self, phone: &Msisdn) -> Option<Handset> {
        let mut known = self.recall().await;
        self.handset_in(&mut known, phone).await.ok().flatten()
    }

    /// What is known of the network of a phone.
    pub async fn network(&self, phone: &Msisdn) -> Option<Network> {
        let mut known = self.recall().await;
        let name = self.network_name(phone);
        self.network_in(&mut known, &name).await.ok().flatten()
    }

    /// The name a number's network goes by: its first digits.
    pub(crate) fn network_name(&self, phone: &Msisdn) -> String {
        phone.digits().chars().take(self.0.policy.queue.network_digits).collect()
    }

    /// A phone showed something of itself.
    pub(crate) fn sight(&self, phone: &Msisdn, sighting: Sighting) {
        self.put_down(phone, Lesson::Seen(Box::new(sighting)));
    }

    /// What a change of a delivery teaches of its phone, once it is on disk.
    pub(crate) fn lesson_of(&self, before: &Delivery, next: &Next) -> Option<(Msisdn, Lesson)> {
        let phone = before.to.phone()?;
        let has = |delivery: &Delivery| delivery.saw(Fact::Fetched) || delivery.saw(Fact::Retrieved);
        let after = &next.delivery;
        if has(after) && !has(before) {
            return Some((phone.clone(), Lesson::Fetched));
        }
        let over = after.step != before.step || after.state == State::Done(End::Expired);
        let waited = before.state == State::Waiting && !has(after) && !before.saw(Fact::Deferred);
        if !over || !waited {
            return None;
        }
        let slot = before.via().and_then(|via| self.transport(via))?;
        // A transport that crashes over the question teaches nothing (I-10).
        let asked = std::panic::AssertUnwindSafe(|| slot.transport.could_have_fetched(before));
        std::panic::catch_unwind(asked).unwrap_or(false).then(|| (phone.clone(), Lesson::Missed))
    }

    pub(crate) fn put_down(&self, phone: &Msisdn, lesson: Lesson) {
        let mut lessons = self.0.memory.lessons.lock().unwrap_or_else(PoisonError::into_inner);
        if lessons.waiting.len() >= WAITING {
            return;
        }
        lessons.waiting.push((phone.clone(), lesson));
        if !std::mem::replace(&mut lessons.being_written, true) {
            let road = self.clone();
            tokio::spawn(async move { road.write_memory().await });
        }
    }

    /// What is known, with every lesson so far.
    async fn recall(&self) -> tokio::sync::MutexGuard<'_, Known> {
        let mut known = self.0.memory.known.lock().await;
        let lessons = {
            let mut lessons = self.0.memory.lessons.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut lessons.waiting)
        };
        let now = self.0.clock.now();
        for (phone, lesson) in lessons {
            // What is known cannot be read: a lesson that does not know it would overwrite it.
            if let Err(error) = self.take_to_heart(&mut known, &phone, lesson, now).await {
                tracing::debug!(%error, "something learnt of a phone was passed over");
            }
        }
        known
    }

    async fn take_to_heart(
        &self,
        known: &mut Known,
        phone: &Msisdn,
        lesson: Lesson,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut handset = self.handset_in(known, phone).await?.unwrap_or_else(|| Handset::new(phone.clone(), now));
        let fetched = match lesson {
            Lesson::Fetched
                if handset.fetched > handset.missed && handset.fetched.is_some_and(|at| at.after(ENOUGH) > now) =>
            {
                return Ok(());
            }
            Lesson::Fetched => {
                handset.fetched = Some(now);
                handset.seen = now;
                Some(true)
            }
            Lesson::Missed => {
                handset.missed = Some(now);
                Some(false)
            }
            Lesson::Seen(sighting) => {
                let before = handset.clone();
                handset.see(&sighting, now);
                let nothing_new = Handset { seen: before.seen, ..handset.clone() } == before;
                if nothing_new && before.seen.after(ENOUGH) > now {
                    return Ok(());
                }
                None
            }
        };
        known.handsets.insert(phone.clone(), Some(handset));
        known.changed_handsets.insert(phone.clone());
        if let Some(fetched) = fetched {
            let name = self.network_name(phone);
            let mut network = self.network_in(known, &name).await?.unwrap_or_else(|| Network::new(&name, now));
            network.count(fetched, now);
            known.networks.insert(name.clone(), Some(network));
            known.changed_networks.insert(name);
        }
        Ok(())
    }

    async fn handset_in(&self, known: &mut Known, phone: &Msisdn) -> Result<Option<Handset>, StoreError> {
        if let Some(found) = known.handsets.get(phone) {
            return Ok(found.clone());
        }
        let found = self.0.store.handset(phone).await?;
        known.make_room();
        known.handsets.insert(phone.clone(), found.clone());
        Ok(found)
    }

    async fn network_in(&self, known: &mut Known, name: &str) -> Result<Option<Network>, StoreError> {
        if let Some(found) = known.networks.get(name) {
            return Ok(found.clone());
        }
        let found = self.0.store.network(name).await?;
        known.make_room();
        known.networks.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    /// Writes lessons down until there are none.
    async fn write_memory(&self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            self.commit_memory().await;
            let mut lessons = self.0.memory.lessons.lock().unwrap_or_else(PoisonError::into_inner);
            if lessons.waiting.is_empty() {
                lessons.being_written = false;
                return;
            }
        }
    }

    /// Writes down what has been learnt so far.
    pub(crate) async fn commit_memory(&self) {
        let mut known = self.recall().await;
        let Known { handsets, networks, changed_handsets, changed_networks } = &mut *known;
        let batch = Batch {
            handsets: changed_handsets.iter().filter_map(|phone| handsets.get(phone)?.clone()).collect(),
            networks: changed_networks.iter().filter_map(|name| networks.get(name)?.clone()).collect(),
            ..Batch::default()
        };
        if batch.handsets.is_empty() && batch.networks.is_empty() {
            return;
        }
        match self.0.store.commit(batch).await {
            Ok(()) => {
                changed_handsets.clear();
                changed_networks.clear();
            }
            Err(error) => tracing::warn!(%error, "what was learnt of phones is not written down yet"),
        }
    }
}

impl Known {
    /// Forgets what is in the store anyway, when there is too much.
    fn make_room(&mut self) {
        if self.handsets.len() >= KEPT {
            self.handsets.retain(|phone, _| self.changed_handsets.contains(phone));
        }
        if self.networks.len() >= KEPT {
            self.networks.retain(|name, _| self.changed_networks.contains(name));
        }
    }
}
