//! What a verdict, a piece of evidence, or the passing of time makes of a delivery.
//!
//! Pure: a delivery and an input go in, the changed delivery and its timeline lines come out. Two inputs may race (a phone
//! fetches while the bearer still answers); whoever commits second applies its input again to what is there then, so
//! every function here must make sense in every state (I-3: the state is what the evidence says, in any order).

use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, End, Event, State};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::roles::Verdict;

use crate::policy::{QueueSettings, Retry};

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    /// The delivery as it shall be. Its version is one more than it was.
    pub delivery: Delivery,
    /// New timeline lines.
    pub events: Vec<Event>,
}

/// What time and policy contribute.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Now.
    pub now: Timestamp,
    /// The settings.
    pub queue: &'a QueueSettings,
    /// The back-off of the transport concerned.
    pub retry: &'a Retry,
    /// A number in 0..1 for the jitter.
    pub dice: f64,
}

/// What to do with a delivery that is due.
#[derive(Clone, Debug, PartialEq)]
pub enum Due {
    /// Attempt it, by the present step's transport.
    Attempt,
    /// No attempt: time alone changed it.
    Changed(Next),
}

impl Next {
    fn of(delivery: &Delivery) -> Self {
        let mut delivery = delivery.clone();
        delivery.version += 1;
        Next { delivery, events: Vec::new() }
    }

    fn note(&mut self, at: Timestamp, what: &str, detail: impl Into<String>) {
        self.events.push(Event { at, what: what.to_owned(), detail: detail.into() });
    }

    fn end(&mut self, end: End) {
        self.delivery.state = State::Done(end);
    }

    /// Records evidence without drawing conclusions.
    fn see(&mut self, evidence: &Evidence, now: Timestamp) {
        if !self.delivery.saw(evidence.fact) {
            self.delivery.facts.push(evidence.fact);
        }
        self.note(evidence.at.unwrap_or(now), evidence.fact.word(), evidence.detail.clone());
    }
}

/// A delivery is due: what now?
pub fn due(delivery: &Delivery, with: Circumstances<'_>) -> Due {
    let now = with.now;
    let mut next = Next::of(delivery);
    if delivery.saw(Fact::Fetched) && delivery.state == State::Waiting {
        // The phone has it, and its grace for saying so is over (case E-01).
        next.end(End::Delivered);
        next.note(now, "delivered", "the phone fetched the whole message and did not say more");
        return Due::Changed(next);
    }
    if now >= delivery.expires {
        return Due::Changed(expire(next, now));
    }
    if delivery.state == State::Waiting && delivery.wait_ends().is_some_and(|end| end <= now) {
        if has_next_step(delivery) {
            step_on(&mut next, now, "no evidence of delivery in time");
            return Due::Changed(next);
        }
        if delivery.saw(Fact::Deferred) || delivery.saw(Fact::HandedOver) {
            next.delivery.due = delivery.expires;
            return Due::Changed(next);
        }
    }
    if delivery.state == State::Waiting && (delivery.saw(Fact::Deferred) || delivery.saw(Fact::HandedOver)) {
        // The phone knows, or the next hop has it: telling again would only annoy.
        next.delivery.due = delivery.expires;
        return Due::Changed(next);
    }
    Due::Attempt
}

fn expire(mut next: Next, now: Timestamp) -> Next {
    if next.delivery.saw(Fact::HandedOver) {
        next.end(End::HandedOver);
        next.note(now, "handed_over", "the next hop took it and promised to report, but never did");
        return next;
    }
    next.end(End::Expired);
    if next.delivery.reason.is_empty() {
        next.delivery.reason = match next.delivery.notified {
            0 => "its time ran out before it could be delivered".to_owned(),
            n => format!("its time ran out; the phone was told {n} times and did not fetch it"),
        };
    }
    let reason = next.delivery.reason.clone();
    next.see(&Evidence::now(Fact::Expired, reason), now);
    next
}

fn has_next_step(delivery: &Delivery) -> bool {
    (delivery.step as usize) + 1 < delivery.route.len()
}

fn step_on(next: &mut Next, now: Timestamp, why: &str) {
    let delivery = &mut next.delivery;
    let from = delivery.via().unwrap_or_default().to_owned();
    delivery.step += 1;
    delivery.step_since = None;
    delivery.attempts = 0;
    delivery.state = State::Queued;
    delivery.due = now;
    let to = delivery.via().unwrap_or_default().to_owned();
    next.note(now, "next_step", format!("{from} → {to}: {why}"));
}

