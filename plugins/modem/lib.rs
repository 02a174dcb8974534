//! x
use packetboat_api::plugin::Plugin;
/// x
pub static PLUGIN: Plugin = Plugin { name: "modem", about: "x", roles: &[] };
