//! Queue: claims what is due and hands it to [`crate::deliver`].
//!
//! There is no polling: the loop sleeps until the store says that something is due, something was committed, or work
//! in hand was finished. Deliveries of one message that a transport wants together are attempted together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::id::MessageId;
use packetboat_api::serve::CancellationToken;
use packetboat_api::store::Claim;
use tokio::sync::Semaphore;

use crate::Road;

/// Claims in one go.
const CLAIM: usize = 128;
/// Longer than any attempt: a lease is only lost when its holder is.
const LEASE: Duration = Duration::from_secs(900);
/// When the store cannot be asked, how long to wait before asking again.
const STORE_TROUBLE: Duration = Duration::from_secs(1);

/// The loop that moves deliveries.
pub struct Queue {
    road: Road,
    in_hand: Arc<Semaphore>,
    most: usize,
}

impl Queue {
    /// A queue for this road.
    pub fn new(road: &Road) -> Self {
        let most = road.0.policy.queue.in_hand.max(1);
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
        let Ok(first) = self.in_hand.clone().acquire_owned().await else { return };
        let room = CLAIM.min(1 + self.in_hand.available_permits());
        let claims = match store.claim(self.road.0.clock.now(), room, LEASE).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read; trying again");
                tokio::time::sleep(STORE_TROUBLE).await;
                return;
            }
        };
        drop(first);
        if claims.is_empty() {
            return self.idle().await;
        }
        for together in grouped(&self.road, claims) {
            let many = u32::try_from(together.len()).unwrap_or(1);
            let Ok(permit) = self.in_hand.clone().acquire_many_owned(many).await else { return };
            let road = self.road.clone();
            tokio::spawn(async move {
                road.attempt(together).await;
                drop(permit);
            });
        }
    }

    /// Sleeps until something is due. What is committed after `next_due` was asked stirs the store: nothing is missed.
    async fn idle(&self) {
        let (store, clock) = (&self.road.0.store, &self.road.0.clock);
        match store.next_due() {
            Some(at) => tokio::select! {
                () = store.stirred() => {}
                () = clock.sleep_until(at) => {}
            },
            None => store.stirred().await,
        }
    }
}

/// What goes in one attempt: the same message, the same transport, the same group.
fn grouped(road: &Road, claims: Vec<Claim>) -> Vec<Vec<Claim>> {
    let mut groups: BTreeMap<(MessageId, String, String), Vec<Claim>> = BTreeMap::new();
    let mut alone = Vec::new();
    for claim in claims {
        let via = claim.delivery.via().unwrap_or_default();
        let group = road.transport(via).and_then(|slot| slot.transport.group(&claim.delivery.to));
        match group {
            Some(group) => {
                let key = (claim.lease.delivery.message, via.to_owned(), group);
                groups.entry(key).or_default().push(claim);
            }
            None => alone.push(vec![claim]),
        }
    }
    alone.extend(groups.into_values());
    alone
}
