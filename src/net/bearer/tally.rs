//! Receipts of pushes that took several short messages.
//!
//! A push has reached the phone when all of its short messages have (I-3); a receipt for one of two proves nothing. What
//! has come so far is kept in memory, bounded. After a restart the count begins anew, so that a push whose receipts lie
//! on both sides of it is never said to be delivered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use packetboat_api::id::DeliveryId;

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
