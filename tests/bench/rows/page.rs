//! Pages: GET of a message's page, a text and a picture, on connections that stay open, as a phone's browser asks; a bare HTTP
//! server that answers the same octets with the same header fields beside it. Once for pages that were shown before, and
//! once for pages that nobody has seen yet, which have to be made.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::Result;
use crate::load::content::{Delivery, SendReq};
use crate::load::http::{Target, get_once};
use crate::measure::{CpuWatch, idle, median};
use crate::peers::daemon::{Daemon, Setup};
use crate::peers::reference::Server;
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "page";

const SIZE: usize = 30_000;
const CONNECTIONS: usize = 32;
const RECIPIENT: &str = "+447710000000";
/// Messages whose pages are asked for in a round.
const MESSAGES: usize = 2000;
/// How many of them are asked for again, and how often each.
const KNOWN: usize = 256;
const AGAIN: usize = 200;
const PATIENCE: Duration = Duration::from_secs(120);
/// What a phone's browser says of itself.
const BROWSER: &str = "User-Agent: Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/120.0.0.0 Mobile Safari/537.36\r\nAccept: text/html\r\nAccept-Language: en\r\n";
/// One generator is one address, which asks more than any phone does.
const PAGES: &str = "[listener.pages]\nplugin = \"pages\"\nlisten = [\"127.0.0.1:0\"]\nrequests_per_message = 0\n\
                     requests_per_address = 0\n";

/// Rates and what each costs, a figure a round.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    cpu: Vec<f64>,
}

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let directory = bench.directory("packetboat-")?;
    let sink = Sink::open(Manner::Answer).await?;
    let setup = Setup { more: PAGES, ..Setup::lab(sink.address) };
    let daemon = Daemon::start_as(&bench.options.packetboat, directory.path(), &setup)?;
    let address = daemon.pages.ok_or("the daemon has no listener for pages")?;
    let messages = bench.options.amount(MESSAGES);
    let (mut new, mut known, mut bare) = (Figures::default(), Figures::default(), Figures::default());
    let mut length = 0;
    for round in bench.rounds() {
        let paths = fill(&daemon, &sink, round * messages, messages).await?;
        let known_paths = &paths[paths.len().saturating_sub(KNOWN)..];
        let again: Vec<String> = std::iter::repeat_n(known_paths, AGAIN).flatten().cloned().collect();
        let one = get_once(address, &paths[0], BROWSER).await?;
        length = one.len();
        let recorded = directory.path().join("answer");
        std::fs::write(&recorded, one)?;

        quiet(bench, daemon.pid()).await?;
        new.run(bench, round, "packetboat, new", daemon.pid(), address, paths).await?;
        quiet(bench, daemon.pid()).await?;
        known.run(bench, round, "packetboat, shown before", daemon.pid(), address, again.clone()).await?;
        let server = Server::replay(&recorded)?;
        quiet(bench, server.pid()).await?;
        bare.run(bench, round, "from memory", server.pid(), server.address, again).await?;
    }
    daemon.kill()?;
    let bare_cpu = median(&bare.cpu);
    let line = |work: &str, figures: Figures, owed| Line {
        row: NAME,
        work: format!("GET of a page of {length} octets with its head, {work}"),
        unit: "pages/s",
        notes: vec![format!("CPU each: packetboat {:.0} µs, from memory {bare_cpu:.0} µs", median(&figures.cpu))],
        ours: figures.rates,
        reference: Some(("hyper, the same octets from memory".to_owned(), bare.rates.clone())),
        owed,
    };
    Ok(vec![line("shown before", known, Owed::Times(0.6)), line("for the first time", new, Owed::Nothing)])
}

impl Figures {
    /// One side, once.
    async fn run(
        &mut self,
        bench: &Bench<'_>,
        round: usize,
        name: &str,
        pid: u32,
        address: SocketAddr,
        paths: Vec<String>,
    ) -> Result<()> {
        let count = paths.len() as u64;
        let target = Target { address, connections: CONNECTIONS, keep_alive: true };
        let watch = CpuWatch::start(pid);
        let (done, _) = target.get_with(Arc::new(paths), BROWSER).await?;
        bench.note(round, name, done.rate(), &mut self.rates);
        bench.note(round, &format!("{name}, µs CPU each"), watch.each(count).0, &mut self.cpu);
        Ok(())
    }
}

/// Submits so many messages more, and returns where their pages are.
async fn fill(daemon: &Daemon, sink: &Sink, before: usize, count: usize) -> Result<Vec<String>> {
    let pdus = Arc::new(SendReq::new(SIZE, "p", RECIPIENT, Delivery::Now)?);
    let target = Target { address: daemon.handsets_open, connections: CONNECTIONS, keep_alive: true };
    target.post(pdus, Arc::new(AtomicU64::new(before as u64)), PATIENCE, count as u64).await?;
    sink.wait_for((before + count) as u64, PATIENCE).await?;
    // A message has one address, at either listener.
    let page = |path: &String| Some(format!("/{}", path.rsplit('/').next()?));
    Ok(sink.content_paths()?[before..].iter().filter_map(page).collect())
}

/// What there still is to write about earlier work is not a later one's cost.
async fn quiet(bench: &Bench<'_>, pid: u32) -> Result<()> {
    idle(pid, Duration::from_secs(10)).await;
    bench.settle()
}
