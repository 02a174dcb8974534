//! Bearer: short messages over SMPP 3.4 connections to an SMSC.
//!
//! In the order a push goes through it:
//!
//! - [`settings`]: the keys; [`limits`]: every maximum;
//! - [`bearer`]: takes a push, waits for its turn, and says what became of it;
//! - [`submit`]: one short message becomes a `submit_sm`;
//! - [`sending`]: what is known of each short message of a push, so that a repetition sends only what was not taken;
//! - [`pace`]: slows down when the SMSC says so;
//! - [`link`](mod@link): one connection, made again whenever it is lost; [`session`]: one bound connection;
//! - [`wire`]: PDUs and their fields; [`status`]: what `command_status` means;
//! - [`incoming`]: what the SMSC delivers: [`receipt`]s become evidence through [`tickets`], messages go to the api.

pub mod bearer;
pub mod core;
pub mod incoming;
pub mod limits;
pub mod link;
pub mod pace;
pub mod receipt;
pub mod sending;
pub mod session;
pub mod settings;
pub mod status;
pub mod submit;
pub mod tickets;
pub mod wire;

use packetboat_api::plugin::{Plugin, Role};

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "smpp",
    about: "Carries WAP pushes and texts over SMPP 3.4 connections to an SMSC.",
    roles: &[Role::bearer::<bearer::SmppBearer>()],
};
