//! What [`Store::claim`] and its leases owe.

use std::collections::HashSet;
use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Line, State};
use packetboat_api::memory::{HANDSET_AGES, Handset, Network};
use packetboat_api::message::Priority;
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::store::{Batch, Claim, Room, Store, StoreError};

use crate::Backend;
use crate::samples::{START, accept, change, delivery, delivery_id, done, id};

const MINUTE: Duration = Duration::from_secs(60);

fn later(minutes: u64) -> Timestamp {
    START.after(Duration::from_secs(60 * minutes))
}

/// Accepts message `n`, due `minutes` after the start.
async fn accept_due(store: &dyn Store, n: u64, minutes: u64) {
    let mut batch = accept(n, 10);
    batch.deliveries[0].due = later(minutes);
    store.commit(batch).await.expect("commit");
}

async fn claim(store: &dyn Store, minutes: u64, most: usize) -> Vec<Claim> {
    store.claim(later(minutes), &Room::of_any(most), MINUTE).await.expect("claim")
}

async fn claim_one(store: &dyn Store, minutes: u64) -> Claim {
    let mut claims = claim(store, minutes, 1).await;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

fn numbers(claims: &[Claim]) -> Vec<u64> {
    claims.iter().map(|claim| claim.delivery.id.message.0 - id(0).0).collect()
}

/// Up to as many as asked for, those that are due, earliest first, with their messages.
pub async fn due_deliveries_are_claimed_earliest_first(backend: &dyn Backend) {
    let store = backend.open().await;
    for (n, minutes) in [(1, 3), (2, 1), (3, 9), (4, 2)] {
        accept_due(&*store, n, minutes).await;
    }
    let claims = claim(&*store, 3, 2).await;
    assert_eq!(numbers(&claims), [2, 4]);
    assert_eq!(claims[0].message.id, id(2));
    assert_eq!(claims[0].message.content.length, 10);
    assert_eq!(claims[0].lease.delivery, delivery_id(2, 0));
    assert_eq!(numbers(&claim(&*store, 3, 9).await), [1]);
    assert!(claim(&*store, 0, 9).await.is_empty());
}

/// A leased delivery is not claimed again before its lease ends.
pub async fn a_leased_delivery_is_not_claimed_again(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    claim_one(&*store, 0).await;
    assert!(claim(&*store, 0, 9).await.is_empty());
}

/// A lease that ran out comes back.
pub async fn an_expired_lease_comes_back(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    claim_one(&*store, 0).await;
    assert_eq!(numbers(&claim(&*store, 1, 9).await), [1]);
}

/// The fence is larger for every later lease, also after reopening.
pub async fn a_later_lease_has_a_larger_fence(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    let first = claim_one(&*store, 0).await.lease;
    let second = claim_one(&*store, 1).await.lease;
    assert!(second.fence > first.fence);
    drop(store);
    let third = claim_one(&*backend.open().await, 0).await.lease;
    assert!(third.fence > second.fence);
}

/// Who lost the lease to another is found out, and nothing of his batch happens.
pub async fn who_lost_the_lease_is_fenced(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    let lost = claim_one(&*store, 0).await;
    let held = claim_one(&*store, 2).await;
    let fenced = Err(StoreError::Fenced(delivery_id(1, 0)));
    assert_eq!(store.commit(done(&lost.delivery, Some(lost.lease))).await, fenced);
    assert_eq!(store.release(lost.lease).await, fenced);
    store.commit(done(&held.delivery, Some(held.lease))).await.expect("the holder's change");
    assert_eq!(store.release(held.lease).await, fenced);
}

/// A change ends its lease: what is due again can be claimed.
pub async fn a_change_ends_its_lease(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    let held = claim_one(&*store, 0).await;
    let deferred = change(&held.delivery, Some(held.lease), |delivery| {
        delivery.attempts += 1;
        delivery.due = later(5);
    });
    store.commit(deferred).await.expect("defer");
    assert!(claim(&*store, 4, 9).await.is_empty());
    let again = claim_one(&*store, 5).await;
    assert_eq!((again.delivery.attempts, again.delivery.version), (1, 2));
}

/// Evidence may change a delivery that somebody has leased; the lease stays, and its holder finds out by the version.
pub async fn a_change_without_lease_leaves_the_lease(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    let held = claim_one(&*store, 0).await;
    store.commit(change(&held.delivery, None, |delivery| delivery.notified = 3)).await.expect("evidence");
    assert!(claim(&*store, 0, 9).await.is_empty());
    let stale = store.commit(done(&held.delivery, Some(held.lease))).await;
    assert_eq!(stale, Err(StoreError::Stale(delivery_id(1, 0))));
    let present = store.delivery(delivery_id(1, 0)).await.expect("delivery");
    store.commit(done(&present, Some(held.lease))).await.expect("the holder's second try");
    assert!(claim(&*store, 9, 9).await.is_empty());
}

/// A released delivery is due as before.
pub async fn a_released_delivery_is_due_again(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    let held = claim_one(&*store, 0).await;
    store.release(held.lease).await.expect("release");
    let again = claim_one(&*store, 0).await;
    assert_eq!(again.delivery, held.delivery);
    assert!(again.lease.fence > held.lease.fence);
}

/// What waits is claimed like what is queued; what is held, set aside or ended is not.
pub async fn only_live_deliveries_are_claimed(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..=4 {
        accept_due(&*store, n, 0).await;
    }
    for (n, state) in [(1, State::Waiting), (2, State::Held), (3, State::Quarantined)] {
        let present = store.delivery(delivery_id(n, 0)).await.expect("delivery");
        store.commit(change(&present, None, |delivery| delivery.state = state)).await.expect("change");
    }
    let present = store.delivery(delivery_id(4, 0)).await.expect("delivery");
    store.commit(done(&present, None)).await.expect("end");
    assert_eq!(numbers(&claim(&*store, 0, 9).await), [1]);
    // An operator lets it go.
    let present = store.delivery(delivery_id(2, 0)).await.expect("delivery");
    store.commit(change(&present, None, |delivery| delivery.state = State::Queued)).await.expect("let go");
    assert_eq!(numbers(&claim(&*store, 0, 9).await), [2]);
    drop(store);
    assert_eq!(numbers(&claim(&*backend.open().await, 0, 9).await), [1, 2]);
}

/// Leases need not survive a restart; what was leased must.
pub async fn leases_end_with_a_restart(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 0).await;
    let held = claim_one(&*store, 0).await;
    drop(store);
    let store = backend.open().await;
    let again = claim_one(&*store, 1).await;
    let fenced = store.commit(done(&held.delivery, Some(held.lease))).await;
    assert_eq!(fenced, Err(StoreError::Fenced(delivery_id(1, 0))));
    store.commit(done(&again.delivery, Some(again.lease))).await.expect("end");
}

