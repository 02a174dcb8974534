//! Lanes: every transport has its own, so that one that hangs holds up nobody else (I-8, I-10).
//!
//! A lane has a bounded number of attempts under way and as many waiting for their turn. What is due beyond that is not
//! held in memory but parked: only its lease is kept, and given back to the store when an attempt has ended, so that the
//! delivery is claimed again. A lease that is never given back runs out by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use packetboat_api::store::Lease;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Leases parked at most; beyond that the queue waits.
const PARKED: usize = 16 << 10;
/// Attempts at once at most, whatever a transport says.
const WIDEST: usize = 16 << 10;

/// A transport's lane.
#[derive(Debug)]
pub(crate) struct Lane {
    attempts: Semaphore,
    places: Arc<Semaphore>,
    parked: Mutex<VecDeque<Lease>>,
}

impl Lane {
    /// For so many attempts at once.
    pub(crate) fn new(concurrency: usize) -> Self {
        let width = concurrency.clamp(1, WIDEST);
        Lane { attempts: Semaphore::new(width), places: Arc::new(Semaphore::new(2 * width)), parked: Mutex::default() }
    }

    /// A place in the lane for what is about to be attempted. `None`: there is none, and the leases were parked. Waits
    /// when too much is parked already.
    pub(crate) async fn enter(&self, leases: impl ExactSizeIterator<Item = Lease>) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        if self.park(leases) { None } else { self.places.clone().acquire_owned().await.ok() }
    }

    /// Waits for its turn. Only those with a place do, so nobody waits longer than one attempt takes.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.attempts.acquire().await.ok()
    }

    fn park(&self, leases: impl ExactSizeIterator<Item = Lease>) -> bool {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        let room = parked.len() + leases.len() <= PARKED;
        if room {
            parked.extend(leases);
        }
        room
    }

    /// The lease that was parked first, if there is room for its delivery now.
    pub(crate) fn unpark(&self) -> Option<Lease> {
        let free = self.places.available_permits() > 0;
        free.then(|| self.parked.lock().unwrap_or_else(PoisonError::into_inner).pop_front()).flatten()
    }
}
