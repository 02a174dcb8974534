//! Bearer: WAP pushes over an operator's push proxy gateway (PPG), by the Push Access Protocol (WAP-247-PAP).
//!
//! A push becomes one submission by HTTP ([`submission`]), whose answer says whether the gateway took it ([`answer`]). Later
//! the gateway may tell what became of it, which becomes evidence ([`notification`]). The plugin keeps nothing on disk.

pub mod answer;
pub mod bearer;
pub mod limits;
pub mod notification;
pub mod settings;
pub mod submission;

use packetboat_api::plugin::{Plugin, Role};

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "pap",
    about: "Carries WAP pushes over an operator's push proxy gateway (PAP).",
    roles: &[Role::bearer::<bearer::PapBearer>()],
};
