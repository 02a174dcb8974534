//! Retrieval: GET of content addresses, 100 kB, 32 connections, each message once; a bare HTTP server with the same octets in
//! memory beside it. The addresses are learnt as a phone learns them, from the notifications, and as with phones the messages
//! of one round were all submitted and notified shortly before.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::Result;
use crate::load::content::{Delivery, SendReq};
use crate::load::http::Target;
use crate::measure::{CpuWatch, idle, median};
use crate::peers::daemon::Daemon;
use crate::peers::reference::Server;
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "retrieve";

const SIZE: usize = 100_000;
const CONNECTIONS: usize = 32;
const RECIPIENT: &str = "+447710000000";
/// Messages fetched in a round.
const FETCHED: usize = 4000;
/// How long notifying all of them may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What one way of handling connections came to.
#[derive(Default)]
struct Figures {
    ours: Vec<f64>,
    cpu: Vec<f64>,
    memory: Vec<f64>,
    memory_cpu: Vec<f64>,
}

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let directory = bench.directory("packetboat-")?;
    let sink = Sink::open(Manner::Answer).await?;
    let daemon = Daemon::start(&bench.options.packetboat, directory.path(), sink.address)?;
    let fetched = bench.options.amount(FETCHED);
    let mut filled = 0;
    let (mut closed, mut open) = (Figures::default(), Figures::default());
    let mut length = SIZE;
    for round in bench.rounds() {
        for (keep_alive, figures) in [(false, &mut closed), (true, &mut open)] {
            let paths = fill(&daemon, &sink, filled, fetched).await?;
            filled += paths.len();
            let address = if keep_alive { daemon.handsets_open } else { daemon.handsets };
            quiet(bench, &daemon).await?;
            let watch = CpuWatch::start(daemon.pid());
            let (rate, found) = get(address, keep_alive, paths).await?;
            length = found;
            let (cpu, _) = watch.each(fetched as u64);
            let how = if keep_alive { "connections kept" } else { "a connection each" };
            bench.note(round, &format!("packetboat, {how}"), rate, &mut figures.ours);
            bench.note(round, "packetboat, µs CPU each", cpu, &mut figures.cpu);
            quiet(bench, &daemon).await?;
            let server = Server::memory(length, keep_alive)?;
            idle(server.pid(), Duration::from_secs(1)).await;
            let watch = CpuWatch::start(server.pid());
            let (rate, _) = get(server.address, keep_alive, vec!["/0123456789abcdef".to_owned(); fetched]).await?;
            bench.note(round, &format!("from memory, {how}"), rate, &mut figures.memory);
            bench.note(round, "from memory, µs CPU each", watch.each(fetched as u64).0, &mut figures.memory_cpu);
        }
    }
    daemon.kill()?;
    let line = |work: String, figures: Figures, owed| Line {
        row: NAME,
        work,
        unit: "messages/s",
        notes: vec![format!(
            "CPU each: packetboat {:.0} µs, from memory {:.0} µs",
            median(&figures.cpu),
            median(&figures.memory_cpu)
        )],
        ours: figures.ours,
        reference: Some(("hyper, the same octets from memory".to_owned(), figures.memory)),
        owed,
    };
    let work = format!("GET of {length} octets, 32 connections");
    Ok(vec![
        line(format!("{work}, closed after each answer"), closed, Owed::Times(0.7)),
        line(format!("{work}, kept"), open, Owed::Nothing),
    ])
}

/// Submits so many messages more, and returns where they can be fetched, in the order in which phones were told.
async fn fill(daemon: &Daemon, sink: &Sink, before: usize, count: usize) -> Result<Vec<String>> {
    let pdus = Arc::new(SendReq::new(SIZE, "f", RECIPIENT, Delivery::Now)?);
    let target = Target { address: daemon.handsets_open, connections: CONNECTIONS, keep_alive: true };
    target.post(pdus, Arc::new(AtomicU64::new(before as u64)), PATIENCE, count as u64).await?;
    sink.wait_for((before + count) as u64, PATIENCE).await?;
    let paths = sink.content_paths()?.split_off(before);
    match paths.iter().collect::<HashSet<_>>().len() == count {
        true => Ok(paths),
        false => Err(format!("{count} messages were not notified with as many addresses").into()),
    }
}

/// What the daemon still has to write about earlier fetches is not a later one's cost.
async fn quiet(bench: &Bench<'_>, daemon: &Daemon) -> Result<()> {
    idle(daemon.pid(), Duration::from_secs(10)).await;
    bench.settle()
}

async fn get(address: SocketAddr, keep_alive: bool, paths: Vec<String>) -> Result<(f64, usize)> {
    let target = Target { address, connections: CONNECTIONS, keep_alive };
    let (done, length) = target.get(Arc::new(paths)).await?;
    Ok((done.rate(), length))
}
