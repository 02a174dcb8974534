//! The store contract, run on every backend.
//!
//! A backend's tests implement [`Backend`], write `packetboat_store_suite::contract!(…)` and get one test for each
//! sentence of [`packetboat_api::store`]; [`histories`] runs random histories against a
//! [`model`] of two hundred lines.
//! What is particular to a backend (damage, failing disks, crashes) lies beside it: `embedded/`.

pub mod claims;
pub mod commits;
pub mod histories;
pub mod model;
pub mod queries;
pub mod samples;

use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_api::clock::ManualClock;
use packetboat_api::store::Store;

/// A place where a store is kept.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Opens the store; after the one before was dropped, opens the same again.
    async fn open(&self) -> Arc<dyn Store>;

    /// The clock the store was given.
    fn clock(&self) -> &ManualClock;
}

/// Every sentence of the contract as a test: `contract!(Here::new())`, where the expression makes a [`Backend`].
#[macro_export]
macro_rules! contract {
    ($backend:expr) => {
        $crate::contract!(@ $backend;
            commits: a_committed_batch_is_there_after_reopening, content_is_given_back_octet_for_octet,
            content_is_read_by_range, a_range_beyond_the_content_is_missing, a_key_that_is_there_refuses_the_whole_batch,
            keys_repeat_neither_within_a_batch_nor_across_batches_at_once, an_expired_key_may_be_used_again,
            a_key_outlives_its_message, a_change_names_its_version, one_of_many_changes_from_the_same_version_wins,
            a_refused_batch_leaves_nothing, what_is_not_there_is_missing, purged_messages_are_gone_with_all_they_had,
            ids_only_grow, nothing_is_taken_after_closing, an_empty_batch_is_taken, a_message_is_accepted_once;
            claims: due_deliveries_are_claimed_earliest_first, a_leased_delivery_is_not_claimed_again,
            an_expired_lease_comes_back, a_later_lease_has_a_larger_fence, who_lost_the_lease_is_fenced,
            a_change_ends_its_lease, a_change_without_lease_leaves_the_lease, a_released_delivery_is_due_again,
            only_live_deliveries_are_claimed, leases_end_with_a_restart, next_due_tells_the_next_due_or_lease_end,
            stirred_returns_when_something_earlier_came, lines_are_served_in_turn, a_full_transport_is_passed_over,
            deliveries_of_a_message_come_together, what_is_known_of_phones_is_kept, many_claimers_never_share_a_delivery;
            queries: a_delivery_is_found_by_its_token, a_message_is_found_by_its_message_id, a_listing_comes_in_pages,
            a_listing_is_filtered, a_timeline_is_kept_in_order, finished_messages_are_listed_oldest_first,
            health_counts_what_is_there, tidying_gives_space_back, old_references_read_after_tidying);
    };
    (@ $backend:expr; $($module:ident: $($name:ident),+);+) => {$($(
        #[tokio::test]
        async fn $name() {
            $crate::$module::$name(&$backend).await;
        }
    )+)+};
}
