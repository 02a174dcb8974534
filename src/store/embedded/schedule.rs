//! When which delivery is due, and who has leased it: in memory only.
//!
//! A claim writes nothing. After a restart no lease is left and whatever is live is due again; a delivery is repeated
//! then at most once per claim, which its transaction id makes harmless (I-2). The fence carries the number of the
//! opening in its upper half, so that a lease of an earlier run is never taken for one of this.
//!
//! A lease that ran out is lost once somebody else claims the delivery, or nobody can because it is not live any more.
//! Until then its holder may still commit: what it has to say is what really happened.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::id::DeliveryId;
use packetboat_api::store::Lease;
use tokio::sync::Notify;

pub(crate) struct Schedule {
    inner: Mutex<Inner>,
    /// Counts the times the next due time became earlier.
    version: AtomicU64,
    /// The version when it was last asked for.
    asked: AtomicU64,
    stir: Notify,
}

#[derive(Default)]
struct Inner {
    /// Live and not leased, or leased and run out.
    due: BTreeSet<(Timestamp, DeliveryId)>,
    held: HashMap<DeliveryId, Held>,
    /// When leases end; not those that ran out, not those being committed.
    ends: BTreeSet<(Timestamp, DeliveryId)>,
    fence: u64,
}

struct Held {
    fence: u64,
    until: Timestamp,
    /// When it is due after the lease; `None` when it is not live any more.
    due: Option<Timestamp>,
    /// The lease ran out; the delivery is among the due again.
    over: bool,
}

impl Schedule {
    /// Of the `opening`-th opening of the store.
    pub(crate) fn new(opening: u64) -> Self {
        let inner = Inner { fence: opening << 32, ..Inner::default() };
        Schedule { inner: Mutex::new(inner), version: AtomicU64::new(1), asked: AtomicU64::new(0), stir: Notify::new() }
    }

    /// Replaces what is due by what the database says; leases stay.
    pub(crate) fn load(&self, live: Vec<(Timestamp, DeliveryId)>) {
        self.change(|inner| {
            for held in inner.held.values_mut() {
                held.due = None;
            }
            let mut due = BTreeSet::new();
            for (at, id) in live {
                let held = inner.held.get_mut(&id);
                if held.as_ref().is_none_or(|held| held.over) {
                    due.insert((at, id));
                }
                if let Some(held) = held {
                    held.due = Some(at);
                }
            }
            inner.due = due;
        });
    }

    /// Leases up to `most` that are due, earliest first.
    pub(crate) fn claim(&self, now: Timestamp, most: usize, lease: Duration) -> Vec<Lease> {
        let mut inner = self.lock();
        inner.take_back(now);
        let mut claimed = Vec::new();
        while claimed.len() < most {
            let Some(&(at, id)) = inner.due.first().filter(|(at, _)| *at <= now) else { break };
            inner.due.pop_first();
            inner.fence += 1;
            let (fence, until) = (inner.fence, now.after(lease));
            inner.ends.insert((until, id));
            inner.held.insert(id, Held { fence, until, due: Some(at), over: false });
            claimed.push(Lease { delivery: id, fence });
        }
        claimed
    }

    /// Gives a lease back; `false` when it was lost.
    pub(crate) fn release(&self, lease: Lease) -> bool {
        self.change(|inner| {
            let Some(held) = inner.end(lease) else { return false };
            if let Some(at) = held.due.filter(|_| !held.over) {
                inner.due.insert((at, lease.delivery));
            }
            true
        })
    }

    /// Whether the lease is still held. If so it does not run out until [`Schedule::unpin`] or [`Schedule::set`].
    pub(crate) fn pin(&self, lease: Lease) -> bool {
        let mut inner = self.lock();
        let Some(until) = inner.holds(lease).map(|held| held.until) else { return false };
        inner.ends.remove(&(until, lease.delivery));
        true
    }

    /// The commit under this lease failed: its time runs again.
    pub(crate) fn unpin(&self, lease: Lease) {
        self.change(|inner| {
            let running = inner.holds(lease).filter(|held| !held.over).map(|held| held.until);
            if let Some(until) = running {
                inner.ends.insert((until, lease.delivery));
            }
        });
    }

    /// A delivery was committed: it was due at `was` (when it was live) and is now due at `due` (when it is live);
    /// `lease` ends.
    pub(crate) fn set(&self, id: DeliveryId, was: Option<Timestamp>, due: Option<Timestamp>, lease: Option<Lease>) {
        self.change(|inner| {
            if let Some(at) = was {
                inner.due.remove(&(at, id));
            }
            if let Some(lease) = lease {
                inner.end(lease);
            }
            if let Some(held) = inner.held.get_mut(&id) {
                held.due = due;
                if !held.over {
                    return;
                }
                if due.is_none() {
                    inner.held.remove(&id);
                }
            }
            if let Some(at) = due {
                inner.due.insert((at, id));
            }
        });
    }

    /// A delivery is gone, or cannot be read.
    pub(crate) fn remove(&self, id: DeliveryId, was: Option<Timestamp>) {
        let mut inner = self.lock();
        if let Some(at) = was {
            inner.due.remove(&(at, id));
        }
        if let Some(held) = inner.held.remove(&id) {
            inner.ends.remove(&(held.until, id));
            if let Some(at) = held.due {
                inner.due.remove(&(at, id));
            }
        }
    }

    /// When the next one is due or the next lease ends.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let inner = self.lock();
        self.asked.store(self.version.load(Ordering::SeqCst), Ordering::SeqCst);
        inner.next()
    }

    /// The same, for those who only look: does not count as asking.
    pub(crate) fn peek(&self) -> Option<Timestamp> {
        self.lock().next()
    }

    /// Returns when the next due time may have become earlier since it was last asked for.
    pub(crate) async fn stirred(&self) {
        loop {
            let stir = self.stir.notified();
            tokio::pin!(stir);
            stir.as_mut().enable();
            if self.version.load(Ordering::SeqCst) != self.asked.load(Ordering::SeqCst) {
                return;
            }
            stir.await;
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let before = inner.next();
        let result = change(&mut inner);
        let after = inner.next();
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.version.fetch_add(1, Ordering::SeqCst);
            self.stir.notify_waiters();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn next(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|(at, _)| *at);
        let end = self.ends.first().map(|(at, _)| *at);
        due.into_iter().chain(end).min()
    }

    /// Leases that ran out come back.
    fn take_back(&mut self, now: Timestamp) {
        while let Some(&(_, id)) = self.ends.first().filter(|(until, _)| *until <= now) {
            self.ends.pop_first();
            let Entry::Occupied(mut held) = self.held.entry(id) else { continue };
            match held.get().due {
                Some(at) => {
                    held.get_mut().over = true;
                    self.due.insert((at, id));
                }
                None => {
                    held.remove();
                }
            }
        }
    }

    fn holds(&self, lease: Lease) -> Option<&Held> {
        self.held.get(&lease.delivery).filter(|held| held.fence == lease.fence)
    }

    /// Ends a lease, if it is still held.
    fn end(&mut self, lease: Lease) -> Option<Held> {
        self.holds(lease)?;
        let held = self.held.remove(&lease.delivery)?;
        self.ends.remove(&(held.until, lease.delivery));
        Some(held)
    }
}
