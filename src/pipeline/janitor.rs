//! Janitor: forgets what ended long enough ago, and lets the store give its space back.

use std::time::Duration;

use packetboat_api::serve::CancellationToken;
use packetboat_api::store::{Batch, StoreError};

use crate::Road;

/// How often it looks.
const ROUND: Duration = Duration::from_secs(60);
/// Messages forgotten in one commit.
const BATCH: usize = 500;

impl Road {
    /// Runs until `drain`.
    pub async fn run_janitor(&self, drain: CancellationToken) {
        loop {
            tokio::select! {
                () = drain.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
            if let Err(error) = self.clean().await {
                tracing::warn!(%error, "housekeeping did not finish; the next round tries again");
            }
        }
    }

    /// One round.
    pub async fn clean(&self) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let retain = i64::try_from(self.0.policy.queue.retain.0.as_millis()).unwrap_or(i64::MAX);
        let before = packetboat_api::clock::Timestamp(now.0.saturating_sub(retain));
        loop {
            let purge = self.0.store.finished(before, BATCH).await?;
            let last = purge.len() < BATCH;
            if !purge.is_empty() {
                self.0.store.commit(Batch { purge, ..Batch::default() }).await?;
            }
            if last {
                break;
            }
        }
        self.0.store.tidy(now).await
    }
}
