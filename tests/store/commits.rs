//! What [`Store::commit`] owes, and reading back what was committed.

use std::time::Duration;

use packetboat_api::delivery::State;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::store::{Batch, Key, Room, Store, StoreError};

use crate::samples::{START, accept, change, delivery, delivery_id, done, event, id, key, message, message_of, octets};
use crate::{Backend, samples};

/// Lengths around every border: nothing, one octet, what may be kept apart, pages, what is read in pieces.
const LENGTHS: [usize; 9] = [0, 1, 100, 4095, 4096, 4097, 100_000, 600_000, 1_500_000];

/// A committed batch is there after reopening, whole.
pub async fn a_committed_batch_is_there_after_reopening(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 10_000)).await.expect("commit");
    let before = store.message(id(1)).await.expect("message");
    drop(store);
    let store = backend.open().await;
    let after = store.message(id(1)).await.expect("message");
    assert_eq!(before, after);
    assert_eq!(after.content.length, 10_000);
    assert_eq!(store.delivery(delivery_id(1, 0)).await, Ok(delivery(1, 0)));
    let lines: Vec<_> = store.timeline(delivery_id(1, 0)).await.expect("timeline");
    assert_eq!(lines, [event("accepted"), event("routed")]);
    assert_eq!(store.commit(accept(1, 10)).await, Err(StoreError::Duplicate(id(1))));
}

/// The slices of a content are one after the other, whatever their sizes.
pub async fn content_is_given_back_octet_for_octet(backend: &dyn Backend) {
    let store = backend.open().await;
    for (n, length) in LENGTHS.iter().enumerate() {
        store.commit(accept(n as u64 + 1, *length)).await.expect("commit");
    }
    let many = octets(99, 30_000);
    let pieces = many.chunks(10).map(|piece| many.slice_ref(piece)).collect();
    store.commit(Batch { messages: vec![message_of(99, pieces)], ..Batch::default() }).await.expect("commit");
    // Once while everything is fresh and once after it has to be looked up.
    assert_contents(&*store).await;
    drop(store);
    assert_contents(&*backend.open().await).await;
}

async fn assert_contents(store: &dyn Store) {
    let numbered = LENGTHS.iter().enumerate().map(|(n, length)| (n as u64 + 1, *length)).chain([(99, 30_000)]);
    for (n, length) in numbered {
        let message = store.message(id(n)).await.expect("message");
        let found = store.read(message.content, 0..length as u64).await.expect("read");
        assert!(found == octets(n, length), "content of {length} octets");
    }
}

/// Ranges are relative to the start of the content.
pub async fn content_is_read_by_range(backend: &dyn Backend) {
    let store = backend.open().await;
    for (n, length) in [(1, 3000u64), (2, 50_000), (3, 2_000_000)] {
        store.commit(accept(n, length as usize)).await.expect("commit");
        let content = store.message(id(n)).await.expect("message").content;
        let expected = octets(n, length as usize);
        for range in [0..1, 7..7, 1..length - 1, length - 1..length, length / 2..length] {
            let found = store.read(content, range.clone()).await.expect("read");
            assert!(found == expected.slice(range.start as usize..range.end as usize), "{range:?} of {length}");
        }
    }
}

/// A range beyond the content is no range of it.
pub async fn a_range_beyond_the_content_is_missing(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 5000)).await.expect("commit");
    let content = store.message(id(1)).await.expect("message").content;
    let found = store.read(content, 0..5001).await;
    assert!(matches!(found, Err(StoreError::Missing(_))), "{found:?}");
}

/// A key that is there refuses the whole batch and names its message.
pub async fn a_key_that_is_there_refuses_the_whole_batch(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 5000)).await.expect("commit");
    let again = Batch { keys: vec![key(2), key(1)], ..accept(2, 5000) };
    assert_eq!(store.commit(again).await, Err(StoreError::Duplicate(id(1))));
    assert!(store.message(id(2)).await.is_err());
    assert!(store.delivery(delivery_id(2, 0)).await.is_err());
    // Its other key was not taken either.
    store.commit(accept(2, 5000)).await.expect("commit");
}

/// The same key twice in one batch, or in batches that are committed at once: one wins.
pub async fn keys_repeat_neither_within_a_batch_nor_across_batches_at_once(backend: &dyn Backend) {
    let store = backend.open().await;
    let twice = Batch { keys: vec![key(1), Key { message: id(2), ..key(1) }], ..Batch::default() };
    assert_eq!(store.commit(twice).await, Err(StoreError::Duplicate(id(1))));
    let mut running = tokio::task::JoinSet::new();
    for n in 10..30 {
        let (store, batch) = (store.clone(), Batch { keys: vec![Key { message: id(n), ..key(1) }], ..accept(n, 5000) });
        running.spawn(async move { (n, store.commit(batch).await) });
    }
    let results = running.join_all().await;
    let won: Vec<u64> = results.iter().filter(|(_, result)| result.is_ok()).map(|(n, _)| *n).collect();
    assert_eq!(won.len(), 1, "{results:?}");
    for (n, result) in results {
        assert!(n == won[0] || result == Err(StoreError::Duplicate(id(won[0]))), "{n}: {result:?}");
        assert_eq!(store.message(id(n)).await.is_ok(), n == won[0]);
    }
}

