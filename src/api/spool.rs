//! The bounded buffer for what is being received.
//!
//! A thousand slow senders must not fill the memory (I-8), and a fast one must not wait for a disk. So what arrives is
//! kept in memory while the daemon's budget for that lasts, and beyond it in a file that has no name: it is gone with
//! the process, as it should be, since nothing of it was acknowledged.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::sync::Semaphore;

/// The daemon's budget for what is being received, shared by all listeners.
#[derive(Clone, Debug)]
pub struct SpoolBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    left: AtomicUsize,
    directory: PathBuf,
    /// Bounds how much is being turned from spools into messages at once, in units of [`UNIT`].
    finishing: Arc<Semaphore>,
    finishing_units: usize,
}

const UNIT: usize = 64 << 10;
/// Most memory that is set aside for an announced size before anything has come.
const ANNOUNCED: usize = 1 << 20;
/// A spool takes its memory in steps of this size.
const STEP: usize = 64 << 10;

impl SpoolBudget {
    /// `memory` octets for all spools together, files beyond that in `directory`.
    pub fn new(memory: usize, directory: &Path) -> Self {
        let finishing_units = (memory / UNIT).max(1);
        SpoolBudget(Arc::new(Inner {
            left: AtomicUsize::new(memory),
            directory: directory.to_owned(),
            finishing: Arc::new(Semaphore::new(finishing_units)),
            finishing_units,
        }))
    }

    /// An empty spool.
    pub fn spool(&self) -> Spool {
        Spool { budget: self.clone(), memory: BytesMut::new(), reserved: 0, file: None, length: 0 }
    }

    fn reserve(&self, octets: usize) -> bool {
        let take = |left: usize| left.checked_sub(octets);
        self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, octets: usize) {
        self.0.left.fetch_add(octets, Ordering::Relaxed);
    }
}

/// What one sender has sent so far.
#[derive(Debug)]
pub struct Spool {
    budget: SpoolBudget,
    memory: BytesMut,
    reserved: usize,
    file: Option<File>,
    length: u64,
}

/// A finished spool: its octets in one piece, and the right to have them in memory.
#[derive(Debug)]
pub struct Spooled {
    /// What was received.
    pub bytes: Bytes,
    _spool: Option<Spool>,
    _permit: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl Spool {
    /// Octets so far.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing has come yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether it did not fit in memory.
    pub fn is_on_disk(&self) -> bool {
        self.file.is_some()
    }

    /// The sender said how much will come: the memory for it is set aside at once, if the budget has it. Saves copying
    /// while it grows; a sender that announces much and sends little holds no more than [`ANNOUNCED`].
    pub fn expect(&mut self, octets: u64) {
        let octets = usize::try_from(octets).unwrap_or(usize::MAX).min(ANNOUNCED);
        self.fits(octets);
    }

    /// Takes more. An error is the disk's: answer "try later".
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        if self.file.is_none() && self.fits(self.memory.len() + bytes.len()) {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        if self.file.is_none() {
            let mut file = unnamed_file(&self.budget.0.directory)?;
            file.write_all(&self.memory)?;
            self.memory = BytesMut::new();
            self.budget.give_back(std::mem::take(&mut self.reserved));
            self.file = Some(file);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    /// Reserves more of the budget when `octets` need it.
    fn fits(&mut self, octets: usize) -> bool {
        if octets <= self.reserved {
            return true;
        }
        // Grow by doubling, so that the buffer is copied few times and the budget is asked seldom.
        let wanted = octets.next_multiple_of(STEP).max(self.reserved * 2);
        if !self.budget.reserve(wanted - self.reserved) {
            return false;
        }
        self.reserved = wanted;
        self.memory.reserve(wanted - self.memory.len());
        true
    }

    /// All of it in one piece. Waits while too much is being finished already.
    pub async fn finish(mut self) -> io::Result<Spooled> {
        let Some(mut file) = self.file.take() else {
            let bytes = std::mem::take(&mut self.memory).freeze();
            return Ok(Spooled { bytes, _spool: Some(self), _permit: None });
        };
        let inner = self.budget.0.clone();
        let units = (self.length as usize).div_ceil(UNIT).clamp(1, inner.finishing_units);
        let permit = inner.finishing.clone().acquire_many_owned(units as u32).await.map_err(io::Error::other)?;
        let length = self.length as usize;
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(length);
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut bytes)?;
            Ok::<_, io::Error>(bytes)
        });
        let bytes = read.await.map_err(io::Error::other)??;
        Ok(Spooled { bytes: bytes.into(), _spool: None, _permit: Some(permit) })
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.budget.give_back(self.reserved);
    }
}

/// A file in `directory` that no name leads to.
fn unnamed_file(directory: &Path) -> io::Result<File> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("receiving-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = directory.join(name);
    // One of this name may be left of a process that was killed between these two lines and had our id.
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
