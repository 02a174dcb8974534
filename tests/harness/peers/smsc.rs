//! An SMSC on node-smpp: it takes short messages, sends receipts and messages, and misbehaves as a story wants it to.
//!
//! Its options, and what it can be told while it runs, are described at the top of `tests/peers/smsc/smsc.js`.

use super::{Certificate, node_modules, peer_file};
use crate::http;
use crate::ports::loopback;
use crate::process::Process;
use crate::push::Push;
use crate::scene::Scene;
use crate::wait::{DEADLINE, wait_for};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;

/// A running SMSC.
#[derive(Debug)]
pub struct Smsc {
    process: Process,
    address: SocketAddr,
    control: SocketAddr,
}

impl Smsc {
    /// The user that may bind, unless the options say another.
    pub const USER: &'static str = "packetboat";
    /// The password of that user.
    pub const PASSWORD: &'static str = "secret";

    /// Starts it with these options and waits until it listens. The name is its directory within the scene.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(scene: &Scene, name: &str, options: Value) -> Self {
        let directory = scene.directory(name);
        let mut all = json!({ "user": Self::USER, "password": Self::PASSWORD });
        for (option, value) in options.as_object().into_iter().flatten() {
            all[option] = value.clone();
        }
        let mut command = Command::new("node");
        command.arg(peer_file("smsc/smsc.js")).arg(all.to_string()).env("NODE_PATH", node_modules());
        let mut process = Process::spawn("smsc", &directory, &mut command);
        process.wait_ready(DEADLINE, "its ready line", |process| process.stdout().contains("\"ready\""));
        let ready = read_events(&process).into_iter().find(|event| event["event"] == "ready").unwrap_or_default();
        let port = |name: &str| loopback(ready[name].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0));
        Smsc { address: port("port"), control: port("control"), process }
    }

    /// [`Smsc::start`] with TLS.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_tls(scene: &Scene, name: &str, certificate: &Certificate) -> Self {
        Smsc::start(scene, name, json!({ "certificate": certificate.certificate, "key": certificate.key }))
    }

    /// Where it takes binds.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes an option.
    ///
    /// # Panics
    /// When it does not answer.
    #[track_caller]
    pub fn set(&self, option: &str, value: impl ToString) {
        self.tell(&format!("/set?{option}={}", http::percent_encode(value.to_string().as_bytes())));
    }

    /// Tells it something: `/kick`, `/deliver?hex=…`. What it answers.
    ///
    /// # Panics
    /// When it does not answer.
    #[track_caller]
    pub fn tell(&self, what: &str) -> Value {
        http::get(&format!("http://{}{what}", self.control)).expect_status(200).json()
    }

    /// Everything that happened, as JSON objects with a member `event`.
    pub fn events(&self) -> Vec<Value> {
        read_events(&self.process)
    }

    /// What happened of one kind.
    pub fn all(&self, event: &str) -> Vec<Value> {
        self.events().into_iter().filter(|each| each["event"] == event).collect()
    }

    /// Waits until at least `count` of a kind happened.
    ///
    /// # Panics
    /// When they did not within the deadline.
    #[track_caller]
    pub fn wait_for(&self, event: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} times \"{event}\" at the SMSC");
        wait_for(DEADLINE, &what, || Some(self.all(event)).filter(|all| all.len() >= count))
    }

    /// The messages it took that are whole, in the order they became so.
    pub fn messages(&self) -> Vec<Push> {
        self.all("message").iter().map(read_message).collect()
    }

    /// The `submit_sm` PDUs it got, octet by octet.
    pub fn submissions(&self) -> Vec<Vec<u8>> {
        self.all("submission").iter().map(|event| octets(&event["pdu"]["raw"])).collect()
    }
}

fn read_events(process: &Process) -> Vec<Value> {
    process.stdout().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn read_message(event: &Value) -> Push {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| event[name].as_u64().unwrap_or_default();
    Push {
        from: text("from"),
        to: text("to"),
        port: u16::try_from(number("port")).unwrap_or_default(),
        segments: usize::try_from(number("parts")).unwrap_or_default(),
        wsp: octets(&event["hex"]),
    }
}

/// The octets of a member written in hexadecimal.
pub fn octets(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap_or_default().as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).filter_map(pair).collect()
}
