//! Disks that are full, write short or fail to sync.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use packetboat_api::store::{Batch, Room, Store, StoreError};
use packetboat_api::units::ByteSize;
use packetboat_store::disk::{Disk, RealDisk};
use packetboat_store_suite::Backend;
use packetboat_store_suite::samples::{START, accept, delivery_id, done, id, key, octets};

use crate::here::Here;

/// A disk whose misfortunes can be switched on.
#[derive(Default)]
struct Faulty {
    /// Octets that can still be written; 0 is no limit.
    room: AtomicU64,
    no_room: AtomicBool,
    /// At most so many octets at once; 0 is no limit.
    at_once: AtomicU64,
    unwritable: AtomicBool,
    unsynced: AtomicBool,
    /// The first file on which a sync failed. (The numbers of those that were removed since are given to others.)
    suspect: Mutex<Option<u64>>,
    /// Something was done to it afterwards.
    reused: AtomicBool,
}

impl Faulty {
    fn is(flag: &AtomicBool) -> bool {
        flag.load(Ordering::SeqCst)
    }

    fn set(flag: &AtomicBool, value: bool) {
        flag.store(value, Ordering::SeqCst);
    }

    fn watch(&self, file: &File) -> io::Result<u64> {
        let inode = file.metadata()?.ino();
        if *self.suspect.lock().expect("no panic") == Some(inode) {
            Self::set(&self.reused, true);
        }
        Ok(inode)
    }
}

impl Disk for Faulty {
    fn write(&self, file: &File, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.watch(file)?;
        if Self::is(&self.unwritable) {
            return Err(io::Error::other("the drive is gone"));
        }
        let mut most = match self.at_once.load(Ordering::SeqCst) {
            0 => u64::MAX,
            most => most,
        };
        if Self::is(&self.no_room) {
            most = most.min(self.room.load(Ordering::SeqCst));
            if most == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
        let some = first.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let written = RealDisk.write(file, &[IoSlice::new(&first[..some])], offset)?;
        let _ =
            self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |room| Some(room.saturating_sub(some as u64)));
        Ok(written)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let inode = self.watch(file)?;
        if Self::is(&self.unsynced) {
            self.suspect.lock().expect("no panic").get_or_insert(inode);
            return Err(io::Error::other("input/output error"));
        }
        RealDisk.sync(file)
    }

    fn free(&self, path: &Path) -> io::Result<u64> {
        if Self::is(&self.no_room) { Ok(self.room.load(Ordering::SeqCst)) } else { RealDisk.free(path) }
    }
}

fn faulty() -> (Arc<Faulty>, Here) {
    let disk = Arc::new(Faulty::default());
    (disk.clone(), Here::on(disk))
}

async fn assert_whole(store: &dyn Store, n: u64, length: usize) {
    let message = store.message(id(n)).await.unwrap_or_else(|error| panic!("{n}: {error}"));
    let content = store.read(message.content, 0..length as u64).await.expect("content");
    assert!(content == octets(n, length), "content of {n}");
    assert_eq!(store.timeline(delivery_id(n, 0)).await.expect("timeline").len(), 2);
}

#[tokio::test]
async fn short_writes_are_completed() {
    let (disk, here) = faulty();
    disk.at_once.store(1000, Ordering::SeqCst);
    let store = here.open().await;
    for n in 1..5 {
        store.commit(accept(n, 50_000)).await.expect("commit");
    }
    for n in 1..5 {
        assert_whole(&*store, n, 50_000).await;
    }
}

#[tokio::test]
async fn a_full_disk_says_so_and_recovers() {
    let (disk, here) = faulty();
    let store = here.open().await;
    store.commit(accept(1, 50_000)).await.expect("commit");
    Faulty::set(&disk.no_room, true);
    disk.room.store(20_000, Ordering::SeqCst);
    for n in 2..5 {
        let full = store.commit(accept(n, 50_000)).await;
        assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
        assert!(store.message(id(n)).await.is_err());
    }
    // What needs no room goes on.
    let claims = store.claim(START, &Room::of_any(9), Duration::from_secs(60)).await.expect("claim");
    assert_eq!(claims.len(), 1);
    store.commit(done(&claims[0].delivery, Some(claims[0].lease))).await.expect("end");
    Faulty::set(&disk.no_room, false);
    for n in 2..5 {
        store.commit(accept(n, 50_000)).await.expect("commit");
        assert_whole(&*store, n, 50_000).await;
    }
    drop(store);
    assert_eq!(here.open().await.health().await.quarantined, 0);
}

#[tokio::test]
async fn room_that_ends_in_the_middle_of_a_group_is_survived() {
    let (disk, here) = faulty();
    let store = here.open().await;
    for round in 0..20 {
        Faulty::set(&disk.no_room, round % 2 == 1);
        disk.room.store(120_000 + round * 1000, Ordering::SeqCst);
        let mut running = tokio::task::JoinSet::new();
        for n in 1 + round * 10..=10 + round * 10 {
            let store = store.clone();
            let length = if n % 2 == 0 { 100 } else { 50_000 };
            running.spawn(async move { (n, length, store.commit(accept(n, length)).await) });
        }
        for (n, length, result) in running.join_all().await {
            match result {
                Ok(()) => assert_whole(&*store, n, length).await,
                Err(error) => {
                    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
                    assert!(store.message(id(n)).await.is_err());
                }
            }
        }
    }
}

