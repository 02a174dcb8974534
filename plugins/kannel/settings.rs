//! The keys of `[bearer.NAME]` with `plugin = "kannel"`.

use ipnet::IpNet;
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
    /// Sender of the short messages where nothing else says one: a number, a short code or up to 11 letters. Kannel's own
    /// setting when empty.
    #[schemars(example = "1234")]
    pub from: String,
    /// Which of Kannel's connections to use (its smsc-id). Kannel decides when empty.
    #[schemars(example = &"operator1")]
    pub smsc: String,
    /// What stands before the digits of an international number in `to`.
    #[schemars(example = "00")]
    pub number_prefix: String,
    /// Who cuts what needs several short messages.
    pub segmentation: Segmentation,
    /// Number segments with 16 bits instead of 8; segments then hold one octet less.
    pub wide_reference: bool,
    /// Messages under way to sendsms at once. While Kannel says "later" or only queues, there are fewer.
    pub window: usize,
    /// Longest time for one request to sendsms, answer included.
    pub timeout: Period,
    /// Longest time to connect to smsbox.
    pub connect_timeout: Period,
    /// Addresses and ports on which smsbox calls back: with delivery reports, which are not asked for when this is empty, and
    /// with short messages that arrived.
    #[schemars(example = ["127.0.0.1:8013"])]
    pub dlr_listen: Vec<String>,
    /// How smsbox reaches `dlr_listen`, without a query. The address bound when empty.
    #[schemars(example = "http://127.0.0.1:8013")]
    pub dlr_public_url: String,
    /// Which delivery reports to ask for, as a sum: 1 delivered, 2 not delivered, 4 buffered, 8 taken by the SMSC, 16 refused
    /// by the SMSC.
    pub dlr_mask: u8,
    /// Take short messages that arrive at `/sms/TOKEN` on `dlr_listen`, where TOKEN is this secret: 16 or more of
    /// `A-Z a-z 0-9 . _ -`.
    #[schemars(example = Secret::File("/etc/packetboat/kannel-sms.token".into()))]
    pub sms_token: Option<Secret>,
    /// Networks from which smsbox may bring short messages that arrive; anybody with the token when empty. Without
    /// `sms_token`, these networks bring them to `/sms`.
    #[schemars(with = "Vec<String>", example = ["127.0.0.1/32"])]
    pub sms_networks: Vec<IpNet>,
}

/// Who cuts what needs several short messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Segmentation {
    /// packetboat: each short message is a request of its own with its complete header.
    #[default]
    Packetboat,
    /// Kannel, when its sendsms-user has `concatenation = true`: one request, with the ports for a header. Kannel then
    /// reports on the first short message only, so that what took several is never said to have reached the phone.
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
            window: 16,
            timeout: Period::seconds(30),
            connect_timeout: Period::seconds(5),
            dlr_listen: Vec::new(),
            dlr_public_url: String::new(),
            dlr_mask: 31,
            sms_token: None,
            sms_networks: Vec::new(),
        }
    }
}
