//! The daemon under test, seen from outside: a binary, a configuration file, a ready line, an exit code.
//!
//! A daemon can be killed and started again on the same disk; its configuration file and so its ports stay what they
//! were (see [`Scene::fill_in`]). Its standard error is the file `NAME.log` of the scene, which a failed story shows.

use crate::faults::Faults;
use crate::http::{self, Reply};
use crate::process::{Output, Process};
use crate::scene::Scene;
use crate::wait::{DEADLINE, wait_for};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// A daemon that is described but not started.
#[derive(Debug)]
pub struct Builder<'scene> {
    scene: &'scene Scene,
    binary: String,
    name: String,
    config: String,
    environment: BTreeMap<String, OsString>,
}

impl<'scene> Builder<'scene> {
    pub(crate) fn new(scene: &'scene Scene, binary: &str) -> Self {
        Builder {
            scene,
            binary: binary.to_owned(),
            name: "packetboat".to_owned(),
            config: String::new(),
            environment: BTreeMap::new(),
        }
    }

    /// The name of its log files and its configuration file, for a story with several daemons.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// The text of its configuration file. `{dir}` and `{port:NAME}` are filled in by the scene.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.config = text.to_owned();
        self
    }

    /// Another file beside the configuration file (a rule file, a users file), with the same placeholders.
    #[must_use]
    pub fn file(self, name: &str, text: &str) -> Self {
        self.scene.file(name, self.scene.fill_in(text));
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Lets `faults` reach its disk.
    #[must_use]
    pub fn faults(mut self, faults: &Faults) -> Self {
        self.environment.extend(faults.environment());
        self
    }

    /// Writes the configuration and returns a daemon that does not run yet: for its command line.
    pub fn write(self) -> Daemon {
        let text = self.scene.fill_in(&self.config);
        let config = self.scene.file(&format!("{}.toml", self.name), text);
        Daemon {
            binary: self.binary,
            name: self.name,
            directory: self.scene.path().to_owned(),
            config,
            environment: self.environment,
            process: None,
            ready: Value::Null,
        }
    }

    /// Starts it and waits for its ready line.
    ///
    /// # Panics
    /// When there is no ready line within the deadline.
    #[track_caller]
    pub fn start(self) -> Daemon {
        let mut daemon = self.write();
        daemon.start();
        daemon
    }
}

/// One packetboat: its configuration on disk and, most of the time, its process.
#[derive(Debug)]
pub struct Daemon {
    binary: String,
    name: String,
    directory: PathBuf,
    config: PathBuf,
    environment: BTreeMap<String, OsString>,
    process: Option<Process>,
    ready: Value,
}

impl Daemon {
    /// Starts it on the disk and the configuration it has, and waits for its ready line.
    ///
    /// # Panics
    /// When it runs already, when it ends before it is ready, or at the deadline.
    #[track_caller]
    pub fn start(&mut self) {
        assert!(self.process.is_none(), "{} runs already", self.name);
        let mut command = self.command();
        command.args(["run", "--config"]).arg(&self.config);
        let seen = std::fs::metadata(self.directory.join(format!("{}.out", self.name))).map_or(0, |file| file.len());
        let mut process = Process::spawn(&self.name, &self.directory, &mut command);
        let mut ready = None;
        process.wait_ready(DEADLINE, "the ready line", |process| {
            ready = ready_line(process.stdout_path(), seen);
            ready.is_some()
        });
        self.ready = ready.unwrap_or_default();
        self.process = Some(process);
    }

