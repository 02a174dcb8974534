//! A driver without sockets: it feeds a session from a script and writes down what happens.
//!
//! It does what a real driver does, in the order a real driver does it: obey the event, answer the question, hand out
//! the queued replies when the input is used up or the connection closes.

use packetboat_smtp::{Config, Event, Reply, Session, Verdict};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// How questions are answered and what came of it.
pub struct Driver {
    pub session: Session,
    pub transcript: String,
    /// Messages that were accepted.
    pub messages: Vec<Vec<u8>>,
    /// `(question prefix, verdict)`: the first that fits is used up; else yes.
    pub verdicts: VecDeque<(String, Verdict)>,
    pub closed: bool,
    /// Refuse content once this many octets of a message are there: the spool is full.
    pub spool_max: usize,
    /// The largest output that was ever queued.
    pub output_peak: usize,
    spool: Vec<u8>,
}

impl Driver {
    pub fn new(config: Config) -> Self {
        Self {
            session: Session::new(config),
            transcript: String::new(),
            messages: Vec::new(),
            verdicts: VecDeque::new(),
            closed: false,
            spool_max: usize::MAX,
            output_peak: 0,
            spool: Vec::new(),
        }
    }

    /// Feeds one packet in reads of at most `chunk` octets.
    pub fn packet(&mut self, packet: &[u8], chunk: usize) {
        for read in packet.chunks(chunk.max(1)) {
            let mut input = read;
            loop {
                let (used, event) = self.session.feed(input);
                input = &input[used..];
                if !self.obey(event) {
                    break;
                }
            }
            if self.closed {
                break;
            }
        }
        self.flush();
    }

    /// Writes down the queued replies.
    pub fn flush(&mut self) {
        let output = self.session.take_output();
        self.output_peak = self.output_peak.max(output.len());
        for line in String::from_utf8(output).expect("replies are ASCII").split_terminator("\r\n") {
            writeln!(self.transcript, "S: {line}").unwrap();
        }
    }

    /// Returns whether to feed on.
    fn obey(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::NeedInput => return false,
            Event::NeedFlush => self.flush(),
            Event::NeedAnswer => panic!("a question was left open"),
            Event::Auth(credentials) => {
                let known = credentials.user == "pat" && credentials.password == "secret";
                let authorization = credentials.authorization_id.unwrap_or_default();
                let default =
                    if known { Verdict::Accept } else { Verdict::Refuse(packetboat_smtp::replies::AUTH_FAILED) };
                let question = format!("auth {:?} {} {authorization}", credentials.mechanism, credentials.user);
                self.question(&question, default);
            }
            Event::Mail(mail) => {
                let sender = mail.sender.as_ref().map(ToString::to_string).unwrap_or_default();
                let mut question = format!("mail <{sender}>");
                let m = &mail;
                for (name, value) in [
                    ("size", m.size.map(|size| size.to_string())),
                    ("body", Some(format!("{:?}", m.body)).filter(|body| body != "SevenBit")),
                    ("ret", m.ret.map(|ret| format!("{ret:?}"))),
                    ("envid", m.envelope_id.clone()),
                    ("by", m.deliver_by.map(|by| format!("{}/{:?}/{}", by.seconds, by.mode, by.trace))),
                    ("submitter", m.submitter.clone()),
                ] {
                    if let Some(value) = value {
                        write!(question, " {name}={value}").unwrap();
                    }
                }
                if mail.smtputf8 {
                    question.push_str(" smtputf8");
                }
                self.question(&question, Verdict::Accept);
            }
            Event::Rcpt(rcpt) => {
                let local = rcpt.recipient.local();
                let domain = rcpt.recipient.domain().unwrap_or("-");
                let mut question = format!("rcpt {local} at {domain}");
                if let Some(notify) = rcpt.notify {
                    write!(question, " notify={notify:?}").unwrap();
                }
                if let Some(original) = &rcpt.original {
                    write!(question, " orcpt={};{}", original.addr_type, original.address).unwrap();
                }
                self.question(&question, Verdict::Accept);
            }
            Event::MessageStart => self.question("start", Verdict::Accept),
            Event::Content(octets) => {
                self.spool.extend_from_slice(octets);
                if self.spool.len() > self.spool_max {
                    self.session.refuse_content(packetboat_smtp::replies::STORE_FULL);
                    self.spool.clear();
                }
            }
            Event::MessageEnd => {
                let content = std::mem::take(&mut self.spool);
                let question = format!("end {}", content.escape_ascii());
                self.messages.push(content);
                self.question(&question, Verdict::Accept);
            }
            Event::Discard(refusal) => {
                self.spool.clear();
                self.note(&format!("E: discard {refusal:?}"));
            }
            Event::Reset => {
                self.spool.clear();
                self.note("E: reset");
            }
            Event::StartTls => {
                self.note("E: starttls");
                self.session.tls_started();
                return false;
            }
            Event::Close => {
                self.note("E: close");
                self.closed = true;
                return false;
            }
        }
        true
    }

    fn question(&mut self, question: &str, default: Verdict) {
        self.note(&format!("E: {}", question.trim_end()));
        let at = self.verdicts.iter().position(|(prefix, _)| question.starts_with(prefix.as_str()));
        let verdict = at.and_then(|at| self.verdicts.remove(at)).map_or(default, |(_, verdict)| verdict);
        self.session.answer(verdict).expect("a question is open");
    }

    /// Events and replies in the order they happen, so that a transcript does not depend on the size of the reads.
    fn note(&mut self, event: &str) {
        self.flush();
        writeln!(self.transcript, "{event}").unwrap();
    }
}

/// `550 5.1.1 text` as a verdict.
pub fn verdict(text: &str) -> Verdict {
    let (code, text) = text.split_once(' ').expect("a code and a text");
    let reply = Reply::from_peer(code.parse().expect("a code"), text);
    if reply.is_positive() { Verdict::AcceptWith(reply) } else { Verdict::Refuse(reply) }
}
