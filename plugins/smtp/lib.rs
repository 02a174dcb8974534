//! Receives mail by SMTP: from mail servers, from people's mail programs, from devices that can do nothing else.
//!
//! - [`settings`]: the keys;
//! - [`users`]: who may submit, by password;
//! - [`address`]: which addresses are handsets (case D-10), and header fields in the road's form;
//! - [`answers`]: refusals as SMTP replies, once;
//! - [`listener`]: a connection; [`transaction`]: one message of it.

pub mod address;
pub mod answers;
pub mod listener;
pub mod settings;
pub mod transaction;
pub mod users;

use packetboat_api::plugin::{Plugin, Role};

pub use listener::SmtpListener;

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "smtp",
    about: "Receives mail by SMTP, with STARTTLS, AUTH, CHUNKING, DSN and SMTPUTF8.",
    roles: &[Role::listener::<SmtpListener>()],
};
