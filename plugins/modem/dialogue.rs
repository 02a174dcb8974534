//! Commands and their answers, with time.
//!
//! Failure story: a command that is not answered in time leaves the modem in an unknown place: it may wait for a PDU, or
//! answer later. [`Dialogue::resynchronise`] ends what it may be waiting for and asks something whose answer cannot be
//! taken for another's; what came late before that is handed to whoever lost it.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::clock::{Clock, Timestamp};
use packetboat_sms::at::{Event, Failure, Final, Information, Parser, Unsolicited, answers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::device::Line;
use crate::limits::{ANSWER_LINES, CALLS, LATE_READS, READ, UNSOLICITED, WRITE};

/// Ends the PDU (TS 27.005 3.5.1).
const CTRL_Z: u8 = 0x1A;
/// Ends it without sending.
const ESCAPE: u8 = 0x1B;

/// What goes wrong between us and the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The device went away: in words.
    Gone(String),
    /// The modem did not answer this in time.
    Silent(String),
    /// The modem has forgotten its set-up, as after a restart of its own.
    Forgetful,
    /// The modem said no to this.
    Failed(String, Failure),
    /// The modem, or its SIM, is not fit for use: in words.
    Unfit(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Gone(why) => write!(f, "the device went away: {why}"),
            Trouble::Silent(what) => write!(f, "the modem did not answer {what} in time"),
            Trouble::Forgetful => f.write_str("the modem has forgotten how it was set up"),
            Trouble::Failed(what, failure) => write!(f, "the modem answered {what} with {failure}"),
            Trouble::Unfit(why) => f.write_str(why),
        }
    }
}

/// What became of a PDU that was given to the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// It was not sent.
    NotSent(Trouble),
    /// It may have been sent: it went to the modem and the answer did not come.
    Unknown(Trouble),
}

/// What came late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Late {
    /// The network took the message under this reference.
    Sent(u8),
    /// The message was refused.
    Refused(Failure),
}

/// The talk with one modem.
pub struct Dialogue {
    line: Box<dyn Line>,
    parser: Parser,
    events: VecDeque<Event>,
    clock: Arc<dyn Clock>,
    /// What came unasked, oldest first.
    unsolicited: VecDeque<Unsolicited>,
    /// Reads since the time for an answer was over.
    late_reads: u32,
    /// For the log.
    name: String,
}

impl Dialogue {
    /// Over this line, for the bearer of that name.
    pub fn new(line: Box<dyn Line>, clock: Arc<dyn Clock>, name: &str) -> Self {
        let (events, unsolicited) = (VecDeque::new(), VecDeque::new());
        Dialogue { line, parser: Parser::new(), events, clock, unsolicited, late_reads: 0, name: name.to_owned() }
    }

    /// Sends a command and waits for its end; gives the lines of its answer.
    pub async fn command(&mut self, command: &str, limit: Duration) -> Result<Vec<Information>, Trouble> {
        self.write(format!("{command}\r").as_bytes()).await?;
        let until = self.clock.now().after(limit);
        let mut lines = Vec::new();
        loop {
            match self.event(until, command).await? {
                Event::Final(Final::Ok) => return Ok(lines),
                Event::Final(Final::Failed(failure)) => return Err(Trouble::Failed(shown(command), failure)),
                Event::Information(line) if line.text == command => {} // the echo
                Event::Information(line) if lines.len() < ANSWER_LINES => lines.push(line),
                // A prompt that nobody waits for: what came before was taken for the beginning of a message.
                Event::Prompt => self.write(&[ESCAPE]).await?,
                _ => {}
            }
        }
    }

    /// What follows `+NAME:` in the answer to a command.
    pub async fn ask(&mut self, command: &str, name: &str, limit: Duration) -> Result<Option<String>, Trouble> {
        let lines = self.command(command, limit).await?;
        Ok(lines.iter().find_map(|line| line.of(name)).map(str::to_owned))
    }

    /// Sends a command that asks for a PDU, and the PDU; `limits` are for the prompt and for the end.
    pub async fn transfer(
        &mut self,
        command: &str,
        pdu: &[u8],
        limits: (Duration, Duration),
    ) -> Result<Vec<Information>, Transfer> {
        self.prompt(command, limits.0).await.map_err(Transfer::NotSent)?;
        let mut text = hexadecimal(pdu).into_bytes();
        text.push(CTRL_Z);
        let until = self.clock.now().after(limits.1);
        self.write(&text).await.map_err(Transfer::Unknown)?;
        let mut lines: Vec<Information> = Vec::new();
        loop {
            match self.event(until, command).await {
                Ok(Event::Final(Final::Ok)) => return Ok(lines),
                Ok(Event::Final(Final::Failed(failure))) => {
                    return Err(Transfer::NotSent(Trouble::Failed(shown(command), failure)));
                }
                Ok(Event::Information(line)) if lines.len() < ANSWER_LINES => lines.push(line),
                Ok(_) => {}
                // The reference is the answer; that the end of it was lost changes nothing.
                Err(_) if lines.iter().any(|line| line.of("CMGS").is_some()) => return Ok(lines),
                Err(trouble) => return Err(Transfer::Unknown(trouble)),
            }
        }
    }

