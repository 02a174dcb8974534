//! The bearer: a push becomes a submission to the gateway.
//!
//! Failure story: a submission is one request. One whose answer did not come may have arrived; its repetition has the same
//! push-id, so that a gateway which took the first refuses the second (2007, WAP-247-PAP 9.14), which then counts as taken. A
//! gateway that forgot tells the phone twice, which knows the second notification by its transaction id. One that says "later"
//! gets less at once until it does not any more.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, Random};
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Witness;
use packetboat_api::roles::{Bearer, BearerError, Health, Instance, Sent, Sms, SmsBody};
use packetboat_api::serve::{Listen, Serve};
use packetboat_net::bearer::{Condition, Key, Pace, PushKey, Ticket, Unfinished, sending};
use packetboat_net::callback::Base;
use packetboat_net::http::{Client, Options, basic, is_http};
use packetboat_sms::segments_needed;

use crate::answer::{Outcome, outcome};
use crate::limits::{ANSWER, SHORTEST_KEY, WIDEST_WINDOW};
use crate::notification::{PATH, push_id};
use crate::settings::PapSettings;
use crate::submission::{push, submission};

/// Characters of a boundary: 190 bits.
const BOUNDARY: usize = 32;

/// One push proxy gateway.
pub struct PapBearer {
    pub(crate) name: String,
    pub(crate) settings: PapSettings,
    pub(crate) key: Key,
    pub(crate) witness: Arc<dyn Witness>,
    pub(crate) base: Base,
    node: String,
    uri: Uri,
    ppg_host: String,
    authorization: Option<HeaderValue>,
    client: Client,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Which sending each push is that may have been taken.
    unfinished: Unfinished<String>,
    pace: Pace,
    condition: Condition,
}

impl Configured for PapBearer {
    type Settings = PapSettings;

    fn build(settings: PapSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let uri = settings.url.parse::<Uri>().ok().filter(|uri| is_http(&settings.url) && uri.host().is_some());
        let Some(uri) = uri else {
            return Err(("url", format!("\"{}\" is not an http:// or https:// address", settings.url)));
        };
        let ppg_host = match settings.ppg_host.as_str() {
            "" => uri.host().unwrap_or_default().to_owned(),
            host => host.to_owned(),
        };
        if !ppg_host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-:[]".contains(&octet)) {
            return Err(("ppg_host", format!("\"{ppg_host}\" is not the name of a host")));
        }
        let listen = Listen { listen: settings.callback_listen.clone(), ..Listen::default() };
        listen.check().map_err(|(_, message)| ("callback_listen", message))?;
        let base = Base::new(&settings.callback_public_url).map_err(|message| ("callback_public_url", message))?;
        if !(1..=WIDEST_WINDOW).contains(&settings.window) {
            return Err(("window", format!("{} is not from 1 to {WIDEST_WINDOW} pushes", settings.window)));
        }
        let options = Options {
            connect_timeout: settings.connect_timeout.0,
            timeout: settings.timeout.0,
            max_body: ANSWER,
            // Kannel sends the fields of our request to the phone: this one would be a third of a notification.
            user_agent: String::new(),
            ca_file: settings.ca_file.as_ref().map(|path| env.path(path)),
            ..Options::default()
        };
        Ok(PapBearer {
            name: env.name.clone(),
            key: key(&settings, env)?,
            witness: env.witness.clone(),
            base,
            node: env.node.clone(),
            uri,
            ppg_host,
            authorization: authorization(&settings, env)?,
            client: Client::new(&options).map_err(|error| ("ca_file", error.to_string()))?,
            clock: env.clock.clone(),
            random: env.random.clone(),
            unfinished: Unfinished::default(),
            pace: Pace::new(settings.window),
            condition: Condition::default(),
            settings,
        })
    }
}

#[async_trait]
impl Instance for PapBearer {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.settings.callback_listen.is_empty() {
            let doubt = "callback_listen is empty: whether a notification reached its phone will not be known";
            doubts.push(doubt.to_owned());
        }
        let doubt = self.base.doubt(&self.settings.callback_listen);
        doubts.extend(doubt.map(|doubt| format!("callback_public_url {doubt}")));
        if self.authorization.is_some() && self.settings.url.starts_with("http://") {
            doubts.push("url is http://: the password can be read on the way".to_owned());
        }
        doubts
    }

    fn health(&self) -> Health {
        self.condition.health()
    }
}

