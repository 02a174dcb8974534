//! The handset memory: what a recipient's phone and its network really do, learnt from what they did.
//!
//! A phone is known by its number. What is known ages ([`Handset::direct`] forgets after a while), and a number whose phone
//! changes begins anew: a ported or resold number must not inherit another phone's fate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::party::Msisdn;

/// Content types remembered of one phone at most.
pub const MAX_ACCEPTED: usize = 64;
/// Longest User-Agent remembered, in octets.
pub const MAX_USER_AGENT: usize = 256;
/// How long it is remembered that direct delivery did not work. Then it is tried again: operators mend their access points.
pub const FAILURE_AGES: Duration = Duration::from_secs(7 * 86_400);
/// How long it is remembered that it did.
pub const SUCCESS_AGES: Duration = Duration::from_secs(180 * 86_400);

/// How long a phone that does nothing is remembered.
pub const HANDSET_AGES: Duration = Duration::from_secs(365 * 86_400);

/// What the phone's own description says of it (UAProf, WAP-248; OMA-TS-MMS_CONF 9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Where it was read.
    pub url: String,
    /// Vendor and model, as the profile has them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Content types it accepts in a multimedia message (MmsCcppAccept), lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<String>,
    /// Largest message, in octets (MmsMaxMessageSize).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// Largest picture, width and height in pixels (MmsMaxImageResolution).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_image: Option<(u32, u32)>,
    /// The screen, width and height in pixels (ScreenSize).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<(u32, u32)>,
}

/// Something a phone showed of itself while it did something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// Its User-Agent field.
    pub user_agent: Option<String>,
    /// The content types of its Accept fields, without parameters, lower case.
    pub accepts: Vec<String>,
    /// Its own description, when it was read.
    pub profile: Option<Profile>,
    /// Octets of the largest picture in what it fetched.
    pub picture: Option<u64>,
    /// Settings of this profile were sent to it.
    pub provisioned: Option<String>,
    /// It opened a pushed link.
    pub opened_link: bool,
}

/// Whether direct delivery works for a phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direct {
    /// Nothing (or nothing recent) is known.
    #[default]
    Unknown,
    /// The phone fetched from us.
    Works,
    /// It was told, and did not fetch before its time ran out.
    Fails,
}

/// What is known of a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handset {
    /// The phone.
    pub number: Msisdn,
    /// When it was last seen doing anything.
    pub seen: Timestamp,
    /// Its User-Agent; a change of it makes the rest begin anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Another one, seen last: some phones have two programs that speak to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_agent: Option<String>,
    /// What it accepts, by its own requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<String>,
    /// Its own description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Octets of the largest picture it fetched.
    #[serde(default)]
    pub largest_picture: u64,
    /// When it last fetched a message from us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched: Option<Timestamp>,
    /// When it last let a message wait until its time ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Timestamp>,
    /// When it last opened a pushed link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_link: Option<Timestamp>,
    /// The last settings sent to it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioned: Option<(String, Timestamp)>,
}

impl Handset {
    /// A phone of which nothing is known but that it is there.
    pub fn new(number: Msisdn, now: Timestamp) -> Self {
        Handset {
            number,
            seen: now,
            user_agent: None,
            other_agent: None,
            accepts: Vec::new(),
            profile: None,
            largest_picture: 0,
            fetched: None,
            missed: None,
            opened_link: None,
            provisioned: None,
        }
    }

    /// Whether direct delivery works: what happened last counts, while it is not too long ago. Settings sent after a failure
    /// make it unknown again: that is what they are sent for.
    pub fn direct(&self, now: Timestamp) -> Direct {
        let recent = |at: Option<Timestamp>, ages: Duration| at.filter(|at| at.after(ages) > now);
        let (worked, failed) = (recent(self.fetched, SUCCESS_AGES), recent(self.missed, FAILURE_AGES));
        let provisioned = self.provisioned.as_ref().map(|(_, at)| *at);
        match (worked, failed) {
            (Some(worked), failed) if failed.is_none_or(|failed| failed <= worked) => Direct::Works,
            (_, Some(failed)) if provisioned.is_none_or(|at| at <= failed) => Direct::Fails,
            _ => Direct::Unknown,
        }
    }

    /// Adds a sighting. Another User-Agent, twice and without the former in between, is another phone: what the former did says
    /// nothing of it.
    pub fn see(&mut self, sighting: &Sighting, now: Timestamp) {
        if let Some(agent) = &sighting.user_agent {
            let agent = cut(agent, MAX_USER_AGENT);
            let same = self.user_agent.as_deref() == Some(agent);
            match self.user_agent {
                _ if same => self.other_agent = None,
                None => self.user_agent = Some(agent.to_owned()),
                Some(_) if self.other_agent.as_deref() == Some(agent) => {
                    *self = Handset { provisioned: self.provisioned.take(), ..Handset::new(self.number.clone(), now) };
                    self.user_agent = Some(agent.to_owned());
                }
                Some(_) => self.other_agent = Some(agent.to_owned()),
            }
        }
        self.seen = now;
        if !sighting.accepts.is_empty() {
            self.accepts = sighting.accepts.iter().take(MAX_ACCEPTED).cloned().collect();
        }
        if let Some(profile) = &sighting.profile {
            self.profile = Some(profile.clone());
        }
        self.largest_picture = self.largest_picture.max(sighting.picture.unwrap_or(0));
        if let Some(profile) = &sighting.provisioned {
            self.provisioned = Some((profile.clone(), now));
        }
        if sighting.opened_link {
            self.opened_link = Some(now);
        }
    }
}

/// How often direct delivery works in a network: of what its phones were told, how much they fetched. Older times count less
/// and less, so that a network that mends its access point is believed again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The name a resolver gives it, or the first digits of its numbers.
    pub name: String,
    /// When the counts were last changed.
    pub at: Timestamp,
    /// Messages fetched, weighed by age.
    pub fetched: f64,
    /// Messages that waited in vain, weighed by age.
    pub missed: f64,
}

/// In how long a network's counts fall to half.
const HALF_LIFE: Duration = Duration::from_secs(7 * 86_400);

impl Network {
    /// A network of which nothing is known.
    pub fn new(name: &str, now: Timestamp) -> Self {
        Network { name: name.to_owned(), at: now, fetched: 0.0, missed: 0.0 }
    }

    /// Counts one more message that was fetched or that waited in vain.
    pub fn count(&mut self, fetched: bool, now: Timestamp) {
        let (old_fetched, old_missed) = self.weighed(now);
        (self.fetched, self.missed) = (old_fetched + f64::from(fetched), old_missed + f64::from(!fetched));
        self.at = now;
    }

    /// Fetched and missed, as they count now.
    fn weighed(&self, now: Timestamp) -> (f64, f64) {
        let left = 0.5f64.powf(self.at.until(now).as_secs_f64() / HALF_LIFE.as_secs_f64());
        (self.fetched * left, self.missed * left)
    }

    /// The share of messages that is fetched, 0.0 to 1.0, and of how many messages that is known. With little known it is near
    /// one half.
    pub fn fetch_rate(&self, now: Timestamp) -> (f64, f64) {
        let (fetched, missed) = self.weighed(now);
        let told = fetched + missed;
        ((fetched + 1.0) / (told + 2.0), told)
    }
}

/// The first octets of a text, whole characters.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
