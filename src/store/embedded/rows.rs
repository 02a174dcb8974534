//! Values to rows and rows to values.
//!
//! Everything that costs time and needs no database is done here, in the task that commits: JSON, CRC, canonical forms.

use bytes::Bytes;
use packetboat_api::delivery::{Delivery, Event, State};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::{Handset, Network};
use packetboat_api::message::{ContentRef, Message};
use packetboat_api::store::{Batch, Key, Lease, StoreError};
use rusqlite::Row;

use crate::schema::UNREADABLE;

/// Contents below this go into the database: they need no sync of their own.
pub(crate) const SMALL: u64 = 4096;
/// The segment of small contents.
pub(crate) const IN_DATABASE: u32 = 0;

/// How many deliveries there are of each state, and of rows that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally([i64; State::ALL.len() + 1]);

impl Tally {
    pub(crate) fn add(&mut self, word: &str, count: i64) {
        let place = State::ALL.iter().position(|state| state.word() == word).unwrap_or(State::ALL.len());
        self.0[place] += count;
    }

    pub(crate) fn add_all(&mut self, other: &Tally) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// State words and counts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, i64)> + '_ {
        State::ALL.iter().map(|state| state.word()).chain([UNREADABLE]).zip(self.0)
    }
}

/// A message ready to be written.
#[derive(Debug)]
pub(crate) struct NewMessageRow {
    pub message: Message,
    pub json: Vec<u8>,
    pub content: Vec<Bytes>,
    pub sender: Option<String>,
}

/// A delivery ready to be written.
#[derive(Debug)]
pub(crate) struct DeliveryRow {
    pub delivery: Delivery,
    pub json: Vec<u8>,
    pub recipient: String,
}

/// A changed delivery ready to be written.
#[derive(Debug)]
pub(crate) struct ChangeRow {
    pub row: DeliveryRow,
    pub from: u64,
    pub lease: Option<Lease>,
}

/// A batch ready to be written.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub messages: Vec<NewMessageRow>,
    pub deliveries: Vec<DeliveryRow>,
    pub changes: Vec<ChangeRow>,
    pub events: Vec<(DeliveryId, Event)>,
    pub keys: Vec<Key>,
    /// Numbers, when seen, what is known.
    pub handsets: Vec<(String, i64, Vec<u8>)>,
    /// Names, what is known.
    pub networks: Vec<(String, Vec<u8>)>,
    pub purge: Vec<MessageId>,
    /// Octets of content.
    pub octets: u64,
}

impl Prepared {
    pub(crate) fn new(batch: Batch) -> Result<Prepared, StoreError> {
        let mut octets = 0;
        let mut messages = Vec::with_capacity(batch.messages.len());
        for new in batch.messages {
            let mut message = new.message;
            message.content = ContentRef::default();
            let json = to_json(&message)?;
            let length = new.content.iter().map(|slice| slice.len() as u64).sum();
            message.content = ContentRef { segment: IN_DATABASE, offset: message.id.0, length, crc: crc(&new.content) };
            octets += length;
            let sender = message.envelope.from.as_ref().map(ToString::to_string);
            messages.push(NewMessageRow { message, json, content: new.content, sender });
        }
        let deliveries = batch.deliveries.into_iter().map(DeliveryRow::new).collect::<Result<_, _>>()?;
        let mut changes = Vec::with_capacity(batch.changes.len());
        for change in batch.changes {
            if change.delivery.version != change.from.wrapping_add(1) {
                return Err(StoreError::Stale(change.delivery.id));
            }
            changes.push(ChangeRow { row: DeliveryRow::new(change.delivery)?, from: change.from, lease: change.lease });
        }
        let handset = |it: &Handset| Ok((it.number.digits().to_owned(), it.seen.0, to_json(it)?));
        let handsets = batch.handsets.iter().map(handset).collect::<Result<_, StoreError>>()?;
        let network = |it: &Network| Ok((it.name.clone(), to_json(it)?));
        let networks = batch.networks.iter().map(network).collect::<Result<_, StoreError>>()?;
        let (events, keys, purge) = (batch.events, batch.keys, batch.purge);
        Ok(Prepared { messages, deliveries, changes, events, keys, handsets, networks, purge, octets })
    }

    /// Whether it has content that goes to a segment.
    pub(crate) fn has_large(&self) -> bool {
        self.messages.iter().any(NewMessageRow::is_large)
    }
}

impl NewMessageRow {
    /// Whether its content goes to a segment.
    pub(crate) fn is_large(&self) -> bool {
        self.message.content.length >= SMALL
    }

    /// Its content in one piece of its own, to be put in a row and kept: the slices may be part of something large.
    pub(crate) fn small_content(&self) -> Bytes {
        self.content.concat().into()
    }
}

impl DeliveryRow {
    fn new(delivery: Delivery) -> Result<Self, StoreError> {
        let json = to_json(&delivery)?;
        let recipient = delivery.to.to_string();
        Ok(DeliveryRow { delivery, json, recipient })
    }
}

/// A message id as it stands in a column. Ids have 64 bits of which the first is 0 until the year 2248.
pub(crate) fn column(id: MessageId) -> i64 {
    id.0.cast_signed()
}

/// A message id from a column.
pub(crate) fn message_id(column: i64) -> MessageId {
    MessageId(column.cast_unsigned())
}

/// A delivery id from its two columns.
pub(crate) fn delivery_id(row: &Row<'_>, at: usize) -> rusqlite::Result<DeliveryId> {
    Ok(DeliveryId { message: message_id(row.get(at)?), index: row.get(at + 1)? })
}

/// Where a message's content is, from four columns.
pub(crate) fn content_ref(row: &Row<'_>, at: usize) -> rusqlite::Result<ContentRef> {
    let offset: i64 = row.get(at + 1)?;
    let length: i64 = row.get(at + 2)?;
    Ok(ContentRef {
        segment: row.get(at)?,
        offset: offset.cast_unsigned(),
        length: length.cast_unsigned(),
        crc: row.get(at + 3)?,
    })
}

/// A message from its JSON and its place.
pub(crate) fn decode_message(id: MessageId, json: &[u8], content: ContentRef) -> Result<Message, String> {
    let mut message: Message = serde_json::from_slice(json).map_err(|e| format!("its row cannot be read: {e}"))?;
    if message.id != id {
        return Err(format!("its row holds message {}", message.id));
    }
    message.content = content;
    Ok(message)
}

/// A delivery from its JSON.
pub(crate) fn decode_delivery(id: DeliveryId, json: &[u8]) -> Result<Delivery, String> {
    let delivery: Delivery = serde_json::from_slice(json).map_err(|e| format!("its row cannot be read: {e}"))?;
    if delivery.id != id {
        return Err(format!("its row holds delivery {}", delivery.id));
    }
    Ok(delivery)
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|e| StoreError::Unavailable(format!("a row cannot be written: {e}")))
}

fn crc(slices: &[Bytes]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    slices.iter().for_each(|slice| hasher.update(slice));
    hasher.finalize()
}
