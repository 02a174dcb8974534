//! Deliver: one attempt by one transport, and what follows from it, committed together.
//!
//! Failure story: a transport that panics or overruns its time is a fault of its own, not the message's; after some faults
//! in a row the delivery is quarantined for a person to look at (I-10). A crash of the daemon between attempt and commit
//! repeats the attempt: at least once, with the same transaction id, so that the other side can tell (I-2). While the
//! store takes nothing, what became of an attempt is kept and tried again, and the queue begins nothing new: otherwise
//! phones would be told over and over what cannot be written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use packetboat_api::delivery::{Delivery, End, State};
use packetboat_api::message::{Message, Recipient};
use packetboat_api::party::Msisdn;
use packetboat_api::roles::{Failure, Job, Verdict};
use packetboat_api::store::{Batch, Change, Claim, Lease, StoreError};
use tokio::sync::OwnedSemaphorePermit;

use crate::memory::Lesson;
use crate::policy::Retry;
use crate::transition::{self, Circumstances, Due, Next};
use crate::{Road, TransportSlot};

/// How often a change is made again because somebody else changed the delivery meanwhile.
const RACES: usize = 16;
/// How often the outcome of an attempt is offered to a store that takes nothing, and how long it waits in between.
const OFFERS: u32 = 300;
pub(crate) const STORE_TROUBLE: Duration = Duration::from_secs(1);

/// What an attempt came to, for one delivery.
enum Outcome {
    Verdict(Verdict),
    Fault(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Outcome::Verdict(verdict) => verdict_word(verdict),
            Outcome::Fault(_) => "fault",
        }
    }

    /// `step`: that of the attempt.
    fn makes_of(&self, delivery: &Delivery, step: u32, with: Circumstances<'_>) -> Next {
        match self {
            Outcome::Verdict(verdict) if delivery.step != step => transition::late_verdict(delivery, verdict, with),
            Outcome::Verdict(verdict) => transition::verdict(delivery, verdict, with),
            Outcome::Fault(what) if delivery.step != step => {
                let deferred = Verdict::Deferred { after: None, why: what.clone() };
                transition::late_verdict(delivery, &deferred, with)
            }
            Outcome::Fault(what) => transition::fault(delivery, what, with),
        }
    }
}

/// What is told of a change once it is on disk.
#[derive(Default)]
pub(crate) struct Told {
    /// The end it came to.
    end: Option<End>,
    /// What it teaches of the phone.
    lesson: Option<(Msisdn, Lesson)>,
}

/// Counts the outcomes that wait for the store.
struct Unsettled<'a>(&'a AtomicUsize);

impl<'a> Unsettled<'a> {
    fn one_more(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Unsettled(count)
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Road {
    /// Attempts deliveries that belong together, or lets time do its work on them.
    /// The place in the transport's lane is given back when the transport has answered: writing down what it said is another's work.
    pub(crate) async fn attempt(&self, claims: Vec<Claim>, place: Option<OwnedSemaphorePermit>) {
        let mut jobs = Vec::new();
        let mut leases = Vec::new();
        for claim in claims {
            if self.needs_attempt(&claim.delivery) {
                let recipient = recipient(&claim.message, &claim.delivery);
                let (delivery, message) = (claim.delivery, claim.message);
                jobs.push(Job { delivery, recipient, message, now: self.0.clock.now() });
                leases.push(claim.lease);
                continue;
            }
            // Asked again of whatever is there when it is committed: evidence may come in between.
            let by_time = |delivery: &Delivery, with: Circumstances<'_>| match transition::due(delivery, with) {
                Due::Changed(next) => Some(*next),
                Due::Attempt | Due::Nothing => None,
            };
            self.settle(claim.lease, &claim.message, claim.delivery, by_time).await;
        }
        let Some(first) = jobs.first() else { return };
        let via = first.delivery.via().unwrap_or_default().to_owned();
        let answered = match self.transport(&via) {
            Some(slot) => (run(&via, slot, &jobs).await, slot.retry.clone()),
            None => {
                let why = format!("there is no transport \"{via}\" any more");
                let gone = |_: &Job| Outcome::Verdict(Verdict::Failed(Failure::new("5.3.5", why.clone())));
                (jobs.iter().map(gone).collect(), None)
            }
        };
        let (outcomes, retry) = answered;
        if place.is_some() {
            drop(place);
            // Kept for a queue that is not asleep yet.
            self.0.freed.notify_one();
            if self.transport(&via).is_some_and(|slot| slot.lane.has_plenty()) {
                self.0.plenty.notify_one();
            }
        }
        let retry = retry.unwrap_or_else(|| self.0.policy.queue.retry.clone());
        let dice = f64::from(self.0.random.number()) / f64::from(u32::MAX);
        let settling = jobs.into_iter().zip(leases).zip(&outcomes).map(|((job, lease), outcome)| {
            self.0.observer.attempted(&via, outcome.word());
            let (retry, step) = (&retry, job.delivery.step);
            let apply = move |delivery: &Delivery, with: Circumstances<'_>| {
                Some(outcome.makes_of(delivery, step, Circumstances { retry, dice, ..with }))
            };
            async move { self.settle(lease, &job.message, job.delivery, apply).await }
        });
        // All at once, so that they go in one commit.
        join_all(settling).await;
    }

    /// Whether a due delivery is for its transport now, and not only for time to change it.
    pub(crate) fn needs_attempt(&self, delivery: &Delivery) -> bool {
        transition::due(delivery, self.circumstances(&self.0.policy.queue.retry)) == Due::Attempt
    }

    pub(crate) fn circumstances<'a>(&'a self, retry: &'a Retry) -> Circumstances<'a> {
        Circumstances { now: self.0.clock.now(), queue: &self.0.policy.queue, retry, dice: 0.5 }
    }

