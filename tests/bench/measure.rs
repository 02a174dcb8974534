//! Measuring: rounds, medians, an idle disk before each, CPU time.

use std::path::Path;
use std::time::{Duration, Instant};

/// The middle of the values; of an even number, the mean of the two in the middle. NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// How much was done in what time.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// How many.
    pub count: u64,
    /// From the first start to the last end.
    pub time: Duration,
}

impl Done {
    /// How many a second.
    pub fn rate(self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }
}

/// Waits until the disk has written what earlier work left to it, so that nobody pays for another's writes.
pub fn settle_disk(directory: &Path) {
    let _ = std::process::Command::new("sync").arg("-f").arg(directory).status();
}

/// CPU time that a process and its children that are alive have used. Zero when it is gone.
pub fn cpu_time(pid: u32) -> Duration {
    let children = |task: &std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children: String = tasks.map(|task| children(&task)).collect();
    let family = std::iter::once(pid).chain(children.split_whitespace().filter_map(|child| child.parse().ok()));
    Duration::from_secs_f64(family.map(ticks).sum::<u64>() as f64 / TICKS)
}

/// User and system time of one process, in ticks.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Fields are counted from behind the name, which may hold blanks (proc_pid_stat(5): utime 14, stime 15).
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0 };
    rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Ticks a second in /proc (USER_HZ, 100 on every Linux there is).
const TICKS: f64 = 100.0;

/// CPU time of both sides over a piece of work, as a sentence.
#[derive(Debug)]
pub struct CpuWatch {
    pid: u32,
    theirs: Duration,
    own: Duration,
}

impl CpuWatch {
    /// From now on.
    pub fn start(pid: u32) -> Self {
        CpuWatch { pid, theirs: cpu_time(pid), own: own_cpu_time() }
    }

    /// Microseconds for each of `count`: of the process, and of the generator.
    pub fn each(&self, count: u64) -> (f64, f64) {
        let each = |now: Duration, then: Duration| now.saturating_sub(then).as_secs_f64() * 1e6 / count.max(1) as f64;
        (each(cpu_time(self.pid), self.theirs), each(own_cpu_time(), self.own))
    }
}

/// This program's, without the processes it measures.
fn own_cpu_time() -> Duration {
    Duration::from_secs_f64(ticks(std::process::id()) as f64 / TICKS)
}

/// Waits until a process has had nothing to do for a moment, at most `limit`.
pub async fn idle(pid: u32, limit: Duration) {
    let started = Instant::now();
    let mut before = cpu_time(pid);
    while started.elapsed() < limit {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let now = cpu_time(pid);
        if now == before {
            return;
        }
        before = now;
    }
}
