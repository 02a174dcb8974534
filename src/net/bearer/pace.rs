//! How much goes to a gateway at once: a window that narrows by half when the gateway says "later", and widens by one
//! after as many successes as it is wide, until it is what the settings say.

use std::sync::{Mutex, MutexGuard, PoisonError};

use packetboat_api::message::Priority;
use packetboat_api::roles::{BearerError, Health};

use super::{Turn, Turns};

/// The pace of one bearer.
#[derive(Debug)]
pub struct Pace {
    turns: Turns,
    full: usize,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    width: usize,
    /// Successes since the width last changed.
    well: usize,
}

impl Pace {
    /// A window of at most `full` turns, at least one.
    pub fn new(full: usize) -> Self {
        let full = full.max(1);
        Pace { turns: Turns::new(full), full, now: Mutex::new(Now { width: full, well: 0 }) }
    }

    /// Waits for a turn in `sender`'s line: see [`Turns::take`].
    pub async fn take(&self, priority: Priority, sender: &str) -> Turn {
        self.turns.take(priority, sender).await
    }

    /// Takes note of how a request ended; `slower` when the gateway would rather have fewer.
    pub fn note<T>(&self, result: &Result<T, BearerError>, slower: bool) {
        if slower {
            self.slow_down();
        } else if result.is_ok() {
            self.went_well();
        }
    }

    /// The gateway said "later".
    pub fn slow_down(&self) {
        let mut now = self.lock();
        *now = Now { width: (now.width / 2).max(1), well: 0 };
        self.turns.set_width(now.width);
    }

    /// The gateway took something.
    pub fn went_well(&self) {
        let mut now = self.lock();
        if now.width == self.full {
            return;
        }
        now.well += 1;
        if now.well >= now.width {
            *now = Now { width: now.width + 1, well: 0 };
            self.turns.set_width(now.width);
        }
    }

    /// How many turns there are at once now.
    pub fn width(&self) -> usize {
        self.lock().width
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How well a gateway is, by what it last said. A message it refuses for good is the message's fault and no trouble.
#[derive(Debug, Default)]
pub struct Condition(Mutex<Option<String>>);

impl Condition {
    /// Takes note of how a request ended.
    pub fn note<T>(&self, result: &Result<T, BearerError>) {
        let trouble = match result {
            Err(BearerError::Retry { why, .. }) => Some(why.clone()),
            Ok(_) | Err(BearerError::Permanent { .. }) => None,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// What to tell the operator.
    pub fn health(&self) -> Health {
        let trouble = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map_or(Health::Well, |why| Health::Degraded(why.clone()))
    }
}
