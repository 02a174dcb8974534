//! The socket side that several plugins share.
//!
//! - [`bearer`]: turns, references, receipts and arrivals of bearers.
//! - [`callback`]: a bounded HTTP server for what gateways call us about.
//! - [`http`]: a bounded HTTP client for gateways (bearers, hooks).
//! - [`reach`]: how far a client may reach, when strangers name what it asks for.
//! - [`tls`]: TLS as a client: whom to believe.
//! - [`dns`]: where the mail of a domain goes (MX, RFC 5321 5.1).
//! - [`smtp`]: an SMTP client: a pool of connections per destination and a transaction with a reply per recipient.
//!
//! Nothing in here knows what a message means; everything that waits has a time-out, everything that grows a bound (I-8).

pub mod bearer;
pub mod callback;
pub mod dns;
pub mod http;
pub mod reach;
pub mod smtp;
pub mod tls;
