//! Accept: a submission is normalised, filtered, routed and committed; only then is it acknowledged (I-1).
//!
//! Failure story: until the commit returns nothing has happened. A crash after the commit and before the answer makes
//! the sender try again; the dedupe key then leads to the message that is there already (I-2).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::async_trait;
use packetboat_api::delivery::{Delivery, Event, Line, State, TOKEN_LENGTH};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::memory::{Handset, Network};
use packetboat_api::message::{Identity, Kind, Message, Recipient};
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{Intake, Receipt, Refusal, RefusalKind, Submission};
use packetboat_api::roles::{Filter, FilterVerdict, OnError};
use packetboat_api::store::{Batch, Key, NewMessage, StoreError};
use packetboat_rules::{Remembered, Who};
use sha2::{Digest, Sha256};

use crate::Road;
use crate::normalise::{Arrival, Draft, normalise};
use crate::route::{self, Routed};

/// How long a filter may take.
const FILTER_TIME: Duration = Duration::from_secs(30);

/// The intake of one listener.
struct ListenerIntake {
    road: Road,
    listener: String,
}

impl Road {
    /// The handle through which the listener of that name submits.
    pub fn intake(&self, listener: &str) -> Arc<dyn Intake> {
        Arc::new(ListenerIntake { road: self.clone(), listener: listener.to_owned() })
    }

    /// Normalises what packetboat itself submits (reports, settings for phones) and adds it to a batch that is about to be
    /// committed. Its way does not depend on what is remembered of phones.
    pub(crate) fn enclose(&self, batch: &mut Batch, submission: Submission) -> Result<MessageId, Refusal> {
        let draft = self.draft("packetboat", submission)?;
        let (plan, _) = self.plan(draft, &Memories::default())?;
        let id = plan.message.message.id;
        plan.into_batch(batch);
        Ok(id)
    }

    fn draft(&self, listener: &str, submission: Submission) -> Result<Draft, Refusal> {
        let inner = &self.0;
        let now = inner.clock.now();
        let at = Arrival { listener, node: &inner.node, id: inner.ids.next(now), now };
        normalise(submission, at, &inner.policy)
    }

    /// Routes every recipient; those that are refused are returned beside the plan.
    fn plan(&self, mut draft: Draft, memories: &Memories) -> Result<(Plan, Vec<(Party, Refusal)>), Refusal> {
        let recipients = std::mem::take(&mut draft.message.envelope.recipients);
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for recipient in recipients {
            match self.way(&draft.message, &recipient, memories) {
                Ok(routed) => taken.push((recipient, routed)),
                Err(refusal) => refused.push((recipient.to, refusal)),
            }
        }
        if taken.is_empty() {
            let none = || Refusal::new(RefusalKind::BadAddress, "the message names no recipient");
            return Err(refused.into_iter().next().map_or_else(none, |(_, refusal)| refusal));
        }
        let mut plan = Plan::default_for(draft);
        for (recipient, routed) in taken {
            plan.add(recipient, routed, self.0.random.token(TOKEN_LENGTH));
        }
        Ok((plan, refused))
    }

    fn way(&self, message: &Message, recipient: &Recipient, memories: &Memories) -> Result<Routed, Refusal> {
        if let Kind::Settings(settings) = &message.kind {
            return self.way_of_settings(&settings.profile);
        }
        let known = memories.get(&recipient.to);
        let remembered = Remembered {
            handset: known.and_then(|(handset, _)| handset.as_ref()),
            network: known.and_then(|(_, network)| network.as_ref()),
        };
        route::decide(&self.0.program, message, recipient, remembered, self.0.clock.now())
    }

    /// What is remembered of the recipients, if the rules may ask for it.
    async fn remember(&self, message: &Message) -> Memories {
        let mut memories = Memories::default();
        if self.0.program.needs_memory() {
            for to in message.envelope.recipients.iter().map(|recipient| &recipient.to) {
                if let Some(phone) = to.phone() {
                    memories.insert(to.clone(), (self.handset(phone).await, self.network(phone).await));
                }
            }
        }
        memories
    }

    async fn take(&self, listener: &str, mut submission: Submission) -> Result<Receipt, Refusal> {
        let dedupe = submission.dedupe.take();
        if let Some(receipt) = self.reported(&submission).await? {
            return Ok(receipt);
        }
        let mut draft = self.draft(listener, submission)?;
        for (name, filter) in self.filters() {
            filtered(name, filter.as_ref(), &mut draft.message).await?;
        }
        let memories = self.remember(&draft.message).await;
        let (mut plan, refused) = self.plan(draft, &memories)?;
        let settings = std::mem::take(&mut plan.settings);
        let message = &plan.message.message;
        let (id, message_id, octets) = (message.id, message.traits.message_id.clone(), message.size());
        let (noted, recipients) = (plan.events.clone(), plan.deliveries.len());
        let mut batch = Batch::default();
        if let Some(key) = dedupe {
            let expires = self.0.clock.now().after(self.0.policy.queue.dedupe.0);
            batch.keys.push(Key { key: digest(listener, &key), message: id, expires });
        }
        plan.into_batch(&mut batch);
        let mut provisioned = Vec::new();
        for (phone, profile) in settings {
            provisioned.extend(self.send_settings_once(&mut batch, &phone, profile).await);
        }
        match self.0.store.commit(batch).await {
            Ok(()) => provisioned.into_iter().for_each(|(phone, sighting)| self.sight(&phone, sighting)),
            Err(StoreError::Duplicate(earlier)) => {
                let message_id =
                    self.0.store.message(earlier).await.map_or(message_id, |m| m.traits.message_id.clone());
                return Ok(Receipt { id: earlier, message_id, duplicate: true, refused });
            }
            Err(error) => {
                tracing::error!(%error, listener, "a message could not be stored and was not acknowledged");
                return Err(error.into());
            }
        }
        self.0.observer.accepted(listener, octets, recipients);
        noted.iter().for_each(|(delivery, event)| self.0.observer.noted(*delivery, event));
        Ok(Receipt { id, message_id, duplicate: false, refused })
    }
}

