//! Waiting on conditions.
//!
//! Peers and the daemon work at their own speed, and the machine that runs the stories may be busy with several of
//! them. So a story never sleeps for a fixed time: it names what it waits for and how long that may take at the very
//! most. A wait that runs out panics with the name; the scene then shows the logs.

use std::time::{Duration, Instant};

/// How long a story waits for something that ought to happen within a second or two.
///
/// Generous on purpose: it is only ever used up by a story that is about to fail.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The pause between two looks at a condition: it starts at the first and doubles up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// Looks at `condition` until it holds.
///
/// # Panics
/// When it does not hold within `deadline`, naming `what` was waited for.
#[track_caller]
pub fn wait_until(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(deadline, what, || condition().then_some(()));
}

/// Calls `probe` until it returns something, and hands that back.
///
/// # Panics
/// When it returns nothing within `deadline`, naming `what` was waited for.
#[track_caller]
pub fn wait_for<T>(deadline: Duration, what: &str, probe: impl FnMut() -> Option<T>) -> T {
    match poll(deadline, probe) {
        Some(found) => found,
        None => panic!("waited {deadline:?} in vain for: {what}"),
    }
}

/// Calls `probe` until it returns something; `None` when `deadline` passes first.
pub fn poll<T>(deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    let mut pause = PAUSES.0;
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Looks at `condition` for the whole of `span`: for what must *not* happen.
///
/// # Panics
/// As soon as the condition holds.
#[track_caller]
pub fn never_within(span: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    if poll(span, || condition().then_some(())).is_some() {
        panic!("this must not happen, and it did: {what}");
    }
}
