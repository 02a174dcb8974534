//! The keys of `[bearer.NAME]` with `plugin = "pap"`.

use std::path::PathBuf;

use packetboat_api::settings::Secret;
use packetboat_api::units::Period;
use packetboat_push::pap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A push proxy gateway and how to use it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct PapSettings {
    /// Address to which submissions are posted.
    #[schemars(example = "https://ppg.operator.example:9002/pap")]
    pub url: String,
    /// The gateway's name in the addresses of phones, `WAPPUSH=+447700900123/TYPE=PLMN@NAME`. The host of `url` when empty.
    #[schemars(example = "ppg.operator.example")]
    pub ppg_host: String,
    /// User name for HTTP Basic authentication; none when empty.
    #[schemars(example = &"packetboat")]
    pub username: String,
    /// Password for HTTP Basic authentication.
    #[schemars(example = Secret::File("/etc/packetboat/ppg.secret".into()))]
    pub password: Option<Secret>,
    /// File with the certificate authorities (PEM) to believe for https instead of the machine's.
    #[schemars(example = &"operator-ca.pem")]
    pub ca_file: Option<PathBuf>,
    /// Which version of PAP is written. Some gateways know nothing but "1.0".
    pub version: PapVersion,
    /// Who we are, for the gateway's records (`source-reference`); left out when empty.
    #[schemars(example = &"packetboat at mmsc.example.net")]
    pub source_reference: String,
    /// Whether the phone is to confirm a push to the gateway.
    pub delivery_method: DeliveryMethod,
    /// Network over which pushes are to go; the gateway decides when empty.
    #[schemars(example = &"GSM")]
    pub network: String,
    /// Bearer of that network.
    #[schemars(example = &"SMS")]
    pub bearer: String,
    /// Whether no other network and bearer will do.
    pub bearer_required: bool,
    /// Pushes under way at once. While the gateway says "later", there are fewer.
    pub window: usize,
    /// Longest time for one submission, answer included.
    pub timeout: Period,
    /// Longest time to connect.
    pub connect_timeout: Period,
    /// Addresses and ports on which the gateway tells what became of a push. It is not asked to when empty.
    #[schemars(example = ["127.0.0.1:8015"])]
    pub callback_listen: Vec<String>,
    /// How the gateway reaches `callback_listen`, without a query. The address bound when empty.
    #[schemars(example = "https://mms.example.net/ppg")]
    pub callback_public_url: String,
    /// Keys the tokens by which notifications are believed: 16 or more characters of your own, the same over restarts.
    #[schemars(example = Secret::File("/etc/packetboat/callback.secret".into()))]
    pub callback_secret: Option<Secret>,
}

/// Versions of PAP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum PapVersion {
    /// WAP-164-PAP.
    #[serde(rename = "1.0")]
    V1_0,
    /// WAP-247-PAP.
    #[default]
    #[serde(rename = "2.0")]
    V2_0,
}

/// Whether the phone is to confirm a push to the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryMethod {
    /// It has to.
    Confirmed,
    /// Where that is possible.
    PreferConfirmed,
    /// No.
    Unconfirmed,
    /// As the gateway likes.
    #[default]
    NotSpecified,
}

impl From<PapVersion> for pap::Version {
    fn from(version: PapVersion) -> Self {
        match version {
            PapVersion::V1_0 => pap::Version::V1_0,
            PapVersion::V2_0 => pap::Version::V2_0,
        }
    }
}

impl From<DeliveryMethod> for pap::DeliveryMethod {
    fn from(method: DeliveryMethod) -> Self {
        match method {
            DeliveryMethod::Confirmed => pap::DeliveryMethod::Confirmed,
            DeliveryMethod::PreferConfirmed => pap::DeliveryMethod::PreferConfirmed,
            DeliveryMethod::Unconfirmed => pap::DeliveryMethod::Unconfirmed,
            DeliveryMethod::NotSpecified => pap::DeliveryMethod::NotSpecified,
        }
    }
}

impl Default for PapSettings {
    fn default() -> Self {
        let empty = String::new;
        PapSettings {
            url: empty(),
            ppg_host: empty(),
            username: empty(),
            password: None,
            ca_file: None,
            version: PapVersion::default(),
            source_reference: empty(),
            delivery_method: DeliveryMethod::default(),
            network: empty(),
            bearer: empty(),
            bearer_required: false,
            window: 10,
            timeout: Period::seconds(30),
            connect_timeout: Period::seconds(5),
            callback_listen: Vec::new(),
            callback_public_url: empty(),
            callback_secret: None,
        }
    }
}
