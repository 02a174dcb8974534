//! One attempt: the link goes out, and the delivery waits for somebody to open it.

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::async_trait;
use packetboat_api::delivery::TOKEN_LENGTH;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::message::Kind;
use packetboat_api::party::Msisdn;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Handsets;
use packetboat_api::roles::{
    Bearer, BearerError, Failure, Instance, Job, PATIENCE_WITH_BEARER, Sms, SmsBody, Transport, Verdict, attempts_with,
};
use packetboat_api::serve::Door;
use packetboat_push::{Indication, Push, ServiceLoading, fits_one_sms};

use crate::era::follows_indications;
use crate::limits::{SENDER_DIGITS, SENDER_LETTERS};
use crate::settings::{Link, WapPushSettings};
use crate::words::{Facts, Words, sample};

/// The transport.
pub struct WapPush {
    settings: WapPushSettings,
    words: Words,
    bearer: Arc<dyn Bearer>,
    pages: Door,
    handsets: Arc<dyn Handsets>,
}

impl Configured for WapPush {
    type Settings = WapPushSettings;

    fn build(settings: WapPushSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let bearer = env.bearer(settings.bearer.as_deref()).map_err(|e| ("bearer", e))?;
        let pages = env.page_door(settings.pages.as_deref()).map_err(|e| ("pages", e))?;
        let words = Words::new(&settings.text, &settings.indication)?;
        if let Some(id) = &settings.sender_id {
            check_sender_id(id).map_err(|e| ("sender_id", e))?;
        }
        Ok(WapPush { settings, words, bearer, pages, handsets: env.handsets.clone() })
    }
}

/// A sender that fits the address field of a short message (TS 23.040 9.1.2.5).
fn check_sender_id(id: &str) -> Result<(), String> {
    let digits = id.strip_prefix('+').unwrap_or(id);
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let letters = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b" -_.&".contains(&b));
    match () {
        () if number && digits.len() <= SENDER_DIGITS => Ok(()),
        () if !number && letters && id.len() <= SENDER_LETTERS => Ok(()),
        () => Err(format!(
            "\"{id}\" cannot be a sender: a number of at most {SENDER_DIGITS} digits, or at most {SENDER_LETTERS} letters and \
             digits, such as \"Pictures\""
        )),
    }
}

impl WapPush {
    async fn attempt(&self, job: &Job) -> Verdict {
        let failed = |status: &str, why: String| Verdict::Failed(Failure::new(status, why));
        match job.message.kind {
            Kind::Personal => {}
            Kind::Settings(_) => {
                let why = "settings for a phone go through a provision transport, not as a link";
                return failed("5.3.3", why.to_owned());
            }
            Kind::DeliveryReport(_) | Kind::ReadReport(_) => {
                return failed("5.3.3", "reports are not sent as links".to_owned());
            }
        }
        let Some(phone) = job.delivery.to.phone() else {
            return failed("5.1.2", format!("{} is not a phone; links are pushed to phones only", job.delivery.to));
        };
        let Some(door) = self.pages.url() else {
            return Verdict::Deferred { after: None, why: "the pages are not open yet".to_owned() };
        };
        let (body, how) = match self.body(job, phone, &format!("{door}/{}", job.delivery.token)).await {
            Ok(made) => made,
            Err(why) => return failed("5.3.5", why),
        };
        let sms = Sms { from: self.settings.sender_id.clone(), ..Sms::of(job, phone, body) };
        match self.bearer.send(sms).await {
            Ok(sent) => {
                let plural = if sent.segments == 1 { "" } else { "s" };
                let detail = format!("sent as a link, {how}: {} short message{plural}; {}", sent.segments, sent.detail);
                Verdict::Notified { evidence: vec![Evidence::now(Fact::LinkSent, detail)], again: self.again(job) }
            }
            Err(BearerError::Retry { after, why }) => Verdict::Deferred { after, why },
            Err(BearerError::Permanent { why }) => failed("5.4.4", format!("the link could not be sent: {why}")),
        }
    }

