//! Push Access Protocol 2.0: what a push initiator and a push proxy gateway (PPG) say to each other over HTTP
//! (WAP-247-PAP; 1.0 is WAP-164-PAP).
//!
//! The initiator posts a [`PushMessage`] with what is to be pushed as one [`multipart()`] body and gets a [`Response`]. Later
//! the gateway posts a [`ResultNotification`] to where the initiator asked for it, and gets a
//! [`ResultNotificationResponse`]. Documents of both versions are read; [`Version`] says which is written.

pub mod code;
pub mod multipart;

use packetboat_mime::date;

pub use code::{Class, Code};
pub use multipart::{Body, Content, MultipartError, multipart, parse_multipart};

use crate::xml::{self, Doctype, Node, XmlError, XmlErrorKind};

/// The media type of every PAP document.
pub const MEDIA_TYPE: &str = "application/xml";

/// Which document type is written. Some gateways know nothing but the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// 1.0.
    V1_0,
    /// 2.0.
    #[default]
    V2_0,
}

impl Version {
    fn doctype(self) -> &'static Doctype {
        match self {
            Version::V1_0 => &Doctype {
                public: "-//WAPFORUM//DTD PAP 1.0//EN",
                system: "http://www.wapforum.org/DTD/pap_1.0.dtd",
                subset: "",
            },
            // WAP-247-PAP 9: the instruction says which versions the sender would understand.
            Version::V2_0 => &Doctype {
                public: "-//WAPFORUM//DTD PAP 2.0//EN",
                system: "http://www.wapforum.org/DTD/pap_2.0.dtd",
                subset: "<?wap-pap-ver supported-versions=\"2.0,1.*\"?>",
            },
        }
    }

    fn document(self, child: Node) -> String {
        xml::write(self.doctype(), &Node::new("pap").containing([child]))
    }
}

/// The address of a phone at a gateway (WAP-249-PPGService 7): `WAPPUSH=+447700900999/TYPE=PLMN@ppg.example`.
pub fn address(number: &str, ppg_host: &str) -> String {
    format!("WAPPUSH={number}/TYPE=PLMN@{ppg_host}")
}

/// The number in such an address; `None` when it is of another type.
pub fn number(address: &str) -> Option<&str> {
    let (client, rest) = address.split_once('/')?;
    let number = client.get(..8).filter(|prefix| prefix.eq_ignore_ascii_case("WAPPUSH=")).map(|_| &client[8..])?;
    rest.get(..9).filter(|kind| kind.eq_ignore_ascii_case("TYPE=PLMN")).map(|_| number)
}

/// A submission: `push-message` (WAP-247-PAP 9.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushMessage {
    /// Tells submissions apart, also those of other initiators: something with the initiator's host in it.
    pub push_id: String,
    /// Where the gateway posts what became of it.
    pub notify_to: Option<String>,
    /// Who submits.
    pub source_reference: Option<String>,
    /// When it is no longer worth delivering, in seconds since 1970-01-01T00:00:00Z.
    pub deliver_before: Option<i64>,
    /// Whom it is for: see [`address`].
    pub address: String,
    /// How it is to be delivered.
    pub quality: Option<Quality>,
}

/// How a push is to be delivered: `quality-of-service` (WAP-247-PAP 9.2.2). What is `None` is left to the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Before or after others.
    pub priority: Option<Priority>,
    /// Whether the phone is to say that it has it.
    pub method: Option<DeliveryMethod>,
    /// A network, such as `GSM`, and whether no other will do.
    pub network: Option<(String, bool)>,
    /// A bearer, such as `SMS`, and whether no other will do.
    pub bearer: Option<(String, bool)>,
}

/// A word of a document type with the value it stands for.
type Words<T> = &'static [(&'static str, T)];

/// `priority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// First.
    High,
    /// As usual.
    Medium,
    /// Last.
    Low,
}

const PRIORITIES: Words<Priority> = &[("high", Priority::High), ("medium", Priority::Medium), ("low", Priority::Low)];

/// `delivery-method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryMethod {
    /// Confirmed, or not at all.
    Confirmed,
    /// Confirmed where that is possible.
    PreferConfirmed,
    /// Not confirmed.
    Unconfirmed,
    /// As the gateway likes.
    NotSpecified,
}

const METHODS: Words<DeliveryMethod> = &[
    ("confirmed", DeliveryMethod::Confirmed),
    ("preferconfirmed", DeliveryMethod::PreferConfirmed),
    ("unconfirmed", DeliveryMethod::Unconfirmed),
    ("notspecified", DeliveryMethod::NotSpecified),
];

/// Where a submission has got to: `message-state` (WAP-247-PAP 9.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The gateway would not take it.
    Rejected,
    /// It is on its way.
    Pending,
    /// The phone has it.
    Delivered,
    /// It cannot be delivered.
    Undeliverable,
    /// Its time was up.
    Expired,
    /// The phone did not want it.
    Aborted,
    /// The gateway gave up.
    Timeout,
    /// The initiator cancelled it.
    Cancelled,
    /// Nobody knows.
    Unknown,
}

