//! Where a story plays: its directory, its ports, its logs.
//!
//! The directory lives under the system's temporary directory and is readable by others, because some peers drop
//! their privileges. It is removed at the end unless `PACKETBOAT_KEEP` is set. When the story panics, the last
//! lines of every `*.log` and `*.out` file in it are printed, so that a failure in CI explains itself.

use crate::daemon::Builder;
use crate::peers::{self, Peer};
use crate::ports::{Port, loopback};
use crate::process::tail;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// How many lines of each log a failed story shows.
const SHOWN_LINES: usize = 60;

/// One story's temporary directory and reserved ports. Everything a story starts borrows it.
#[derive(Debug)]
pub struct Scene {
    story: String,
    directory: Option<TempDir>,
    path: PathBuf,
    ports: Mutex<BTreeMap<String, Port>>,
}

impl Scene {
    /// A scene for a story that needs nothing but the binary.
    ///
    /// # Panics
    /// When no temporary directory can be made.
    pub fn new(story: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("packetboat-").tempdir().expect("a temporary directory");
        let path = directory.path().to_owned();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a readable temporary directory");
        Scene { story: story.to_owned(), directory: Some(directory), path, ports: Mutex::default() }
    }

    /// A scene for a story that needs these peers; `None` when one is missing and the story is to be left out.
    ///
    /// What is missing is said on standard error and added to the file named by `PACKETBOAT_LEFT_OUT`.
    ///
    /// # Panics
    /// When a peer is missing and `PACKETBOAT_ALL_PEERS` is set: under `tests/run` nothing may be left out.
    #[must_use = "a story whose peers are missing returns at once"]
    pub fn with_peers(story: &str, needed: &[Peer]) -> Option<Self> {
        peers::all_here(story, needed).then(|| Scene::new(story))
    }

    /// The name of the story.
    pub fn story(&self) -> &str {
        &self.story
    }

    /// The directory of the story.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory under the scene's own and returns its path.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        std::fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Writes a file, making its directories, and returns its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
        }
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// The port of this name, reserved when it is first asked for and the same from then on.
    ///
    /// `{port:NAME}` in the daemon's configuration is this number, so a peer can be told where the daemon will listen
    /// before it does, and content URLs stay true over a restart.
    pub fn port(&self, name: &str) -> u16 {
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        ports.entry(name.to_owned()).or_insert_with(Port::reserve).number()
    }

    /// [`Scene::port`] on 127.0.0.1.
    pub fn address(&self, name: &str) -> SocketAddr {
        loopback(self.port(name))
    }

    /// Describes the daemon to start: `scene.daemon(env!("CARGO_BIN_EXE_packetboat")).config("…").start()`.
    pub fn daemon(&self, binary: &str) -> Builder<'_> {
        Builder::new(self, binary)
    }

    /// `text` with `{dir}` and every `{port:NAME}` filled in. Other braces stay as they are.
    ///
    /// # Panics
    /// When a `{port:` is not closed.
    pub fn fill_in(&self, text: &str) -> String {
        const OPENING: &str = "{port:";
        let text = text.replace("{dir}", &self.path.to_string_lossy());
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(OPENING) {
            let name_and_rest = &rest[start + OPENING.len()..];
            let end = name_and_rest.find('}').unwrap_or_else(|| panic!("a {OPENING} without its brace in: {text}"));
            filled.push_str(&rest[..start]);
            filled.push_str(&self.port(&name_and_rest[..end]).to_string());
            rest = &name_and_rest[end + 1..];
        }
        filled + rest
    }

    fn show_logs(&self) {
        for path in logs_under(&self.path) {
            eprintln!("{}", tail(&path, SHOWN_LINES));
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("story {} failed in {}", self.story, self.path.display());
            self.show_logs();
        }
        if std::env::var_os("PACKETBOAT_KEEP").is_some()
            && let Some(directory) = self.directory.take()
        {
            eprintln!("story {} kept {}", self.story, directory.keep().display());
        }
    }
}

/// The directory of real messages and photos named by `PACKETBOAT_CORPUS`, or `None` after saying so.
pub fn corpus(story: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PACKETBOAT_CORPUS").map(PathBuf::from).filter(|path| path.is_dir());
    if found.is_none() {
        peers::say_left_out(story, "PACKETBOAT_CORPUS is not set");
    }
    found
}

/// The logs of a scene, in the order in which they were last written: the newest is what a reader sees last.
fn logs_under(directory: &Path) -> Vec<PathBuf> {
    let mut logs = Vec::new();
    let mut unseen = vec![directory.to_owned()];
    while let Some(directory) = unseen.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(metadata) = entry.metadata() else { continue };
            let is_log = path.extension().is_some_and(|extension| extension == "log" || extension == "out");
            if metadata.is_dir() {
                unseen.push(path);
            } else if is_log && metadata.len() > 0 {
                logs.push((metadata.modified().ok(), path));
            }
        }
    }
    logs.sort();
    logs.into_iter().map(|(_, path)| path).collect()
}
