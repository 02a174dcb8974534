//! What the writer thread and the callers share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use packetboat_api::clock::Clock;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::store::StoreError;

use crate::cache::Cache;
use crate::disk::Disk;
use crate::ledger::Ledger;
use crate::reader::Readers;
use crate::schedule::Schedule;
use crate::segments::SegmentFiles;
use crate::settings::Settings;

pub(crate) struct Shared {
    pub settings: Settings,
    pub clock: Arc<dyn Clock>,
    pub disk: Arc<dyn Disk>,
    pub cache: Cache,
    pub schedule: Schedule,
    pub files: SegmentFiles,
    pub readers: Arc<Readers>,
    last_id: AtomicU64,
    status: Mutex<Status>,
}

/// What health says beyond what can be looked up at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// Why no commits are taken.
    pub trouble: Option<String>,
    /// What is wrong though commits are taken.
    pub warning: Option<String>,
    pub counts: Ledger,
    pub quarantined: u64,
}

/// Something that cannot be read.
#[derive(Clone, Debug)]
pub(crate) enum Aside {
    /// A delivery: its row, or its message's.
    Delivery(DeliveryId, String),
    /// Anything else: its kind and name, and why.
    Other(&'static str, String, String),
    /// A page of the database. The next opening salvages it.
    Database(String),
}

impl Shared {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, disk: Arc<dyn Disk>, opening: u64) -> Self {
        let cache = settings.database_cache.0;
        Shared {
            cache: Cache::new(settings.metadata_cache.0),
            schedule: Schedule::new(opening),
            files: SegmentFiles::new(&content_directory(&settings.path)),
            // Reads are few and near what was just written: the writer needs the pages more.
            readers: Arc::new(Readers::new(&database_path(&settings.path), cache / 4)),
            last_id: AtomicU64::new(0),
            status: Mutex::default(),
            settings,
            clock,
            disk,
        }
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the device must have everything before an answer.
    pub(crate) fn syncs(&self) -> bool {
        self.settings.durability == crate::settings::Durability::PowerLoss
    }

    pub(crate) fn saw(&self, id: MessageId) {
        self.last_id.fetch_max(id.0, Ordering::SeqCst);
    }

    pub(crate) fn last_id(&self) -> MessageId {
        MessageId(self.last_id.load(Ordering::SeqCst))
    }

    /// Whether new messages of so many octets would leave less free than the floor.
    pub(crate) fn room_for(&self, octets: u64) -> Result<(), StoreError> {
        let floor = self.settings.free_space_floor.0;
        match self.disk.free(&self.settings.path) {
            Ok(free) if free < floor.saturating_add(octets) => {
                Err(StoreError::Full(format!("{free} octets are free, {floor} of them kept in reserve")))
            }
            // Not knowing is no reason to refuse: the write itself will tell.
            _ => Ok(()),
        }
    }
}

pub(crate) fn database_path(path: &Path) -> PathBuf {
    path.join("queue.db")
}

pub(crate) fn content_directory(path: &Path) -> PathBuf {
    path.join("content")
}
