//! A damaged database: what can be read of it is copied, row by row, into a new one.
//!
//! Called at the opening, when SQLite says that the file is not a database or that a page is damaged, or when a run
//! before found that out and left a mark. The damaged file is kept as `queue.db.damaged-<time>`; what could not be read
//! stands in the new database's quarantine with the reason.
//!
//! A damaged page takes only its own rows with it: reading on in order stops there, but a search for a key goes past
//! it. So the keys are collected from every tree that has them (the tables from both ends, and their indexes), and each row is
//! looked up by itself.
//!
//! The copy is made under another name and renamed when it is complete; a crash before that starts over, and between the
//! two renames is finished by the next opening.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use packetboat_api::clock::Timestamp;
use packetboat_api::id::DeliveryId;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::ledger::Ledger;
use crate::rows::{delivery_id, message_id};
use crate::schema::{self, Unopened, open_states};

/// Columns of each table, in the order in which they are copied.
const MESSAGE: &str = "id, received, segment, offset, length, crc, message_id, sender, json";
const DELIVERY: &str = "message, idx, version, state, due, token, recipient, sender, via, json";

/// Where each collecting of keys starts.
const MESSAGE_KEYS: [&str; 6] = [
    "SELECT id FROM message ORDER BY id",
    "SELECT id FROM message ORDER BY id DESC",
    "SELECT id FROM message INDEXED BY message_by_received WHERE received > -1 ORDER BY received",
    "SELECT id FROM message INDEXED BY message_by_received WHERE received > -1 ORDER BY received DESC",
    "SELECT id FROM message INDEXED BY message_by_message_id WHERE message_id >= '' ORDER BY message_id",
    "SELECT message FROM content ORDER BY message",
];
const DELIVERY_KEYS: [&str; 7] = [
    "SELECT message, idx FROM delivery ORDER BY message, idx",
    "SELECT message, idx FROM delivery ORDER BY message DESC, idx DESC",
    "SELECT message, idx FROM delivery INDEXED BY delivery_by_token WHERE token >= '' ORDER BY token",
    "SELECT message, idx FROM delivery INDEXED BY delivery_by_recipient WHERE recipient >= '' ORDER BY recipient",
    "SELECT message, idx FROM delivery INDEXED BY delivery_by_recipient WHERE recipient >= '' ORDER BY recipient DESC",
    concat!("SELECT message, idx FROM delivery INDEXED BY delivery_open WHERE ", open_states!()),
    concat!(
        "SELECT message, idx FROM delivery INDEXED BY delivery_open WHERE ",
        open_states!(),
        " ORDER BY message DESC, idx DESC"
    ),
];

/// Set in `meta` until the content files that no row names have been put aside: their rows may be what was lost.
pub(crate) const SALVAGED: &str = "salvaged";

/// Why a database could not be salvaged.
#[derive(Debug)]
pub(crate) enum Unsalvaged {
    Io(io::Error),
    Sql(Unopened),
}

impl From<io::Error> for Unsalvaged {
    fn from(error: io::Error) -> Self {
        Unsalvaged::Io(error)
    }
}

impl From<rusqlite::Error> for Unsalvaged {
    fn from(error: rusqlite::Error) -> Self {
        Unsalvaged::Sql(error.into())
    }
}

/// The mark a run leaves that met a damaged page.
pub(crate) fn mark(path: &Path) -> PathBuf {
    with_suffix(path, ".damaged")
}

/// Finishes a salvage that was interrupted between its two renames.
pub(crate) fn finish_earlier(path: &Path) -> io::Result<()> {
    let copy = with_suffix(path, ".salvage");
    if path.exists() || !copy.exists() {
        return Ok(());
    }
    fs::rename(copy, path)
}

/// Copies what can be read of the database at `path` into a new one that takes its place.
pub(crate) fn salvage(path: &Path, reason: &str, now: Timestamp) -> Result<(), Unsalvaged> {
    let copy = with_suffix(path, ".salvage");
    remove(&copy)?;
    let aside = with_suffix(path, &format!(".damaged-{}", now.0));
    {
        let mut new = Connection::open(&copy)?;
        schema::prepare(&mut new).map_err(Unsalvaged::Sql)?;
        let copying = new.transaction()?;
        let mut losses = Losses { db: &copying, now };
        losses.note("database", "queue.db", &format!("{reason}; kept as {}", aside.display()))?;
        copy_all(path, &copying, &mut losses)?;
        Ledger::recount(&copying)?.write(&copying)?;
        schema::set_meta(&copying, SALVAGED, 1)?;
        copying.commit()?;
    }
    let log = schema::log_path(path);
    fs::rename(path, &aside)?;
    if log.exists() {
        fs::rename(&log, schema::log_path(&aside))?;
    }
    remove(&with_suffix(path, "-shm"))?;
    fs::rename(&copy, path)?;
    remove(&mark(path))?;
    Ok(())
}

/// Where losses are written down.
struct Losses<'a> {
    db: &'a Connection,
    now: Timestamp,
}

