//! SMTP accept: 100 kB mails with an attachment, 64 sessions; Postfix, and a bare append loop, beside it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::Result;
use crate::load::content::{Delivery, Mails};
use crate::load::smtp::Target;
use crate::measure::{CpuWatch, Done, idle, median};
use crate::peers::append::append;
use crate::peers::daemon::Daemon;
use crate::peers::postfix::Postfix;
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "smtp-accept";

const SIZE: usize = 100_000;
const SESSIONS: usize = 64;

/// Figures of all rounds, by side.
#[derive(Default)]
struct Figures {
    ours: Vec<f64>,
    ours_cpu: Vec<f64>,
    generator_cpu: Vec<f64>,
    ours_deferred: Vec<f64>,
    postfix: Vec<f64>,
    postfix_cpu: Vec<f64>,
    append_wire: Vec<f64>,
    append_decoded: Vec<f64>,
}

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let mut figures = Figures::default();
    let postfix_directory = bench.directory("postfix-")?;
    let postfix = Postfix::start(postfix_directory.path()).inspect_err(|error| eprintln!("no Postfix: {error}")).ok();
    let sample = Mails::new(SIZE, "sample", Delivery::Now);
    let (wire, decoded) = (sample.whole(0), sample.whole(0).slice(..sample.decoded()));
    for round in bench.rounds() {
        ours(bench, round, Delivery::Now, &mut figures).await?;
        if let Some(postfix) = &postfix {
            bench.settle()?;
            let run = format!("p{round}");
            let watch = CpuWatch::start(postfix.pid());
            let done = load(bench, postfix.address, &run, Delivery::Now).await?;
            bench.note(round, "Postfix", done.rate(), &mut figures.postfix);
            postfix.drained().await?;
            bench.note(round, "Postfix, µs CPU a mail", watch.each(done.count).0, &mut figures.postfix_cpu);
        }
        let mut appended = [
            (&wire, "append, as on the wire", &mut figures.append_wire),
            (&decoded, "append, decoded", &mut figures.append_decoded),
        ];
        // Whoever comes second finds the pages that the first gave back: each has its turn.
        appended.rotate_left(round % 2);
        for (octets, name, kept) in appended {
            bench.settle()?;
            let directory = bench.directory("append-")?;
            let done = append(directory.path(), SESSIONS, octets.clone(), bench.options.load_time()).await?;
            bench.note(round, name, done.rate(), kept);
        }
        ours(bench, round, Delivery::Tomorrow, &mut figures).await?;
    }
    Ok(lines(figures, wire.len(), decoded.len()))
}

async fn load(bench: &Bench<'_>, address: std::net::SocketAddr, run: &str, delivery: Delivery) -> Result<Done> {
    let mails = Arc::new(Mails::new(SIZE, run, delivery));
    let target = Target { address, sessions: SESSIONS };
    target.send(mails, Arc::new(AtomicU64::new(0)), bench.options.load_time(), u64::MAX).await
}

/// One round of the daemon, on a new store.
async fn ours(bench: &Bench<'_>, round: usize, delivery: Delivery, figures: &mut Figures) -> Result<()> {
    let directory = bench.directory("packetboat-")?;
    let sink = Sink::open(Manner::Answer).await?;
    let daemon = Daemon::start(&bench.options.packetboat, directory.path(), sink.address)?;
    bench.settle()?;
    idle(daemon.pid(), std::time::Duration::from_secs(2)).await;
    let watch = CpuWatch::start(daemon.pid());
    let done = load(bench, daemon.mail, &format!("o{round}"), delivery).await?;
    let (theirs, own) = watch.each(done.count);
    match delivery {
        Delivery::Now => {
            bench.note(round, "packetboat", done.rate(), &mut figures.ours);
            bench.note(round, "packetboat, µs CPU a mail", theirs, &mut figures.ours_cpu);
            bench.note(round, "generator and sink, µs CPU a mail", own, &mut figures.generator_cpu);
        }
        Delivery::Tomorrow => {
            bench.note(round, "packetboat, delivery tomorrow", done.rate(), &mut figures.ours_deferred)
        }
    }
    daemon.kill()
}

fn lines(figures: Figures, wire: usize, decoded: usize) -> Vec<Line> {
    let cpu = format!(
        "CPU a mail: packetboat {:.0} µs, generator and sink {:.0} µs, Postfix {:.0} µs",
        median(&figures.ours_cpu),
        median(&figures.generator_cpu),
        median(&figures.postfix_cpu)
    );
    let line = |work: &str, ours: &Vec<f64>, reference: Option<(&str, Vec<f64>)>, owed| Line {
        row: NAME,
        work: work.to_owned(),
        unit: "mails/s",
        ours: ours.clone(),
        reference: reference.map(|(name, values)| (name.to_owned(), values)),
        owed,
        notes: Vec::new(),
    };
    let work = "100 kB mails, 64 sessions";
    let mut first = line(work, &figures.ours, Some(("Postfix → discard:", figures.postfix.clone())), Owed::Times(4.0));
    first.notes.push(cpu);
    let on_the_wire = format!("append + fdatasync of {wire} octets");
    let as_stored = format!("append + fdatasync of {decoded} octets, the parts decoded");
    vec![
        first,
        line(work, &figures.ours, Some((&on_the_wire, figures.append_wire)), Owed::Times(0.3)),
        line(work, &figures.ours, Some((&as_stored, figures.append_decoded)), Owed::Times(0.3)),
        line(
            "the same, delivery tomorrow",
            &figures.ours_deferred,
            Some(("Postfix → discard:", figures.postfix)),
            Owed::Nothing,
        ),
    ]
}
