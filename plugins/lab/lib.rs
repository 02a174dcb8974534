//! A bearer without a radio: short messages are cut exactly as for a network and posted to an HTTP address, where virtual
//! handsets (or a test) put them together again.

pub mod bearer;
pub mod settings;

use packetboat_api::plugin::{Plugin, Role};

pub use bearer::LabBearer;

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "lab",
    about: "A bearer without a radio: posts short messages to an HTTP address, for laboratories and tests.",
    roles: &[Role::bearer::<LabBearer>()],
};
