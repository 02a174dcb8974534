//! What a rule may look at: borrowed from the message, nothing is copied.

use packetboat_api::clock::Timestamp;
use packetboat_api::memory::{Handset, Network};
use packetboat_api::message::{Class, Identity, Kind, Message, Priority, Span};
use packetboat_api::mime::{Entity, Headers, Length};
use packetboat_api::party::Party;

/// What is known when a recipient is named (RCPT TO): everything but the message itself.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The recipient.
    pub to: &'a Party,
    /// The sender; `None` is the null sender of reports.
    pub from: Option<&'a Party>,
    /// The listener it comes through, by instance name.
    pub listener: &'a str,
    /// How its sender is known.
    pub identity: &'a Identity,
    /// Now.
    pub now: Timestamp,
}

/// What is known of the message itself.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// Octets of all parts together, decoded.
    pub size: u64,
    /// Subject; empty when there is none.
    pub subject: &'a str,
    /// Class.
    pub class: Class,
    /// Priority.
    pub priority: Priority,
    /// `personal`, `delivery_report` or `read_report`.
    pub kind: &'static str,
    /// Header fields.
    pub headers: &'a Headers,
    /// Parts.
    pub parts: Parts<'a>,
}

/// The parts of a message, multiparts left out.
#[derive(Clone, Copy, Debug)]
pub enum Parts<'a> {
    /// Where the message has them.
    Tree(&'a Entity<Span>),
    /// As a list.
    List(&'a [Part<'a>]),
}

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Media type in lower case, without parameters: `image/jpeg`.
    pub media: &'a str,
    /// File name; empty when there is none.
    pub name: &'a str,
    /// Octets, decoded.
    pub size: u64,
}

/// What is remembered of the recipient's phone, and of its network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Remembered<'a> {
    /// The phone.
    pub handset: Option<&'a Handset>,
    /// The network.
    pub network: Option<&'a Network>,
}

/// One message and one of its recipients: what a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who sends to whom.
    pub who: Who<'a>,
    /// What.
    pub contents: Contents<'a>,
    /// What is remembered of the recipient.
    pub remembered: Remembered<'a>,
}

/// The words of `message.kind`.
pub(crate) const KINDS: &[&str] = &["personal", "delivery_report", "read_report", "settings"];
/// The words of `message.class`, in the order of [`Class`].
pub(crate) const CLASSES: &[&str] = &["personal", "advertisement", "informational", "auto"];
/// The words of `message.priority`, in the order of [`Priority`].
pub(crate) const PRIORITIES: &[&str] = &["low", "normal", "high"];

impl<'a> Facts<'a> {
    /// What there is to know of `message` on its way to `to`, of whose phone nothing is remembered.
    pub fn of(message: &'a Message, to: &'a Party, now: Timestamp) -> Self {
        let kind = match message.kind {
            Kind::Personal => "personal",
            Kind::DeliveryReport(_) => "delivery_report",
            Kind::ReadReport(_) => "read_report",
            Kind::Settings(_) => "settings",
        };
        Facts {
            who: Who {
                to,
                from: message.envelope.from.as_ref(),
                listener: &message.listener,
                identity: &message.identity,
                now,
            },
            contents: Contents {
                size: message.size(),
                subject: message.traits.subject.as_deref().unwrap_or_default(),
                class: message.traits.class,
                priority: message.traits.priority,
                kind,
                headers: &message.mail.headers,
                parts: Parts::Tree(&message.mail.root),
            },
            remembered: Remembered::default(),
        }
    }
}

impl Contents<'_> {
    pub(crate) fn class_word(&self) -> &'static str {
        CLASSES.get(self.class as usize).copied().unwrap_or_default()
    }

    pub(crate) fn priority_word(&self) -> &'static str {
        PRIORITIES.get(self.priority as usize).copied().unwrap_or_default()
    }
}

impl<'a> Parts<'a> {
    /// Every part, in document order.
    pub fn list(self) -> Vec<Part<'a>> {
        match self {
            Parts::List(parts) => parts.to_vec(),
            Parts::Tree(root) => root.leaves().into_iter().map(Part::of).collect(),
        }
    }
}

impl<'a> Part<'a> {
    fn of(entity: &'a Entity<Span>) -> Self {
        Part {
            media: entity.media.essence(),
            name: entity.file_name().unwrap_or_default(),
            size: entity.content().map_or(0, Length::length),
        }
    }
}
