//! Which short message the SMSC's message ids are about.
//!
//! An id is learnt from `submit_sm_resp` and asked for when a receipt comes. SMSCs write one id in two ways: hexadecimal in
//! the answer and decimal in the receipt or the other way about, with zeros before it, in another case. So an id is looked
//! up as it is and in the other forms, and what is found has to be about the receipt's phone; only an id that matches as
//! it is counts without that.
//!
//! Bounded, in memory: receipts of what was sent before a restart are acknowledged and logged.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use packetboat_net::bearer::Ticket;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::limits::{MAX_MESSAGE_ID, MAX_TICKETS};
use crate::status::State;

/// Digits at the end of a number that tell phones apart.
const TELLING: usize = 7;

/// The open tickets.
#[derive(Debug, Default)]
pub struct Tickets {
    inner: Mutex<Inner>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<String, Vec<Entry>>,
    /// Oldest first.
    order: VecDeque<(String, u64)>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    serial: u64,
    ticket: Ticket,
    phone: String,
    /// The last state that is on disk.
    recorded: Option<State>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The short message.
    pub ticket: Ticket,
    /// The state that was recorded last.
    pub recorded: Option<State>,
    id: String,
    serial: u64,
}

impl Tickets {
    /// Learns an id.
    pub fn add(&self, id: &str, ticket: Ticket, phone: &str) {
        let id = normal(id);
        if id.is_empty() {
            return;
        }
        {
            let mut inner = self.lock();
            let serial = inner.next;
            inner.next += 1;
            inner.order.push_back((id.clone(), serial));
            inner.by_id.entry(id).or_default().push(Entry { serial, ticket, phone: phone.to_owned(), recorded: None });
            while inner.order.len() > MAX_TICKETS {
                inner.forget_oldest();
            }
        }
        self.added.notify_waiters();
    }

    /// Looks ids up, the likelier ones first; `phone` is the receipt's.
    pub fn find(&self, ids: &[String], phone: &str) -> Option<Found> {
        let inner = self.lock();
        let telling = telling(phone);
        let as_they_are: Vec<String> = ids.iter().map(|id| normal(id)).collect();
        let others = ids.iter().flat_map(|id| other_forms(&normal(id)));
        let forms = as_they_are.iter().cloned().chain(others);
        let of_phone = |entry: &&Entry| !telling.is_empty() && self::telling(&entry.phone) == telling;
        let find = |id: String| {
            let entry = inner.by_id.get(&id)?.iter().rev().find(of_phone)?;
            Some(found(id, entry))
        };
        forms.into_iter().find_map(find).or_else(|| {
            as_they_are.into_iter().find_map(|id| match inner.by_id.get(&id)?.as_slice() {
                [only] => Some(found(id, only)),
                _ => None,
            })
        })
    }

    /// As [`find`](Self::find), waiting until `end` for an id that is not there.
    pub async fn wait_for(&self, ids: &[String], phone: &str, end: Instant) -> Option<Found> {
        loop {
            let added = self.added.notified();
            tokio::pin!(added);
            added.as_mut().enable();
            let found = self.find(ids, phone);
            if found.is_some() || timeout_at(end, added).await.is_err() {
                return found;
            }
        }
    }

    /// Remembers that a state is on disk.
    pub fn recorded(&self, found: &Found, state: State) {
        let mut inner = self.lock();
        let entries = inner.by_id.get_mut(&found.id);
        if let Some(entry) = entries.and_then(|all| all.iter_mut().find(|entry| entry.serial == found.serial)) {
            entry.recorded = Some(state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget_oldest(&mut self) {
        let Some((id, serial)) = self.order.pop_front() else { return };
        if let Some(entries) = self.by_id.get_mut(&id) {
            entries.retain(|entry| entry.serial != serial);
            if entries.is_empty() {
                self.by_id.remove(&id);
            }
        }
    }
}

fn found(id: String, entry: &Entry) -> Found {
    Found { ticket: entry.ticket.clone(), recorded: entry.recorded, id, serial: entry.serial }
}

fn normal(id: &str) -> String {
    let id: String = id.trim().chars().take(MAX_MESSAGE_ID).collect::<String>().to_ascii_lowercase();
    let short = id.trim_start_matches('0');
    // An id of zeros only is one all the same.
    if short.is_empty() { id.chars().take(1).collect() } else { short.to_owned() }
}

/// Decimal digits as hexadecimal, hexadecimal digits as decimal.
fn other_forms(id: &str) -> Vec<String> {
    let decimal = id.parse::<u128>().ok().map(|number| format!("{number:x}"));
    let hexadecimal = u128::from_str_radix(id, 16).ok().map(|number| number.to_string());
    decimal.into_iter().chain(hexadecimal).filter(|form| form != id).collect()
}

fn telling(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(TELLING)..].to_owned()
}