    /// Sends a command and waits for the prompt.
    async fn prompt(&mut self, command: &str, limit: Duration) -> Result<(), Trouble> {
        self.write(format!("{command}\r").as_bytes()).await?;
        let until = self.clock.now().after(limit);
        let mut echoed = false;
        loop {
            match self.event(until, command).await? {
                Event::Prompt if echoed => {
                    // Echo was switched off. A modem that has forgotten that may be in text mode, where the command means
                    // something else.
                    self.write(&[ESCAPE]).await?;
                    return Err(Trouble::Forgetful);
                }
                Event::Prompt => return Ok(()),
                Event::Final(Final::Failed(failure)) => return Err(Trouble::Failed(shown(command), failure)),
                Event::Final(Final::Ok) => return Err(Trouble::Forgetful),
                Event::Information(line) => echoed |= line.text == command,
                _ => {}
            }
        }
    }

    /// Ends whatever the modem may be waiting for, and gets an answer out of it.
    ///
    /// The question is `AT+CMGF?`, whose answer has a name; results before that answer belong to somebody else. What they
    /// say of a message that was sent is given back.
    pub async fn resynchronise(&mut self, limit: Duration) -> Result<Option<Late>, Trouble> {
        const QUESTION: &str = "AT+CMGF?";
        let mut late = None;
        for _ in 0..CALLS {
            self.write(&[ESCAPE]).await?;
            self.write(format!("\r{QUESTION}\r").as_bytes()).await?;
            let until = self.clock.now().after(limit);
            let mut answered = false;
            loop {
                match self.event(until, QUESTION).await {
                    Ok(Event::Information(line)) => {
                        answered |= line.of("CMGF").is_some();
                        late = line.of("CMGS").and_then(answers::sent).map(Late::Sent).or(late);
                    }
                    Ok(Event::Final(_)) if answered => return Ok(late),
                    Ok(Event::Final(Final::Failed(failure @ Failure::Cms(_)))) => {
                        late = late.or(Some(Late::Refused(failure)));
                    }
                    Ok(_) => {}
                    Err(Trouble::Silent(_)) => break,
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        Err(Trouble::Silent(QUESTION.to_owned()))
    }

    /// Ends whatever the modem may take for the beginning of a message.
    pub async fn escape(&mut self) -> Result<(), Trouble> {
        self.write(&[ESCAPE, b'\r']).await
    }

    /// Waits for something that comes unasked.
    pub async fn attend(&mut self) -> Result<(), Trouble> {
        while self.unsolicited.is_empty() {
            let event = self.next().await?;
            self.sort(event);
        }
        Ok(())
    }

    /// What came unasked and was not looked at yet.
    pub fn next_unsolicited(&mut self) -> Option<Unsolicited> {
        self.unsolicited.pop_front()
    }

    /// The next event that belongs to a command.
    async fn event(&mut self, until: Timestamp, command: &str) -> Result<Event, Trouble> {
        let clock = self.clock.clone();
        loop {
            // Octets that are there count, however late it is; but a line may never fall silent.
            if self.events.is_empty() && clock.now() >= until {
                self.late_reads += 1;
                if self.late_reads > LATE_READS {
                    return Err(Trouble::Silent(shown(command)));
                }
            }
            let event = tokio::select! {
                biased;
                event = self.next() => event?,
                () = clock.sleep_until(until) => return Err(Trouble::Silent(shown(command))),
            };
            if let Some(event) = self.sort(event) {
                return Ok(event);
            }
        }
    }

    /// Puts aside what belongs to no command.
    fn sort(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Unsolicited(unsolicited) => {
                if self.unsolicited.len() < UNSOLICITED {
                    self.unsolicited.push_back(unsolicited);
                }
                None
            }
            Event::Noise(what) => {
                tracing::debug!(bearer = self.name, what, "the modem said something that cannot be read");
                None
            }
            event => Some(event),
        }
    }

    /// The next event; nothing is lost when the wait is given up.
    async fn next(&mut self) -> Result<Event, Trouble> {
        let mut buffer = [0; READ];
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            match self.line.read(&mut buffer).await {
                Ok(0) => return Err(Trouble::Gone("it was closed".to_owned())),
                Ok(count) => self.events.extend(self.parser.feed(&buffer[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::Gone(error.to_string())),
            }
        }
    }

    async fn write(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        self.late_reads = 0;
        let (clock, line) = (self.clock.clone(), &mut self.line);
        let written = async {
            line.write_all(octets).await?;
            line.flush().await
        };
        tokio::select! {
            biased;
            written = written => written.map_err(|error: io::Error| Trouble::Gone(error.to_string())),
            // Flow control may hold a line for ever.
            () = clock.sleep_until(clock.now().after(WRITE)) => {
                Err(Trouble::Gone("it takes no more octets; look at flow_control".to_owned()))
            }
        }
    }
}

/// A command without its value, which may be a secret.
fn shown(command: &str) -> String {
    command.split_once('=').map_or(command, |(name, _)| name).to_owned()
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
