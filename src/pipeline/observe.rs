//! What metrics and logs see of the road. All methods are called after the fact is on disk, and must be quick.

use packetboat_api::delivery::{End, Event};
use packetboat_api::id::DeliveryId;
use packetboat_api::road::RefusalKind;

/// Watches the road.
pub trait Observer: Send + Sync {
    /// A message was accepted: through which listener, how large, for how many recipients.
    fn accepted(&self, _listener: &str, _octets: u64, _recipients: usize) {}

    /// A submission (or one recipient of it) was refused.
    fn refused(&self, _listener: &str, _kind: RefusalKind) {}

    /// A transport made an attempt with this verdict.
    fn attempted(&self, _transport: &str, _verdict: &'static str) {}

    /// A line was added to a timeline.
    fn noted(&self, _delivery: DeliveryId, _event: &Event) {}

    /// A delivery ended.
    fn ended(&self, _end: End) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {}
