//! A simulated power failure: what was synced when a commit was answered is enough to have everything acknowledged.
//!
//! The disk here notes what is synced. At every sync of the database's log it copies what a power failure could leave
//! behind at its worst: the database and its log as they are, and of each content file only what had been synced.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, IoSlice};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use packetboat_api::store::{Batch, Store};
use packetboat_store::Durability;
use packetboat_store::disk::{Disk, RealDisk};
use packetboat_store_suite::Backend;
use packetboat_store_suite::samples::{accept, delivery, delivery_id, done, id, octets};

use crate::here::Here;

#[derive(Default)]
struct Watched {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The store, once it is known.
    store: PathBuf,
    /// Lengths of files when they were last synced, by inode.
    synced: HashMap<u64, u64>,
    /// Files whose directory entry was synced.
    entered: Vec<PathBuf>,
    /// Where the last copy is.
    copy: Option<tempfile::TempDir>,
    /// Operations in order.
    steps: Vec<&'static str>,
}

impl Inner {
    fn copy(&mut self) -> io::Result<()> {
        let copy = tempfile::tempdir()?;
        fs::create_dir(copy.path().join("content"))?;
        for file in ["queue.db", "queue.db-wal"] {
            fs::copy(self.store.join(file), copy.path().join(file))?;
        }
        for path in &self.entered {
            let Ok(length) = fs::metadata(path).map(|file| self.synced.get(&file.ino()).copied().unwrap_or(0)) else {
                continue;
            };
            let to = copy.path().join("content").join(path.file_name().unwrap_or_default());
            fs::copy(path, &to)?;
            File::options().write(true).open(&to)?.set_len(length)?;
        }
        self.copy = Some(copy);
        Ok(())
    }
}

impl Disk for Watched {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.inner.lock().expect("no panic").steps.push("create");
        RealDisk.create(path)
    }

    fn write(&self, file: &File, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.inner.lock().expect("no panic").steps.push("write");
        RealDisk.write(file, slices, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut inner = self.inner.lock().expect("no panic");
        let (now, log) = (file.metadata()?, fs::metadata(inner.store.join("queue.db-wal"))?);
        if now.ino() == log.ino() {
            inner.steps.push("sync the log");
            return inner.copy();
        }
        inner.steps.push("sync");
        inner.synced.insert(now.ino(), now.len());
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock().expect("no panic");
        inner.steps.push("sync directory");
        if path.ends_with("content") {
            inner.entered =
                fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        }
        Ok(())
    }
}

fn watched() -> (Arc<Watched>, Here) {
    let disk = Arc::new(Watched::default());
    let here = Here::on(disk.clone());
    disk.inner.lock().expect("no panic").store = here.settings.path.clone();
    (disk, here)
}

#[tokio::test]
async fn what_a_power_failure_leaves_holds_everything_acknowledged() {
    let (disk, here) = watched();
    let store = here.open().await;
    for round in 0..12u64 {
        let mut running = tokio::task::JoinSet::new();
        for n in 1 + round * 10..=10 + round * 10 {
            let store = store.clone();
            running.spawn(async move { store.commit(accept(n, 1_000 * n as usize)).await });
        }
        running.join_all().await.into_iter().collect::<Result<(), _>>().expect("commit");
        store.commit(done(&delivery(1 + round * 10, 0), None)).await.expect("end");
        store.commit(Batch { purge: vec![id(2 + round * 10)], ..Batch::default() }).await.expect("purge");
        store.tidy(packetboat_store_suite::samples::START).await.expect("tidy");
        let copy = disk.inner.lock().expect("no panic").copy.take().expect("a copy");
        let mut left = Here::new();
        left.settings.path = copy.path().to_owned();
        check(&*left.open().await, round).await;
    }
}

async fn check(store: &dyn Store, rounds: u64) {
    for n in 1..=10 + rounds * 10 {
        if n % 10 == 2 {
            assert!(store.message(id(n)).await.is_err(), "{n} was purged");
            continue;
        }
        let content = store.message(id(n)).await.expect("message").content;
        assert!(store.read(content, 0..content.length).await.expect("content") == octets(n, 1_000 * n as usize));
        assert_eq!(store.delivery(delivery_id(n, 0)).await.expect("delivery").state.is_done(), n % 10 == 1);
    }
    assert_eq!(store.health().await.quarantined, 0);
}

#[tokio::test]
async fn content_first_rows_second_answer_last() {
    let (disk, here) = watched();
    let store = here.open().await;
    let steps = || std::mem::take(&mut disk.inner.lock().expect("no panic").steps);
    steps();
    store.commit(accept(1, 50_000)).await.expect("commit");
    assert_eq!(steps(), ["create", "sync directory", "write", "sync", "sync the log"]);
    store.commit(accept(2, 50_000)).await.expect("commit");
    assert_eq!(steps(), ["write", "sync", "sync the log"]);
    store.commit(accept(3, 100)).await.expect("commit");
    assert_eq!(steps(), ["sync the log"]);
}

#[tokio::test]
async fn the_lesser_durability_syncs_nothing() {
    let (disk, mut here) = watched();
    here.settings.durability = Durability::ProcessCrash;
    let store = here.open().await;
    disk.inner.lock().expect("no panic").steps.clear();
    store.commit(accept(1, 50_000)).await.expect("commit");
    assert_eq!(disk.inner.lock().expect("no panic").steps, ["create", "write"]);
    assert_eq!(store.health().await.durability, "process_crash");
}
