//! mmsd-tng 2.1.0: the MMS program of real phones (Debian, postmarketOS), driven over D-Bus.
//!
//! There is no modem, so python3-dbusmock plays ModemManager on a bus of its own. Everything else is what a phone does:
//! it reads the notification from a short message, gets the content URL, answers m-notifyresp-ind to the MMSC, posts
//! m-send-req, reads m-delivery-ind. It never defers, never acknowledges and never sends a read report.

use super::{peer_file, template};
use crate::mms::Part;
use crate::process::{Output, Process};
use crate::scene::Scene;
use crate::wait::{DEADLINE, wait_for};
use serde_json::{Value, json};
use std::cell::Cell;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The system's Python: the D-Bus modules are Debian packages.
const PYTHON: &str = "/usr/bin/python3";

/// A phone to start.
#[derive(Debug, Clone)]
pub struct Phone {
    /// Its directory within the scene.
    pub name: String,
    /// Its own number.
    pub number: String,
    /// The URL that m-send-req and m-notifyresp-ind are posted to.
    pub mmsc: String,
    /// The HTTP proxy of its network, which then gets every request in absolute form.
    pub proxy: Option<SocketAddr>,
}

impl Phone {
    /// A phone without a proxy, named after its number.
    pub fn new(number: &str, mmsc: &str) -> Self {
        let name = format!("phone{}", number.trim_start_matches('+'));
        Phone { name, number: number.to_owned(), mmsc: mmsc.to_owned(), proxy: None }
    }

    /// The same phone in a network with a proxy.
    #[must_use]
    pub fn behind(mut self, proxy: SocketAddr) -> Self {
        self.proxy = Some(proxy);
        self
    }
}

/// A message to send.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Numbers; mmsd refuses mail addresses.
    pub to: Vec<String>,
    /// The subject, empty for none.
    pub subject: String,
    /// A SMIL document, empty for none.
    pub smil: String,
    /// The parts. mmsd refuses content types with parameters, and uses the id only.
    pub parts: Vec<Part>,
}

/// A message in the phone's store.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its D-Bus path.
    pub path: String,
    /// `received`, `draft`, `sent`, `delivered` and so on.
    pub status: String,
    /// Who sent it; empty for the phone's own.
    pub sender: String,
    /// The subject, empty for none.
    pub subject: String,
    /// To whom.
    pub recipients: Vec<String>,
    /// The parts, SMIL left out by mmsd.
    pub parts: Vec<Part>,
    /// Every property as mmsd gives it.
    pub properties: Value,
}

impl Message {
    /// The first part of this media type.
    pub fn part(&self, content_type: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.content_type.starts_with(content_type))
    }
}

/// A running phone.
#[derive(Debug)]
pub struct Mmsd {
    directory: PathBuf,
    bus: String,
    counter: Cell<u32>,
    mmsd: Process,
    _modem: Process,
    _bus_daemon: Process,
}

impl Mmsd {
    /// Starts the bus, the modem and the program, and waits until it can send and receive.
    ///
    /// # Panics
    /// When a part of it does not come up.
    pub fn start(scene: &Scene, phone: &Phone) -> Self {
        let directory = scene.directory(&phone.name);
        let socket = directory.join("bus");
        let bus = format!("unix:path={}", socket.display());
        let bus_config = template("mmsd/bus.conf.in", &[("SOCKET", &socket.to_string_lossy())]);
        let bus_config = scene.file(&format!("{}/bus.conf", phone.name), bus_config);
        let proxy = phone.proxy.map_or_else(|| "NULL".to_owned(), |proxy| proxy.to_string());
        let settings =
            template("mmsd/settings.in", &[("MMSC", &phone.mmsc), ("PROXY", &proxy), ("IMSI", "234990000000001")]);
        scene.file(&format!("{}/home/.mms/modemmanager/mms", phone.name), settings);

        let mut command = Command::new("dbus-daemon");
        command.arg("--config-file").arg(&bus_config).arg("--nofork");
        let mut bus_daemon = Process::spawn("dbus-daemon", &directory, &mut command);
        bus_daemon.wait_ready(DEADLINE, "its socket", |_| socket.exists());

        let mut command = Command::new(PYTHON);
        command.arg(peer_file("mmsd/modem.py")).args([&bus, "serve", &phone.number]);
        let mut modem = Process::spawn("modem", &directory, on_bus(&mut command, &bus));
        modem.wait_ready(DEADLINE, "the modem", |modem| modem.stdout().contains("ready"));

        let mut command = Command::new("mmsdtng");
        command.arg("-d").env("HOME", directory.join("home")).env_remove("http_proxy");
        let mmsd = Process::spawn("mmsd", &directory, on_bus(&mut command, &bus));
        let mut started = Mmsd { directory, bus, counter: Cell::new(0), mmsd, _modem: modem, _bus_daemon: bus_daemon };
        started.mmsd.wait_ready(DEADLINE, "MMSD_MM_STATE_READY", |mmsd| {
            (mmsd.stderr() + &mmsd.stdout()).contains("MMSD_MM_STATE_READY")
        });
        started
    }

