//! One attempt of direct delivery: the phone is told, and the delivery waits for what the phone does.

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::async_trait;
use packetboat_api::delivery::Delivery;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::message::Kind;
use packetboat_api::party::Party;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::roles::{
    Bearer, BearerError, Failure, Instance, Job, PATIENCE_WITH_BEARER, Sms, SmsBody, Transport, Verdict, attempts_with,
};
use packetboat_api::serve::Door;
use packetboat_push::fits_one_sms;

use crate::notification::{self, Shown};
use crate::settings::DirectSettings;

/// The transport.
pub struct Direct {
    settings: DirectSettings,
    bearer: Arc<dyn Bearer>,
    door: Door,
}

impl Configured for Direct {
    type Settings = DirectSettings;

    fn build(settings: DirectSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let bearer = env.bearer(settings.bearer.as_deref()).map_err(|e| ("bearer", e))?;
        let door = env.door(settings.door.as_deref()).map_err(|e| ("door", e))?;
        Ok(Direct { settings, bearer, door })
    }
}

impl Direct {
    async fn attempt(&self, job: &Job) -> Verdict {
        let Some(phone) = job.delivery.to.phone() else {
            let why = format!("{} is not a phone; direct delivery reaches phones only", job.delivery.to);
            return Verdict::Failed(Failure::new("5.1.2", why));
        };
        let payload = match &job.message.kind {
            Kind::Personal => match self.door.url() {
                Some(door) => self.notification(job, door),
                None => return Verdict::Deferred { after: None, why: "the handset door is not open yet".to_owned() },
            },
            Kind::DeliveryReport(report) => match notification::delivery_report(report, &job.delivery) {
                Some(push) => push,
                None => return Verdict::Failed(Failure::new("5.3.3", "phones have no word for this report")),
            },
            Kind::Settings(_) => {
                return Verdict::Failed(Failure::new("5.3.3", "settings for a phone go through a provision transport"));
            }
            Kind::ReadReport(report) => notification::read_report(report, &Party::Phone(phone.clone()), &job.delivery),
        };
        let sms = Sms::of(job, phone, SmsBody::Push(payload));
        match self.bearer.send(sms).await {
            Ok(sent) => self.told(job, sent.segments, &sent.detail),
            Err(BearerError::Retry { after, why }) => Verdict::Deferred { after, why },
            Err(BearerError::Permanent { why }) => Verdict::Failed(Failure::new("5.4.4", why)),
        }
    }

    fn notification(&self, job: &Job, door: &str) -> bytes::Bytes {
        let url = format!("{door}/{}", job.delivery.token);
        let shown = Shown { sender: self.settings.show_sender, subject: self.settings.show_subject };
        notification::notification(&job.message, &job.delivery, &url, shown, job.now)
    }

    fn told(&self, job: &Job, segments: u32, detail: &str) -> Verdict {
        let plural = if segments == 1 { "" } else { "s" };
        let detail = format!("{segments} short message{plural}; {detail}");
        match job.message.kind {
            Kind::Personal => Verdict::Notified {
                evidence: vec![Evidence::now(Fact::PushSent, detail)],
                again: self.again(job.delivery.notified),
            },
            // Reports are told once; nobody acknowledges them.
            _ => Verdict::HandedOver { detail, reports: false },
        }
    }

    /// When to tell again, after having told `before` times earlier.
    fn again(&self, before: u32) -> Option<Duration> {
        self.settings.again.get(before as usize).map(|period| period.0)
    }
}

#[async_trait]
impl Instance for Direct {
    fn check(&self) -> Vec<String> {
        let Some(door) = self.door.url() else { return Vec::new() };
        let octets = notification::default_size(door);
        match fits_one_sms(octets) {
            true => Vec::new(),
            false => vec![format!(
                "public_url \"{door}\" makes a notification {octets} octets, which is two short messages instead of one; \
                 a shorter address saves half the cost"
            )],
        }
    }
}

#[async_trait]
impl Transport for Direct {
    async fn deliver(&self, jobs: &[Job]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(jobs.len());
        for job in jobs {
            verdicts.push(self.attempt(job).await);
        }
        verdicts
    }

    fn could_have_fetched(&self, delivery: &Delivery) -> bool {
        let reached = delivery.saw(Fact::PushDelivered);
        let perhaps = !self.bearer.gives_receipts() && !delivery.saw(Fact::PushFailed);
        delivery.notified > 0 && (reached || perhaps)
    }

    fn concurrency(&self) -> usize {
        attempts_with(self.bearer.as_ref())
    }

    fn time_limit(&self) -> Duration {
        PATIENCE_WITH_BEARER
    }
}