const STATES: Words<State> = &[
    ("rejected", State::Rejected),
    ("pending", State::Pending),
    ("delivered", State::Delivered),
    ("undeliverable", State::Undeliverable),
    ("expired", State::Expired),
    ("aborted", State::Aborted),
    ("timeout", State::Timeout),
    ("cancelled", State::Cancelled),
    ("unknown", State::Unknown),
];

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        word(STATES, self)
    }
}

fn word<T: PartialEq>(words: Words<T>, value: T) -> &'static str {
    words.iter().find(|(_, found)| *found == value).map_or("", |(word, _)| word)
}

/// The value of a word; `None` for words that are none, which are left out (I-5).
fn value<T: Copy>(words: Words<T>, word: Option<&str>) -> Option<T> {
    words.iter().find(|(found, _)| word.is_some_and(|word| word.eq_ignore_ascii_case(found))).map(|(_, value)| *value)
}

/// The one element in `pap`; `name` is what is expected.
fn only(octets: &[u8], name: &'static str) -> Result<Node, XmlError> {
    let root = xml::parse(octets, "pap")?;
    let missing = XmlError { offset: root.offset, kind: XmlErrorKind::Missing(name) };
    root.children.into_iter().next().ok_or(missing)
}

/// The one element in `pap`, if it is of this name.
fn inside(octets: &[u8], name: &'static str) -> Result<Node, XmlError> {
    let child = only(octets, name)?;
    if child.is(name) { Ok(child) } else { Err(child.unexpected(name)) }
}

fn code_of(node: &Node) -> Result<Code, XmlError> {
    let code = node.required("code", "a code")?;
    code.trim().parse().map(Code).map_err(|_| node.wrong("a code, such as 1001", &code))
}

fn owned(node: &Node, name: &str) -> Option<String> {
    node.attribute(name).map(str::to_owned)
}

fn time(node: &Node, name: &str) -> Option<i64> {
    node.attribute(name).and_then(date::parse)
}

fn address_node(address: &str) -> Node {
    Node::new("address").with("address-value", address)
}

fn address_in(node: &Node) -> Result<String, XmlError> {
    match node.child("address") {
        Some(address) => address.required("address-value", "an address-value"),
        None => Err(XmlError { offset: node.offset, kind: XmlErrorKind::Missing("an address") }),
    }
}

impl PushMessage {
    /// As a document of version 2.0.
    pub fn to_xml(&self) -> String {
        self.to_xml_of(Version::V2_0)
    }

    /// As a document.
    pub fn to_xml_of(&self, version: Version) -> String {
        let message = Node::new("push-message")
            .with("push-id", self.push_id.as_str())
            .with("deliver-before-timestamp", self.deliver_before.map(date::rfc3339).as_deref())
            .with("source-reference", self.source_reference.as_deref())
            .with("ppg-notify-requested-to", self.notify_to.as_deref());
        let quality = self.quality.as_ref().map(Quality::node);
        version.document(message.containing([address_node(&self.address)]).containing(quality))
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, not a `push-message`, or without push-id or address. Of several addresses the
    /// first is read.
    pub fn from_xml(octets: &[u8]) -> Result<PushMessage, XmlError> {
        let message = inside(octets, "push-message")?;
        Ok(PushMessage {
            push_id: message.required("push-id", "a push-id")?,
            notify_to: owned(&message, "ppg-notify-requested-to"),
            source_reference: owned(&message, "source-reference"),
            deliver_before: time(&message, "deliver-before-timestamp"),
            address: address_in(&message)?,
            quality: message.child("quality-of-service").map(Quality::of),
        })
    }
}

impl Quality {
    fn node(&self) -> Node {
        let required = |what: &Option<(String, bool)>| match what {
            Some((_, true)) => Some("true"),
            _ => None,
        };
        let name = |what: &Option<(String, bool)>| what.as_ref().map(|(name, _)| name.clone());
        Node::new("quality-of-service")
            .with("priority", self.priority.map(|priority| word(PRIORITIES, priority)))
            .with("delivery-method", self.method.map(|method| word(METHODS, method)))
            .with("network", name(&self.network).as_deref())
            .with("network-required", required(&self.network))
            .with("bearer", name(&self.bearer).as_deref())
            .with("bearer-required", required(&self.bearer))
    }

    fn of(node: &Node) -> Quality {
        let required = |name| node.attribute(name).is_some_and(|word| word.eq_ignore_ascii_case("true"));
        Quality {
            priority: value(PRIORITIES, node.attribute("priority")),
            method: value(METHODS, node.attribute("delivery-method")),
            network: owned(node, "network").map(|name| (name, required("network-required"))),
            bearer: owned(node, "bearer").map(|name| (name, required("bearer-required"))),
        }
    }
}

/// What the gateway answers to a submission: `push-response`, or `badmessage-response` when it could not read it at all
/// (WAP-247-PAP 9.3, 9.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The submission's, as far as the gateway could read it.
    pub push_id: Option<String>,
    /// What the gateway says.
    pub code: Code,
    /// The same in words.
    pub description: Option<String>,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub reply_time: Option<i64>,
    /// The part of the submission that the gateway could not read; `None` when it could read it all.
    pub bad_fragment: Option<String>,
}

