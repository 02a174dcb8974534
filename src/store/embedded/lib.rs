//! The embedded store: one machine, SQLite for what is small and searched, append-only files for content.
//!
//! ```text
//! <path>/lock               held while the store is open
//! <path>/queue.db           SQLite (WAL): messages, deliveries, timelines, dedupe keys, counts, quarantine
//! <path>/content/*.seg      contents of 4 KiB and more, one after the other, never overwritten
//! ```
//!
//! Read in this order: [`settings`]; `writer` (the group commit, and what happens when the disk fails); `apply` (one batch
//! inside it); `segments` and `schema` (the format on disk, byte for byte and table for table); `schedule` and `lines` (leases and
//! turns, in memory only); `reader`, `cache` and `lookup`; `ledger` (the counts); `housekeeping`; `opening` and `salvage` (starting from
//! whatever was left).
//!
//! **Durability (I-1).** Content is written and synced, then its rows are committed and the log synced, then the commit
//! is answered. A crash in between leaves a tail of a content file that no row names.
//!
//! **Recovery.** SQLite replays its log; the counts in the database say what the content files hold; leases are void; what
//! is live is due. Nothing is scanned but the index of live deliveries. What cannot be read is written into the table
//! `quarantine` with the reason and counted in health; it never stops the start, and it never takes a readable neighbour
//! with it.
//!
//! **What was tried.** Contents as blobs inside SQLite write everything twice (a quarter of the throughput at 100 kB); a file for
//! each message costs two syncs of its own; redb and fjall reach half. One log with SQLite as an index that can be rebuilt
//! saves one of the two syncs, which counts only with few senders, and needs a replay of its own; the rows here would allow it.
//!
//! Leases of a delivery, the due times and the caches live in memory only: a claim writes nothing.

mod apply;
mod cache;
pub mod disk;
mod housekeeping;
mod ledger;
mod lines;
mod lookup;
mod opening;
mod reader;
mod rows;
mod salvage;
mod schedule;
mod schema;
mod segments;
pub mod settings;
mod shared;
mod writer;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, Timestamp};
use packetboat_api::delivery::{Delivery, Event, TRANSACTION_LENGTH};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::{Handset, Network};
use packetboat_api::message::{ContentRef, Message};
use packetboat_api::party::Msisdn;
use packetboat_api::store::{Batch, Claim, Filter, Lease, Page, Room, Store, StoreError, StoreHealth};
use tokio::sync::{mpsc, oneshot};

pub use crate::opening::OpenError;
pub use crate::settings::{Durability, Settings};

use crate::disk::{Disk, RealDisk};
use crate::rows::Prepared;
use crate::shared::{Aside, Shared, database_path};
use crate::writer::{Request, closing};

/// Batches that may wait for the writer; who comes later waits for a place.
const MAX_WAITING: usize = 1024;
/// Up to so many octets are read on the calling thread, if they are in the page cache.
const MAX_READ_AT_ONCE: u64 = 512 << 10;

