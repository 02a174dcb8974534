//! Kannel 1.4.5: bearerbox and smsbox as the SMS gateway, wapbox as the push proxy gateway, its own fakesmsc as the network
//! and every phone on it.

use super::{shim, template};
use crate::http::{self, percent_decode};
use crate::ports::Port;
use crate::process::Process;
use crate::push::{Push, Segment, reassemble};
use crate::scene::Scene;
use crate::wait::{DEADLINE, wait_for};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ships in the package kannel-extras, outside the path.
pub(super) const FAKESMSC: &str = "/usr/lib/kannel/test/fakesmsc";

/// A running gateway with its network.
#[derive(Debug)]
pub struct Kannel {
    // In the order in which they end: the network first, so that nothing is retried against it.
    fakesmsc: Process,
    _wapbox: Option<Process>,
    _smsbox: Process,
    _bearerbox: Process,
    directory: PathBuf,
    sendsms: Port,
    ppg: Port,
    smsc: Port,
    _others: [Port; 3],
}

/// What Kannel does besides sending short messages.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where smsbox brings short messages that arrive: an address, with what Kannel fills in. One that is not taken is brought
    /// again every second.
    pub arrivals: String,
    /// Whether wapbox runs, with a push proxy gateway.
    pub ppg: bool,
}

impl Kannel {
    /// The `sendsms` user, who is the push proxy gateway's too.
    pub const USER: &'static str = "packetboat";
    /// The password of both.
    pub const PASSWORD: &'static str = "secret";

    /// Starts it and waits until the network is connected.
    ///
    /// # Panics
    /// When a part of it does not come up.
    pub fn start(scene: &Scene) -> Self {
        Kannel::with(scene, &Options::default())
    }

    /// [`Kannel::start`] with more of it.
    ///
    /// # Panics
    /// When a part of it does not come up.
    pub fn with(scene: &Scene, options: &Options) -> Self {
        let directory = scene.directory("kannel");
        let [admin, boxes, wap, smsc, sendsms, ppg] = [(); 6].map(|()| Port::reserve());
        // Without an address smsbox answers a phone with nothing.
        let arrivals = match options.arrivals.as_str() {
            "" => "text = \"\"".to_owned(),
            url => format!("get-url = \"{url}\""),
        };
        let config = template(
            "kannel/kannel.conf.in",
            &[
                ("ADMIN", &admin.number().to_string()),
                ("BOX", &boxes.number().to_string()),
                ("SMSC", &smsc.number().to_string()),
                ("SENDSMS", &sendsms.number().to_string()),
                ("WAP", &wap.number().to_string()),
                ("PPG", &ppg.number().to_string()),
                ("ARRIVALS", &arrivals),
                ("DIR", &directory.to_string_lossy()),
                ("USER", Self::USER),
                ("PASSWORD", Self::PASSWORD),
            ],
        );
        let config = scene.file("kannel/kannel.conf", config);
        let status = format!("http://{}/status.txt?password={}", admin.address(), Self::PASSWORD);
        let is_up = |wanted: &str| {
            let reply = http::Request::new("GET", &status).try_send();
            reply.is_ok_and(|reply| reply.text().contains(wanted))
        };

        let mut command = Command::new("bearerbox");
        command.arg(&config).env("LD_PRELOAD", shim(scene, "bindlo"));
        let mut bearerbox = Process::spawn("bearerbox", &directory, with_sbin(&mut command));
        bearerbox.wait_ready(DEADLINE, "its status page", |_| is_up("running"));

        let mut command = Command::new("smsbox");
        let mut smsbox = Process::spawn("smsbox", &directory, with_sbin(command.arg(&config)));
        smsbox.wait_ready(DEADLINE, "smsbox on-line", |_| {
            is_up("smsbox:box") && crate::ports::accepts(sendsms.address())
        });

        let wapbox = options.ppg.then(|| {
            let mut command = Command::new("wapbox");
            command.arg(&config).env("LD_PRELOAD", shim(scene, "bindlo"));
            let mut wapbox = Process::spawn("wapbox", &directory, with_sbin(&mut command));
            wapbox.wait_ready(DEADLINE, "wapbox on-line", |_| {
                is_up("wapbox, IP") && crate::ports::accepts(ppg.address())
            });
            wapbox
        });

        let mut fakesmsc = network(&directory, &smsc, 0, "1 2 text nop");
        fakesmsc.wait_ready(DEADLINE, "the network on-line", |_| is_up("(online"));

        let _others = [admin, boxes, wap];
        Kannel {
            fakesmsc,
            _wapbox: wapbox,
            _smsbox: smsbox,
            _bearerbox: bearerbox,
            directory,
            sendsms,
            ppg,
            smsc,
            _others,
        }
    }

