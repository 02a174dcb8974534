//! Settings of the SMTP listener.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;
use packetboat_api::serve::Listen;
use packetboat_api::units::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[listener.NAME] plugin = "smtp"`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct SmtpSettings {
    /// Where to listen, and how.
    #[serde(flatten)]
    pub listen: Listen,
    /// Domains whose addresses are handsets: `+447700900123@mms.example.net` is a phone. National forms are read by
    /// `[numbers]`.
    #[schemars(example = ["mms.example.net"])]
    pub domains: Vec<String>,
    /// Further local parts at those domains and where they lead: `postmaster = "ops@example.net"`, `"door" = "+447700900123"`.
    pub aliases: BTreeMap<String, String>,
    /// The name in the greeting; the node's name when left out.
    pub hostname: Option<String>,
    /// File of users who may submit: one a line, `name:argon2-hash`, and after a further colon the sender addresses that user
    /// may use, separated by commas (`*@example.net` allows a domain).
    #[schemars(example = &"users")]
    pub users: Option<PathBuf>,
    /// Offer AUTH without TLS: passwords can then be read on the network. For old devices on a trusted one.
    pub auth_without_tls: bool,
    /// Refuse mail before STARTTLS.
    pub require_tls: bool,
    /// Networks whose hosts may submit without a password.
    #[schemars(with = "Vec<String>", example = ["192.168.1.0/24"])]
    pub trusted_networks: Vec<IpNet>,
    /// Take mail for handsets from senders nobody vouches for. Rules still decide; other domains are never relayed to.
    pub strangers: bool,
    /// What happens to a CR or LF that is not part of a line end: `refuse` the message, or `fix` it for old devices. Never
    /// `fix` on a listener that the Internet reaches.
    pub bare_newlines: BareNewlines,
    /// Most recipients of one mail; `[limits] recipients` when left out.
    pub recipients: Option<u32>,
    /// Largest mail as it is transferred; about a third more than what it holds.
    pub mail_size: ByteSize,
}

/// What happens to a CR or LF that is not part of a line end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BareNewlines {
    /// The message is refused.
    #[default]
    Refuse,
    /// It is made a line end.
    Fix,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        SmtpSettings {
            listen: Listen { listen: vec!["127.0.0.1:2525".to_owned()], ..Listen::default() },
            domains: Vec::new(),
            aliases: BTreeMap::new(),
            hostname: None,
            users: None,
            auth_without_tls: false,
            require_tls: false,
            trusted_networks: Vec::new(),
            strangers: false,
            bare_newlines: BareNewlines::Refuse,
            recipients: None,
            mail_size: ByteSize::mib(14),
        }
    }
}
