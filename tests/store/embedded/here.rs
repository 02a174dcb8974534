//! An embedded store in a temporary directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use packetboat_api::async_trait;
use packetboat_api::clock::ManualClock;
use packetboat_api::store::Store;
use packetboat_api::units::ByteSize;
use packetboat_store::disk::{Disk, RealDisk};
use packetboat_store::{EmbeddedStore, OpenError, Settings};
use packetboat_store_suite::Backend;
use packetboat_store_suite::samples::START;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

pub struct Here {
    _directory: TempDir,
    pub clock: ManualClock,
    pub disk: Arc<dyn Disk>,
    pub settings: Settings,
}

impl Here {
    /// With files of 1 MiB, so that a few messages fill several.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let settings = Settings {
            path: directory.path().to_owned(),
            segment_size: ByteSize::mib(1),
            free_space_floor: ByteSize(0),
            ..Settings::default()
        };
        Here { _directory: directory, clock: ManualClock::new(START), disk: Arc::new(RealDisk), settings }
    }

    pub fn on(disk: Arc<dyn Disk>) -> Self {
        Here { disk, ..Here::new() }
    }

    pub fn try_open(&self) -> Result<EmbeddedStore, OpenError> {
        EmbeddedStore::open_on(self.disk.clone(), self.settings.clone(), Arc::new(self.clock.clone()))
    }

    /// Opens it once it is free: a process that a neighbouring test has just started holds our lock too, until its own
    /// program runs.
    pub fn opened(&self) -> EmbeddedStore {
        let begun = Instant::now();
        loop {
            match self.try_open() {
                Err(OpenError::InUse { .. }) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                opened => return opened.expect("the store opens"),
            }
        }
    }

    pub fn database(&self) -> PathBuf {
        self.settings.path.join("queue.db")
    }

    /// The content files, by name.
    pub fn segments(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.settings.path.join("content")).expect("content directory");
        let mut found: Vec<_> = entries.map(|entry| entry.expect("entry").path()).collect();
        found.sort();
        found
    }
}

#[async_trait]
impl Backend for Here {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.opened())
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }
}
