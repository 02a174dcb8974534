//! The delivery: one message to one recipient; the unit of routing, queueing, retry and reporting.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::evidence::Fact;
use crate::id::DeliveryId;
use crate::message::{Message, Priority};
use crate::party::Party;

/// One step of a route: a transport, and how long it may wait for evidence before the next one is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The transport's instance name.
    pub via: String,
    /// Milliseconds to wait for evidence of delivery; `None` waits until the message expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// There is evidence that the recipient has it.
    Delivered,
    /// The next hop has it; what becomes of it is its business.
    HandedOver,
    /// The recipient refused it.
    Rejected,
    /// Its time ran out.
    Expired,
    /// It cannot be delivered.
    Failed,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be attempted when due.
    Queued,
    /// Attempted; waits for evidence. When due, it is notified again, moved to the next step, or expired.
    Waiting,
    /// An operator holds it.
    Held,
    /// It failed a plugin again and again; it stays for a person to look at (invariant I-10).
    Quarantined,
    /// It ended.
    Done(End),
}

impl State {
    /// Every state, in the order of a delivery's life.
    pub const ALL: [State; 9] = [
        State::Queued,
        State::Waiting,
        State::Held,
        State::Quarantined,
        State::Done(End::Delivered),
        State::Done(End::HandedOver),
        State::Done(End::Rejected),
        State::Done(End::Expired),
        State::Done(End::Failed),
    ];

    /// The word for the command line, logs and the store's index.
    pub fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Waiting => "waiting",
            State::Held => "held",
            State::Quarantined => "quarantined",
            State::Done(End::Delivered) => "delivered",
            State::Done(End::HandedOver) => "handed_over",
            State::Done(End::Rejected) => "rejected",
            State::Done(End::Expired) => "expired",
            State::Done(End::Failed) => "failed",
        }
    }

    /// Whether time still moves it.
    pub fn is_live(self) -> bool {
        matches!(self, State::Queued | State::Waiting)
    }

    /// Whether it ended.
    pub fn is_done(self) -> bool {
        matches!(self, State::Done(_))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The line a delivery stands in while it waits for its turn: how urgent it is, and whose it is. Lines of one urgency are
/// served in turn, so that a bulk job delays nobody else's only message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line(pub u64);

impl Line {
    /// Where the urgency stands; below it is a hash of the sender.
    const URGENCY: u32 = 32;

    /// The line of a message's deliveries.
    pub fn of(message: &Message) -> Self {
        let sender = message.envelope.from.as_ref().map(ToString::to_string).unwrap_or_default();
        // FNV-1a: the same in every build, as it is written down.
        let fold = |hash: u32, octet: u8| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193);
        let hash = sender.bytes().fold(0x811C_9DC5, fold);
        let urgency = match message.traits.priority {
            Priority::Normal => 0,
            Priority::High => 1,
            Priority::Low => 2,
        };
        Line(urgency << Self::URGENCY | u64::from(hash))
    }

    /// How urgent.
    pub fn priority(self) -> Priority {
        match self.0 >> Self::URGENCY {
            1 => Priority::High,
            2 => Priority::Low,
            _ => Priority::Normal,
        }
    }
}

/// A delivery as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Counts the changes; a change names the version it was made from.
    pub version: u64,
    /// The recipient.
    pub to: Party,
    /// The line it stands in; stays what it was made with.
    #[serde(default)]
    pub line: Line,
    /// Where it stands.
    pub state: State,
    /// When it next needs attention; once it has ended, the time from which its message counts as finished: its end, or, when a
    /// page of it was opened, the end of the page's time.
    pub due: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
    /// The rule that routed it.
    pub rule: String,
    /// The route.
    pub route: Vec<Step>,
    /// Which step of the route it is at.
    pub step: u32,
    /// When that step was first attempted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_since: Option<Timestamp>,
    /// Attempts at this step.
    pub attempts: u32,
    /// Notifications sent for it, over all steps.
    pub notified: u32,
    /// Attempts in a row that crashed or overran a plugin.
    #[serde(default)]
    pub faults: u32,
    /// The unguessable name of its content URL, [`TOKEN_LENGTH`] characters.
    pub token: String,
    /// What has been seen so far.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Why it is where it is, in words; empty while all goes well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// A report of how it ended has been made, or none is owed.
    #[serde(default)]
    pub reported: bool,
    /// It was withdrawn: nothing is behind its token any more.
    #[serde(default)]
    pub revoked: bool,
}

/// Characters of a delivery's token: 22 of 62 kinds hold 130 bits (invariant I-11).
pub const TOKEN_LENGTH: usize = 22;
/// Characters of the token that make the transaction id: 71 bits, short enough for a one-SMS notification (case A-05).
pub const TRANSACTION_LENGTH: usize = 12;

impl Delivery {
    /// The X-Mms-Transaction-Id of this delivery's notification.
    pub fn transaction(&self) -> &str {
        self.token.get(..TRANSACTION_LENGTH).unwrap_or(&self.token)
    }

    /// The transport of the present step.
    pub fn via(&self) -> Option<&str> {
        self.route.get(self.step as usize).map(|step| step.via.as_str())
    }

    /// Whether this has been seen.
    pub fn saw(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }

    /// When evidence of delivery is owed by: the present step's wait, if it has one and was attempted.
    pub fn wait_ends(&self) -> Option<Timestamp> {
        let wait = self.route.get(self.step as usize)?.wait_ms?;
        Some(self.step_since?.after(std::time::Duration::from_millis(wait)))
    }
}

/// One line of a delivery's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What: `routed`, `deferred`, `failed`, … or the word of a [`Fact`].
    pub what: String,
    /// In words.
    pub detail: String,
}