impl Response {
    /// Reads a document.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, neither of the two, or without a code.
    pub fn from_xml(octets: &[u8]) -> Result<Response, XmlError> {
        let response = only(octets, "push-response")?;
        if response.is("badmessage-response") {
            return Ok(Response {
                push_id: None,
                code: code_of(&response)?,
                description: owned(&response, "desc"),
                reply_time: None,
                bad_fragment: Some(owned(&response, "bad-message-fragment").unwrap_or_default()),
            });
        }
        if !response.is("push-response") {
            return Err(response.unexpected("push-response"));
        }
        let missing = || XmlError { offset: response.offset, kind: XmlErrorKind::Missing("a response-result") };
        let result = response.child("response-result").ok_or_else(missing)?;
        Ok(Response {
            push_id: owned(&response, "push-id"),
            code: code_of(result)?,
            description: owned(result, "desc"),
            reply_time: time(&response, "reply-time"),
            bad_fragment: None,
        })
    }

    /// As a document: what a gateway would write.
    pub fn to_xml(&self) -> String {
        let code = self.code.to_string();
        let description = self.description.as_deref();
        if let Some(fragment) = &self.bad_fragment {
            let bad = Node::new("badmessage-response").with("code", code.as_str()).with("desc", description);
            return Version::V2_0.document(bad.with("bad-message-fragment", fragment.as_str()));
        }
        let response = Node::new("push-response")
            .with("push-id", self.push_id.as_deref())
            .with("reply-time", self.reply_time.map(date::rfc3339).as_deref());
        let result = Node::new("response-result").with("code", code.as_str()).with("desc", description);
        Version::V2_0.document(response.containing([result]))
    }
}

/// What became of a submission: `resultnotification-message` (WAP-247-PAP 9.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultNotification {
    /// The submission's.
    pub push_id: String,
    /// Whom it was for.
    pub address: String,
    /// What became of it; a word that is none reads as unknown.
    pub state: State,
    /// Why.
    pub code: Code,
    /// The same in words.
    pub description: Option<String>,
    /// When the gateway got the submission, in seconds since 1970-01-01T00:00:00Z.
    pub received: Option<i64>,
    /// When it happened, in the same seconds.
    pub happened: Option<i64>,
}

impl ResultNotification {
    /// Reads a document.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, not this element, or without push-id, address, state or code.
    pub fn from_xml(octets: &[u8]) -> Result<ResultNotification, XmlError> {
        let message = inside(octets, "resultnotification-message")?;
        let state = message.required("message-state", "a message-state")?;
        Ok(ResultNotification {
            push_id: message.required("push-id", "a push-id")?,
            address: address_in(&message)?,
            state: value(STATES, Some(&state)).unwrap_or(State::Unknown),
            code: code_of(&message)?,
            description: owned(&message, "desc"),
            received: time(&message, "received-time"),
            happened: time(&message, "event-time"),
        })
    }

    /// As a document: what a gateway would write.
    pub fn to_xml(&self) -> String {
        let message = Node::new("resultnotification-message")
            .with("push-id", self.push_id.as_str())
            .with("received-time", self.received.map(date::rfc3339).as_deref())
            .with("event-time", self.happened.map(date::rfc3339).as_deref())
            .with("message-state", self.state.as_str())
            .with("code", self.code.to_string().as_str())
            .with("desc", self.description.as_deref());
        Version::V2_0.document(message.containing([address_node(&self.address)]))
    }
}

/// The answer to a [`ResultNotification`]: `resultnotification-response` (WAP-247-PAP 9.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultNotificationResponse {
    /// The notification's.
    pub push_id: String,
    /// The notification's.
    pub address: String,
    /// What is said to it: [`Code::OK`], or [`Code::PUSH_ID_NOT_FOUND`] when there is no such submission.
    pub code: Code,
    /// The same in words.
    pub description: Option<String>,
}

impl ResultNotificationResponse {
    /// As a document of version 2.0.
    pub fn to_xml(&self) -> String {
        self.to_xml_of(Version::V2_0)
    }

    /// As a document.
    pub fn to_xml_of(&self, version: Version) -> String {
        let response = Node::new("resultnotification-response")
            .with("push-id", self.push_id.as_str())
            .with("code", self.code.to_string().as_str())
            .with("desc", self.description.as_deref());
        version.document(response.containing([address_node(&self.address)]))
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, not this element, or without push-id, address or code.
    pub fn from_xml(octets: &[u8]) -> Result<ResultNotificationResponse, XmlError> {
        let response = inside(octets, "resultnotification-response")?;
        Ok(ResultNotificationResponse {
            push_id: response.required("push-id", "a push-id")?,
            address: address_in(&response)?,
            code: code_of(&response)?,
            description: owned(&response, "desc"),
        })
    }
}