    /// What goes to the phone, and how, in words.
    async fn body(&self, job: &Job, phone: &Msisdn, url: &str) -> Result<(SmsBody, &'static str), String> {
        let facts = Facts::of(job, url, self.settings.show_sender, self.settings.show_subject);
        let transaction = job.delivery.token.bytes().fold(0u8, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet));
        match self.link_for(phone).await {
            Link::Sl => {
                let loading = ServiceLoading { href: url.to_owned(), ..ServiceLoading::default() };
                Ok((SmsBody::Push(Push::loading(transaction, &loading).encode()), "by service loading"))
            }
            Link::Si => {
                let indicated = |text: &str| {
                    let indication = Indication {
                        href: Some(url.to_owned()),
                        // A reminder replaces what it reminds of: the same address, made later.
                        created: Some(job.now.seconds()),
                        expires: Some(job.delivery.expires.seconds()),
                        text: text.to_owned(),
                        ..Indication::default()
                    };
                    Push::indication(transaction, &indication).encode()
                };
                let facts = Facts { url: String::new(), ..facts };
                let text = self.words.indication(&facts, |text| fits_one_sms(indicated(text).len()))?;
                Ok((SmsBody::Push(indicated(&text)), "by service indication"))
            }
            Link::Text | Link::Auto => Ok((SmsBody::Text(self.words.text(&facts)?.0), "by text")),
        }
    }

    /// How this phone gets its link; never [`Link::Auto`].
    async fn link_for(&self, phone: &Msisdn) -> Link {
        let wanted = match self.settings.link {
            Link::Auto => match self.handsets.known(phone).await {
                Some(handset) if follows_indications(&handset) => Link::Si,
                _ => Link::Text,
            },
            link => link,
        };
        if wanted == Link::Text && !self.bearer.carries_text() { Link::Si } else { wanted }
    }

    /// When to remind. By the clock, from the first attempt of this step on: neither what an earlier step sent nor an attempt
    /// that the bearer put off uses a reminder up.
    fn again(&self, job: &Job) -> Option<Duration> {
        let since = job.delivery.step_since.unwrap_or(job.now);
        let mut times = self.settings.again.iter().scan(since, |at, period| {
            *at = at.after(period.0);
            Some(*at)
        });
        times.find(|at| *at > job.now).map(|at| job.now.until(at))
    }
}

#[async_trait]
impl Instance for WapPush {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let texts = matches!(self.settings.link, Link::Auto | Link::Text);
        if texts && !self.bearer.carries_text() {
            doubts.push(
                "the bearer carries no texts, so links go as Service Indications, which phones of today do not follow; use a \
                 bearer that carries texts"
                    .to_owned(),
            );
        }
        if self.settings.link == Link::Sl {
            doubts.push("link = \"sl\": phones of today ignore Service Loading; use \"auto\"".to_owned());
        }
        let Some(door) = self.pages.url() else { return doubts };
        let bare = Facts { sender: None, subject: None, ..sample(&format!("{door}/{}", "x".repeat(TOKEN_LENGTH))) };
        match self.words.text(&bare) {
            Ok((_, 1)) => {}
            Ok((_, count)) if texts => doubts.push(format!(
                "the text needs {count} short messages even without sender and subject; a shorter `text` or public_url saves \
                 the cost"
            )),
            Ok(_) => {}
            Err(why) => doubts.push(why),
        }
        doubts
    }
}

#[async_trait]
impl Transport for WapPush {
    async fn deliver(&self, jobs: &[Job]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(jobs.len());
        for job in jobs {
            verdicts.push(self.attempt(job).await);
        }
        verdicts
    }

    fn concurrency(&self) -> usize {
        attempts_with(self.bearer.as_ref())
    }

    fn time_limit(&self) -> Duration {
        PATIENCE_WITH_BEARER
    }
}
