//! Gather: what nobody waits for at once is written down many pieces at a time: evidence of phones that fetch, and what became of
//! attempts.
//!
//! A commit for every content that a phone has fetched would cost more than serving it, and one for every push more than sending
//! it. What comes alone is committed at once; while that is under way, and a pause beyond it, more is gathered and goes in one
//! commit. There is no task while there is nothing to write.
//!
//! Failure story: a crash loses what was gathered in the last moments. The phone is then told again of a message that it has, under
//! the same transaction id, and answers or fetches again: evidence that is missing never ends a delivery. What cannot be written
//! together is written by itself: an outcome by its attempt, which waits for that; evidence here.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use packetboat_api::delivery::Delivery;
use packetboat_api::evidence::Evidence;
use packetboat_api::id::DeliveryId;
use packetboat_api::message::Message;
use packetboat_api::road::Fetch;
use packetboat_api::store::{Batch, Lease, StoreError};
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::Road;
use crate::transition::{self, Next};
use crate::witness::tells_nothing_new;

/// Pieces in one commit.
const MOST: usize = 256;
/// Pieces that may wait; who brings more waits for a place.
const PLACES: u32 = 4096;
/// How often the rest is tried together when one of them was changed by somebody else; then each by itself.
const RACES: usize = 8;
/// How long more is gathered after a commit that others followed: evidence, which nobody waits for.
const PAUSE: Duration = Duration::from_millis(20);
/// The same when there were outcomes: a crash repeats what was attempted meanwhile.
const SHORT_PAUSE: Duration = Duration::from_millis(4);

/// What is to become of a delivery, as far as it was known then.
struct Piece {
    lease: Option<Lease>,
    message: Arc<Message>,
    before: Delivery,
    next: Next,
    whose: Whose,
}

/// Who sees to it when it cannot be written together with others.
enum Whose {
    /// Nobody waits for it.
    Nobodys(Evidence),
    /// An attempt waits to hear that it is on disk; it hears nothing when it has to write it itself.
    Attempts(oneshot::Sender<()>),
}

/// What waits to be written.
pub(crate) struct Gathering {
    waiting: Mutex<Waiting>,
    places: Semaphore,
    /// Told when pieces are written, or given up.
    written: Notify,
}

#[derive(Default)]
struct Waiting {
    pieces: Vec<Piece>,
    /// How many pieces of which delivery are not written yet.
    open: HashMap<DeliveryId, usize>,
    /// Somebody is writing, and will take these too.
    being_written: bool,
}

impl Default for Gathering {
    fn default() -> Self {
        Gathering { waiting: Mutex::default(), places: Semaphore::new(PLACES as usize), written: Notify::new() }
    }
}

impl Gathering {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next pieces to write; when there are none, nobody is writing any more.
    fn next(&self) -> Vec<Piece> {
        let mut waiting = self.lock();
        let many = waiting.pieces.len().min(MOST);
        waiting.being_written = many > 0;
        waiting.pieces.drain(..many).collect()
    }

    /// These are written, or seen to by their attempts.
    fn done(&self, ids: &[DeliveryId]) {
        let mut waiting = self.lock();
        for id in ids {
            if let Entry::Occupied(mut open) = waiting.open.entry(*id) {
                *open.get_mut() -= 1;
                if *open.get() == 0 {
                    open.remove();
                }
            }
        }
        drop(waiting);
        self.places.add_permits(ids.len());
        self.written.notify_waiters();
    }
}

impl Road {
    /// Takes evidence that is to be written soon.
    pub(crate) async fn gather(&self, of: Fetch, evidence: Evidence) {
        let Fetch { delivery: before, message } = of;
        if !tells_nothing_new(&before, &evidence) {
            let next = transition::evidence(&before, &evidence, self.circumstances(&self.0.policy.queue.retry));
            self.add_piece(Piece { lease: None, message, before, next, whose: Whose::Nobodys(evidence) }).await;
        }
    }

