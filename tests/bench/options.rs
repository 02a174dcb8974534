//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::Result;
use crate::rows::{ROWS, Row};

/// Measures packetboat beside references in the same run.
#[derive(Debug, Parser)]
#[command(name = "packetboat-bench", version, about)]
pub struct Options {
    /// The binary to measure.
    #[arg(long, env = "PACKETBOAT_BIN", default_value = "target/release/packetboat")]
    pub packetboat: PathBuf,
    /// Where stores, queues and spools are made: on the disk that is to be measured, never a tmpfs.
    #[arg(long, default_value = "target/bench")]
    pub directory: PathBuf,
    /// Only this row; may be repeated.
    #[arg(long = "row", value_name = "NAME")]
    pub rows: Vec<String>,
    /// Rounds that count; one more is run before them and does not.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Seconds of load in each round of each side.
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
    /// One short round of each row: shows that everything runs, measures nothing.
    #[arg(long)]
    pub quick: bool,
    /// JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// What the bench starts itself as.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the bench starts itself as.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// An HTTP server to compare with, in a process of its own; ends with its standard input.
    #[command(hide = true)]
    Reference(Reference),
}

/// An HTTP server to compare with.
#[derive(Debug, clap::Args)]
pub struct Reference {
    /// What it does with a request.
    pub kind: ReferenceKind,
    /// The answer of `replay`, head and body, as it was on the wire.
    #[arg(long, default_value = "answer")]
    pub answer: PathBuf,
    /// Octets of the answers of `memory`.
    #[arg(long, default_value_t = 0)]
    pub length: usize,
    /// Where `spool` keeps its files.
    #[arg(long, default_value = ".")]
    pub directory: PathBuf,
    /// `spool` syncs its directory too before it answers.
    #[arg(long)]
    pub sync_directory: bool,
    /// Keep connections open.
    #[arg(long)]
    pub keep_alive: bool,
}

/// What a reference does with a request.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ReferenceKind {
    /// Answers octets from memory.
    Memory,
    /// Answers from memory what another server answered, header fields included.
    Replay,
    /// Writes a file for each request, syncs it, gives it its name, answers.
    Spool,
}

impl Options {
    /// The rows asked for.
    pub fn wanted(&self) -> Result<Vec<&'static Row>> {
        let names = || ROWS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
        if self.rows.is_empty() {
            return Ok(ROWS.iter().collect());
        }
        let find = |name: &String| {
            let row = ROWS.iter().find(|row| row.name == name);
            row.ok_or_else(|| format!("there is no row \"{name}\"; there are: {}", names()).into())
        };
        self.rows.iter().map(find).collect()
    }

    /// Rounds that count.
    pub fn counted_rounds(&self) -> usize {
        if self.quick { 1 } else { self.rounds.max(1) }
    }

    /// How long each side is under load in each round.
    pub fn load_time(&self) -> Duration {
        Duration::from_secs_f64(if self.quick { 0.5 } else { self.seconds })
    }

    /// `full` things, or a hundredth of them for a quick run.
    pub fn amount(&self, full: usize) -> usize {
        if self.quick { (full / 100).max(64) } else { full }
    }
}
