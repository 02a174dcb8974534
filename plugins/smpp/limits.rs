//! The maxima of this plugin (I-4, I-8).

use std::time::Duration;

/// Octets of a PDU we take: a `message_payload` of 64 KiB and what stands around it.
pub const MAX_PDU: usize = 72 << 10;

/// Octets of a C-octet string we take. The protocol's own maxima are shorter; SMSCs overrun them.
pub const MAX_TEXT: usize = 255;

/// Optional parameters of one PDU that are looked at.
pub const MAX_TLVS: usize = 64;

/// Octets that are gathered for one connection before they are written and nothing more is read or begun.
pub const MAX_UNWRITTEN: usize = 64 << 10;

/// Connections of one bearer.
pub const MAX_CONNECTIONS: usize = 64;

/// Short messages without an answer on one connection.
pub const MAX_WINDOW: usize = 1000;

/// Deliveries of the SMSC that are being dealt with at once on one connection. Others are told to come again.
pub const MAX_INCOMING: usize = 64;

/// Short messages whose receipts are waited for; beyond that the oldest is forgotten.
pub const MAX_TICKETS: usize = 131_072;

/// Pushes of which some short messages are with the SMSC and others are not; beyond that the oldest is forgotten.
pub const MAX_UNFINISHED: usize = 16_384;

/// Characters of the SMSC's words that go into evidence, errors and logs.
pub const WORDS: usize = 200;

/// Characters of the SMSC's message id that are kept (SMPP 3.4 5.2.23).
pub const MAX_MESSAGE_ID: usize = 64;

/// How long a receipt waits for the answer to the submission it is about, while some are without one.
pub const EARLY_RECEIPT: Duration = Duration::from_secs(5);

/// How long a push waits for its turn before it goes back to the queue.
pub const TURN_PATIENCE: Duration = Duration::from_secs(120);

/// How long a push waits for a connection before it goes back to the queue.
pub const LINK_PATIENCE: Duration = Duration::from_secs(5);

/// How long one short message is offered again and again to an SMSC that throttles, before its push goes back to the queue.
pub const THROTTLE_PATIENCE: Duration = Duration::from_secs(60);

/// When the queue is to offer it again then.
pub const THROTTLE_RETRY: Duration = Duration::from_secs(30);

/// How often the connection may be lost under one push before it goes back to the queue.
pub const LOSSES: u32 = 3;

/// How long is waited for `unbind_resp`, and after the SMSC's own `unbind` for what it has not answered.
pub const UNBIND: Duration = Duration::from_secs(2);

/// Slowest pace: one short message in this time.
pub const SLOWEST: Duration = Duration::from_secs(1);
