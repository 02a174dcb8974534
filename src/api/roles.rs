//! What a plugin may be asked to do. The verdicts are enums, so that a forgotten case does not compile.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::async_trait;
use crate::clock::Timestamp;
use crate::delivery::Delivery;
use crate::evidence::Evidence;
use crate::id::DeliveryId;
use crate::message::{Message, Priority, Recipient};
use crate::party::{Msisdn, Party};
use crate::road::Refusal;
use crate::serve::{Door, Serve};

/// How well a plugin instance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works, as far as it knows.
    Well,
    /// It works, but an operator should look: in words.
    Degraded(String),
    /// It does not work: in words.
    Down(String),
}

/// Every role's life: `build` (by [`crate::plugin`]) → `check` → `start` → `drain`. Everything up to `check` is free of
/// side effects, and `drain` works after a failed `start`.
#[async_trait]
pub trait Instance: Send + Sync {
    /// What the settings make doubtful, one sentence each; `packetboat check` prints them.
    fn check(&self) -> Vec<String> {
        Vec::new()
    }

    /// Begins to work: opens connections, starts tasks. Not called by `packetboat check`.
    async fn start(&self) -> Result<(), String> {
        Ok(())
    }

    /// Ends its work: nothing new is begun, what is under way is finished or given up when the daemon's drain time ends.
    async fn drain(&self) {}

    /// How well it is.
    fn health(&self) -> Health {
        Health::Well
    }
}

/// Receives messages (smtp, mm4, mm1, mm7, eaif). Listening itself is the daemon's: see [`Serve`].
pub trait Listener: Instance + Serve {
    /// The door it opens for handsets to fetch from, if it does.
    fn door(&self) -> Option<Door> {
        None
    }

    /// The address below which it shows messages as pages, if it does.
    fn pages(&self) -> Option<Door> {
        None
    }
}

/// One delivery as a transport sees it.
#[derive(Clone, Debug)]
pub struct Job {
    /// The delivery.
    pub delivery: Delivery,
    /// The recipient, as the envelope has it.
    pub recipient: Recipient,
    /// The message.
    pub message: Arc<Message>,
    /// Now.
    pub now: Timestamp,
}

/// What a transport says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next hop took it. With `reports`, the hop will tell us more and the delivery waits for it until it expires.
    HandedOver {
        /// In words: the hop's reply and its own id for the message.
        detail: String,
        /// The hop promised to report.
        reports: bool,
    },
    /// The recipient's phone was told; the delivery waits for evidence. Told again after a while unless there is some.
    Notified {
        /// What was seen.
        evidence: Vec<Evidence>,
        /// When to tell again; `None` tells once.
        again: Option<Duration>,
    },
    /// The recipient has it.
    Delivered(Evidence),
    /// Not now.
    Deferred {
        /// When to try again; `None` leaves it to the queue's back-off.
        after: Option<Duration>,
        /// In words.
        why: String,
    },
    /// Not this way, ever. The next step of the route is tried.
    Failed(Failure),
}

/// Why an attempt failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In words, for the sender to read.
    pub why: String,
    /// The enhanced status code for a bounce, such as `5.1.1` (RFC 3463).
    pub status: String,
}

impl Failure {
    /// A failure with its enhanced status code.
    pub fn new(status: &str, why: impl Into<String>) -> Self {
        Failure { why: why.into(), status: status.to_owned() }
    }
}

/// Takes a delivery one hop further.
#[async_trait]
pub trait Transport: Instance {
    /// Deliveries of one message whose recipients have the same (`Some`) group go into one [`Transport::deliver`] call;
    /// `None` goes alone.
    fn group(&self, _to: &Party) -> Option<String> {
        None
    }

    /// Attempts. One verdict for each job, in order. The pipeline catches panics and applies a time-out.
    async fn deliver(&self, jobs: &[Job]) -> Vec<Verdict>;

    /// How many attempts may run at once.
    fn concurrency(&self) -> usize {
        64
    }

    /// How long one attempt may take before it is given up and deferred.
    fn time_limit(&self) -> Duration {
        Duration::from_secs(300)
    }

    /// After an attempt the phone is to fetch from us, and this one did not in time: whether it could have. A phone that was not
    /// reached shows nothing; one that was, and did not fetch, most likely cannot.
    fn could_have_fetched(&self, _delivery: &Delivery) -> bool {
        false
    }

    /// The profiles of which it sends settings to phones ([`crate::message::Kind::Settings`]), by name; such a transport
    /// carries nothing else.
    fn profiles(&self) -> Vec<String> {
        Vec::new()
    }

    /// What takes its interest in short messages that arrive, if it has one.
    fn takes_sms(self: Arc<Self>) -> Option<Arc<dyn TakesSms>> {
        None
    }
}

/// What a short message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsBody {
    /// A WSP push PDU for the phone's WAP push port, 2948 (WAP-235-PushOTA 6.3.1).
    Push(Bytes),
    /// Octets for another application port of the phone (TS 23.040 9.2.3.24.4).
    Data {
        /// The port of the phone's application.
        destination: u16,
        /// The port it seems to come from.
        originator: u16,
        /// What goes there.
        octets: Bytes,
    },
    /// Words for the phone's inbox.
    Text(String),
}

