//! The keys of `[transport.NAME]` with `plugin = "mail"`.

use std::path::PathBuf;

use packetboat_api::settings::Secret;
use packetboat_api::units::Period;
use packetboat_net::smtp::TlsPolicy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where mail goes, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct MailSettings {
    /// To one host for all mail, or to the mail hosts of each recipient's domain.
    pub route: RouteBy,
    /// The host for all mail; port 25 unless it names another.
    #[schemars(example = "smtp.example.net:587")]
    pub smart_host: Option<String>,
    /// The port of mail hosts found by MX.
    pub port: u16,
    /// Encryption of the connections.
    pub tls: Tls,
    /// File with the certificate authorities (PEM) to believe instead of the machine's.
    pub ca_file: Option<PathBuf>,
    /// User name for AUTH at the smart host.
    #[schemars(example = &"packetboat")]
    pub username: Option<String>,
    /// Password for AUTH at the smart host. Never sent in the clear unless `tls` is "none".
    #[schemars(example = Secret::File("/etc/packetboat/smtp.secret".into()))]
    pub password: Option<Secret>,
    /// The domain in which phones have their mail addresses, `+447700900123@DOMAIN`. Replies and bounces have to reach
    /// this node there, and its SPF record has to allow the hosts this mail comes from. The node's name when left out.
    #[schemars(example = &"mms.example.net")]
    pub domain: Option<String>,
    /// The name given in EHLO. The node's name when left out.
    #[schemars(example = &"mmsc1.example.net")]
    pub helo: Option<String>,
    /// Address and port of the name server to ask instead of the machine's.
    #[schemars(example = &"127.0.0.1:53")]
    pub nameserver: Option<String>,
    /// Most messages on their way at once, over all destinations.
    pub concurrency: usize,
    /// Most connections at once to one destination: the smart host, or one recipient domain.
    pub connections_per_domain: usize,
    /// Most messages over one connection.
    pub messages_per_connection: u32,
    /// Oldest a connection may become.
    pub connection_age: Period,
    /// Longest a connection is kept without use.
    pub connection_idle: Period,
    /// Longest time to connect to one address, and for the TLS handshake.
    pub connect_timeout: Period,
    /// Longest wait for the reply to a command.
    pub command_timeout: Period,
    /// Longest time to send a message and get the reply to it.
    pub data_timeout: Period,
    /// Attach an MMS's presentation (SMIL) too; mail programs show it as a file nobody can open.
    pub keep_presentation: bool,
    /// Give a message without a subject the first words of its text as one.
    pub subject_from_text: bool,
}

/// How the next hop is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteBy {
    /// `smart_host` takes all mail.
    #[default]
    SmartHost,
    /// The mail hosts of the recipient's domain (RFC 5321 5.1).
    Mx,
}

/// Encryption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Never.
    None,
    /// STARTTLS when it is offered, whatever the certificate; in the clear when it is not.
    #[default]
    Opportunistic,
    /// STARTTLS with a certificate that verifies, or nothing is sent.
    Required,
    /// TLS from the first octet on (port 465), with a certificate that verifies.
    Implicit,
}

impl From<Tls> for TlsPolicy {
    fn from(tls: Tls) -> TlsPolicy {
        match tls {
            Tls::None => TlsPolicy::None,
            Tls::Opportunistic => TlsPolicy::Opportunistic,
            Tls::Required => TlsPolicy::Required,
            Tls::Implicit => TlsPolicy::Implicit,
        }
    }
}

impl Default for MailSettings {
    fn default() -> Self {
        MailSettings {
            route: RouteBy::default(),
            smart_host: None,
            port: 25,
            tls: Tls::default(),
            ca_file: None,
            username: None,
            password: None,
            domain: None,
            helo: None,
            nameserver: None,
            concurrency: 64,
            connections_per_domain: 10,
            messages_per_connection: 100,
            connection_age: Period::minutes(5),
            connection_idle: Period::seconds(20),
            connect_timeout: Period::seconds(30),
            command_timeout: Period::minutes(2),
            data_timeout: Period::minutes(10),
            keep_presentation: false,
            subject_from_text: true,
        }
    }
}
