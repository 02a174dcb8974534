//! Reading rows: a few connections of their own, which the writer never blocks (WAL).
//!
//! SQLite reads block, so they run on the runtime's blocking threads; whatever is hot is found in the cache before it
//! comes to that. A row that cannot be read is reported, never a reason for the query to fail.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, Event, Line, State};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::Message;
use packetboat_api::store::{Filter, Page, StoreError};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::rows::{self, column, content_ref, delivery_id, message_id};
use crate::schedule::Live;
use crate::schema::{self, open_states};

/// Connections, and so reads at once.
const MAX_READERS: usize = 4;
/// How long [`Readers::close`] waits for reads to end.
const CLOSE_TRIES: usize = 400;
const CLOSE_PAUSE: Duration = Duration::from_millis(5);
/// The states of the index `delivery_open` that can be asked for.
const OPEN: [State; 4] = [State::Queued, State::Waiting, State::Held, State::Quarantined];

pub(crate) struct Readers {
    path: PathBuf,
    cache: u64,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

/// A row, or why it cannot be read.
pub(crate) type Read<T> = Result<T, String>;

/// A delivery's row.
pub(crate) type DeliveryRead = (DeliveryId, Read<Delivery>);

/// A message with the length of its JSON.
pub(crate) type ReadMessage = Read<(Message, usize)>;

impl Readers {
    /// `cache` octets of pages for all of them together.
    pub(crate) fn new(path: &Path, cache: u64) -> Self {
        let permits = Arc::new(Semaphore::new(MAX_READERS));
        Readers { path: path.to_owned(), cache: cache / MAX_READERS as u64, idle: Mutex::default(), permits }
    }

    /// Runs a query on a blocking thread.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, rusqlite::Error> {
        // The semaphore is never closed.
        let permit = self.permits.clone().acquire_owned().await;
        let readers = self.clone();
        let blocking = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let waiting = readers.lock().pop();
            let db = match waiting {
                Some(db) => db,
                None => schema::open_reader(&readers.path, readers.cache)?,
            };
            let result = query(&db);
            // After an error a fresh connection is the safer one.
            if result.is_ok() {
                readers.lock().push(db);
            }
            result
        });
        blocking.await.unwrap_or(Err(rusqlite::Error::QueryReturnedNoRows))
    }

    /// Closes all connections and keeps them closed until the permit is dropped; `None` when reads are under way for too
    /// long.
    pub(crate) fn close(&self) -> Option<SemaphorePermit<'_>> {
        for _ in 0..CLOSE_TRIES {
            if let Ok(permit) = self.permits.try_acquire_many(MAX_READERS as u32) {
                self.lock().clear();
                return Some(permit);
            }
            std::thread::sleep(CLOSE_PAUSE);
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error of a read is for the caller.
pub(crate) fn read_error(error: &rusqlite::Error) -> StoreError {
    match schema::is_damage(error) {
        true => StoreError::Damaged(format!("the database: {error}")),
        false => StoreError::Unavailable(format!("reading the database: {error}")),
    }
}

/// What is live: when it is due, and what it is.
pub(crate) fn live(db: &Connection) -> rusqlite::Result<Vec<(DeliveryId, Live)>> {
    let query = concat!(
        "SELECT message, idx, state, due, via, line FROM delivery INDEXED BY delivery_open WHERE ",
        open_states!()
    );
    let mut statement = db.prepare(query)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let state = row.get_ref(2)?.as_str()?;
        if state == State::Queued.word() || state == State::Waiting.word() {
            let via = row.get::<_, Option<String>>(4)?.unwrap_or_default();
            let line = Line(row.get::<_, i64>(5)?.cast_unsigned());
            found.push((delivery_id(row, 0)?, Live { due: Timestamp(row.get(3)?), via, line }));
        }
    }
    Ok(found)
}

pub(crate) fn message(db: &Connection, id: MessageId) -> rusqlite::Result<Option<ReadMessage>> {
    let mut select = db.prepare_cached("SELECT segment, offset, length, crc, json FROM message WHERE id = ?1")?;
    let decode = |row: &rusqlite::Row<'_>| {
        let json = row.get_ref(4)?.as_bytes().unwrap_or_default();
        let message = rows::decode_message(id, json, content_ref(row, 0)?);
        Ok(message.map(|message| (message, json.len())))
    };
    select.query_row([column(id)], decode).optional()
}

pub(crate) fn by_message_id(db: &Connection, text: &str) -> rusqlite::Result<Option<MessageId>> {
    let mut select = db.prepare_cached("SELECT max(id) FROM message WHERE message_id = ?1")?;
    let found: Option<i64> = select.query_row([text], |row| row.get(0))?;
    Ok(found.map(message_id))
}

pub(crate) fn delivery(db: &Connection, id: DeliveryId) -> rusqlite::Result<Option<Read<Delivery>>> {
    let mut select = db.prepare_cached("SELECT json FROM delivery WHERE message = ?1 AND idx = ?2")?;
    let decode =
        |row: &rusqlite::Row<'_>| Ok(rows::decode_delivery(id, row.get_ref(0)?.as_bytes().unwrap_or_default()));
    select.query_row((column(id.message), id.index), decode).optional()
}