/// When the next unleased delivery is due, or the next lease ends.
pub async fn next_due_tells_the_next_due_or_lease_end(backend: &dyn Backend) {
    let store = backend.open().await;
    assert_eq!(store.next_due(), None);
    accept_due(&*store, 1, 5).await;
    accept_due(&*store, 2, 3).await;
    assert_eq!(store.next_due(), Some(later(3)));
    let held = claim_one(&*store, 3).await;
    assert_eq!(store.next_due(), Some(later(4)));
    store.commit(done(&held.delivery, Some(held.lease))).await.expect("end");
    assert_eq!(store.next_due(), Some(later(5)));
    assert_eq!(store.health().await.next_due, Some(later(5)));
    drop(store);
    let store = backend.open().await;
    assert_eq!(store.next_due(), Some(later(5)));
    store.commit(Batch { purge: vec![id(1)], ..Batch::default() }).await.expect("purge");
    assert_eq!(store.next_due(), None);
}

/// Whoever waits is told when something earlier came, also when it came between the question and the waiting.
pub async fn stirred_returns_when_something_earlier_came(backend: &dyn Backend) {
    let store = backend.open().await;
    accept_due(&*store, 1, 5).await;
    assert_eq!(store.next_due(), Some(later(5)));
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.stirred().await }
    });
    accept_due(&*store, 2, 9).await;
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "nothing earlier came");
    accept_due(&*store, 3, 1).await;
    tokio::time::timeout(MINUTE, waiting).await.expect("told in time").expect("not a panic");
    assert_eq!(store.next_due(), Some(later(1)));
    let held = claim_one(&*store, 1).await;
    assert_eq!(store.next_due(), Some(later(2)));
    accept_due(&*store, 4, 0).await;
    tokio::time::timeout(MINUTE, store.stirred()).await.expect("told of what came before");
    claim_one(&*store, 0).await;
    assert_eq!(store.next_due(), Some(later(1)));
    store.release(held.lease).await.expect("release");
}

/// A delivery of message `n` over `via`, in the line of `sender`.
async fn accept_in_line(store: &dyn Store, n: u64, via: &str, sender: &str, priority: Priority) {
    let mut batch = accept(n, 10);
    let message = &mut batch.messages[0].message;
    message.envelope.from = Party::parse(sender);
    message.traits.priority = priority;
    let line = Line::of(message);
    assert_eq!(line.priority(), priority);
    batch.deliveries[0].line = line;
    batch.deliveries[0].route[0].via = via.to_owned();
    store.commit(batch).await.expect("commit");
}

