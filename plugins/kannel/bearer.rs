//! The bearer: what is sent becomes requests to smsbox.
//!
//! Failure story: the requests of one sending go out one after the other, and the first that fails ends it. A repetition
//! goes on there, under the same reference. A request whose answer did not come may have arrived, so that a phone may get a
//! short message twice: it knows the second by its reference and number, or a notification by its transaction id. A Kannel
//! that says "later" gets less at once until it does not any more.

use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, Random};
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Witness;
use packetboat_api::roles::{Bearer, BearerError, Health, Instance, Sent, Sms};
use packetboat_api::serve::{Listen, Serve};
use packetboat_net::bearer::{
    Begun, Condition, Cut, Key, Pace, PushKey, References, Tallies, Ticket, Unfinished, may_have_arrived, of_part,
    pieces, sending,
};
use packetboat_net::callback::Base;
use packetboat_net::http::{Client, Options, is_http};
use packetboat_sms::ReferenceWidth;

use crate::arrivals::Post;
use crate::limits::{ANSWER, WIDEST_WINDOW};
use crate::receipts;
use crate::request::{Common, outcome};
use crate::settings::{KannelSettings, Segmentation};

/// One Kannel gateway.
pub struct KannelBearer {
    pub(crate) name: String,
    pub(crate) settings: KannelSettings,
    pub(crate) key: Key,
    pub(crate) tallies: Tallies,
    pub(crate) witness: Arc<dyn Witness>,
    /// Where callbacks are taken.
    pub(crate) base: Base,
    /// Takes what arrives, when the settings let somebody bring it.
    pub(crate) post: Option<Post>,
    password: String,
    client: Client,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    references: References,
    unfinished: Unfinished<Begun>,
    pace: Pace,
    condition: Condition,
}

impl Configured for KannelBearer {
    type Settings = KannelSettings;

    fn build(settings: KannelSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        if !is_http(&settings.url) {
            return Err(("url", format!("\"{}\" is not an http:// or https:// address", settings.url)));
        }
        let listen = Listen { listen: settings.dlr_listen.clone(), ..Listen::default() };
        listen.check().map_err(|(_, message)| ("dlr_listen", message))?;
        let base = Base::new(&settings.dlr_public_url).map_err(|message| ("dlr_public_url", message))?;
        if !(1..=WIDEST_WINDOW).contains(&settings.window) {
            return Err(("window", format!("{} is not from 1 to {WIDEST_WINDOW} messages", settings.window)));
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
        let key = Key::new(&password, "kannel", &env.name);
        Ok(KannelBearer {
            name: env.name.clone(),
            post: Post::new(&settings, &key, env)?,
            key,
            tallies: Tallies::default(),
            witness: env.witness.clone(),
            base,
            password,
            client,
            clock: env.clock.clone(),
            random: env.random.clone(),
            references: References::new(env.random.as_ref()),
            unfinished: Unfinished::default(),
            pace: Pace::new(settings.window),
            condition: Condition::default(),
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
        doubts.extend(self.base.doubt(&settings.dlr_listen).map(|doubt| format!("dlr_public_url {doubt}")));
        if self.post.is_some() && settings.dlr_listen.is_empty() {
            doubts.push("dlr_listen is empty: short messages that arrive have nowhere to be brought to".to_owned());
        }
        doubts
    }

    fn health(&self) -> Health {
        self.condition.health()
    }
}

#[async_trait]
impl Bearer for KannelBearer {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        let cut = match self.settings.segmentation {
            Segmentation::Packetboat => Cut::Here,
            // The receipt is then that of the first short message only, so that a ticket says "1 of" as many.
            Segmentation::Kannel => Cut::There,
        };
        let _turn = self.pace.take(sms.priority, &sms.on_behalf_of).await;
        let (key, now) = (PushKey::of(&sms), self.clock.now());
        let mut begun = self.unfinished.take(&key, now).unwrap_or_else(|| self.begin(&sms));
        let (pieces, parts) = pieces(&begun.body, begun.reference, cut)?;
        let to = format!("{}{}", self.settings.number_prefix, sms.to.digits());
        let common = Common {
            password: &self.password,
            to: &to,
            from: sms.from.as_deref().unwrap_or(&self.settings.from),
            priority: sms.priority,
            validity: (now.until(sms.expires).as_secs() / 60).max(1),
        };
        for (part, piece) in (1..).zip(&pieces).skip(begun.taken.len()) {
            let ticket = Ticket { delivery: sms.delivery, sending: begun.sending.clone(), part, parts };
            let dlr_url = self.report_base().map(|base| receipts::address(base, &self.key.token(&ticket)));
            let url = common.url(&self.settings, piece, dlr_url.as_deref());
            self.unfinished.launch(&key, now, &begun);
            let answer = self.client.get(&url).await;
            let arrived = may_have_arrived(&answer);
            let outcome = outcome(answer);
            self.pace.note(&outcome.result, outcome.slower);
            self.condition.note(&outcome.result);
            let landed = self.unfinished.land(&key, now, begun, outcome.result, arrived);
            begun = landed.map_err(|error| of_part(error, part, pieces.len()))?;
        }
        self.unfinished.forget(&key);
        let detail = begun.taken.pop().unwrap_or_default();
        Ok(Sent { segments: parts.into(), detail: format!("Kannel: {detail}") })
    }

    fn callbacks(self: Arc<Self>) -> Option<Arc<dyn Serve>> {
        (!self.settings.dlr_listen.is_empty()).then_some(self)
    }
    fn gives_receipts(&self) -> bool {
        self.report_base().is_some() && self.settings.dlr_mask & 1 != 0
    }
    fn window(&self) -> usize {
        self.settings.window
    }
}

impl KannelBearer {
    fn begin(&self, sms: &Sms) -> Begun {
        let width = if self.settings.wide_reference { ReferenceWidth::Sixteen } else { ReferenceWidth::Eight };
        Begun::new(sms, self.references.next(&sms.to, width), sending(sms, self.random.as_ref()))
    }

    /// What the addresses of reports begin with; `None` when none are asked for.
    fn report_base(&self) -> Option<&str> {
        let asked = !self.settings.dlr_listen.is_empty() && self.settings.dlr_mask != 0;
        asked.then(|| self.base.url()).flatten()
    }
}
