//! What is known of a push that was begun and is not done, so that its repetition goes on where it stopped.
//!
//! A short message that was taken must not go a second time, and one that may have been taken must go under the same
//! reference, so that the phone can tell the copy (TS 23.040 9.2.3.24.1). So a push that goes back to the queue with
//! something taken or in doubt is remembered by its [`PushKey`]: its next attempt goes on with the octets, the reference and
//! the tickets of the first, and sends only what is missing.
//!
//! Failure story: the memory is bounded, aged, and does not outlive the process. Without it a push is sent whole again, under
//! another reference; a phone that got parts of it drops the incomplete set, and knows a whole copy of a notification by its
//! transaction id.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::id::DeliveryId;
use packetboat_api::roles::{BearerError, Sms, SmsBody};
use packetboat_sms::{Ports, Reference};

use crate::http::{Answer, HttpError};

/// Pushes of one bearer that are not done; beyond that the oldest is forgotten.
pub const MAX_UNFINISHED: usize = 4096;

/// How long a push may be finished in the place where it was left. Phones forget incomplete messages after a while.
pub const RESUME: Duration = Duration::from_secs(3600);

/// By what the repetition of a push is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PushKey {
    delivery: DeliveryId,
    /// Tickets name the step, so that another step's push is another one.
    step: u32,
    to: String,
    from: Option<String>,
    /// Destination and originator, when it is no text.
    ports: Option<(u16, u16)>,
    /// What it says, as far as a repetition says the same.
    says: Bytes,
    length: usize,
}

impl PushKey {
    /// Of a message. A notification tells how long its content is kept from now on, so its repetition differs in those
    /// octets; a push is therefore known by its length and by its WSP headers with the transaction octet.
    pub fn of(sms: &Sms) -> Self {
        let (ports, says, length) = match &sms.body {
            SmsBody::Push(octets) => (Some(Ports::WAP_PUSH), head(octets), octets.len()),
            SmsBody::Data { destination, originator, octets } => {
                let ports = Ports { destination: *destination, originator: *originator };
                (Some(ports), octets.clone(), octets.len())
            }
            SmsBody::Text(text) => (None, Bytes::copy_from_slice(text.as_bytes()), text.len()),
        };
        let ports = ports.map(|ports| (ports.destination, ports.originator));
        let to = sms.to.digits().to_owned();
        PushKey { delivery: sms.delivery, step: sms.step, to, from: sms.from.clone(), ports, says, length }
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

/// The pushes of one bearer that are not done, with how far each is.
#[derive(Debug)]
pub struct Unfinished<P>(Mutex<VecDeque<(PushKey, Timestamp, P)>>);

impl<P> Default for Unfinished<P> {
    fn default() -> Self {
        Unfinished(Mutex::default())
    }
}

impl<P> Unfinished<P> {
    /// How far this push is, if it was tried not long ago. It is no longer remembered then.
    pub fn take(&self, key: &PushKey, now: Timestamp) -> Option<P> {
        let mut all = self.lock();
        all.retain(|(_, since, _)| since.until(now) < RESUME);
        let at = all.iter().position(|(of, ..)| of == key)?;
        all.remove(at).map(|(.., progress)| progress)
    }

    /// Keeps how far it is.
    pub fn keep(&self, key: &PushKey, now: Timestamp, progress: P) {
        let mut all = self.lock();
        all.retain(|(of, ..)| of != key);
        all.truncate(MAX_UNFINISHED - 1);
        all.push_front((key.clone(), now, progress));
    }

    /// It is done: what says the same is another push.
    pub fn forget(&self, key: &PushKey) {
        self.lock().retain(|(of, ..)| of != key);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(PushKey, Timestamp, P)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a gateway that did not say it took a request may have taken it all the same: no whole answer came, none that says
/// so although its status does, or the answer of a proxy that heard none (RFC 9110 15.6.3, 15.6.5).
pub fn may_have_arrived(answer: &Result<Answer, HttpError>) -> bool {
    match answer {
        Ok(answer) => answer.is_success() || matches!(answer.status, 502 | 504),
        Err(error) => error.kind.may_have_arrived(),
    }
}

/// How far a push is that goes to a gateway piece by piece, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The concatenation reference of its pieces.
    pub reference: Reference,
    /// Which sending this is, for tickets.
    pub sending: String,
    /// What the first attempt sends; a repetition may say it in other octets.
    pub body: SmsBody,
    /// What the gateway said of each piece it took, in order.
    pub taken: Vec<String>,
    /// The next piece may have arrived although the gateway did not say so.
    pub doubtful: bool,
}

impl Begun {
    /// Nothing of it was sent yet.
    pub fn new(sms: &Sms, reference: Reference, sending: String) -> Self {
        Begun { reference, sending, body: sms.body.clone(), taken: Vec::new(), doubtful: false }
    }
}

impl Unfinished<Begun> {
    /// Notes that the next piece is about to go: whoever stops waiting for the answer leaves it in doubt.
    pub fn launch(&self, key: &PushKey, now: Timestamp, begun: &Begun) {
        self.keep(key, now, Begun { doubtful: true, ..begun.clone() });
    }

    /// How the piece that was launched ended: how far its push is now, or the error with which this attempt is over. `arrived`
    /// as for [`put_back`](Self::put_back).
    pub fn land(
        &self,
        key: &PushKey,
        now: Timestamp,
        mut begun: Begun,
        result: Result<String, BearerError>,
        arrived: bool,
    ) -> Result<Begun, BearerError> {
        match result {
            Ok(words) => {
                begun.taken.push(words);
                begun.doubtful = false;
                Ok(begun)
            }
            Err(error) => {
                self.put_back(key, now, begun, &error, arrived);
                Err(error)
            }
        }
    }

    /// The next piece failed so: kept when a repetition has to know of it. `arrived` says whether it may have come to the
    /// gateway all the same.
    pub fn put_back(&self, key: &PushKey, now: Timestamp, begun: Begun, error: &BearerError, arrived: bool) {
        // A refusal now tells nothing of an earlier copy without an answer.
        let doubtful = begun.doubtful || arrived;
        match error {
            BearerError::Retry { .. } if doubtful || !begun.taken.is_empty() => {
                self.keep(key, now, Begun { doubtful, ..begun });
            }
            BearerError::Retry { .. } | BearerError::Permanent { .. } => self.forget(key),
        }
    }
}
