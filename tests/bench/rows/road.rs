//! The whole road: mail in → notification out, 30 kB, a bearer that answers at once. From the first mail's first octet to
//! the last notification.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use crate::Result;
use crate::load::content::{Delivery, Mails};
use crate::load::smtp::Target;
use crate::measure::{CpuWatch, idle, median};
use crate::peers::daemon::Daemon;
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "whole-road";

const SIZE: usize = 30_000;
const SESSIONS: usize = 64;
/// Mails in a round.
const MAILS: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let (mut rates, mut lags, mut cpus, mut own_cpus) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        let directory = bench.directory("packetboat-")?;
        let sink = Sink::open(Manner::Answer).await?;
        let daemon = Daemon::start(&bench.options.packetboat, directory.path(), sink.address)?;
        bench.settle()?;
        idle(daemon.pid(), Duration::from_secs(2)).await;
        let count = bench.options.amount(MAILS) as u64;
        let mails = Arc::new(Mails::new(SIZE, &format!("r{round}"), Delivery::Now));
        let target = Target { address: daemon.mail, sessions: SESSIONS };
        let watch = CpuWatch::start(daemon.pid());
        let started = Instant::now();
        target.send(mails, Arc::new(AtomicU64::new(0)), PATIENCE, count).await?;
        let accepted = Instant::now();
        let last = sink.wait_for(count, PATIENCE).await?;
        let time = last.duration_since(started).as_secs_f64();
        let (cpu, own) = watch.each(count);
        let deliveries = sink.deliveries() as u64;
        if deliveries != count {
            return Err(format!("{count} mails, but {deliveries} deliveries were notified").into());
        }
        bench.note(round, "packetboat", count as f64 / time, &mut rates);
        let lag = last.saturating_duration_since(accepted).as_secs_f64() * 1e3;
        bench.note(round, "last notification after last 250, ms", lag, &mut lags);
        bench.note(round, "packetboat, µs CPU a mail", cpu, &mut cpus);
        bench.note(round, "generator and sink, µs CPU a mail", own, &mut own_cpus);
        daemon.kill()?;
    }
    Ok(vec![Line {
        row: NAME,
        work: "mail in → notification out, 30 kB, 64 sessions".to_owned(),
        unit: "messages/s",
        ours: rates,
        reference: None,
        owed: Owed::AtLeast(2000.0),
        notes: vec![
            format!("the last notification came {:.0} ms after the last 250", median(&lags)),
            format!("CPU a mail: packetboat {:.0} µs, generator and sink {:.0} µs", median(&cpus), median(&own_cpus)),
        ],
    }])
}
