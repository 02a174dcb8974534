//! The lines in which deliveries that are due wait for their turn.
//!
//! Every transport has its own, in three urgencies, each with a line for every sender. Transports are served in turn, in
//! a transport the most urgent first, among equals each sender in turn. Every [`RELIEF`]th turn of a transport goes to the
//! least urgent that wait, so that nothing waits for ever.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::Line;
use packetboat_api::id::DeliveryId;
use packetboat_api::message::Priority;

/// Every so many turns the least urgent are served first.
const RELIEF: u32 = 8;
/// Deliveries of one message that one turn takes at most.
const RUN: usize = 64;

/// When a delivery was due, and which it is.
pub(crate) type Entry = (Timestamp, DeliveryId);

/// A transport, by the number it was given.
pub(crate) type Via = u32;

/// Everything that waits.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lanes: BTreeMap<Via, Lane>,
    /// Whose turn it is: the lane after this one.
    last: Via,
}

#[derive(Debug, Default)]
struct Lane {
    classes: [Class; 3],
    served: u32,
}

/// The lines of one urgency.
#[derive(Debug, Default)]
struct Class {
    lines: BTreeMap<Line, BTreeSet<Entry>>,
    /// Lines in the order in which they are served; may name lines that are empty.
    order: VecDeque<Line>,
}

impl Lines {
    /// Puts a delivery in its line.
    pub(crate) fn join(&mut self, via: Via, line: Line, entry: Entry) {
        let class = &mut self.lanes.entry(via).or_default().classes[place(line)];
        let standing = class.lines.entry(line).or_default();
        if standing.is_empty() {
            class.order.push_back(line);
        }
        standing.insert(entry);
    }

    /// Takes a delivery out of its line.
    pub(crate) fn leave(&mut self, via: Via, line: Line, entry: Entry) {
        let Some(lane) = self.lanes.get_mut(&via) else { return };
        let class = &mut lane.classes[place(line)];
        let Some(standing) = class.lines.get_mut(&line) else { return };
        standing.remove(&entry);
        if standing.is_empty() {
            class.lines.remove(&line);
            class.order.retain(|other| *other != line);
        }
        self.lanes.retain(|_, lane| !lane.is_empty());
    }

    /// Whose turn it is: the next delivery, and those of the same message that stand right behind it, of a transport that has
    /// room, as many as there is room for.
    pub(crate) fn next(&mut self, room: impl Fn(Via) -> usize) -> Option<(Via, Vec<Entry>)> {
        let after = self.lanes.range(self.last.saturating_add(1)..).chain(self.lanes.range(..=self.last));
        let (via, most) = after.map(|(via, _)| (*via, room(*via))).find(|(_, room)| *room > 0)?;
        let lane = self.lanes.get_mut(&via)?;
        let taken = lane.next(most.min(RUN));
        if lane.is_empty() {
            self.lanes.remove(&via);
        }
        self.last = via;
        Some((via, taken))
    }

    /// The earliest time at which something that waits was due.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        let classes = self.lanes.values().flat_map(|lane| &lane.classes);
        let lines = classes.flat_map(|class| class.lines.values());
        lines.filter_map(|line| line.first()).map(|(at, _)| *at).min()
    }
}

impl Lane {
    fn is_empty(&self) -> bool {
        self.classes.iter().all(|class| class.lines.is_empty())
    }

    fn next(&mut self, most: usize) -> Vec<Entry> {
        let relief = self.served % RELIEF == RELIEF - 1;
        self.served = self.served.wrapping_add(1);
        let mut waiting = self.classes.iter_mut().filter(|class| !class.lines.is_empty());
        let class = if relief { waiting.next_back() } else { waiting.next() };
        class.map(|class| class.next(most)).unwrap_or_default()
    }
}

impl Class {
    fn next(&mut self, most: usize) -> Vec<Entry> {
        let Some(line) = self.order.pop_front() else { return Vec::new() };
        let Some(standing) = self.lines.get_mut(&line) else { return Vec::new() };
        let mut taken: Vec<Entry> = Vec::new();
        while let Some(entry) = standing.first().copied() {
            let together = taken.first().is_none_or(|(at, id)| (*at, id.message) == (entry.0, entry.1.message));
            if !together || taken.len() == most {
                break;
            }
            standing.pop_first();
            taken.push(entry);
        }
        match standing.is_empty() {
            true => drop(self.lines.remove(&line)),
            false => self.order.push_back(line),
        }
        taken
    }
}

/// Most urgent first.
fn place(line: Line) -> usize {
    match line.priority() {
        Priority::High => 0,
        Priority::Normal => 1,
        Priority::Low => 2,
    }
}
