//! The message: one MIME message and its envelope, immutable once accepted.

use std::net::IpAddr;

use packetboat_mime::{Length, Mail};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::MessageId;
use crate::party::{Msisdn, Party};

/// A range of a message's stored content. Parts are stored decoded, one after the other (invariant I-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First octet, from the start of the message's content.
    pub start: u64,
    /// Octets.
    pub length: u64,
}

impl Length for Span {
    fn length(&self) -> u64 {
        self.length
    }
}

/// Where a store keeps a message's content. Opaque outside the store that made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRef {
    /// Which segment (or object).
    pub segment: u32,
    /// First octet in it.
    pub offset: u64,
    /// Octets.
    pub length: u64,
    /// CRC-32 of them.
    pub crc: u32,
}

/// Which reports somebody asked for about one recipient (RFC 3461 4.1; OMA-TS-MMS_ENC 7.3.13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// When it was delivered.
    pub success: bool,
    /// When it could not be.
    pub failure: bool,
    /// When it takes long.
    pub delay: bool,
    /// Nothing, ever, was asked for in so many words (`NOTIFY=NEVER`).
    pub never: bool,
}

/// One recipient of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Who.
    pub to: Party,
    /// Which reports are wanted.
    #[serde(default)]
    pub notify: Notify,
    /// The address the sender first wrote, `type;address` (RFC 3461 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
}

impl Recipient {
    /// A recipient about whom nothing special was asked.
    pub fn plain(to: Party) -> Self {
        Recipient { to, notify: Notify::default(), original: None }
    }
}

/// Who sends to whom; what the headers say is for people to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The sender; `None` is the null sender of reports (RFC 5321 4.5.5).
    pub from: Option<Party>,
    /// The recipients.
    pub recipients: Vec<Recipient>,
    /// The sender's own name for this transaction (RFC 3461 4.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<String>,
    /// Whether a failure report should carry headers only (RFC 3461 4.3).
    #[serde(default)]
    pub headers_only: bool,
}

/// How the sender's identity was established (invariant I-7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Nobody vouches for it.
    Anonymous,
    /// A user who proved a password.
    User(String),
    /// A host on a network that the configuration trusts.
    Network(IpAddr),
    /// A subscriber whose number the network told us.
    Subscriber(Msisdn),
    /// packetboat itself: reports, bounces.
    Ourselves,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something somebody wrote.
    Personal,
    /// A delivery report about an earlier message.
    DeliveryReport(DeliveryReport),
    /// A read-reply report about an earlier message.
    ReadReport(ReadReport),
    /// Settings for the recipient's phone (OMA client provisioning).
    Settings(PhoneSettings),
}

/// Settings for a phone: the document is made from the profile when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneSettings {
    /// The profile, by name.
    pub profile: String,
    /// What the subscriber types to accept them (USERPIN, OMA-WAP-TS-ProvBoot 5.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// The SIM's number, for a network PIN (NETWPIN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imsi: Option<String>,
}

/// What became of a delivery, as reported (OMA-TS-MMS_ENC 7.3.54; RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedStatus {
    /// The phone has it (or: the mailbox has it).
    Retrieved,
    /// The recipient refused it.
    Rejected,
    /// Its time ran out.
    Expired,
    /// Handed on; nothing more will be known.
    Forwarded,
    /// Nothing is known.
    Indeterminate,
    /// It cannot be delivered.
    Unreachable,
}

/// A delivery report (TS 23.140 8.1.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// The Message-ID of the message reported on, without angle brackets.
    pub about: String,
    /// The recipient reported on.
    pub recipient: Party,
    /// The outcome.
    pub status: ReportedStatus,
    /// In words, for the sender to read.
    pub text: String,
    /// When it came about.
    pub at: Timestamp,
    /// The envelope id the sender gave the message reported on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<String>,
    /// The recipient as the sender first wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
}

/// A read-reply report (TS 23.140 8.1.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadReport {
    /// The Message-ID of the message reported on, without angle brackets.
    pub about: String,
    /// Who read it.
    pub recipient: Party,
    /// Read, or deleted without being read.
    pub read: bool,
    /// When.
    pub at: Timestamp,
}

/// Message class (OMA-TS-MMS_ENC 7.3.27).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// From a person.
    #[default]
    Personal,
    /// Advertisement.
    Advertisement,
    /// Informational.
    Informational,
    /// Made by a machine; must not be answered by one.
    Auto,
}

/// Priority (OMA-TS-MMS_ENC 7.3.35).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Low.
    Low,
    /// Normal.
    #[default]
    Normal,
    /// High.
    High,
}

/// What the headers ask of us, read once at `normalise`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// Message-ID without angle brackets; constant across MM1, MM4, MM7 and mail (case E-05).
    pub message_id: String,
    /// Subject; absent when the sender gave none (case C-08).
    pub subject: Option<String>,
    /// Class.
    pub class: Class,
    /// Priority.
    pub priority: Priority,
    /// After this it need not be delivered any more.
    pub expires: Timestamp,
    /// Before this it must not be delivered.
    pub deliver_after: Option<Timestamp>,
    /// The sender wants to know when the recipient has read it.
    pub read_report: bool,
    /// The sender's address is not to be shown.
    pub hide_sender: bool,
}

/// A message as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// What it is.
    pub kind: Kind,
    /// When it was accepted.
    pub received: Timestamp,
    /// The listener it came through, by instance name.
    pub listener: String,
    /// How we know its sender.
    pub identity: Identity,
    /// Who sends to whom.
    pub envelope: Envelope,
    /// What the headers ask of us.
    pub traits: Traits,
    /// The message itself; leaf bodies are spans of its content.
    pub mail: Mail<Span>,
    /// Where its content is.
    pub content: ContentRef,
}

impl Message {
    /// Octets of all parts together.
    pub fn size(&self) -> u64 {
        self.content.length
    }

    /// The message id we assigned, as an address-like string for PDUs and mail: `id@node`.
    pub fn wire_id(&self) -> &str {
        &self.traits.message_id
    }
}
