//! An SMTP client (RFC 5321) over lettre's connection: pools, transactions, a verdict per recipient.
//!
//! - [`Client`] keeps connections per [`Destination`], at most so many at once, each used for several messages.
//! - [`Mail`] is one message to the recipients of one destination; [`Content`] its octets, made fit for DATA once.
//! - [`Outcome`] has a reply or a [`Refused`] for each recipient, and says whether the next hop took over the duty to
//!   report (DSN, RFC 3461).
//!
//! What is used of ESMTP when it is offered: PIPELINING (RFC 2920), SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8
//! (RFC 6531), DSN (RFC 3461), STARTTLS (RFC 3207), AUTH (RFC 4954).
//!
//! Failure story: every command has a time-out, after which the connection is thrown away. A connection that was kept
//! and turns out dead is replaced by a new one as long as the server has answered nothing. What is lost before the end
//! of DATA was never taken and may be sent again; what is lost between the end of DATA and its reply may have been taken
//! ([`Fault::Unknown`]): sent again it may arrive twice, not sent again it may be lost, and I-2 chooses the former.

mod command;
mod connection;
mod content;
mod features;
mod pool;
mod tap;
mod transaction;

use std::time::Duration;

pub use content::Content;
use packetboat_api::message::Notify;
pub use packetboat_smtp::{EnhancedCode, Mailbox, Reply};
pub use pool::Client;

/// Most recipients of one transaction: what every server takes (RFC 5321 4.5.3.1.8).
pub const RECIPIENTS: usize = 100;

/// Whether and how a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Never.
    None,
    /// STARTTLS when it is offered, any certificate; in the clear when it is not offered or fails (RFC 7435).
    #[default]
    Opportunistic,
    /// STARTTLS with a certificate that verifies, or nothing.
    Required,
    /// TLS from the first octet on, with a certificate that verifies (RFC 8314 3).
    Implicit,
}

/// How a [`Client`] behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name it gives in EHLO.
    pub helo: String,
    /// Encryption.
    pub tls: TlsPolicy,
    /// User name and password for AUTH PLAIN or LOGIN. Sent in the clear under [`TlsPolicy::None`] only.
    pub credentials: Option<(String, String)>,
    /// Longest time for a connection to one address, its TLS handshake, and its greeting, each.
    pub connect_timeout: Duration,
    /// Longest wait for the reply to a command (RFC 5321 4.5.3.2 asks for 5 minutes).
    pub command_timeout: Duration,
    /// Longest time to send a message and to get the reply to it (RFC 5321 4.5.3.2.6 asks for 10 minutes).
    pub data_timeout: Duration,
    /// Most connections to one destination at once.
    pub max_connections: usize,
    /// Most messages over one connection.
    pub max_messages: u32,
    /// Oldest a connection may become.
    pub max_age: Duration,
    /// Longest a connection is kept without use.
    pub max_idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            helo: "localhost".to_owned(),
            tls: TlsPolicy::default(),
            credentials: None,
            connect_timeout: Duration::from_secs(30),
            command_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(600),
            max_connections: 10,
            max_messages: 100,
            max_age: Duration::from_secs(300),
            max_idle: Duration::from_secs(20),
        }
    }
}

/// Where mail goes: hosts to try one after the other. Connections are shared by equal names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// What it is called: the recipients' domain, or the smart host.
    pub name: String,
    /// Host names or addresses, the first one first.
    pub hosts: Vec<String>,
    /// TCP port.
    pub port: u16,
}

/// One message to the recipients of one destination.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The return path; `None` is the null sender (RFC 5321 4.5.5).
    pub sender: Option<Mailbox>,
    /// To whom, at most [`RECIPIENTS`].
    pub recipients: Vec<Recipient>,
    /// ENVID (RFC 3461 4.4).
    pub envelope_id: Option<String>,
    /// RET: whether a failure report should hold headers only (`Some(true)`) or all of it (RFC 3461 4.3).
    pub headers_only: Option<bool>,
    /// The message.
    pub content: Content,
}

/// One recipient of a [`Mail`].
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The address.
    pub to: Mailbox,
    /// Which reports are asked for (RFC 3461 4.1); the default asks for nothing.
    pub notify: Notify,
    /// ORCPT: the address as first written, `type;address`, xtext undone (RFC 3461 4.2).
    pub original: Option<String>,
}

/// What became of a [`Mail`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For each recipient, in order: the reply to the end of DATA, or why it was not taken.
    pub replies: Vec<Result<Reply, Refused>>,
    /// DSN was announced, so that what was asked for was passed on: the next hop reports.
    pub dsn: bool,
    /// The host that answered.
    pub peer: Option<String>,
    /// Whether the transaction was encrypted.
    pub secure: bool,
}

impl Outcome {
    /// The same refusal for every one of `count` recipients.
    fn refused(count: usize, refused: &Refused) -> Outcome {
        Outcome { replies: vec![Err(refused.clone()); count], dsn: false, peer: None, secure: false }
    }
}

/// Why a recipient was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refused {
    /// The kind.
    pub fault: Fault,
    /// The peer's reply with its code, or what went wrong, in words.
    pub text: String,
    /// The enhanced status code (RFC 3463): the peer's, or the one that fits.
    pub status: EnhancedCode,
}

/// The closed list of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The peer will never take it (5yz), or cannot.
    Permanent,
    /// The peer does not take it now (4yz), or the connection was lost before it could.
    Temporary,
    /// Nobody to talk to: no address, no connection, no encryption, no authentication.
    NotReached,
    /// All connections to the destination are in use.
    Busy,
    /// The connection was lost after the message was sent and before it was acknowledged: it may have been taken. To be
    /// tried again like [`Fault::Temporary`], and then it may arrive twice.
    Unknown,
}

impl Refused {
    fn new(fault: Fault, status: (u8, u16, u16), text: impl Into<String>) -> Refused {
        Refused { fault, text: text.into(), status: EnhancedCode::new(status.0, status.1, status.2) }
    }

    /// A negative reply to `command`.
    fn reply(host: &str, command: &str, reply: &Reply) -> Refused {
        let fault = if reply.is_permanent() { Fault::Permanent } else { Fault::Temporary };
        let class = if fault == Fault::Permanent { 5 } else { 4 };
        let status = reply.enhanced.unwrap_or(fitting(class, command, reply.code));
        let text = format!("{host} said to {command}: {}", reply.to_string().replace('\n', " "));
        Refused { fault, text, status }
    }
}

/// The enhanced code for a reply that has none (RFC 3463 3; RFC 5248 2.4 pairs the basic codes).
fn fitting(class: u8, command: &str, code: u16) -> EnhancedCode {
    let (subject, detail) = match (command, code) {
        (_, 552) => (3, 4),
        (_, 452) => (3, 1),
        ("RCPT", 550 | 551) => (1, 1),
        ("RCPT", 553 | 501) => (1, 3),
        ("RCPT", 450 | 451) => (2, 0),
        (_, 521 | 556) => (1, 10),
        (_, 530 | 535 | 538) => (7, 0),
        _ => (0, 0),
    };
    EnhancedCode::new(class, subject, detail)
}
