//! Handsets: what a phone may do with a message it was told of.
//!
//! A message stays fetchable until it is purged, also after a first fetch: phones lose what they fetched (case E-09).

use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_api::delivery::{Delivery, End, State, TOKEN_LENGTH, TRANSACTION_LENGTH};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::DeliveryId;
use packetboat_api::memory::{Handset, Sighting};
use packetboat_api::message::Message;
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{Content, Fetch, FetchError, Handsets, Refusal, RefusalKind, Witness};
use packetboat_api::store::{Batch, Filter, Page, StoreError};

use crate::transition;
use crate::{Road, report};

impl Road {
    /// The handset door's handle.
    pub fn as_handsets(&self) -> Arc<dyn Handsets> {
        Arc::new(self.clone())
    }

    /// The delivery of `message` to `reader`.
    async fn delivery_to(&self, message: &Message, reader: &Party) -> Result<Delivery, StoreError> {
        let filter = Filter { message: Some(message.id), to: Some(reader.to_string()), ..Filter::default() };
        let found = self.0.store.scan(&filter, Page::default()).await?;
        let missing = || StoreError::Missing(format!("a delivery of {} to {}", message.id, reader.masked()));
        found.into_iter().next().ok_or_else(missing)
    }

    /// Records that `reader` read (or deleted) `message`, and reports it to the sender in the same commit.
    pub(crate) async fn read_by(&self, message: &Message, reader: &Party, read: bool) -> Result<(), StoreError> {
        let delivery = self.delivery_to(message, reader).await?;
        let fact = if read { Fact::Read } else { Fact::DeletedUnread };
        let evidence = Evidence::now(fact, "the reader's read report");
        let seen = |delivery: &Delivery, with: transition::Circumstances<'_>, batch: &mut Batch| {
            if delivery.saw(fact) {
                return None; // a phone that repeats itself
            }
            let mut next = transition::evidence(delivery, &evidence, with);
            self.add_reports(batch, message, &mut next);
            let asked = message.traits.read_report && !delivery.saw(Fact::Read) && !delivery.saw(Fact::DeletedUnread);
            if let Some(submission) = report::read(message, reader, read, with.now).filter(|_| asked) {
                self.add_report(batch, &mut next, submission);
            }
            Some(next)
        };
        self.change(None, message, delivery, seen).await.map(drop)
    }
}

#[async_trait]
impl Handsets for Road {
    async fn fetch(&self, token: &str) -> Result<Fetch, FetchError> {
        let whole = token.get(..TOKEN_LENGTH);
        let prefix = whole.or_else(|| token.get(..TRANSACTION_LENGTH)).ok_or(FetchError::Unknown)?;
        let found = self.0.store.by_token(prefix).await.map_err(|error| match error {
            StoreError::Missing(_) => FetchError::Unknown,
            _ => FetchError::TryLater,
        })?;
        let (delivery, message) = found.ok_or(FetchError::Unknown)?;
        match delivery.state {
            _ if delivery.revoked => Err(FetchError::Gone),
            State::Done(End::Expired) => Err(FetchError::Expired),
            State::Done(End::Rejected | End::Failed) => Err(FetchError::Gone),
            _ => Ok(Fetch { delivery, message }),
        }
    }

    fn content(&self) -> Arc<dyn Content> {
        self.as_content()
    }

    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        Witness::witness(self, delivery, evidence).await
    }

    async fn witness_soon(&self, of: Fetch, evidence: Evidence) {
        self.gather(of, evidence).await;
    }

    async fn known(&self, phone: &Msisdn) -> Option<Handset> {
        self.handset(phone).await
    }

    async fn sighted(&self, phone: &Msisdn, sighting: Sighting) {
        self.sight(phone, sighting);
    }

    async fn report_allowed(&self, delivery: DeliveryId, allowed: bool) -> Result<(), StoreError> {
        if allowed {
            return Ok(()); // the default (OMA-TS-MMS_ENC 7.3.47)
        }
        let found = self.0.store.delivery(delivery).await?;
        let message = self.message_of(&found).await?;
        let forbid = |delivery: &Delivery, _: transition::Circumstances<'_>, _: &mut Batch| {
            (!delivery.reported).then(|| transition::unreported(delivery))
        };
        self.change(None, &message, found, forbid).await.map(drop)
    }

    async fn read_report(&self, message_id: &str, reader: &Msisdn, read: bool) -> Result<(), Refusal> {
        let unknown = || Refusal::new(RefusalKind::UnknownRecipient, "no such message was sent to this phone");
        let message = self.0.store.by_message_id(message_id).await?.ok_or_else(unknown)?;
        match self.read_by(&message, &Party::Phone(reader.clone()), read).await {
            Err(StoreError::Missing(_)) => Err(unknown()),
            other => Ok(other?),
        }
    }
}