    /// Has what became of a leased delivery written together with others'. `false`: it is not written, and may be by itself.
    pub(crate) async fn gather_outcome(
        &self,
        lease: Lease,
        message: Arc<Message>,
        before: Delivery,
        next: Next,
    ) -> bool {
        let (tell, told) = oneshot::channel();
        self.add_piece(Piece { lease: Some(lease), message, before, next, whose: Whose::Attempts(tell) }).await;
        told.await.is_ok()
    }

    async fn add_piece(&self, piece: Piece) {
        // The semaphore is never closed. The place is given back when the piece is on disk.
        if let Ok(place) = self.0.gathering.places.acquire().await {
            place.forget();
        }
        let mut waiting = self.0.gathering.lock();
        *waiting.open.entry(piece.before.id).or_default() += 1;
        waiting.pieces.push(piece);
        if !std::mem::replace(&mut waiting.being_written, true) {
            let road = self.clone();
            tokio::spawn(async move { road.write_gathered().await });
        }
    }

    /// Returns when nothing of this delivery waits to be written: what is seen afterwards stands after it on the timeline.
    pub(crate) async fn until_written(&self, id: DeliveryId) {
        let gathering = &self.0.gathering;
        loop {
            let written = gathering.written.notified();
            tokio::pin!(written);
            written.as_mut().enable();
            if !gathering.lock().open.contains_key(&id) {
                return;
            }
            written.await;
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
            let ids: Vec<DeliveryId> = pieces.iter().map(|piece| piece.before.id).collect();
            let outcomes = pieces.iter().any(|piece| matches!(piece.whose, Whose::Attempts(_)));
            self.write_together(pieces).await;
            self.0.gathering.done(&ids);
            if many > 1 && many < MOST {
                tokio::time::sleep(if outcomes { SHORT_PAUSE } else { PAUSE }).await;
            }
        }
    }

    async fn write_together(&self, mut pieces: Vec<Piece>) {
        // What lies together in the store is written together.
        pieces.sort_by_key(|piece| piece.before.id);
        let mut there = HashSet::with_capacity(pieces.len());
        let (mut together, mut alone): (Vec<Piece>, Vec<Piece>) =
            pieces.into_iter().partition(|piece| there.insert(piece.before.id));
        for _ in 0..RACES {
            match self.commit_pieces(&together).await {
                Ok(()) => {
                    together.drain(..).for_each(Piece::written);
                    break;
                }
                // Somebody changed that one meanwhile: it is done by itself, from what is there now.
                Err(StoreError::Stale(id) | StoreError::Fenced(id)) => {
                    alone.extend(together.extract_if(.., |piece| piece.before.id == id));
                }
                Err(StoreError::Missing(_)) => break,
                Err(error) => {
                    let lost = together.iter().chain(&alone).filter(|piece| piece.is_nobodys()).count();
                    if lost > 0 {
                        tracing::error!(pieces = lost, %error, "evidence could not be recorded");
                    }
                    return;
                }
            }
        }
        for piece in together.into_iter().chain(alone) {
            let Whose::Nobodys(evidence) = piece.whose else { continue };
            let delivery = piece.before.id;
            if let Err(error) = self.seen(delivery, &evidence).await {
                tracing::error!(%delivery, fact = %evidence.fact, %error, "evidence could not be recorded");
            }
        }
    }

    async fn commit_pieces(&self, pieces: &[Piece]) -> Result<(), StoreError> {
        let (mut batch, mut told) = (Batch::default(), Vec::with_capacity(pieces.len()));
        for Piece { lease, message, before, next, .. } in pieces {
            let first = batch.events.len();
            told.push(self.enter(&mut batch, first, message, before, &mut next.clone(), *lease));
        }
        if batch.changes.is_empty() { Ok(()) } else { self.record(batch, told).await }
    }
}

impl Piece {
    fn is_nobodys(&self) -> bool {
        matches!(self.whose, Whose::Nobodys(_))
    }

    fn written(self) {
        if let Whose::Attempts(tell) = self.whose {
            let _ = tell.send(()); // an attempt that is gone needs not hear it
        }
    }
}
