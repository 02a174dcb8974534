//! The one thread that writes.
//!
//! It takes everything that waits, up to [`MAX_OCTETS`] and [`MAX_BATCHES`], without a timer: while one group is being
//! written the next one gathers, so groups are as large as the disk is slow. One vectored write and one sync of all content, one
//! transaction, one sync of the database's log, then every batch of the group is answered (I-1).
//!
//! When something fails:
//!
//! - No room: the batches with new messages are answered `Full`; nothing is to be undone, the next group tries again.
//! - A failed write of content: the same with `Unavailable`.
//! - A failed sync, of content or of the log, or an error of the database that is not about room: nobody knows what the
//!   device has. The group is answered `Unavailable`, and nothing is taken until a new file was seen to work and, when the
//!   database was concerned, it has been closed and opened again: SQLite then checks the log frame by frame, and the counts
//!   and the schedule are read anew. No sync is ever repeated on a file where one failed: that would succeed without
//!   having written anything.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::id::MessageId;
use packetboat_api::store::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::apply::{Applying, Effects, Unapplied};
use crate::ledger::Ledger;
use crate::reader;
use crate::rows::{self, ChangeRow, DeliveryRow, Prepared, column};
use crate::schedule::Live;
use crate::schema;
use crate::segments::{Appender, WriteError};
use crate::shared::{Aside, Shared, database_path};

/// Content of one group.
const MAX_OCTETS: u64 = 16 << 20;
/// Batches of one group.
const MAX_BATCHES: usize = 512;

pub(crate) type Answer = oneshot::Sender<Result<(), StoreError>>;

/// What the writer is asked to do.
pub(crate) enum Request {
    Commit(Box<Prepared>, Answer),
    Tidy(Timestamp, Answer),
    SetAside(Aside),
    Close(oneshot::Sender<()>),
}

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) db: Connection,
    pub(crate) appender: Appender,
    pub(crate) counts: Ledger,
    /// The database's log, to be synced.
    log: Option<File>,
    trouble: Option<Trouble>,
    /// Holds the store for this process.
    _lock: Arc<File>,
}

/// Why nothing is taken.
struct Trouble {
    /// The database must be opened again.
    database: bool,
}

/// A batch of a group and whom to answer.
struct Waiting {
    batch: Box<Prepared>,
    answer: Answer,
}

