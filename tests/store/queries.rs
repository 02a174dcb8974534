//! What looking things up, health and housekeeping owe.

use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, End, State, TRANSACTION_LENGTH};
use packetboat_api::store::{Batch, Filter, Page, Store};

use crate::Backend;
use crate::samples::{START, accept, change, delivery, delivery_id, done, event, id, octets, phone, sender, token};

/// By the whole token or the part that is the transaction id; nothing shorter finds anything.
pub async fn a_delivery_is_found_by_its_token(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..50 {
        store.commit(accept(n, 10)).await.expect("commit");
    }
    for reopened in [false, true] {
        let store = if reopened { backend.open().await } else { store.clone() };
        let whole = token(delivery_id(7, 0));
        for length in TRANSACTION_LENGTH..=whole.len() {
            let found = store.by_token(&whole[..length]).await.expect("look-up");
            assert_eq!(found.map(|(delivery, message)| (delivery.id, message.id)), Some((delivery_id(7, 0), id(7))));
        }
        let other = format!("{}!", &whole[..TRANSACTION_LENGTH]);
        for none in ["", "a", &whole[..TRANSACTION_LENGTH - 1], &format!("{whole}a"), &other, "%%%%%%%%%%%%%%%%"] {
            assert!(matches!(store.by_token(none).await, Ok(None)), "{none}");
        }
        if !reopened {
            store.close().await;
        }
    }
}

/// By Message-ID; the newest when several have the same.
pub async fn a_message_is_found_by_its_message_id(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..=3 {
        let mut batch = accept(n, 10);
        if n > 1 {
            batch.messages[0].message.traits.message_id = "same@example.net".to_owned();
        }
        store.commit(batch).await.expect("commit");
    }
    let found = store.by_message_id("same@example.net").await.expect("look-up");
    assert_eq!(found.map(|message| message.id), Some(id(3)));
    assert_eq!(store.by_message_id("<same@example.net>").await, Ok(None));
}

/// Four messages with three deliveries each.
async fn fill(store: &dyn Store) {
    for n in 1..=4 {
        let mut batch = accept(n, 10);
        batch.deliveries.extend([delivery(n, 1), delivery(n, 2)]);
        store.commit(batch).await.expect("commit");
    }
}

fn ids(listed: &[Delivery]) -> Vec<(u64, u32)> {
    listed.iter().map(|delivery| (delivery.id.message.0 - id(0).0, delivery.id.index)).collect()
}

/// In order of id, either way, a page after the other.
pub async fn a_listing_comes_in_pages(backend: &dyn Backend) {
    let store = backend.open().await;
    fill(&*store).await;
    for states in [vec![], vec!["queued".to_owned()]] {
        let filter = Filter { states, ..Filter::default() };
        for newest_first in [false, true] {
            let mut page = Page { after: None, limit: 5, newest_first };
            let mut seen = Vec::new();
            loop {
                let listed = store.scan(&filter, page).await.expect("scan");
                let Some(last) = listed.last() else { break };
                assert!(listed.len() <= 5);
                page.after = Some(last.id);
                seen.extend(ids(&listed));
            }
            if newest_first {
                seen.reverse();
            }
            let expected: Vec<_> = (1..=4).flat_map(|n| (0..3).map(move |index| (n, index))).collect();
            assert_eq!(seen, expected);
        }
    }
}

/// By message, states, recipient, sender and transport, one at a time and together.
pub async fn a_listing_is_filtered(backend: &dyn Backend) {
    let store = backend.open().await;
    fill(&*store).await;
    store.commit(change(&delivery(2, 0), None, |delivery| delivery.state = State::Held)).await.expect("hold");
    store.commit(change(&delivery(2, 1), None, |delivery| delivery.step = 1)).await.expect("next step");
    store.commit(done(&delivery(3, 2), None)).await.expect("end");
    let all = Filter::default;
    let word = |state: State| vec![state.word().to_owned()];
    let delivered = word(State::Done(End::Delivered));
    let cases = [
        (Filter { message: Some(id(2)), ..all() }, vec![(2, 0), (2, 1), (2, 2)]),
        (Filter { states: word(State::Held), ..all() }, vec![(2, 0)]),
        (Filter { states: delivered.clone(), ..all() }, vec![(3, 2)]),
        (Filter { states: [word(State::Held), delivered].concat(), ..all() }, vec![(2, 0), (3, 2)]),
        (Filter { to: Some(phone(4).to_string()), ..all() }, vec![(2, 2), (3, 1), (4, 0)]),
        (Filter { to: Some(phone(4).to_string()), message: Some(id(3)), ..all() }, vec![(3, 1)]),
        (Filter { to: Some(phone(4).to_string()), states: word(State::Queued), ..all() }, vec![(2, 2), (3, 1), (4, 0)]),
        (Filter { via: Some("wap_push".to_owned()), ..all() }, vec![(2, 1)]),
        (Filter { from: Some(sender().to_string()), states: word(State::Held), ..all() }, vec![(2, 0)]),
        (Filter { from: Some("bob@example.net".to_owned()), ..all() }, vec![]),
        (Filter { states: vec!["no such state' OR 1".to_owned()], ..all() }, vec![]),
    ];
    for (filter, expected) in cases {
        let listed = store.scan(&filter, Page::default()).await.expect("scan");
        assert_eq!(ids(&listed), expected, "{filter:?}");
    }
    let page = Page { after: Some(delivery_id(3, 1)), limit: 1, newest_first: true };
    let to = Filter { to: Some(phone(4).to_string()), ..all() };
    assert_eq!(ids(&store.scan(&to, page).await.expect("scan")), [(2, 2)]);
}

