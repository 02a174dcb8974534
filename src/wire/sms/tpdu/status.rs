//! TP-ST: what became of a short message (TS 23.040 9.2.3.15).

use std::fmt;

/// The status, as the octet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u8);

/// What a status comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The phone has it.
    Delivered,
    /// The centre is done with it, and does not know whether the phone has it.
    Unconfirmed,
    /// The centre still tries.
    Trying,
    /// The centre has given up.
    Failed,
}

/// Words for what the specification names; the rest is known by its class alone.
const WORDS: &[(u8, &str)] = &[
    (0x00, "received by the phone"),
    (0x01, "forwarded, without confirmation from the phone"),
    (0x02, "replaced by another message"),
    (0x20, "congestion, still trying"),
    (0x21, "the phone is busy, still trying"),
    (0x22, "no response from the phone, still trying"),
    (0x23, "service rejected, still trying"),
    (0x24, "quality of service not available, still trying"),
    (0x25, "error in the phone, still trying"),
    (0x40, "remote procedure error"),
    (0x41, "incompatible destination"),
    (0x42, "connection rejected by the phone"),
    (0x43, "not obtainable"),
    (0x44, "quality of service not available"),
    (0x45, "no interworking available"),
    (0x46, "validity period expired"),
    (0x47, "deleted by its sender"),
    (0x48, "deleted by the service centre"),
    (0x49, "the message does not exist"),
    (0x60, "congestion, given up"),
    (0x61, "the phone is busy, given up"),
    (0x62, "no response from the phone, given up"),
    (0x63, "service rejected, given up"),
    (0x64, "quality of service not available, given up"),
    (0x65, "error in the phone, given up"),
];

impl Status {
    /// What it comes to. A value that the specification reserves counts as "service rejected" where it stands among the
    /// permanent ones, and centres use their own of each class.
    pub fn class(self) -> Class {
        match self.0 {
            0x00 => Class::Delivered,
            0x01..=0x1F => Class::Unconfirmed,
            0x20..=0x3F => Class::Trying,
            0x40.. => Class::Failed,
        }
    }
}

/// In words.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = WORDS.iter().find(|(status, _)| *status == self.0).map(|(_, words)| *words);
        let words = known.unwrap_or(match self.class() {
            Class::Delivered => "received by the phone",
            Class::Unconfirmed => "done",
            Class::Trying => "not yet, still trying",
            Class::Failed => "not delivered",
        });
        write!(f, "{words} (status {:02X})", self.0)
    }
}
