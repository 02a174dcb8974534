//! The rows of the table, one file each.

mod accept;
mod codec;
mod memory;
mod page;
mod retrieve;
mod road;
mod smpp;
mod start;
mod submit;
mod waits;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;

use tempfile::TempDir;

use crate::Result;
use crate::measure::settle_disk;
use crate::options::Options;
use crate::report::Line;

/// A row: its name for `--row`, and how it is measured.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Measures it: one line or several.
    pub measure: for<'a> fn(&'a Bench) -> Measuring<'a>,
}

/// A measurement under way.
type Measuring<'a> = Pin<Box<dyn Future<Output = Result<Vec<Line>>> + 'a>>;

/// Every row, in the order of the table.
pub static ROWS: &[Row] = &[
    Row { name: accept::NAME, measure: |bench| Box::pin(accept::measure(bench)) },
    Row { name: submit::NAME, measure: |bench| Box::pin(submit::measure(bench)) },
    Row { name: retrieve::NAME, measure: |bench| Box::pin(retrieve::measure(bench)) },
    Row { name: page::NAME, measure: |bench| Box::pin(page::measure(bench)) },
    Row { name: road::NAME, measure: |bench| Box::pin(road::measure(bench)) },
    Row { name: smpp::NAME, measure: |bench| Box::pin(smpp::measure(bench)) },
    Row { name: codec::NAME, measure: |bench| Box::pin(async { codec::measure(bench) }) },
    Row { name: start::NAME, measure: |bench| Box::pin(start::measure(bench)) },
    Row { name: waits::NAME, measure: |bench| Box::pin(waits::measure(bench)) },
    Row { name: memory::NAME, measure: |bench| Box::pin(memory::measure(bench)) },
];

/// What every row is given.
pub struct Bench<'o> {
    /// The command line.
    pub options: &'o Options,
    scratch: TempDir,
}

/// Octets written to the page cache and dropped before each side is measured, so that none is the first to touch the
/// machine's memory: a virtual machine's host takes pages back that nobody used for a while, and gives them slowly.
const TOUCHED: usize = 2 << 30;

impl<'o> Bench<'o> {
    /// Makes the scratch directory.
    pub fn new(options: &'o Options) -> Result<Self> {
        std::fs::create_dir_all(&options.directory)?;
        let directory = options.directory.canonicalize()?;
        let scratch = tempfile::Builder::new().prefix("bench-").tempdir_in(directory)?;
        // Postfix's own users walk through it.
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755))?;
        Ok(Bench { options, scratch })
    }

    /// Where everything is made, on the disk that is measured.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// A new directory there, deleted when it is dropped.
    pub fn directory(&self, what: &str) -> Result<TempDir> {
        let made = tempfile::Builder::new().prefix(what).tempdir_in(self.scratch.path())?;
        std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o755))?;
        Ok(made)
    }

    /// Before a side is measured: whatever was deleted or left unwritten before is done with, and there is memory in use
    /// to be had for the page cache.
    pub fn settle(&self) -> Result<()> {
        if !self.options.quick {
            self.touch()?;
        }
        settle_disk(self.scratch.path());
        Ok(())
    }

    /// The rounds: 0 does not count.
    pub fn rounds(&self) -> std::ops::RangeInclusive<usize> {
        0..=self.options.counted_rounds()
    }

    /// Says how it goes, and keeps the figure of a round that counts.
    pub fn note(&self, round: usize, name: &str, figure: f64, kept: &mut Vec<f64>) {
        eprintln!("round {round} {name}: {figure:.1}");
        if round > 0 {
            kept.push(figure);
        }
    }

    fn touch(&self) -> Result<()> {
        use std::io::Write;
        let mut file = tempfile::tempfile_in(self.scratch.path())?;
        let block = vec![7; 4 << 20];
        for _ in 0..TOUCHED / block.len() {
            file.write_all(&block)?;
        }
        Ok(())
    }
}
