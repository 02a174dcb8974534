//! Lanes: every transport has its own, so that one that hangs holds up nobody else (I-8, I-10).
//!
//! A lane has places for a bounded number of attempts. What is due beyond that stays in the store, in its line: the queue
//! claims only what there is a place for, so that what is urgent comes before what was due earlier.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Attempts at once at most, whatever a transport says.
const WIDEST: usize = 16 << 10;
/// The queue is called when so many places have become free: it claims several at once, and urgent ones need not wait long.
const REFILL: usize = 8;

/// A transport's lane.
#[derive(Debug)]
pub(crate) struct Lane {
    places: Arc<Semaphore>,
    width: usize,
}

impl Lane {
    /// For so many attempts at once.
    pub(crate) fn new(concurrency: usize) -> Self {
        let width = concurrency.clamp(1, WIDEST);
        Lane { places: Arc::new(Semaphore::new(width)), width }
    }

    /// Places that are free.
    pub(crate) fn room(&self) -> usize {
        self.places.available_permits()
    }

    /// A place for an attempt. Only the queue takes places, and only as many as there is room for.
    pub(crate) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
    }

    /// Whether enough has become free for the queue to be called.
    pub(crate) fn wants_more(&self) -> bool {
        self.room() >= REFILL.min(self.width.div_ceil(4))
    }
}
