//! The keys of `[bearer.NAME]` with `plugin = "http_sms"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;
use packetboat_api::settings::Secret;
use packetboat_api::units::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An SMS gateway that speaks HTTP, and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct HttpSmsSettings {
    /// The request for what is binary: WAP pushes, and data for other ports. Refused for good when `push.url` is empty.
    pub push: RequestSettings,
    /// The request for words. The bearer carries none when `text.url` is empty.
    pub text: RequestSettings,
    /// Secrets that templates may name: `key` here is `{{ secrets.key }}` there.
    pub secrets: BTreeMap<String, Secret>,
    /// User name for HTTP Basic authentication.
    #[schemars(example = &"packetboat")]
    pub username: String,
    /// Password for HTTP Basic authentication.
    #[schemars(example = Secret::File("/etc/packetboat/gateway.secret".into()))]
    pub password: Option<Secret>,
    /// Token for `Authorization: Bearer`, instead of a user and a password.
    #[schemars(example = Secret::File("/etc/packetboat/gateway.token".into()))]
    pub bearer_token: Option<Secret>,
    /// Sender of the short messages where nothing else says one: `{{ from }}`.
    #[schemars(example = "1234")]
    pub from: String,
    /// How the gateway wants numbers: `{{ to }}` is "+447700900123", "00447700900123" or "447700900123".
    pub number_format: NumberFormat,
    /// Number segments with 16 bits instead of 8; segments then hold one octet less.
    pub wide_reference: bool,
    /// Messages under way at once. While the gateway says "later", there are fewer.
    pub window: usize,
    /// Longest time for one request, answer included.
    pub timeout: Period,
    /// Longest time to connect.
    pub connect_timeout: Period,
    /// File with the certificate authorities (PEM) to believe for https instead of the machine's.
    #[schemars(example = &"gateway-ca.pem")]
    pub ca_file: Option<PathBuf>,
    /// Which answers say that the gateway took the message.
    pub success: SuccessSettings,
    /// Where the answer says the gateway's own id, for the timeline.
    pub id: PlaceSettings,
    /// An answer whose body matches this regular expression says "later", whatever its status.
    #[schemars(example = "THROTTLED|no credit")]
    pub temporary: String,
    /// An answer whose body matches this regular expression says "never", whatever its status.
    #[schemars(example = "INVALID_NUMBER|BLACKLISTED")]
    pub permanent: String,
    /// Addresses and ports on which the gateway calls back, with receipts and with short messages that arrived.
    #[schemars(example = ["127.0.0.1:8014"])]
    pub callback_listen: Vec<String>,
    /// How the gateway reaches `callback_listen`, without a query. The address bound when empty.
    #[schemars(example = "https://mms.example.net/gateway")]
    pub callback_public_url: String,
    /// Keys the tokens in the addresses of receipts: 16 or more characters of your own, the same over restarts.
    #[schemars(example = Secret::File("/etc/packetboat/callback.secret".into()))]
    pub callback_secret: Option<Secret>,
    /// How receipts are read.
    pub receipts: ReceiptSettings,
    /// How short messages that arrive are read, and who may bring them.
    pub arrivals: ArrivalSettings,
}

/// A request, by templates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct RequestSettings {
    /// Template of the address.
    #[schemars(
        example = "https://api.example.net/messages?to={{ to | percent }}&udh={{ udh | hex }}&data={{ data | hex }}"
    )]
    pub url: String,
    /// GET, POST, PUT or PATCH.
    pub method: String,
    /// Header fields: names, and templates of their values.
    pub headers: BTreeMap<String, String>,
    /// Template of the body; none when empty.
    #[schemars(example = r#"{"to": {{ to | json }}, "udh": "{{ udh | hex }}", "data": "{{ data | hex }}"}"#)]
    pub body: String,
    /// Who cuts what needs several short messages: "packetboat" makes a request for each, "gateway" is given all of it in one.
    /// Without a word, packetboat cuts what is binary and the gateway cuts words.
    pub segmentation: Option<Segmentation>,
}

/// Who cuts what needs several short messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Segmentation {
    /// packetboat: each short message is a request of its own.
    Packetboat,
    /// The gateway: one request. Its receipt is taken for all of it.
    Gateway,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum NumberFormat {
    /// With a plus sign: +447700900123.
    #[default]
    #[serde(rename = "+")]
    Plus,
    /// With two zeros: 00447700900123.
    #[serde(rename = "00")]
    Zeros,
    /// Digits alone: 447700900123.
    #[serde(rename = "digits")]
    Digits,
}

/// Which answers say that the gateway took the message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct SuccessSettings {
    /// Statuses: "200", "202", or a class such as "2xx".
    pub status: Vec<String>,
    /// JSON pointer (RFC 6901) to the value that `success.matches` is about; the whole body when empty.
    #[schemars(example = "/status")]
    pub json: String,
    /// Regular expression that it has to match besides the status; nothing has to when empty. What does not match is tried
    /// again, unless `permanent` knows it.
    #[schemars(example = "^(accepted|queued)$")]
    pub matches: String,
}

