//! Settings of the handset door.

use std::path::PathBuf;

use ipnet::IpNet;
use packetboat_api::serve::Listen;
use packetboat_api::units::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[listener.NAME] plugin = "mm1"`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Mm1Settings {
    /// Where to listen, and how.
    #[serde(flatten)]
    pub listen: Listen,
    /// The address phones reach this door at, as the notification gives it. A host name, not an address, so that phones on
    /// IPv4 and IPv6 both find it; short, so that the notification stays one short message. Default: where it listens.
    #[schemars(example = &"http://mms.example.net:8002")]
    pub public_url: Option<String>,
    /// Networks of the operator's proxies. Only their word about who a phone is counts.
    #[schemars(with = "Vec<String>", example = ["10.20.0.0/16"])]
    pub trusted_proxies: Vec<IpNet>,
    /// Header fields in which those proxies name the phone's number. List only what your proxies set themselves: when a
    /// request names two numbers, nobody is believed.
    pub msisdn_headers: Vec<String>,
    /// File of subscribers: numbers with the secret in their MMSC address, or the IP addresses they come from.
    #[schemars(example = &"subscribers.toml")]
    pub subscribers: Option<PathBuf>,
    /// Keep connections open for further requests. Some phones' networks want them closed, and some phones hang when
    /// they are not.
    pub keep_alive: bool,
    /// How long an upload may take: phones are slow, and count their own minutes.
    pub upload_time: Period,
    /// How long a phone may take to read an answer.
    pub download_time: Period,
    /// Where the descriptions are fetched from that phones refer to (UAProf), to learn what they can show: `"public"` is the
    /// public internet only, `"any"` is any address, for laboratories, and `"off"` fetches none.
    #[schemars(example = &"public")]
    pub profiles: ProfileSource,
}

/// Where phones' descriptions are fetched from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProfileSource {
    /// Hosts by name in the public internet, on the ports of the web. A phone cannot make us ask inside our own network.
    #[default]
    Public,
    /// Whatever address a phone names, our own network's and this machine's among them.
    Any,
    /// Nowhere.
    Off,
}

impl Default for Mm1Settings {
    fn default() -> Self {
        let headers = ["X-WAP-Network-Client-MSISDN", "X-MSISDN", "X-Nokia-MSISDN", "X-Up-Calling-Line-ID", "X-MDN"];
        Mm1Settings {
            listen: Listen { listen: vec!["127.0.0.1:8002".to_owned()], ..Listen::default() },
            public_url: None,
            trusted_proxies: Vec::new(),
            msisdn_headers: headers.map(str::to_owned).to_vec(),
            subscribers: None,
            keep_alive: false,
            upload_time: Period::minutes(10),
            download_time: Period::minutes(10),
            profiles: ProfileSource::Public,
        }
    }
}
