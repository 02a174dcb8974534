//! When which delivery is due, whose turn it is, and who has leased it: in memory only.
//!
//! What is not due yet is ordered by time; what is due stands in its line ([`crate::lines`]) until there is room for it.
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
use packetboat_api::delivery::{Delivery, Line, State};
use packetboat_api::evidence::Fact;
use packetboat_api::id::DeliveryId;
use packetboat_api::store::{Lease, Room};
use tokio::sync::Notify;

use crate::lines::{Lines, Via};

pub(crate) struct Schedule {
    inner: Mutex<Inner>,
    /// Counts the times the next due time became earlier.
    version: AtomicU64,
    /// The version when it was last asked for.
    asked: AtomicU64,
    stir: Notify,
}

/// A live delivery: when it is due, and where it then stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub due: Timestamp,
    pub via: String,
    pub line: Line,
}

#[derive(Default)]
struct Inner {
    /// Live and not leased, or leased and run out.
    waiting: HashMap<DeliveryId, Waiting>,
    /// Those of them that are not known to be due yet.
    due: BTreeSet<(Timestamp, DeliveryId)>,
    /// Those of them that are.
    lines: Lines,
    held: HashMap<DeliveryId, Held>,
    /// When leases end; not those that ran out, not those being committed.
    ends: BTreeSet<(Timestamp, DeliveryId)>,
    fence: u64,
    /// Transports by the numbers they are given here. There are as many as the configuration has ever named.
    vias: Vec<String>,
}

#[derive(Clone, Copy)]
struct Waiting {
    at: Timestamp,
    via: Via,
    line: Line,
    /// It stands in its line.
    stands: bool,
}

struct Held {
    fence: u64,
    until: Timestamp,
    /// When and where it is due after the lease; `None` when it is not live any more.
    due: Option<Waiting>,
    /// The lease ran out; the delivery is among the waiting again.
    over: bool,
}

impl Live {
    /// Where this delivery waits; `None` when time does not move it.
    pub(crate) fn of(delivery: &Delivery) -> Option<Self> {
        // What only time moves then needs no room in its transport's lane, and stands in nobody's way.
        let step_over = delivery.wait_ends().is_some_and(|end| delivery.due >= end);
        let over = delivery.saw(Fact::Fetched) || delivery.due >= delivery.expires || step_over;
        let by_time = over && delivery.state == State::Waiting;
        let via = delivery.via().filter(|_| !by_time).unwrap_or_default().to_owned();
        delivery.state.is_live().then_some(Live { due: delivery.due, via, line: delivery.line })
    }
}

impl Schedule {
    /// Of the `opening`-th opening of the store.
    pub(crate) fn new(opening: u64) -> Self {
        let inner = Inner { fence: opening << 32, ..Inner::default() };
        Schedule { inner: Mutex::new(inner), version: AtomicU64::new(1), asked: AtomicU64::new(0), stir: Notify::new() }
    }

    /// Replaces what is due by what the database says; leases stay.
    pub(crate) fn load(&self, live: Vec<(DeliveryId, Live)>) {
        self.change(|inner| {
            for held in inner.held.values_mut() {
                held.due = None;
            }
            (inner.waiting, inner.due, inner.lines) = Default::default();
            for (id, live) in live {
                let place = inner.place(live);
                let held = inner.held.get_mut(&id);
                let waits = held.as_ref().is_none_or(|held| held.over);
                if let Some(held) = held {
                    held.due = Some(place);
                }
                if waits {
                    inner.wait(id, place);
                }
            }
        });
    }

    /// Leases those whose turn it is.
    pub(crate) fn claim(&self, now: Timestamp, room: &Room, lease: Duration) -> Vec<Lease> {
        let mut inner = self.lock();
        inner.take_back(now);
        inner.line_up(now);
        let mut left = room.clone();
        let mut claimed = Vec::new();
        while left.most > 0 {
            let Inner { lines, vias, .. } = &mut *inner;
            let of = |via: Via| vias.get(via as usize).and_then(|via| left.of.get(via)).copied();
            let Some((via, taken)) = lines.next(|via| of(via).unwrap_or(left.most).min(left.most)) else { break };
            left.most -= taken.len();
            if let Some(room) = vias.get(via as usize).and_then(|via| left.of.get_mut(via)) {
                *room -= taken.len();
            }
            for (_, id) in taken {
                claimed.extend(inner.lease(id, now.after(lease)));
            }
        }
        claimed
    }

