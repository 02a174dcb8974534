//! The few file operations durability hangs on, behind a seam: tests put a disk there that is full, writes short or
//! fails to sync (`tests/store/faults.rs`). SQLite's own reads and writes do not pass here; its log's sync does.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::path::Path;

/// File operations.
pub trait Disk: Send + Sync {
    /// Creates a file that must not be there yet, for writing.
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    /// Writes some of `slices` at `offset`; returns how many octets.
    fn write(&self, file: &File, slices: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pwritev(file, slices, offset)?)
    }

    /// Forces a file's octets to the device.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Forces a directory's entries to the device.
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Octets free to us on the file system of `path`.
    fn free(&self, path: &Path) -> io::Result<u64> {
        let state = rustix::fs::statvfs(path)?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize))
    }
}

/// The machine's disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// Most slices of one call (`IOV_MAX` of Linux).
const MAX_SLICES: usize = 1024;

/// Writes all of `slices` at `offset`.
pub(crate) fn write_all(disk: &dyn Disk, file: &File, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
    let (mut left, mut offset) = (slices, offset);
    // Empty slices first and last would make a complete write look like no progress.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        let some = left.len().min(MAX_SLICES);
        match disk.write(file, &left[..some], offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                IoSlice::advance_slices(&mut left, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether an error means "no room".
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
