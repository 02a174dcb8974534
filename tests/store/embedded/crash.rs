//! kill -9 at random moments: everything acknowledged is there once, whole.
//!
//! This does not drop the operating system's cache; what a power failure leaves is for `power`.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use packetboat_api::clock::ManualClock;
use packetboat_api::delivery::State;
use packetboat_api::store::{Batch, Filter, Page, Room, Store, StoreError};
use packetboat_store::{EmbeddedStore, Settings};
use packetboat_store_suite::samples::{START, accept, delivery_id, done, id, key, octets};

/// Tells the child where its store is.
const DIRECTORY: &str = "PACKETBOAT_CRASH_DIRECTORY";
const ROUNDS: u64 = 5;
const TASKS: u64 = 16;

/// Small ones, large ones.
fn length(n: u64) -> usize {
    [100, 5_000, 60_000][(n % 3) as usize]
}

fn open(path: &Path) -> EmbeddedStore {
    let settings = Settings { path: path.to_owned(), ..Settings::default() };
    EmbeddedStore::open(settings, Arc::new(ManualClock::new(START))).expect("the store opens")
}

/// Not a test by itself: what the child process runs until it is killed. Writes `accepted N`, `ended N` or `purged N`
/// after each acknowledgement.
#[test]
fn child() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let store = Arc::new(open(Path::new(&directory)));
        let next = Arc::new(AtomicU64::new(store.last_id().map_or(1, |last| last.0 - id(0).0 + 1)));
        let mut running = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let (store, next) = (store.clone(), next.clone());
            running.spawn(async move {
                loop {
                    if task % 4 == 0 {
                        work_off(&*store).await;
                        continue;
                    }
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    store.commit(accept(n, length(n))).await.expect("accept");
                    println!("accepted {n}");
                }
            });
        }
        running.join_all().await;
    });
}

async fn work_off(store: &dyn Store) {
    let claims = store.claim(START, &Room::of_any(4), Duration::from_secs(600)).await.expect("claim");
    if claims.is_empty() {
        tokio::task::yield_now().await;
    }
    for claim in claims {
        store.commit(done(&claim.delivery, Some(claim.lease))).await.expect("end");
        let n = claim.message.id.0 - id(0).0;
        println!("ended {n}");
        if n.is_multiple_of(5) {
            store.commit(Batch { purge: vec![claim.message.id], ..Batch::default() }).await.expect("purge");
            println!("purged {n}");
        }
    }
}

/// Lets a child work for a while and kills it. Returns its acknowledgements.
fn killed_child(directory: &Path, after: Duration) -> Vec<(String, u64)> {
    let mut child = Command::new(env::current_exe().expect("own path"))
        .args(["--exact", "crash::child", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("child");
    let mut lines = BufReader::new(child.stdout.take().expect("its output"));
    let mut text = String::new();
    // The clock runs from the first acknowledgement, so that a slow start does not use it up.
    while !text.contains("accepted") {
        assert!(lines.read_line(&mut text).expect("line") > 0, "the child ended by itself: {text}");
    }
    let reader = std::thread::spawn(move || {
        lines.read_to_string(&mut text).expect("output");
        text
    });
    std::thread::sleep(after);
    child.kill().expect("kill");
    child.wait().expect("end");
    let text = reader.join().expect("reader");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parse = |line: &str| line.split_once(' ').and_then(|(word, n)| Some((word.to_owned(), n.parse().ok()?)));
    whole.lines().filter_map(parse).filter(|(word, _)| ["accepted", "ended", "purged"].contains(&&word[..])).collect()
}

#[tokio::test]
async fn everything_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut known: BTreeMap<u64, String> = BTreeMap::new();
    for round in 0..ROUNDS {
        let seed = u64::from(std::process::id()) + round * 7919;
        for (word, n) in killed_child(directory.path(), Duration::from_millis(30 + seed * 37 % 250)) {
            known.insert(n, word);
        }
        let store = open(directory.path());
        check(&store, &known).await;
        // What was lost with the process must not be missed by the next: nothing is set aside.
        assert_eq!(store.health().await.quarantined, 0);
    }
    assert!(known.len() > 100, "only {} acknowledgements", known.len());
}

async fn check(store: &EmbeddedStore, known: &BTreeMap<u64, String>) {
    let listed = store.scan(&Filter::default(), Page { limit: usize::MAX, ..Page::default() }).await.expect("scan");
    let mut seen: Vec<_> = listed.iter().map(|delivery| delivery.id).collect();
    seen.dedup();
    assert_eq!(seen.len(), listed.len(), "no delivery is there twice");
    for (&n, word) in known {
        let found = store.message(id(n)).await;
        if word == "purged" {
            assert!(matches!(found, Err(StoreError::Missing(_))), "{n} was purged: {found:?}");
            continue;
        }
        let purged_unanswered = word == "ended" && n.is_multiple_of(5) && found.is_err();
        if purged_unanswered {
            continue;
        }
        let message = found.unwrap_or_else(|error| panic!("{n} was {word}: {error}"));
        let content = store.read(message.content, 0..message.content.length).await.expect("content");
        assert!(content == octets(n, length(n)), "content of {n}");
        let delivery = store.delivery(delivery_id(n, 0)).await.expect("delivery");
        assert!(word != "ended" || delivery.state != State::Queued, "{n} was ended");
        assert_eq!(store.timeline(delivery_id(n, 0)).await.expect("timeline").len(), 2);
    }
    for &n in known.keys() {
        let again = store.commit(Batch { keys: vec![key(n)], ..Batch::default() }).await;
        assert_eq!(again, Err(StoreError::Duplicate(id(n))));
    }
}
