//! Whose turn it is: a window with a fair line before it.
//!
//! What is urgent goes first; among equals every sender has its own line and the lines are served in turn, so that one bulk
//! job delays nobody else's only message. Every [`RELIEF`]th turn goes to the least urgent that wait, so that nothing waits
//! for ever.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use packetboat_api::message::Priority;
use tokio::sync::oneshot;

/// Every so many turns the least urgent of those who wait is served first.
const RELIEF: u32 = 8;
/// How many urgencies there are.
const CLASSES: usize = 3;

/// A window of so many turns at once.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    /// Turns that may be taken at once.
    width: usize,
    taken: usize,
    served: u32,
    /// Most urgent first.
    classes: [Class; CLASSES],
}

/// The lines of one urgency.
#[derive(Debug, Default)]
struct Class {
    /// Senders with a line, in the order in which they are served.
    order: VecDeque<String>,
    lines: HashMap<String, VecDeque<oneshot::Sender<Turn>>>,
}

/// A turn; dropping it ends it.
#[derive(Debug)]
pub struct Turn(Turns);

impl Turns {
    /// A window of `width` turns, at least one.
    pub fn new(width: usize) -> Self {
        let inner = Inner { width: width.max(1), taken: 0, served: 0, classes: Default::default() };
        Turns(Arc::new(Mutex::new(inner)))
    }

    /// Waits for a turn in `sender`'s line. Whoever stops waiting leaves the line.
    pub async fn take(&self, priority: Priority, sender: &str) -> Turn {
        let place = {
            let mut inner = self.lock();
            if inner.taken < inner.width && inner.classes.iter().all(|class| class.order.is_empty()) {
                inner.taken += 1;
                return Turn(self.clone());
            }
            let (grant, place) = oneshot::channel();
            let class = match priority {
                Priority::High => 0,
                Priority::Normal => 1,
                Priority::Low => 2,
            };
            inner.classes[class].join(sender, grant);
            place
        };
        // The line is never closed while somebody stands in it: a sender is dropped only after it was used.
        match place.await {
            Ok(turn) => turn,
            Err(_) => std::future::pending().await,
        }
    }

    /// Makes the window wider or narrower; turns that were taken stay.
    pub fn set_width(&self, width: usize) {
        self.lock().width = width.max(1);
        self.serve();
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().classes.iter().flat_map(|class| class.lines.values()).map(VecDeque::len).sum()
    }

    /// Gives out what turns there are.
    fn serve(&self) {
        loop {
            let grant = {
                let mut inner = self.lock();
                if inner.taken >= inner.width {
                    return;
                }
                let Some(grant) = inner.next() else { return };
                inner.taken += 1;
                grant
            };
            // One that is not waited for any more comes back, and is given to the next, by being dropped.
            let _ = grant.send(Turn(self.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let relief = self.served % RELIEF == RELIEF - 1;
        let next = match relief {
            true => self.classes.iter_mut().rev().find_map(Class::next),
            false => self.classes.iter_mut().find_map(Class::next),
        };
        self.served = self.served.wrapping_add(u32::from(next.is_some()));
        next
    }
}

impl Class {
    fn join(&mut self, sender: &str, grant: oneshot::Sender<Turn>) {
        if !self.lines.contains_key(sender) {
            self.order.push_back(sender.to_owned());
        }
        self.lines.entry(sender.to_owned()).or_default().push_back(grant);
    }

    /// The first of the next line that still waits; the line goes to the end.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some(sender) = self.order.pop_front() {
            let Some(line) = self.lines.get_mut(&sender) else { continue };
            let next = std::iter::from_fn(|| line.pop_front()).find(|grant| !grant.is_closed());
            match line.is_empty() {
                true => drop(self.lines.remove(&sender)),
                false => self.order.push_back(sender),
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut inner = self.0.lock();
            inner.taken = inner.taken.saturating_sub(1);
        }
        self.0.serve();
    }
}
