//! One batch inside the writer's transaction: first everything that could refuse it is looked up, then it is written.
//!
//! Because nothing is written before the last check, a refused batch leaves no trace for its neighbours in the same
//! transaction, and no savepoint is needed for each. What still fails after the checks is a fault of the database or of
//! this module, never a refusal; the writer then runs the batches one by one, so that only the faulty one fails.

use std::collections::{HashMap, HashSet};

use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::store::{Key, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

use crate::ledger::Ledger;
use crate::rows::{ChangeRow, DeliveryRow, IN_DATABASE, NewMessageRow, Prepared, column, message_id};
use crate::schedule::Schedule;

/// Why a batch was not applied.
#[derive(Debug)]
pub(crate) enum Unapplied {
    /// A precondition: nothing was written.
    Refused(StoreError),
    /// The database: the transaction must be rolled back.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Unapplied {
    fn from(error: rusqlite::Error) -> Self {
        Unapplied::Sql(error)
    }
}

impl From<StoreError> for Unapplied {
    fn from(error: StoreError) -> Self {
        Unapplied::Refused(error)
    }
}

/// What a batch did, as far as only the database knew.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub purged: Vec<Purged>,
    pub counts: Ledger,
}

/// A message that went.
#[derive(Debug)]
pub(crate) struct Purged {
    pub message: MessageId,
    /// Where its content was.
    pub place: (u32, u64),
    /// Its deliveries.
    pub deliveries: Vec<DeliveryId>,
}

/// A delivery as it stood before a change.
struct Before {
    state: String,
    token: String,
    recipient: String,
}

/// What all batches of one transaction share.
pub(crate) struct Applying<'a> {
    pub db: &'a Connection,
    pub schedule: &'a Schedule,
    pub now: packetboat_api::clock::Timestamp,
    /// The largest message id ever seen: one above it is new.
    pub last_id: MessageId,
}

/// What the checks found out that the writes need.
#[derive(Default)]
struct Findings {
    before: Vec<Before>,
    /// The new deliveries.
    fresh: HashSet<DeliveryId>,
    /// The senders of deliveries whose message was there already.
    senders: HashMap<MessageId, Option<String>>,
}

