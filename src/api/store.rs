//! The contract of a store. One suite (`tests/store`) runs on every backend.
//!
//! Few verbs: content is read by range; everything that changes goes through [`Store::commit`], atomic and with
//! preconditions; [`Store::claim`] leases what is due. Queue view, hold, release, retry, move and purge are `scan` +
//! `commit`, so they work on any backend.
//!
//! Invariants every backend keeps: a commit is on disk at the configured durability before it returns (I-1); a batch is
//! all there or not at all, also after a crash; what cannot be read is quarantined and never stops the start.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::async_trait;
use crate::clock::Timestamp;
use crate::delivery::{Delivery, Event};
use crate::id::{DeliveryId, MessageId};
use crate::memory::{Handset, Network};
use crate::message::{ContentRef, Message};
use crate::party::Msisdn;

/// A new message with its content: the slices are written one after the other; `message.content` is filled in by the
/// store.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The message.
    pub message: Message,
    /// Its content.
    pub content: Vec<Bytes>,
}

/// A changed delivery.
#[derive(Clone, Debug)]
pub struct Change {
    /// The delivery as it shall be; its `version` is one more than `from`.
    pub delivery: Delivery,
    /// The version it was made from.
    pub from: u64,
    /// The lease under which it was made; it ends with the commit. A change without one (evidence that came in, an
    /// operator) leaves the lease of whoever has it, who then finds his own change stale.
    pub lease: Option<Lease>,
}

/// A dedupe key that must be new (I-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What must be unique.
    pub key: Vec<u8>,
    /// The message it stands for.
    pub message: MessageId,
    /// When it may be forgotten.
    pub expires: Timestamp,
}

/// What is committed together.
///
/// Everything is checked before anything is written, in the order keys, messages, deliveries, changes, events; the first
/// that fails names the error. A message or delivery that is there already is [`StoreError::Duplicate`]; a delivery
/// without message, a change or an event without delivery is [`StoreError::Missing`]. Purging comes last and asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// New messages.
    pub messages: Vec<NewMessage>,
    /// New deliveries.
    pub deliveries: Vec<Delivery>,
    /// Changed deliveries.
    pub changes: Vec<Change>,
    /// New timeline lines.
    pub events: Vec<(DeliveryId, Event)>,
    /// Keys that must not be there yet: if one is, nothing of the batch happens and the error names its message. A key
    /// that has expired is not there; purging a message leaves its keys.
    pub keys: Vec<Key>,
    /// What is now known of phones, in place of what was known before.
    pub handsets: Vec<Handset>,
    /// What is now known of networks, in place of what was known before.
    pub networks: Vec<Network>,
    /// Messages to forget, with their deliveries, timelines and content.
    pub purge: Vec<MessageId>,
}

/// A lease on a delivery. The fence is larger for every later lease, so that a holder who lost it is found out.
///
/// It is lost by [`Store::release`], by the commit of a [`Change`] under it, by a restart, and, once its time has run out,
/// when the delivery is claimed again or is not live any more: whoever is late but alone may still say what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// The fencing token.
    pub fence: u64,
}

/// How many deliveries there is room for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// In all.
    pub most: usize,
    /// Of these transports, fewer.
    pub of: BTreeMap<String, usize>,
}

impl Room {
    /// Room for so many, of whatever transport.
    pub fn of_any(most: usize) -> Self {
        Room { most, of: BTreeMap::new() }
    }
}

/// A due delivery, leased.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The lease; give it back with the [`Change`] or by [`Store::release`].
    pub lease: Lease,
    /// The delivery.
    pub delivery: Delivery,
    /// Its message.
    pub message: Arc<Message>,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only those of this message.
    #[serde(default)]
    pub message: Option<MessageId>,
    /// Only those in one of these states, by [`crate::delivery::State::word`]; empty lists all.
    #[serde(default)]
    pub states: Vec<String>,
    /// Only those to this recipient, in canonical form.
    #[serde(default)]
    pub to: Option<String>,
    /// Only those from this sender, in canonical form.
    #[serde(default)]
    pub from: Option<String>,
    /// Only those whose present step is this transport.
    #[serde(default)]
    pub via: Option<String>,
}

/// Which part of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only those after this one, in order of id.
    pub after: Option<DeliveryId>,
    /// At most so many.
    pub limit: usize,
    /// Newest first instead of oldest first (`after` then means "before").
    pub newest_first: bool,
}

impl Default for Page {
    fn default() -> Self {
        Page { after: None, limit: 100, newest_first: false }
    }
}