/// A bulk job delays neither what is urgent nor what somebody else sends, also after reopening; and what is least urgent does
/// not wait for ever.
pub async fn lines_are_served_in_turn(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..=12 {
        accept_in_line(&*store, n, "direct", "bulk@a.example", Priority::Normal).await;
    }
    accept_in_line(&*store, 20, "direct", "low@b.example", Priority::Low).await;
    accept_in_line(&*store, 21, "direct", "ann@c.example", Priority::Normal).await;
    accept_in_line(&*store, 22, "direct", "ann@c.example", Priority::Normal).await;
    accept_in_line(&*store, 23, "direct", "bulk@a.example", Priority::High).await;
    drop(store);
    let store = backend.open().await;
    assert_eq!(numbers(&claim(&*store, 0, 5).await), [23, 1, 21, 2, 22]);
    assert_eq!(numbers(&claim(&*store, 0, 4).await), [3, 4, 20, 5], "every eighth turn is for the least urgent");
}

/// A transport that has no room is passed over, and what waits for it does not make the claimer come again and again.
pub async fn a_full_transport_is_passed_over(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..=4 {
        accept_in_line(&*store, n, "direct", "bulk@a.example", Priority::Normal).await;
    }
    accept_in_line(&*store, 5, "mail", "bulk@a.example", Priority::Normal).await;
    let room = Room { most: 9, of: [("direct".to_owned(), 1), ("mail".to_owned(), 1)].into() };
    let mut first = numbers(&store.claim(START, &room, MINUTE).await.expect("claim"));
    first.sort_unstable();
    assert_eq!(first, [1, 5]);
    let none = Room { most: 9, of: [("direct".to_owned(), 0)].into() };
    assert!(store.claim(START, &none, MINUTE).await.expect("claim").is_empty());
    assert_eq!(store.next_due(), Some(later(1)), "the end of the leases");
    assert_eq!(store.health().await.next_due, Some(START));
    accept_in_line(&*store, 6, "mail", "bulk@a.example", Priority::Normal).await;
    assert_eq!(numbers(&store.claim(START, &none, MINUTE).await.expect("claim")), [6]);
    assert_eq!(numbers(&claim(&*store, 0, 9).await), [2, 3, 4]);
}

/// Deliveries of one message come together.
pub async fn deliveries_of_a_message_come_together(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in [1, 2] {
        let mut batch = accept(n, 10);
        for index in 1..3 {
            batch.deliveries.push(delivery(n, index));
        }
        for delivery in &mut batch.deliveries {
            delivery.line = Line(n);
        }
        store.commit(batch).await.expect("commit");
    }
    assert_eq!(numbers(&claim(&*store, 0, 9).await), [1, 1, 1, 2, 2, 2]);
}

/// What is known of phones and networks is there after reopening; the last word counts.
pub async fn what_is_known_of_phones_is_kept(backend: &dyn Backend) {
    let store = backend.open().await;
    let number = Msisdn::new("+447700900123").expect("a number");
    assert_eq!(store.handset(&number).await, Ok(None));
    let mut handset = Handset::new(number.clone(), START);
    let mut network = Network::new("44770", START);
    for agent in ["first", "second"] {
        handset.user_agent = Some(agent.to_owned());
        network.count(true, START);
        let batch = Batch { handsets: vec![handset.clone()], networks: vec![network.clone()], ..Batch::default() };
        store.commit(batch).await.expect("commit");
    }
    drop(store);
    let store = backend.open().await;
    assert_eq!(store.handset(&number).await, Ok(Some(handset)));
    assert_eq!(store.network("44770").await, Ok(Some(network)));
    assert_eq!(store.network("44771").await, Ok(None));
    store.tidy(START.after(HANDSET_AGES / 2)).await.expect("tidy");
    assert!(store.handset(&number).await.expect("read").is_some());
    store.tidy(START.after(HANDSET_AGES + MINUTE)).await.expect("tidy");
    assert_eq!(store.handset(&number).await, Ok(None), "a phone not seen for so long is forgotten");
}

/// Many claimers at once never hold the same delivery.
pub async fn many_claimers_never_share_a_delivery(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..=60 {
        accept_due(&*store, n, 0).await;
    }
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = store.clone();
        running.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claims = claim(&*store, 0, 7).await;
                if claims.is_empty() {
                    return mine;
                }
                for held in claims {
                    store.commit(done(&held.delivery, Some(held.lease))).await.expect("end");
                    mine.push(held.delivery.id);
                }
            }
        });
    }
    let all: Vec<_> = running.join_all().await.concat();
    assert_eq!(all.len(), 60);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 60);
}
