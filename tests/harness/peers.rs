//! The real programs that stories talk to, and whether they are here.
//!
//! A peer is started from its folder in `tests/peers`, in the directory of the scene, on ports of its own, on loopback
//! only. `tests/run` installs them all. Without it a story whose peer is missing is left out, by name and counted, so
//! that `cargo test` works on a machine with only Rust.

pub mod chromium;
pub mod dns;
pub mod kannel;
pub mod mmsd;
pub mod modem;
pub mod openssl;
pub mod postfix;
pub mod python_messaging;
pub mod scripted_mx;
pub mod smsc;
pub mod swaks;
pub mod tshark;

pub use chromium::Chromium;
pub use dns::Dns;
pub use kannel::Kannel;
pub use mmsd::Mmsd;
pub use modem::Modem;
pub use openssl::Certificate;
pub use postfix::Postfix;
pub use scripted_mx::ScriptedMx;
pub use smsc::Smsc;
pub use swaks::Swaks;

use crate::process::{Output, find_program};
use crate::scene::Scene;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// aiosmtpd, a mail server that a story scripts ([`ScriptedMx`]).
    Aiosmtpd,
    /// Chromium, a browser without its window ([`Chromium`]).
    Chromium,
    /// A C compiler, for the preloaded shims ([`crate::faults`]).
    Compiler,
    /// dnslib, a name server with a zone of the story's ([`Dns`]).
    Dnslib,
    /// Kannel's bearerbox, smsbox, wapbox and fakesmsc ([`Kannel`]).
    Kannel,
    /// libwbxml's xml2wbxml and wbxml2xml.
    Libwbxml,
    /// mmsd-tng, a handset program ([`Mmsd`]).
    Mmsd,
    /// Python, for a simulated GSM modem ([`Modem`]).
    Modem,
    /// The openssl command line, for a certificate ([`Certificate`]).
    Openssl,
    /// Postfix, a mail server ([`Postfix`]).
    Postfix,
    /// python-messaging, an MMS decoder ([`python_messaging`]).
    PythonMessaging,
    /// node-smpp, an SMSC that a story scripts ([`Smsc`]).
    Smsc,
    /// swaks, a mail client ([`Swaks`]).
    Swaks,
    /// tshark, a decoder of everything ([`tshark`]).
    Tshark,
}

/// A peer that is not here, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The peer.
    pub peer: Peer,
    /// What of it was looked for.
    pub what: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is not installed ({}; tests/run installs it)", self.peer.name(), self.what)
    }
}

impl Peer {
    /// Every peer there is.
    pub const ALL: [Peer; 14] = [
        Peer::Aiosmtpd,
        Peer::Chromium,
        Peer::Compiler,
        Peer::Dnslib,
        Peer::Kannel,
        Peer::Libwbxml,
        Peer::Mmsd,
        Peer::Modem,
        Peer::Openssl,
        Peer::Postfix,
        Peer::PythonMessaging,
        Peer::Smsc,
        Peer::Swaks,
        Peer::Tshark,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Aiosmtpd => "aiosmtpd",
            Peer::Chromium => "Chromium",
            Peer::Compiler => "a C compiler",
            Peer::Dnslib => "dnslib",
            Peer::Kannel => "Kannel",
            Peer::Libwbxml => "libwbxml",
            Peer::Mmsd => "mmsd-tng",
            Peer::Modem => "a Python for the modem",
            Peer::Openssl => "openssl",
            Peer::Postfix => "Postfix",
            Peer::PythonMessaging => "python-messaging",
            Peer::Smsc => "node-smpp",
            Peer::Swaks => "swaks",
            Peer::Tshark => "tshark",
        }
    }

    /// Whether it is here.
    ///
    /// # Errors
    /// What is missing.
    pub fn available(self) -> Result<(), Missing> {
        let looked_for: &[&str] = match self {
            Peer::Aiosmtpd => &["venv:aiosmtpd"],
            Peer::Chromium => &["chromium"],
            Peer::Compiler => &["cc"],
            Peer::Dnslib => &["venv:dnslib"],
            Peer::Kannel => &["cc", "bearerbox", "smsbox", "wapbox", kannel::FAKESMSC],
            Peer::Libwbxml => &["xml2wbxml", "wbxml2xml"],
            Peer::Mmsd => &["mmsdtng", "dbus-daemon", "/usr/bin/python3", "system:dbus", "system:dbusmock"],
            Peer::Modem => &["python3"],
            Peer::Openssl => &["openssl"],
            Peer::Postfix => &["postfix", postfix::MASTER, postfix::PRIVILEGES],
            Peer::PythonMessaging => &["venv:messaging"],
            Peer::Smsc => &["node", "node:smpp"],
            Peer::Swaks => &["swaks"],
            Peer::Tshark => &["tshark"],
        };
        let missing = looked_for.iter().find(|what| !is_here(what));
        missing.map_or(Ok(()), |what| Err(Missing { peer: self, what: (*what).to_owned() }))
    }
}