/// What is about to be committed for one message.
struct Plan {
    message: NewMessage,
    deliveries: Vec<Delivery>,
    events: Vec<(DeliveryId, Event)>,
    /// Phones that are to be sent settings beside, and the profile.
    settings: Vec<(Msisdn, String)>,
}

/// What is remembered of recipients and their networks.
type Memories = HashMap<Party, (Option<Handset>, Option<Network>)>;

impl Plan {
    fn default_for(draft: Draft) -> Self {
        let message = NewMessage { message: draft.message, content: draft.content };
        Plan { message, deliveries: Vec::new(), events: Vec::new(), settings: Vec::new() }
    }

    fn add(&mut self, recipient: Recipient, routed: Routed, token: String) {
        let message = &mut self.message.message;
        self.settings.extend(recipient.to.phone().cloned().zip(routed.provision));
        let index = u32::try_from(self.deliveries.len()).unwrap_or(u32::MAX);
        let id = DeliveryId { message: message.id, index };
        let steps: Vec<&str> = routed.steps.iter().map(|step| step.via.as_str()).collect();
        let accepted = format!("by {}, {} octets", message.listener, message.size());
        let chosen = format!("{} by the rule \"{}\"", steps.join(" → "), routed.rule);
        for (what, detail) in [("accepted", accepted), ("routed", chosen)] {
            self.events.push((id, Event { at: message.received, what: what.to_owned(), detail }));
        }
        self.deliveries.push(Delivery {
            id,
            version: 0,
            to: recipient.to.clone(),
            line: Line::of(message),
            state: State::Queued,
            due: message.traits.deliver_after.unwrap_or(message.received).min(message.traits.expires),
            expires: message.traits.expires,
            rule: routed.rule,
            route: routed.steps,
            step: 0,
            step_since: None,
            attempts: 0,
            notified: 0,
            faults: 0,
            token,
            facts: Vec::new(),
            reason: String::new(),
            reported: false,
            revoked: false,
        });
        message.envelope.recipients.push(recipient);
    }

    fn into_batch(self, batch: &mut Batch) {
        batch.messages.push(self.message);
        batch.deliveries.extend(self.deliveries);
        batch.events.extend(self.events);
    }
}

/// The key under which a repetition is recognised: bounded, and separate for every listener.
fn digest(listener: &str, key: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update((listener.len() as u64).to_be_bytes());
    hash.update(listener);
    hash.update(key);
    hash.finalize()[..16].to_vec()
}

async fn filtered(name: &str, filter: &dyn Filter, message: &mut Message) -> Result<(), Refusal> {
    let looked = std::panic::AssertUnwindSafe(filter.inspect(message));
    let looked = tokio::time::timeout(FILTER_TIME, futures_util::FutureExt::catch_unwind(looked)).await;
    let verdict = match looked {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(_)) | Err(_) => {
            tracing::error!(filter = name, message = %message.id, "the filter crashed or took too long");
            match filter.on_error() {
                OnError::Skip => FilterVerdict::Pass,
                OnError::Defer => FilterVerdict::Defer(format!("filter {name} failed")),
                OnError::Refuse => {
                    FilterVerdict::Refuse(Refusal::new(RefusalKind::NotAllowed, "the message could not be inspected"))
                }
            }
        }
    };
    match verdict {
        FilterVerdict::Pass => Ok(()),
        FilterVerdict::Change(fields) => {
            for (name, value) in fields {
                match value.is_empty() {
                    true => message.mail.headers.remove(&name),
                    false => message.mail.headers.set(&name, value),
                }
            }
            Ok(())
        }
        FilterVerdict::Refuse(refusal) => Err(refusal),
        FilterVerdict::Defer(why) => Err(Refusal::new(RefusalKind::TryLater, why)),
    }
}

#[async_trait]
impl Intake for ListenerIntake {
    async fn check(&self, identity: &Identity, from: Option<&Party>, to: &Party) -> Result<(), Refusal> {
        let now = self.road.0.clock.now();
        let checked = route::screen(&self.road.0.program, &Who { to, from, listener: &self.listener, identity, now });
        if let Err(refusal) = &checked {
            self.road.0.observer.refused(&self.listener, refusal.kind);
        }
        checked
    }

    async fn submit(&self, submission: Submission) -> Result<Receipt, Refusal> {
        let taken = self.road.take(&self.listener, submission).await;
        if let Err(refusal) = &taken {
            self.road.0.observer.refused(&self.listener, refusal.kind);
        }
        taken
    }

    fn max_size(&self) -> u64 {
        self.road.0.policy.limits.message_size.0
    }

    fn max_recipients(&self) -> usize {
        self.road.0.policy.limits.recipients
    }
}
