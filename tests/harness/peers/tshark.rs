//! tshark: an independent decoder of MMS PDUs and of everything around them.
//!
//! Wireshark knows MMS by media type, so a PDU is wrapped in an HTTP request, or in a WSP push on UDP port 2948, and
//! written to a capture file. One run takes half a second however many PDUs there are: decode them together.

use crate::mms::uintvar;
use crate::process::Output;
use crate::push::PUSH_PORT;
use crate::scene::Scene;
use serde_json::Value;
use std::process::Command;

/// Expert information of this severity and above is a complaint: Wireshark's PI_WARN.
const WARNING: u64 = 0x60_0000;

/// How a PDU is brought to tshark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The PDU is the body of an HTTP request.
    Http,
    /// The PDU is the body of a WSP push.
    Push,
    /// The bytes are a WSP push PDU already.
    Wsp,
}

/// What tshark made of one PDU.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    /// Complaints: what is malformed, warnings, nothing recognised. Empty when all is well.
    pub problems: Vec<String>,
    /// The `mmse` layer, with tshark's field names; a field that is there several times is an array.
    pub mmse: Value,
}

impl Decoded {
    /// A field of the MMS layer as text, by its name behind `mmse.`.
    pub fn field(&self, name: &str) -> Option<&str> {
        let value = &self.mmse[format!("mmse.{name}")];
        value.as_str().or_else(|| value.as_array()?.first()?.as_str())
    }
}

/// Decodes PDUs in one run of tshark; the answers are in the order of the PDUs.
///
/// # Panics
/// When tshark fails as a whole.
pub fn decode_all(scene: &Scene, carrier: Carrier, pdus: &[&[u8]]) -> Vec<Decoded> {
    let mut decoded = vec![None; pdus.len()];
    for packet in packets(scene, &capture_file(carrier, pdus)) {
        let layers = &packet["_source"]["layers"];
        // Packets carry the number of their PDU in the port of the sender.
        let port = layers["tcp"]["tcp.srcport"].as_str().or_else(|| layers["udp"]["udp.srcport"].as_str());
        let number = port.and_then(|port| port.parse::<usize>().ok()).and_then(|port| port.checked_sub(FIRST_PORT));
        let Some(slot) = number.and_then(|number| decoded.get_mut(number)) else { continue };
        if layers["mmse"].is_object() || layers.get("_ws.malformed").is_some() {
            *slot = Some(judge(layers));
        }
    }
    let nothing = || Decoded { problems: vec!["not recognised as MMS".to_owned()], mmse: Value::Null };
    decoded.into_iter().map(|decoded| decoded.unwrap_or_else(nothing)).collect()
}

/// Decodes the `submit_sm` PDUs of one SMPP connection: what tshark makes of every push whose short messages are all there,
/// by way of SMPP, the user data headers and WSP.
///
/// # Panics
/// When tshark fails as a whole, or complains about a PDU.
pub fn decode_submissions(scene: &Scene, pdus: &[Vec<u8>]) -> Vec<Decoded> {
    let mut file = CaptureFile::new();
    tcp_stream(SMPP_SENDER, SMPP_PORT, pdus.iter().map(Vec::as_slice)).into_iter().for_each(|packet| file.add(packet));
    let mut decoded = Vec::new();
    for packet in packets(scene, &file) {
        let layers = &packet["_source"]["layers"];
        let mut problems = Vec::new();
        complaints(&layers["smpp"], "smpp", &mut problems);
        complaints(&layers["gsm_sms_ud"], "gsm_sms_ud", &mut problems);
        assert!(problems.is_empty() && layers.get("_ws.malformed").is_none(), "{problems:?} in {layers}");
        if layers["mmse"].is_object() {
            decoded.push(judge(layers));
        }
    }
    decoded
}

/// Decodes one PDU.
///
/// # Panics
/// When tshark fails as a whole.
pub fn decode(scene: &Scene, carrier: Carrier, pdu: &[u8]) -> Decoded {
    decode_all(scene, carrier, &[pdu]).pop().unwrap_or_default()
}

/// Everything tshark says of one PDU, as a tree of text: for what is no MMS PDU.
///
/// # Panics
/// When tshark fails as a whole.
pub fn describe(scene: &Scene, carrier: Carrier, pdu: &[u8]) -> String {
    let capture = scene.file("tshark.pcap", &capture_file(carrier, &[pdu]).0);
    let mut command = Command::new("tshark");
    Output::of(command.arg("-r").arg(&capture).arg("-V").env("LC_ALL", "C.UTF-8")).expect_success().text()
}

