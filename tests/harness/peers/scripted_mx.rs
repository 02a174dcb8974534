//! aiosmtpd: a mail server that fails as a story wants it to, where Postfix would not.
//!
//! It announces SIZE, 8BITMIME, SMTPUTF8, STARTTLS and AUTH, and neither DSN, CHUNKING nor PIPELINING.

use super::{Certificate, peer_file, venv_python};
use crate::ports::Port;
use crate::process::{Process, read_lossy};
use crate::scene::Scene;
use crate::wait::{DEADLINE, wait_for};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What the server does. By default it takes everything.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// How many messages are answered with 451 before one is taken.
    pub tempfail: u32,
    /// Recipients that match this regular expression are refused; empty for none.
    pub reject: String,
    /// With this code, 550 when it is 0.
    pub reject_code: u16,
    /// How long an answer to a message takes.
    pub delay: Duration,
    /// At this message, from 1, the connection is cut instead of an answer; 0 for never.
    pub drop_at: u32,
    /// The largest message, in bytes; 0 for 32 MiB.
    pub size: u64,
    /// Offers STARTTLS with this certificate.
    pub certificate: Option<Certificate>,
    /// Refuses mail without TLS.
    pub require_tls: bool,
    /// Refuses mail without this user and password.
    pub auth: Option<(String, String)>,
}

/// A message that it took.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// Whether it came in TLS.
    pub tls: bool,
    /// Whether the client had authenticated.
    pub auth: bool,
    /// The message as it followed DATA, dots no longer doubled.
    pub content: String,
}

/// A running mail server.
#[derive(Debug)]
pub struct ScriptedMx {
    process: Process,
    port: Port,
}

impl ScriptedMx {
    /// Starts it and waits until it listens. The name is its directory within the scene.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(scene: &Scene, name: &str, script: &Script) -> Self {
        let directory = scene.directory(name);
        let port = Port::reserve();
        let mut options = json!({
            "tempfail": script.tempfail,
            "reject": script.reject,
            "reject_code": script.reject_code,
            "delay": script.delay.as_secs_f64(),
            "drop": script.drop_at,
            "size": script.size,
            "require_tls": script.require_tls,
        });
        if let Some(certificate) = &script.certificate {
            options["certificate"] = json!(certificate.certificate);
            options["key"] = json!(certificate.key);
        }
        if let Some((user, password)) = &script.auth {
            options["auth"] = json!(format!("{user}:{password}"));
        }
        let mut command = Command::new(venv_python());
        command.arg(peer_file("smtp/mx.py")).arg(port.number().to_string()).arg(&directory).arg(options.to_string());
        let mut process = Process::spawn("mx", &directory, &mut command);
        process.wait_ready(DEADLINE, "its ready line", |process| process.stdout().contains("\"ready\""));
        ScriptedMx { process, port }
    }

    /// Where it takes mail.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Everything that happened, as JSON objects with a member `event`.
    pub fn events(&self) -> Vec<Value> {
        self.process.stdout().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Every message that it took.
    pub fn messages(&self) -> Vec<Taken> {
        self.events().iter().filter(|event| event["event"] == "message").map(read_taken).collect()
    }

    /// Waits until it took at least this many messages.
    ///
    /// # Panics
    /// When it did not within the deadline.
    #[track_caller]
    pub fn wait_for_messages(&self, count: usize) -> Vec<Taken> {
        let what = format!("{count} messages at the scripted mail server");
        wait_for(DEADLINE, &what, || Some(self.messages()).filter(|messages| messages.len() >= count))
    }
}

fn read_taken(event: &Value) -> Taken {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let recipients = event["recipients"].as_array().into_iter().flatten();
    Taken {
        sender: text("sender"),
        recipients: recipients.filter_map(|address| Some(address.as_str()?.to_owned())).collect(),
        tls: event["tls"] == true,
        auth: event["auth"] == true,
        content: read_lossy(Path::new(&text("file"))),
    }
}
