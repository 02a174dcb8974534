//! Files of earlier formats are opened: `tests/vectors/store/vN` is a store that format N's program wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use packetboat_api::clock::ManualClock;
use packetboat_api::delivery::State;
use packetboat_api::store::{Batch, Room, Store, StoreError};
use packetboat_store_suite::Backend;
use packetboat_store_suite::samples::{START, accept, change, delivery, delivery_id, done, event, id, key, octets};

use crate::here::Here;

/// The format of today.
const PRESENT: u32 = 2;
/// Lengths of messages 1, 2, …; 5 was purged.
const LENGTHS: [usize; 5] = [0, 100, 4096, 9000, 5000];

fn folder(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../vectors/store/v{version}"))
}

async fn write(store: &dyn Store) {
    for (n, length) in LENGTHS.iter().enumerate() {
        store.commit(accept(n as u64 + 1, *length)).await.expect("commit");
    }
    store.commit(change(&delivery(2, 0), None, |delivery| delivery.state = State::Held)).await.expect("hold");
    store.commit(done(&delivery(3, 0), None)).await.expect("end");
    let line = Batch { events: vec![(delivery_id(3, 0), event("fetched"))], ..Batch::default() };
    store.commit(line).await.expect("line");
    store.commit(Batch { purge: vec![id(5)], ..Batch::default() }).await.expect("purge");
}

async fn check(store: &dyn Store) {
    for (n, length) in (1..).zip(&LENGTHS[..4]) {
        let content = store.message(id(n)).await.expect("message").content;
        assert_eq!(store.read(content, 0..*length as u64).await, Ok(octets(n, *length)));
    }
    assert_eq!(store.delivery(delivery_id(1, 0)).await, Ok(delivery(1, 0)));
    assert_eq!(store.delivery(delivery_id(2, 0)).await.expect("delivery").state, State::Held);
    let words: Vec<_> =
        store.timeline(delivery_id(3, 0)).await.expect("timeline").into_iter().map(|e| e.what).collect();
    assert_eq!(words, ["accepted", "routed", "fetched"]);
    assert!(matches!(store.message(id(5)).await, Err(StoreError::Missing(_))));
    assert_eq!(store.last_id(), Some(id(5)));
    let again = store.commit(Batch { keys: vec![key(5)], ..Batch::default() }).await;
    assert_eq!(again, Err(StoreError::Duplicate(id(5))));
    let claims = store.claim(START, &Room::of_any(9), Duration::from_secs(1)).await.expect("claim");
    assert_eq!(claims.iter().map(|claim| claim.message.id).collect::<Vec<_>>(), [id(1), id(4)]);
    let health = store.health().await;
    assert_eq!((health.messages, health.content_bytes, health.quarantined), (4, 13_196, 0));
    store.commit(accept(6, 50_000)).await.expect("commit");
}

#[tokio::test]
async fn stores_of_all_formats_are_opened() {
    for version in 1..=PRESENT {
        let here = Here::new();
        fs::create_dir_all(here.settings.path.join("content")).expect("directory");
        for file in ["queue.db", "content/00000001.seg"] {
            fs::copy(folder(version).join(file), here.settings.path.join(file)).expect("old file");
        }
        check(&*here.open().await).await;
    }
}

/// What this version writes it reads again; with `UPDATE=1` it writes the files the other test opens, which is done once
/// when the format changes.
#[tokio::test]
async fn the_present_format_is_written_and_read() {
    let mut here = Here::new();
    here.clock = ManualClock::new(START);
    let keep = std::env::var_os("UPDATE").is_some();
    if keep {
        here.settings.path = folder(PRESENT);
        fs::create_dir_all(folder(PRESENT)).expect("directory");
    }
    let store = here.open().await;
    write(&*store).await;
    store.close().await;
    drop(store);
    if keep {
        for file in ["lock", "queue.db-shm", "queue.db-wal"] {
            fs::remove_file(here.settings.path.join(file)).expect(file);
        }
        return;
    }
    check(&*here.open().await).await;
}