/// The packets of a capture as tshark sees them.
fn packets(scene: &Scene, file: &CaptureFile) -> Vec<Value> {
    let capture = scene.file("tshark.pcap", &file.0);
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&capture).args(["-T", "json", "--no-duplicate-keys"]).env("LC_ALL", "C.UTF-8");
    let output = Output::of(&mut command).expect_success();
    // Bytes of a PDU end up in strings, where JSON wants no control characters.
    let text = output.text().replace(|character: char| character < ' ' && character != '\n', " ");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("tshark's JSON: {error}"))
}

fn judge(layers: &Value) -> Decoded {
    let mut problems = Vec::new();
    if layers.get("_ws.malformed").is_some() {
        problems.push("malformed packet".to_owned());
    }
    let mmse = layers["mmse"].clone();
    if mmse["mmse.message_type"].is_null() {
        problems.push("no X-Mms-Message-Type".to_owned());
    }
    complaints(&mmse, "mmse", &mut problems);
    problems.sort();
    problems.dedup();
    Decoded { problems, mmse }
}

fn complaints(value: &Value, place: &str, problems: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                if name.starts_with("_ws.malformed") || name == "_ws.short" {
                    problems.push(format!("malformed at {place}"));
                }
                if let Some(severity) = inner["_ws.expert.severity"].as_str()
                    && severity.parse().is_ok_and(|severity: u64| severity >= WARNING)
                {
                    problems.push(format!("{} at {place}", inner["_ws.expert.message"]));
                }
                complaints(inner, &format!("{place}/{name}"), problems);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| complaints(item, place, problems)),
        _ => {}
    }
}

/// The sender's port of the first PDU.
const FIRST_PORT: usize = 10_000;
/// IPv4 without a link layer (LINKTYPE_RAW).
const RAW_IP: u32 = 101;
const HTTP_PORT: u16 = 80;
const SMPP_PORT: u16 = 2775;
/// Not [`FIRST_PORT`], which tshark takes for the protocol that is at home there.
const SMPP_SENDER: u16 = 40_000;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// As much of a stream as fits one IPv4 packet with room to spare.
const SEGMENT: usize = 32_000;

/// A capture file (pcap 2.4). Checksums are left zero: tshark does not look.
struct CaptureFile(Vec<u8>);

impl CaptureFile {
    fn new() -> Self {
        let words = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x0004_0000, RAW_IP];
        CaptureFile(words.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    fn add(&mut self, packet: Vec<u8>) {
        let length = packet.len() as u32;
        for word in [1_700_000_000, 0, length, length] {
            self.0.extend(word.to_le_bytes());
        }
        self.0.extend(packet);
    }
}

/// A capture of all PDUs, each from a port of its own.
fn capture_file(carrier: Carrier, pdus: &[&[u8]]) -> CaptureFile {
    let mut file = CaptureFile::new();
    let mut add = |packet: Vec<u8>| file.add(packet);
    for (number, pdu) in pdus.iter().enumerate() {
        let port = (FIRST_PORT + number) as u16;
        match carrier {
            Carrier::Http => {
                tcp_stream(port, HTTP_PORT, http_request(pdu).chunks(SEGMENT)).into_iter().for_each(&mut add);
            }
            // Transaction 1, Push, one header octet: the well-known type application/vnd.wap.mms-message.
            Carrier::Push => add(datagram(port, &[&[0x01, 0x06], &*uintvar(1), &[0xbe], pdu].concat())),
            Carrier::Wsp => add(datagram(port, pdu)),
        }
    }
    file
}

fn http_request(pdu: &[u8]) -> Vec<u8> {
    let length = pdu.len();
    let media_type = crate::mms::MEDIA_TYPE;
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), pdu].concat()
}

/// A connection over which these pieces go, a packet each.
fn tcp_stream<'piece>(port: u16, to: u16, pieces: impl Iterator<Item = &'piece [u8]>) -> Vec<Vec<u8>> {
    const SYN: u8 = 0x02;
    const PSH_ACK: u8 = 0x18;
    const FIN_ACK: u8 = 0x11;
    let segment = |sequence: usize, flags: u8, payload: &[u8]| {
        let mut packet = Vec::new();
        packet.extend(port.to_be_bytes());
        packet.extend(to.to_be_bytes());
        packet.extend((sequence as u32).to_be_bytes());
        packet.extend([0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(payload);
        ip_packet(TCP, &packet)
    };
    let mut packets = vec![segment(0, SYN, &[])];
    let mut sequence = 1;
    for payload in pieces {
        packets.push(segment(sequence, PSH_ACK, payload));
        sequence += payload.len();
    }
    packets.push(segment(sequence, FIN_ACK, &[]));
    packets
}

fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    packet.extend(port.to_be_bytes());
    packet.extend(PUSH_PORT.to_be_bytes());
    packet.extend((payload.len() as u16 + 8).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    ip_packet(UDP, &packet)
}

fn ip_packet(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((payload.len() as u16 + 20).to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, protocol, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2]);
    packet.extend(payload);
    packet
}