/// The embedded store.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    to_writer: Option<mpsc::Sender<Request>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedStore {
    /// Opens the store, or makes one where none is. Blocks for as long as reading the index of live deliveries takes.
    pub fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(RealDisk), settings, clock)
    }

    /// The same on another disk, for tests of what happens when it fails.
    pub fn open_on(disk: Arc<dyn Disk>, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let path = settings.path.clone();
        let writer = opening::open(settings, clock, disk)?;
        let shared = writer.shared.clone();
        let (to_writer, inbox) = mpsc::channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || writer.run(inbox));
        let thread = thread.map_err(|source| OpenError::Io { what: "starting the writer of", path, source })?;
        Ok(EmbeddedStore { shared, to_writer: Some(to_writer), writer: Mutex::new(Some(thread)) })
    }

    async fn ask(&self, request: impl FnOnce(writer::Answer) -> Request) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        let to_writer = self.to_writer.as_ref().ok_or_else(closing)?;
        to_writer.send(request(answer)).await.map_err(|_| closing())?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has stopped".to_owned())))
    }

    /// Has something written down that cannot be read. If the writer is too busy, it will be met again.
    fn set_aside(&self, aside: Aside) {
        if let Some(to_writer) = &self.to_writer {
            let _ = to_writer.try_send(Request::SetAside(aside));
        }
    }

    /// The octets of a content of segment 0.
    async fn small_content(&self, id: MessageId) -> Result<Bytes, StoreError> {
        if let Some(octets) = self.shared.cache.content(id) {
            return Ok(octets);
        }
        let found = self.query(move |db| reader::content(db, id)).await?;
        found.ok_or_else(|| StoreError::Missing(format!("the content of message {id}")))
    }

    /// Octets of a content file; `Damaged` in words when it has them not.
    async fn large_content(&self, content: ContentRef, range: Range<u64>) -> Result<Bytes, StoreError> {
        let located = self.shared.files.locate(content);
        let (file, start) = located.map_err(|error| self.unreadable(content, &error.to_string()))?;
        let offset = start.saturating_add(range.start);
        let octets = range.end - range.start;
        let length = usize::try_from(octets).unwrap_or(usize::MAX);
        if octets <= MAX_READ_AT_ONCE
            && let Some(found) = segments::read_cached(&file, length, offset)
        {
            return Ok(found);
        }
        let blocking = tokio::task::spawn_blocking(move || segments::read(&file, length, offset));
        let read = blocking.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        read.map_err(|error| self.unreadable(content, &error.to_string()))
    }

    /// A content that cannot be read: purged meanwhile, or damaged.
    fn unreadable(&self, content: ContentRef, reason: &str) -> StoreError {
        let name = format!("{:08}.seg at {}, {} octets", content.segment, content.offset, content.length);
        if content.segment != rows::IN_DATABASE && !self.shared.status().counts.segments.contains_key(&content.segment)
        {
            return StoreError::Missing(format!("the content in {name}"));
        }
        self.set_aside(Aside::Other("content", name.clone(), reason.to_owned()));
        StoreError::Damaged(format!("{name}: {reason}"))
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let prepared = Box::new(Prepared::new(batch)?);
        self.ask(|answer| Request::Commit(prepared, answer)).await
    }

    async fn claim(&self, now: Timestamp, room: &Room, lease: Duration) -> Result<Vec<Claim>, StoreError> {
        loop {
            let leases = self.shared.schedule.claim(now, room, lease);
            let none_due = leases.is_empty();
            let found = self.look_up(leases.iter().map(|lease| lease.delivery).collect()).await;
            let mut claims = Vec::with_capacity(leases.len());
            let mut trouble = None;
            for (lease, (delivery, message)) in leases.into_iter().zip(found) {
                match self.claimed(lease, delivery, message) {
                    Ok(claim) => claims.extend(claim),
                    Err(error) => {
                        self.shared.schedule.release(lease);
                        trouble = Some(error);
                    }
                }
            }
            match trouble {
                Some(error) if claims.is_empty() => return Err(error),
                // What turned out to be none (it ended meanwhile, it cannot be read) makes room for those behind it.
                None if claims.is_empty() && !none_due => {}
                _ => return Ok(claims),
            }
        }
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        match self.shared.schedule.release(lease) {
            true => Ok(()),
            false => Err(StoreError::Fenced(lease.delivery)),
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.shared.schedule.next_due()
    }

    async fn stirred(&self) {
        self.shared.schedule.stirred().await;
    }

    async fn message(&self, id: MessageId) -> Result<Arc<Message>, StoreError> {
        if let Some(message) = self.shared.cache.message(id) {
            return Ok(message);
        }
        let epoch = self.shared.cache.epoch();
        let found = self.shared.readers.run(move |db| reader::message(db, id)).await;
        self.found_message(id, found, epoch)
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Delivery, StoreError> {
        if let Some(delivery) = self.shared.cache.delivery(id) {
            return Ok(Delivery::clone(&delivery));
        }
        let found = self.shared.readers.run(move |db| reader::delivery(db, id)).await;
        self.found_delivery(id, found)
    }

    async fn by_token(&self, prefix: &str) -> Result<Option<(Delivery, Arc<Message>)>, StoreError> {
        if prefix.len() < TRANSACTION_LENGTH || !prefix.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        if let Some(delivery) = self.shared.cache.by_token(prefix) {
            let message = self.message(delivery.id.message).await?;
            return Ok(Some((Delivery::clone(&delivery), message)));
        }
        let (prefix, epoch) = (prefix.to_owned(), self.shared.cache.epoch());
        let Some(((id, row), message)) = self.query(move |db| reader::by_token(db, &prefix)).await? else {
            return Ok(None);
        };
        let Some(delivery) = self.readable(id, row) else { return Ok(None) };
        let message = self.found_message(id.message, Ok(message), epoch)?;
        Ok(Some((delivery, message)))
    }

    async fn handset(&self, phone: &Msisdn) -> Result<Option<Handset>, StoreError> {
        let digits = phone.digits().to_owned();
        let found = self.query(move |db| reader::handset(db, &digits)).await?;
        // What cannot be read is learnt again.
        Ok(found.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    async fn network(&self, name: &str) -> Result<Option<Network>, StoreError> {
        let name = name.to_owned();
        let found = self.query(move |db| reader::network(db, &name)).await?;
        Ok(found.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    async fn by_message_id(&self, message_id: &str) -> Result<Option<Arc<Message>>, StoreError> {
        let text = message_id.to_owned();
        match self.query(move |db| reader::by_message_id(db, &text)).await? {
            None => Ok(None),
            Some(id) => self.message(id).await.map(Some),
        }
    }

    async fn read(&self, content: ContentRef, range: Range<u64>) -> Result<Bytes, StoreError> {
        if range.start > range.end || range.end > content.length {
            let (start, end) = (range.start, range.end);
            return Err(StoreError::Missing(format!("octets {start} to {end} of a content of {}", content.length)));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let whole = range.end - range.start == content.length;
        let octets = if content.segment == rows::IN_DATABASE {
            let all = self.small_content(MessageId(content.offset)).await?;
            let slice = |octet: u64| usize::try_from(octet).unwrap_or(usize::MAX);
            if all.len() as u64 != content.length {
                return Err(self.unreadable(content, &format!("it has {} octets", all.len())));
            }
            all.slice(slice(range.start)..slice(range.end))
        } else {
            self.large_content(content, range).await?
        };
        if whole && crc32fast::hash(&octets) != content.crc {
            return Err(self.unreadable(content, "its check sum is wrong"));
        }
        Ok(octets)
    }

    async fn scan(&self, filter: &Filter, page: Page) -> Result<Vec<Delivery>, StoreError> {
        let filter = filter.clone();
        let found = self.query(move |db| reader::scan(db, &filter, page)).await?;
        Ok(found.into_iter().filter_map(|(id, row)| self.readable(id, row)).collect())
    }

    async fn timeline(&self, id: DeliveryId) -> Result<Vec<Event>, StoreError> {
        let found = self.query(move |db| reader::timeline(db, id)).await?;
        found.ok_or_else(|| StoreError::Missing(format!("delivery {id}")))
    }

    async fn finished(&self, before: Timestamp, most: usize) -> Result<Vec<MessageId>, StoreError> {
        self.query(move |db| reader::finished(db, before, most)).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        self.ask(|answer| Request::Tidy(now, answer)).await
    }

    async fn health(&self) -> StoreHealth {
        let status = self.shared.status().clone();
        let shared = self.shared.clone();
        let measured = tokio::task::spawn_blocking(move || {
            let database = database_path(&shared.settings.path);
            let length = |path| std::fs::metadata(path).map_or(0, |file| file.len());
            let disk = length(schema::log_path(&database)) + length(database);
            (disk, shared.disk.free(&shared.settings.path).unwrap_or(0))
        });
        let (database_bytes, free_bytes) = measured.await.unwrap_or_default();
        let open = self.to_writer.as_ref().is_some_and(|to_writer| !to_writer.is_closed());
        let room = free_bytes >= self.shared.settings.free_space_floor.0;
        let trouble = match (open, room) {
            (false, _) => Some("the store is closed".to_owned()),
            (true, false) => Some(format!("only {free_bytes} octets are free")),
            (true, true) => None,
        };
        let tally = status.counts.tally;
        StoreHealth {
            writable: open && room && status.trouble.is_none(),
            trouble: status.trouble.or(trouble).or(status.warning),
            durability: self.shared.settings.durability.word().to_owned(),
            deliveries: tally.iter().filter(|(_, n)| *n > 0).map(|(word, n)| (word.to_owned(), n as u64)).collect(),
            messages: status.counts.messages(),
            content_bytes: status.counts.octets(),
            disk_bytes: database_bytes + status.counts.file_octets(),
            free_bytes,
            quarantined: status.quarantined,
            next_due: self.shared.schedule.peek(),
        }
    }

    fn last_id(&self) -> Option<MessageId> {
        Some(self.shared.last_id()).filter(|id| id.0 > 0)
    }

    async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if let Some(to_writer) = &self.to_writer
            && to_writer.send(Request::Close(answer)).await.is_ok()
        {
            let _ = answered.await;
        }
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has answered: what is left is the end of its function.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for EmbeddedStore {
    /// Finishes what was handed over.
    fn drop(&mut self) {
        self.to_writer = None;
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
