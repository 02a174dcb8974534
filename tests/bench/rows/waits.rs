//! Waiting: 100,000 deliveries that were notified and wait an hour for a sign of the phone before the next step of their route
//! is taken. What they hold of memory, what they use of a core while nothing happens, and both again after a restart.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::Result;
use crate::load::content::{Delivery, Mails};
use crate::load::smtp::Target;
use crate::measure::{cpu_time, idle, median};
use crate::peers::daemon::{Daemon, Setup};
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "waits";

const WAITING: usize = 100_000;
const SIZE: usize = 3_000;
const PATIENCE: Duration = Duration::from_secs(300);
/// How long it is watched doing nothing.
const WATCHED: Duration = Duration::from_secs(10);
/// How long it may take to come to rest.
const SETTLING: Duration = Duration::from_secs(60);
const ROUTE: &str = "[{ via = \"direct\", wait = \"1h\" }, \"spare\"]";
const SPARE: &str = "[transport.spare]\nplugin = \"direct\"\ndoor = \"handsets\"\n";
const MB: f64 = 1e6;

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let directory = bench.directory("packetboat-")?;
    let waiting = bench.options.amount(WAITING);
    let watched = if bench.options.quick { Duration::from_millis(500) } else { WATCHED };
    let filled = fill(bench, directory.path(), waiting, watched).await?;
    let (mut held, mut cpu, mut ready, mut empty) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        let nothing = bench.directory("packetboat-")?;
        let sink = Sink::open(Manner::Answer).await?;
        let daemon = start(bench, nothing.path(), &sink)?;
        let without = resting(&daemon).await?;
        bench.note(round, "with nothing, MB", without, &mut empty);
        daemon.kill()?;

        let daemon = start(bench, directory.path(), &sink)?;
        bench.note(round, "ready, s", daemon.starting.as_secs_f64(), &mut ready);
        bench.note(round, "held after a restart, MB", resting(&daemon).await? - without, &mut held);
        bench.note(round, "CPU after a restart, ms/s", used(&daemon, watched).await, &mut cpu);
        let (still, again) = (daemon.deliveries("waiting").await?, sink.count());
        if still != waiting as u64 || again > 0 {
            return Err(format!("{still} of {waiting} deliveries wait, {again} were notified again").into());
        }
        daemon.kill()?;
    }
    let line = |work: &str, unit, ours, owed, notes| Line {
        row: NAME,
        work: format!("{waiting} deliveries waiting for evidence, {work}"),
        unit,
        ours,
        reference: None,
        owed,
        notes,
    };
    let restarted = vec![
        format!("resident with nothing: {:.1} MB", median(&empty)),
        format!("ready line after {:.2} s", median(&ready)),
    ];
    Ok(vec![
        line("resident above nothing, after they came in", "MB", vec![filled.held], Owed::Below(100.0), Vec::new()),
        line("resident above nothing, after a restart", "MB", held, Owed::Below(100.0), restarted),
        line("CPU at rest, after they came in", "ms/s", vec![filled.cpu], Owed::Below(5.0), Vec::new()),
        line("CPU at rest, after a restart", "ms/s", cpu, Owed::Below(5.0), Vec::new()),
    ])
}

/// What the deliveries cost the daemon that took them in.
struct Filled {
    held: f64,
    cpu: f64,
}

async fn fill(bench: &Bench<'_>, directory: &std::path::Path, waiting: usize, watched: Duration) -> Result<Filled> {
    eprintln!("bringing in {waiting} deliveries");
    let sink = Sink::open(Manner::Answer).await?;
    let daemon = start(bench, directory, &sink)?;
    let before = resting(&daemon).await?;
    let mails = Arc::new(Mails::new(SIZE, "w", Delivery::Now));
    let target = Target { address: daemon.mail, sessions: 64 };
    let done = target.send(mails, Arc::new(AtomicU64::new(0)), PATIENCE, waiting as u64).await?;
    if done.count < waiting as u64 {
        return Err(format!("only {} mails in {} s", done.count, PATIENCE.as_secs()).into());
    }
    sink.wait_for(waiting as u64, PATIENCE).await?;
    let held = resting(&daemon).await? - before;
    let cpu = used(&daemon, watched).await;
    eprintln!("held {held:.1} MB, CPU {cpu:.1} ms/s");
    daemon.kill()?;
    Ok(Filled { held, cpu })
}

fn start(bench: &Bench<'_>, directory: &std::path::Path, sink: &Sink) -> Result<Daemon> {
    let setup = Setup { more: SPARE, route: ROUTE, ..Setup::lab(sink.address) };
    Daemon::start_as(&bench.options.packetboat, directory, &setup)
}

/// Resident memory once there is nothing left to do, in MB.
async fn resting(daemon: &Daemon) -> Result<f64> {
    idle(daemon.pid(), SETTLING).await;
    Ok(daemon.resident()?.now as f64 / MB)
}

/// CPU time that is used in a while, in milliseconds a second.
async fn used(daemon: &Daemon, watched: Duration) -> f64 {
    let before = cpu_time(daemon.pid());
    tokio::time::sleep(watched).await;
    cpu_time(daemon.pid()).saturating_sub(before).as_secs_f64() * 1e3 / watched.as_secs_f64()
}