/// The delivery whose token starts with `prefix`, and its message.
pub(crate) fn by_token(db: &Connection, prefix: &str) -> rusqlite::Result<Option<(DeliveryRead, Option<ReadMessage>)>> {
    // Tokens are ASCII: no token that starts with the prefix is larger than this.
    let end = format!("{prefix}\u{7f}");
    let mut select = db.prepare_cached(
        "SELECT message, idx, json FROM delivery WHERE token >= ?1 AND token < ?2 ORDER BY token LIMIT 1",
    )?;
    let Some((id, delivery)) = select.query_row((prefix, end), decode_row).optional()? else { return Ok(None) };
    Ok(Some(((id, delivery), message(db, id.message)?)))
}

/// The conditions of a listing and the values of their marks.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// The mark of a value.
    fn mark(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn add(&mut self, left: &str, right: Option<impl Into<Value>>) {
        if let Some(right) = right {
            let mark = self.mark(right);
            self.texts.push(format!("{left} {mark}"));
        }
    }
}

/// Deliveries that `filter` lets pass, with those that cannot be read.
pub(crate) fn scan(db: &Connection, filter: &Filter, page: Page) -> rusqlite::Result<Vec<DeliveryRead>> {
    let mut all = Conditions::default();
    all.add("state <>", Some(schema::UNREADABLE.to_owned()));
    all.add("message =", filter.message.map(column));
    all.add("recipient =", filter.to.clone());
    all.add("sender =", filter.from.clone());
    all.add("via =", filter.via.clone());
    let (beyond, order) = if page.newest_first { ("<", "DESC") } else { (">", "ASC") };
    if let Some(after) = page.after {
        let (message, index) = (all.mark(column(after.message)), all.mark(i64::from(after.index)));
        all.texts.push(format!("(message, idx) {beyond} ({message}, {index})"));
    }
    let mut index = "";
    if !filter.states.is_empty() {
        let marks: Vec<String> = filter.states.iter().map(|state| all.mark(state.clone())).collect();
        all.texts.push(format!("state IN ({})", marks.join(", ")));
        let open = filter.states.iter().all(|state| OPEN.iter().any(|open| open.word() == state));
        if open && filter.to.is_none() {
            all.texts.push(open_states!().to_owned());
            index = "INDEXED BY delivery_open";
        }
    }
    let limit = all.mark(i64::try_from(page.limit).unwrap_or(i64::MAX));
    let query = format!(
        "SELECT message, idx, json FROM delivery {index} WHERE {} ORDER BY message {order}, idx {order} LIMIT {limit}",
        all.texts.join(" AND "),
    );
    let mut statement = db.prepare_cached(&query)?;
    let rows = statement.query_map(params_from_iter(all.values), decode_row)?;
    rows.collect()
}

pub(crate) fn timeline(db: &Connection, id: DeliveryId) -> rusqlite::Result<Option<Vec<Event>>> {
    let mut select =
        db.prepare_cached("SELECT at, what, detail FROM event WHERE message = ?1 AND idx = ?2 ORDER BY seq")?;
    let key = (column(id.message), id.index);
    let events: Vec<Event> = select
        .query_map(key, |row| Ok(Event { at: Timestamp(row.get(0)?), what: row.get(1)?, detail: row.get(2)? }))?
        .collect::<Result<_, _>>()?;
    if events.is_empty() && !db.prepare_cached("SELECT 1 FROM delivery WHERE message = ?1 AND idx = ?2")?.exists(key)? {
        return Ok(None);
    }
    Ok(Some(events))
}

pub(crate) fn finished(db: &Connection, before: Timestamp, most: usize) -> rusqlite::Result<Vec<MessageId>> {
    let mut select = db.prepare_cached(concat!(
        "SELECT id FROM message INDEXED BY message_by_received WHERE received < ?1 AND NOT EXISTS (
             SELECT 1 FROM delivery INDEXED BY delivery_open WHERE delivery.message = message.id AND ",
        open_states!(),
        ") AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = message.id AND delivery.due >= ?1)
         ORDER BY received, id LIMIT ?2"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    select.query_map((before.0, most), |row| row.get(0).map(message_id))?.collect()
}

/// What is known of a phone, as it was written down.
pub(crate) fn handset(db: &Connection, digits: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT json FROM handset WHERE number = ?1")?.query_row([digits], |row| row.get(0)).optional()
}

/// What is known of a network, as it was written down.
pub(crate) fn network(db: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT json FROM network WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// A small content.
pub(crate) fn content(db: &Connection, id: MessageId) -> rusqlite::Result<Option<Bytes>> {
    let mut select = db.prepare_cached("SELECT octets FROM content WHERE message = ?1")?;
    select.query_row([column(id)], |row| row.get(0).map(|octets: Vec<u8>| octets.into())).optional()
}

fn decode_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<DeliveryRead> {
    let id = delivery_id(row, 0)?;
    Ok((id, rows::decode_delivery(id, row.get_ref(2)?.as_bytes().unwrap_or_default())))
}