/// A key may be used again once it has expired, tidied or not.
pub async fn an_expired_key_may_be_used_again(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 10)).await.expect("commit");
    backend.clock().advance(Duration::from_secs(3601));
    store.commit(Batch { keys: vec![key(1)], ..accept(2, 10) }).await.expect("commit");
    store.tidy(START.after(Duration::from_secs(7200))).await.expect("tidy");
    store.commit(Batch { keys: vec![key(1)], ..accept(3, 10) }).await.expect("commit");
}

/// A repetition is recognised even when the message was purged.
pub async fn a_key_outlives_its_message(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 10)).await.expect("commit");
    store.commit(Batch { purge: vec![id(1)], ..Batch::default() }).await.expect("purge");
    store.tidy(START).await.expect("tidy");
    assert_eq!(store.commit(accept(1, 10)).await, Err(StoreError::Duplicate(id(1))));
}

/// A change from another version than the present one is stale.
pub async fn a_change_names_its_version(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 10)).await.expect("commit");
    let first = delivery(1, 0);
    store.commit(change(&first, None, |delivery| delivery.attempts = 7)).await.expect("change");
    let stale = StoreError::Stale(delivery_id(1, 0));
    assert_eq!(store.commit(change(&first, None, |_| ())).await, Err(stale.clone()));
    let present = store.delivery(delivery_id(1, 0)).await.expect("delivery");
    assert_eq!((present.version, present.attempts), (2, 7));
    let mut skipping = change(&present, None, |_| ());
    skipping.changes[0].delivery.version = 9;
    assert_eq!(store.commit(skipping).await, Err(stale));
    drop(store);
    assert_eq!(backend.open().await.delivery(delivery_id(1, 0)).await, Ok(present));
}

/// Changes from the same version that are committed at once: one wins.
pub async fn one_of_many_changes_from_the_same_version_wins(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 10)).await.expect("commit");
    let mut running = tokio::task::JoinSet::new();
    for n in 0..20 {
        let store = store.clone();
        let batch = change(&delivery(1, 0), None, |delivery| delivery.attempts = n);
        running.spawn(async move { (n, store.commit(batch).await) });
    }
    let won: Vec<_> = running.join_all().await.into_iter().filter(|(_, result)| result.is_ok()).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    let present = store.delivery(delivery_id(1, 0)).await.expect("delivery");
    assert_eq!((present.version, present.attempts), (2, won[0].0));
}

/// Nothing of a refused batch happens, and its neighbours are not disturbed.
pub async fn a_refused_batch_leaves_nothing(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 5000)).await.expect("commit");
    let mut running = tokio::task::JoinSet::new();
    for n in 2..40 {
        let store = store.clone();
        let mut batch = accept(n, 5000);
        if n % 2 == 0 {
            // Fails at its last precondition.
            batch.events.push((delivery_id(777, 0), event("routed")));
            batch.purge = vec![id(1)];
        }
        running.spawn(async move { (n, store.commit(batch).await) });
    }
    for (n, result) in running.join_all().await {
        assert_eq!(result.is_ok(), n % 2 == 1, "{n}: {result:?}");
        assert_eq!(store.message(id(n)).await.is_ok(), n % 2 == 1);
        assert_eq!(store.timeline(delivery_id(n, 0)).await.is_ok(), n % 2 == 1);
    }
    assert!(store.message(id(1)).await.is_ok());
    assert_eq!(store.health().await.messages, 20);
}

/// Everything a batch refers to must be there.
pub async fn what_is_not_there_is_missing(backend: &dyn Backend) {
    let store = backend.open().await;
    let batches = [
        Batch { deliveries: vec![delivery(1, 0)], ..Batch::default() },
        Batch { events: vec![(delivery_id(1, 0), event("routed"))], ..Batch::default() },
        done(&delivery(1, 0), None),
    ];
    for batch in batches {
        let result = store.commit(batch).await;
        assert!(matches!(result, Err(StoreError::Missing(_))), "{result:?}");
    }
    assert!(matches!(store.message(id(1)).await, Err(StoreError::Missing(_))));
    assert!(matches!(store.delivery(delivery_id(1, 0)).await, Err(StoreError::Missing(_))));
    assert!(matches!(store.timeline(delivery_id(1, 0)).await, Err(StoreError::Missing(_))));
    // What is not there need not be purged.
    store.commit(Batch { purge: vec![id(1)], ..Batch::default() }).await.expect("purge");
    // A delivery may come later than its message.
    store.commit(accept(1, 10)).await.expect("commit");
    store.commit(Batch { deliveries: vec![delivery(1, 1)], ..Batch::default() }).await.expect("later");
}

