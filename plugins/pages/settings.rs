//! Settings of the pages.

use ipnet::IpNet;
use packetboat_api::serve::Listen;
use packetboat_api::settings::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[listener.NAME] plugin = "pages"`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct PagesSettings {
    /// Where to listen, and how. For TLS give a certificate and `implicit_tls = true`.
    #[serde(flatten)]
    pub listen: Listen,
    /// The address phones reach the pages at, as links give it: short, so that a text with a link stays one short message. May
    /// have a path when a web server in front passes it on. Default: where it listens.
    #[schemars(example = &"https://pic.example.net")]
    pub public_url: Option<String>,
    /// Who runs this, at the foot of the page. Nothing when empty.
    #[schemars(example = &"Example Mobile")]
    pub operator: String,
    /// What a page says of who sent the message; nothing, when the sender asked to be hidden.
    pub sender: Sender,
    /// How a page lets its reader answer. Every way but `none` shows an address in the page.
    pub reply: Reply,
    /// Whom answers go to instead of the sender: a number, a short code or a mail address.
    #[schemars(example = &"+447700900999")]
    pub reply_to: Option<String>,
    /// Nothing can be saved, and a message can be opened in one browser only, after pressing a button.
    pub forward_lock: bool,
    /// What keys the cookies by which a browser that opened a message is known. Without it they end with the daemon, and who
    /// opened a forward-locked message before sees it no more.
    #[schemars(example = Secret::File("/etc/packetboat/pages.secret".into()))]
    pub secret: Option<Secret>,
    /// Language of the page's own words when a browser asks for none of those there are: `en`, `de`, `es`, `fi`, `fr`, `it`, `nl`
    /// or `sv`.
    pub language: String,
    /// Networks of the web servers in front, whose X-Forwarded-For is believed.
    #[schemars(with = "Vec<String>", example = ["10.0.0.5/32"])]
    pub trusted_proxies: Vec<IpNet>,
    /// Requests for one message in a minute; 0 does not count. A page with ten pictures makes about fifteen.
    pub requests_per_message: u32,
    /// Requests from one address in a minute; 0 does not count. Many phones share the address of their operator's gateway.
    pub requests_per_address: u32,
    /// Requests in a minute from one address for messages that do not exist; 0 does not count.
    pub misses_per_address: u32,
}

/// What a page says of who sent the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The name the message gives its sender, and nothing when it gives none: never a number.
    #[default]
    Name,
    /// The name, else the number or mail address.
    Address,
    /// Nothing.
    Hidden,
}

/// How a page lets its reader answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// Not at all.
    #[default]
    None,
    /// By text to a number, by mail to a mail address.
    Sms,
    /// By multimedia message to a number, by mail to a mail address.
    Mms,
    /// By mail to a mail address; not at all to a number.
    Mail,
}

impl Default for PagesSettings {
    fn default() -> Self {
        PagesSettings {
            listen: Listen { listen: vec!["127.0.0.1:8081".to_owned()], ..Listen::default() },
            public_url: None,
            operator: String::new(),
            sender: Sender::Name,
            reply: Reply::None,
            reply_to: None,
            forward_lock: false,
            secret: None,
            language: "en".to_owned(),
            trusted_proxies: Vec::new(),
            requests_per_message: 600,
            requests_per_address: 12_000,
            misses_per_address: 30,
        }
    }
}
