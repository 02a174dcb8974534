//! The narrow handles a plugin is given instead of the store.
//!
//! A listener gets an [`Intake`]; the handset door gets [`Handsets`]; bearers and transports get a [`Witness`]. Each is
//! bound to the plugin's instance and is the only way mail enters: there is no call backwards on the road.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use packetboat_mime::Mail;

use crate::async_trait;
use crate::delivery::Delivery;
use crate::evidence::Evidence;
use crate::id::{DeliveryId, MessageId};
use crate::memory::{Handset, Sighting};
use crate::message::{Envelope, Identity, Kind, Message};
use crate::party::{Msisdn, Party};
use crate::roles::Arrival;
use crate::store::StoreError;

/// A message on its way in.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What it is.
    pub kind: Kind,
    /// How its sender is known.
    pub identity: Identity,
    /// Who sends to whom. Recipients that were not [`Intake::check`]ed are checked now.
    pub envelope: Envelope,
    /// The message. Leaf bodies are written to the store one after the other.
    pub mail: Mail<Bytes>,
    /// What makes a repetition of this submission recognisable on its hop (I-2): MM1 transaction id and sender, mail's
    /// Message-ID and envelope. The listener's name is part of the key already.
    pub dedupe: Option<Vec<u8>>,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Our id.
    pub id: MessageId,
    /// The Message-ID under which it travels on, without angle brackets.
    pub message_id: String,
    /// It had been submitted before; nothing new was made.
    pub duplicate: bool,
    /// Recipients that were refused while others were taken.
    pub refused: Vec<(Party, Refusal)>,
}

/// Why something was not taken. One table per protocol maps the kind to its reply codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The kind.
    pub kind: RefusalKind,
    /// In words, for whoever sent it.
    pub text: String,
}

/// The closed list of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// No rule takes this recipient: unknown.
    UnknownRecipient,
    /// A rule refuses it.
    RefusedByRule,
    /// This sender may not send to it: relaying.
    RelayDenied,
    /// The sender is not known, or not to be believed.
    SenderUnknown,
    /// The address cannot be read.
    BadAddress,
    /// It is larger than allowed.
    TooLarge,
    /// It has more recipients than allowed.
    TooManyRecipients,
    /// It cannot be read.
    Malformed,
    /// It may not be taken: loop, private, a content rule.
    NotAllowed,
    /// There is no room now.
    Full,
    /// Not now, for another reason.
    TryLater,
}

impl Refusal {
    /// A refusal.
    pub fn new(kind: RefusalKind, text: impl Into<String>) -> Self {
        Refusal { kind, text: text.into() }
    }

    /// Whether the same thing may be taken later.
    pub fn is_temporary(&self) -> bool {
        matches!(self.kind, RefusalKind::Full | RefusalKind::TryLater)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let kind = if matches!(error, StoreError::Full(_)) { RefusalKind::Full } else { RefusalKind::TryLater };
        Refusal::new(kind, "the message store cannot take this now, please try later")
    }
}

/// Takes messages in.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Would this recipient be taken from this sender? The answer a listener gives before the content comes.
    async fn check(&self, identity: &Identity, from: Option<&Party>, to: &Party) -> Result<(), Refusal>;

    /// Takes a message: when this returns `Ok`, the message and its deliveries are on disk (I-1).
    async fn submit(&self, submission: Submission) -> Result<Receipt, Refusal>;

    /// Largest message that will be taken, in octets of its parts.
    fn max_size(&self) -> u64;

    /// Most recipients of one message.
    fn max_recipients(&self) -> usize;
}

/// Reads a message's stored content.
#[async_trait]
pub trait Content: Send + Sync {
    /// A range of it, relative to its start.
    async fn read(&self, message: &Message, range: Range<u64>) -> Result<Bytes, StoreError>;
}

/// What a token led to.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The delivery.
    pub delivery: Delivery,
    /// Its message.
    pub message: Arc<Message>,
}

/// Why nothing is behind a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// There is no such message, or no more.
    #[error("no such message")]
    Unknown,
    /// Its time ran out.
    #[error("the message has expired")]
    Expired,
    /// It was withdrawn or refused, or its delivery failed.
    #[error("the message is no longer available")]
    Gone,
    /// Not now.
    #[error("the message store cannot be read now")]
    TryLater,
}

/// The handset door's handle: what a phone may do with a message it was told of.
#[async_trait]
pub trait Handsets: Send + Sync {
    /// The message behind a content URL's token, or behind a transaction id.
    async fn fetch(&self, token: &str) -> Result<Fetch, FetchError>;

    /// Reads content.
    fn content(&self) -> Arc<dyn Content>;

    /// Records what was seen of a delivery; returns when it is on disk.
    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError>;

    /// As [`Handsets::witness`], for whoever need not wait: the evidence is written with that of others. Returns when there is
    /// a place for it in the queue of what is to be written.
    async fn witness_soon(&self, of: Fetch, evidence: Evidence);

    /// The phone allowed or forbade a delivery report for this delivery (X-Mms-Report-Allowed).
    async fn report_allowed(&self, delivery: DeliveryId, allowed: bool) -> Result<(), StoreError>;

    /// What is known of this phone; `None` when nothing is.
    async fn known(&self, phone: &Msisdn) -> Option<Handset>;

    /// Adds what was seen of a phone to what is known of it. Written down soon, not before this returns.
    async fn sighted(&self, phone: &Msisdn, sighting: Sighting);

    /// Takes a read-reply report: `reader` read (or deleted) the message with this Message-ID. Made into a message for the
    /// original sender when that one asked for it.
    async fn read_report(&self, message_id: &str, reader: &Msisdn, read: bool) -> Result<(), Refusal>;
}

/// Takes evidence from bearers and transports.
#[async_trait]
pub trait Witness: Send + Sync {
    /// Records what was seen of a delivery; returns when it is on disk.
    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError>;
}

/// Takes what arrives by short message.
#[async_trait]
pub trait Arrivals: Send + Sync {
    /// Offers it to those who take an interest; an error says that it must be offered again.
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal>;
}
