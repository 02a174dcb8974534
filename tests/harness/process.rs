//! Programs that a story starts, and their end.
//!
//! Every program gets a process group of its own and writes into log files, never into pipes that fill up. It is killed
//! when its [`Process`] is dropped. When the test binary itself is killed nothing is dropped, so one small shell (the
//! *leash*) holds the list of live groups and kills them when the pipe from the test binary closes.

use crate::wait::poll;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// A running program with its process group and its two log files.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` with no standard input; its output goes to `NAME.out` and `NAME.log` in `directory`, appended
    /// to what an earlier run of the same name left there.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(name: &str, directory: &Path, command: &mut Command) -> Self {
        let stdout = directory.join(format!("{name}.out"));
        let stderr = directory.join(format!("{name}.log"));
        let child = command
            .stdin(Stdio::null())
            .stdout(append(&stdout))
            .stderr(append(&stderr))
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start ({command:?}): {error}"));
        leash("hold", child.id());
        Process { name: name.to_owned(), child, stdout, stderr, ended: None }
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, which is also the id of its process group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The file with what it wrote to standard output.
    pub fn stdout_path(&self) -> &Path {
        &self.stdout
    }

    /// The file with what it wrote to standard error.
    pub fn stderr_path(&self) -> &Path {
        &self.stderr
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        read_lossy(&self.stdout)
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        read_lossy(&self.stderr)
    }

    /// How it ended, or `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
            if self.ended.is_some() {
                leash("free", self.child.id());
            }
        }
        self.ended
    }

    /// Sends SIGTERM to the program itself, not to its children, and waits for its end.
    ///
    /// # Panics
    /// When it is still there after `deadline`.
    #[track_caller]
    pub fn terminate(&mut self, deadline: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        match poll(deadline, || self.exit_status()) {
            Some(status) => status,
            None => panic!("{} did not end within {deadline:?} of SIGTERM", self.name),
        }
    }

    /// Kills the whole process group with SIGKILL and waits for its end.
    pub fn kill9(&mut self) {
        // Its children may be alive although it has ended.
        let _ = kill_process_group(pid(&self.child), Signal::KILL);
        if self.exit_status().is_none() {
            self.ended = self.child.wait().ok();
            leash("free", self.child.id());
        }
    }

    /// Sends a signal to the program, unless it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.exit_status().is_none() {
            let _ = rustix::process::kill_process(pid(&self.child), signal);
        }
    }

    /// Waits until `ready` holds.
    ///
    /// # Panics
    /// When the program ends first, or at the deadline, with the last lines of its log.
    #[track_caller]
    pub fn wait_ready(&mut self, deadline: Duration, what: &str, mut ready: impl FnMut(&Self) -> bool) {
        let outcome = poll(deadline, || {
            if ready(self) {
                return Some(Ok(()));
            }
            self.exit_status().map(Err)
        });
        let problem = match outcome {
            Some(Ok(())) => return,
            Some(Err(status)) => format!("ended ({status})"),
            None => format!("took more than {deadline:?}"),
        };
        panic!("{} {problem} before: {what}\n{}\n{}", self.name, tail(&self.stdout, 20), tail(&self.stderr, 60));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// What a command that ran to its end said.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// Runs `command` to its end, with no standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let line = format!("{command:?}");
        match command.stdin(Stdio::null()).output() {
            Ok(output) => Output {
                command: line,
                status: output.status,
                stdout: output.stdout,
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            },
            Err(error) => panic!("{line} does not start: {error}"),
        }
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The same output, after a look at the exit code.
    ///
    /// # Panics
    /// When the command failed.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        assert!(self.status.success(), "{} failed ({})\n{}{}", self.command, self.status, self.text(), self.stderr);
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| {
            panic!("{} printed no JSON ({error}, {})\n{}{}", self.command, self.status, self.text(), self.stderr)
        })
    }
}

/// The last `lines` lines of a file under a heading, or a note that there is none.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = read_lossy(path);
    let skip = text.lines().count().saturating_sub(lines);
    let mut shown = format!("--- {} (last {lines} lines)\n", path.display());
    for line in text.lines().skip(skip) {
        shown.push_str(line);
        shown.push('\n');
    }
    shown
}

/// A file as text, with what is not UTF-8 replaced; empty when it cannot be read.
pub fn read_lossy(path: &Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Where the shell would find `program`, with the directories of system programs looked at as well.
pub fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

fn append(path: &Path) -> File {
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()))
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Kills every group still on its list when its standard input ends, that is when this process is gone.
const LEASH: &str = r#"
trap '' INT TERM HUP
live=' '
while read -r verb group; do
    case $verb in
        hold) live="$live$group " ;;
        free) case $live in *" $group "*) live="${live%%" $group "*} ${live#*" $group "}" ;; esac ;;
    esac
done
for group in $live; do kill -KILL "-$group" 2>/dev/null; done
"#;

fn leash(verb: &str, group: u32) {
    static LIST: LazyLock<Mutex<Child>> = LazyLock::new(|| {
        let shell = Command::new("sh")
            .args(["-c", LEASH])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        Mutex::new(shell.expect("sh starts"))
    });
    let mut shell = LIST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(list) = shell.stdin.as_mut() {
        let _ = writeln!(list, "{verb} {group}");
    }
}
