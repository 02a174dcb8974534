//! Opening a store: whatever state it was left in, it starts.
//!
//! 1. The lock: one process at a time.
//! 2. The database, salvaged if it is damaged ([`crate::salvage`]).
//! 3. The counts and what is live; no message and no content is read.
//! 4. The content files: those that no row names are removed (their tail never had a row), those that are missing or
//!    short are written down; reading from them fails message by message.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use packetboat_api::clock::{Clock, Timestamp};
use packetboat_api::id::DeliveryId;
use rusqlite::Connection;

use crate::disk::Disk;
use crate::housekeeping::{note_missing, quarantined};
use crate::ledger::Ledger;
use crate::salvage::{self, SALVAGED, Unsalvaged};
use crate::schedule::Live;
use crate::schema::{self, Unopened};
use crate::segments::Appender;
use crate::settings::Settings;
use crate::shared::{Shared, content_directory, database_path};
use crate::writer::Writer;
use crate::{reader, rows};

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store {path} is in use by another process{holder}; stop that one first", path = .path.display())]
    InUse {
        /// Its directory.
        path: PathBuf,
        /// " (number 123)" when the other one left its process id.
        holder: String,
    },
    /// A later version of packetboat wrote it.
    #[error("the store {path} has format {found}, this packetboat knows {known} at most; use the newer one", path = .path.display(), known = schema::VERSION)]
    Newer {
        /// Its directory.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// A file operation failed.
    #[error("{what} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The database could neither be opened nor salvaged.
    #[error("the database {path}: {text}", path = .path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// SQLite's words.
        text: String,
    },
}

/// What an opened database says.
struct Opened {
    db: Connection,
    counts: Ledger,
    live: Vec<(DeliveryId, Live)>,
    opening: i64,
    last_id: i64,
    salvaged: bool,
}

/// Opens or makes the store and returns its writer, not yet running.
pub(crate) fn open(settings: Settings, clock: Arc<dyn Clock>, disk: Arc<dyn Disk>) -> Result<Writer, OpenError> {
    let content = content_directory(&settings.path);
    // Messages are nobody else's business (I-11).
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&content);
    made.map_err(io_error("making the directory", &content))?;
    let lock = lock(&settings.path)?;
    let database = database_path(&settings.path);
    salvage::finish_earlier(&database).map_err(io_error("renaming the salvaged database to", &database))?;
    let now = clock.now();
    let mut opened = open_database(&settings, now)?;
    let shared = Arc::new(Shared::new(settings, clock, disk.clone(), opened.opening.cast_unsigned()));
    shared.saw(rows::message_id(opened.last_id));
    let next = check_files(&shared, &mut opened, now)?;
    shared.status().quarantined = quarantined(&opened.db).map_err(database_error(&database))?;
    shared.schedule.load(opened.live);
    let parent = shared.settings.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    for directory in [&*content, &*shared.settings.path].into_iter().chain(parent) {
        disk.sync_directory(directory).map_err(io_error("syncing", directory))?;
    }
    let appender = Appender::new(&content, disk, shared.settings.segment_size.0, shared.syncs(), next);
    Ok(Writer::new(shared, opened.db, appender, opened.counts, Arc::new(lock)))
}

