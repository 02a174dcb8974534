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
    Changed(Box<Next>),
    /// Nothing: time does not move it any more.
    Nothing,
}

/// A transport that says when to come back is not asked earlier than this, or a "0" would be a busy loop.
const SHORTEST: Duration = Duration::from_secs(1);

impl Next {
    fn of(delivery: &Delivery) -> Self {
        let mut delivery = delivery.clone();
        delivery.version += 1;
        Next { delivery, events: Vec::new() }
    }

    fn note(&mut self, at: Timestamp, what: &str, detail: impl Into<String>) {
        self.events.push(Event { at, what: what.to_owned(), detail: detail.into() });
    }

    fn end(&mut self, end: End, now: Timestamp) {
        let delivery = &mut self.delivery;
        delivery.state = State::Done(end);
        // People come back to a page; it stays until its time is over.
        delivery.due = if delivery.saw(Fact::LinkOpened) { now.max(delivery.expires) } else { now };
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
    if !delivery.state.is_live() {
        return Due::Nothing;
    }
    let mut next = Next::of(delivery);
    if delivery.saw(Fact::Fetched) {
        // The phone has it, and its grace for saying so is over (case E-01).
        next.end(End::Delivered, now);
        next.note(now, "delivered", "the phone fetched the whole message and did not say more");
    } else if now >= delivery.expires {
        next = expire(next, now);
    } else if has_next_step(delivery) && delivery.wait_ends().is_some_and(|end| end <= now) {
        step_on(&mut next, now, "no evidence of delivery in time");
    } else if delivery.state == State::Waiting && need_not_be_told(delivery) {
        wait(&mut next, None, with);
    } else {
        return Due::Attempt;
    }
    Due::Changed(Box::new(next))
}

/// The phone knows, or the next hop has it: telling again would only annoy.
fn need_not_be_told(delivery: &Delivery) -> bool {
    delivery.saw(Fact::Deferred) || delivery.saw(Fact::HandedOver)
}

/// Nothing but evidence moves it any more: it ended, an operator has it, or the phone has it and may still say so.
fn is_settled(delivery: &Delivery) -> bool {
    !delivery.state.is_live() || delivery.saw(Fact::Fetched)
}

fn expire(mut next: Next, now: Timestamp) -> Next {
    if next.delivery.saw(Fact::HandedOver) {
        next.end(End::HandedOver, now);
        next.note(now, "handed_over", "the next hop took it and promised to report, but never did");
        return next;
    }
    next.end(End::Expired, now);
    if next.delivery.reason.is_empty() {
        next.delivery.reason = match next.delivery.notified {
            _ if next.delivery.saw(Fact::LinkSent) => {
                "its time ran out; a link to it was sent, and nobody opened it".to_owned()
            }
            0 => "its time ran out before it could be delivered".to_owned(),
            1 => "its time ran out; the phone was told and did not fetch it".to_owned(),
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
    // These were said of the step before, and would keep the next one from telling the phone.
    let of_a_step = [Fact::Deferred, Fact::HandedOver, Fact::PushFailed, Fact::Unrecognised];
    delivery.facts.retain(|fact| !of_a_step.contains(fact));
    let to = delivery.via().unwrap_or_default().to_owned();
    next.note(now, "next_step", format!("{from} → {to}: {why}"));
}

/// This step failed for good.
fn give_up(next: &mut Next, now: Timestamp, why: &str) {
    match has_next_step(&next.delivery) {
        true => step_on(next, now, why),
        false => next.end(End::Failed, now),
    }
}

/// A transport has answered.
pub fn verdict(delivery: &Delivery, verdict: &Verdict, with: Circumstances<'_>) -> Next {
    let now = with.now;
    let mut next = Next::of(delivery);
    next.delivery.attempts += 1;
    next.delivery.faults = 0;
    next.delivery.step_since.get_or_insert(now);
    let settled = is_settled(delivery);
    match verdict {
        Verdict::HandedOver { detail, reports } => {
            next.see(&Evidence::now(Fact::HandedOver, detail.clone()), now);
            match (settled, reports) {
                (true, _) => {}
                (false, false) => next.end(End::HandedOver, now),
                (false, true) => wait(&mut next, None, with),
            }
        }
        Verdict::Notified { evidence, again } => {
            next.delivery.notified += 1;
            if !settled {
                next.delivery.reason.clear();
                wait(&mut next, *again, with);
            }
            evidence.iter().for_each(|seen| conclude(&mut next, seen, with));
            // It failed, or the phone spoke, while the transport was still answering.
            if next.delivery.state == State::Waiting && !settled {
                tell_again_if_it_failed(&mut next, with);
                go_on_if_unrecognised(&mut next, now);
            }
        }
        Verdict::Delivered(evidence) => {
            next.see(evidence, now);
            if !settled {
                // A transport's word alone is no evidence (I-3).
                let proven = evidence.fact.proves_delivery();
                next.end(if proven { End::Delivered } else { End::HandedOver }, now);
            }
        }
        Verdict::Deferred { after, why } => {
            next.note(now, "deferred", why.clone());
            let after = after.map(|after| after.max(SHORTEST));
            if !settled && delivery.state == State::Queued {
                next.delivery.reason.clone_from(why);
                back_off(&mut next, after, with);
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
                give_up(&mut next, now, &failure.why);
            }
        }
    }
    next
}

/// A transport has answered about a step that is over: what it says is put down, and changes nothing else.
pub fn late_verdict(delivery: &Delivery, verdict: &Verdict, with: Circumstances<'_>) -> Next {
    let now = with.now;
    let late = |detail: &str| format!("{detail} (in a step that is over)");
    let mut next = Next::of(delivery);
    match verdict {
        Verdict::HandedOver { detail, .. } => next.note(now, Fact::HandedOver.word(), late(detail)),
        Verdict::Notified { evidence, .. } => {
            next.delivery.notified += 1;
            evidence.iter().for_each(|seen| next.note(seen.at.unwrap_or(now), seen.fact.word(), late(&seen.detail)));
        }
        Verdict::Delivered(evidence) => conclude(&mut next, &Evidence { step: None, ..evidence.clone() }, with),
        Verdict::Deferred { why, .. } => next.note(now, "deferred", late(why)),
        Verdict::Failed(failure) => {
            next.note(now, "attempt_failed", late(&format!("{} ({})", failure.why, failure.status)))
        }
    }
    next
}

/// The plugin crashed or overran its time: not the message's fault, unless it happens again and again (I-10).
pub fn fault(delivery: &Delivery, what: &str, with: Circumstances<'_>) -> Next {
    let mut next = Next::of(delivery);
    next.delivery.faults += 1;
    next.delivery.attempts += 1;
    next.delivery.step_since.get_or_insert(with.now);
    next.note(with.now, "fault", what);
    if is_settled(delivery) {
        return next;
    }
    next.delivery.reason = what.to_owned();
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
    next.delivery.due = limit(&next.delivery).min(with.now.after(wait));
}

/// Waits for evidence until something is to be done again.
fn wait(next: &mut Next, again: Option<Duration>, with: Circumstances<'_>) {
    let limit = limit(&next.delivery);
    next.delivery.state = State::Waiting;
    next.delivery.due = again.map_or(limit, |again| limit.min(with.now.after(again)));
}

/// The time at which this step is over, whatever happens: its own, if another one follows, or the message's.
fn limit(delivery: &Delivery) -> Timestamp {
    let step = delivery.wait_ends().filter(|_| has_next_step(delivery));
    step.map_or(delivery.expires, |end| end.min(delivery.expires))
}

/// Something was seen.
pub fn evidence(delivery: &Delivery, evidence: &Evidence, with: Circumstances<'_>) -> Next {
    let mut next = Next::of(delivery);
    conclude(&mut next, evidence, with);
    next
}

/// Records evidence and draws its conclusions. What was delivered is delivered, also if an operator held it or it lay in
/// quarantine; late evidence is recorded, and the end stands.
fn conclude(next: &mut Next, evidence: &Evidence, with: Circumstances<'_>) {
    let now = with.now;
    let (fetched, state) = (next.delivery.saw(Fact::Fetched), next.delivery.state);
    let ways = |delivery: &Delivery| {
        (delivery.saw(Fact::Fetched) || delivery.saw(Fact::Retrieved), delivery.saw(Fact::LinkOpened))
    };
    let before = ways(&next.delivery);
    next.see(evidence, now);
    if ways(&next.delivery) == (true, true) && before != (true, true) {
        next.note(now, "both_ways", "the recipient has it as a message and has seen it as a page");
    }
    let of_another_step = evidence.step.is_some_and(|step| step != next.delivery.step);
    if state.is_done() && evidence.fact == Fact::LinkOpened && !next.delivery.revoked {
        next.delivery.due = next.delivery.due.max(next.delivery.expires); // the page stays
    }
    if state.is_done() || of_another_step {
        return;
    }
    match evidence.fact {
        Fact::Fetched if fetched && state == State::Waiting => {} // the grace for the acknowledgement runs already
        Fact::Fetched => {
            next.delivery.state = State::Waiting;
            next.delivery.due = now.after(with.queue.acknowledge_grace.0);
        }
        Fact::Rejected => {
            next.delivery.reason.clone_from(&evidence.detail);
            next.end(End::Rejected, now);
        }
        fact if fact.proves_delivery() => {
            next.delivery.reason.clear();
            next.end(End::Delivered, now);
        }
        _ if state != State::Waiting || fetched => {}
        Fact::HandedOver => next.end(End::HandedOver, now),
        Fact::Deferred => wait(next, None, with),
        Fact::PushFailed if !need_not_be_told(&next.delivery) => {
            next.delivery.reason.clone_from(&evidence.detail);
            tell_again_if_it_failed(next, with);
        }
        Fact::Unrecognised => go_on_if_unrecognised(next, now),
        _ => {}
    }
}

/// A push that failed is sent again; the fact is used up by that.
fn tell_again_if_it_failed(next: &mut Next, with: Circumstances<'_>) {
    if next.delivery.saw(Fact::PushFailed) {
        next.delivery.facts.retain(|fact| *fact != Fact::PushFailed);
        next.delivery.state = State::Queued;
        back_off(next, None, with);
    }
}

/// A phone that can do nothing with the notification is reached in another way, or not at all. What it says of the notification
/// after a link was sent says nothing of the link.
fn go_on_if_unrecognised(next: &mut Next, now: Timestamp) {
    if !next.delivery.saw(Fact::Unrecognised) || next.delivery.saw(Fact::LinkSent) {
        return;
    }
    let why = "the phone can do nothing with the notification";
    next.delivery.reason = why.to_owned();
    match has_next_step(&next.delivery) {
        true => step_on(next, now, why),
        false => next.end(End::Rejected, now),
    }
}

/// The next hop of a step (`None`: it does not say which) reported that it failed after all.
pub fn bounced(delivery: &Delivery, step: Option<u32>, why: &str, with: Circumstances<'_>) -> Next {
    let mut next = Next::of(delivery);
    next.note(with.now, "attempt_failed", why);
    if !is_settled(delivery) && step.is_none_or(|step| step == delivery.step) {
        next.delivery.reason = why.to_owned();
        give_up(&mut next, with.now, why);
    }
    next
}

/// An operator withdrew it: nobody fetches it any more, and what had not ended has failed.
pub fn revoked(delivery: &Delivery, why: &str, with: Circumstances<'_>) -> Next {
    let mut next = Next::of(delivery);
    next.delivery.revoked = true;
    if delivery.state.is_done() {
        next.delivery.due = with.now;
    }
    next.note(with.now, "revoked", why);
    if !delivery.state.is_done() {
        next.delivery.reason = why.to_owned();
        next.end(End::Failed, with.now);
    }
    next
}

/// The phone forbade a delivery report (X-Mms-Report-Allowed, OMA-TS-MMS_ENC 7.3.47).
pub fn unreported(delivery: &Delivery) -> Next {
    let mut next = Next::of(delivery);
    next.delivery.reported = true;
    next
}
