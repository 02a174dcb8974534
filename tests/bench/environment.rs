//! What the figures were measured on: without it they mean nothing.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::Result;
use crate::measure::median;
use crate::rows::Bench;

/// The machine and its state.
#[derive(Debug)]
pub struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// Looks at the machine.
    pub fn collect(bench: &Bench) -> Result<Self> {
        let mut facts = vec![
            ("cores", std::thread::available_parallelism().map_or(0, usize::from).to_string()),
            ("processor", processor()),
            ("memory", memory()),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("file system", file_system(bench.scratch())),
            ("4 kB write + fdatasync", format!("{:.2} ms (median of {PROBES})", sync_probe(bench.scratch())?)),
            ("packetboat", bench.options.packetboat.display().to_string()),
            ("durability", "power_loss (synced before the answer)".to_owned()),
            (
                "rounds",
                format!(
                    "{} of {:.1} s a side, in turns, after one that does not count",
                    bench.options.counted_rounds(),
                    bench.options.load_time().as_secs_f64()
                ),
            ),
        ];
        if bench.options.quick {
            facts.push(("quick", "a smoke run: the figures mean nothing".to_owned()));
        }
        if cfg!(debug_assertions) {
            facts.push(("bench", "NOT a release build: the generator is slow, the figures mean nothing".to_owned()));
        }
        facts.push(("load before", read("/proc/loadavg")));
        Ok(Facts(facts))
    }

    /// With the load there was at the end.
    pub fn finished(mut self) -> Self {
        self.0.push(("load after", read("/proc/loadavg")));
        self
    }

    /// As lines of a text.
    pub fn text(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn processor() -> String {
    let model = |line: &str| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_owned());
    read("/proc/cpuinfo").lines().find_map(model).unwrap_or_default()
}

fn memory() -> String {
    let total = |line: &str| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok();
    let total = read("/proc/meminfo").lines().find_map(total).unwrap_or(0);
    format!("{:.1} GiB", total as f64 / f64::from(1 << 20))
}

/// Device, type and options of the file system that holds a directory: the longest mount point above it.
fn file_system(directory: &Path) -> String {
    let mounts = read("/proc/mounts");
    let holding = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, point, kind, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
        directory.starts_with(point).then(|| (point.len(), format!("{kind} on {device} ({options})")))
    });
    let (_, described) = holding.max_by_key(|(length, _)| *length).unwrap_or_default();
    match described.starts_with("tmpfs") {
        true => format!("{described}: NOT A DISK, the figures mean nothing"),
        false => described,
    }
}

/// Syncs that are timed.
const PROBES: usize = 101;

fn sync_probe(directory: &Path) -> Result<f64> {
    let mut file = tempfile::tempfile_in(directory)?;
    let mut times = Vec::with_capacity(PROBES);
    for _ in 0..PROBES {
        let started = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&times))
}
