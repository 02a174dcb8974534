//! Resident memory: at rest, and while a thousand sessions each send 300 kB.

use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::load::content::{Delivery, Mails};
use crate::load::smtp::Target;
use crate::measure::idle;
use crate::peers::daemon::Daemon;
use crate::peers::sink::{Manner, Sink};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "memory";

const SIZE: usize = 300_000;
const SESSIONS: usize = 1000;
/// Pieces in which each mail is sent, all sessions together.
const STEPS: usize = 10;
const MB: f64 = 1e6;

/// Measures it.
pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let (mut resting, mut peak, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        let directory = bench.directory("packetboat-")?;
        let sink = Sink::open(Manner::Answer).await?;
        let daemon = Daemon::start(&bench.options.packetboat, directory.path(), sink.address)?;
        idle(daemon.pid(), Duration::from_secs(5)).await;
        bench.note(round, "at rest, MB", daemon.resident()?.now as f64 / MB, &mut resting);
        let mails = Arc::new(Mails::new(SIZE, &format!("m{round}"), Delivery::Now));
        let target = Target { address: daemon.mail, sessions: bench.options.amount(SESSIONS) };
        target.send_together(mails, STEPS).await?;
        bench.note(round, "peak, MB", daemon.resident()?.peak as f64 / MB, &mut peak);
        idle(daemon.pid(), Duration::from_secs(10)).await;
        bench.note(round, "at rest again, MB", daemon.resident()?.now as f64 / MB, &mut after);
        daemon.kill()?;
    }
    let sessions = bench.options.amount(SESSIONS);
    let line = |work: &str, ours, owed| Line {
        row: NAME,
        work: work.to_owned(),
        unit: "MB",
        ours,
        reference: None,
        owed,
        notes: Vec::new(),
    };
    Ok(vec![
        line("resident at rest, nothing queued", resting, Owed::Below(40.0)),
        line(&format!("most resident while {sessions} sessions each send 300 kB"), peak, Owed::Below(200.0)),
        line("resident at rest afterwards", after, Owed::Nothing),
    ])
}
