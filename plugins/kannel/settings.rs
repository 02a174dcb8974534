//! The keys of `[bearer.NAME]` with `plugin = "kannel"`.

use packetboat_api::settings::Secret;
use packetboat_api::units::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Kannel gateway and how to use it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct KannelSettings {
    /// Address of smsbox's sendsms service.
    #[schemars(example = "http://127.0.0.1:13013/cgi-bin/sendsms")]
    pub url: String,
    /// The sendsms-user's name.
    #[schemars(example = &"packetboat")]
    pub username: String,
    /// The sendsms-user's password. It also keys the tokens of delivery callbacks.
    #[schemars(example = Secret::File("/etc/packetboat/kannel.secret".into()))]
    pub password: Option<Secret>,
    /// Sender of the short messages: a number or a short code. Kannel's own setting when empty.
    #[schemars(example = "1234")]
    pub from: String,
    /// Which of Kannel's connections to use (its smsc-id). Kannel decides when empty.
    #[schemars(example = &"operator1")]
    pub smsc: String,
    /// What stands before the digits of an international number in `to`.
    #[schemars(example = "00")]
    pub number_prefix: String,
    /// Who cuts a push that needs several short messages.
    pub segmentation: Segmentation,
    /// Number segments with 16 bits instead of 8; segments then hold one octet less.
    pub wide_reference: bool,
    /// Longest time for one request to sendsms, answer included.
    pub timeout: Period,
    /// Longest time to connect to smsbox.
    pub connect_timeout: Period,
    /// Addresses and ports on which Kannel's delivery callbacks are taken. None are asked for when empty.
    #[schemars(example = ["127.0.0.1:8013"])]
    pub dlr_listen: Vec<String>,
    /// How smsbox reaches `dlr_listen`, without a query. The address bound when empty.
    #[schemars(example = "http://127.0.0.1:8013")]
    pub dlr_public_url: String,
    /// Which callbacks to ask for, as a sum: 1 delivered, 2 not delivered, 4 buffered, 8 taken by the SMSC, 16 refused by
    /// the SMSC.
    pub dlr_mask: u8,
}

/// Who cuts a push that needs several short messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Segmentation {
    /// packetboat: each short message is a request of its own with its complete header.
    #[default]
    Packetboat,
    /// Kannel, when its sendsms-user has `concatenation = true`: one request, with the ports for a header. Kannel then
    /// reports on the first short message only, so that a push of several is never said to have reached the phone.
    Kannel,
}

impl Default for KannelSettings {
    fn default() -> Self {
        KannelSettings {
            url: "http://127.0.0.1:13013/cgi-bin/sendsms".to_owned(),
            username: String::new(),
            password: None,
            from: String::new(),
            smsc: String::new(),
            number_prefix: "+".to_owned(),
            segmentation: Segmentation::default(),
            wide_reference: false,
            timeout: Period::seconds(30),
            connect_timeout: Period::seconds(5),
            dlr_listen: Vec::new(),
            dlr_public_url: String::new(),
            dlr_mask: 31,
        }
    }
}
