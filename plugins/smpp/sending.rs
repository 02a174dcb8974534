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

use packetboat_api::clock::Timestamp;
use packetboat_api::id::DeliveryId;
use packetboat_api::roles::Sms;
use packetboat_net::bearer::PushKey;
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

/// The pushes that are not done.
#[derive(Debug, Default)]
pub struct Unfinished(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    sendings: HashMap<PushKey, (u64, Arc<Sending>)>,
    /// Keys by serial number: oldest first.
    order: BTreeMap<u64, PushKey>,
    next: u64,
}

impl Unfinished {
    /// The sending to go on with, or a new one.
    pub fn resume<E>(
        &self,
        key: &PushKey,
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
    pub fn done(&self, key: &PushKey) {
        self.lock().forget(key);
    }

    /// It goes back to the queue: kept when its repetition has to know of it.
    pub fn put_back(&self, key: &PushKey, sending: &Sending) {
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
    fn forget(&mut self, key: &PushKey) {
        if let Some((serial, _)) = self.sendings.remove(key) {
            self.order.remove(&serial);
        }
    }
}
