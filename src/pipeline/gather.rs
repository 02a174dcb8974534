//! Gather: evidence nobody waits for is written down many pieces at a time.
//!
//! A commit for every content that a phone has fetched would cost more than serving it. What comes alone is committed at once;
//! while that is under way, and [`PAUSE`] beyond it, more is gathered and goes in one commit. There is no task while there is
//! nothing to write.
//!
//! Failure story: a crash loses what was gathered in the last moments. The phone is then told again of a message that it has, and
//! answers or fetches again: evidence that is missing never ends a delivery.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use packetboat_api::evidence::Evidence;
use packetboat_api::road::Fetch;
use packetboat_api::store::{Batch, StoreError};
use tokio::sync::Semaphore;

use crate::Road;
use crate::transition;
use crate::witness::tells_nothing_new;

/// Pieces of evidence in one commit.
const MOST: usize = 256;
/// Pieces that may wait; who brings more waits for a place.
const PLACES: u32 = 4096;
/// How often the rest is tried together when one of them was changed by somebody else; then each by itself.
const RACES: usize = 8;
/// How long more is gathered after a commit that others followed.
const PAUSE: Duration = Duration::from_millis(20);

/// What was seen of a delivery, as far as it was known then.
struct Seen {
    of: Fetch,
    evidence: Evidence,
}

/// Evidence that waits to be written.
pub(crate) struct Gathering {
    waiting: Mutex<Waiting>,
    places: Semaphore,
}

#[derive(Default)]
struct Waiting {
    pieces: Vec<Seen>,
    /// Somebody is writing, and will take these too.
    being_written: bool,
}

impl Default for Gathering {
    fn default() -> Self {
        Gathering { waiting: Mutex::default(), places: Semaphore::new(PLACES as usize) }
    }
}

impl Gathering {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next pieces to write; when there are none, nobody is writing any more.
    fn next(&self) -> Vec<Seen> {
        let mut waiting = self.lock();
        let many = waiting.pieces.len().min(MOST);
        waiting.being_written = many > 0;
        waiting.pieces.drain(..many).collect()
    }
}

impl Road {
    /// Takes evidence that is to be written soon.
    pub(crate) async fn gather(&self, of: Fetch, evidence: Evidence) {
        // The semaphore is never closed. The place is given back when the piece is on disk.
        if let Ok(place) = self.0.gathering.places.acquire().await {
            place.forget();
        }
        let mut waiting = self.0.gathering.lock();
        waiting.pieces.push(Seen { of, evidence });
        if !std::mem::replace(&mut waiting.being_written, true) {
            let road = self.clone();
            tokio::spawn(async move { road.write_gathered().await });
        }
    }

    /// Returns when what was gathered so far is on disk.
    pub async fn flush(&self) {
        let _ = self.0.gathering.places.acquire_many(PLACES).await;
        self.commit_memory().await;
    }

    async fn write_gathered(&self) {
        loop {
            let pieces = self.0.gathering.next();
            let many = pieces.len();
            if many == 0 {
                return;
            }
            self.write_together(pieces).await;
            self.0.gathering.places.add_permits(many);
            if many > 1 && many < MOST {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn write_together(&self, mut pieces: Vec<Seen>) {
        // What lies together in the store is written together.
        pieces.sort_by_key(|piece| piece.of.delivery.id);
        let mut there = HashSet::with_capacity(pieces.len());
        let (mut together, mut alone): (Vec<Seen>, Vec<Seen>) =
            pieces.into_iter().partition(|piece| there.insert(piece.of.delivery.id));
        for _ in 0..RACES {
            match self.commit_pieces(&together).await {
                Ok(()) => {
                    together.clear();
                    break;
                }
                // Somebody changed that one meanwhile: it is done by itself, from what is there now.
                Err(StoreError::Stale(id)) => {
                    alone.extend(together.extract_if(.., |piece| piece.of.delivery.id == id));
                }
                Err(StoreError::Missing(_)) => break,
                Err(error) => {
                    tracing::error!(pieces = together.len() + alone.len(), %error, "evidence could not be recorded");
                    return;
                }
            }
        }
        for piece in together.into_iter().chain(alone) {
            let delivery = piece.of.delivery.id;
            if let Err(error) = self.seen(delivery, &piece.evidence).await {
                tracing::error!(%delivery, fact = %piece.evidence.fact, %error, "evidence could not be recorded");
            }
        }
    }

    async fn commit_pieces(&self, pieces: &[Seen]) -> Result<(), StoreError> {
        let (mut batch, mut ends) = (Batch::default(), Vec::new());
        for Seen { of: Fetch { delivery, message }, evidence } in pieces {
            if tells_nothing_new(delivery, evidence) {
                continue;
            }
            let mut next = transition::evidence(delivery, evidence, self.circumstances(&self.0.policy.queue.retry));
            let first = batch.events.len();
            ends.push(self.enter(&mut batch, first, message, delivery, &mut next, None));
        }
        if batch.changes.is_empty() { Ok(()) } else { self.record(batch, ends).await }
    }
}