    /// Ends it at once, as a power cut would: SIGKILL to it and its children.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
        }
    }

    /// Asks it to drain (SIGTERM) and waits for its end.
    ///
    /// # Panics
    /// When it does not run, or does not end within the deadline.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().unwrap_or_else(|| panic!("{} does not run", self.name));
        process.terminate(DEADLINE)
    }

    /// Asks it to drain (SIGTERM) and does not wait; [`Daemon::stop`] does that.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn ask_to_stop(&mut self) {
        self.process().signal(rustix::process::Signal::TERM);
    }

    /// [`Daemon::stop`] and [`Daemon::start`] on the same disk.
    ///
    /// # Panics
    /// As those two, or when it did not end with exit code 0.
    #[track_caller]
    pub fn restart(&mut self) {
        let status = self.stop();
        assert!(status.success(), "{} did not drain cleanly: {status}", self.name);
        self.start();
    }

    /// Replaces the configuration text for the next start. Placeholders are not filled in: use [`Scene::fill_in`].
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn rewrite_config(&mut self, text: &str) {
        std::fs::write(&self.config, text).unwrap_or_else(|error| panic!("{}: {error}", self.config.display()));
    }

    /// Whether its process is alive.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.exit_status().is_none())
    }

    /// Its running process.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap_or_else(|| panic!("{} does not run", self.name))
    }

    /// The ready line of the latest start.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// The first address of the listener of this instance name.
    ///
    /// # Panics
    /// When the ready line has none.
    #[track_caller]
    pub fn listener(&self, name: &str) -> SocketAddr {
        let listeners = self.listeners(name);
        *listeners.first().unwrap_or_else(|| panic!("no listener {name:?} in {}", self.ready))
    }

    /// Every address of the listener of this instance name.
    pub fn listeners(&self, name: &str) -> Vec<SocketAddr> {
        let addresses = self.ready["listeners"][name].as_array().cloned().unwrap_or_default();
        addresses.iter().filter_map(|address| address.as_str()?.parse().ok()).collect()
    }

    /// The address of the admin port, which the ready line gives bare or as a URL.
    ///
    /// # Panics
    /// When the ready line has none.
    #[track_caller]
    pub fn admin(&self) -> SocketAddr {
        let text = self.ready["admin"].as_str().unwrap_or_default();
        let bare = text.trim_start_matches("http://").trim_end_matches('/');
        bare.parse().unwrap_or_else(|_| panic!("no admin address in {}", self.ready))
    }

    /// `GET path` on the admin port.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        http::get(&format!("http://{}{path}", self.admin()))
    }

    /// `GET path` on the admin port, as JSON.
    ///
    /// # Panics
    /// When the answer is not 200 with JSON.
    #[track_caller]
    pub fn get_json(&self, path: &str) -> Value {
        self.get(path).expect_status(200).json()
    }

    /// The sum of all series of a metric that carry these labels; `None` when there is no such series.
    ///
    /// # Panics
    /// When `/metrics` does not answer 200.
    #[track_caller]
    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        sum_of_series(&self.get("/metrics").expect_status(200).text(), name, labels)
    }

    /// Resident memory of the process, in bytes.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn resident_memory(&mut self) -> u64 {
        let path = format!("/proc/{}/status", self.process().id());
        let status = crate::process::read_lossy(Path::new(&path));
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap_or_default();
        kibibytes * 1024
    }

    /// Runs the binary with these arguments and `--config` behind them, to its end.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> Output {
        Output::of(self.command().args(arguments).arg("--config").arg(&self.config))
    }

    /// [`Daemon::cli`] with `--json`, which must succeed.
    ///
    /// # Panics
    /// When the command fails or prints no JSON.
    #[track_caller]
    pub fn cli_json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
        self.cli(&arguments).expect_success().json()
    }

    /// The timeline of a message: `packetboat trace ID --json`.
    ///
    /// # Panics
    /// When the command fails or prints no JSON.
    #[track_caller]
    pub fn trace(&self, id: &str) -> Value {
        self.cli_json(&["trace", id])
    }

    /// Waits until `probe` finds what it looks for in the timeline of a message.
    ///
    /// # Panics
    /// At the deadline.
    #[track_caller]
    pub fn wait_for_trace<T>(
        &self,
        id: &str,
        deadline: Duration,
        what: &str,
        mut probe: impl FnMut(&Value) -> Option<T>,
    ) -> T {
        let what = format!("{what} in the timeline of {id}");
        wait_for(deadline, &what, || {
            let output = self.cli(&["trace", id, "--json"]);
            let timeline = serde_json::from_slice(&output.stdout).ok()?;
            probe(&timeline)
        })
    }

    /// Everything it logged so far, over all its starts.
    pub fn log(&self) -> String {
        crate::process::read_lossy(&self.directory.join(format!("{}.log", self.name)))
    }

    /// Its configuration file.
    pub fn config_path(&self) -> &Path {
        &self.config
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.directory).envs(&self.environment);
        command
    }
}

/// The ready line that was written to `path` after its first `seen` bytes.
fn ready_line(path: &Path, seen: u64) -> Option<Value> {
    let mut file = std::fs::File::open(path).ok()?;
    file.seek(SeekFrom::Start(seen)).ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let complete = text.rsplit_once('\n')?.0;
    let mut lines = complete.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["event"] == "ready")
}

/// Reads the Prometheus text format as far as counting needs it: no escapes in label values, no time stamps.
fn sum_of_series(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut sum = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let (base, given) = series.split_once('{').unwrap_or((series, ""));
        let has_all = labels.iter().all(|(label, value)| given.contains(&format!("{label}=\"{value}\"")));
        if base == name && has_all {
            *sum.get_or_insert(0.0) += value.parse::<f64>().unwrap_or_default();
        }
    }
    sum
}
