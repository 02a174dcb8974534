//! One attempt: the settings of a profile go to the phone. What the phone's owner makes of them is not told to anybody; the
//! proof is that the phone fetches from us afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_api::memory::Sighting;
use packetboat_api::message::Kind;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Handsets;
use packetboat_api::roles::{Bearer, BearerError, Failure, Instance, Job, Sms, Transport, Verdict, attempts_with};
use packetboat_api::serve::Door;

use crate::profile::{self, Profile};
use crate::settings::ProvisionSettings;

/// The transport.
pub struct Provision {
    profiles: BTreeMap<String, Profile>,
    bearer: Arc<dyn Bearer>,
    door: Option<Door>,
    handsets: Arc<dyn Handsets>,
}

impl Configured for Provision {
    type Settings = ProvisionSettings;

    fn build(settings: ProvisionSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let bearer = env.bearer(settings.bearer.as_deref()).map_err(|e| ("bearer", e))?;
        let profiles = profile::load(&env.path(&settings.directory), &env.base).map_err(|e| ("directory", e))?;
        let door = env.door(settings.door.as_deref());
        let needs_door = profiles.values().any(|profile| profile.mms.url.is_none());
        let door = match door {
            Ok(door) => Some(door),
            // Profiles that name their own MMS centre need none.
            Err(why) if needs_door || settings.door.is_some() => return Err(("door", why)),
            Err(_) => None,
        };
        Ok(Provision { profiles, bearer, door, handsets: env.handsets.clone() })
    }
}

impl Provision {
    async fn attempt(&self, job: &Job) -> Verdict {
        let failed = |status: &str, why: String| Verdict::Failed(Failure::new(status, why));
        let Some(phone) = job.delivery.to.phone() else {
            return failed("5.1.2", format!("{} is not a phone", job.delivery.to));
        };
        let Kind::Settings(settings) = &job.message.kind else {
            return failed("5.3.3", "this transport carries settings for phones, not messages".to_owned());
        };
        let Some(profile) = self.profiles.get(&settings.profile) else {
            return failed("5.3.5", format!("there is no profile \"{}\" any more", settings.profile));
        };
        let url = match (&profile.mms.url, self.door.as_ref().and_then(Door::url)) {
            (Some(url), _) => url.as_str(),
            (None, Some(door)) => door,
            (None, None) => {
                return Verdict::Deferred { after: None, why: "the handset door is not open yet".to_owned() };
            }
        };
        let transaction = job.delivery.token.bytes().fold(0u8, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet));
        let (body, how) = match profile.body(settings, url, transaction) {
            Ok(made) => made,
            Err(why) => return failed("5.6.0", why),
        };
        match self.bearer.send(Sms::of(job, phone, body)).await {
            Ok(sent) => {
                let provisioned = Some(settings.profile.clone());
                self.handsets.sighted(phone, Sighting { provisioned, ..Sighting::default() }).await;
                let detail = format!(
                    "settings \"{}\" as {how}, {} short messages; {}",
                    settings.profile, sent.segments, sent.detail
                );
                Verdict::HandedOver { detail, reports: false }
            }
            Err(BearerError::Retry { after, why }) => Verdict::Deferred { after, why },
            Err(BearerError::Permanent { why }) => failed("5.4.4", why),
        }
    }
}

#[async_trait]
impl Instance for Provision {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.profiles.is_empty() {
            doubts.push("directory has no profiles: there are no settings to send".to_owned());
        }
        doubts
    }
}

#[async_trait]
impl Transport for Provision {
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

    fn profiles(&self) -> Vec<String> {
        self.profiles.keys().cloned().collect()
    }
}
