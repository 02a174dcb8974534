//! How fast short messages go to an SMSC that says "slower" (ESME_RTHROTTLED, ESME_RMSGQFUL).
//!
//! There is no pace until the SMSC asks for one. Then it is a little below what went through in the last second; a further
//! complaint slows it down by a quarter, each short message that is taken speeds it up by a 128th, until it is so fast that
//! it is none. So the rate settles just below what the SMSC allows, wherever that is. While it takes nothing at all, nothing
//! is learnt about the rate: it is asked again after a wait that doubles from time to time.
//!
//! Time is an argument (I-12).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::SLOWEST;

/// Faster than this is no pace.
const FASTEST: Duration = Duration::from_millis(1);
/// Shortest wait after a complaint; others that come within it are about the same burst.
const HOLD: Duration = Duration::from_millis(50);
/// How long ago a complaint is news.
const LATELY: Duration = Duration::from_secs(60);
/// After so long without a complaint the last one says nothing any more.
const FORGET: Duration = Duration::from_secs(600);
/// Over which what went through is counted.
const SECOND: Duration = Duration::from_secs(1);

/// The pace of one bearer.
#[derive(Debug, Default)]
pub struct Pace(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Zero when there is no pace.
    interval: Duration,
    /// How long nothing goes after a complaint.
    hold: Duration,
    /// When the next one may go.
    next: Option<Instant>,
    /// The last complaint that counted.
    complaint: Option<Instant>,
    /// Whether anything was taken since.
    learnt: bool,
    /// The second that is being counted, and how many were taken in it and in the one before.
    counting: Option<Instant>,
    taken: u32,
    taken_before: u32,
}

impl Pace {
    /// Whether a short message may go now; if not, when to ask again.
    pub fn admit(&self, now: Instant) -> Result<(), Instant> {
        let mut inner = self.lock();
        if inner.complaint.is_some_and(|last| now.duration_since(last) > FORGET) {
            (inner.interval, inner.complaint) = (Duration::ZERO, None);
        }
        match inner.next {
            Some(next) if next > now => Err(next),
            _ => {
                inner.next = Some(now + inner.interval);
                Ok(())
            }
        }
    }

    /// The SMSC took one. Whether that changed the pace.
    pub fn taken(&self, now: Instant) -> bool {
        let mut inner = self.lock();
        inner.count(now);
        inner.taken += 1;
        inner.learnt = true;
        let before = inner.interval;
        inner.interval = before - before / 128;
        if inner.interval < FASTEST {
            inner.interval = Duration::ZERO;
        }
        inner.interval != before
    }

    /// The SMSC asked for less.
    pub fn slower(&self, now: Instant) {
        let mut inner = self.lock();
        let burst = inner.hold.max(HOLD);
        if inner.complaint.is_some_and(|last| now.duration_since(last) < burst) {
            return;
        }
        inner.count(now);
        let first = inner.complaint.replace(now).is_none();
        if std::mem::take(&mut inner.learnt) || first {
            let interval = match inner.interval.is_zero() {
                true => SECOND * 5 / 4 / inner.taken.max(inner.taken_before).max(1),
                false => inner.interval * 5 / 4,
            };
            inner.interval = interval.clamp(FASTEST * 2, SLOWEST);
            inner.hold = inner.interval.max(HOLD);
        } else {
            inner.hold = (inner.hold * 2).min(SLOWEST);
        }
        inner.next = Some(now + inner.hold);
    }

    /// The time from one to the next; zero when there is no pace.
    pub fn interval(&self) -> Duration {
        self.lock().interval
    }

    /// As [`interval`](Self::interval), when the SMSC complained lately.
    pub fn slowed(&self, now: Instant) -> Option<Duration> {
        let inner = self.lock();
        let lately = inner.complaint.is_some_and(|last| now.duration_since(last) < LATELY);
        Some(inner.interval).filter(|interval| lately && !interval.is_zero())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&mut self, now: Instant) {
        let since = now.duration_since(*self.counting.get_or_insert(now));
        if since >= SECOND {
            self.taken_before = if since < 2 * SECOND { self.taken } else { 0 };
            self.taken = 0;
            self.counting = Some(now);
        }
    }
}