/// Takes the lock, or says who has it.
fn lock(path: &Path) -> Result<File, OpenError> {
    let name = path.join("lock");
    let opening = io_error("opening", &name);
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&name).map_err(&opening)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let digits: String = holder.chars().filter(char::is_ascii_digit).collect();
            let holder = if digits.is_empty() { digits } else { format!(" (number {digits})") };
            return Err(OpenError::InUse { path: path.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(io_error("locking", &name)(error)),
    }
    // Only to be helpful: the lock is the lock, not the number.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

fn open_database(settings: &Settings, now: Timestamp) -> Result<Opened, OpenError> {
    let path = database_path(&settings.path);
    let rescue = |reason: &str| {
        tracing::error!(reason, "the database is damaged; what can be read of it is being salvaged");
        salvage::salvage(&path, reason, now).map_err(|error| match error {
            Unsalvaged::Io(source) => io_error("salvaging", &path)(source),
            Unsalvaged::Sql(Unopened::Newer(found)) => OpenError::Newer { path: settings.path.clone(), found },
            Unsalvaged::Sql(Unopened::Sql(error)) => database_error(&path)(error),
        })
    };
    if let Ok(reason) = fs::read_to_string(salvage::mark(&path)) {
        rescue(&reason)?;
    }
    let mut salvaged = false;
    loop {
        match try_database(settings) {
            Ok(opened) => return Ok(opened),
            Err(Unopened::Newer(found)) => return Err(OpenError::Newer { path: settings.path.clone(), found }),
            Err(Unopened::Sql(error)) if !salvaged && (schema::is_damage(&error) || is_foreign(&error)) => {
                salvaged = true;
                rescue(&error.to_string())?;
            }
            Err(Unopened::Sql(error)) => return Err(database_error(&path)(error)),
        }
    }
}

fn try_database(settings: &Settings) -> Result<Opened, Unopened> {
    let db = schema::open(&database_path(&settings.path), settings.database_cache.0)?;
    let opening = schema::meta(&db, "opening")? + 1;
    schema::set_meta(&db, "opening", opening)?;
    let newest: Option<i64> = db.query_row("SELECT max(id) FROM message", [], |row| row.get(0))?;
    let last_id = schema::meta(&db, "last_id")?.max(newest.unwrap_or(0));
    let salvaged = schema::meta(&db, SALVAGED)? != 0;
    Ok(Opened { counts: Ledger::load(&db)?, live: reader::live(&db)?, db, opening, last_id, salvaged })
}

/// Whether a read failed because a page holds something else than it should, which SQLite does not always notice.
fn is_foreign(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    matches!(error, E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..))
}

/// Compares the content files with the counts. Returns the number of the next file.
fn check_files(shared: &Shared, opened: &mut Opened, now: Timestamp) -> Result<u32, OpenError> {
    let directory = content_directory(&shared.settings.path);
    let (files, largest) = shared.files.list().map_err(io_error("listing", &directory))?;
    for number in files.keys().filter(|number| !opened.counts.segments.contains_key(number)) {
        let done = match opened.salvaged {
            true => shared.files.put_aside(*number).map(|_| ()),
            false => shared.files.delete(*number),
        };
        done.map_err(io_error("clearing away a file no row names in", &directory))?;
        if opened.salvaged {
            let reason = "no readable row names it; kept with the ending .aside";
            note(opened, now, *number, reason, shared)?;
        }
    }
    let known: Vec<(u32, u64, i64)> =
        opened.counts.segments.iter().map(|(number, s)| (*number, s.length, s.messages)).collect();
    for (number, length, messages) in known {
        if number == rows::IN_DATABASE || messages <= 0 {
            continue;
        }
        let reason = match files.get(&number) {
            None => format!("the file is missing; {messages} messages had their content in it"),
            Some(there) if *there < length => format!("the file has {there} octets of {length}"),
            Some(_) => continue,
        };
        note(opened, now, number, &reason, shared)?;
    }
    if opened.salvaged {
        let path = database_path(&shared.settings.path);
        schema::set_meta(&opened.db, SALVAGED, 0).map_err(database_error(&path))?;
    }
    let counted = opened.counts.segments.keys().max().copied().unwrap_or(0);
    Ok(largest.max(counted) + 1)
}

fn note(opened: &Opened, now: Timestamp, segment: u32, reason: &str, shared: &Shared) -> Result<(), OpenError> {
    let path = database_path(&shared.settings.path);
    note_missing(&opened.db, now, "segment", &format!("{segment:08}"), reason).map_err(database_error(&path))
}

fn io_error(what: &'static str, path: &Path) -> impl Fn(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { what, path: path.clone(), source }
}

fn database_error(path: &Path) -> impl Fn(rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    move |error| OpenError::Database { path: path.clone(), text: error.to_string() }
}
