//! The SMTP server session as a state machine without I/O: octets in, events and replies out.
//!
//! Mail and MM4 listeners share it. It speaks RFC 5321 with PIPELINING (RFC 2920), SIZE (RFC 1870), 8BITMIME (RFC 6152),
//! CHUNKING and BINARYMIME (RFC 3030), SMTPUTF8 (RFC 6531), DSN (RFC 3461), ENHANCEDSTATUSCODES (RFC 2034), STARTTLS
//! (RFC 3207, RFC 8314), AUTH PLAIN and LOGIN (RFC 4954) and DELIVERBY (RFC 2852). Commands are read by smtp-proto behind
//! checks of our own; lines and content are read here, to the letter: only CRLF ends a line and only CRLF.CRLF ends DATA.
//!
//! # Driving it
//!
//! The driver owns the socket, the clock and every decision. It feeds what it read and obeys the events; `feed` takes
//! what it can and leaves the rest, which is fed again.
//!
//! ```
//! use packetboat_smtp::{Config, Event, Session, Verdict, replies};
//!
//! let mut session = Session::new(Config::new("mms.example.net"));
//! session.greet();
//! let mut spool = Vec::new();
//! let mut sent = Vec::new();
//! let packets = [
//!     &b"EHLO phone.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<+447700900123@mms.example.net>\r\nDATA\r\n"[..],
//!     b"Subject: hello\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
//! ];
//! 'connection: for packet in packets {               // read with session.timeout()
//!     let mut input = packet;
//!     loop {
//!         let (used, event) = session.feed(input);
//!         input = &input[used..];
//!         match event {
//!             Event::NeedInput => break,             // write take_output() in one go, then read
//!             Event::NeedFlush => sent.extend(session.take_output()),
//!             Event::Rcpt(rcpt) if rcpt.recipient.domain() != Some("mms.example.net") => {
//!                 session.answer(Verdict::Refuse(replies::NO_RELAY)).unwrap();
//!             }
//!             Event::Auth(_) => session.answer(Verdict::Refuse(replies::AUTH_FAILED)).unwrap(),
//!             Event::Mail(_) | Event::Rcpt(_) | Event::MessageStart => session.answer(Verdict::Accept).unwrap(),
//!             Event::Content(octets) => spool.extend_from_slice(octets),
//!             Event::MessageEnd => session.answer(Verdict::Accept).unwrap(), // once it is durable (I-1)
//!             Event::Discard(_) | Event::Reset => spool.clear(),
//!             Event::StartTls => { /* write, do the handshake */ session.tls_started() }
//!             Event::NeedAnswer => unreachable!("every question above is answered"),
//!             Event::Close => break 'connection,
//!         }
//!     }
//!     sent.extend(session.take_output());
//! }
//! sent.extend(session.take_output());
//! assert_eq!(spool, b"Subject: hello\r\n\r\n.dot\r\n");
//! assert!(sent.ends_with(b"250 2.0.0 Message accepted\r\n221 2.0.0 Bye\r\n"));
//! ```
//!
//! - A question ([`Event::Auth`], [`Event::Mail`], [`Event::Rcpt`], [`Event::MessageStart`], [`Event::MessageEnd`]) may
//!   take its time: the driver keeps what it has read and does not feed until it has answered. A pipelined group gets
//!   its replies in one write; before a question that takes long, the output may be written early.
//! - [`Event::Content`] borrows from the input: it is written to the spool before the next `feed`.
//! - The reply to [`Event::MessageEnd`] comes after the durable commit.
//! - On a time-out or a drain: [`Session::close`] with the reply, write, close.
//!
//! # Map
//!
//! `session` the state machine · `command` one line to one command · `parameters`, `path`, `sasl` its parts · `line`,
//! `body` octets to lines and content · `reply`, [`replies`] what is answered · [`limits`] every maximum.

mod body;
mod command;
mod config;
pub mod limits;
mod line;
mod parameters;
mod path;
pub mod replies;
mod reply;
mod sasl;
mod session;

pub use config::{AuthOffer, BareNewlines, Config};
pub use parameters::{BodyType, DeliverBy, DeliverByMode, Mail, Notify, OriginalRecipient, Rcpt, Ret};
pub use path::{Mailbox, PathError};
pub use reply::{EnhancedCode, Reply};
pub use sasl::{Credentials, Mechanism};
pub use session::{Event, NothingAsked, Refusal, Session, Verdict};
