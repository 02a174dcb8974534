//! The numbers that segments of one message share (TS 23.040 9.2.3.24.1): one counter for each destination, so that two
//! messages on their way to one phone do not share a number.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU16, Ordering};

use packetboat_api::clock::Random;
use packetboat_api::party::Msisdn;
use packetboat_sms::{Reference, ReferenceWidth};

/// Counters. Numbers share them by hash, which only makes them skip.
const COUNTERS: usize = 1024;

/// The counters of one bearer. They begin anywhere: a restart must not give out the last numbers again.
#[derive(Debug)]
pub struct References(Vec<AtomicU16>);

impl References {
    /// Counters that begin where chance says.
    pub fn new(random: &dyn Random) -> Self {
        References((0..COUNTERS).map(|_| AtomicU16::new(random.number() as u16)).collect())
    }

    /// The next reference for a message to this number.
    pub fn next(&self, to: &Msisdn, width: ReferenceWidth) -> Reference {
        let mut hasher = DefaultHasher::new();
        to.hash(&mut hasher);
        let next = self.0[hasher.finish() as usize % COUNTERS].fetch_add(1, Ordering::Relaxed);
        match width {
            ReferenceWidth::Eight => Reference::Eight(next as u8),
            ReferenceWidth::Sixteen => Reference::Sixteen(next),
        }
    }
}
