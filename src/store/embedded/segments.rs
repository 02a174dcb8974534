//! Content files: append-only, named by number, never written twice in the same place.
//!
//! ```text
//! content/00000001.seg    16 octets "packetboat seg" 0x01 0x0A, then the contents of messages one after the other
//! ```
//!
//! Where a content starts and ends and its CRC-32 stand in the database. Content is written and synced before the row
//! that names it, so after a crash a file can only have a tail that no row names: it is left alone and a new file begun.
//! A new file's directory entry is synced before its first row.
//!
//! A write that fails is cut off again and the file used further; if it cannot be cut, or a sync failed, the file is
//! never written to again.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use packetboat_api::message::ContentRef;
use rustix::io::ReadWriteFlags;

use crate::disk::{self, Disk};

/// What every content file starts with: name and version.
pub(crate) const HEADER: &[u8; 16] = b"packetboat seg\x01\n";
/// Open files kept for reading.
const MAX_OPEN: usize = 64;

/// Why content was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// No room; the file can be used further.
    Full(String),
    /// The write failed; another file may do.
    Failed(String),
    /// What was written may or may not be on the device: nothing more until another file was seen to work.
    Unsynced(String),
}

/// The writer's side.
pub(crate) struct Appender {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    size: u64,
    sync: bool,
    next: u32,
    current: Option<Current>,
}

struct Current {
    number: u32,
    file: File,
    end: u64,
}

impl Appender {
    /// Files are numbered from `next`.
    pub(crate) fn new(directory: &Path, disk: Arc<dyn Disk>, size: u64, sync: bool, next: u32) -> Self {
        Appender { directory: directory.to_owned(), disk, size, sync, next, current: None }
    }

    /// The file that is being written to.
    pub(crate) fn current(&self) -> Option<u32> {
        self.current.as_ref().map(|current| current.number)
    }

    /// Writes contents one after the other and syncs them. Returns the file, where the first starts, and the file's end.
    pub(crate) fn append(&mut self, contents: &[&Bytes]) -> Result<(u32, u64, u64), WriteError> {
        if self.current.as_ref().is_some_and(|current| current.end >= self.size) {
            self.current = None;
        }
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.begin()?,
        };
        let fresh = current.end == 0;
        let header: &[u8] = if fresh { HEADER } else { &[] };
        let mut slices = Vec::with_capacity(contents.len() + 1);
        slices.push(IoSlice::new(header));
        slices.extend(contents.iter().map(|content| IoSlice::new(content)));
        let start = current.end + header.len() as u64;
        let end = start + contents.iter().map(|content| content.len() as u64).sum::<u64>();
        if let Err(error) = disk::write_all(&*self.disk, &current.file, &mut slices, current.end) {
            self.give_up(current, fresh);
            let place = self.directory.display();
            return Err(match disk::is_full(&error) {
                true => WriteError::Full(format!("no room in {place}: {error}")),
                false => WriteError::Failed(format!("writing in {place}: {error}")),
            });
        }
        if self.sync
            && let Err(error) = self.disk.sync(&current.file)
        {
            return Err(WriteError::Unsynced(format!("syncing {}: {error}", self.path(current.number).display())));
        }
        current.end = end;
        let number = current.number;
        self.current = Some(current);
        Ok((number, start, end))
    }

    /// Whether a new file can be written and synced: asked after a failed sync.
    pub(crate) fn probe(&self) -> io::Result<()> {
        let path = self.directory.join("probe");
        remove(&path)?;
        let file = self.disk.create(&path)?;
        disk::write_all(&*self.disk, &file, &mut [IoSlice::new(&[0u8; 4096])], 0)?;
        self.disk.sync(&file)?;
        self.disk.sync_directory(&self.directory)?;
        remove(&path)
    }

    fn begin(&mut self) -> Result<Current, WriteError> {
        let number = self.next;
        let path = self.path(number);
        let made = self.disk.create(&path).and_then(|file| {
            if self.sync {
                self.disk.sync_directory(&self.directory)?;
            }
            Ok(file)
        });
        match made {
            Ok(file) => {
                self.next += 1;
                Ok(Current { number, file, end: 0 })
            }
            Err(error) => {
                // A file without rows is harmless, but a number that is taken must not be tried again.
                let taken = error.kind() == io::ErrorKind::AlreadyExists;
                if taken || remove(&path).is_err() {
                    self.next += 1;
                }
                let text = format!("beginning {}: {error}", path.display());
                Err(if disk::is_full(&error) { WriteError::Full(text) } else { WriteError::Failed(text) })
            }
        }
    }

    /// After a failed write: gives back the room of what was written of it.
    fn give_up(&mut self, current: Current, fresh: bool) {
        if fresh {
            // Nothing names it. If it cannot be removed now, the next opening does.
            let _ = remove(&self.path(current.number));
        } else if current.file.set_len(current.end).is_ok() {
            self.current = Some(current);
        }
    }

    fn path(&self, number: u32) -> PathBuf {
        path(&self.directory, number)
    }
}

