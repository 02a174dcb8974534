//! Arrivals: what comes by short message is offered to the transports that take an interest, in order of their names.
//!
//! What nobody takes is kept for a while for an operator to see: it is often the first sign that a bearer is set up the
//! wrong way round.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use packetboat_api::async_trait;
use packetboat_api::clock::Timestamp;
use packetboat_api::mask;
use packetboat_api::road::{Arrivals, Refusal};
use packetboat_api::roles::{Arrival, SmsBody};

use crate::Road;

/// Arrivals kept for the operator's view.
const KEPT: usize = 100;

/// The last arrivals, and who took each.
#[derive(Default)]
pub(crate) struct Recent(Mutex<VecDeque<Arrived>>);

/// An arrival as the operator sees it.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// When.
    pub at: Timestamp,
    /// What.
    pub arrival: Arrival,
    /// The transport that took it; `None` when nobody did.
    pub taken_by: Option<String>,
}

impl Road {
    /// The handle through which bearers hand over what arrives.
    pub fn as_arrivals(&self) -> Arc<dyn Arrivals> {
        Arc::new(self.clone())
    }

    /// The last arrivals, newest first.
    pub fn arrivals(&self) -> Vec<Arrived> {
        self.0.recent.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Who takes it.
    async fn offer(&self, arrival: &Arrival) -> Result<Option<String>, Refusal> {
        let transports = self.0.workers.get().into_iter().flat_map(|workers| &workers.transports);
        for (name, slot) in transports {
            let Some(taker) = slot.transport.clone().takes_sms() else { continue };
            if taker.take(arrival).await? {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Arrivals for Road {
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal> {
        let taken_by = self.offer(&arrival).await?;
        let what = match &arrival.body {
            SmsBody::Push(_) => "push",
            SmsBody::Data { .. } => "data",
            SmsBody::Text(_) => "text",
        };
        let (bearer, from) = (&arrival.bearer, mask::masked(&arrival.from));
        tracing::info!(bearer, from, what, taken_by, "a short message arrived");
        let mut recent = self.0.recent.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.truncate(KEPT - 1);
        recent.push_front(Arrived { at: self.0.clock.now(), arrival, taken_by });
        Ok(())
    }
}
