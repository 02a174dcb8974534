//! What is known of each short message of a push, kept until its push is done.
//!
//! An SMSC that took a short message must not get it a second time, and one that may have taken it must get it under the
//! same reference, so that the phone can tell the copy (TS 23.040 9.2.3.24.1). So a push that goes back to the queue with
//! something taken, unanswered or in doubt is remembered by its delivery and by what it says; its next attempt goes on
//! with the octets and the reference of the first, and sends only what is missing.
//!
//! Failure story: the memory is bounded and does not outlive the process. After a restart a push is sent whole again,
//! under another reference; a phone that got parts of it drops the incomplete set, and knows a whole copy of a
//! notification by its transaction id.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::id::DeliveryId;
use packetboat_api::roles::{Sms, SmsBody};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::limits::MAX_UNFINISHED;
use crate::status::Status;
use crate::submit::Parts;

/// One sending of a push.
#[derive(Debug)]
pub struct Sending {
    /// The delivery it is for.
    pub delivery: DeliveryId,
    /// Which sending of the delivery's push: characters of `[A-Za-z0-9]`.
    pub token: String,
    /// The phone's digits.
    pub phone: String,
    /// Its short messages.
    pub parts: Parts,
    /// When there is no more use in it.
    pub expires: Timestamp,
    states: Mutex<Vec<Part>>,
    changed: Notify,
}

#[derive(Clone, Debug, Default)]
struct Part {
    state: Step,
    /// It may have reached the SMSC although no answer came.
    doubtful: bool,
}

/// How far a short message has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// It has to be sent.
    #[default]
    Missing,
    /// It is on its way to the SMSC, or there without an answer, since then.
    Flying(Instant),
    /// The SMSC has it, under this id of its own.
    Taken(String),
    /// The SMSC refused it. Said once; then it is missing.
    Refused(Status),
    /// The connection ended without an answer. Said once; then it is missing.
    Lost(String),
}

impl Sending {
    /// Of these parts.
    pub fn new(sms: &Sms, token: String, parts: Parts) -> Self {
        Sending {
            delivery: sms.delivery,
            token,
            phone: sms.to.digits().to_owned(),
            expires: sms.expires,
            states: Mutex::new(vec![Part::default(); parts.len()]),
            parts,
            changed: Notify::new(),
        }
    }

    /// How far a part has come; an answer that is not final is said once.
    pub fn step(&self, at: usize) -> Step {
        let mut states = self.lock();
        let Some(part) = states.get_mut(at) else { return Step::Taken(String::new()) };
        match part.state {
            Step::Refused(_) | Step::Lost(_) => std::mem::take(&mut part.state),
            _ => part.state.clone(),
        }
    }

    /// Marks a missing part as on its way; `false` when it is not missing.
    pub fn fly(&self, at: usize, now: Instant) -> bool {
        let mut states = self.lock();
        let missing = states.get_mut(at).filter(|part| part.state == Step::Missing);
        missing.map(|part| part.state = Step::Flying(now)).is_some()
    }

    /// Records what became of a part. `sent` says whether it had been given to the connection.
    pub fn settle(&self, at: usize, outcome: Step, sent: bool) {
        if let Some(part) = self.lock().get_mut(at) {
            let lost = matches!(outcome, Step::Lost(_));
            part.doubtful |= sent && lost;
            part.state = if lost && !sent { Step::Missing } else { outcome };
        }
        self.changed.notify_waiters();
    }

    /// Waits until a part is no longer on its way; `false` when that takes until `end`.
    pub async fn landed(&self, at: usize, end: Instant) -> bool {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let flying = self.lock().get(at).is_some_and(|part| matches!(part.state, Step::Flying(_)));
            if !flying {
                return true;
            }
            if timeout_at(end, changed).await.is_err() {
                return false;
            }
        }
    }

    /// Whether a repetition has to know of it.
    fn matters(&self) -> bool {
        let states = self.lock();
        states.iter().any(|part| part.doubtful || matches!(part.state, Step::Flying(_) | Step::Taken(_)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Part>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By what a repetition is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    delivery: DeliveryId,
    to: String,
    from: Option<String>,
    /// Ports, when it is no text.
    ports: Option<(u16, u16)>,
    /// What it says, as far as a repetition says the same.
    says: Bytes,
    length: usize,
}

impl Key {
    /// Of a message. A notification tells how long its content is kept from now on, so its repetition differs in those
    /// octets; a push is therefore known by its length and by its WSP headers with the transaction octet.
    pub fn of(sms: &Sms) -> Self {
        let (ports, says, length) = match &sms.body {
            SmsBody::Push(octets) => (Some((2948, 9200)), head(octets), octets.len()),
            SmsBody::Data { destination, originator, octets } => {
                (Some((*destination, *originator)), octets.clone(), octets.len())
            }
            SmsBody::Text(text) => (None, Bytes::copy_from_slice(text.as_bytes()), text.len()),
        };
        let to = sms.to.digits().to_owned();
        Key { delivery: sms.delivery, to, from: sms.from.clone(), ports, says, length }
    }
}

/// Transaction octet, PDU type, length and headers of a WSP push (WAP-230-WSP 8.2.4.1); all of what is none.
fn head(push: &Bytes) -> Bytes {
    let (mut at, mut length) = (2, 0_usize);
    while let Some(octet) = push.get(at) {
        at += 1;
        length = length << 7 & 0xFFFF | usize::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            break;
        }
    }
    push.slice(..push.len().min(at.saturating_add(length)))
}

/// The pushes that are not done.
#[derive(Debug, Default)]
pub struct Unfinished(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    sendings: HashMap<Key, (u64, Arc<Sending>)>,
    /// Keys by serial number: oldest first.
    order: BTreeMap<u64, Key>,
    next: u64,
}

impl Unfinished {
    /// The sending to go on with, or a new one.
    pub fn resume<E>(
        &self,
        key: &Key,
        now: Timestamp,
        new: impl FnOnce() -> Result<Sending, E>,
    ) -> Result<Arc<Sending>, E> {
        let mut open = self.lock();
        if let Some((_, sending)) = open.sendings.get(key)
            && sending.expires > now
        {
            return Ok(sending.clone());
        }
        let sending = Arc::new(new()?);
        open.forget(key);
        if open.order.len() >= MAX_UNFINISHED
            && let Some((_, oldest)) = open.order.pop_first()
        {
            open.sendings.remove(&oldest);
        }
        let serial = open.next;
        open.next += 1;
        open.order.insert(serial, key.clone());
        open.sendings.insert(key.clone(), (serial, sending.clone()));
        Ok(sending)
    }

    /// It is done: its next sending is another one.
    pub fn done(&self, key: &Key) {
        self.lock().forget(key);
    }

    /// It goes back to the queue: kept when its repetition has to know of it.
    pub fn put_back(&self, key: &Key, sending: &Sending) {
        if !sending.matters() {
            self.done(key);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().sendings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn forget(&mut self, key: &Key) {
        if let Some((serial, _)) = self.sendings.remove(key) {
            self.order.remove(&serial);
        }
    }
}
