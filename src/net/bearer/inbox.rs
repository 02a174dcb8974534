//! What arrives by short message: segments become whole and are offered to those who take an interest.
//!
//! Failure story: segments wait in memory, bounded in number and age; a restart forgets them, as the network's
//! acknowledgement of each is due before the last one comes. A whole message that nobody could take just now is kept until
//! its last segment is offered again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use packetboat_api::clock::Clock;
use packetboat_api::road::{Arrivals, Refusal, RefusalKind};
use packetboat_api::roles::{Arrival, SmsBody};
use packetboat_sms::{Accepted, Concatenation, Message, Ports, Reassembler, UserData, from_septets, from_ucs2};

/// Messages that wait for their missing segments at once.
pub const MAX_OPEN: usize = 256;
/// Whole messages that wait for somebody to take them.
pub const MAX_HELD: usize = 64;
/// How long a message waits for its missing segments.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// How the payload behind the header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coding {
    /// One septet of the default alphabet in each octet.
    Septets,
    /// Octets.
    Octets,
    /// 16-bit characters.
    Ucs2,
    /// Characters that a gateway has read already, in UTF-8.
    Utf8,
}

/// Who sent it to whom, in which coding: segments of one message agree in all of it.
type Originator = (String, String, Coding);

/// The inbox of one bearer.
pub struct Inbox {
    bearer: String,
    arrivals: Arc<dyn Arrivals>,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    sets: Reassembler<Originator>,
    /// Whole, but not taken yet; known again by any of their segments.
    held: VecDeque<(Originator, Concatenation, Arrival)>,
}

impl Inbox {
    /// For the bearer instance of that name.
    pub fn new(bearer: &str, arrivals: Arc<dyn Arrivals>, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner { sets: Reassembler::new(MAX_OPEN, MAX_AGE), held: VecDeque::new() };
        Inbox { bearer: bearer.to_owned(), arrivals, clock, inner: Mutex::new(inner) }
    }

    /// Takes one short message. `Ok`: acknowledge it. An error that is temporary says that it should come again.
    pub async fn take(&self, from: &str, to: &str, data: UserData, coding: Coding) -> Result<(), Refusal> {
        let originator = (from.to_owned(), to.to_owned(), coding);
        let part = data.concatenation();
        let Some(arrival) = self.whole(&originator, data)? else { return Ok(()) };
        let Some(part) = part else { return self.arrivals.arrived(arrival).await };
        // Held before it is offered: whoever offers may be gone before there is an answer.
        {
            let mut inner = self.lock();
            inner.held.truncate(MAX_HELD - 1);
            inner.held.push_front((originator.clone(), part, arrival.clone()));
        }
        let offered = self.arrivals.arrived(arrival).await;
        if offered.as_ref().err().is_none_or(|refusal| !refusal.is_temporary()) {
            let mine = |(of, held, _): &(Originator, Concatenation, Arrival)| *of == originator && *held == part;
            self.lock().held.retain(|held| !mine(held));
        }
        offered
    }

    fn whole(&self, originator: &Originator, data: UserData) -> Result<Option<Arrival>, Refusal> {
        // Times only have to be measured from one fixed moment.
        let now = Duration::from_millis(u64::try_from(self.clock.now().0).unwrap_or(0));
        let mut inner = self.lock();
        if let Some(part) = data.concatenation() {
            let again = |(of, held, _): &(Originator, Concatenation, Arrival)| {
                of == originator && held.reference() == part.reference() && held.total() == part.total()
            };
            if let Some(at) = inner.held.iter().position(again) {
                return Ok(inner.held.remove(at).map(|(_, _, arrival)| arrival));
            }
        }
        for lost in inner.sets.expire(now) {
            tracing::info!(bearer = self.bearer, missing = ?lost.missing, "a message that arrived stayed incomplete");
        }
        let (from, to, coding) = originator;
        // Whoever sends beginnings without ends must not keep others from arriving: the oldest makes room.
        if inner.sets.open_sets() >= MAX_OPEN
            && let Some(lost) = inner.sets.forget_oldest()
        {
            tracing::info!(bearer = self.bearer, missing = ?lost.missing, "a message that arrived made room for others");
        }
        match inner.sets.accept(originator.clone(), data, now) {
            Ok(Accepted::Whole(Message { ports, payload })) => {
                let body = match (ports, coding) {
                    (Some(Ports { destination: 2948, .. }), _) => SmsBody::Push(payload),
                    (Some(Ports { destination, originator }), _) => {
                        SmsBody::Data { destination, originator, octets: payload }
                    }
                    (None, Coding::Septets) => SmsBody::Text(from_septets(&payload)),
                    (None, Coding::Ucs2) => SmsBody::Text(from_ucs2(&payload)),
                    (None, Coding::Utf8) => SmsBody::Text(String::from_utf8_lossy(&payload).into_owned()),
                    (None, Coding::Octets) => SmsBody::Data { destination: 0, originator: 0, octets: payload },
                };
                Ok(Some(Arrival { bearer: self.bearer.clone(), from: from.clone(), to: to.clone(), body }))
            }
            Ok(Accepted::Waiting { .. } | Accepted::Duplicate) => Ok(None),
            Err(error @ packetboat_sms::ReassembleError::TooManyOpen { .. }) => {
                Err(Refusal::new(RefusalKind::TryLater, error.to_string()))
            }
            Err(error) => Err(Refusal::new(RefusalKind::Malformed, error.to_string())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
