//! The settings of the road.

use std::time::Duration;

use packetboat_api::party::MAX_DIGITS;
use packetboat_api::units::{ByteSize, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most deliveries that can be in hand at once.
pub const MOST_IN_HAND: usize = 1 << 20;

/// What a setting says that cannot be: its key and what is wrong.
pub type Impossible = (&'static str, String);

/// `[limits]`: what is taken in at most (I-8).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct LimitSettings {
    /// Largest message, counted as its decoded parts.
    pub message_size: ByteSize,
    /// Most recipients of one message.
    pub recipients: usize,
    /// Memory for messages that are being received; what does not fit waits in files.
    pub receiving_memory: ByteSize,
    /// Most Received header fields before a message is taken for a loop (RFC 5321 6.3).
    pub hops: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        LimitSettings {
            message_size: ByteSize::mib(10),
            recipients: 200,
            receiving_memory: ByteSize::mib(16),
            hops: 100,
        }
    }
}

impl LimitSettings {
    /// What cannot be.
    pub fn check(&self) -> Result<(), Impossible> {
        match self {
            LimitSettings { message_size: ByteSize(0), .. } => Err(("message_size", nothing("message"))),
            LimitSettings { recipients: 0, .. } => Err(("recipients", nothing("message"))),
            LimitSettings { hops: 0, .. } => Err(("hops", nothing("mail"))),
            _ => Ok(()),
        }
    }
}

fn nothing(what: &str) -> String {
    format!("0 takes no {what} at all")
}

/// How long to wait between attempts.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Retry {
    /// Before the second attempt.
    pub first: Period,
    /// How much longer each time.
    pub factor: f64,
    /// At most.
    pub longest: Period,
    /// Up to this share of the wait is added or taken away, so that retries do not march in step.
    pub jitter: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { first: Period::seconds(30), factor: 2.0, longest: Period::hours(1), jitter: 0.2 }
    }
}

impl Retry {
    /// What cannot be.
    pub fn check(&self) -> Result<(), Impossible> {
        // Written so that "not a number" fails too.
        if !(self.factor >= 1.0 && self.factor.is_finite()) {
            return Err(("retry", format!("factor = {} makes the waits shorter; it is 1.0 or more", self.factor)));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(("retry", format!("jitter = {} is no share of the wait; it is 0.0 to 1.0", self.jitter)));
        }
        if self.first.0.is_zero() {
            return Err(("retry", "first = \"0s\" would try again without end; wait a little".to_owned()));
        }
        Ok(())
    }

    /// The wait before the attempt after `attempts` ones; `dice` is in 0..1.
    pub fn wait(&self, attempts: u32, dice: f64) -> Duration {
        let grown = self.first.0.as_secs_f64() * self.factor.max(1.0).powi(attempts.saturating_sub(1).min(64) as i32);
        let capped = grown.min(self.longest.0.as_secs_f64());
        let spread = 1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * dice - 1.0);
        Duration::from_secs_f64((capped * spread).max(0.001))
    }
}

/// `[queue]`: how deliveries are attempted, and for how long.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct QueueSettings {
    /// When a message expires whose sender did not say.
    pub expiry: Period,
    /// The longest expiry a sender may ask for.
    pub longest_expiry: Period,
    /// Back-off between attempts; a transport may have its own.
    pub retry: Retry,
    /// Deliveries in hand at once.
    pub in_hand: usize,
    /// How long a phone that fetched has to say so before the fetch alone counts as delivered.
    pub acknowledge_grace: Period,
    /// Crashes and time-outs of a plugin in a row after which a delivery is quarantined.
    pub faults: u32,
    /// How long a message is kept after all its deliveries have ended.
    pub retain: Period,
    /// How long a repeated submission is recognised.
    pub dedupe: Period,
    /// How many first digits of a number stand for its network, in what is remembered of networks.
    pub network_digits: usize,
}

impl Default for QueueSettings {
    fn default() -> Self {
        QueueSettings {
            expiry: Period::days(3),
            longest_expiry: Period::days(14),
            retry: Retry::default(),
            in_hand: 1024,
            acknowledge_grace: Period::seconds(30),
            faults: 5,
            retain: Period::days(1),
            dedupe: Period::days(2),
            network_digits: 6,
        }
    }
}

impl QueueSettings {
    /// What cannot be.
    pub fn check(&self) -> Result<(), Impossible> {
        self.retry.check()?;
        if !(1..=MOST_IN_HAND).contains(&self.in_hand) {
            return Err(("in_hand", format!("{} is not 1 to {MOST_IN_HAND}", self.in_hand)));
        }
        if self.faults == 0 {
            return Err(("faults", "0 would put everything in quarantine".to_owned()));
        }
        for (key, expiry) in [("expiry", self.expiry), ("longest_expiry", self.longest_expiry)] {
            if expiry.0.is_zero() {
                return Err((key, "with \"0s\" everything expires at once".to_owned()));
            }
        }
        if !(1..=MAX_DIGITS).contains(&self.network_digits) {
            return Err(("network_digits", format!("{} is not 1 to {MAX_DIGITS}", self.network_digits)));
        }
        if self.expiry > self.longest_expiry {
            return Err(("expiry", format!("{} is more than longest_expiry, {}", self.expiry, self.longest_expiry)));
        }
        Ok(())
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What is taken in.
    pub limits: LimitSettings,
    /// How it is delivered.
    pub queue: QueueSettings,
}
