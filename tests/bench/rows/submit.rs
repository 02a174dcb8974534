//! MM1: m-send-req → m-send-conf over HTTP, 100 kB, 32 connections; a file a message behind the same HTTP server beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::Result;
use crate::load::content::{Delivery, SendReq};
use crate::load::http::Target;
use crate::measure::{CpuWatch, Done, idle, median};
use crate::peers::daemon::Daemon;
use crate::peers::reference::Server;
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "mm1-submit";

const SIZE: usize = 100_000;
const CONNECTIONS: usize = 32;
/// Nobody's: it is told, and never fetches.
const RECIPIENT: &str = "+447710000000";

#[derive(Default)]
struct Figures {
    ours: Vec<f64>,
    ours_cpu: Vec<f64>,
    ours_open: Vec<f64>,
    ours_deferred: Vec<f64>,
    spool: Vec<f64>,
    spool_cpu: Vec<f64>,
    spool_and_name: Vec<f64>,
}

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let mut figures = Figures::default();
    for round in bench.rounds() {
        let (rate, cpu) = ours(bench, "a", Delivery::Now, false).await?;
        bench.note(round, "packetboat", rate, &mut figures.ours);
        bench.note(round, "packetboat, µs CPU a message", cpu, &mut figures.ours_cpu);
        let (rate, cpu) = spool(bench, false).await?;
        bench.note(round, "file a message, synced", rate, &mut figures.spool);
        bench.note(round, "file a message, µs CPU a message", cpu, &mut figures.spool_cpu);
        let (rate, _) = spool(bench, true).await?;
        bench.note(round, "file a message, synced with its name", rate, &mut figures.spool_and_name);
        let (rate, _) = ours(bench, "b", Delivery::Now, true).await?;
        bench.note(round, "packetboat, connections kept", rate, &mut figures.ours_open);
        let (rate, _) = ours(bench, "c", Delivery::Tomorrow, false).await?;
        bench.note(round, "packetboat, delivery tomorrow", rate, &mut figures.ours_deferred);
    }
    Ok(lines(figures))
}

async fn load(bench: &Bench<'_>, address: SocketAddr, run: &str, delivery: Delivery, keep_alive: bool) -> Result<Done> {
    let pdus = Arc::new(SendReq::new(SIZE, run, RECIPIENT, delivery)?);
    let target = Target { address, connections: CONNECTIONS, keep_alive };
    target.post(pdus, Arc::new(AtomicU64::new(0)), bench.options.load_time(), u64::MAX).await
}

async fn ours(bench: &Bench<'_>, run: &str, delivery: Delivery, keep_alive: bool) -> Result<(f64, f64)> {
    let directory = bench.directory("packetboat-")?;
    let sink = Sink::open(Manner::Answer).await?;
    let daemon = Daemon::start(&bench.options.packetboat, directory.path(), sink.address)?;
    bench.settle()?;
    idle(daemon.pid(), std::time::Duration::from_secs(2)).await;
    let watch = CpuWatch::start(daemon.pid());
    let address = if keep_alive { daemon.handsets_open } else { daemon.handsets };
    let done = load(bench, address, run, delivery, keep_alive).await?;
    let (cpu, _) = watch.each(done.count);
    daemon.kill()?;
    Ok((done.rate(), cpu))
}

async fn spool(bench: &Bench<'_>, sync_directory: bool) -> Result<(f64, f64)> {
    let directory = bench.directory("spool-")?;
    let server = Server::spool(directory.path(), sync_directory)?;
    bench.settle()?;
    let watch = CpuWatch::start(server.pid());
    let done = load(bench, server.address, "r", Delivery::Now, false).await?;
    Ok((done.rate(), watch.each(done.count).0))
}

fn lines(figures: Figures) -> Vec<Line> {
    let line = |work: &str, ours: &Vec<f64>, reference: Option<(&str, &Vec<f64>)>, owed| Line {
        row: NAME,
        work: work.to_owned(),
        unit: "messages/s",
        ours: ours.clone(),
        reference: reference.map(|(name, values)| (name.to_owned(), values.clone())),
        owed,
        notes: Vec::new(),
    };
    let spool = ("a file each: write, fsync, rename", &figures.spool);
    let named = ("a file each: write, fsync, rename, fsync of the directory", &figures.spool_and_name);
    let work = "m-send-req of 100 kB, 32 connections";
    let mut first = line(work, &figures.ours, None, Owed::AtLeast(2500.0));
    let (ours, theirs) = (median(&figures.ours_cpu), median(&figures.spool_cpu));
    first.notes.push(format!("CPU a message: packetboat {ours:.0} µs, a file each {theirs:.0} µs"));
    vec![
        first,
        line(work, &figures.ours, Some(spool), Owed::Times(2.0)),
        line(work, &figures.ours, Some(named), Owed::Nothing),
        line("the same, connections kept", &figures.ours_open, None, Owed::Nothing),
        line("the same, delivery tomorrow", &figures.ours_deferred, None, Owed::Nothing),
    ]
}
