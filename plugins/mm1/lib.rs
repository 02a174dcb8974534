//! The door for handsets: MM1 over HTTP (OMA-TS-MMS_ENC, OMA-AD-MMS 8). Phones post their PDUs and fetch what they were
//! told of.
//!
//! - [`settings`]: the keys;
//! - [`identity`]: who a phone is, by the network's word (I-7);
//! - [`door`]: HTTP, one connection at a time;
//! - [`submit`], [`receive`], [`forward`]: what each PDU asks for, and the PDU that answers;
//! - [`retrieve`]: a stored message as m-retrieve-conf, its content streamed from the store (I-6);
//! - [`sighting`], [`profile`], [`uaprof`]: what phones show of themselves, for the memory of phones;
//! - [`answers`]: refusals as status values, once.

pub mod answers;
pub mod door;
pub mod forward;
pub mod identity;
pub mod limits;
pub mod profile;
pub mod receive;
pub mod retrieve;
pub mod settings;
pub mod sighting;
pub mod submit;
pub mod uaprof;

use packetboat_api::plugin::{Plugin, Role};

pub use door::Mm1;

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "mm1",
    about: "The door for handsets: takes their submissions and serves their retrievals over HTTP.",
    roles: &[Role::listener::<Mm1>()],
};