#[async_trait]
impl Bearer for PapBearer {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        let push = push(&sms)?;
        let _turn = self.pace.take(sms.priority, &sms.on_behalf_of).await;
        let (key, now) = (PushKey::of(&sms), self.clock.now());
        let begun = self.unfinished.take(&key, now);
        let again = begun.is_some();
        let sending = begun.unwrap_or_else(|| sending(&sms, self.random.as_ref()));
        let ticket = Ticket { delivery: sms.delivery, sending: sending.clone(), part: 1, parts: 1 };
        let push_id = push_id(&self.key, &ticket, &self.node);
        let notify_to = self.notify_to(&ticket);
        let boundary = self.random.token(BOUNDARY);
        let submission = submission(&self.settings, &self.ppg_host, &sms, &push, &push_id, notify_to, &boundary);
        let mut request = Request::new(Bytes::from(submission.body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        // Letters, digits and what stands around them.
        headers.extend(HeaderValue::try_from(submission.content_type).ok().map(|value| (CONTENT_TYPE, value)));
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        // Whoever stops waiting for the answer leaves it in doubt.
        self.unfinished.keep(&key, now, sending);
        let mut outcome = outcome(self.client.send(request).await);
        self.settle(&key, again, &mut outcome);
        self.pace.note(&outcome.result, outcome.slower);
        self.condition.note(&outcome.result);
        let length = match &sms.body {
            SmsBody::Push(octets) => octets.len(),
            _ => 0,
        };
        // The gateway does not say how many it takes; as many as we would.
        let segments = u32::try_from(segments_needed(length)).unwrap_or(u32::MAX);
        outcome.result.map(|said| Sent { segments, detail: format!("PPG: {said}, push-id {push_id}") })
    }

    fn carries_text(&self) -> bool {
        false
    }

    fn callbacks(self: Arc<Self>) -> Option<Arc<dyn Serve>> {
        (!self.settings.callback_listen.is_empty()).then_some(self)
    }
    fn gives_receipts(&self) -> bool {
        !self.settings.callback_listen.is_empty()
    }
    fn window(&self) -> usize {
        self.settings.window
    }
}

impl PapBearer {
    /// What an answer means for a push that is submitted `again`, after an attempt that may have been taken.
    fn settle(&self, key: &PushKey, again: bool, outcome: &mut Outcome) {
        if again && outcome.known {
            outcome.result = Ok("taken before, only its answer was lost".to_owned());
        }
        // A gateway that cannot now says nothing of the earlier one.
        let kept = matches!(outcome.result, Err(BearerError::Retry { .. })) && (again || outcome.doubtful);
        if !kept {
            self.unfinished.forget(key);
        }
    }

    /// Where the gateway is to tell what became of a push; `None` when it is not asked to.
    fn notify_to(&self, ticket: &Ticket) -> Option<String> {
        let base = self.base.url().filter(|_| !self.settings.callback_listen.is_empty())?;
        Some(format!("{base}{PATH}{}", self.key.token(ticket)))
    }
}

fn authorization(settings: &PapSettings, env: &Env) -> Result<Option<HeaderValue>, (&'static str, String)> {
    match (&settings.username[..], &settings.password) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err(("username", "a password wants a user".to_owned())),
        (_, None) => Err(("password", "a user wants a password; write { file = … } or { env = … }".to_owned())),
        (username, Some(secret)) => {
            let password = secret.read(&env.base).map_err(|message| ("password", message))?;
            Ok(Some(basic(username, &password)))
        }
    }
}

/// The key of the tokens. Without notifications they only have to be unlike each other.
fn key(settings: &PapSettings, env: &Env) -> Result<Key, (&'static str, String)> {
    if settings.callback_listen.is_empty() {
        return Ok(Key::new(&env.random.token(BOUNDARY), "pap", &env.name));
    }
    let Some(secret) = &settings.callback_secret else {
        let message =
            "notifications want a secret that keys their tokens: { file = … } with a line of `openssl rand -hex 16`";
        return Err(("callback_secret", message.to_owned()));
    };
    let secret = secret.read(&env.base).map_err(|message| ("callback_secret", message))?;
    if secret.len() < SHORTEST_KEY {
        return Err(("callback_secret", format!("is shorter than {SHORTEST_KEY} characters")));
    }
    Ok(Key::new(&secret, "pap", &env.name))
}