/// What a store says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreHealth {
    /// Whether it takes commits.
    pub writable: bool,
    /// Why not, in words.
    pub trouble: Option<String>,
    /// The durability in force: `power_loss` or `process_crash`.
    pub durability: String,
    /// Deliveries by state word.
    pub deliveries: Vec<(String, u64)>,
    /// Messages held.
    pub messages: u64,
    /// Octets of live content.
    pub content_bytes: u64,
    /// Octets on disk.
    pub disk_bytes: u64,
    /// Octets free on its file system.
    pub free_bytes: u64,
    /// Rows and segments set aside because they could not be read.
    pub quarantined: u64,
    /// When the next delivery is due.
    pub next_due: Option<Timestamp>,
}

/// Why a store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A key of the batch is there already, for this message.
    #[error("already there as message {0}")]
    Duplicate(MessageId),
    /// A changed delivery is not at the version the change was made from.
    #[error("delivery {0} was changed by somebody else meanwhile")]
    Stale(DeliveryId),
    /// The lease was lost.
    #[error("the lease on delivery {0} was lost")]
    Fenced(DeliveryId),
    /// There is no such thing.
    #[error("{0} is not in the store")]
    Missing(String),
    /// No room; nothing was written, a later attempt may succeed.
    #[error("the store is full: {0}")]
    Full(String),
    /// It does not take commits (a failed write or fsync, shutting down).
    #[error("the store takes nothing now: {0}")]
    Unavailable(String),
    /// What is on disk is not what was written.
    #[error("content is damaged: {0}")]
    Damaged(String),
}

/// A store. All methods may be called from many tasks at once.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a batch: all of it or nothing, durable when this returns.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// Leases deliveries that are due, as many as there is room for, until `now + lease`: the most urgent first, among equals
    /// each [`crate::delivery::Line`] in turn, in a line the earliest first. Deliveries of one message that are due together come
    /// together. A leased delivery is not claimed again before its lease ends. Leases need not survive a restart.
    async fn claim(&self, now: Timestamp, room: &Room, lease: Duration) -> Result<Vec<Claim>, StoreError>;

    /// Gives a lease back without a change; [`StoreError::Fenced`] when it was lost.
    async fn release(&self, lease: Lease) -> Result<(), StoreError>;

    /// When the next lease ends, or the next unleased delivery is due: not of those for which the last [`Store::claim`] had no
    /// room.
    fn next_due(&self) -> Option<Timestamp>;

    /// Returns when [`Store::next_due`] may have become earlier since it was last asked.
    async fn stirred(&self);

    /// What is known of a phone.
    async fn handset(&self, phone: &Msisdn) -> Result<Option<Handset>, StoreError>;

    /// What is known of a network, by the name or prefix it goes by.
    async fn network(&self, name: &str) -> Result<Option<Network>, StoreError>;

    /// A message.
    async fn message(&self, id: MessageId) -> Result<Arc<Message>, StoreError>;

    /// A delivery.
    async fn delivery(&self, id: DeliveryId) -> Result<Delivery, StoreError>;

    /// The delivery whose token starts with `prefix` (at least [`crate::delivery::TRANSACTION_LENGTH`] characters), and its
    /// message.
    async fn by_token(&self, prefix: &str) -> Result<Option<(Delivery, Arc<Message>)>, StoreError>;

    /// The message whose Message-ID this is, without angle brackets; the newest when there are several.
    async fn by_message_id(&self, message_id: &str) -> Result<Option<Arc<Message>>, StoreError>;

    /// Reads a range of a message's content, relative to its start. The whole content is checked against its CRC when
    /// the range is all of it. A reference stays good while the message is there, even when the store moves the content.
    async fn read(&self, content: ContentRef, range: Range<u64>) -> Result<Bytes, StoreError>;

    /// Lists deliveries.
    async fn scan(&self, filter: &Filter, page: Page) -> Result<Vec<Delivery>, StoreError>;

    /// A delivery's timeline, oldest first.
    async fn timeline(&self, id: DeliveryId) -> Result<Vec<Event>, StoreError>;

    /// Messages that were received and whose deliveries have all ended before `before`, oldest first: what may be purged.
    /// A delivery that ended has its end in `due`.
    async fn finished(&self, before: Timestamp, most: usize) -> Result<Vec<MessageId>, StoreError>;

    /// Housekeeping: forgets expired keys and phones not seen for long ([`crate::memory::HANDSET_AGES`]), gives back disk space. Cheap to call often.
    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError>;

    /// What it says of itself.
    async fn health(&self) -> StoreHealth;

    /// The largest message id it has seen, so that new ids are larger.
    fn last_id(&self) -> Option<MessageId>;

    /// Finishes what was handed over, then takes nothing more.
    async fn close(&self);
}
