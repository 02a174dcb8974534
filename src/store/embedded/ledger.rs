//! What the store holds, counted: octets and messages per segment, deliveries per state.
//!
//! The counts stand in the tables `segment` and `tally` and are changed in the transaction of what they count; this is
//! their mirror in memory, which health and housekeeping read.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::rows::{Tally, column, message_id};
use packetboat_api::id::MessageId;

/// One segment's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Octets of the file that rows have named.
    pub length: u64,
    /// Octets of contents that are still there.
    pub live: i64,
    /// Messages that are still there.
    pub messages: i64,
    /// Smallest and largest id of a message that was ever in it.
    pub range: Option<(MessageId, MessageId)>,
}

/// Everything counted, or what a group of batches adds to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub segments: BTreeMap<u32, Segment>,
    pub tally: Tally,
}

impl Ledger {
    pub(crate) fn load(db: &Connection) -> rusqlite::Result<Ledger> {
        let mut ledger = Ledger::default();
        let mut statement = db.prepare("SELECT number, length, live, messages, first, last FROM segment")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let length: i64 = row.get(1)?;
            let range = (message_id(row.get(4)?), message_id(row.get(5)?));
            let segment = Segment {
                length: length.cast_unsigned(),
                live: row.get(2)?,
                messages: row.get(3)?,
                range: Some(range),
            };
            ledger.segments.insert(row.get(0)?, segment);
        }
        let mut statement = db.prepare("SELECT state, deliveries FROM tally")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            ledger.tally.add(row.get_ref(0)?.as_str()?, row.get(1)?);
        }
        Ok(ledger)
    }

    /// Counts everything anew from the rows, for a database whose counts were lost.
    pub(crate) fn recount(db: &Connection) -> rusqlite::Result<Ledger> {
        let mut ledger = Ledger::default();
        let mut statement = db.prepare("SELECT id, segment, offset, length FROM message")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (offset, length): (i64, i64) = (row.get(2)?, row.get(3)?);
            ledger.place(row.get(1)?, message_id(row.get(0)?), length, offset.saturating_add(length).cast_unsigned());
        }
        let mut statement = db.prepare("SELECT state, count(*) FROM delivery GROUP BY state")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            ledger.tally.add(row.get_ref(0)?.as_str()?, row.get(1)?);
        }
        Ok(ledger)
    }

    /// A content of `length` octets came into `segment`, which now ends at `end`.
    pub(crate) fn place(&mut self, segment: u32, id: MessageId, length: i64, end: u64) {
        let entry = self.segments.entry(segment).or_default();
        entry.live += length;
        entry.messages += 1;
        entry.length = entry.length.max(if segment == 0 { 0 } else { end });
        entry.range = Some(entry.range.map_or((id, id), |(first, last)| (first.min(id), last.max(id))));
    }

    /// A content went from `segment`.
    pub(crate) fn take(&mut self, segment: u32, length: i64) {
        let entry = self.segments.entry(segment).or_default();
        entry.live -= length;
        entry.messages -= 1;
    }

    pub(crate) fn add(&mut self, other: &Ledger) {
        for (number, theirs) in &other.segments {
            let mine = self.segments.entry(*number).or_default();
            mine.live += theirs.live;
            mine.messages += theirs.messages;
            mine.length = mine.length.max(theirs.length);
            mine.range = match (mine.range, theirs.range) {
                (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                (a, b) => a.or(b),
            };
        }
        self.tally.add_all(&other.tally);
    }

    /// Adds this to the counts in the database.
    pub(crate) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        for (number, segment) in &self.segments {
            // A segment nothing came into keeps its range: an impossible one changes neither end.
            let (first, last) = segment.range.map_or((i64::MAX, i64::MIN), |(a, b)| (column(a), column(b)));
            db.prepare_cached(
                "INSERT INTO segment (number, length, live, messages, first, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (number) DO UPDATE SET length = max(length, ?2), live = live + ?3,
                 messages = messages + ?4, first = min(first, ?5), last = max(last, ?6)",
            )?
            .execute((
                number,
                segment.length.cast_signed(),
                segment.live,
                segment.messages,
                first,
                last,
            ))?;
        }
        for (word, count) in self.tally.iter().filter(|(_, count)| *count != 0) {
            db.prepare_cached(
                "INSERT INTO tally (state, deliveries) VALUES (?1, ?2)
                 ON CONFLICT (state) DO UPDATE SET deliveries = deliveries + ?2",
            )?
            .execute((word, count))?;
        }
        Ok(())
    }

    /// Segments that hold nothing any more, the one being written to left out.
    pub(crate) fn empty(&self, current: Option<u32>) -> Vec<u32> {
        let empty = |(number, segment): &(&u32, &Segment)| {
            **number != 0 && Some(**number) != current && segment.messages <= 0 && segment.live <= 0
        };
        self.segments.iter().filter(empty).map(|(number, _)| *number).collect()
    }

    pub(crate) fn messages(&self) -> u64 {
        self.segments.values().map(|segment| segment.messages).sum::<i64>().try_into().unwrap_or(0)
    }

    pub(crate) fn octets(&self) -> u64 {
        self.segments.values().map(|segment| segment.live).sum::<i64>().try_into().unwrap_or(0)
    }

    /// Octets of the content files.
    pub(crate) fn file_octets(&self) -> u64 {
        self.segments.values().map(|segment| segment.length).sum()
    }
}
