//! The session: which command may come now, what is asked of the driver, what is answered.
//!
//! Persist, then acknowledge (I-1): the reply to the end of a message is never made here, only the driver's
//! [`Session::answer`] to [`Event::MessageEnd`] makes it. Whatever goes wrong, the session stays in step with the
//! client or closes; it never reads as commands what may be content (RFC 5321 4.1.1.4, RFC 3030 2).
//!
//! `commands.rs` is the table of commands, `transfer.rs` the content of a message.

mod commands;
mod transfer;

use crate::body::BodyReader;
use crate::line::{Line, LineReader};
use crate::sasl::{Exchange, Progress};
use crate::{AuthOffer, Config, Credentials, Mail, Rcpt, Reply, limits, replies};
use std::time::Duration;
use transfer::Transfer;

/// One SMTP server session. See the crate's documentation for the driving loop.
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    lines: LineReader,
    output: Vec<u8>,
    hello: Option<Hello>,
    tls: bool,
    user: Option<String>,
    transaction: Option<Transaction>,
    early_talker: bool,
    errors: u32,
    auth_failures: u32,
    refused_recipients: u32,
    idle_commands: u32,
}

#[derive(Debug)]
enum State {
    /// The greeting is not queued yet.
    Connected,
    Command,
    Auth(Exchange),
    /// The driver owes an answer.
    Asked(Question),
    Transfer(Transfer),
    /// 220 was said to STARTTLS; what comes in plain text is dropped.
    StartTls,
    Closing,
}

#[derive(Debug)]
enum Question {
    Auth { user: String },
    Mail { smtputf8: bool, binary: bool },
    Rcpt,
    MessageStart(Transfer),
    MessageEnd,
}

#[derive(Debug)]
struct Hello {
    extended: bool,
    name: String,
}

#[derive(Debug, Default)]
struct Transaction {
    smtputf8: bool,
    binary: bool,
    recipients: u32,
    /// Content handed out so far.
    octets: u64,
    /// There is one from the first BDAT on; its state spans the chunks.
    chunks: Option<BodyReader>,
}

/// What the driver has to do next.
#[derive(Debug)]
pub enum Event<'a> {
    /// All input was taken: write the output, then read more.
    NeedInput,
    /// Much output is queued: write it before more input is taken.
    NeedFlush,
    /// An answer is owed: [`Session::answer`] comes before more input is taken.
    NeedAnswer,
    /// Question: are these right?
    Auth(Credentials),
    /// Question: may a message of this sender begin?
    Mail(Box<Mail>),
    /// Question: is this recipient taken?
    Rcpt(Box<Rcpt>),
    /// Question: can content be taken now (is there room)?
    MessageStart,
    /// Content, in order, dots undone.
    Content(&'a [u8]),
    /// Question: the message is complete, is it durable?
    MessageEnd,
    /// The session refuses the message: what was kept of it may go. The reply follows at its true end by itself.
    Discard(Refusal),
    /// The client gave up the transaction (RSET, EHLO): what was kept of it may go.
    Reset,
    /// Write the output, do the TLS handshake, then call [`Session::tls_started`]. All input was taken: plain text that
    /// came behind STARTTLS is dropped.
    StartTls,
    /// Write the output and close the connection.
    Close,
}

/// Why the session refuses a message by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More octets than [`Config::max_size`].
    TooLarge,
    /// A bare CR or LF under [`crate::BareNewlines::Refuse`].
    BareNewline,
}

impl Refusal {
    fn reply(self) -> Reply {
        match self {
            Self::TooLarge => replies::TOO_LARGE,
            Self::BareNewline => replies::BARE_NEWLINE,
        }
    }
}

/// The driver's answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, with the standard reply.
    Accept,
    /// Yes, with this reply; one that is not positive is replaced by the standard one.
    AcceptWith(Reply),
    /// No, with this reply; a positive one is replaced by 451. 421 ends the session.
    Refuse(Reply),
}

/// [`Session::answer`] was called without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SMTP session has no open question")]
pub struct NothingAsked;

impl Session {
    /// A session on a fresh connection; nothing is queued before [`Session::greet`].
    pub fn new(config: Config) -> Self {
        Self {
            tls: config.tls_active,
            config,
            state: State::Connected,
            lines: LineReader::default(),
            output: Vec::new(),
            hello: None,
            user: None,
            transaction: None,
            early_talker: false,
            errors: 0,
            auth_failures: 0,
            refused_recipients: 0,
            idle_commands: 0,
        }
    }

    /// Queues the 220 greeting. Input that is fed before it makes the client an early talker.
    pub fn greet(&mut self) {
        if matches!(self.state, State::Connected) {
            self.state = State::Command;
            self.queue(&Reply::new(220, None, format!("{} {}", self.config.hostname, self.config.banner)));
        }
    }

