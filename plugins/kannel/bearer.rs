//! The bearer: a push becomes requests to smsbox.
//!
//! Failure story: the requests of one push go out one after the other, and the first that fails ends it. A repetition
//! sends all short messages again under another reference; a phone that got some of them twice drops the incomplete
//! set. A request whose answer did not come may have arrived, so that a phone may be told twice: it knows the second
//! notification by its transaction id.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, Random};
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Witness;
use packetboat_api::roles::{Bearer, BearerError, Health, Instance, Sent, Sms, SmsBody};
use packetboat_api::serve::Serve;
use packetboat_net::bearer::{References, Tallies, Ticket};
use packetboat_net::http::{Client, Options};
use packetboat_sms::{Ports, ReferenceWidth, Udh, UserData, segment};

use crate::callbacks;
use crate::limits::ANSWER;
use crate::request::{SendSms, outcome};
use crate::settings::{KannelSettings, Segmentation};
use crate::token::Key;

/// Characters that tell one sending of a delivery's push from another.
const SENDING: usize = 6;

/// One Kannel gateway.
pub struct KannelBearer {
    pub(crate) name: String,
    pub(crate) settings: KannelSettings,
    pub(crate) key: Key,
    pub(crate) tallies: Tallies,
    pub(crate) witness: Arc<dyn Witness>,
    /// Where callbacks are taken, once that is known.
    pub(crate) bound: OnceLock<String>,
    password: String,
    client: Client,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    references: References,
    /// Why the last request failed; `None` after one that did not.
    trouble: Mutex<Option<String>>,
}

impl Configured for KannelBearer {
    type Settings = KannelSettings;

    fn build(settings: KannelSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let is_http = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        if !is_http(&settings.url) {
            return Err(("url", format!("\"{}\" is not an http:// or https:// address", settings.url)));
        }
        if !settings.dlr_public_url.is_empty() && !is_http(&settings.dlr_public_url) {
            let message = format!("\"{}\" is not an http:// or https:// address", settings.dlr_public_url);
            return Err(("dlr_public_url", message));
        }
        if settings.username.is_empty() {
            return Err(("username", "Kannel's sendsms wants a user; name its sendsms-user here".to_owned()));
        }
        let Some(secret) = &settings.password else {
            let message = "Kannel's sendsms wants a password; write { file = … } or { env = … }".to_owned();
            return Err(("password", message));
        };
        let password = secret.read(&env.base).map_err(|message| ("password", message))?;
        let options = Options {
            connect_timeout: settings.connect_timeout.0,
            timeout: settings.timeout.0,
            max_body: ANSWER,
            ..Options::default()
        };
        let client = Client::new(&options).map_err(|error| ("url", error.to_string()))?;
        Ok(KannelBearer {
            name: env.name.clone(),
            key: Key::new(&password, &env.name),
            tallies: Tallies::default(),
            witness: env.witness.clone(),
            bound: OnceLock::new(),
            password,
            client,
            clock: env.clock.clone(),
            random: env.random.clone(),
            references: References::new(env.random.as_ref()),
            trouble: Mutex::default(),
            settings,
        })
    }
}

#[async_trait]
impl Instance for KannelBearer {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let settings = &self.settings;
        if settings.dlr_listen.is_empty() {
            doubts.push("dlr_listen is empty: whether a notification reached its phone will not be known".to_owned());
        }
        let everywhere = |at: &String| at.starts_with("0.0.0.0:") || at.starts_with("[::]:");
        if settings.dlr_public_url.is_empty() && settings.dlr_listen.first().is_some_and(everywhere) {
            doubts.push(
                "dlr_public_url is empty and dlr_listen is any address: Kannel is told to call 0.0.0.0".to_owned(),
            );
        }
        doubts
    }

    fn health(&self) -> Health {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map_or(Health::Well, |why| Health::Degraded(why.clone()))
    }
}

#[async_trait]
impl Bearer for KannelBearer {
    async fn send(&self, push: Sms) -> Result<Sent, BearerError> {
        let (requests, parts) = self.requests(&push)?;
        let to = format!("{}{}", self.settings.number_prefix, push.to.digits());
        let validity = self.clock.now().until(push.expires);
        let sending = self.random.token(SENDING);
        let mut detail = String::new();
        for (part, data) in (1..).zip(&requests) {
            let ticket = Ticket { delivery: push.delivery, sending: sending.clone(), part, parts };
            let dlr_url = self.callback_base().map(|base| callbacks::address(base, &self.key.token(&ticket)));
            let udh = header_octets(data);
            let request = SendSms {
                password: &self.password,
                to: &to,
                udh: &udh,
                text: &data.payload,
                validity,
                dlr_url: dlr_url.as_deref(),
            };
            let result = outcome(self.client.get(&request.url(&self.settings)).await);
            self.note(&result);
            detail = result.map_err(|error| of_part(error, part, requests.len()))?;
        }
        Ok(Sent { segments: parts.into(), detail: format!("Kannel: {detail}") })
    }

    fn callbacks(self: Arc<Self>) -> Option<Arc<dyn Serve>> {
        (!self.settings.dlr_listen.is_empty()).then_some(self)
    }
}

impl KannelBearer {
    /// The user data of each request, and how many short messages they make: a request for each, or one for Kannel to
    /// cut. Its receipt is then that of the first short message only, so that a ticket says "1 of" as many.
    fn requests(&self, push: &Sms) -> Result<(Vec<UserData>, u8), BearerError> {
        let SmsBody::Push(payload) = &push.body else {
            return Err(BearerError::Permanent { why: "this bearer carries pushes only".to_owned() });
        };
        let width = if self.settings.wide_reference { ReferenceWidth::Sixteen } else { ReferenceWidth::Eight };
        let made = segment(payload, Ports::WAP_PUSH, self.references.next(&push.to, width));
        let mut requests = made.map_err(|error| BearerError::Permanent { why: error.to_string() })?;
        let parts = requests.len() as u8; // at most 255: MAX_SEGMENTS
        if self.settings.segmentation == Segmentation::Kannel {
            let header = Udh::new(vec![Ports::WAP_PUSH.into()]).ok(); // ok: seven octets
            requests = vec![UserData { header, payload: payload.clone() }];
        }
        Ok((requests, parts))
    }

    /// What callback addresses begin with; `None` when none are asked for.
    fn callback_base(&self) -> Option<&str> {
        if self.settings.dlr_listen.is_empty() || self.settings.dlr_mask == 0 {
            return None;
        }
        match self.settings.dlr_public_url.as_str() {
            "" => self.bound.get().map(String::as_str),
            url => Some(url),
        }
    }

    fn note(&self, result: &Result<String, BearerError>) {
        let trouble = result.as_ref().err().map(ToString::to_string);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

fn header_octets(data: &UserData) -> Vec<u8> {
    let mut octets = Vec::new();
    if let Some(header) = &data.header {
        header.encode_into(&mut octets);
    }
    octets
}

/// The same error, saying which of several requests it is about.
fn of_part(error: BearerError, part: u8, parts: usize) -> BearerError {
    let said = |why: String| if parts == 1 { why } else { format!("{why} (short message {part} of {parts})") };
    match error {
        BearerError::Retry { after, why } => BearerError::Retry { after, why: said(why) },
        BearerError::Permanent { why } => BearerError::Permanent { why: said(why) },
    }
}
