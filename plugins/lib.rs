//! THE list: one line per plugin. `ls plugins` is the feature list; what is not named here is not in the daemon.
//!
//! To run with a plugin of your own, copy this file with one line added (see `README.md`).

use packetboat_api::plugin::Plugin;

/// Every plugin of this build.
pub static PLUGINS: &[&Plugin] = &[
    &packetboat_plugin_direct::PLUGIN,
    &packetboat_plugin_http_sms::PLUGIN,
    &packetboat_plugin_kannel::PLUGIN,
    &packetboat_plugin_lab::PLUGIN,
    &packetboat_plugin_mail::PLUGIN,
    &packetboat_plugin_mm1::PLUGIN,
    &packetboat_plugin_modem::PLUGIN,
    &packetboat_plugin_pages::PLUGIN,
    &packetboat_plugin_pap::PLUGIN,
    &packetboat_plugin_provision::PLUGIN,
    &packetboat_plugin_smpp::PLUGIN,
    &packetboat_plugin_smtp::PLUGIN,
    &packetboat_plugin_wap_push::PLUGIN,
];

/// The list, checked: two plugins of one name are a mistake of whoever built this, and are found at once.
///
/// # Panics
/// When two plugins have the same name.
pub fn all() -> &'static [&'static Plugin] {
    for (at, plugin) in PLUGINS.iter().enumerate() {
        let twin = PLUGINS[..at].iter().any(|earlier| earlier.name == plugin.name);
        assert!(!twin, "two plugins are called \"{}\"; rename one of them in plugins/lib.rs", plugin.name);
    }
    PLUGINS
}
