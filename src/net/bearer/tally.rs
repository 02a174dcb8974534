//! Receipts of pushes that took several short messages.
//!
//! A push has reached the phone when all of its short messages have (I-3); a receipt for one of two proves nothing. What
//! has come so far is kept in memory, bounded. After a restart the count begins anew, so that a push whose receipts lie
//! on both sides of it is never said to be delivered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use packetboat_api::clock::Random;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::DeliveryId;
use packetboat_api::roles::Sms;

/// Pushes whose receipts are waited for at once; beyond that the oldest is forgotten.
pub const OPEN_TALLIES: usize = 16_384;

/// Names one short message of one sending of a delivery's push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The delivery the push was for.
    pub delivery: DeliveryId,
    /// Which sending of its push: characters of `[A-Za-z0-9]`.
    pub sending: String,
    /// Which of its short messages, from 1.
    pub part: u8,
    /// Short messages in all.
    pub parts: u8,
}

/// Characters that tell one sending from another, beside the one that says which step of the route it is for.
const SENDING: usize = 6;
/// The characters that say so; a route has fewer steps.
const STEPS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The name of a new sending.
pub fn sending(sms: &Sms, random: &dyn Random) -> String {
    let step = STEPS.get(sms.step as usize).copied().unwrap_or(b'-');
    format!("{}{}", char::from(step), random.token(SENDING))
}

impl Ticket {
    /// Evidence about the push this is a part of.
    pub fn evidence(&self, fact: Fact, detail: impl Into<String>) -> Evidence {
        let first = self.sending.bytes().next();
        let step = first.and_then(|first| STEPS.iter().position(|step| *step == first));
        Evidence { step: step.map(|step| step as u32), ..Evidence::now(fact, detail) }
    }
}

type Sending = (DeliveryId, String);

/// The open tallies.
#[derive(Debug, Default)]
pub struct Tallies(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    delivered: BTreeMap<Sending, BTreeSet<u8>>,
    /// Oldest first; may name sendings that are complete.
    order: VecDeque<Sending>,
}

impl Tallies {
    /// A short message reached the phone. Whether now all of its push have.
    pub fn delivered(&self, ticket: &Ticket) -> bool {
        if ticket.parts == 1 {
            return true;
        }
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sending = (ticket.delivery, ticket.sending.clone());
        if !open.delivered.contains_key(&sending) {
            open.order.push_back(sending.clone());
            if open.order.len() > OPEN_TALLIES
                && let Some(oldest) = open.order.pop_front()
            {
                open.delivered.remove(&oldest);
            }
        }
        let parts = open.delivered.entry(sending.clone()).or_default();
        parts.insert(ticket.part);
        let complete = parts.len() >= usize::from(ticket.parts);
        if complete {
            open.delivered.remove(&sending);
            open.order.retain(|other| *other != sending);
        }
        complete
    }
}
