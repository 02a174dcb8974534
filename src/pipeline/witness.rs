//! Witness: evidence about a delivery, from wherever it comes, and what follows from it, on disk before it is answered.

use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_api::delivery::{Delivery, End, State};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::{Identity, Message};
use packetboat_api::mime::report::dsn::{self, Action, Dsn, DsnRecipient};
use packetboat_api::mime::report::mdn::{self, Disposition, Mdn};
use packetboat_api::party::Party;
use packetboat_api::road::{Content, Receipt, Refusal, Submission, Witness};
use packetboat_api::store::{Batch, Filter, Page, StoreError};

use crate::Road;
use crate::transition::{self, Circumstances};

impl Road {
    /// The handle through which bearers and transports give evidence.
    pub fn as_witness(&self) -> Arc<dyn Witness> {
        Arc::new(self.clone())
    }

    /// The handle through which content is read.
    pub fn as_content(&self) -> Arc<dyn Content> {
        Arc::new(self.clone())
    }

    /// Applies evidence to a delivery. What is known of one that ended is not written down again and again: whoever has a
    /// content URL can fetch it as often as he likes.
    pub(crate) async fn seen(&self, id: DeliveryId, evidence: &Evidence) -> Result<Delivery, StoreError> {
        let delivery = self.0.store.delivery(id).await?;
        let message = self.0.store.message(id.message).await?;
        let seen = |delivery: &Delivery, with: Circumstances<'_>, _: &mut Batch| {
            (!tells_nothing_new(delivery, evidence)).then(|| transition::evidence(delivery, evidence, with))
        };
        self.change(None, &message, delivery, seen).await
    }

    /// A report that a mail system or a mail reader sent back about a message of ours is evidence about the deliveries it
    /// names (RFC 3464, RFC 8098), not a message for a phone. `None` when the submission is no such thing.
    pub(crate) async fn reported(&self, submission: &Submission) -> Result<Option<Receipt>, Refusal> {
        if submission.identity == Identity::Ourselves || submission.mail.root.media.essence() != "multipart/report" {
            return Ok(None);
        }
        if let Some(notification) = dsn::parse(&submission.mail) {
            return self.status_notification(&notification).await;
        }
        match mdn::parse(&submission.mail) {
            Some(notification) => self.disposition_notification(&notification).await,
            None => Ok(None),
        }
    }

    /// Believed when it names our envelope id, whose second half only our next hop was told (I-7).
    async fn status_notification(&self, notification: &Dsn) -> Result<Option<Receipt>, Refusal> {
        let named = notification.envelope_id.as_deref().and_then(|id| id.split_once('.'));
        let Some((Ok(id), rest)) = named.map(|(id, rest)| (id.parse::<MessageId>(), rest)) else { return Ok(None) };
        let (proof, step) = rest.split_once('.').map_or((rest, None), |(proof, step)| (proof, step.parse().ok()));
        let message = match self.0.store.message(id).await {
            Ok(message) => message,
            Err(StoreError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let filter = Filter { message: Some(id), ..Filter::default() };
        let page = Page { limit: message.envelope.recipients.len().max(1), ..Page::default() };
        let deliveries = self.0.store.scan(&filter, page).await?;
        if !deliveries.iter().any(|delivery| delivery.transaction() == proof) {
            return Ok(None);
        }
        for about in &notification.recipients {
            let names = [&about.original_recipient, &about.final_recipient];
            let parties: Vec<Party> = names.into_iter().flatten().filter_map(|name| party(name)).collect();
            // Hops write addresses in the case they like; that it is ours is proven already.
            let names: Vec<String> = parties.iter().map(|party| party.to_string().to_ascii_lowercase()).collect();
            let is = |delivery: &&Delivery| names.contains(&delivery.to.to_string().to_ascii_lowercase());
            let Some(delivery) = deliveries.iter().find(is) else { continue };
            self.status(&message, delivery.clone(), step, about).await?;
        }
        Ok(Some(receipt(&message)))
    }

    async fn status(
        &self,
        message: &Message,
        delivery: Delivery,
        step: Option<u32>,
        about: &DsnRecipient,
    ) -> Result<(), Refusal> {
        let said = about.diagnostic.as_deref().unwrap_or_default();
        let detail = format!("the mail system reports {} {} {said}", about.action.as_str(), about.status);
        let detail = detail.trim_end();
        let fact = match about.action {
            Action::Delivered => Fact::Delivered,
            // Relayed to where nothing is reported from: more will never be known.
            Action::Relayed | Action::Expanded => Fact::HandedOver,
            Action::Failed => {
                let bounce = |delivery: &Delivery, with: Circumstances<'_>, _: &mut Batch| {
                    let known = delivery.state == State::Done(End::Failed); // a report that comes twice
                    (!known).then(|| transition::bounced(delivery, step, detail, with))
                };
                return Ok(self.change(None, message, delivery, bounce).await.map(drop)?);
            }
            Action::Delayed => return Ok(()),
        };
        // Who has it has it, whichever step brought it there.
        let step = step.filter(|_| !fact.proves_delivery());
        self.seen(delivery.id, &Evidence { step, ..Evidence::now(fact, detail) }).await?;
        Ok(())
    }

    async fn disposition_notification(&self, notification: &Mdn) -> Result<Option<Receipt>, Refusal> {
        let id = notification.original_message_id.as_deref().unwrap_or_default();
        let id = id.trim_start_matches('<').trim_end_matches('>');
        let reader = notification.final_recipient.as_deref().and_then(party);
        // Anybody can write one: it counts for mailboxes only. Phones speak through their own door (I-7).
        let Some(reader) = reader.filter(|reader| reader.mail().is_some()) else { return Ok(None) };
        let Some(message) = self.0.store.by_message_id(id).await? else { return Ok(None) };
        let read = match notification.disposition {
            Disposition::Displayed => true,
            Disposition::Deleted => false,
            _ => return Ok(Some(receipt(&message))),
        };
        match self.read_by(&message, &reader, read).await {
            Err(StoreError::Missing(_)) => Ok(None), // it was never sent to that reader
            Err(error) => Err(error.into()),
            Ok(()) => Ok(Some(receipt(&message))),
        }
    }

    /// The message of a delivery.
    pub(crate) async fn message_of(&self, delivery: &Delivery) -> Result<Arc<Message>, StoreError> {
        self.0.store.message(delivery.id.message).await
    }
}

/// A phone that fetches again and again proves nothing new; other facts may change what waits.
pub(crate) fn tells_nothing_new(delivery: &Delivery, evidence: &Evidence) -> bool {
    (delivery.state.is_done() || evidence.fact == Fact::Fetched) && delivery.saw(evidence.fact)
}

/// The answer to a report: it was taken as what it is about.
fn receipt(message: &Message) -> Receipt {
    let message_id = message.traits.message_id.clone();
    Receipt { id: message.id, message_id, duplicate: false, refused: Vec::new() }
}

/// An address in a report, `rfc822;bob@example.net` or without its type.
fn party(name: &str) -> Option<Party> {
    let address = name.split_once(';').map_or(name, |(_, address)| address);
    Party::parse(address)
}

#[async_trait]
impl Witness for Road {
    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        self.until_written(delivery).await;
        self.seen(delivery, &evidence).await.map(drop)
    }
}

#[async_trait]
impl Content for Road {
    async fn read(&self, message: &Message, range: std::ops::Range<u64>) -> Result<bytes::Bytes, StoreError> {
        self.0.store.read(message.content, range).await
    }
}
