//! Direct delivery: we are the MMSC. The message is stored already; its phone is told where to fetch it by an
//! m-notification-ind in a WAP push, and what the phone does then is evidence (I-3).
//!
//! - [`settings`]: the keys;
//! - [`notification`]: what the phone is told, within the budget of one short message;
//! - [`transport`]: one attempt.

pub mod notification;
pub mod settings;
pub mod transport;

use packetboat_api::plugin::{Plugin, Role};

pub use transport::Direct;

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "direct",
    about: "Direct delivery: tells the phone by WAP push, and the phone fetches from our handset door.",
    roles: &[Role::transport::<Direct>()],
};
