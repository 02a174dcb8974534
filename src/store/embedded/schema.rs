//! The database: its tables, its version, its connections.
//!
//! ```text
//! message     one row per message; the JSON is packetboat_api::message::Message without its content reference, which
//!             stands in the columns segment, offset, length, crc (it changes when survivors are moved)
//! content     the octets of messages under 4 KiB (segment 0)
//! delivery    one row per delivery; the columns beside the JSON are what is searched for
//! handset     what is known of phones, by number; network: of networks, by name
//! event       timelines
//! key         dedupe keys
//! segment     per content file: octets written, octets and messages alive, the range of message ids in it; row 0
//!             counts the small contents
//! tally       deliveries by state
//! quarantine  what could not be read, and why
//! meta        opening (counts the openings), last_id (largest message id ever seen)
//! ```
//!
//! `segment` and `tally` are changed in the same transaction as what they count, so that opening reads a handful of rows
//! where it would have to read them all.
//!
//! The log is synced by the writer itself: `synchronous=NORMAL` leaves the commit's sync out and keeps those that
//! protect the file's structure (before and after a checkpoint, and of the log's new header), and the writer then calls
//! `fdatasync` on the log before it answers. SQLite's own `FULL` would call `fsync`, which costs a journal commit of the
//! file system each time even when the log is overwritten in place, and would hide a failed sync behind a retry.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

/// The format this program writes.
pub(crate) const VERSION: i64 = 2;
/// "pktb": what `file` and this program recognise the database by.
const APPLICATION: i64 = 0x706B_7462;
/// Pages of the log that make a checkpoint: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4096;
/// After a long reader made the log grow it is cut to this again.
const LOG_LIMIT: i64 = 64 << 20;
const STATEMENTS: usize = 64;

/// State word of a delivery whose row cannot be read: it neither is due nor counts as ended.
pub(crate) const UNREADABLE: &str = "unreadable";

/// The condition of the index `delivery_open`; a query that is to use it must contain it word for word.
macro_rules! open_states {
    () => {
        "state IN ('queued', 'waiting', 'held', 'quarantined', 'unreadable')"
    };
}
pub(crate) use open_states;

const TABLES: &str = concat!(
    "
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE message (
    id INTEGER PRIMARY KEY, received INTEGER NOT NULL,
    segment INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, crc INTEGER NOT NULL,
    message_id TEXT NOT NULL, sender TEXT, json BLOB NOT NULL);
CREATE INDEX message_by_message_id ON message (message_id);
CREATE INDEX message_by_received ON message (received);
CREATE TABLE content (message INTEGER PRIMARY KEY, octets BLOB NOT NULL);
CREATE TABLE delivery (
    message INTEGER NOT NULL, idx INTEGER NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, due INTEGER NOT NULL,
    token TEXT NOT NULL, recipient TEXT NOT NULL, sender TEXT, via TEXT,
    json BLOB NOT NULL, line INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (message, idx)) WITHOUT ROWID;
CREATE UNIQUE INDEX delivery_by_token ON delivery (token);
CREATE INDEX delivery_by_recipient ON delivery (recipient);
CREATE INDEX delivery_open ON delivery (message, idx, state, due, via, line) WHERE ",
    open_states!(),
    ";
CREATE TABLE event (
    message INTEGER NOT NULL, idx INTEGER NOT NULL, seq INTEGER NOT NULL,
    at INTEGER NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (message, idx, seq)) WITHOUT ROWID;
CREATE TABLE key (key BLOB PRIMARY KEY, message INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX key_by_expires ON key (expires);
CREATE TABLE segment (
    number INTEGER PRIMARY KEY, length INTEGER NOT NULL, live INTEGER NOT NULL, messages INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE tally (state TEXT PRIMARY KEY, deliveries INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE handset (number TEXT PRIMARY KEY, seen INTEGER NOT NULL, json BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX handset_by_seen ON handset (seen);
CREATE TABLE network (name TEXT PRIMARY KEY, json BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE quarantine (
    kind TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (kind, name)) WITHOUT ROWID;
"
);

/// From format 1 to 2: the line a delivery stands in, and what is known of phones and networks.
const FROM_1: &str = concat!(
    "
ALTER TABLE delivery ADD COLUMN line INTEGER NOT NULL DEFAULT 0;
DROP INDEX delivery_open;
CREATE INDEX delivery_open ON delivery (message, idx, state, due, via, line) WHERE ",
    open_states!(),
    ";
CREATE TABLE handset (number TEXT PRIMARY KEY, seen INTEGER NOT NULL, json BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX handset_by_seen ON handset (seen);
CREATE TABLE network (name TEXT PRIMARY KEY, json BLOB NOT NULL) WITHOUT ROWID;
"
);

/// Why a database was not opened.
#[derive(Debug)]
pub(crate) enum Unopened {
    /// Written by a later program.
    Newer(i64),
    /// SQLite's error; [`is_damage`] tells whether salvage can help.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Unopened {
    fn from(error: rusqlite::Error) -> Self {
        Unopened::Sql(error)
    }
}

/// Opens (or makes) the database for writing and brings it to the present version.
pub(crate) fn open(path: &Path, cache: u64) -> Result<Connection, Unopened> {
    let mut db = Connection::open(path)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
    // A checkpoint at the end is the writer's decision: after a failed sync there must be none.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    tune(&db, cache)?;
    prepare(&mut db)?;
    Ok(db)
}

/// Makes the tables, or brings older ones up to date.
pub(crate) fn prepare(db: &mut Connection) -> Result<(), Unopened> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > VERSION {
        return Err(Unopened::Newer(version));
    }
    if version == VERSION {
        return Ok(());
    }
    let making = db.transaction()?;
    match version {
        0 => making.execute_batch(TABLES)?,
        _ => making.execute_batch(FROM_1)?,
    }
    making.pragma_update(None, "application_id", APPLICATION)?;
    making.pragma_update(None, "user_version", VERSION)?;
    making.commit()?;
    Ok(())
}

/// Opens the database for reading.
pub(crate) fn open_reader(path: &Path, cache: u64) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::from_secs(5))?;
    tune(&db, cache)?;
    Ok(db)
}

fn tune(db: &Connection, cache: u64) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans do not depend on the values: otherwise some statements are prepared anew each time they are used.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Negative: in KiB instead of pages.
    db.pragma_update(None, "cache_size", -i64::try_from(cache >> 10).unwrap_or(i64::MAX))?;
    db.pragma_update(None, "temp_store", "MEMORY")
}

/// The log beside a database.
pub(crate) fn log_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// A number of `meta`; 0 when it is not there.
pub(crate) fn meta(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    let found = db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0));
    Ok(found.optional()?.unwrap_or(0))
}

/// Sets a number of `meta`.
pub(crate) fn set_meta(db: &Connection, name: &str, value: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute((name, value))?;
    Ok(())
}

/// Whether an error says that the file is not what was written.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Whether an error says that there is no room.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}
