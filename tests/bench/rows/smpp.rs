//! Pushes through one SMPP connection with a window of 10, counted at the SMSC; Kannel beside it, with the same short message
//! to the same SMSC. Twice: with an SMSC that takes everything at once, and with the simulator of the stories, which has
//! a limit of its own.
//!
//! The queue is filled while the SMSC answers nothing; then it answers, and the middle of the queue is timed. The same for
//! both, and once more for Kannel while requests come in, which is how it is used.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::Result;
use crate::load::content::{Delivery, Mails};
use crate::load::{http, smtp};
use crate::measure::{Done, cpu_time, median};
use crate::peers::daemon::{Daemon, Setup};
use crate::peers::kannel::Kannel;
use crate::peers::smsc::{Bare, PASSWORD, Simulator, Smsc, USER};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "smpp";

const WINDOW: usize = 10;
/// Short messages in a queue.
const QUEUED: usize = 12_000;
const SIZE: usize = 3_000;
/// sendsms requests at once.
const REQUESTS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(120);

/// Which SMSC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bare,
    Simulator,
}

impl Kind {
    async fn open(self, holds: bool) -> Result<Smsc> {
        Ok(match self {
            Kind::Bare => Smsc::Bare(Bare::open(holds).await?),
            Kind::Simulator => Smsc::Simulator(Simulator::start(holds).await?),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Bare => "an SMSC that takes all at once",
            Kind::Simulator => "the simulator",
        }
    }
}

/// What came of one SMSC: a figure a round.
#[derive(Default)]
struct Figures {
    ours: Vec<f64>,
    cpu: Vec<f64>,
    queued: Vec<f64>,
    queued_cpu: Vec<f64>,
    live: Vec<f64>,
}

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let push = push(bench).await?;
    let mut lines = Vec::new();
    for kind in [Kind::Bare, Kind::Simulator] {
        let mut figures = Figures::default();
        for round in bench.rounds() {
            let (rate, cpu) = ours(bench, kind, round).await?;
            bench.note(round, &format!("packetboat, {}", kind.name()), rate, &mut figures.ours);
            bench.note(round, "packetboat, µs CPU each", cpu, &mut figures.cpu);
            let (rate, cpu) = kannel(bench, kind, &push, true).await?;
            bench.note(round, "kannel, from its queue", rate, &mut figures.queued);
            bench.note(round, "kannel, µs CPU each", cpu, &mut figures.queued_cpu);
            let (rate, _) = kannel(bench, kind, &push, false).await?;
            bench.note(round, "kannel, from requests", rate, &mut figures.live);
        }
        lines.extend(figures.lines(kind, push.len()));
    }
    Ok(lines)
}

impl Figures {
    fn lines(self, kind: Kind, octets: usize) -> [Line; 2] {
        let work = format!("pushes of {octets} octets, window {WINDOW}, {}", kind.name());
        let cpu = format!(
            "CPU each: packetboat {:.0} µs, kannel from its queue {:.0} µs",
            median(&self.cpu),
            median(&self.queued_cpu)
        );
        let line = |work: String, reference: (&str, Vec<f64>), owed, notes| Line {
            row: NAME,
            work,
            unit: "pushes/s",
            ours: self.ours.clone(),
            reference: Some((reference.0.to_owned(), reference.1)),
            owed,
            notes,
        };
        [
            line(work.clone(), ("kannel, sendsms requests", self.live), Owed::Times(3.0), vec![cpu]),
            line(format!("{work}, both from a queue"), ("kannel, its queue", self.queued), Owed::Nothing, Vec::new()),
        ]
    }
}

fn setup(smsc: &Smsc) -> Setup {
    let bearer = format!(
        "[bearer.smsc]\nplugin = \"smpp\"\naddresses = [\"{}\"]\nsystem_id = \"{USER}\"\npassword = {{ file = \"smsc.secret\" }}\n\
         window = {WINDOW}\nregistered_delivery = \"none\"\nreconnect_max = \"1s\"\n",
        smsc.address()
    );
    Setup { bearer, more: "", route: "[\"direct\"]" }
}

