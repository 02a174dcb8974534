//! Queue: claims what is due and hands it to [`crate::deliver`].
//!
//! There is no polling: the loop sleeps until the store says that something is due, something was committed, or a lane has
//! room again. Deliveries of one message that a transport wants together are attempted together. Every transport has its own
//! lane (`lane.rs`), so that a slow one holds up nobody else; what there is no room for stays in the store, where what is
//! urgent and what others send overtakes a bulk job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::id::MessageId;
use packetboat_api::serve::CancellationToken;
use packetboat_api::store::{Claim, Room};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Road;
use crate::deliver::STORE_TROUBLE;
use crate::policy::MOST_IN_HAND;

/// Claims in one go.
const CLAIM: usize = 128;
/// How long places are gathered before those who wait for them are claimed, several at once, while there are not plenty.
const REFILL: Duration = Duration::from_millis(1);
/// What a lease is longer than waiting for a turn and the attempt itself: time for the store to take what became of it.
const MARGIN: Duration = Duration::from_secs(600);

/// The loop that moves deliveries.
pub struct Queue {
    road: Road,
    in_hand: Arc<Semaphore>,
    most: usize,
}

impl Queue {
    /// A queue for this road.
    pub fn new(road: &Road) -> Self {
        let most = road.0.policy.queue.in_hand.clamp(1, MOST_IN_HAND);
        Queue { road: road.clone(), in_hand: Arc::new(Semaphore::new(most)), most }
    }

    /// Runs until `drain`, then waits for what is in hand.
    pub async fn run(self, drain: CancellationToken) {
        while !drain.is_cancelled() {
            tokio::select! {
                () = self.turn() => {}
                () = drain.cancelled() => break,
            }
        }
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        let _ = self.in_hand.acquire_many(all).await;
    }

    /// Claims what there is room for and sets it going; when there is nothing, sleeps until there may be.
    async fn turn(&self) {
        let store = &self.road.0.store;
        if self.road.has_unsettled() {
            // Nothing new is begun whose outcome could not be written down.
            return tokio::time::sleep(STORE_TROUBLE).await;
        }
        let Ok(first) = self.in_hand.clone().acquire_owned().await else { return };
        let room = self.room(CLAIM.min(1 + self.in_hand.available_permits()));
        let claims = match store.claim(self.road.0.clock.now(), &room, self.lease()).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read; trying again");
                return tokio::time::sleep(STORE_TROUBLE).await;
            }
        };
        drop(first);
        if claims.is_empty() {
            return self.idle().await;
        }
        for work in grouped(&self.road, claims) {
            self.begin(work).await;
        }
    }

    /// Longer than any attempt: a lease is only lost when its holder is.
    fn lease(&self) -> Duration {
        let limits = self.road.0.workers.get().into_iter().flat_map(|workers| workers.transports.values());
        let longest = limits.map(|slot| slot.time_limit).max().unwrap_or_default();
        longest.saturating_mul(2).saturating_add(MARGIN)
    }

    /// Room for so many, and in each lane as many as it has places.
    fn room(&self, most: usize) -> Room {
        let lanes = self.road.0.workers.get().into_iter().flat_map(|workers| &workers.transports);
        Room { most, of: lanes.map(|(via, slot)| (via.clone(), slot.lane.room())).collect() }
    }

    async fn begin(&self, work: Work) {
        let place = match self.road.transport(&work.via).filter(|_| work.is_attempt) {
            None => None,
            Some(slot) => slot.lane.enter().await,
        };
        let many = u32::try_from(work.claims.len()).unwrap_or(1);
        let Ok(permit) = self.in_hand.clone().acquire_many_owned(many).await else { return };
        let road = self.road.clone();
        tokio::spawn(async move { road.work(work, place, permit).await });
    }

    /// Sleeps until something is due. What is committed after `next_due` was asked stirs the store: nothing is missed.
    async fn idle(&self) {
        let (store, clock) = (&self.road.0.store, &self.road.0.clock);
        let due = async {
            match store.next_due() {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = store.stirred() => {}
            () = self.road.0.plenty.notified() => {}
            () = self.road.0.freed.notified() => {
                let _ = tokio::time::timeout(REFILL, self.road.0.plenty.notified()).await;
            }
        }
    }
}

/// What goes in one attempt: the same message, the same step, the same transport, the same group.
struct Work {
    via: String,
    /// It is for the transport, not only for time to change it.
    is_attempt: bool,
    claims: Vec<Claim>,
}

impl Road {
    async fn work(&self, work: Work, place: Option<OwnedSemaphorePermit>, permit: OwnedSemaphorePermit) {
        self.attempt(work.claims, place).await;
        drop(permit);
    }
}

fn grouped(road: &Road, claims: Vec<Claim>) -> Vec<Work> {
    let mut groups: BTreeMap<(MessageId, u32, String, String), Vec<Claim>> = BTreeMap::new();
    let mut all = Vec::new();
    for claim in claims {
        let via = claim.delivery.via().unwrap_or_default().to_owned();
        let is_attempt = road.needs_attempt(&claim.delivery);
        match group(road, &via, &claim).filter(|_| is_attempt) {
            Some(group) => {
                let key = (claim.lease.delivery.message, claim.delivery.step, via, group);
                groups.entry(key).or_default().push(claim);
            }
            None => all.push(Work { via, is_attempt, claims: vec![claim] }),
        }
    }
    all.extend(groups.into_iter().map(|((_, _, via, _), claims)| Work { via, is_attempt: true, claims }));
    all
}

/// The group a transport wants this delivery in. One that crashes over the question gets it alone (I-10).
fn group(road: &Road, via: &str, claim: &Claim) -> Option<String> {
    let slot = road.transport(via)?;
    let asked = std::panic::AssertUnwindSafe(|| slot.transport.group(&claim.delivery.to));
    std::panic::catch_unwind(asked).ok().flatten()
}
