//! Transport: messages, delivery reports and read reports to mailboxes.
//!
//! A message becomes Internet mail as RFC 4356 maps it ([`letter`]), its parties become mail addresses ([`names`]), a
//! report becomes a DSN or an MDN ([`report`]), and the client of `packetboat-net` sends it to a smart host or to the
//! recipient domain's mail hosts ([`route`], [`transport`]). Recipients of one destination share a transaction, and each
//! gets a verdict of its own.
//!
//! Failure story: what the next hop refuses for good fails with its words and its enhanced code; everything else is
//! deferred. When a connection is lost between the end of the message and the reply to it, the message is sent again and
//! may arrive twice, under the same Message-ID (I-2). Handing over is not delivery (I-3): with DSN the next hop is asked
//! to report when the sender wants to know.

pub mod letter;
pub mod names;
pub mod report;
pub mod route;
pub mod settings;
pub mod transport;

use packetboat_api::plugin::{Plugin, Role};

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "mail",
    about: "Sends messages and reports to mailboxes, over a smart host or by MX.",
    roles: &[Role::transport::<transport::MailTransport>()],
};
