//! Segments of concatenated short messages become the payload again: a bounded state machine without a clock.
//!
//! A set is known by originator, reference and ports, and has one total. Segments may come in any order and more than
//! once. Bounds (I-8): as many sets at a time as the owner allows, each of at most 255 segments of 255 octets, each no
//! older than the owner allows, counted from its first segment.
//!
//! Failure story: a segment that contradicts the set it belongs to is refused and changes nothing, because either of the
//! two may be the true one; the set is forgotten when its time is over and the sender's next try begins anew. A copy of a
//! segment that arrives after its message was complete opens a set that nothing completes and age removes.
//!
//! Time is an argument (I-12): [`Duration`] since any fixed moment, never going back.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::error::ReassembleError;
use crate::limits::MAX_USER_DATA_READ;
use crate::udh::{Concatenation, Ports, Reference};
use crate::user_data::UserData;

/// Collects segments; `A` is the originator's address in whatever form the owner has it.
#[derive(Debug)]
pub struct Reassembler<A> {
    max_open: usize,
    max_age: Duration,
    sets: BTreeMap<Key<A>, Set>,
    /// Keys by the serial number of their set: oldest first.
    by_age: BTreeMap<u64, Key<A>>,
    next_serial: u64,
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The application ports, when the header said them.
    pub ports: Option<Ports>,
    /// The payloads of all segments in order.
    pub payload: Bytes,
}

/// What became of user data that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The message is whole; nothing of it is kept.
    Whole(Message),
    /// The segment is kept, others are missing.
    Waiting {
        /// How many are missing.
        missing: usize,
    },
    /// The same segment is already there.
    Duplicate,
}

/// A set that ran out of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete<A> {
    /// Who sent it.
    pub originator: A,
    /// Its reference.
    pub reference: Reference,
    /// Its segments in all.
    pub total: u8,
    /// The numbers of those that did not come, from 1.
    pub missing: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<A> {
    originator: A,
    reference: Reference,
    ports: Option<Ports>,
}

#[derive(Debug)]
struct Set {
    serial: u64,
    since: Duration,
    total: u8,
    /// By sequence number.
    parts: BTreeMap<u8, Bytes>,
}

impl<A: Ord + Clone> Reassembler<A> {
    /// Keeps at most `max_open` incomplete messages, each for at most `max_age` after its first segment.
    pub fn new(max_open: usize, max_age: Duration) -> Self {
        Reassembler { max_open, max_age, sets: BTreeMap::new(), by_age: BTreeMap::new(), next_serial: 0 }
    }

    /// Takes one short message's user data. Sets that are too old at `now` are dropped first; call
    /// [`expire`](Self::expire) before to learn of them.
    ///
    /// # Errors
    /// [`ReassembleError`]; the sets that were open stay as they were.
    pub fn accept(&mut self, originator: A, data: UserData, now: Duration) -> Result<Accepted, ReassembleError> {
        self.expire(now);
        let ports = data.ports();
        let Some(part) = data.concatenation() else {
            return Ok(Accepted::Whole(Message { ports, payload: data.payload }));
        };
        if data.payload.len() > MAX_USER_DATA_READ {
            return Err(ReassembleError::TooLong { length: data.payload.len(), max: MAX_USER_DATA_READ });
        }
        if part.total() == 1 {
            return Ok(Accepted::Whole(Message { ports, payload: data.payload }));
        }
        let key = Key { originator, reference: part.reference(), ports };
        match self.sets.get_mut(&key) {
            None => self.open(key, part, data.payload, now),
            Some(set) => {
                let (serial, accepted) = (set.serial, set.add(part, data.payload, ports)?);
                if matches!(accepted, Accepted::Whole(_)) {
                    self.by_age.remove(&serial);
                    self.sets.remove(&key);
                }
                Ok(accepted)
            }
        }
    }

    /// Forgets the sets that are too old at `now` and says what they lacked, oldest first.
    pub fn expire(&mut self, now: Duration) -> Vec<Incomplete<A>> {
        let mut expired = Vec::new();
        while self.next_expiry().is_some_and(|at| at <= now) {
            let Some((_, key)) = self.by_age.pop_first() else { break };
            let Some(set) = self.sets.remove(&key) else { continue };
            let missing = (1..=set.total).filter(|sequence| !set.parts.contains_key(sequence)).collect();
            let Key { originator, reference, .. } = key;
            expired.push(Incomplete { originator, reference, total: set.total, missing });
        }
        expired
    }

    /// When [`expire`](Self::expire) next has something to do.
    pub fn next_expiry(&self) -> Option<Duration> {
        let (_, key) = self.by_age.first_key_value()?;
        self.sets.get(key).map(|set| set.since.saturating_add(self.max_age))
    }

    /// Forgets the oldest set, to make room; says what it lacked.
    pub fn forget_oldest(&mut self) -> Option<Incomplete<A>> {
        let (_, key) = self.by_age.pop_first()?;
        let set = self.sets.remove(&key)?;
        let missing = (1..=set.total).filter(|sequence| !set.parts.contains_key(sequence)).collect();
        let Key { originator, reference, .. } = key;
        Some(Incomplete { originator, reference, total: set.total, missing })
    }

    /// How many messages wait for segments.
    pub fn open_sets(&self) -> usize {
        self.sets.len()
    }

    fn open(
        &mut self,
        key: Key<A>,
        part: Concatenation,
        payload: Bytes,
        now: Duration,
    ) -> Result<Accepted, ReassembleError> {
        if self.sets.len() >= self.max_open {
            return Err(ReassembleError::TooManyOpen { max: self.max_open });
        }
        let serial = self.next_serial;
        self.next_serial += 1;
        self.by_age.insert(serial, key.clone());
        let parts = BTreeMap::from([(part.sequence(), payload)]);
        self.sets.insert(key, Set { serial, since: now, total: part.total(), parts });
        Ok(Accepted::Waiting { missing: usize::from(part.total()) - 1 })
    }
}

impl Set {
    fn add(&mut self, part: Concatenation, payload: Bytes, ports: Option<Ports>) -> Result<Accepted, ReassembleError> {
        let (sequence, total) = (part.sequence(), self.total);
        if part.total() != total {
            return Err(ReassembleError::ConflictingTotal { sequence, claimed: part.total(), open: total });
        }
        match self.parts.get(&sequence) {
            Some(there) if *there == payload => return Ok(Accepted::Duplicate),
            Some(_) => return Err(ReassembleError::ConflictingContent { sequence, total }),
            None => self.parts.insert(sequence, payload),
        };
        if self.parts.len() < usize::from(total) {
            return Ok(Accepted::Waiting { missing: usize::from(total) - self.parts.len() });
        }
        let mut whole = BytesMut::with_capacity(self.parts.values().map(Bytes::len).sum());
        self.parts.values().for_each(|part| whole.extend_from_slice(part));
        Ok(Accepted::Whole(Message { ports, payload: whole.freeze() }))
    }
}
