//! Bearer: WAP pushes over a Kannel gateway.
//!
//! A push becomes one HTTP request to smsbox's `sendsms` for each short message it takes ([`request`]), and Kannel's
//! delivery callbacks, which carry an unguessable token ([`token`]), become evidence ([`callbacks`]). The
//! plugin keeps nothing on disk: a callback is understood after a restart too.

pub mod bearer;
pub mod callbacks;
pub mod limits;
pub mod request;
pub mod settings;
pub mod token;

use packetboat_api::plugin::{Plugin, Role};

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "kannel",
    about: "Carries WAP pushes over a Kannel gateway (smsbox sendsms).",
    roles: &[Role::bearer::<bearer::KannelBearer>()],
};