    /// Where the push proxy gateway takes submissions.
    pub fn ppg(&self) -> String {
        format!("http://{}/wappush", self.ppg.address())
    }

    /// A phone sends: `FROM TO text WORDS`, `FROM TO data OCTETS` or `FROM TO udh HEADER OCTETS`, percent-encoded where
    /// they are octets. Returns when the gateway has it.
    ///
    /// # Panics
    /// When it does not within the deadline.
    #[track_caller]
    pub fn originate(&mut self, message: &str) {
        let sent = |process: &Process| process.stderr().matches("sent message").count();
        let before = sent(&self.fakesmsc);
        // The network is one connection: who says something new begins anew. It goes on listening.
        self.fakesmsc.kill9();
        self.fakesmsc = network(&self.directory, &self.smsc, 1, message);
        self.fakesmsc.wait_ready(DEADLINE, "a message from a phone", |process| sent(process) > before);
    }

    /// The URL of `sendsms`.
    pub fn url(&self) -> String {
        format!("http://{}/cgi-bin/sendsms", self.sendsms.address())
    }

    /// Every short message that reached the network.
    pub fn messages(&self) -> Vec<Segment> {
        let log = self.fakesmsc.stderr() + &self.fakesmsc.stdout();
        log.lines().filter_map(read_message).collect()
    }

    /// Every push that reached the network whole.
    pub fn pushes(&self) -> Vec<Push> {
        reassemble(&self.messages())
    }

    /// Waits until there are at least this many pushes.
    ///
    /// # Panics
    /// When there are not within the deadline.
    #[track_caller]
    pub fn wait_for_pushes(&self, count: usize) -> Vec<Push> {
        let what = format!("{count} pushes at Kannel's fake network");
        wait_for(DEADLINE, &what, || Some(self.pushes()).filter(|pushes| pushes.len() >= count))
    }
}

/// The network, which says the same message so many times.
fn network(directory: &Path, smsc: &Port, times: u32, message: &str) -> Process {
    let mut command = Command::new(FAKESMSC);
    command.args(["-H", "127.0.0.1", "-r", &smsc.number().to_string(), "-m", &times.to_string(), message]);
    Process::spawn("fakesmsc", directory, &mut command)
}

/// Reads `Got message 1: <FROM TO udh UDH data DATA>`, where the header is left out when there is none, and the word
/// before the data is `text` for text. Both are percent-encoded.
fn read_message(line: &str) -> Option<Segment> {
    let inner = line.split_once("Got message ")?.1.split_once('<')?.1.strip_suffix('>')?;
    let mut words = inner.split(' ');
    let (from, to) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut kind = words.next()?;
    let mut udh = "";
    if kind == "udh" {
        udh = words.next()?;
        kind = words.next()?;
    }
    let rest: Vec<_> = words.collect();
    let data = rest.join(" ");
    let data = if kind == "data" { percent_decode(&data) } else { data.into_bytes() };
    Some(Segment { from, to, udh: percent_decode(udh), data })
}

/// Debian puts Kannel into /usr/sbin, which is not on everybody's path.
fn with_sbin(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let joined = std::env::join_paths(more).unwrap_or(path);
    command.env("PATH", joined)
}