    /// Gives a lease back; `false` when it was lost.
    pub(crate) fn release(&self, lease: Lease) -> bool {
        self.change(|inner| {
            let Some(held) = inner.end(lease) else { return false };
            if let Some(place) = held.due.filter(|_| !held.over) {
                inner.wait(lease.delivery, place);
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

    /// A delivery was committed: it is now due at `live` (when it is live); `lease` ends.
    pub(crate) fn set(&self, id: DeliveryId, live: Option<Live>, lease: Option<Lease>) {
        self.change(|inner| {
            inner.forget(id);
            if let Some(lease) = lease {
                inner.end(lease);
            }
            let place = live.map(|live| inner.place(live));
            if let Some(held) = inner.held.get_mut(&id) {
                held.due = place;
                if !held.over {
                    return;
                }
                if place.is_none() {
                    inner.held.remove(&id);
                }
            }
            if let Some(place) = place {
                inner.wait(id, place);
            }
        });
    }

    /// A delivery is gone, or cannot be read.
    pub(crate) fn remove(&self, id: DeliveryId) {
        let mut inner = self.lock();
        inner.forget(id);
        if let Some(held) = inner.held.remove(&id) {
            inner.ends.remove(&(held.until, id));
        }
    }

    /// When the next one is due or the next lease ends. Those that stand in line already do not count: there was no room for
    /// them.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let inner = self.lock();
        self.asked.store(self.version.load(Ordering::SeqCst), Ordering::SeqCst);
        inner.next()
    }

    /// When the first that waits is or was due: for those who only look.
    pub(crate) fn peek(&self) -> Option<Timestamp> {
        let inner = self.lock();
        inner.next().into_iter().chain(inner.lines.earliest()).min()
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

    fn place(&mut self, live: Live) -> Waiting {
        let known = self.vias.iter().position(|via| *via == live.via);
        let via = known.unwrap_or_else(|| {
            self.vias.push(live.via);
            self.vias.len() - 1
        });
        Waiting { at: live.due, via: via as Via, line: live.line, stands: false }
    }

    fn wait(&mut self, id: DeliveryId, place: Waiting) {
        self.forget(id);
        self.waiting.insert(id, Waiting { stands: false, ..place });
        self.due.insert((place.at, id));
    }

    fn forget(&mut self, id: DeliveryId) {
        let Some(place) = self.waiting.remove(&id) else { return };
        match place.stands {
            true => self.lines.leave(place.via, place.line, (place.at, id)),
            false => drop(self.due.remove(&(place.at, id))),
        }
    }

    /// What has become due takes its place in line.
    fn line_up(&mut self, now: Timestamp) {
        while let Some(&(at, id)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.pop_first();
            if let Some(place) = self.waiting.get_mut(&id) {
                place.stands = true;
                self.lines.join(place.via, place.line, (at, id));
            }
        }
    }

    fn lease(&mut self, id: DeliveryId, until: Timestamp) -> Option<Lease> {
        let place = self.waiting.remove(&id)?;
        self.fence += 1;
        self.ends.insert((until, id));
        self.held.insert(id, Held { fence: self.fence, until, due: Some(place), over: false });
        Some(Lease { delivery: id, fence: self.fence })
    }

    /// Leases that ran out come back.
    fn take_back(&mut self, now: Timestamp) {
        while let Some(&(_, id)) = self.ends.first().filter(|(until, _)| *until <= now) {
            self.ends.pop_first();
            let Entry::Occupied(mut held) = self.held.entry(id) else { continue };
            match held.get().due {
                Some(place) => {
                    held.get_mut().over = true;
                    self.wait(id, place);
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