/// Lines stay in the order in which they were committed, over many commits.
pub async fn a_timeline_is_kept_in_order(backend: &dyn Backend) {
    let store = backend.open().await;
    store.commit(accept(1, 10)).await.expect("commit");
    for what in ["deferred", "push_sent", "fetched"] {
        let lines = vec![(delivery_id(1, 0), event(what)), (delivery_id(1, 0), event("noted"))];
        store.commit(Batch { events: lines, ..Batch::default() }).await.expect("commit");
    }
    let words: Vec<_> =
        store.timeline(delivery_id(1, 0)).await.expect("timeline").into_iter().map(|line| line.what).collect();
    assert_eq!(words, ["accepted", "routed", "deferred", "noted", "push_sent", "noted", "fetched", "noted"]);
}

/// Only messages whose deliveries have all ended, and old enough.
pub async fn finished_messages_are_listed_oldest_first(backend: &dyn Backend) {
    let store = backend.open().await;
    fill(&*store).await;
    let after = |n: i64| Timestamp(START.0 + n);
    for (n, ended) in [(1, 3), (2, 2), (3, 3), (4, 2)] {
        for index in 0..ended {
            store.commit(done(&delivery(n, index), None)).await.expect("end");
        }
    }
    let late = change(&delivery(4, 2), None, |delivery| {
        delivery.state = State::Done(End::Expired);
        delivery.due = after(7);
    });
    store.commit(late).await.expect("end later");
    let held = change(&delivery(2, 2), None, |delivery| delivery.state = State::Held);
    store.commit(held).await.expect("hold");
    assert_eq!(store.finished(after(4), 9).await, Ok(vec![id(1), id(3)]));
    assert_eq!(
        store.finished(after(7), 9).await,
        Ok(vec![id(1), id(3)]),
        "4 was received long ago, but ended just now"
    );
    assert_eq!(store.finished(after(8), 9).await, Ok(vec![id(1), id(3), id(4)]));
    assert_eq!(store.finished(after(8), 1).await, Ok(vec![id(1)]));
    assert_eq!(store.finished(START, 9).await, Ok(vec![]));
}

/// Health counts messages, octets and deliveries by state.
pub async fn health_counts_what_is_there(backend: &dyn Backend) {
    let store = backend.open().await;
    let empty = store.health().await;
    assert!(empty.writable && empty.trouble.is_none() && empty.messages == 0 && empty.deliveries.is_empty());
    for (n, length) in [(1, 100), (2, 50_000), (3, 50_000)] {
        store.commit(accept(n, length)).await.expect("commit");
    }
    store.commit(done(&delivery(1, 0), None)).await.expect("end");
    store.commit(Batch { purge: vec![id(3)], ..Batch::default() }).await.expect("purge");
    for reopened in [false, true] {
        let store = if reopened { backend.open().await } else { store.clone() };
        let health = store.health().await;
        assert_eq!((health.messages, health.content_bytes, health.quarantined), (2, 50_100, 0));
        assert_eq!(health.deliveries, [("queued".to_owned(), 1), ("delivered".to_owned(), 1)]);
        assert!(health.free_bytes > 0 && health.disk_bytes > 0);
        assert_eq!(health.durability, "power_loss");
        if !reopened {
            store.close().await;
        }
    }
}

/// Space of purged messages is given back, also when a few stay.
pub async fn tidying_gives_space_back(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..=100 {
        store.commit(accept(n, 100_000)).await.expect("commit");
    }
    let full = store.health().await.disk_bytes;
    let purge = (1..=100).filter(|n| n % 20 != 0).map(id).collect();
    store.commit(Batch { purge, ..Batch::default() }).await.expect("purge");
    for _ in 0..100 {
        store.tidy(START.after(Duration::from_secs(1))).await.expect("tidy");
    }
    let left = store.health().await.disk_bytes;
    assert!(left < full / 2, "{left} octets of {full} are left");
    for n in (1..=100).filter(|n| n % 20 == 0) {
        let content = store.message(id(n)).await.expect("message").content;
        assert!(store.read(content, 0..100_000).await.expect("read") == octets(n, 100_000));
    }
}

/// Whoever read a message before its content was moved can read the content after.
pub async fn old_references_read_after_tidying(backend: &dyn Backend) {
    let store = backend.open().await;
    for n in 1..=100 {
        store.commit(accept(n, 100_000)).await.expect("commit");
    }
    let old = store.message(id(3)).await.expect("message");
    let purge = (1..=100).filter(|n| *n != 3).map(id).collect();
    store.commit(Batch { purge, ..Batch::default() }).await.expect("purge");
    for _ in 0..10 {
        store.tidy(START).await.expect("tidy");
        assert!(store.read(old.content, 0..100_000).await.expect("read") == octets(3, 100_000));
    }
    store.commit(Batch { purge: vec![id(3)], ..Batch::default() }).await.expect("purge");
    drop(store);
    assert_eq!(backend.open().await.health().await.content_bytes, 0);
}