impl Applying<'_> {
    pub(crate) fn batch(&mut self, batch: &Prepared) -> Result<Effects, Unapplied> {
        let findings = self.check(batch)?;
        let mut effects = Effects::default();
        for row in &batch.messages {
            self.write_message(row, &mut effects)?;
        }
        for row in &batch.deliveries {
            self.write_delivery(row, batch, &findings, &mut effects)?;
        }
        for (change, before) in batch.changes.iter().zip(&findings.before) {
            self.write_change(change, before, &mut effects)?;
        }
        self.write_events(batch, &findings)?;
        for key in &batch.keys {
            self.db
                .prepare_cached("INSERT OR REPLACE INTO key (key, message, expires) VALUES (?1, ?2, ?3)")?
                .execute(params![key.key, column(key.message), key.expires.0])?;
        }
        for (number, seen, json) in &batch.handsets {
            self.db
                .prepare_cached("INSERT OR REPLACE INTO handset (number, seen, json) VALUES (?1, ?2, ?3)")?
                .execute(params![number, seen, json])?;
        }
        for (name, json) in &batch.networks {
            self.db
                .prepare_cached("INSERT OR REPLACE INTO network (name, json) VALUES (?1, ?2)")?
                .execute(params![name, json])?;
        }
        for id in &batch.purge {
            self.purge(*id, &mut effects)?;
        }
        Ok(effects)
    }

    fn check(&self, batch: &Prepared) -> Result<Findings, Unapplied> {
        self.check_keys(&batch.keys)?;
        let mut found = Findings::default();
        let mut fresh = HashSet::with_capacity(batch.messages.len());
        for row in &batch.messages {
            let id = row.message.id;
            if !fresh.insert(id) || (id <= self.last_id && self.sender(id)?.is_some()) {
                return Err(StoreError::Duplicate(id).into());
            }
        }
        for row in &batch.deliveries {
            let id = row.delivery.id;
            let mut is_new = found.fresh.insert(id);
            if !fresh.contains(&id.message) {
                let missing = || StoreError::Missing(format!("message {}", id.message));
                let sender = self.sender(id.message)?.ok_or_else(missing)?;
                found.senders.insert(id.message, sender);
                is_new = is_new && !self.has_delivery(id)?;
            }
            if !is_new {
                return Err(StoreError::Duplicate(id.message).into());
            }
        }
        for change in &batch.changes {
            found.before.push(self.check_change(change)?);
        }
        let changed: HashSet<DeliveryId> = batch.changes.iter().map(|change| change.row.delivery.id).collect();
        for (id, _) in &batch.events {
            let known = found.fresh.contains(id) || changed.contains(id);
            if !known && !self.has_delivery(*id)? {
                return Err(StoreError::Missing(format!("delivery {id}")).into());
            }
        }
        Ok(found)
    }

    fn check_keys(&self, keys: &[Key]) -> Result<(), Unapplied> {
        let mut select = self.db.prepare_cached("SELECT message FROM key WHERE key = ?1 AND expires > ?2")?;
        for (place, key) in keys.iter().enumerate() {
            let there: Option<i64> = select.query_row(params![key.key, self.now.0], |row| row.get(0)).optional()?;
            let within = keys[..place].iter().find(|earlier| earlier.key == key.key).map(|earlier| earlier.message);
            if let Some(message) = there.map(message_id).or(within) {
                return Err(StoreError::Duplicate(message).into());
            }
        }
        Ok(())
    }

    fn check_change(&self, change: &ChangeRow) -> Result<Before, Unapplied> {
        let id = change.row.delivery.id;
        if let Some(lease) = change.lease
            && (lease.delivery != id || !self.schedule.pin(lease))
        {
            return Err(StoreError::Fenced(id).into());
        }
        let mut select = self
            .db
            .prepare_cached("SELECT version, state, token, recipient FROM delivery WHERE message = ?1 AND idx = ?2")?;
        let found = select.query_row((column(id.message), id.index), |row| {
            let before = Before { state: row.get(1)?, token: row.get(2)?, recipient: row.get(3)? };
            Ok((row.get::<_, i64>(0)?, before))
        });
        match found.optional()? {
            None => Err(StoreError::Missing(format!("delivery {id}")).into()),
            Some((version, _)) if version.cast_unsigned() != change.from => Err(StoreError::Stale(id).into()),
            Some((_, before)) => Ok(before),
        }
    }

    /// The sender of a message that is there.
    fn sender(&self, id: MessageId) -> rusqlite::Result<Option<Option<String>>> {
        let mut select = self.db.prepare_cached("SELECT sender FROM message WHERE id = ?1")?;
        select.query_row([column(id)], |row| row.get(0)).optional()
    }

    fn has_delivery(&self, id: DeliveryId) -> rusqlite::Result<bool> {
        self.db
            .prepare_cached("SELECT 1 FROM delivery WHERE message = ?1 AND idx = ?2")?
            .exists((column(id.message), id.index))
    }

    fn write_message(&mut self, row: &NewMessageRow, effects: &mut Effects) -> rusqlite::Result<()> {
        let message = &row.message;
        let (id, content) = (column(message.id), message.content);
        self.db
            .prepare_cached(
                "INSERT INTO message (id, received, segment, offset, length, crc, message_id, sender, json)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                message.received.0,
                content.segment,
                content.offset.cast_signed(),
                content.length.cast_signed(),
                content.crc,
                message.traits.message_id,
                row.sender,
                row.json
            ])?;
        if content.segment == IN_DATABASE && content.length > 0 {
            self.db
                .prepare_cached("INSERT INTO content (message, octets) VALUES (?1, ?2)")?
                .execute(params![id, &row.small_content()[..]])?;
        }
        let end = content.offset.saturating_add(content.length);
        effects.counts.place(content.segment, message.id, content.length.cast_signed(), end);
        self.last_id = self.last_id.max(message.id);
        Ok(())
    }

    fn write_delivery(
        &self,
        row: &DeliveryRow,
        batch: &Prepared,
        findings: &Findings,
        effects: &mut Effects,
    ) -> rusqlite::Result<()> {
        let delivery = &row.delivery;
        let id = delivery.id;
        let new = batch.messages.iter().find(|new| new.message.id == id.message);
        let sender = match new {
            Some(new) => new.sender.as_deref(),
            None => findings.senders.get(&id.message).and_then(Option::as_deref),
        };
        self.db
            .prepare_cached(
                "INSERT INTO delivery (message, idx, version, state, due, token, recipient, sender, via, line, json)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                column(id.message),
                id.index,
                delivery.version.cast_signed(),
                delivery.state.word(),
                delivery.due.0,
                delivery.token,
                row.recipient,
                sender,
                delivery.via(),
                delivery.line.0.cast_signed(),
                row.json
            ])?;
        effects.counts.tally.add(delivery.state.word(), 1);
        Ok(())
    }

    fn write_change(&self, change: &ChangeRow, before: &Before, effects: &mut Effects) -> rusqlite::Result<()> {
        let delivery = &change.row.delivery;
        let (message, index) = (column(delivery.id.message), delivery.id.index);
        self.db
            .prepare_cached(
                "UPDATE delivery SET version = ?3, state = ?4, due = ?5, via = ?6, json = ?7
                 WHERE message = ?1 AND idx = ?2",
            )?
            .execute(params![
                message,
                index,
                delivery.version.cast_signed(),
                delivery.state.word(),
                delivery.due.0,
                delivery.via(),
                change.row.json
            ])?;
        // Apart, because naming an index's column in an UPDATE makes SQLite rewrite the index entry, changed or not.
        if before.token != delivery.token || before.recipient != change.row.recipient {
            self.db
                .prepare_cached("UPDATE delivery SET token = ?3, recipient = ?4 WHERE message = ?1 AND idx = ?2")?
                .execute(params![message, index, delivery.token, change.row.recipient])?;
        }
        effects.counts.tally.add(&before.state, -1);
        effects.counts.tally.add(delivery.state.word(), 1);
        Ok(())
    }

    fn write_events(&self, batch: &Prepared, findings: &Findings) -> rusqlite::Result<()> {
        let mut next: HashMap<DeliveryId, i64> = HashMap::with_capacity(batch.deliveries.len());
        for (id, event) in &batch.events {
            let message = column(id.message);
            let seq = match next.get(id) {
                Some(seq) => *seq,
                None if findings.fresh.contains(id) => 0,
                None => self
                    .db
                    .prepare_cached("SELECT coalesce(max(seq) + 1, 0) FROM event WHERE message = ?1 AND idx = ?2")?
                    .query_row((message, id.index), |row| row.get(0))?,
            };
            next.insert(*id, seq + 1);
            self.db
                .prepare_cached(
                    "INSERT INTO event (message, idx, seq, at, what, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![message, id.index, seq, event.at.0, event.what, event.detail])?;
        }
        Ok(())
    }

    fn purge(&self, id: MessageId, effects: &mut Effects) -> rusqlite::Result<()> {
        let message = column(id);
        let gone = self
            .db
            .prepare_cached("DELETE FROM message WHERE id = ?1 RETURNING segment, offset, length")?
            .query_row([message], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?)));
        let Some((segment, offset, length)) = gone.optional()? else { return Ok(()) };
        if segment == IN_DATABASE {
            self.db.prepare_cached("DELETE FROM content WHERE message = ?1")?.execute([message])?;
        }
        let mut purged = Purged { message: id, place: (segment, offset), deliveries: Vec::new() };
        let mut delete = self.db.prepare_cached("DELETE FROM delivery WHERE message = ?1 RETURNING idx, state")?;
        let mut rows = delete.query([message])?;
        while let Some(row) = rows.next()? {
            let state = row.get_ref(1)?.as_str()?;
            effects.counts.tally.add(state, -1);
            purged.deliveries.push(DeliveryId { message: id, index: row.get(0)? });
        }
        self.db.prepare_cached("DELETE FROM event WHERE message = ?1")?.execute([message])?;
        effects.counts.take(segment, length);
        effects.purged.push(purged);
        Ok(())
    }
}
