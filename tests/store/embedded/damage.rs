//! What is on disk is not what was written: set aside, counted, and everything else is there.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::id::MessageId;
use packetboat_api::store::{Batch, Filter, Page, Room, Store, StoreError};
use packetboat_store::OpenError;
use packetboat_store_suite::Backend;
use packetboat_store_suite::samples::{START, accept, delivery, delivery_id, done, id, key, octets};
use rusqlite::Connection;

use crate::here::Here;

const LENGTH: usize = 50_000;
const LEASE: Duration = Duration::from_secs(60);

/// A closed store of messages 1 to `count`.
async fn filled(count: u64) -> Here {
    let here = Here::new();
    let store = here.open().await;
    for n in 1..=count {
        store.commit(accept(n, LENGTH)).await.expect("commit");
    }
    store.close().await;
    here
}

async fn content(store: &dyn Store, n: u64) -> Result<bool, StoreError> {
    let content = store.message(id(n)).await?.content;
    Ok(store.read(content, 0..LENGTH as u64).await? == octets(n, LENGTH))
}

/// Waits until what was set aside has been written down.
async fn quarantined(store: &dyn Store) -> u64 {
    store.tidy(START).await.expect("tidy");
    store.health().await.quarantined
}

async fn claimed(store: &dyn Store) -> Vec<MessageId> {
    let claims = store.claim(START, &Room::of_any(1000), LEASE).await.expect("claim");
    claims.iter().map(|claim| claim.message.id).collect()
}

fn with_database(here: &Here, change: impl FnOnce(&Connection) -> rusqlite::Result<usize>) {
    let db = Connection::open(here.database()).expect("database");
    assert!(change(&db).expect("change") > 0);
    let _: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("checkpoint");
}

#[tokio::test]
async fn a_flipped_bit_is_found_and_touches_nothing_else() {
    let here = filled(5).await;
    let file = fs::File::options().read(true).write(true).open(&here.segments()[0]).expect("content file");
    let place = 16 + 2 * LENGTH as u64 + 777;
    let mut octet = [0];
    file.read_exact_at(&mut octet, place).expect("read");
    file.write_all_at(&[octet[0] ^ 4], place).expect("write");
    let store = here.open().await;
    for _ in 0..2 {
        let damaged = content(&*store, 3).await;
        assert!(matches!(damaged, Err(StoreError::Damaged(_))), "{damaged:?}");
    }
    for n in [1, 2, 4, 5] {
        assert_eq!(content(&*store, n).await, Ok(true));
    }
    assert_eq!(quarantined(&*store).await, 1);
    drop(store);
    assert_eq!(here.open().await.health().await.quarantined, 1);
}

#[tokio::test]
async fn a_cut_content_file_loses_only_what_was_cut_off() {
    let here = filled(5).await;
    let file = fs::File::options().write(true).open(&here.segments()[0]).expect("content file");
    file.set_len(16 + 3 * LENGTH as u64 + 10).expect("cut");
    let store = here.open().await;
    assert_eq!(store.health().await.quarantined, 1);
    for n in 1..=5 {
        let found = content(&*store, n).await;
        assert!(
            if n <= 3 { found == Ok(true) } else { matches!(found, Err(StoreError::Damaged(_))) },
            "{n}: {found:?}"
        );
    }
    store.commit(accept(6, LENGTH)).await.expect("commit");
    assert_eq!(content(&*store, 6).await, Ok(true));
}

#[tokio::test]
async fn a_missing_content_file_does_not_stop_the_start() {
    let here = filled(40).await;
    let files = here.segments();
    assert!(files.len() > 1);
    fs::remove_file(&files[0]).expect("remove");
    let store = here.open().await;
    assert_eq!(store.health().await.quarantined, 1);
    let missing = content(&*store, 1).await;
    assert!(matches!(missing, Err(StoreError::Damaged(_))), "{missing:?}");
    assert_eq!(content(&*store, 40).await, Ok(true));
    // It can be purged like any other.
    store.commit(Batch { purge: (1..=40).map(id).collect(), ..Batch::default() }).await.expect("purge");
    assert_eq!(store.health().await.content_bytes, 0);
}

