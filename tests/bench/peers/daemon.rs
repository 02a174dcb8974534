//! The daemon, as an operator would start it: the release binary, a config file, a ready line.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::load::http::get_once;

/// The domain whose addresses are handsets.
pub const DOMAIN: &str = "mms.test";
/// How long the daemon may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// Subscribers with secrets, more than connections anywhere.
const SUBSCRIBERS: usize = 64;

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    /// Where it takes mail.
    pub mail: SocketAddr,
    /// Where it takes and serves MMs, closing after each answer.
    pub handsets: SocketAddr,
    /// The same, keeping connections open.
    pub handsets_open: SocketAddr,
    /// Where browsers read messages, when its set-up has that.
    pub pages: Option<SocketAddr>,
    /// Where its metrics are.
    pub admin: SocketAddr,
    /// From its start to its ready line.
    pub starting: Duration,
    /// When it was started.
    pub started: Instant,
}

/// What differs from row to row in a daemon's config.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `[bearer.…]`, the only one.
    pub bearer: String,
    /// Tables besides.
    pub more: &'static str,
    /// Where every phone's messages go.
    pub route: &'static str,
}

impl Setup {
    /// Notifications are posted to `sink`, and nothing happens after that.
    pub fn lab(sink: SocketAddr) -> Self {
        let bearer = format!("[bearer.sink]\nplugin = \"lab\"\ndeliver_to = \"http://{sink}/sms\"\n");
        Setup { bearer, more: "", route: "[\"direct\"]" }
    }
}

/// Resident memory, in octets.
#[derive(Clone, Copy, Debug)]
pub struct Resident {
    /// Now.
    pub now: u64,
    /// At most so far.
    pub peak: u64,
}

impl Daemon {
    /// Starts the binary on `directory`, with notifications posted to `sink`. A store that is there is opened.
    pub fn start(binary: &Path, directory: &Path, sink: SocketAddr) -> Result<Self> {
        Self::start_as(binary, directory, &Setup::lab(sink))
    }

    /// Starts the binary on `directory`. A store that is there is opened.
    pub fn start_as(binary: &Path, directory: &Path, setup: &Setup) -> Result<Self> {
        let config = write_config(directory, setup)?;
        let log = File::options().create(true).append(true).open(directory.join("daemon.log"))?;
        let started = Instant::now();
        let mut child = Command::new(binary)
            .args(["run", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("{} cannot be started: {e}; build it with cargo build --release", binary.display()))?;
        let ready = ready_line(&mut child);
        let starting = started.elapsed();
        let ready = ready.ok_or_else(|| {
            let _ = child.kill();
            let _ = child.wait();
            let log = fs::read_to_string(directory.join("daemon.log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(5).collect();
            format!("the daemon did not become ready: {}", last.into_iter().rev().collect::<Vec<_>>().join(" | "))
        })?;
        let address = |name: &str| -> Result<SocketAddr> {
            let text = ready["listeners"][name][0].as_str();
            Ok(text.ok_or_else(|| format!("the ready line names no listener {name}: {ready}"))?.parse()?)
        };
        let (mail, handsets, handsets_open) = (address("mail")?, address("handsets")?, address("handsets_open")?);
        let pages = address("pages").ok();
        let admin = ready["admin"].as_str().ok_or("the ready line names no admin address")?.parse()?;
        Ok(Daemon { child, mail, handsets, handsets_open, pages, admin, starting, started })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory (proc_pid_status(5)).
    pub fn resident(&self) -> Result<Resident> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let octets = |name: &str| -> Result<u64> {
            let line =
                status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line in /proc/PID/status")?;
            Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
        };
        Ok(Resident { now: octets("VmRSS:")?, peak: octets("VmHWM:")? })
    }

    /// Deliveries in this state, as its metrics say.
    pub async fn deliveries(&self, state: &str) -> Result<u64> {
        let metrics = get_once(self.admin, "/metrics", "").await?;
        let name = format!("packetboat_deliveries{{state=\"{state}\"}} ");
        let count = String::from_utf8_lossy(&metrics).lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
        Ok(count.unwrap_or(0))
    }

    /// Stops it as a power cut does, as far as it is concerned: nothing it still has to do runs into the next measurement.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number of subscriber `n`.
pub fn number(n: usize) -> String {
    format!("+4477009{:05}", n % SUBSCRIBERS)
}

/// The path of subscriber `n`'s MMSC address.
pub fn mmsc_path(n: usize) -> String {
    format!("/mms/{}", secret(n % SUBSCRIBERS))
}

fn secret(n: usize) -> String {
    format!("secretOfBench{n:07}")
}

/// The config: everything that has a default has it.
fn write_config(directory: &Path, setup: &Setup) -> Result<PathBuf> {
    let Setup { bearer, more, route } = setup;
    let config = format!(
        r#"[node]
name = "bench.test"

[store]
path = "store"

[admin]
listen = "127.0.0.1:0"

[listener.mail]
plugin = "smtp"
listen = ["127.0.0.1:0"]
domains = ["{DOMAIN}"]
trusted_networks = ["127.0.0.0/8"]

[listener.handsets]
plugin = "mm1"
listen = ["127.0.0.1:0"]
subscribers = "subscribers.toml"

[listener.handsets_open]
plugin = "mm1"
listen = ["127.0.0.1:0"]
subscribers = "subscribers.toml"
keep_alive = true

[transport.direct]
plugin = "direct"
door = "handsets"

{bearer}
{more}
[rules]
files = ["rules.toml"]
"#
    );
    let rules = format!("[[rule]]\nname = \"every phone\"\nto = \"+*\"\nroute = {route}\n");
    let subscriber = |n| format!("[[subscriber]]\nnumber = \"{}\"\nsecret = \"{}\"\n", number(n), secret(n));
    fs::create_dir_all(directory)?;
    fs::write(directory.join("rules.toml"), rules)?;
    fs::write(directory.join("subscribers.toml"), (0..SUBSCRIBERS).map(subscriber).collect::<String>())?;
    let path = directory.join("packetboat.toml");
    fs::write(&path, config)?;
    Ok(path)
}

/// The ready line, unless the process ends or takes too long before it.
fn ready_line(child: &mut Child) -> Option<Value> {
    let output = child.stdout.take()?;
    let (found, ready) = mpsc::channel();
    // Reads on to the end: a daemon whose standard output is closed would be another one.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
            if let Ok(value) = serde_json::from_str::<Value>(&line)
                && value["event"] == "ready"
            {
                let _ = found.send(value);
            }
        }
    });
    ready.recv_timeout(PATIENCE).ok()
}