/// Whether all peers are here; if not, says so for this story, and counts it.
///
/// # Panics
/// When one is missing and `PACKETBOAT_ALL_PEERS` is set.
pub fn all_here(story: &str, needed: &[Peer]) -> bool {
    let missing: Vec<_> = needed.iter().filter_map(|peer| peer.available().err()).collect();
    for missing in &missing {
        assert!(std::env::var_os("PACKETBOAT_ALL_PEERS").is_none(), "{missing}");
        let line = say_left_out(story, &missing.to_string());
        if let Some(path) = std::env::var_os("PACKETBOAT_LEFT_OUT")
            && let Ok(mut file) = std::fs::File::options().create(true).append(true).open(path)
        {
            let _ = file.write_all(line.as_bytes());
        }
    }
    missing.is_empty()
}

/// Says that a story is left out, past the test runner's capture, and returns the line.
pub(crate) fn say_left_out(story: &str, why: &str) -> String {
    let line = format!("{story}: left out: {why}\n");
    // Nothing is lost with a line that cannot be written; the story is left out all the same.
    let _ = std::io::stderr().write_all(line.as_bytes());
    line
}

/// A file of `tests/peers`.
pub(crate) fn peer_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers").join(name)
}

/// The text of a template of `tests/peers`, with every `@NAME@` filled in.
///
/// # Panics
/// When it cannot be read.
pub(crate) fn template(name: &str, values: &[(&str, &str)]) -> String {
    let path = peer_file(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    values.iter().fold(text, |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

/// A Python of the virtual environment that `tests/run` makes.
pub(crate) fn venv_python() -> PathBuf {
    venv().join("bin/python")
}

/// Compiles a shim of `tests/peers/shims` into the scene and returns its path.
///
/// # Panics
/// When it does not compile.
pub(crate) fn shim(scene: &Scene, name: &str) -> PathBuf {
    let library = scene.path().join(format!("{name}.so"));
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(peer_file(&format!("shims/{name}.c"))).arg("-ldl");
    Output::of(&mut compiler).expect_success();
    library
}

/// The Node packages that `tests/run` installs.
pub(crate) fn node_modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers-node/node_modules")
}

fn venv() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers-venv")
}

/// Looks for a program, for a file by its whole path, for a Python package as `venv:NAME` or `system:NAME`, or for a Node
/// package as `node:NAME`.
fn is_here(what: &str) -> bool {
    match what.split_once(':') {
        Some(("venv", package)) => {
            let libraries = std::fs::read_dir(venv().join("lib")).into_iter().flatten().flatten();
            libraries.into_iter().any(|python| python.path().join("site-packages").join(package).is_dir())
        }
        Some(("node", package)) => node_modules().join(package).is_dir(),
        Some((_, package)) => Path::new("/usr/lib/python3/dist-packages").join(package).is_dir(),
        None if what == postfix::PRIVILEGES => postfix::may_be_root(),
        None if what.starts_with('/') => Path::new(what).is_file(),
        None => find_program(what).is_some(),
    }
}