    /// Takes input up to the next event; returns how many octets were taken. The rest is fed again after the event.
    pub fn feed<'a>(&mut self, input: &'a [u8]) -> (usize, Event<'a>) {
        let mut used = 0;
        loop {
            if self.output.len() >= limits::OUTPUT_HIGH_WATER {
                return (used, Event::NeedFlush);
            }
            let rest = input.get(used..).unwrap_or_default();
            let (taken, event) = match self.state {
                State::Connected => self.early_input(rest),
                State::Command | State::Auth(_) => self.next_line(rest),
                State::Asked(_) => (0, Some(Event::NeedAnswer)),
                State::Transfer(_) => self.transfer(rest),
                State::StartTls => (rest.len(), Some(Event::NeedInput)),
                State::Closing => (rest.len(), Some(Event::Close)),
            };
            used += taken;
            match event {
                // Plain text behind STARTTLS is nobody's (RFC 3207 6).
                Some(Event::StartTls) => return (input.len(), Event::StartTls),
                Some(event) => return (used, event),
                None => {}
            }
        }
    }

    /// Answers the open question.
    pub fn answer(&mut self, verdict: Verdict) -> Result<(), NothingAsked> {
        let question = match std::mem::replace(&mut self.state, State::Command) {
            State::Asked(question) => question,
            other => {
                self.state = other;
                return Err(NothingAsked);
            }
        };
        let (accepted, reply) = match verdict {
            Verdict::Accept => (true, None),
            Verdict::AcceptWith(reply) => (true, Some(reply).filter(Reply::is_positive)),
            Verdict::Refuse(reply) if reply.is_positive() => (false, Some(replies::LOCAL_ERROR)),
            Verdict::Refuse(reply) => (false, Some(reply)),
        };
        let refusal = if accepted { None } else { Some(reply.clone().unwrap_or(replies::LOCAL_ERROR)) };
        match (question, refusal) {
            (Question::Auth { user }, None) => {
                self.user = Some(user);
                self.queue(&reply.unwrap_or(replies::AUTHENTICATED));
            }
            (Question::Auth { .. }, Some(refusal)) => self.auth_refused(refusal),
            (Question::Mail { smtputf8, binary }, None) => {
                self.transaction = Some(Transaction { smtputf8, binary, ..Transaction::default() });
                self.queue(&reply.unwrap_or(replies::SENDER_OK));
            }
            (Question::Mail { .. }, Some(refusal)) => self.fault(refusal),
            (Question::Rcpt, None) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.recipients += 1;
                }
                self.queue(&reply.unwrap_or(replies::RECIPIENT_OK));
            }
            (Question::Rcpt, Some(refusal)) => self.recipient_refused(refusal),
            (Question::MessageStart(transfer), None) => self.begin_transfer(transfer),
            (Question::MessageStart(transfer), Some(refusal)) => self.refuse_transfer(transfer, refusal),
            (Question::MessageEnd, None) => {
                self.transaction = None;
                self.idle_commands = 0;
                self.queue(&reply.unwrap_or(replies::ACCEPTED));
            }
            (Question::MessageEnd, Some(refusal)) => {
                self.transaction = None;
                self.queue(&refusal);
            }
        }
        Ok(())
    }

    /// Refuses the message whose content is coming in (the spool is full): the rest of it is dropped, and `reply` goes
    /// out at its true end. Without effect when none is coming in.
    pub fn refuse_content(&mut self, reply: Reply) {
        if let State::Transfer(transfer) = &mut self.state {
            transfer.refuse(if reply.is_positive() { replies::LOCAL_ERROR } else { reply });
        }
    }

    /// The handshake after [`Event::StartTls`] is done: everything the client said before it is forgotten
    /// (RFC 3207 4.2).
    pub fn tls_started(&mut self) {
        if matches!(self.state, State::StartTls) {
            self.state = State::Command;
            self.tls = true;
            self.lines = LineReader::default();
            self.hello = None;
            self.user = None;
            self.transaction = None;
        }
    }

    /// Ends the session with `reply` instead of what it was doing: [`replies::TIMED_OUT`], [`replies::SHUTTING_DOWN`],
    /// [`replies::TOO_BUSY`].
    pub fn close(&mut self, reply: &Reply) {
        if !matches!(self.state, State::Closing) {
            self.queue(reply);
            self.state = State::Closing;
        }
    }

    /// The replies queued since the last call, to be written in one go.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Whether there is something to write.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// How long the next octet of the client may take from now; [`replies::TIMED_OUT`] is due after it.
    pub fn timeout(&self) -> Duration {
        match self.state {
            State::Auth(_) => limits::AUTH_TIMEOUT,
            State::Transfer(_) => limits::BODY_TIMEOUT,
            State::StartTls => limits::TLS_TIMEOUT,
            _ => limits::COMMAND_TIMEOUT,
        }
    }

    /// Between two messages: a drain may close here without cutting a transaction.
    pub fn is_idle(&self) -> bool {
        self.transaction.is_none() && matches!(self.state, State::Connected | State::Command)
    }

    /// The client talked before the greeting.
    pub fn is_early_talker(&self) -> bool {
        self.early_talker
    }

    /// The connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The user that AUTH proved.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The name the client gave in EHLO or HELO.
    pub fn hello(&self) -> Option<&str> {
        self.hello.as_ref().map(|hello| hello.name.as_str())
    }

    /// The `with` of the Received field for the message of the current transaction (RFC 3848, RFC 6531 4.3).
    pub fn protocol(&self) -> &'static str {
        let utf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.smtputf8);
        let extended = self.hello.as_ref().is_some_and(|hello| hello.extended);
        match (utf8, self.tls, self.user.is_some()) {
            _ if !extended => "SMTP",
            (false, false, false) => "ESMTP",
            (false, true, false) => "ESMTPS",
            (false, false, true) => "ESMTPA",
            (false, true, true) => "ESMTPSA",
            (true, false, false) => "UTF8SMTP",
            (true, true, false) => "UTF8SMTPS",
            (true, false, true) => "UTF8SMTPA",
            (true, true, true) => "UTF8SMTPSA",
        }
    }

    fn early_input(&mut self, input: &[u8]) -> (usize, Option<Event<'static>>) {
        if input.is_empty() {
            return (0, Some(Event::NeedInput));
        }
        self.early_talker = true;
        if self.config.refuse_early_talkers {
            self.close(&replies::OUT_OF_STEP);
        } else {
            self.greet();
        }
        (0, None)
    }

    fn next_line<'a>(&mut self, input: &'a [u8]) -> (usize, Option<Event<'a>>) {
        if input.is_empty() {
            return (0, Some(Event::NeedInput));
        }
        let in_auth = matches!(self.state, State::Auth(_));
        let max = if in_auth { limits::AUTH_LINE_MAX } else { limits::COMMAND_LINE_MAX };
        let (used, line) = self.lines.next(input, max, self.config.bare_newlines);
        let event = match line {
            Line::Partial => Some(Event::NeedInput),
            Line::Complete(line) if in_auth => self.auth_line(&line),
            Line::Complete(line) => {
                let pipelined = used < input.len();
                self.command_line(&line, pipelined)
            }
            Line::BareNewline | Line::TooLong => {
                let reply = match line {
                    Line::BareNewline => replies::BARE_LF_IN_COMMAND,
                    _ if in_auth => replies::AUTH_LINE_TOO_LONG,
                    _ => replies::LINE_TOO_LONG,
                };
                // An AUTH exchange ends with it.
                self.state = State::Command;
                self.fault(reply);
                None
            }
        };
        (used, event)
    }

    fn auth_line(&mut self, line: &[u8]) -> Option<Event<'static>> {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Auth(exchange) => self.auth_progress(exchange.step(line)),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn auth_progress(&mut self, progress: Result<Progress, Reply>) -> Option<Event<'static>> {
        match progress {
            Ok(Progress::Challenge(exchange, reply)) => {
                self.queue(&reply);
                self.state = State::Auth(exchange);
                None
            }
            Ok(Progress::Complete(credentials)) => {
                self.state = State::Asked(Question::Auth { user: credentials.user.clone() });
                Some(Event::Auth(credentials))
            }
            Err(reply) => {
                self.fault(reply);
                None
            }
        }
    }

    fn auth_refused(&mut self, refusal: Reply) {
        self.auth_failures += 1;
        if self.auth_failures >= limits::AUTH_FAILURES_MAX {
            self.close(&replies::TOO_MANY_ERRORS);
        } else {
            self.queue(&refusal);
        }
    }

    fn recipient_refused(&mut self, refusal: Reply) {
        self.refused_recipients += 1;
        if self.refused_recipients > limits::REFUSED_RECIPIENTS_MAX {
            self.close(&replies::TOO_MANY_ERRORS);
        } else {
            self.queue(&refusal);
        }
    }

    fn auth_offered(&self) -> bool {
        match self.config.auth {
            AuthOffer::Never => false,
            AuthOffer::AfterTls => self.tls,
            AuthOffer::Always => self.tls || !self.config.require_tls,
        }
    }

    /// Queues a refusal that counts as the client's error.
    fn fault(&mut self, reply: Reply) {
        self.errors += 1;
        if self.errors > self.config.max_errors {
            self.close(&replies::TOO_MANY_ERRORS);
        } else {
            self.queue(&reply);
        }
    }

    fn queue(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
        if reply.closes() {
            self.state = State::Closing;
        }
    }
}