/// A transport has answered.
pub fn verdict(delivery: &Delivery, verdict: &Verdict, with: Circumstances<'_>) -> Next {
    let now = with.now;
    let mut next = Next::of(delivery);
    next.delivery.attempts += 1;
    next.delivery.faults = 0;
    next.delivery.step_since.get_or_insert(now);
    let settled = !delivery.state.is_live();
    match verdict {
        Verdict::HandedOver { detail, reports } => {
            next.see(&Evidence::now(Fact::HandedOver, detail.clone()), now);
            match (settled, reports) {
                (true, _) => {}
                (false, false) => next.end(End::HandedOver),
                (false, true) => wait(&mut next, None, with),
            }
        }
        Verdict::Notified { evidence, again } => {
            next.delivery.notified += 1;
            evidence.iter().for_each(|seen| next.see(seen, now));
            if !settled {
                next.delivery.reason.clear();
                wait(&mut next, *again, with);
            }
        }
        Verdict::Delivered(evidence) => {
            next.see(evidence, now);
            if !settled {
                next.end(End::Delivered);
            }
        }
        Verdict::Deferred { after, why } => {
            next.note(now, "deferred", why.clone());
            if !settled && delivery.state == State::Queued {
                next.delivery.reason.clone_from(why);
                back_off(&mut next, *after, with);
            } else if !settled {
                // A repeated notification that could not be sent: the earlier one still stands.
                let after = after.unwrap_or_else(|| with.retry.wait(next.delivery.attempts, with.dice));
                wait(&mut next, Some(after), with);
            }
        }
        Verdict::Failed(failure) => {
            next.note(now, "attempt_failed", format!("{} ({})", failure.why, failure.status));
            if !settled {
                next.delivery.reason = format!("{} {}", failure.status, failure.why);
                match has_next_step(delivery) {
                    true => step_on(&mut next, now, &failure.why),
                    false => next.end(End::Failed),
                }
            }
        }
    }
    next
}

/// The plugin crashed or overran its time: not the message's fault, unless it happens again and again (I-10).
pub fn fault(delivery: &Delivery, what: &str, with: Circumstances<'_>) -> Next {
    let mut next = Next::of(delivery);
    next.delivery.faults += 1;
    next.delivery.attempts += 1;
    next.delivery.reason = what.to_owned();
    next.note(with.now, "fault", what);
    if !delivery.state.is_live() {
        return next;
    }
    if next.delivery.faults >= with.queue.faults {
        next.delivery.state = State::Quarantined;
        next.note(with.now, "quarantined", format!("{} faults in a row", next.delivery.faults));
    } else {
        back_off(&mut next, None, with);
    }
    next
}

fn back_off(next: &mut Next, after: Option<Duration>, with: Circumstances<'_>) {
    let wait = after.unwrap_or_else(|| with.retry.wait(next.delivery.attempts, with.dice));
    next.delivery.due = with.now.after(wait).min(next.delivery.expires);
}

/// Waits for evidence until something is to be done again.
fn wait(next: &mut Next, again: Option<Duration>, with: Circumstances<'_>) {
    let delivery = &mut next.delivery;
    delivery.state = State::Waiting;
    if delivery.saw(Fact::Fetched) {
        return; // the grace for the acknowledgement runs already
    }
    let mut due = delivery.expires;
    if let Some(again) = again {
        due = due.min(with.now.after(again));
    }
    if let Some(end) = delivery.wait_ends().filter(|_| has_next_step(delivery)) {
        due = due.min(end);
    }
    delivery.due = due;
}

/// Something was seen.
pub fn evidence(delivery: &Delivery, evidence: &Evidence, with: Circumstances<'_>) -> Next {
    let now = with.now;
    let mut next = Next::of(delivery);
    next.see(evidence, now);
    if !delivery.state.is_live() {
        return next; // late evidence is recorded, the end stands
    }
    match evidence.fact {
        Fact::Fetched => {
            next.delivery.state = State::Waiting;
            next.delivery.due = now.after(with.queue.acknowledge_grace.0);
        }
        Fact::Retrieved | Fact::Delivered | Fact::Read | Fact::DeletedUnread | Fact::LinkOpened => {
            next.delivery.reason.clear();
            next.end(End::Delivered);
        }
        Fact::HandedOver if delivery.state == State::Waiting => next.end(End::HandedOver),
        Fact::Rejected => {
            next.delivery.reason = evidence.detail.clone();
            next.end(End::Rejected);
        }
        Fact::Deferred if delivery.state == State::Waiting => {
            let waits = delivery.wait_ends().filter(|_| has_next_step(delivery));
            next.delivery.due = waits.unwrap_or(delivery.expires).min(delivery.expires);
        }
        Fact::PushFailed if delivery.state == State::Waiting && !delivery.saw(Fact::Fetched) => {
            next.delivery.reason = evidence.detail.clone();
            next.delivery.state = State::Queued;
            back_off(&mut next, None, with);
        }
        _ => {}
    }
    next
}

/// The next hop reported that it failed after all.
pub fn bounced(delivery: &Delivery, why: &str, with: Circumstances<'_>) -> Next {
    let mut next = Next::of(delivery);
    next.note(with.now, "attempt_failed", why);
    if delivery.state.is_live() {
        next.delivery.reason = why.to_owned();
        match has_next_step(delivery) {
            true => step_on(&mut next, with.now, why),
            false => next.end(End::Failed),
        }
    }
    next
}
