//! dnslib: a name server with the zone of a story, for MX lookups and their failures.

use super::{peer_file, venv_python};
use crate::ports::Port;
use crate::process::Process;
use crate::scene::Scene;
use crate::wait::DEADLINE;
use serde_json::Value;
use std::net::SocketAddr;
use std::process::Command;

/// A running name server.
#[derive(Debug)]
pub struct Dns {
    process: Process,
    port: Port,
}

impl Dns {
    /// Starts it with this zone, in zone-file form, and waits until it answers.
    ///
    /// A line `; @servfail NAME` makes a name fail, and `; @timeout NAME` makes it never answer.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(scene: &Scene, zone: &str) -> Self {
        let zone = scene.file("dns/zone", zone);
        let port = Port::reserve();
        let mut command = Command::new(venv_python());
        command.arg(peer_file("dns/server.py")).arg(port.number().to_string()).arg(&zone);
        let mut process = Process::spawn("dns", &scene.directory("dns"), &mut command);
        process.wait_ready(DEADLINE, "its ready line", |process| process.stdout().contains("\"ready\""));
        Dns { process, port }
    }

    /// Where it answers, by UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Every query so far, as name and type.
    pub fn queries(&self) -> Vec<(String, String)> {
        let output = self.process.stdout();
        let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| Some((line["name"].as_str()?.to_owned(), line["type"].as_str()?.to_owned()))).collect()
    }
}
