//! Lanes: every transport has its own, so that one that hangs holds up nobody else (I-8, I-10).
//!
//! A lane has places for a bounded number of attempts. What is due beyond that stays in the store, in its line: the queue
//! claims only what there is a place for, so that what is urgent comes before what was due earlier.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Attempts at once at most, whatever a transport says.
const WIDEST: usize = 16 << 10;
/// The part of its places that is plenty.
const PLENTY: usize = 3;

/// A transport's lane.
#[derive(Debug)]
pub(crate) struct Lane {
    places: Arc<Semaphore>,
    wide: usize,
}

impl Lane {
    /// For so many attempts at once.
    pub(crate) fn new(concurrency: usize) -> Self {
        let wide = concurrency.clamp(1, WIDEST);
        Lane { places: Arc::new(Semaphore::new(wide)), wide }
    }

    /// Places that are free.
    pub(crate) fn room(&self) -> usize {
        self.places.available_permits()
    }

    /// Whether so many places are free that waiting for more before they are given out gains nothing.
    pub(crate) fn has_plenty(&self) -> bool {
        self.room() >= self.wide.div_ceil(PLENTY)
    }

    /// A place for an attempt. Only the queue takes places, and only as many as there is room for.
    pub(crate) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
    }
}