/// A purged message is gone with its deliveries, timelines and content.
pub async fn purged_messages_are_gone_with_all_they_had(backend: &dyn Backend) {
    let store = backend.open().await;
    for (n, length) in [(1, 100), (2, 50_000), (3, 50_000)] {
        store.commit(accept(n, length)).await.expect("commit");
    }
    let small = store.message(id(1)).await.expect("message").content;
    store.commit(Batch { purge: vec![id(1), id(2)], ..Batch::default() }).await.expect("purge");
    for reopened in [false, true] {
        let store = if reopened { backend.open().await } else { store.clone() };
        for n in [1, 2] {
            assert!(matches!(store.message(id(n)).await, Err(StoreError::Missing(_))));
            assert!(matches!(store.delivery(delivery_id(n, 0)).await, Err(StoreError::Missing(_))));
            assert!(matches!(store.timeline(delivery_id(n, 0)).await, Err(StoreError::Missing(_))));
            assert_eq!(store.by_token(&samples::token(delivery_id(n, 0))).await, Ok(None));
        }
        assert!(matches!(store.read(small, 0..100).await, Err(StoreError::Missing(_))));
        let claims = store.claim(START, &Room::of_any(10), Duration::from_secs(1)).await.expect("claim");
        assert_eq!(claims.iter().map(|claim| claim.delivery.id).collect::<Vec<_>>(), [delivery_id(3, 0)]);
        let kept = store.message(id(3)).await.expect("message").content;
        assert!(store.read(kept, 0..50_000).await.expect("read") == octets(3, 50_000));
        if !reopened {
            store.close().await;
        }
    }
}

/// The largest id ever seen is remembered, even when its message was purged.
pub async fn ids_only_grow(backend: &dyn Backend) {
    let store = backend.open().await;
    assert_eq!(store.last_id(), None::<MessageId>);
    store.commit(accept(5, 10)).await.expect("commit");
    store.commit(accept(3, 10)).await.expect("commit");
    assert_eq!(store.last_id(), Some(id(5)));
    store.commit(Batch { purge: vec![id(5)], ..Batch::default() }).await.expect("purge");
    drop(store);
    assert_eq!(backend.open().await.last_id(), Some(id(5)));
}

/// Closing finishes what was handed over; then nothing is taken.
pub async fn nothing_is_taken_after_closing(backend: &dyn Backend) {
    let store = backend.open().await;
    let mut running = tokio::task::JoinSet::new();
    for n in 1..20 {
        let store = store.clone();
        running.spawn(async move { (n, store.commit(accept(n, 5000)).await) });
    }
    tokio::task::yield_now().await;
    store.close().await;
    let results = running.join_all().await;
    let late = store.commit(accept(100, 10)).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert!(!store.health().await.writable);
    drop(store);
    let store = backend.open().await;
    for (n, result) in results {
        assert_eq!(store.message(id(n)).await.is_ok(), result.is_ok(), "{n}: {result:?}");
    }
}

/// A batch of nothing does nothing.
pub async fn an_empty_batch_is_taken(backend: &dyn Backend) {
    backend.open().await.commit(Batch::default()).await.expect("commit");
}

/// A message, and a delivery, cannot be made twice.
pub async fn a_message_is_accepted_once(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 5000)).await.expect("commit");
    let again = Batch { messages: vec![message(1, 10)], ..Batch::default() };
    assert_eq!(store.commit(again).await, Err(StoreError::Duplicate(id(1))));
    let twice = Batch { messages: vec![message(2, 10), message(2, 10)], ..Batch::default() };
    assert_eq!(store.commit(twice).await, Err(StoreError::Duplicate(id(2))));
    let again = Batch { deliveries: vec![delivery(1, 0)], ..Batch::default() };
    assert_eq!(store.commit(again).await, Err(StoreError::Duplicate(id(1))));
    let mut same_token = delivery(1, 1);
    same_token.token = samples::token(DeliveryId { message: id(1), index: 0 });
    let results = tokio::join!(
        store.commit(Batch { deliveries: vec![same_token], ..Batch::default() }),
        store.commit(accept(3, 10)),
        store.commit(change(&delivery(1, 0), None, |delivery| delivery.state = State::Held)),
    );
    assert_eq!(results, (Err(StoreError::Duplicate(id(1))), Ok(()), Ok(())));
}