/// The readers' side.
pub(crate) struct SegmentFiles {
    directory: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    open: HashMap<u32, Arc<File>>,
    /// Where contents went that were moved since the store was opened, by where they were. Whoever read the message
    /// before still has the old place.
    moved: HashMap<(u32, u64), (u32, u64)>,
}

impl SegmentFiles {
    pub(crate) fn new(directory: &Path) -> Self {
        SegmentFiles { directory: directory.to_owned(), inner: Mutex::default() }
    }

    /// The file a content is in and where it starts there.
    pub(crate) fn locate(&self, content: ContentRef) -> io::Result<(Arc<File>, u64)> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = (content.segment, content.offset);
        while let Some(next) = inner.moved.get(&place) {
            place = *next;
        }
        if let Some(file) = inner.open.get(&place.0) {
            return Ok((file.clone(), place.1));
        }
        let file = Arc::new(File::open(path(&self.directory, place.0))?);
        if inner.open.len() >= MAX_OPEN
            && let Some(oldest) = inner.open.keys().min().copied()
        {
            inner.open.remove(&oldest);
        }
        inner.open.insert(place.0, file.clone());
        Ok((file, place.1))
    }

    /// A content was moved.
    pub(crate) fn moved(&self, from: (u32, u64), to: (u32, u64)) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).moved.insert(from, to);
    }

    /// A content is gone: where it was before does not matter any more.
    pub(crate) fn forget(&self, place: (u32, u64)) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = place;
        // Few are moved, fewer are moved twice; mostly this finds an empty table.
        while let Some(before) = inner.moved.iter().find(|(_, to)| **to == gone).map(|(from, _)| *from) {
            inner.moved.remove(&before);
            gone = before;
        }
    }

    /// Removes an empty file.
    pub(crate) fn delete(&self, number: u32) -> io::Result<()> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&number);
        remove(&path(&self.directory, number))
    }

    /// Puts a file that no row names out of the way instead of removing it.
    pub(crate) fn put_aside(&self, number: u32) -> io::Result<PathBuf> {
        let from = path(&self.directory, number);
        let to = from.with_extension("seg.aside");
        fs::rename(from, &to)?;
        Ok(to)
    }

    /// The files there are, with their lengths, and the largest number ever seen in a name.
    pub(crate) fn list(&self) -> io::Result<(BTreeMap<u32, u64>, u32)> {
        let (mut found, mut largest) = (BTreeMap::new(), 0);
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some((number, kind)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
            let Ok(number) = number.parse::<u32>() else { continue };
            largest = largest.max(number);
            if kind == "seg" {
                found.insert(number, entry.metadata()?.len());
            }
        }
        Ok((found, largest))
    }
}

/// Reads `length` octets at `offset`; an error of kind `UnexpectedEof` when the file ends before.
pub(crate) fn read(file: &File, length: usize, offset: u64) -> io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(length);
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer.freeze())
}

/// The same if all of it is in the page cache, so that it does not block; `None` when it is not, or one cannot know.
pub(crate) fn read_cached(file: &File, length: usize, offset: u64) -> Option<Bytes> {
    let mut buffer = BytesMut::zeroed(length);
    let mut filled = 0;
    while filled < length {
        let mut slice = [IoSliceMut::new(&mut buffer[filled..])];
        match rustix::io::preadv2(file, &mut slice, offset + filled as u64, ReadWriteFlags::NOWAIT) {
            Ok(0) | Err(_) => return None,
            Ok(read) => filled += read,
        }
    }
    Some(buffer.freeze())
}

fn path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:08}.seg"))
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