#[tokio::test]
async fn an_unreadable_delivery_is_set_aside_and_keeps_its_message() {
    let here = filled(3).await;
    with_database(&here, |db| db.execute("UPDATE delivery SET json = x'7B22' WHERE message = ?1", [id(2).0 as i64]));
    let store = here.open().await;
    assert_eq!(claimed(&*store).await, [id(1), id(3)]);
    assert_eq!(quarantined(&*store).await, 1);
    let listed = store.scan(&Filter::default(), Page::default()).await.expect("scan");
    assert_eq!(listed.len(), 2);
    let states = store.health().await.deliveries;
    assert_eq!(states, [("queued".to_owned(), 2), ("unreadable".to_owned(), 1)]);
    assert!(matches!(store.delivery(delivery_id(2, 0)).await, Err(StoreError::Damaged(_))));
    // It did not end: its message is not finished, whatever the others do.
    store.commit(done(&delivery(1, 0), None)).await.expect("end");
    let later = START.after(Duration::from_secs(60));
    assert_eq!(store.finished(later, 9).await, Ok(vec![id(1)]));
    drop(store);
    let store = here.open().await;
    assert_eq!(claimed(&*store).await, [id(3)]);
    store.commit(Batch { purge: vec![id(2)], ..Batch::default() }).await.expect("purge");
    assert_eq!(store.health().await.deliveries, [("queued".to_owned(), 1), ("delivered".to_owned(), 1)]);
}

#[tokio::test]
async fn an_unreadable_message_is_set_aside_with_its_deliveries() {
    let here = filled(3).await;
    with_database(&here, |db| db.execute("UPDATE message SET json = 'no json' WHERE id = ?1", [id(2).0 as i64]));
    let store = here.open().await;
    assert_eq!(claimed(&*store).await, [id(1), id(3)]);
    assert!(matches!(store.message(id(2)).await, Err(StoreError::Damaged(_))));
    assert_eq!(quarantined(&*store).await, 2);
    assert_eq!(store.next_due(), Some(START.after(LEASE)));
}

/// The number of a leaf page of a table, somewhere in its middle.
fn middle_page(here: &Here, table: &str) -> u64 {
    let db = Connection::open(here.database()).expect("database");
    let query = "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path";
    let mut select = db.prepare(query).expect("dbstat");
    let pages: Vec<i64> =
        select.query_map([table], |row| row.get(0)).expect("pages").collect::<Result<_, _>>().expect("pages");
    assert!(pages.len() > 1, "{table} has {} leaf pages", pages.len());
    pages[pages.len() / 2] as u64
}

fn overwrite_page(here: &Here, page: u64) {
    let file = fs::File::options().write(true).open(here.database()).expect("database");
    file.write_all_at(&[0xA5; 4096], (page - 1) * 4096).expect("write");
}

/// The files kept of damaged databases.
fn kept(here: &Here) -> Vec<PathBuf> {
    let entries = fs::read_dir(&here.settings.path).expect("directory").map(|entry| entry.expect("entry").path());
    let name = |path: &PathBuf| path.to_string_lossy().into_owned();
    entries.filter(|path| name(path).contains(".damaged-") && !name(path).ends_with("-wal")).collect()
}

/// Whatever page is damaged, the store starts, and a second start finds everything that the page did not hold.
#[tokio::test]
async fn a_damaged_page_takes_only_its_own_rows() {
    let count = 200;
    for table in ["message", "delivery", "event", "delivery_open", "delivery_by_token", "message_by_message_id", "key"]
    {
        let here = filled(count).await;
        overwrite_page(&here, middle_page(&here, table));
        let store = here.open().await;
        let before = claimed(&*store).await;
        let _ = store.scan(&Filter::default(), Page { limit: 1000, ..Page::default() }).await;
        for n in 1..=count {
            let _ = store.message(id(n)).await;
            let _ = store.timeline(delivery_id(n, 0)).await;
            let _ = store.commit(Batch { keys: vec![key(n)], ..Batch::default() }).await;
            let _ = store.by_token(&packetboat_store_suite::samples::token(delivery_id(n, 0))).await;
            let _ = store.by_message_id(&format!("{n}.{}@example.net", n.wrapping_mul(0x9E37_79B9))).await;
        }
        drop(store);
        let store = here.open().await;
        assert_eq!(kept(&here).len(), 1, "{table}");
        let health = store.health().await;
        assert!(health.quarantined > 0 && health.writable, "{table}: {health:?}");
        let after = claimed(&*store).await;
        assert!(after.len() >= count as usize - 20, "{table}: {} of {count} are left", after.len());
        assert!(before.len() >= count as usize - 20 || table == "delivery_open", "{table}: {} before", before.len());
        if !["message", "delivery"].contains(&table) {
            assert_eq!(after.len(), count as usize, "{table}");
        }
        for message in &after {
            assert_eq!(content(&*store, message.0 - id(0).0).await, Ok(true), "{table}");
        }
        store.commit(accept(count + 1, LENGTH)).await.expect("commit");
        drop(store);
        assert_eq!(here.open().await.health().await.messages, health.messages + 1, "{table}");
        assert_eq!(kept(&here).len(), 1, "{table}: salvaged once");
    }
}

