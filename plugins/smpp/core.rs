//! What the bearer and its connections share.
//!
//! A [`Flight`] is one short message on its way: it holds its turn and its place on a connection, and whatever becomes of the
//! connection, it is settled exactly once, if only by being dropped. So a window never has more in it than it should, and
//! no push waits for an answer that cannot come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use packetboat_api::clock::{Clock, Random};
use packetboat_api::road::Witness;
use packetboat_api::serve::CancellationToken;
use packetboat_net::bearer::{Inbox, References, Tallies, Ticket, Turn, Turns};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::link::{Link, Load};
use crate::pace::Pace;
use crate::sending::{Sending, Step, Unfinished};
use crate::settings::{Receipts, SmppSettings};
use crate::tickets::Tickets;

/// One bearer's shared part.
pub struct Core {
    /// The instance's name.
    pub name: String,
    /// Its settings.
    pub settings: SmppSettings,
    /// Its password.
    pub password: String,
    /// Takes evidence.
    pub witness: Arc<dyn Witness>,
    /// Makes arriving segments whole and offers them.
    pub inbox: Inbox,
    /// Receipts of pushes of several parts.
    pub tallies: Tallies,
    /// Message ids.
    pub tickets: Tickets,
    /// Pushes that are not done.
    pub unfinished: Unfinished,
    /// Whose turn it is.
    pub turns: Turns,
    /// How fast.
    pub pace: Pace,
    /// Reference numbers.
    pub references: References,
    /// The time, for what goes into messages and words; protocol timers are the runtime's.
    pub clock: Arc<dyn Clock>,
    /// For tokens and jitter.
    pub random: Arc<dyn Random>,
    /// Its connections.
    pub links: Vec<Arc<Link>>,
    /// Something changed: a connection, or room on one.
    pub changed: Arc<Notify>,
    /// Asks connections that ended for want of use to come back.
    pub wanted: Notify,
    /// Cancelled by `drain`.
    pub drain: CancellationToken,
    /// What went wrong last with a push; `None` after one that went well.
    pub trouble: Mutex<Option<String>>,
    /// Whether `start` was called.
    pub started: AtomicBool,
}

/// A short message on its way.
pub struct Flight {
    /// Whose part it is.
    pub sending: Arc<Sending>,
    /// Which part, from 0.
    pub at: usize,
    /// The `submit_sm`, without its sequence number.
    pub octets: BytesMut,
    /// Whether it was given to the connection.
    pub sent: bool,
    settled: bool,
    // In this order: who gets the turn next finds the place free.
    _load: Load,
    _turn: Turn,
}

impl Flight {
    /// Takes off. The part was marked as flying before.
    pub fn new(sending: Arc<Sending>, at: usize, octets: BytesMut, turn: Turn, load: Load) -> Self {
        Flight { sending, at, octets, sent: false, settled: false, _load: load, _turn: turn }
    }

    /// The SMSC answered, or never will.
    pub fn settle(mut self, outcome: Step) {
        self.settled = true;
        self.sending.settle(self.at, outcome, self.sent);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.settled {
            self.sending.settle(self.at, Step::Lost("the connection ended".to_owned()), self.sent);
        }
    }
}

impl Core {
    /// The SMSC took a short message under this id: receipts may come at once.
    pub fn took(&self, flight: Flight, id: String, now: Instant) {
        if self.settings.registered_delivery != Receipts::None {
            let parts = u8::try_from(flight.sending.parts.len()).unwrap_or(u8::MAX);
            let part = u8::try_from(flight.at + 1).unwrap_or(u8::MAX);
            let (delivery, sending) = (flight.sending.delivery, flight.sending.token.clone());
            self.tickets.add(&id, Ticket { delivery, sending, part, parts }, &flight.sending.phone);
        }
        flight.settle(Step::Taken(id));
        if self.pace.taken(now) {
            self.fit_window();
        }
    }

    /// Makes the window as wide as the connections that are there and the pace allow.
    pub fn fit_window(&self) {
        let bound = self.links.iter().filter(|link| link.sends() && link.is_bound()).count();
        let full = (bound * self.settings.window).max(1);
        let interval = self.pace.interval();
        let width = match interval.is_zero() {
            true => full,
            // As many as go in a second: the others wait where the urgent ones can overtake them.
            false => full.min((Duration::from_secs(1).as_micros() / interval.as_micros().max(1)).max(1) as usize),
        };
        self.turns.set_width(width);
        self.changed.notify_waiters();
    }

    /// A place on the least loaded connection; `None` when there is none by `end`, or none to be hoped for.
    pub async fn place(&self, end: Instant) -> Option<(mpsc::Sender<Flight>, Load)> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let senders = || self.links.iter().filter(|link| link.sends());
            let least = senders().filter(|link| link.is_bound()).min_by_key(|link| link.load());
            // Somebody else may have been faster there: then anywhere.
            let place =
                least.into_iter().chain(senders()).find_map(|link| link.place(self.settings.window, &self.changed));
            if place.is_some() {
                return place;
            }
            if senders().all(|link| link.is_refused()) {
                return None;
            }
            self.wanted.notify_waiters();
            if timeout_at(end, changed).await.is_err() {
                return None;
            }
        }
    }

    /// Why nothing can be sent, in words.
    pub fn why_not(&self) -> String {
        let senders = || self.links.iter().filter(|link| link.sends());
        if senders().any(|link| link.is_bound()) {
            return "every place on the connections to the SMSC waits for an answer".to_owned();
        }
        let why = senders().find_map(|link| link.trouble());
        why.unwrap_or_else(|| "there is no connection to the SMSC yet".to_owned())
    }

    /// Short messages without an answer.
    pub fn unanswered(&self) -> usize {
        self.links.iter().map(|link| link.load()).sum()
    }

    /// Notes how a push went.
    pub fn note(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Whether it is ending.
    pub fn draining(&self) -> bool {
        self.drain.is_cancelled() || !self.started.load(Ordering::Relaxed)
    }
}
