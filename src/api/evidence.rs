//! Evidence: what proves a state. Nothing is ever said to be so without it (invariant I-3).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// We have it on disk.
    Accepted,
    /// The next hop took it; nothing is known of the recipient.
    HandedOver,
    /// The bearer took the notification.
    PushSent,
    /// The bearer took a link to the message as a page.
    LinkSent,
    /// The bearer says the notification (or the link) reached the phone.
    PushDelivered,
    /// The phone says it will fetch later.
    Deferred,
    /// The content was fetched, to its last octet.
    Fetched,
    /// The phone says it has the message (m-notifyresp-ind or m-acknowledge-ind).
    Retrieved,
    /// The recipient's mail system says it has the message.
    Delivered,
    /// The recipient read it.
    Read,
    /// The recipient deleted it without reading.
    DeletedUnread,
    /// The recipient opened the pushed link.
    LinkOpened,
    /// The recipient, or the phone, refused it.
    Rejected,
    /// The phone says that it cannot do anything with the notification, or with what it fetched.
    Unrecognised,
    /// The notification did not reach the phone.
    PushFailed,
    /// Its time ran out.
    Expired,
}

impl Fact {
    /// Whether the phone (or mailbox) can be said to have the message. Each of the three phone facts counts alone:
    /// real phones leave out any two of them (case E-01).
    pub fn proves_delivery(self) -> bool {
        matches!(
            self,
            Fact::Fetched
                | Fact::Retrieved
                | Fact::Delivered
                | Fact::Read
                | Fact::DeletedUnread // what is deleted was there
                | Fact::LinkOpened
        )
    }

    /// The word for logs, timelines and the command line.
    pub fn word(self) -> &'static str {
        match self {
            Fact::Accepted => "accepted",
            Fact::HandedOver => "handed_over",
            Fact::PushSent => "push_sent",
            Fact::LinkSent => "link_sent",
            Fact::PushDelivered => "push_delivered",
            Fact::Deferred => "deferred",
            Fact::Fetched => "fetched",
            Fact::Retrieved => "retrieved",
            Fact::Delivered => "delivered",
            Fact::Read => "read",
            Fact::DeletedUnread => "deleted_unread",
            Fact::LinkOpened => "link_opened",
            Fact::Rejected => "rejected",
            Fact::Unrecognised => "unrecognised",
            Fact::PushFailed => "push_failed",
            Fact::Expired => "expired",
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One thing seen, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What.
    pub fact: Fact,
    /// When; `None` is "now".
    pub at: Option<Timestamp>,
    /// In words: which PDU, which reply, which gateway's id.
    pub detail: String,
    /// The step of the route it is about, by its place, when it is about what only that step did. A receipt for the notification
    /// says nothing of the link that was sent after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
}

impl Evidence {
    /// Seen now.
    pub fn now(fact: Fact, detail: impl Into<String>) -> Self {
        Evidence { fact, at: None, detail: detail.into(), step: None }
    }
}
