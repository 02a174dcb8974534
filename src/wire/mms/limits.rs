//! The named maximum of everything that repeats in a PDU (I-4); parts and parameters have theirs in
//! [`packetboat_wsp::limits`].

/// Header fields of one PDU, recipients included.
pub const FIELDS: usize = 1024;
/// Previous senders of a forwarded message that are passed on from a mail.
pub const FORWARDS: usize = 32;
/// Recipients that a PDU made from a mail shows, in To and in Cc each.
pub const SHOWN_RECIPIENTS: usize = 400;
