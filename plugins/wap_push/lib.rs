//! Multimedia WAP push: the message is shown as a page, and a link to the page is pushed to the phone. For phones that cannot
//! fetch from us by MMS.
//!
//! - [`settings`]: the keys;
//! - [`era`]: whether a phone is one that follows pushed indications, by what is known of it;
//! - [`words`]: what the phone's owner reads, within one short message where that can be done;
//! - [`transport`]: one attempt;
//! - [`limits`]: every maximum of this crate.

pub mod era;
pub mod limits;
pub mod settings;
pub mod transport;
pub mod words;

use packetboat_api::plugin::{Plugin, Role};

pub use transport::WapPush;

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "wap_push",
    about: "Sends a link: the message is shown as a page, and its address goes to the phone by text or WAP push.",
    roles: &[Role::transport::<WapPush>()],
};
