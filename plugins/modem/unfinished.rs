//! How far a message is of which a part was sent, or may have been.
//!
//! A message of several parts that fails in the middle goes on where it stopped when it is tried again, with the octets and
//! the concatenation reference of the first attempt, so that the phone has use for the parts it got. A part whose answer was
//! lost is sent again with the same TP-MR and with TP-RD set, so that a centre which still has it refuses the second
//! (TS 23.040 9.2.3.25); where that does not help, the phone gets a part twice, which it knows by its reference and number.

use packetboat_api::roles::SmsBody;
use packetboat_sms::Reference;

/// How far a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What the first attempt sends; a repetition may say it in other octets.
    pub body: SmsBody,
    /// The concatenation reference of its parts.
    pub reference: Reference,
    /// TP-MR of its first part; the others count on.
    pub message: u8,
    /// Which sending this is, for receipts.
    pub sending: String,
    /// Parts that the network took.
    pub sent: u8,
    /// The next part went to the modem, and it is not known what became of it.
    pub unknown: bool,
}

impl Progress {
    /// Whether a repetition has to know of it.
    pub fn matters(&self) -> bool {
        self.sent > 0 || self.unknown
    }
}