    /// Whether there are outcomes that the store did not take yet.
    pub(crate) fn has_unsettled(&self) -> bool {
        self.0.unsettled.load(Ordering::SeqCst) > 0
    }

    /// Commits what became of a leased delivery, together with others' if it can be. A store that takes nothing is asked
    /// again for a while; what can then not be committed is repeated when the lease has run out, not earlier.
    async fn settle(
        &self,
        lease: Lease,
        message: &Arc<Message>,
        delivery: Delivery,
        apply: impl Fn(&Delivery, Circumstances<'_>) -> Option<Next>,
    ) {
        if let Some(next) = apply(&delivery, self.circumstances(&self.0.policy.queue.retry))
            && self.gather_outcome(lease, message.clone(), delivery.clone(), next).await
        {
            return;
        }
        let apply = |delivery: &Delivery, with: Circumstances<'_>, _: &mut Batch| apply(delivery, with);
        let mut waits = None;
        for offer in 1..=OFFERS {
            let error = match self.change(Some(lease), message, delivery.clone(), &apply).await {
                Ok(_) => return,
                Err(error) => error,
            };
            let passing = matches!(error, StoreError::Full(_) | StoreError::Unavailable(_)) && offer < OFFERS;
            if !passing || waits.is_none() {
                tracing::error!(delivery = %lease.delivery, %error, "what became of a delivery could not be recorded");
            }
            if !passing {
                return;
            }
            waits.get_or_insert_with(|| Unsettled::one_more(&self.0.unsettled));
            tokio::time::sleep(STORE_TROUBLE).await;
        }
    }

    /// Applies `apply` to a delivery and commits the outcome, and the reports it calls for. Done again on the newer
    /// version when somebody else was quicker. `None` changes nothing and gives the lease back.
    pub(crate) async fn change(
        &self,
        lease: Option<Lease>,
        message: &Message,
        mut delivery: Delivery,
        apply: impl Fn(&Delivery, Circumstances<'_>, &mut Batch) -> Option<Next>,
    ) -> Result<Delivery, StoreError> {
        let retry = &self.0.policy.queue.retry;
        let mut races = 0;
        loop {
            let mut batch = Batch::default();
            let Some(mut next) = apply(&delivery, self.circumstances(retry), &mut batch) else {
                if let Some(lease) = lease {
                    let _ = self.0.store.release(lease).await; // lost already: just as well
                }
                return Ok(delivery);
            };
            let told = self.enter(&mut batch, 0, message, &delivery, &mut next, lease);
            match self.record(batch, [told]).await {
                Ok(()) => return Ok(next.delivery),
                Err(StoreError::Stale(id)) if races < RACES => {
                    races += 1;
                    delivery = self.0.store.delivery(id).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds to a batch what became of a delivery and the reports that calls for, its timeline lines before the batch's from
    /// `first` on. Gives what is to be told when it is on disk.
    pub(crate) fn enter(
        &self,
        batch: &mut Batch,
        first: usize,
        message: &Message,
        before: &Delivery,
        next: &mut Next,
        lease: Option<Lease>,
    ) -> Told {
        self.add_reports(batch, message, next);
        batch.events.splice(first..first, next.events.iter().map(|event| (before.id, event.clone())));
        batch.changes.push(Change { delivery: next.delivery.clone(), from: before.version, lease });
        let end = match next.delivery.state {
            State::Done(end) if !before.state.is_done() => Some(end),
            _ => None,
        };
        Told { end, lesson: self.lesson_of(before, next) }
    }

    /// Commits a batch of changes, then tells the observer, and the memory.
    pub(crate) async fn record(&self, batch: Batch, told: impl IntoIterator<Item = Told>) -> Result<(), StoreError> {
        let noted = batch.events.clone();
        self.0.store.commit(batch).await?;
        noted.iter().for_each(|(id, event)| self.0.observer.noted(*id, event));
        for Told { end, lesson } in told {
            end.into_iter().for_each(|end| self.0.observer.ended(end));
            lesson.into_iter().for_each(|(phone, lesson)| self.put_down(&phone, lesson));
        }
        Ok(())
    }
}

/// Runs a transport with everything that can go wrong with it caught.
async fn run(name: &str, slot: &TransportSlot, jobs: &[Job]) -> Vec<Outcome> {
    let attempt = std::panic::AssertUnwindSafe(async { slot.transport.deliver(jobs).await }).catch_unwind();
    let outcome = tokio::time::timeout(slot.time_limit, attempt).await;
    let fault = match outcome {
        Ok(Ok(verdicts)) if verdicts.len() == jobs.len() => {
            return verdicts.into_iter().map(Outcome::Verdict).collect();
        }
        Ok(Ok(verdicts)) => format!("transport {name} gave {} verdicts for {} deliveries", verdicts.len(), jobs.len()),
        Ok(Err(_)) => format!("transport {name} crashed"),
        Err(_) => format!("transport {name} did not answer within {:?}", slot.time_limit),
    };
    tracing::error!(transport = name, fault, "a transport failed by itself");
    jobs.iter().map(|_| Outcome::Fault(fault.clone())).collect()
}

fn recipient(message: &Message, delivery: &Delivery) -> Recipient {
    let listed = message.envelope.recipients.get(delivery.id.index as usize);
    listed.cloned().unwrap_or_else(|| Recipient::plain(delivery.to.clone()))
}

fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::HandedOver { .. } => "handed_over",
        Verdict::Notified { .. } => "notified",
        Verdict::Delivered(_) => "delivered",
        Verdict::Deferred { .. } => "deferred",
        Verdict::Failed(_) => "failed",
    }
}
