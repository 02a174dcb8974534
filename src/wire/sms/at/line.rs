//! Octets of a modem become events. Never an error, never more than a line kept (I-4).

use bytes::Bytes;

use super::answers::{fields, number};
use super::failure::Failure;
use crate::limits::{MAX_LINE, MAX_TPDU};

/// Something the modem said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It waits for a PDU (TS 27.005 3.5.1).
    Prompt,
    /// A command has ended.
    Final(Final),
    /// Something happened.
    Unsolicited(Unsolicited),
    /// Any other line: an answer before its end, an echo, a remark.
    Information(Information),
    /// What cannot be read, in words.
    Noise(String),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Final {
    /// Well.
    Ok,
    /// Not well.
    Failed(Failure),
}

/// What comes unasked (TS 27.005 3.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsolicited {
    /// `+CMT`: a short message, with the centre's address before it.
    Message(Bytes),
    /// `+CDS`: a status report, with the centre's address before it.
    Report(Bytes),
    /// `+CMTI`: a short message lies in a memory.
    MessageStored {
        /// The memory, such as `SM`.
        memory: String,
        /// Its place there.
        index: u16,
    },
    /// `+CDSI`: a status report lies in a memory.
    ReportStored {
        /// The memory, such as `SR`.
        memory: String,
        /// Its place there.
        index: u16,
    },
}

/// A line, and the PDU that followed it if it is of a kind that has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Information {
    /// The line.
    pub text: String,
    /// The PDU of `+CMGR` and `+CMGL`, with the centre's address before it.
    pub pdu: Option<Bytes>,
}

impl Information {
    /// What follows `+NAME:`, if this is that answer.
    pub fn of(&self, name: &str) -> Option<&str> {
        value(&self.text, name)
    }
}

/// What follows `+NAME:`.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (found, rest) = text.strip_prefix('+')?.split_once(':')?;
    found.trim().eq_ignore_ascii_case(name).then(|| rest.trim())
}

/// Lines whose next line is a PDU.
const WITH_PDU: [&str; 5] = ["CMT", "CDS", "CMGR", "CMGL", "CBM"];

/// The parser of one connection.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// Octets of this line that found no room.
    lost: usize,
    /// A line whose PDU is to come.
    head: Option<String>,
}

impl Parser {
    /// At the beginning of a line.
    pub fn new() -> Self {
        Parser::default()
    }

    /// Takes octets; says what they complete.
    pub fn feed(&mut self, octets: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &octet in octets {
            match octet {
                b'\r' | b'\n' => self.end(&mut events),
                // A prompt has no line's end.
                b'>' if self.line.is_empty() && self.lost == 0 => {
                    self.without_pdu(&mut events);
                    events.push(Event::Prompt);
                }
                b' ' if self.line.is_empty() => {}
                // Fill characters, and what remains of escapes.
                0..=0x1F | 0x7F => {}
                _ if self.line.len() < MAX_LINE => self.line.push(octet),
                _ => self.lost += 1,
            }
        }
        events
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        let (line, lost) = (std::mem::take(&mut self.line), std::mem::take(&mut self.lost));
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if lost > 0 {
            self.head = None;
            events.push(Event::Noise(format!("a line of {} octets, {MAX_LINE} are the maximum", MAX_LINE + lost)));
            return;
        }
        if text.is_empty() {
            return;
        }
        if let Some(head) = self.head.take() {
            match hexadecimal(&text) {
                Some(pdu) => return events.push(with_pdu(head, pdu)),
                None => events.push(noise("no PDU follows", &head)),
            }
        }
        if WITH_PDU.iter().any(|name| value(&text, name).is_some()) {
            self.head = Some(text);
            return;
        }
        events.push(event(text));
    }

    fn without_pdu(&mut self, events: &mut Vec<Event>) {
        if let Some(head) = self.head.take() {
            events.push(noise("no PDU follows", &head));
        }
    }
}

/// Without the line's values: a number or a text may be among them (I-11).
fn noise(why: &str, head: &str) -> Event {
    Event::Noise(format!("{why}: {}", head.split(':').next().unwrap_or_default()))
}

/// A line that stands alone.
fn event(text: String) -> Event {
    if let Some(failure) = Failure::of_line(&text) {
        return Event::Final(Final::Failed(failure));
    }
    if text == "OK" {
        return Event::Final(Final::Ok);
    }
    let stored = |name: &str| {
        let fields = fields(value(&text, name)?);
        let index = number(fields.get(1)?)?;
        Some((fields[0].to_owned(), index))
    };
    if let Some((memory, index)) = stored("CMTI") {
        return Event::Unsolicited(Unsolicited::MessageStored { memory, index });
    }
    if let Some((memory, index)) = stored("CDSI") {
        return Event::Unsolicited(Unsolicited::ReportStored { memory, index });
    }
    Event::Information(Information { text, pdu: None })
}

/// A line and its PDU, when the PDU is as long as the line says: the length counts the octets behind the centre's address,
/// and on some modems that address too. A PDU that lost octets on the line is nothing.
fn with_pdu(head: String, pdu: Bytes) -> Event {
    let after_colon = head.split_once(':').map_or("", |(_, rest)| rest);
    let length = fields(after_colon).last().and_then(|last| number::<usize>(last));
    let centre = pdu.first().map_or(0, |length| usize::from(*length) + 1);
    if length.is_none_or(|length| length + centre != pdu.len() && length != pdu.len()) {
        return noise("the PDU is not as long as it says", &head);
    }
    if value(&head, "CMT").is_some() {
        Event::Unsolicited(Unsolicited::Message(pdu))
    } else if value(&head, "CDS").is_some() {
        Event::Unsolicited(Unsolicited::Report(pdu))
    } else {
        Event::Information(Information { text: head, pdu: Some(pdu) })
    }
}

/// Octets written in hexadecimal, when that is what it is and no TPDU is longer.
fn hexadecimal(text: &str) -> Option<Bytes> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() > 2 * MAX_TPDU {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let octet = |pair: &[u8]| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8);
    digits.chunks(2).map(octet).collect::<Option<Vec<u8>>>().map(Bytes::from)
}