/// A place in an answer. One of them, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct PlaceSettings {
    /// JSON pointer (RFC 6901) into the body.
    #[schemars(example = "/messages/0/id")]
    pub json: String,
    /// Regular expression over the body: its first group, or all of it.
    #[schemars(example = r"id: (\d+)")]
    pub regex: String,
    /// Name of a header field.
    #[schemars(example = "X-Message-Id")]
    pub header: String,
}

/// How receipts are read. A place is the name of a field of the query or form, or a JSON pointer into the body.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ReceiptSettings {
    /// Where the status stands; no receipts are asked for when empty.
    #[schemars(example = "/status")]
    pub status: String,
    /// Where the gateway's id stands, for the timeline.
    #[schemars(example = "/message_id")]
    pub id: String,
    /// Where our `{{ token }}` stands, for gateways that call one fixed address and give back a reference of ours. Others are
    /// given `{{ callback_url }}`, which has it.
    #[schemars(example = "/client_reference")]
    pub token: String,
    /// Statuses that say that the short message reached the phone, in any case.
    pub delivered: Vec<String>,
    /// Statuses that say that it will not.
    pub failed: Vec<String>,
    /// Statuses to be passed over. Others are recorded as what the gateway said.
    #[schemars(example = ["billed"])]
    pub ignored: Vec<String>,
}

/// How short messages that arrive are read. Places are as in `receipts`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ArrivalSettings {
    /// Where the sender stands; no short messages are taken when empty.
    #[schemars(example = "/from")]
    pub from: String,
    /// Where the number of ours stands that it was sent to.
    #[schemars(example = "/to")]
    pub to: String,
    /// Where words stand.
    #[schemars(example = "/text")]
    pub text: String,
    /// Where binary user data stands, without a header. It counts before words.
    #[schemars(example = "/data")]
    pub data: String,
    /// Where the user data header of either stands, its length octet included.
    #[schemars(example = "/udh")]
    pub udh: String,
    /// Where user data stands that begins with its header.
    #[schemars(example = "/user_data")]
    pub user_data: String,
    /// How `data`, `udh` and `user_data` are written: in hexadecimal digits, in base64, or as they are (in a query or form).
    pub encoding: Encoding,
    /// Short messages are brought to `/sms/TOKEN` on `callback_listen`, where TOKEN is this secret: 16 or more of
    /// `A-Z a-z 0-9 . _ -`.
    #[schemars(example = Secret::File("/etc/packetboat/gateway-sms.token".into()))]
    pub token: Option<Secret>,
    /// Networks from which they may be brought; anybody with the token when empty. Without `arrivals.token`, these networks
    /// bring them to `/sms`.
    #[schemars(with = "Vec<String>", example = ["192.0.2.0/24"])]
    pub networks: Vec<IpNet>,
}

/// How octets are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits of either case.
    #[default]
    Hex,
    /// Base64, with or without padding.
    Base64,
    /// As they are.
    Raw,
}

impl Default for RequestSettings {
    fn default() -> Self {
        RequestSettings {
            url: String::new(),
            method: "POST".to_owned(),
            headers: BTreeMap::new(),
            body: String::new(),
            segmentation: None,
        }
    }
}

impl Default for SuccessSettings {
    fn default() -> Self {
        SuccessSettings { status: vec!["2xx".to_owned()], json: String::new(), matches: String::new() }
    }
}

impl Default for ReceiptSettings {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        ReceiptSettings {
            status: String::new(),
            id: String::new(),
            token: String::new(),
            delivered: words(&["delivered", "DELIVRD"]),
            failed: words(&["failed", "undelivered", "undeliverable", "UNDELIV", "rejected", "REJECTD", "expired"]),
            ignored: Vec::new(),
        }
    }
}

impl Default for ArrivalSettings {
    fn default() -> Self {
        let nowhere = String::new;
        ArrivalSettings {
            from: nowhere(),
            to: nowhere(),
            text: nowhere(),
            data: nowhere(),
            udh: nowhere(),
            user_data: nowhere(),
            encoding: Encoding::default(),
            token: None,
            networks: Vec::new(),
        }
    }
}

impl Default for HttpSmsSettings {
    fn default() -> Self {
        HttpSmsSettings {
            push: RequestSettings::default(),
            text: RequestSettings::default(),
            secrets: BTreeMap::new(),
            username: String::new(),
            password: None,
            bearer_token: None,
            from: String::new(),
            number_format: NumberFormat::default(),
            wide_reference: false,
            window: 10,
            timeout: Period::seconds(30),
            connect_timeout: Period::seconds(5),
            ca_file: None,
            success: SuccessSettings::default(),
            id: PlaceSettings::default(),
            temporary: String::new(),
            permanent: String::new(),
            callback_listen: Vec::new(),
            callback_public_url: String::new(),
            callback_secret: None,
            receipts: ReceiptSettings::default(),
            arrivals: ArrivalSettings::default(),
        }
    }
}