impl Losses<'_> {
    fn note(&mut self, kind: &str, name: &str, reason: &str) -> rusqlite::Result<()> {
        tracing::error!(kind, name, reason, "set aside");
        self.db
            .prepare_cached("INSERT OR IGNORE INTO quarantine (kind, name, at, reason) VALUES (?1, ?2, ?3, ?4)")?
            .execute((kind, name, self.now.0, reason))?;
        Ok(())
    }
}

fn copy_all(path: &Path, new: &Connection, losses: &mut Losses<'_>) -> rusqlite::Result<()> {
    let old = match Connection::open(path) {
        Ok(old) => old,
        Err(error) => return losses.note("table", "all", &error.to_string()),
    };
    // A file that was cut off is not even opened otherwise: its header promises more pages.
    old.pragma_update(None, "writable_schema", true)?;
    let mut messages = BTreeSet::new();
    for query in MESSAGE_KEYS {
        collect(&old, query, |row| row.get(0).map(|id: i64| messages.insert(id)));
    }
    let mut deliveries = BTreeSet::new();
    for query in DELIVERY_KEYS {
        collect(&old, query, |row| delivery_id(row, 0).map(|id| deliveries.insert(id)));
    }
    messages.extend(deliveries.iter().map(|id: &DeliveryId| id.message.0.cast_signed()));
    // Format 1 has no lines.
    let lines = old.prepare("SELECT line FROM delivery LIMIT 0").is_ok();
    let delivery_columns = if lines { format!("{DELIVERY}, line") } else { DELIVERY.to_owned() };
    for id in messages {
        let name = message_id(id).to_string();
        if copy_rows(&old, new, "message", MESSAGE, "id = ?1", &[id], ("message", &name, losses))? == 0 {
            losses.note("message", &name, "its row is gone")?;
        }
        copy_rows(&old, new, "content", "message, octets", "message = ?1", &[id], ("content", &name, losses))?;
    }
    for id in deliveries {
        let (key, name) = ([id.message.0.cast_signed(), i64::from(id.index)], id.to_string());
        let here = "message = ?1 AND idx = ?2";
        if copy_rows(&old, new, "delivery", &delivery_columns, here, &key, ("delivery", &name, losses))? == 0 {
            losses.note("delivery", &name, "its row is gone")?;
        }
        // Keeps the message from counting as finished, when the row was lost.
        new.prepare_cached(
            "INSERT OR IGNORE INTO delivery (message, idx, version, state, due, token, recipient, json)
             VALUES (?1, ?2, 0, ?3, 0, 'lost ' || ?4, '', x'')",
        )?
        .execute((key[0], key[1], schema::UNREADABLE, &name))?;
        let columns = "message, idx, seq, at, what, detail";
        copy_rows(&old, new, "event", columns, here, &key, ("timeline", &name, losses))?;
    }
    for order in ["key", "key DESC"] {
        let by = format!("1 ORDER BY {order}");
        copy_rows(&old, new, "key", "key, message, expires", &by, &[], ("key", order, losses))?;
    }
    // What is known of phones is learnt again when it is lost; format 1 has none.
    for (table, columns) in [("handset", "number, seen, json"), ("network", "name, json")] {
        if old.prepare(&format!("SELECT {columns} FROM {table} LIMIT 0")).is_ok() {
            copy_rows(&old, new, table, columns, "1", &[], ("table", table, losses))?;
        }
    }
    copy_rows(&old, new, "quarantine", "kind, name, at, reason", "1", &[], ("table", "quarantine", losses))?;
    copy_rows(&old, new, "meta", "name, value", "1", &[], ("table", "meta", losses))?;
    Ok(())
}

/// Copies the rows of one table that `here` names, until one cannot be read, which is noted. Returns how many.
fn copy_rows(
    old: &Connection,
    new: &Connection,
    table: &str,
    columns: &str,
    here: &str,
    key: &[i64],
    (kind, name, losses): (&str, &str, &mut Losses<'_>),
) -> rusqlite::Result<usize> {
    let count = columns.split(',').count();
    let marks: Vec<String> = (1..=count).map(|n| format!("?{n}")).collect();
    let insert = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({})", marks.join(", "));
    let mut copied = 0;
    let mut read = || -> rusqlite::Result<()> {
        let mut select = old.prepare_cached(&format!("SELECT {columns} FROM {table} WHERE {here}"))?;
        let mut rows = select.query(params_from_iter(key))?;
        while let Some(row) = rows.next()? {
            let values: Vec<Value> = (0..count).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            // A row that the new table will not have (a column of another type, say) is as good as unreadable.
            new.prepare_cached(&insert)?.execute(params_from_iter(values))?;
            copied += 1;
        }
        Ok(())
    };
    if let Err(error) = read() {
        losses.note(kind, name, &error.to_string())?;
        copied = copied.max(1);
    }
    Ok(copied)
}

/// Collects keys until the tree cannot be read any further.
fn collect<T>(old: &Connection, query: &str, mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) {
    let mut read = || -> rusqlite::Result<()> {
        let mut select = old.prepare(query)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    };
    if let Err(error) = read() {
        tracing::warn!(query, %error, "a damaged tree was read as far as it goes");
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
