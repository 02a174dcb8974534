//! The commands: each in the states RFC 5321 4.1.4 allows it.

use super::transfer::Transfer;
use super::{Event, Hello, Question, Session, State};
use crate::command::{self, Command};
use crate::sasl::{self, Mechanism};
use crate::{AuthOffer, BareNewlines, BodyType, Mail, Rcpt, Reply, limits, replies};

impl Session {
    /// Obeys one command line. `pipelined` says that more input came with it.
    pub(super) fn command_line(&mut self, line: &[u8], pipelined: bool) -> Option<Event<'static>> {
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(reply) => {
                self.fault(reply);
                return None;
            }
        };
        match command {
            Command::Hello { extended, name } => self.greeted(extended, name),
            Command::Mail(mail) => self.asked_mail(mail),
            Command::Rcpt(rcpt) => self.asked_rcpt(rcpt),
            Command::Data => self.data(pipelined),
            Command::Chunk { size, last } => self.chunk(size, last),
            Command::BadChunk => self.last_words(&replies::BAD_CHUNK),
            Command::Http => self.last_words(&replies::NOT_HTTP),
            Command::Auth { mechanism, initial } => self.auth(mechanism, initial.as_deref()),
            Command::StartTls => self.start_tls(),
            Command::Reset => self.idle_command(&replies::OK, true),
            Command::Noop => self.idle_command(&replies::OK, false),
            Command::Verify => self.idle_command(&replies::CANNOT_VERIFY, false),
            Command::Help => self.idle_command(&replies::HELP, false),
            Command::NotImplemented => self.refused(replies::NOT_IMPLEMENTED),
            Command::Quit => self.last_words(&replies::BYE),
        }
    }

    /// EHLO and HELO; either ends a transaction (RFC 5321 4.1.4).
    fn greeted(&mut self, extended: bool, name: String) -> Option<Event<'static>> {
        self.hello = Some(Hello { extended, name });
        let mut text = self.config.hostname.clone();
        if extended {
            for line in self.extensions() {
                text.push('\n');
                text.push_str(&line);
            }
        }
        self.idle_command(&Reply::new(250, None, text), true)
    }

    fn extensions(&self) -> Vec<String> {
        let mut lines = vec!["PIPELINING".to_owned(), format!("SIZE {}", self.config.max_size)];
        if self.config.starttls && !self.tls {
            lines.push("STARTTLS".to_owned());
        }
        if self.auth_offered() {
            lines.push("AUTH PLAIN LOGIN".to_owned());
        }
        let always = ["ENHANCEDSTATUSCODES", "8BITMIME", "BINARYMIME", "CHUNKING", "DSN", "SMTPUTF8"];
        lines.extend(always.map(str::to_owned));
        if self.config.deliver_by {
            lines.push("DELIVERBY".to_owned());
        }
        lines.push("HELP".to_owned());
        lines
    }

    fn asked_mail(&mut self, mail: Box<Mail>) -> Option<Event<'static>> {
        if self.hello.is_none() {
            return self.refused(replies::HELLO_FIRST);
        }
        if self.config.require_tls && !self.tls {
            return self.refused(replies::TLS_REQUIRED);
        }
        if self.config.require_auth && self.user.is_none() {
            return self.refused(replies::AUTH_REQUIRED);
        }
        if self.transaction.is_some() {
            return self.refused(replies::BAD_SEQUENCE);
        }
        if !mail.smtputf8 && mail.sender.as_ref().is_some_and(|sender| !sender.is_ascii()) {
            return self.refused(replies::NEEDS_SMTPUTF8);
        }
        if mail.size.is_some_and(|size| size > self.config.max_size) {
            return self.refused(replies::TOO_LARGE);
        }
        let binary = mail.body == BodyType::BinaryMime;
        self.state = State::Asked(Question::Mail { smtputf8: mail.smtputf8, binary });
        Some(Event::Mail(mail))
    }

    fn asked_rcpt(&mut self, rcpt: Box<Rcpt>) -> Option<Event<'static>> {
        let Some(transaction) = &self.transaction else {
            return self.refused(replies::MAIL_FIRST);
        };
        if transaction.chunks.is_some() {
            return self.refused(replies::BAD_SEQUENCE);
        }
        if !transaction.smtputf8 && !rcpt.recipient.is_ascii() {
            return self.refused(replies::NEEDS_SMTPUTF8);
        }
        if transaction.recipients >= self.config.max_recipients {
            self.queue(&replies::TOO_MANY_RECIPIENTS);
            return None;
        }
        self.state = State::Asked(Question::Rcpt);
        Some(Event::Rcpt(rcpt))
    }

    /// DATA must be the last command of a pipelined group (RFC 2920 3.1). What came behind it is content sent blindly,
    /// and would be read as commands if DATA were refused.
    fn data(&mut self, pipelined: bool) -> Option<Event<'static>> {
        let refusal = match &self.transaction {
            None => Some(replies::MAIL_FIRST),
            Some(transaction) if transaction.chunks.is_some() => Some(replies::BAD_SEQUENCE),
            Some(transaction) if transaction.binary => Some(replies::BINARY_NEEDS_BDAT),
            Some(transaction) if transaction.recipients == 0 => Some(replies::NO_RECIPIENTS),
            Some(_) => None,
        };
        if pipelined && (refusal.is_some() || self.config.bare_newlines == BareNewlines::Refuse) {
            return self.last_words(&replies::OUT_OF_STEP);
        }
        if let Some(refusal) = refusal {
            return self.refused(refusal);
        }
        self.state = State::Asked(Question::MessageStart(Transfer::data(self.config.bare_newlines)));
        Some(Event::MessageStart)
    }

    fn auth(&mut self, mechanism: Option<Mechanism>, initial: Option<&str>) -> Option<Event<'static>> {
        if self.config.auth == AuthOffer::Never {
            return self.refused(replies::NOT_IMPLEMENTED);
        }
        if self.hello.is_none() {
            return self.refused(replies::HELLO_FIRST);
        }
        if self.user.is_some() || self.transaction.is_some() {
            return self.refused(replies::BAD_SEQUENCE);
        }
        if !self.auth_offered() {
            return self.refused(replies::AUTH_NEEDS_TLS);
        }
        let Some(mechanism) = mechanism else {
            return self.refused(replies::UNKNOWN_MECHANISM);
        };
        self.auth_progress(sasl::begin(mechanism, initial))
    }

    fn start_tls(&mut self) -> Option<Event<'static>> {
        if !self.config.starttls {
            return self.refused(replies::NOT_IMPLEMENTED);
        }
        if self.tls {
            return self.refused(replies::BAD_SEQUENCE);
        }
        self.queue(&replies::START_TLS);
        self.transaction = None;
        self.state = State::StartTls;
        Some(Event::StartTls)
    }

    /// A command that moves no mail; bounded, so that a client cannot sit here for ever.
    fn idle_command(&mut self, reply: &Reply, resets: bool) -> Option<Event<'static>> {
        self.queue_idle(reply);
        let had_transaction = self.transaction.is_some();
        if resets {
            self.transaction = None;
        }
        (resets && had_transaction).then_some(Event::Reset)
    }

    /// Queues the reply to a command that moved no mail.
    pub(super) fn queue_idle(&mut self, reply: &Reply) {
        self.idle_commands += 1;
        if self.idle_commands > limits::IDLE_COMMANDS_MAX {
            self.close(&replies::TOO_MANY_COMMANDS);
        } else {
            self.queue(reply);
        }
    }

    fn refused(&mut self, reply: Reply) -> Option<Event<'static>> {
        self.fault(reply);
        None
    }

    fn last_words(&mut self, reply: &Reply) -> Option<Event<'static>> {
        self.close(reply);
        None
    }
}