    /// A short message arrives that carries this WSP push PDU.
    ///
    /// # Panics
    /// When the modem does not take it.
    pub fn push(&self, wsp: &[u8]) {
        let file = self.file("push", wsp);
        self.run("modem.py", &["receive".as_ref(), file.as_os_str()]);
    }

    /// Every message that the phone holds.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn messages(&self) -> Vec<Message> {
        let listed = self.run("handset.py", &["list".as_ref()]).json();
        listed.as_array().into_iter().flatten().map(read_message).collect()
    }

    /// Waits for a message that `wanted` likes.
    ///
    /// # Panics
    /// When there is none within the deadline.
    #[track_caller]
    pub fn wait_for_message(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let what = format!("{what} on the phone in {}", self.directory.display());
        wait_for(DEADLINE, &what, || self.messages().into_iter().find(&wanted))
    }

    /// Sends a message and returns its D-Bus path. It is `sent` in [`Mmsd::messages`] once the MMSC said Ok.
    ///
    /// # Panics
    /// When mmsd refuses it.
    pub fn send(&self, outgoing: &Outgoing) -> String {
        let parts = outgoing.parts.iter().map(|part| {
            let file = self.file("part", &part.data);
            json!([part.id, part.content_type, file])
        });
        let order = json!({
            "to": outgoing.to,
            "subject": outgoing.subject,
            "smil": outgoing.smil,
            "parts": parts.collect::<Vec<_>>(),
        });
        let file = self.file("send", order.to_string().as_bytes());
        let path = self.run("handset.py", &["send".as_ref(), file.as_os_str()]).json();
        path.as_str().unwrap_or_default().to_owned()
    }

    /// Switches it off.
    pub fn stop(mut self) {
        self.mmsd.kill9();
    }

    fn run(&self, script: &str, arguments: &[&OsStr]) -> Output {
        let mut command = Command::new(PYTHON);
        command.arg(peer_file("mmsd").join(script)).arg(&self.bus).args(arguments);
        Output::of(on_bus(&mut command, &self.bus)).expect_success()
    }

    fn file(&self, kind: &str, content: &[u8]) -> PathBuf {
        self.counter.set(self.counter.get() + 1);
        let path = self.directory.join(format!("{kind}{}", self.counter.get()));
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}

fn on_bus<'command>(command: &'command mut Command, bus: &str) -> &'command mut Command {
    command.env("DBUS_SYSTEM_BUS_ADDRESS", bus).env("DBUS_SESSION_BUS_ADDRESS", bus)
}

fn read_message(listed: &Value) -> Message {
    let properties = &listed["properties"];
    let text = |name: &str| properties[name].as_str().unwrap_or_default().to_owned();
    let recipients = properties["Recipients"].as_array().into_iter().flatten();
    Message {
        path: listed["path"].as_str().unwrap_or_default().to_owned(),
        status: text("Status"),
        sender: text("Sender"),
        subject: text("Subject"),
        recipients: recipients.filter_map(|number| Some(number.as_str()?.to_owned())).collect(),
        parts: listed["attachments"].as_array().into_iter().flatten().map(read_part).collect(),
        properties: properties.clone(),
    }
}

/// mmsd names a range of a file for each attachment.
fn read_part(attachment: &Value) -> Part {
    let text = |name: &str| attachment[name].as_str().unwrap_or_default();
    let number = |name: &str| attachment[name].as_u64().unwrap_or_default() as usize;
    let file = std::fs::read(Path::new(text("file"))).unwrap_or_default();
    let start = number("offset");
    let data = file.get(start..start + number("size")).unwrap_or_default();
    Part::new(text("type"), text("id").trim_matches(['<', '>']), data)
}
