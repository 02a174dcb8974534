//! Bearer: WAP pushes, data and texts over a Kannel gateway, and short messages that arrive there.
//!
//! What is sent becomes one HTTP request to smsbox's `sendsms` for each short message it takes ([`bearer`], [`request`]).
//! smsbox calls back ([`callbacks`]): delivery reports, whose addresses carry an unguessable token, become evidence
//! ([`receipts`]), and short messages that arrived are offered to those who take an interest ([`arrivals`]). The plugin keeps
//! nothing on disk: a report is understood after a restart too.

pub mod arrivals;
pub mod bearer;
pub mod callbacks;
pub mod limits;
pub mod receipts;
pub mod request;
pub mod settings;

use packetboat_api::plugin::{Plugin, Role};

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "kannel",
    about: "Carries WAP pushes and texts over a Kannel gateway (smsbox sendsms), and takes what arrives there.",
    roles: &[Role::bearer::<bearer::KannelBearer>()],
};
