//! A GSM modem with a SIM and a network behind it: `tests/peers/modem/modem.py`, on a pseudo-terminal or a TCP port, and
//! tshark as the judge of the TPDUs that go through it.

use super::peer_file;
use crate::ports::Port;
use crate::process::{Output, Process};
use crate::scene::Scene;
use crate::wait::{DEADLINE, wait_for};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

/// A running modem.
#[derive(Debug)]
pub struct Modem {
    process: Process,
    control: Port,
    log: PathBuf,
    device: String,
    _port: Option<Port>,
}

impl Modem {
    /// Starts it on a pseudo-terminal. The options are a JSON object; `modem.py` says which there are.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(scene: &Scene, options: &str) -> Self {
        let device = scene.directory("modem").join("tty").to_string_lossy().into_owned();
        Modem::start_on(scene, device.clone(), &device, None, options)
    }

    /// Starts it on a TCP port.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_on_tcp(scene: &Scene, options: &str) -> Self {
        let port = Port::reserve();
        let (device, listen) = (format!("tcp:{}", port.address()), format!("tcp:{}", port.number()));
        Modem::start_on(scene, device, &listen, Some(port), options)
    }

    fn start_on(scene: &Scene, device: String, listen: &str, port: Option<Port>, options: &str) -> Self {
        let directory = scene.directory("modem");
        // A story may start another one after the first: what that one said is there still.
        let said = |text: &str| text.lines().filter(|line| *line == "ready").count();
        let before = said(&std::fs::read_to_string(directory.join("modem.out")).unwrap_or_default());
        let (control, log) = (Port::reserve(), directory.join("events.jsonl"));
        let mut command = Command::new("python3");
        command.arg("-B").arg(peer_file("modem/modem.py")).arg(listen).arg(control.number().to_string());
        command.arg(&log).arg(options);
        let mut process = Process::spawn("modem", &directory, &mut command);
        process.wait_ready(DEADLINE, "its ready line", |process| said(&process.stdout()) > before);
        Modem { process, control, log, device, _port: port }
    }

    /// What the daemon's `device` says.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// A command to its control port.
    ///
    /// # Panics
    /// When it is not understood.
    #[track_caller]
    pub fn control(&self, command: &str) {
        let mut answer = String::new();
        let mut stream = TcpStream::connect(self.control.address()).expect("the modem's control port");
        stream.write_all(format!("{command}\n").as_bytes()).expect("a command to the modem");
        BufReader::new(stream).read_line(&mut answer).expect("the modem's answer");
        assert_eq!(answer, "ok\n", "{command}; {}", self.process.stderr());
    }

    /// Everything that happened, as JSON objects with a member `event`.
    pub fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What happened of one kind.
    pub fn events_of(&self, event: &str) -> Vec<Value> {
        self.events().into_iter().filter(|found| found["event"] == event).collect()
    }

    /// The commands it was given.
    pub fn commands(&self) -> Vec<String> {
        let commands = self.events_of("at");
        commands.iter().filter_map(|event| Some(event["command"].as_str()?.to_owned())).collect()
    }

    /// The TPDUs that went to the network.
    pub fn submitted(&self) -> Vec<Vec<u8>> {
        self.events_of("submit").iter().map(|event| octets(event["tpdu"].as_str().unwrap_or_default())).collect()
    }

    /// Waits until at least so many things of one kind happened.
    ///
    /// # Panics
    /// When they did not within the deadline.
    #[track_caller]
    pub fn wait_for(&self, event: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} of \"{event}\" at the modem");
        wait_for(DEADLINE, &what, || Some(self.events_of(event)).filter(|events| events.len() >= count))
    }

    /// Waits until it was given a command that begins so.
    ///
    /// # Panics
    /// When it was not within the deadline.
    #[track_caller]
    pub fn wait_for_command(&self, start: &str) {
        wait_for(DEADLINE, &format!("{start} at the modem"), || {
            self.commands().iter().any(|command| command.starts_with(start)).then_some(())
        });
    }
}

/// Which way a TPDU goes; the same octets mean something else on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the service centre.
    Out,
    /// From it.
    In,
}

/// What tshark makes of TPDUs: the protocol layers of each, in order. Segments of one message become one in the last.
///
/// # Panics
/// When tshark fails.
pub fn decode_tpdus(scene: &Scene, way: Way, tpdus: &[Vec<u8>]) -> Vec<Value> {
    let capture = scene.file("tpdus.pcapng", capture_file(way, tpdus));
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&capture).args(["-T", "json", "--no-duplicate-keys", "-o"]);
    command.arg("uat:user_dlts:\"User 0 (DLT=147)\",\"gsm_sms\",\"0\",\"\",\"0\",\"\"").env("LC_ALL", "C.UTF-8");
    let output = Output::of(&mut command).expect_success();
    let text = output.text().replace(|character: char| character < ' ' && character != '\n', " ");
    let packets: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("tshark's JSON: {error}"));
    packets.as_array().into_iter().flatten().map(|packet| packet["_source"]["layers"].clone()).collect()
}

/// Every value of a field anywhere below `layers`, in order.
pub fn fields(layers: &Value, name: &str) -> Vec<String> {
    match layers {
        Value::Object(members) => {
            let inner = |(member, value): (&String, &Value)| match value {
                Value::String(text) if member == name => vec![text.clone()],
                Value::Array(items) if member == name => {
                    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                other => fields(other, name),
            };
            members.iter().flat_map(inner).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| fields(item, name)).collect(),
        _ => Vec::new(),
    }
}

/// The first value of a field anywhere below `layers`.
pub fn field(layers: &Value, name: &str) -> Option<String> {
    fields(layers, name).into_iter().next()
}

/// A capture file (pcapng) of link type USER0. The direction tells the dissector what a message type means.
fn capture_file(way: Way, tpdus: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, mut body: Vec<u8>| {
        body.resize(body.len().next_multiple_of(4), 0);
        let length = (body.len() as u32 + 12).to_le_bytes();
        [&kind.to_le_bytes()[..], &length, &body, &length].concat()
    };
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let interface = vec![147, 0, 0, 0, 0, 0, 0, 0];
    let mut file = [block(0x0a0d_0d0a, section), block(1, interface)].concat();
    for tpdu in tpdus {
        let mut packet = vec![0; 12];
        packet.extend([(tpdu.len() as u32).to_le_bytes(), (tpdu.len() as u32).to_le_bytes()].concat());
        packet.extend(tpdu);
        packet.resize(packet.len().next_multiple_of(4), 0);
        // Option epb_flags: 1 inbound, 2 outbound, as the network sees it.
        let direction = if way == Way::Out { 1 } else { 2 };
        packet.extend([2, 0, 4, 0, direction, 0, 0, 0, 0, 0, 0, 0]);
        file.extend(block(6, packet));
    }
    file
}

fn octets(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}
