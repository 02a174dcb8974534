//! What the writer does besides writing: giving back space, forgetting keys, setting aside what cannot be read.

use std::fs;
use std::io;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::HANDSET_AGES;
use packetboat_api::message::ContentRef;
use packetboat_api::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::{Ledger, Segment};
use crate::reader::read_error;
use crate::rows::{self, column};
use crate::salvage;
use crate::schema::{UNREADABLE, open_states};
use crate::segments;
use crate::shared::{Aside, database_path};
use crate::writer::Writer;

/// Keys, or phones, forgotten in one go.
const MAX_KEYS: i64 = 10_000;
/// A file with less than one octet in so many alive is given up and its survivors moved.
const SPARSE: u64 = 4;

/// A message whose content is moved.
struct Survivor {
    id: MessageId,
    offset: u64,
    length: u64,
}

impl Writer {
    /// Forgets expired keys, removes empty files, moves the survivors of one that is nearly empty.
    pub(crate) fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.recover()?;
        self.forget_keys(now)?;
        self.forget_handsets(now)?;
        self.delete_empty();
        let current = self.appender.current();
        let sparse = |(number, segment): &(&u32, &Segment)| {
            let live = u64::try_from(segment.live).unwrap_or(0);
            **number != rows::IN_DATABASE && Some(**number) != current && live > 0 && live < segment.length / SPARSE
        };
        // One at a time: commits wait meanwhile.
        let candidates: Vec<u32> = self.counts.segments.iter().filter(sparse).map(|(number, _)| *number).collect();
        for number in candidates {
            if self.move_survivors(number)? {
                break;
            }
        }
        Ok(())
    }

    /// Phones that have not been seen for long.
    fn forget_handsets(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let before = now.0.saturating_sub(i64::try_from(HANDSET_AGES.as_millis()).unwrap_or(i64::MAX));
        let old = "SELECT number FROM handset WHERE seen < ?1 LIMIT ?2";
        let any = self.db.prepare_cached(old).and_then(|mut select| select.exists((before, 1)));
        if !any.map_err(|error| read_error(&error))? {
            return Ok(());
        }
        self.own_transaction(|db| {
            let delete = format!("DELETE FROM handset WHERE number IN ({old})");
            db.prepare_cached(&delete)?.execute((before, MAX_KEYS)).map(drop)
        })
    }

    fn forget_keys(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let expired = "SELECT 1 FROM key INDEXED BY key_by_expires WHERE expires <= ?1";
        let any = self.db.prepare_cached(expired).and_then(|mut select| select.exists([now.0]));
        if !any.map_err(|e| read_error(&e))? {
            return Ok(());
        }
        self.own_transaction(|db| {
            db.prepare_cached(
                "DELETE FROM key WHERE key IN
                 (SELECT key FROM key INDEXED BY key_by_expires WHERE expires <= ?1 LIMIT ?2)",
            )?
            .execute((now.0, MAX_KEYS))?;
            Ok(())
        })
    }

    /// Removes content files in which nothing is left.
    pub(crate) fn delete_empty(&mut self) {
        for number in self.counts.empty(self.appender.current()) {
            if let Err(error) = self.delete_segment(number) {
                tracing::warn!(segment = number, %error, "an empty content file stays for now");
            }
        }
    }

    fn delete_segment(&mut self, number: u32) -> Result<(), StoreError> {
        let range = self.counts.segments.get(&number).and_then(|segment| segment.range);
        let left = self.survivors(number, range).map_err(|e| read_error(&e))?;
        if !left.is_empty() {
            // The counts were wrong. Contents are worth more than an explanation: count anew.
            let text = format!("{} messages are in a content file that counted as empty", left.len());
            tracing::error!(segment = number, text, "counting anew");
            let counts = Ledger::recount(&self.db).map_err(|e| read_error(&e))?;
            self.own_transaction(|db| {
                db.execute_batch("DELETE FROM segment; DELETE FROM tally;")?;
                counts.write(db)
            })?;
            self.counts = counts;
            self.publish_counts();
            return Err(StoreError::Damaged(text));
        }
        let deleted = self.shared.files.delete(number);
        deleted.map_err(|e| StoreError::Unavailable(format!("removing content file {number}: {e}")))?;
        self.own_transaction(|db| {
            db.prepare_cached("DELETE FROM segment WHERE number = ?1")?.execute([number])?;
            Ok(())
        })?;
        self.counts.segments.remove(&number);
        self.publish_counts();
        Ok(())
    }

    /// The messages in a content file, in the order in which they lie there.
    fn survivors(&self, number: u32, range: Option<(MessageId, MessageId)>) -> rusqlite::Result<Vec<Survivor>> {
        let (first, last) = range.map_or((i64::MIN, i64::MAX), |(first, last)| (column(first), column(last)));
        let mut select = self.db.prepare_cached(
            "SELECT id, offset, length FROM message WHERE id BETWEEN ?1 AND ?2 AND segment = ?3 ORDER BY offset",
        )?;
        let rows = select.query_map((first, last, number), |row| {
            let (offset, length): (i64, i64) = (row.get(1)?, row.get(2)?);
            let id = rows::message_id(row.get(0)?);
            Ok(Survivor { id, offset: offset.cast_unsigned(), length: length.cast_unsigned() })
        })?;
        rows.collect()
    }

    /// Copies what is alive in a file to the current one. `false` when it cannot be read and stays.
    fn move_survivors(&mut self, number: u32) -> Result<bool, StoreError> {
        let range = self.counts.segments.get(&number).and_then(|segment| segment.range);
        let survivors = self.survivors(number, range).map_err(|e| read_error(&e))?;
        self.shared.room_for(survivors.iter().map(|survivor| survivor.length).sum())?;
        let contents: io::Result<Vec<Bytes>> = survivors
            .iter()
            .map(|survivor| {
                let place = ContentRef { segment: number, offset: survivor.offset, length: survivor.length, crc: 0 };
                let (file, offset) = self.shared.files.locate(place)?;
                // Copied as it is: a damaged content stays recognisably so by the CRC in its row.
                segments::read(&file, usize::try_from(survivor.length).unwrap_or(usize::MAX), offset)
            })
            .collect();
        let contents = match contents {
            Ok(contents) => contents,
            Err(error) => {
                tracing::warn!(segment = number, %error, "a nearly empty content file cannot be read and stays");
                return Ok(false);
            }
        };
        let written = self.appender.append(&contents.iter().collect::<Vec<_>>());
        let (to, start, _) = written.map_err(|error| self.not_written(error))?;
        let mut counts = Ledger::default();
        let mut offset = start;
        let mut moves = Vec::with_capacity(survivors.len());
        for survivor in &survivors {
            let length = survivor.length.cast_signed();
            counts.take(number, length);
            counts.place(to, survivor.id, length, offset + survivor.length);
            moves.push((survivor.id, survivor.offset, offset));
            offset += survivor.length;
        }
        self.own_transaction(|db| {
            for (id, _, offset) in &moves {
                db.prepare_cached("UPDATE message SET segment = ?2, offset = ?3 WHERE id = ?1")?.execute((
                    column(*id),
                    to,
                    offset.cast_signed(),
                ))?;
            }
            counts.write(db)
        })?;
        self.counts.add(&counts);
        self.publish_counts();
        for (id, from, offset) in moves {
            self.shared.files.moved((number, from), (to, offset));
            self.shared.cache.forget_message(id, &[]);
        }
        tracing::debug!(segment = number, survivors = survivors.len(), "moved survivors");
        self.delete_empty();
        Ok(true)
    }

    /// Writes down that something cannot be read, once.
    pub(crate) fn set_aside(&mut self, aside: &Aside) {
        let (kind, name, reason) = match aside {
            Aside::Delivery(id, reason) => ("delivery", id.to_string(), reason),
            Aside::Other(kind, name, reason) => (*kind, name.clone(), reason),
            Aside::Database(reason) => return self.mark_damaged(reason),
        };
        let (now, mut new) = (self.shared.clock.now(), 0);
        let noted = self.own_transaction(|db| {
            new = db
                .prepare_cached("INSERT OR IGNORE INTO quarantine (kind, name, at, reason) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![kind, name, now.0, reason])?;
            Ok(())
        });
        if let Err(error) = noted {
            return tracing::error!(kind, name, reason, %error, "cannot be read, and that cannot be written down");
        }
        if new > 0 {
            tracing::error!(kind, name, reason, "set aside");
            self.shared.status().quarantined += 1;
        }
        if let Aside::Delivery(id, _) = aside {
            self.mark_unreadable(*id);
        }
    }

    /// A page of the database is damaged: the next opening shall salvage it.
    pub(crate) fn mark_damaged(&self, reason: &str) {
        let mark = salvage::mark(&database_path(&self.shared.settings.path));
        if mark.exists() {
            return;
        }
        tracing::error!(reason, "the database is damaged and will be salvaged at the next start");
        if let Err(error) = fs::write(&mark, reason) {
            tracing::error!(%error, "the mark for the next start cannot be written");
        }
        let mut status = self.shared.status();
        status.warning = Some(format!("the database is damaged and will be salvaged at the next start: {reason}"));
        status.quarantined += 1;
    }

    /// Takes a delivery out of the queue without losing its row.
    fn mark_unreadable(&mut self, id: DeliveryId) {
        let key = (column(id.message), id.index);
        let mut counts = Ledger::default();
        let marked = self.own_transaction(|db| {
            let state: Option<String> = db
                .prepare_cached(concat!(
                    "SELECT state FROM delivery WHERE message = ?1 AND idx = ?2 AND ",
                    open_states!()
                ))?
                .query_row(key, |row| row.get(0))
                .optional()?;
            let Some(state) = state.filter(|state| state != UNREADABLE) else { return Ok(()) };
            db.prepare_cached("UPDATE delivery SET state = ?3 WHERE message = ?1 AND idx = ?2")?
                .execute((key.0, key.1, UNREADABLE))?;
            counts.tally.add(&state, -1);
            counts.tally.add(UNREADABLE, 1);
            counts.write(db)
        });
        match marked {
            Ok(()) => {
                self.counts.add(&counts);
                self.publish_counts();
            }
            Err(error) => tracing::error!(delivery = %id, %error, "its row cannot be marked"),
        }
        self.shared.cache.forget_delivery(id);
    }
}

/// Writes down what the opening found: before the writer runs.
pub(crate) fn note_missing(
    db: &Connection,
    now: Timestamp,
    kind: &str,
    name: &str,
    reason: &str,
) -> rusqlite::Result<()> {
    tracing::error!(kind, name, reason, "set aside");
    db.prepare_cached("INSERT OR IGNORE INTO quarantine (kind, name, at, reason) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![kind, name, now.0, reason])?;
    Ok(())
}

/// How much was set aside since the store was made.
pub(crate) fn quarantined(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("SELECT count(*) FROM quarantine", [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}