fn start(bench: &Bench<'_>, directory: &Path, smsc: &Smsc) -> Result<Daemon> {
    std::fs::write(directory.join("smsc.secret"), PASSWORD)?;
    Daemon::start_as(&bench.options.packetboat, directory, &setup(smsc))
}

async fn post(daemon: &Daemon, run: &str, count: usize) -> Result<()> {
    let mails = Arc::new(Mails::new(SIZE, run, Delivery::Now));
    let target = smtp::Target { address: daemon.mail, sessions: 64.min(count) };
    let done = target.send(mails, Arc::new(AtomicU64::new(0)), PATIENCE, count as u64).await?;
    match done.count == count as u64 {
        true => Ok(()),
        false => Err(format!("only {} mails in {} s", done.count, PATIENCE.as_secs()).into()),
    }
}

/// The user data of a notification, which has to be a single short message: then pushes are what is counted.
async fn push(bench: &Bench<'_>) -> Result<Bytes> {
    let directory = bench.directory("packetboat-")?;
    let smsc = Smsc::Bare(Bare::open(false).await?);
    let daemon = start(bench, directory.path(), &smsc)?;
    post(&daemon, "one", 1).await?;
    let started = Instant::now();
    loop {
        if let Smsc::Bare(bare) = &smsc
            && let Some(push) = bare.first()
        {
            // A header of one element, the ports, is 7 octets (TS 23.040 9.2.3.24.4).
            return match push.first() {
                Some(6) => Ok(push),
                _ => Err("a notification takes more than one short message".into()),
            };
        }
        if started.elapsed() > PATIENCE {
            return Err("no notification came".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Pushes a second, and what each costs.
async fn ours(bench: &Bench<'_>, kind: Kind, round: usize) -> Result<(f64, f64)> {
    let directory = bench.directory("packetboat-")?;
    let smsc = kind.open(true).await?;
    let daemon = start(bench, directory.path(), &smsc)?;
    let queued = bench.options.amount(QUEUED);
    post(&daemon, &format!("s{round}"), queued).await?;
    bench.settle()?;
    smsc.release().await?;
    let found = middle(bench, &smsc, queued, &[daemon.pid()]).await;
    daemon.kill()?;
    found
}

async fn kannel(bench: &Bench<'_>, kind: Kind, push: &[u8], holds: bool) -> Result<(f64, f64)> {
    let directory = bench.directory("kannel-")?;
    let smsc = kind.open(holds).await?;
    let kannel = Kannel::start(directory.path(), smsc.address(), WINDOW).await?;
    let queued = bench.options.amount(QUEUED);
    let paths = Arc::new(Kannel::requests(push, queued)?);
    let target = http::Target { address: kannel.sendsms, connections: REQUESTS, keep_alive: true };
    match holds {
        true => {
            target.get(paths).await?;
            bench.settle()?;
            smsc.release().await?;
            middle(bench, &smsc, queued, &kannel.pids()).await
        }
        false => {
            bench.settle()?;
            let sending = tokio::spawn(async move { target.get(paths).await.map(|_| ()) });
            let found = middle(bench, &smsc, queued, &kannel.pids()).await;
            sending.abort();
            found
        }
    }
}

/// Times what reaches the SMSC between the first tenth and the last twentieth of so many, as long as there is time; and the
/// CPU time each costs, in microseconds.
async fn middle(bench: &Bench<'_>, smsc: &Smsc, queued: usize, pids: &[u32]) -> Result<(f64, f64)> {
    let used = || pids.iter().map(|pid| cpu_time(*pid)).sum::<Duration>();
    let (first, last) = (queued as u64 / 10, (queued - queued / 20) as u64);
    let began = Instant::now();
    while smsc.count().await? < first {
        if began.elapsed() > PATIENCE {
            return Err(format!("{} of {queued} short messages in time", smsc.count().await?).into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (from, before, started) = (smsc.count().await?, used(), Instant::now());
    let mut to = from;
    while to < last && started.elapsed() < bench.options.load_time() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        to = smsc.count().await?;
    }
    let done = Done { count: to - from, time: started.elapsed() };
    Ok((done.rate(), used().saturating_sub(before).as_secs_f64() * 1e6 / done.count.max(1) as f64))
}