#[tokio::test]
async fn what_is_no_database_is_put_aside_with_the_contents() {
    for damage in [vec![0u8; 100], b"This is not a database, it never was one.".repeat(3).to_vec()] {
        let here = filled(30).await;
        let files = here.segments();
        let file = fs::File::options().write(true).open(here.database()).expect("database");
        file.write_all_at(&damage, 0).expect("write");
        let store = here.open().await;
        let health = store.health().await;
        assert!(health.writable && health.messages == 0 && health.quarantined > files.len() as u64, "{health:?}");
        assert_eq!(kept(&here).len(), 1);
        let aside = here.segments();
        assert_eq!(aside.len(), files.len());
        assert!(aside.iter().all(|path| path.to_string_lossy().ends_with(".aside")), "{aside:?}");
        store.commit(accept(1, LENGTH)).await.expect("commit");
        assert_eq!(content(&*store, 1).await, Ok(true));
    }
}

#[tokio::test]
async fn a_cut_database_is_salvaged() {
    let here = filled(200).await;
    let file = fs::File::options().write(true).open(here.database()).expect("database");
    let length = file.metadata().expect("length").len();
    file.set_len(length * 3 / 4).expect("cut");
    let store = here.open().await;
    let _ = claimed(&*store).await;
    drop(store);
    let store = here.open().await;
    assert!(store.health().await.quarantined > 0);
    let left = claimed(&*store).await;
    assert!(left.len() > 20, "{} are left", left.len());
}

#[tokio::test]
async fn a_salvage_that_was_interrupted_is_finished() {
    let here = filled(3).await;
    let name = |suffix: &str| PathBuf::from(format!("{}{suffix}", here.database().display()));
    // Between the two renames.
    fs::rename(here.database(), name(".salvage")).expect("rename");
    let store = here.open().await;
    assert_eq!(claimed(&*store).await.len(), 3);
    drop(store);
    // Before them.
    fs::write(name(".salvage"), "half a copy").expect("write");
    fs::write(name(".damaged"), "a page").expect("write");
    let store = here.open().await;
    assert_eq!(claimed(&*store).await.len(), 3);
    assert_eq!(store.health().await.quarantined, 1);
    assert!(!name(".salvage").exists() && !name(".damaged").exists());
}

#[tokio::test]
async fn a_later_format_is_left_alone() {
    let here = filled(1).await;
    let db = Connection::open(here.database()).expect("database");
    db.pragma_update(None, "user_version", 99).expect("version");
    drop(db);
    let refused = here.try_open().err().expect("refused");
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused:?}");
    assert!(kept(&here).is_empty());
}

#[tokio::test]
async fn counts_that_went_wrong_never_cost_content() {
    let here = filled(40).await;
    with_database(&here, |db| db.execute("UPDATE segment SET live = 0, messages = 0", []));
    let store = here.open().await;
    store.tidy(START).await.expect("tidy");
    for n in 1..=40 {
        assert_eq!(content(&*store, n).await, Ok(true));
    }
    assert_eq!(store.health().await.messages, 40);
    let store: Arc<dyn Store> = store;
    drop(store);
    assert_eq!(here.open().await.health().await.messages, 40);
}
