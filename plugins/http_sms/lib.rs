//! Bearer: any SMS gateway that speaks HTTP, described by templates in the config.
//!
//! In the order in which a message meets them: [`settings`], [`template`] (what may stand in a template), [`request`] (a
//! piece becomes an HTTP request), [`bearer`] (sending), [`answer`] (what the gateway's answer means). The gateway calls
//! back ([`callbacks`]) with [`receipts`] and with [`arrivals`], whose values are found by [`fields`].

pub mod answer;
pub mod arrivals;
pub mod bearer;
pub mod callbacks;
pub mod fields;
pub mod limits;
pub mod receipts;
pub mod request;
pub mod settings;
pub mod template;

use packetboat_api::plugin::{Plugin, Role};

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "http_sms",
    about: "Carries WAP pushes and texts over any SMS gateway that speaks HTTP, by templates.",
    roles: &[Role::bearer::<bearer::HttpSms>()],
};
