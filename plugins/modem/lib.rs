//! Bearer: short messages through a GSM modem on a serial line, or behind a TCP port.
//!
//! One task has the line ([`session`]): it opens the device, sets the modem up ([`setup`]), sends what it is given, takes
//! what arrives ([`receive`]) and matches status reports to what was sent ([`reports`]). When the device goes away it is
//! opened again, more and more slowly. The bearer ([`bearer`]) cuts messages and hands their parts over one at a time.
//! What modems say is read by `packetboat_sms::at`; [`dialogue`] adds time to it.

pub mod bearer;
pub mod device;
pub mod dialogue;
pub mod limits;
pub mod receive;
pub mod reports;
pub mod session;
pub mod settings;
pub mod setup;
pub mod status;
pub mod unfinished;

use packetboat_api::plugin::{Plugin, Role};

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "modem",
    about: "Carries short messages through a GSM modem (AT commands, PDU mode).",
    roles: &[Role::bearer::<bearer::ModemBearer>()],
};
