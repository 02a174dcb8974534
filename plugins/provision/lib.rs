//! Settings for phones: an access point, a proxy, the address of our MMS centre, sent over the air (OMA Client Provisioning).
//!
//! The third remedy for a phone that cannot fetch from us: it is told to use an access point from which it can.
//!
//! - [`settings`]: the keys;
//! - [`profile`]: a file of settings, and the documents made of it;
//! - [`transport`]: one attempt.

pub mod limits;
pub mod profile;
pub mod settings;
pub mod transport;

use packetboat_api::plugin::{Plugin, Role};

pub use transport::Provision;

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "provision",
    about: "Sends settings to phones over the air, so that they can fetch from us (OMA Client Provisioning).",
    roles: &[Role::transport::<Provision>()],
};
