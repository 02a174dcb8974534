//! Phones' descriptions, fetched in the background and kept for a while.
//!
//! A phone names its description in a header field, so that the address is a stranger's: by default only the public internet
//! is asked ([`Reach::PublicOnly`]), and size, time, redirects and how many are fetched at once are bounded. No request waits
//! for a profile: what is known goes with the sighting, what is fetched follows when it is there.
//!
//! Failure story: a profile that cannot be had is not asked for again for hours, and its phones are treated as those without
//! one. Nothing of this is on disk but what the memory of phones writes down; after a restart profiles are fetched anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use packetboat_api::clock::{Clock, Timestamp};
use packetboat_api::memory::{Profile, Sighting};
use packetboat_api::party::Msisdn;
use packetboat_api::road::Handsets;
use packetboat_net::http::{Client, Options, Reach};
use tokio::sync::Semaphore;

use crate::limits::{
    CONNECT_TIME, FAILURE_AGES, FETCH_TIME, FETCHES, MAX_ASKED, MAX_ASKERS, MAX_KEPT, MAX_PROFILE, MAX_REDIRECTS,
    PROFILE_AGES,
};
use crate::settings::ProfileSource;
use crate::uaprof;

/// The descriptions of phones. Cheap to clone.
#[derive(Clone)]
pub struct Profiles(Option<Arc<Inner>>);

struct Inner {
    client: Client,
    handsets: Arc<dyn Handsets>,
    clock: Arc<dyn Clock>,
    turns: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Kept,
    /// Profiles that are fetched or wait for it, with the phones that asked for them.
    asked: HashMap<String, Vec<Msisdn>>,
}

/// What was found by URL, for as long as it is believed.
#[derive(Default)]
pub struct Kept(HashMap<String, (Option<Profile>, Timestamp)>);

impl Kept {
    /// What is kept of this URL: a profile, or `Some(None)` that there was none to be had.
    pub fn look_up(&self, url: &str, now: Timestamp) -> Option<Option<&Profile>> {
        let (profile, until) = self.0.get(url)?;
        (now < *until).then_some(profile.as_ref())
    }

    /// Keeps what was found at a URL. When there is no room, what is believed for the shortest time goes.
    pub fn keep(&mut self, url: String, profile: Option<Profile>, now: Timestamp) {
        if self.0.len() >= MAX_KEPT && !self.0.contains_key(&url) {
            let oldest = self.0.iter().min_by_key(|(_, (_, until))| *until).map(|(url, _)| url.clone());
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        let ages = if profile.is_some() { PROFILE_AGES } else { FAILURE_AGES };
        self.0.insert(url, (profile, now.after(ages)));
    }
}

impl Profiles {
    /// Descriptions from there. Nothing is fetched, and no task begun, before somebody asks. The error is in words.
    pub fn new(from: ProfileSource, handsets: Arc<dyn Handsets>, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let reach = match from {
            ProfileSource::Off => return Ok(Profiles(None)),
            ProfileSource::Any => Reach::Anywhere,
            ProfileSource::Public => Reach::PublicOnly,
        };
        let options = Options {
            connect_timeout: CONNECT_TIME,
            timeout: FETCH_TIME,
            max_body: MAX_PROFILE,
            max_redirects: MAX_REDIRECTS,
            max_idle: 0,
            reach,
            ..Options::default()
        };
        let client = Client::new(&options).map_err(|error| format!("profiles cannot be fetched here: {error}"))?;
        let (turns, state) = (Semaphore::new(FETCHES), Mutex::default());
        Ok(Profiles(Some(Arc::new(Inner { client, handsets, clock, turns, state }))))
    }

    /// The profile at this URL, if it is at hand.
    pub fn known(&self, url: &str) -> Option<Profile> {
        let inner = self.0.as_ref()?;
        inner.state().kept.look_up(url, inner.clock.now()).flatten().cloned()
    }

    /// Fetches the profile at this URL in the background and tells the memory of phones that it is this phone's; neither when
    /// there was none to be had lately, or too many wait.
    pub fn ask(&self, url: &str, phone: &Msisdn) {
        let Some(inner) = self.0.as_ref().filter(|inner| !inner.turns.is_closed()) else { return };
        let mut state = inner.state();
        if let Some(askers) = state.asked.get_mut(url) {
            if askers.len() < MAX_ASKERS && !askers.contains(phone) {
                askers.push(phone.clone());
            }
            return;
        }
        if state.asked.len() >= MAX_ASKED || state.kept.look_up(url, inner.clock.now()).is_some() {
            return;
        }
        state.asked.insert(url.to_owned(), vec![phone.clone()]);
        tokio::spawn(inner.clone().fetch(url.to_owned()));
    }

    /// Profiles that are fetched now or wait for it.
    pub fn waiting(&self) -> usize {
        self.0.as_ref().map_or(0, |inner| inner.state().asked.len())
    }

    /// Begins nothing more.
    pub fn close(&self) {
        if let Some(inner) = &self.0 {
            inner.turns.close();
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches one profile, in its turn.
    async fn fetch(self: Arc<Self>, url: String) {
        let Ok(_turn) = self.turns.acquire().await else { return };
        let profile = match self.read(&url).await {
            Ok(profile) => Some(profile),
            Err(why) => {
                tracing::debug!(%url, %why, "a phone's profile cannot be had");
                None
            }
        };
        let phones = {
            let mut state = self.state();
            state.kept.keep(url.clone(), profile.clone(), self.clock.now());
            state.asked.remove(&url).unwrap_or_default()
        };
        let Some(profile) = profile else { return };
        for phone in phones {
            self.handsets.sighted(&phone, Sighting { profile: Some(profile.clone()), ..Sighting::default() }).await;
        }
    }

    async fn read(&self, url: &str) -> Result<Profile, String> {
        let answer = self.client.get(url).await.map_err(|error| error.to_string())?;
        if !answer.is_success() {
            return Err(format!("the server answers {}", answer.status));
        }
        uaprof::read(&answer.body, url).ok_or_else(|| "what is there describes no phone".to_owned())
    }
}
