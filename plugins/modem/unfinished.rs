//! Messages of which a part was sent, or may have been.
//!
//! A message of several parts that fails in the middle goes on where it stopped when it is tried again, under the same
//! concatenation reference, so that the phone has use for the parts it got. A part whose answer was lost is sent again with
//! the same TP-MR and with TP-RD set, so that a centre which still has it refuses the second (TS 23.040 9.2.3.25); where
//! that does not help, the phone gets a part twice, which it knows by its reference and number.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use packetboat_api::clock::Timestamp;
use packetboat_api::id::DeliveryId;
use packetboat_api::roles::{Sms, SmsBody};
use packetboat_sms::Reference;

use crate::limits::{RESUME, UNFINISHED};

/// How far a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The concatenation reference of its parts.
    pub reference: Reference,
    /// TP-MR of its first part; the others count on.
    pub message: u8,
    /// Which sending this is, for receipts.
    pub sending: String,
    /// Parts that the network took.
    pub sent: u8,
    /// The next part went to the modem, and it is not known what became of it.
    pub unknown: bool,
}

type Key = (DeliveryId, u64);

/// The messages of one bearer that are not finished.
#[derive(Debug, Default)]
pub struct Unfinished(Mutex<VecDeque<(Key, Timestamp, Progress)>>);

impl Unfinished {
    /// How far this message is, if it was begun not long ago.
    pub fn take(&self, sms: &Sms, now: Timestamp) -> Option<Progress> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, since, _)| since.until(now) < RESUME);
        let key = key(sms);
        let at = all.iter().position(|(of, ..)| *of == key)?;
        all.remove(at).map(|(_, _, progress)| progress)
    }

    /// Keeps how far it is.
    pub fn keep(&self, sms: &Sms, now: Timestamp, progress: Progress) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(sms);
        all.retain(|(of, ..)| *of != key);
        all.truncate(UNFINISHED - 1);
        all.push_front((key, now, progress));
    }

    /// It is finished.
    pub fn forget(&self, sms: &Sms) {
        let key = key(sms);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, ..)| *of != key);
    }
}

/// The delivery and what it says: one delivery may send several things.
fn key(sms: &Sms) -> Key {
    let mut hasher = DefaultHasher::new();
    sms.to.hash(&mut hasher);
    match &sms.body {
        SmsBody::Push(octets) => octets.hash(&mut hasher),
        SmsBody::Data { destination, octets, .. } => (destination, octets).hash(&mut hasher),
        SmsBody::Text(text) => text.hash(&mut hasher),
    }
    (sms.delivery, hasher.finish())
}