#[tokio::test]
async fn below_the_floor_nothing_new_is_taken() {
    let (disk, mut here) = faulty();
    here.settings.free_space_floor = ByteSize::mib(1);
    let store = here.open().await;
    store.commit(accept(1, 100)).await.expect("commit");
    Faulty::set(&disk.no_room, true);
    disk.room.store(1 << 20, Ordering::SeqCst);
    let full = store.commit(accept(2, 100)).await;
    assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
    store.commit(Batch { purge: vec![id(1)], ..Batch::default() }).await.expect("purge");
    disk.room.store((1 << 20) - 1, Ordering::SeqCst);
    let health = store.health().await;
    assert!(!health.writable && health.trouble.is_some(), "{health:?}");
    Faulty::set(&disk.no_room, false);
    store.commit(accept(2, 100)).await.expect("commit");
    assert!(store.health().await.writable);
}

#[tokio::test]
async fn a_failed_write_is_answered_and_survived() {
    let (disk, here) = faulty();
    let store = here.open().await;
    store.commit(accept(1, 50_000)).await.expect("commit");
    Faulty::set(&disk.unwritable, true);
    let failed = store.commit(accept(2, 50_000)).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    Faulty::set(&disk.unwritable, false);
    store.commit(accept(2, 50_000)).await.expect("commit");
    assert_whole(&*store, 1, 50_000).await;
    assert_whole(&*store, 2, 50_000).await;
}

#[tokio::test]
async fn after_a_failed_sync_of_content_that_file_is_never_used_again() {
    let (disk, here) = faulty();
    let store = here.open().await;
    store.commit(accept(1, 50_000)).await.expect("commit");
    Faulty::set(&disk.unsynced, true);
    let failed = store.commit(accept(2, 50_000)).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    // The disk still fails: nothing is taken, not even what needs no content.
    let failed = store.commit(accept(3, 100)).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    let health = store.health().await;
    assert!(!health.writable && health.trouble.is_some(), "{health:?}");
    Faulty::set(&disk.unsynced, false);
    for n in [2, 3] {
        store.commit(accept(n, 50_000)).await.expect("commit");
    }
    assert!(!Faulty::is(&disk.reused), "a file on which a sync failed was used again");
    assert!(store.health().await.writable);
    drop(store);
    let store = here.open().await;
    for n in 1..=3 {
        assert_whole(&*store, n, 50_000).await;
    }
}

#[tokio::test]
async fn after_a_failed_sync_of_the_log_the_database_is_opened_anew() {
    let (disk, here) = faulty();
    let store = here.open().await;
    store.commit(accept(1, 100)).await.expect("commit");
    let held = store.claim(START, &Room::of_any(1), Duration::from_secs(60)).await.expect("claim").remove(0);
    Faulty::set(&disk.unsynced, true);
    for n in [2, 3] {
        let failed = store.commit(accept(n, 100)).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    }
    Faulty::set(&disk.unsynced, false);
    // Nobody knows whether the failed ones are there; but a repetition finds it out, and nothing is there twice.
    for n in [2, 3] {
        let again = store.commit(accept(n, 100)).await;
        assert!(again.is_ok() || again == Err(StoreError::Duplicate(id(n))), "{again:?}");
        assert_whole(&*store, n, 100).await;
    }
    // Who held a lease holds it still.
    store.commit(done(&held.delivery, Some(held.lease))).await.expect("end");
    let claims = store.claim(START, &Room::of_any(9), Duration::from_secs(60)).await.expect("claim");
    assert_eq!(claims.iter().map(|claim| claim.message.id).collect::<Vec<_>>(), [id(2), id(3)]);
    let health = store.health().await;
    assert_eq!((health.messages, health.writable), (3, true));
    drop(store);
    let store = here.open().await;
    assert_eq!(store.health().await.messages, 3);
    let again = store.commit(Batch { keys: vec![key(2)], ..Batch::default() }).await;
    assert_eq!(again, Err(StoreError::Duplicate(id(2))));
}

/// A file system of a few MiB; `None` where one may not be mounted.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn mount() -> Option<Tiny> {
        let directory = tempfile::tempdir().expect("temporary directory");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(directory.path()).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Tiny(directory));
        }
        eprintln!("left out: no file system can be mounted here");
        None
    }

    /// An operator makes room.
    fn grow(&self) {
        let status = Command::new("mount").args(["-o", "remount,size=12m"]).arg(self.0.path()).status();
        assert!(status.expect("mount").success());
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Contents fill it, or (small ones) the database does.
#[tokio::test]
async fn a_really_full_file_system_is_survived() {
    for length in [60_000, 1_000] {
        let Some(tiny) = Tiny::mount() else { return };
        let mut here = Here::new();
        here.settings.path = tiny.0.path().to_owned();
        let store = here.open().await;
        let mut last = 0;
        let full = loop {
            match store.commit(accept(last + 1, length)).await {
                Ok(()) => last += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(full, StoreError::Full(_)), "{full:?}");
        assert!(last > 10);
        for n in 1..=last {
            assert_whole(&*store, n, length).await;
        }
        let full = store.commit(accept(last + 1, length)).await;
        assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
        tiny.grow();
        store.commit(accept(last + 1, length)).await.expect("there is room again");
        drop(store);
        let store = here.open().await;
        for n in 1..=last + 1 {
            assert_whole(&*store, n, length).await;
        }
        assert_eq!(store.health().await.quarantined, 0);
        drop(store);
    }
}
