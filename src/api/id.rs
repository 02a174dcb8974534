//! Identifiers.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Timestamp;

/// Crockford's base 32: no I, L, O, U, so that an id read out over the phone is understood.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const WIDTH: usize = 13;

/// A message's id: time-ordered, unique on its node, 13 characters when written.
///
/// The upper 44 bits are milliseconds since the epoch, the lower 20 a counter; it fits a signed 64-bit column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// One message to one recipient: the message and the recipient's place in its envelope, written `ID-N` with N from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// The message.
    pub message: MessageId,
    /// The recipient's index in the envelope, from 0.
    pub index: u32,
}

/// Hands out message ids, each larger than the one before, whatever the clock does.
#[derive(Debug, Default)]
pub struct IdSource(AtomicU64);

impl IdSource {
    /// Ids after `last`.
    pub fn after(last: Option<MessageId>) -> Self {
        IdSource(AtomicU64::new(last.map_or(0, |id| id.0)))
    }

    /// The next id.
    pub fn next(&self, now: Timestamp) -> MessageId {
        let floor = u64::try_from(now.0).unwrap_or(0) << 20;
        let step = |last: u64| Some(floor.max(last + 1));
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or(0);
        MessageId(floor.max(last + 1))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; WIDTH];
        for (place, slot) in text.iter_mut().rev().enumerate() {
            *slot = ALPHABET[(self.0 >> (5 * place) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for MessageId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not a message id: {WIDTH} characters of 0-9 and A-Z without I, L, O, U");
        if text.len() != WIDTH {
            return Err(wrong());
        }
        let mut value = 0u64;
        for c in text.bytes() {
            let digit = ALPHABET.iter().position(|a| *a == c.to_ascii_uppercase()).ok_or_else(wrong)?;
            value = value.checked_mul(32).ok_or_else(wrong)? | digit as u64;
        }
        Ok(MessageId(value))
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.message, self.index + 1)
    }
}

impl FromStr for DeliveryId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("\"{text}\" is not a delivery id: a message id, a hyphen and the recipient's number from 1");
        let (message, number) = text.split_once('-').ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        Ok(DeliveryId { message: message.parse()?, index: number.checked_sub(1).ok_or_else(wrong)? })
    }
}

macro_rules! serde_as_text {
    ($($type:ty),*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(crate) use serde_as_text;

serde_as_text!(MessageId, DeliveryId);