/// Why a transaction did not come to be.
enum Failure {
    /// SQLite's error inside it: rolled back.
    Sql(rusqlite::Error),
    /// The log was not synced: nobody knows.
    Unsynced(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sql(error)
    }
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        db: Connection,
        appender: Appender,
        counts: Ledger,
        lock: Arc<File>,
    ) -> Self {
        let writer = Writer { shared, db, appender, counts, log: None, trouble: None, _lock: lock };
        writer.publish_counts();
        writer
    }

    /// Works until the store is closed or dropped.
    pub(crate) fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        while let Some(first) = inbox.blocking_recv() {
            let (mut group, mut octets, mut next) = (Vec::new(), 0, Some(first));
            let mut rest = None;
            while let Some(request) = next.take() {
                match request {
                    Request::Commit(batch, answer) => {
                        octets += batch.octets;
                        group.push(Waiting { batch, answer });
                    }
                    other => {
                        rest = Some(other);
                        break;
                    }
                }
                if group.len() < MAX_BATCHES && octets < MAX_OCTETS {
                    next = inbox.try_recv().ok();
                }
            }
            if !group.is_empty() {
                self.commit(group);
            }
            match rest {
                Some(Request::Tidy(now, answer)) => {
                    let _ = answer.send(self.tidy(now));
                }
                Some(Request::SetAside(aside)) => self.set_aside(&aside),
                Some(Request::Close(answer)) => {
                    inbox.close();
                    while let Ok(request) = inbox.try_recv() {
                        if let Request::Commit(_, answer) = request {
                            let _ = answer.send(Err(closing()));
                        }
                    }
                    self.finish();
                    let _ = answer.send(());
                    return;
                }
                Some(Request::Commit(..)) | None => {}
            }
        }
        self.finish();
    }

    fn commit(&mut self, group: Vec<Waiting>) {
        if let Err(error) = self.recover() {
            return group.into_iter().for_each(|waiting| waiting.answer(Err(error.clone())));
        }
        let group = self.place(group);
        if group.is_empty() {
            return;
        }
        match self.transact(&group) {
            Ok(results) => self.publish(group, results),
            Err(Failure::Sql(error)) if group.len() > 1 && !is_general(&error) => self.commit_singly(group),
            Err(failure) => self.fail(group, &failure),
        }
    }

    /// One of the group's batches is faulty in a way no check foresaw: only that one shall fail.
    fn commit_singly(&mut self, group: Vec<Waiting>) {
        for waiting in group {
            let group = vec![waiting];
            if self.trouble.is_some() {
                self.fail(group, &Failure::Unsynced("an earlier failure".to_owned()));
                continue;
            }
            match self.transact(&group) {
                Ok(results) => self.publish(group, results),
                Err(failure) => self.fail(group, &failure),
            }
        }
    }

    /// Writes the group's contents and tells each message where its own is. Those that find no room are answered and
    /// left out.
    fn place(&mut self, mut group: Vec<Waiting>) -> Vec<Waiting> {
        let octets = group.iter().map(|waiting| waiting.batch.octets).sum();
        if group.iter().any(|waiting| !waiting.batch.messages.is_empty())
            && let Err(error) = self.shared.room_for(octets)
        {
            group = answer_some(group, &error, |batch| !batch.messages.is_empty());
        }
        let contents: Vec<&Bytes> = group
            .iter()
            .flat_map(|waiting| &waiting.batch.messages)
            .filter(|row| row.is_large())
            .flat_map(|row| &row.content)
            .collect();
        if contents.is_empty() {
            return group;
        }
        let (segment, mut offset) = match self.appender.append(&contents) {
            Ok((segment, offset, _)) => (segment, offset),
            Err(error) => {
                let error = self.not_written(error);
                return answer_some(group, &error, Prepared::has_large);
            }
        };
        let messages = group.iter_mut().flat_map(|waiting| &mut waiting.batch.messages);
        for row in messages.filter(|row| row.is_large()) {
            row.message.content.segment = segment;
            row.message.content.offset = offset;
            offset += row.message.content.length;
        }
        group
    }

    pub(crate) fn not_written(&mut self, error: WriteError) -> StoreError {
        match error {
            WriteError::Full(text) => StoreError::Full(text),
            WriteError::Failed(text) => {
                tracing::error!(text, "content was not written");
                StoreError::Unavailable(text)
            }
            WriteError::Unsynced(text) => {
                self.stop(&text, false);
                StoreError::Unavailable(text)
            }
        }
    }

    /// Applies the group in one transaction. When this is `Ok`, it is on disk.
    fn transact(&mut self, group: &[Waiting]) -> Result<Vec<Result<Effects, StoreError>>, Failure> {
        let mut results = Vec::with_capacity(group.len());
        let shared = self.shared.clone();
        let db = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        let last_id = shared.last_id();
        let mut applying = Applying { db: &db, schedule: &shared.schedule, now: shared.clock.now(), last_id };
        let mut counts = Ledger::default();
        for waiting in group {
            match applying.batch(&waiting.batch) {
                Ok(effects) => {
                    counts.add(&effects.counts);
                    results.push(Ok(effects));
                }
                Err(Unapplied::Refused(error)) => results.push(Err(error)),
                Err(Unapplied::Sql(error)) => return Err(error.into()),
            }
        }
        if applying.last_id > last_id {
            schema::set_meta(&db, "last_id", column(applying.last_id))?;
        }
        if results.iter().all(Result::is_err) {
            return Ok(results);
        }
        counts.write(&db)?;
        db.commit()?;
        self.sync_log()?;
        self.counts.add(&counts);
        Ok(results)
    }

    /// Forces the database's log to the device.
    fn sync_log(&mut self) -> Result<(), Failure> {
        if !self.shared.syncs() {
            return Ok(());
        }
        if self.log.is_none() {
            let path = schema::log_path(&database_path(&self.shared.settings.path));
            self.log = Some(File::open(&path).map_err(|e| Failure::Unsynced(format!("{}: {e}", path.display())))?);
        }
        let Some(log) = &self.log else { return Ok(()) };
        self.shared.disk.sync(log).map_err(|e| Failure::Unsynced(format!("syncing the database's log: {e}")))
    }

    /// A transaction of the writer's own.
    pub(crate) fn own_transaction(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let result = (|| {
            let db = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
            work(&db)?;
            db.commit()?;
            self.sync_log()
        })();
        result.map_err(|failure| self.failed(&failure))
    }

    /// Makes a group's effects visible, then answers it.
    fn publish(&mut self, group: Vec<Waiting>, results: Vec<Result<Effects, StoreError>>) {
        let mut done = Vec::with_capacity(group.len());
        let mut purged = false;
        for (waiting, result) in group.into_iter().zip(results) {
            match result {
                Ok(effects) => {
                    purged |= !effects.purged.is_empty();
                    self.publish_batch(*waiting.batch, effects);
                    done.push((waiting.answer, Ok(())));
                }
                Err(error) => {
                    self.unpin(&waiting.batch);
                    done.push((waiting.answer, Err(error)));
                }
            }
        }
        self.publish_counts();
        for (answer, result) in done {
            // Who does not wait any more has had his batch written all the same.
            let _ = answer.send(result);
        }
        if purged {
            self.delete_empty();
        }
    }

    fn publish_batch(&self, batch: Prepared, effects: Effects) {
        let Shared { cache, schedule, files, .. } = &*self.shared;
        for row in batch.messages {
            self.shared.saw(row.message.id);
            if row.message.content.segment == rows::IN_DATABASE {
                cache.keep_content(row.message.id, row.small_content());
            }
            cache.keep_message(Arc::new(row.message), row.json.len());
        }
        for row in batch.deliveries {
            let (id, live) = (row.delivery.id, Live::of(&row.delivery));
            cache.keep_delivery(Arc::new(row.delivery), row.json.len());
            schedule.set(id, live, None);
        }
        for ChangeRow { row, lease, .. } in batch.changes {
            let (id, live) = (row.delivery.id, Live::of(&row.delivery));
            cache.keep_delivery(Arc::new(row.delivery), row.json.len());
            schedule.set(id, live, lease);
        }
        for purged in effects.purged {
            cache.forget_message(purged.message, &purged.deliveries);
            files.forget(purged.place);
            purged.deliveries.into_iter().for_each(|id| schedule.remove(id));
        }
    }

    pub(crate) fn publish_counts(&self) {
        self.shared.status().counts.clone_from(&self.counts);
    }

    fn unpin(&self, batch: &Prepared) {
        batch.changes.iter().filter_map(|change| change.lease).for_each(|lease| self.shared.schedule.unpin(lease));
    }

    fn fail(&mut self, group: Vec<Waiting>, failure: &Failure) {
        let taken = match (failure, &group[..]) {
            (Failure::Sql(error), [only]) if !is_general(error) => self.token_owner(&only.batch),
            _ => None,
        };
        let error = taken.map_or_else(|| self.failed(failure), StoreError::Duplicate);
        for waiting in group {
            self.unpin(&waiting.batch);
            waiting.answer(Err(error.clone()));
        }
    }

    /// Whose token a new delivery of this batch has: a coincidence once in the age of the universe, so it is not checked
    /// before.
    fn token_owner(&self, batch: &Prepared) -> Option<MessageId> {
        let mut select = self.db.prepare_cached("SELECT message FROM delivery WHERE token = ?1").ok()?;
        let mut owner = |row: &DeliveryRow| select.query_row([&row.delivery.token], |row| row.get(0)).ok();
        batch.deliveries.iter().find_map(&mut owner).map(rows::message_id)
    }

    /// What a failed transaction means for the writer, and for who waited for it.
    fn failed(&mut self, failure: &Failure) -> StoreError {
        match failure {
            Failure::Sql(error) if schema::is_full(error) => StoreError::Full(format!("the database: {error}")),
            Failure::Sql(error) if schema::is_damage(error) => {
                self.mark_damaged(&error.to_string());
                StoreError::Damaged(format!("the database: {error}"))
            }
            Failure::Sql(error) => {
                let text = format!("the database: {error}");
                if is_general(error) {
                    self.stop(&text, true);
                }
                StoreError::Unavailable(text)
            }
            Failure::Unsynced(text) => {
                self.stop(text, true);
                StoreError::Unavailable(text.clone())
            }
        }
    }

    /// Takes nothing more until [`Writer::recover`] succeeds.
    fn stop(&mut self, text: &str, database: bool) {
        tracing::error!(text, "the store stops taking messages");
        let database = database || self.trouble.as_ref().is_some_and(|trouble| trouble.database);
        self.trouble = Some(Trouble { database });
        self.shared.status().trouble = Some(text.to_owned());
    }

    /// Tries to get out of trouble.
    pub(crate) fn recover(&mut self) -> Result<(), StoreError> {
        let Some(trouble) = &self.trouble else { return Ok(()) };
        let reason = self.shared.status().trouble.clone().unwrap_or_default();
        self.appender.probe().map_err(|e| StoreError::Unavailable(format!("{reason}; a new file still fails: {e}")))?;
        if trouble.database {
            self.reopen().map_err(|text| StoreError::Unavailable(format!("{reason}; {text}")))?;
        }
        self.trouble = None;
        self.shared.status().trouble = None;
        tracing::info!(reason, "the store takes messages again");
        Ok(())
    }

    /// Opens the database anew and reads the state in memory from it.
    fn reopen(&mut self) -> Result<(), String> {
        let settings = &self.shared.settings;
        self.log = None;
        // All connections are closed before one is opened again: a log that somebody still has open is not checked.
        let _nobody_reads = self.shared.readers.close().ok_or("reads are under way")?;
        let nowhere = Connection::open_in_memory().map_err(|e| e.to_string())?;
        drop(std::mem::replace(&mut self.db, nowhere));
        let path = database_path(&settings.path);
        self.db = schema::open(&path, settings.database_cache.0).map_err(|e| format!("opening it again: {e:?}"))?;
        let read = || -> rusqlite::Result<_> {
            // Brings everything into the database file itself and syncs that: the log starts afresh.
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok((Ledger::load(&self.db)?, reader::live(&self.db)?, schema::meta(&self.db, "last_id")?))
        };
        let (counts, live, last_id) = read().map_err(|e| format!("reading it again: {e}"))?;
        self.counts = counts;
        self.publish_counts();
        self.shared.saw(rows::message_id(last_id));
        self.shared.cache.clear();
        self.shared.schedule.load(live);
        Ok(())
    }

    /// Leaves everything in order: nothing depends on it, the next opening is only faster.
    fn finish(&mut self) {
        if self.trouble.is_some() {
            return;
        }
        if let Err(error) = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::debug!(%error, "no checkpoint at the end");
        }
    }
}

impl Waiting {
    fn answer(self, result: Result<(), StoreError>) {
        let _ = self.answer.send(result);
    }
}

/// Answers those batches that `which` picks, and returns the others.
fn answer_some(group: Vec<Waiting>, error: &StoreError, which: impl Fn(&Prepared) -> bool) -> Vec<Waiting> {
    let (refused, left): (Vec<_>, Vec<_>) = group.into_iter().partition(|waiting| which(&waiting.batch));
    refused.into_iter().for_each(|waiting| waiting.answer(Err(error.clone())));
    left
}

/// Whether an error concerns the database as a whole, rather than one batch.
fn is_general(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    let code = error.sqlite_error_code();
    !matches!(
        code,
        None | Some(Code::ConstraintViolation | Code::TypeMismatch | Code::TooBig | Code::ParameterOutOfRange)
    )
}

pub(crate) fn closing() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
