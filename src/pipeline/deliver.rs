//! Deliver: one attempt by one transport, and what follows from it, committed together.
//!
//! Failure story: a transport that panics or overruns its time is a fault of its own, not the message's; after some faults
//! in a row the delivery is quarantined for a person to look at (I-10). A crash of the daemon between attempt and commit
//! repeats the attempt: at least once, with the same transaction id, so that the other side can tell (I-2).

use futures_util::FutureExt;
use packetboat_api::delivery::{Delivery, State};
use packetboat_api::message::{Message, Recipient};
use packetboat_api::roles::{Failure, Job, Verdict};
use packetboat_api::store::{Batch, Change, Claim, Lease, StoreError};

use crate::policy::Retry;
use crate::transition::{self, Circumstances, Due, Next};
use crate::{Road, TransportSlot};

/// How often a change is made again because somebody else changed the delivery meanwhile.
const RACES: usize = 16;

/// What an attempt came to, for one delivery.
enum Outcome {
    Verdict(Verdict),
    Fault(String),
}

impl Road {
    /// Attempts deliveries that belong together, or lets time do its work on them.
    pub(crate) async fn attempt(&self, claims: Vec<Claim>) {
        let mut jobs = Vec::new();
        let mut leases = Vec::new();
        for claim in claims {
            let due = transition::due(&claim.delivery, self.circumstances(&Retry::default()));
            match due {
                Due::Changed(next) => {
                    self.settle(claim.lease, &claim.message, claim.delivery, |_, _| next.clone()).await
                }
                Due::Attempt => {
                    let recipient = recipient(&claim.message, &claim.delivery);
                    let (delivery, message) = (claim.delivery, claim.message);
                    jobs.push(Job { delivery, recipient, message, now: self.0.clock.now() });
                    leases.push(claim.lease);
                }
            }
        }
        let Some(first) = jobs.first() else { return };
        let via = first.delivery.via().unwrap_or_default().to_owned();
        let (outcomes, retry) = match self.transport(&via) {
            Some(slot) => (run(&via, slot, &jobs).await, slot.retry.clone()),
            None => {
                let why = format!("there is no transport \"{via}\" any more");
                let gone = |_: &Job| Outcome::Verdict(Verdict::Failed(Failure::new("5.3.5", why.clone())));
                (jobs.iter().map(gone).collect(), None)
            }
        };
        let retry = retry.unwrap_or_else(|| self.0.policy.queue.retry.clone());
        let dice = f64::from(self.0.random.number()) / f64::from(u32::MAX);
        for ((job, lease), outcome) in jobs.into_iter().zip(leases).zip(outcomes) {
            let word = match &outcome {
                Outcome::Verdict(verdict) => verdict_word(verdict),
                Outcome::Fault(_) => "fault",
            };
            self.0.observer.attempted(&via, word);
            let apply = |delivery: &Delivery, with: Circumstances<'_>| {
                let with = Circumstances { retry: &retry, dice, ..with };
                match &outcome {
                    Outcome::Verdict(verdict) => transition::verdict(delivery, verdict, with),
                    Outcome::Fault(what) => transition::fault(delivery, what, with),
                }
            };
            self.settle(lease, &job.message, job.delivery, apply).await;
        }
    }

    pub(crate) fn circumstances<'a>(&'a self, retry: &'a Retry) -> Circumstances<'a> {
        Circumstances { now: self.0.clock.now(), queue: &self.0.policy.queue, retry, dice: 0.5 }
    }

    /// Commits what became of a leased delivery. What cannot be committed is repeated when the lease ends.
    async fn settle(
        &self,
        lease: Lease,
        message: &Message,
        delivery: Delivery,
        apply: impl Fn(&Delivery, Circumstances<'_>) -> Next,
    ) {
        if let Err(error) = self.change(Some(lease), message, delivery, apply).await {
            tracing::error!(delivery = %lease.delivery, %error, "what became of a delivery could not be recorded");
            let _ = self.0.store.release(lease).await;
        }
    }

    /// Applies `apply` to a delivery and commits the outcome with the reports it calls for. Done again on the newer
    /// version when somebody else was quicker.
    pub(crate) async fn change(
        &self,
        lease: Option<Lease>,
        message: &Message,
        mut delivery: Delivery,
        apply: impl Fn(&Delivery, Circumstances<'_>) -> Next,
    ) -> Result<Delivery, StoreError> {
        let default_retry = self.0.policy.queue.retry.clone();
        let mut races = 0;
        loop {
            let mut next = apply(&delivery, self.circumstances(&default_retry));
            let mut batch = Batch::default();
            self.add_reports(&mut batch, message, &mut next);
            let from = delivery.version;
            batch.events = next.events.iter().map(|event| (delivery.id, event.clone())).collect();
            batch.changes.push(Change { delivery: next.delivery.clone(), from, lease });
            match self.0.store.commit(batch).await {
                Ok(()) => {
                    self.observe(&delivery, &next);
                    return Ok(next.delivery);
                }
                Err(StoreError::Stale(id)) if races < RACES => {
                    races += 1;
                    delivery = self.0.store.delivery(id).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn observe(&self, before: &Delivery, next: &Next) {
        for event in &next.events {
            self.0.observer.noted(before.id, event);
        }
        if let (State::Done(end), false) = (next.delivery.state, before.state.is_done()) {
            self.0.observer.ended(end);
        }
    }
}

/// Runs a transport with everything that can go wrong with it caught.
async fn run(name: &str, slot: &TransportSlot, jobs: &[Job]) -> Vec<Outcome> {
    let transport = &slot.transport;
    let permit = slot.lane.acquire().await;
    let attempt = std::panic::AssertUnwindSafe(transport.deliver(jobs)).catch_unwind();
    let outcome = tokio::time::timeout(transport.time_limit(), attempt).await;
    drop(permit);
    let fault = match outcome {
        Ok(Ok(verdicts)) if verdicts.len() == jobs.len() => {
            return verdicts.into_iter().map(Outcome::Verdict).collect();
        }
        Ok(Ok(verdicts)) => format!("transport {name} gave {} verdicts for {} deliveries", verdicts.len(), jobs.len()),
        Ok(Err(_)) => format!("transport {name} crashed"),
        Err(_) => format!("transport {name} did not answer within {:?}", transport.time_limit()),
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
