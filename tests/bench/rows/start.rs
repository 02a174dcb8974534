//! Start-up with 100,000 queued deliveries: from starting the process to the first notification, after a kill -9, with the
//! store's files out of the page cache.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::Result;
use crate::load::content::{Delivery, Mails};
use crate::load::smtp::Target;
use crate::measure::median;
use crate::peers::daemon::Daemon;
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "start";

const QUEUED: usize = 100_000;
const SIZE: usize = 3_000;
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let directory = bench.directory("packetboat-")?;
    let queued = bench.options.amount(QUEUED);
    fill(bench, directory.path(), queued).await?;
    let (mut first, mut ready, mut resident) = (Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        bench.settle()?;
        forget(&directory.path().join("store"))?;
        let sink = Sink::open(Manner::Answer).await?;
        let daemon = Daemon::start(&bench.options.packetboat, directory.path(), sink.address)?;
        sink.wait_for(1, PATIENCE).await?;
        let came = sink.first().ok_or("no notification")?;
        bench.note(round, "first notification, s", came.duration_since(daemon.started).as_secs_f64(), &mut first);
        bench.note(round, "ready, s", daemon.starting.as_secs_f64(), &mut ready);
        bench.note(round, "resident then, MB", daemon.resident()?.now as f64 / 1e6, &mut resident);
        daemon.kill()?;
    }
    Ok(vec![Line {
        row: NAME,
        work: format!("start with {queued} queued deliveries → first notification"),
        unit: "s",
        ours: first,
        reference: None,
        owed: Owed::Below(2.0),
        notes: vec![
            format!("ready line after {:.2} s", median(&ready)),
            format!("resident at the first notification: {:.1} MB", median(&resident)),
        ],
    }])
}

/// Queues deliveries by keeping the bearer waiting, and cuts the daemon's power.
async fn fill(bench: &Bench<'_>, directory: &Path, queued: usize) -> Result<()> {
    eprintln!("queueing {queued} deliveries");
    let sink = Sink::open(Manner::Hold).await?;
    let daemon = Daemon::start(&bench.options.packetboat, directory, sink.address)?;
    let mails = Arc::new(Mails::new(SIZE, "s", Delivery::Now));
    let target = Target { address: daemon.mail, sessions: 64 };
    let done = target.send(mails, Arc::new(AtomicU64::new(0)), PATIENCE, queued as u64).await?;
    if done.count < queued as u64 {
        return Err(format!("only {} mails in {} s", done.count, PATIENCE.as_secs()).into());
    }
    daemon.kill()
}

/// Drops the files of a directory from the page cache.
fn forget(directory: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        match path.is_dir() {
            true => forget(&path)?,
            false => {
                let mut input = std::ffi::OsString::from("if=");
                input.push(&path);
                // dd's way of saying posix_fadvise(POSIX_FADV_DONTNEED) for a whole file.
                let mut dd = Command::new("dd");
                dd.arg(input).args(["iflag=nocache", "count=0", "status=none"]).stderr(Stdio::null()).status()?;
            }
        }
    }
    Ok(())
}
