//! Memory: what phones and their networks really do, learnt from what becomes of deliveries, and written down with them.
//!
//! Failure story: what is learnt is gathered in memory for a moment and written in a batch of its own; a crash forgets the
//! last moments of it, never a delivery.

use packetboat_api::clock::Timestamp;
use packetboat_api::memory::Handset;
use packetboat_api::party::Msisdn;

use crate::Road;

impl Road {
    /// What is known of a phone.
    pub async fn handset(&self, phone: &Msisdn) -> Option<Handset> {
        self.0.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(phone).cloned()
    }

    /// Changes what is known of a phone.
    pub(crate) async fn learn(&self, phone: &Msisdn, change: impl FnOnce(&mut Handset, Timestamp)) {
        let now = self.0.clock.now();
        let mut memory = self.0.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(memory.entry(phone.clone()).or_insert_with(|| Handset::new(phone.clone(), now)), now);
    }
}