/// One thing to be carried to a phone: as one short message, or as several when it does not fit.
#[derive(Clone, Debug)]
pub struct Sms {
    /// The phone.
    pub to: Msisdn,
    /// What it carries.
    pub body: SmsBody,
    /// Whom the phone is to show as its sender: a number, a short code or up to 11 letters. `None` leaves it to the bearer's
    /// settings.
    pub from: Option<String>,
    /// The delivery it is for; receipts become its evidence.
    pub delivery: DeliveryId,
    /// The step of its route that sends it, by its place.
    pub step: u32,
    /// On whose behalf it goes. Bearers serve those who wait in turn, so that a thousand messages of one do not hold up the
    /// only one of another.
    pub on_behalf_of: String,
    /// How urgent.
    pub priority: Priority,
    /// When there is no more use in it.
    pub expires: Timestamp,
}

/// How long an attempt may take that needs a bearer: its turn there, and the bearer's own patience.
pub const PATIENCE_WITH_BEARER: Duration = Duration::from_secs(180);

/// How many attempts a transport may begin at once that all need a turn of this bearer.
pub fn attempts_with(bearer: &dyn Bearer) -> usize {
    bearer.window().saturating_mul(4).clamp(4, 256)
}

impl Sms {
    /// For a delivery's first step, on nobody's behalf, and no more urgent than others.
    pub fn plain(to: Msisdn, delivery: DeliveryId, body: SmsBody, expires: Timestamp) -> Self {
        Sms {
            to,
            body,
            from: None,
            delivery,
            step: 0,
            on_behalf_of: String::new(),
            priority: Priority::Normal,
            expires,
        }
    }

    /// What `job` has to send to `to`.
    pub fn of(job: &Job, to: &Msisdn, body: SmsBody) -> Self {
        let message = &job.message;
        Sms {
            step: job.delivery.step,
            on_behalf_of: message.envelope.from.as_ref().map(ToString::to_string).unwrap_or_default(),
            priority: message.traits.priority,
            ..Sms::plain(to.clone(), job.delivery.id, body, job.delivery.expires)
        }
    }
}

/// Something that came to us by short message: `from` and `to` as the network wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The bearer it came through, by instance name.
    pub bearer: String,
    /// Who sent it: a number (with `+` when the network said it is international) or a name.
    pub from: String,
    /// Whom it was sent to: a number of ours, or empty when the bearer does not say.
    pub to: String,
    /// What it carried, all of it: segments are put together already.
    pub body: SmsBody,
}

/// Is offered what came by short message: an operator MMSC's notification for us, for instance.
#[async_trait]
pub trait TakesSms: Send + Sync {
    /// Looks at it. `Ok(true)`: it was mine, and is safe. `Ok(false)`: somebody else's. An error: mine, but not now; the
    /// bearer does not acknowledge it where its protocol lets it.
    async fn take(&self, arrival: &Arrival) -> Result<bool, Refusal>;
}

/// What a bearer says of what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Short messages it took.
    pub segments: u32,
    /// The gateway's own id or words.
    pub detail: String,
}

/// Why a bearer did not take something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// Try again, after so long if it says so.
    #[error("{why}")]
    Retry {
        /// When.
        after: Option<Duration>,
        /// In words.
        why: String,
    },
    /// This number, or this body, will never be taken.
    #[error("{why}")]
    Permanent {
        /// In words.
        why: String,
    },
}

/// Carries one SMS or WAP push to a handset.
#[async_trait]
pub trait Bearer: Instance {
    /// Sends it; returns when the network (or gateway) has taken all of it.
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError>;

    /// How many it works on at once. Transports give it a few times as many to choose from, and no more: what waits longer stays
    /// in the queue, where what is urgent overtakes it.
    fn window(&self) -> usize {
        64
    }

    /// Whether it tells when a message has reached its phone.
    fn gives_receipts(&self) -> bool {
        false
    }

    /// Whether it carries [`SmsBody::Text`]; a push proxy gateway does not.
    fn carries_text(&self) -> bool {
        true
    }

    /// The server this bearer needs for receipts, if any.
    fn callbacks(self: Arc<Self>) -> Option<Arc<dyn Serve>> {
        None
    }
}

/// What a filter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterVerdict {
    /// As it is.
    Pass,
    /// With these header fields set (an empty value removes the field).
    Change(Vec<(String, String)>),
    /// Not to be taken.
    Refuse(Refusal),
    /// Not now.
    Defer(String),
}

/// What happens when a filter itself fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The message waits.
    #[default]
    Defer,
    /// The message is refused.
    Refuse,
    /// The filter is passed over.
    Skip,
}

/// Inspects or edits a message before it is routed.
#[async_trait]
pub trait Filter: Instance {
    /// Looks at a message.
    async fn inspect(&self, message: &Message) -> FilterVerdict;

    /// What its own failure means.
    fn on_error(&self) -> OnError {
        OnError::Defer
    }
}

/// Answers a question about a number (portability, ENUM).
#[async_trait]
pub trait Resolver: Instance {
    /// The name of the network that serves this number, if it is known.
    async fn network(&self, number: &Msisdn) -> Option<String>;
}
