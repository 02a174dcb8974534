//! The bearer: what is sent becomes requests to the gateway.
//!
//! Failure story: the requests of one sending go out one after the other, and the first that fails ends it. A repetition
//! goes on there, under the same reference and with the same ids. A request whose answer did not come may have arrived; a
//! phone knows the second copy of a short message by its reference and number. A gateway that says "later" gets less at once until it does not any
//! more. A template that cannot be rendered for one message fails that message and no other.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, Random};
use packetboat_api::message::Priority;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Witness;
use packetboat_api::roles::{Bearer, BearerError, Health, Instance, Sent, Sms, SmsBody};
use packetboat_api::serve::{Listen, Serve};
use packetboat_net::bearer::{
    Begun, Condition, Content, Cut, Key, Pace, Piece, PushKey, References, Tallies, Ticket, Unfinished,
    may_have_arrived, of_part, pieces, sending,
};
use packetboat_net::callback::Base;
use packetboat_net::http::{Client, Options, basic};
use packetboat_sms::{Alphabet, Ports, Reference, ReferenceWidth};

use crate::answer::{Outcome, Reading};
use crate::arrivals::Post;
use crate::limits::{ANSWER, SHORTEST_KEY, WIDEST_WINDOW};
use crate::receipts;
use crate::request::{Form, Kind, Values};
use crate::settings::{HttpSmsSettings, NumberFormat};
use crate::template::Templates;

/// One gateway.
pub struct HttpSms {
    pub(crate) name: String,
    pub(crate) settings: HttpSmsSettings,
    /// Makes and knows the tokens of receipts, when there are callbacks.
    pub(crate) key: Option<Key>,
    pub(crate) tallies: Tallies,
    pub(crate) witness: Arc<dyn Witness>,
    pub(crate) base: Base,
    pub(crate) post: Option<Post>,
    push: Option<Form>,
    text: Option<Form>,
    templates: Templates,
    secrets: BTreeMap<String, String>,
    authorization: Option<HeaderValue>,
    reading: Reading,
    client: Client,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    references: References,
    unfinished: Unfinished<Begun>,
    pace: Pace,
    condition: Condition,
}

impl Configured for HttpSms {
    type Settings = HttpSmsSettings;

    fn build(settings: HttpSmsSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let listen = Listen { listen: settings.callback_listen.clone(), ..Listen::default() };
        listen.check().map_err(|(_, message)| ("callback_listen", message))?;
        let base = Base::new(&settings.callback_public_url).map_err(|message| ("callback_public_url", message))?;
        if !(1..=WIDEST_WINDOW).contains(&settings.window) {
            return Err(("window", format!("{} is not from 1 to {WIDEST_WINDOW} messages", settings.window)));
        }
        let mut secrets = BTreeMap::new();
        for (name, secret) in &settings.secrets {
            let secret = secret.read(&env.base).map_err(|message| ("secrets", format!("{name}: {message}")))?;
            secrets.insert(name.clone(), secret);
        }
        let options = Options {
            connect_timeout: settings.connect_timeout.0,
            timeout: settings.timeout.0,
            max_body: ANSWER,
            ca_file: settings.ca_file.as_ref().map(|path| env.path(path)),
            ..Options::default()
        };
        let key = key(&settings, env)?;
        let mut templates = Templates::new();
        let push = Form::new(Kind::Push, &settings.push, &mut templates)?;
        let text = Form::new(Kind::Text, &settings.text, &mut templates)?;
        if push.is_none() && text.is_none() {
            return Err((
                "push.url",
                "say the request for pushes (push.url), for words (text.url), or both".to_owned(),
            ));
        }
        let bearer = HttpSms {
            name: env.name.clone(),
            authorization: authorization(&settings, env)?,
            reading: Reading::new(&settings)?,
            client: Client::new(&options).map_err(|error| ("ca_file", error.to_string()))?,
            post: Post::new(&settings.arrivals, key.as_ref().unwrap_or(&Key::new("", "http_sms", &env.name)), env)?,
            key,
            tallies: Tallies::default(),
            witness: env.witness.clone(),
            base,
            push,
            text,
            templates,
            secrets,
            clock: env.clock.clone(),
            random: env.random.clone(),
            references: References::new(env.random.as_ref()),
            unfinished: Unfinished::default(),
            pace: Pace::new(settings.window),
            condition: Condition::default(),
            settings,
        };
        bearer.rehearse()?;
        Ok(bearer)
    }
}

#[async_trait]
impl Instance for HttpSms {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let settings = &self.settings;
        if !self.has_receipts() {
            doubts.push(
                "there are no receipts (callback_listen, receipts.status): whether a notification reached its phone will not be known"
                    .to_owned(),
            );
        }
        if self.push.is_none() {
            doubts.push("push.url is empty: notifications cannot be carried, only words".to_owned());
        }
        doubts.extend(self.base.doubt(&settings.callback_listen).map(|doubt| format!("callback_public_url {doubt}")));
        if self.post.is_some() && settings.callback_listen.is_empty() {
            doubts
                .push("callback_listen is empty: short messages that arrive have nowhere to be brought to".to_owned());
        }
        for (key, request) in [("push.url", &settings.push), ("text.url", &settings.text)] {
            let secret = self.authorization.is_some() || !self.secrets.is_empty();
            if secret && request.url.starts_with("http://") {
                doubts.push(format!("{key} is http://: secrets can be read on the way"));
            }
        }
        doubts
    }

    fn health(&self) -> Health {
        self.condition.health()
    }
}

#[async_trait]
impl Bearer for HttpSms {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        let (form, ports) = self.form(&sms.body)?;
        if self.has_receipts() && self.base.url().is_none() {
            let why = "callback_listen is not bound yet, and a template may name callback_url".to_owned();
            return Err(BearerError::Retry { after: None, why });
        }
        let _turn = self.pace.take(sms.priority, &sms.on_behalf_of).await;
        let (key, now) = (PushKey::of(&sms), self.clock.now());
        let mut begun = self.unfinished.take(&key, now).unwrap_or_else(|| self.begin(&sms));
        let (pieces, parts) = pieces(&begun.body, begun.reference, form.cut)?;
        for (part, piece) in (1..).zip(&pieces).skip(begun.taken.len()) {
            // A gateway that cuts reports on the whole.
            let (of, all) = if form.cut == Cut::There { (1, 1) } else { (part, parts) };
            let ticket = Ticket { delivery: sms.delivery, sending: begun.sending.clone(), part: of, parts: all };
            let values = Values {
                piece,
                ports,
                to: self.number(sms.to.digits()),
                to_digits: sms.to.digits(),
                from: sms.from.as_deref().unwrap_or(&self.settings.from),
                part,
                parts,
                reference: number(begun.reference),
                id: format!("{}-{}-{part}", sms.delivery, begun.sending),
                delivery: sms.delivery.to_string(),
                priority: sms.priority,
                validity_seconds: now.until(sms.expires).as_secs().max(1),
                receipt: self.receipt(&ticket),
            };
            self.unfinished.launch(&key, now, &begun);
            let (outcome, arrived) = match self.ask(form, &values).await {
                Ok(answered) => answered,
                Err(error) => {
                    self.unfinished.forget(&key);
                    return Err(error);
                }
            };
            self.pace.note(&outcome.result, outcome.slower);
            self.condition.note(&outcome.result);
            let landed = self.unfinished.land(&key, now, begun, outcome.result, arrived);
            begun = landed.map_err(|error| of_part(error, part, pieces.len()))?;
        }
        self.unfinished.forget(&key);
        Ok(Sent { segments: parts.into(), detail: format!("gateway: {}", begun.taken.join(", ")) })
    }

    fn carries_text(&self) -> bool {
        self.text.is_some()
    }

    fn callbacks(self: Arc<Self>) -> Option<Arc<dyn Serve>> {
        (!self.settings.callback_listen.is_empty()).then_some(self)
    }
    fn gives_receipts(&self) -> bool {
        self.key.is_some() && self.has_receipts()
    }
    fn window(&self) -> usize {
        self.settings.window
    }
}

impl HttpSms {
    /// The request for a body, and the ports it is for.
    fn form(&self, body: &SmsBody) -> Result<(&Form, Option<Ports>), BearerError> {
        let (form, ports, key) = match body {
            SmsBody::Push(_) => (&self.push, Some(Ports::WAP_PUSH), "push.url"),
            SmsBody::Data { destination, originator, .. } => {
                (&self.push, Some(Ports { destination: *destination, originator: *originator }), "push.url")
            }
            SmsBody::Text(_) => (&self.text, None, "text.url"),
        };
        let why = || format!("this gateway is given no such request ({key} of {} is empty)", self.name);
        form.as_ref().map(|form| (form, ports)).ok_or_else(|| BearerError::Permanent { why: why() })
    }

    fn begin(&self, sms: &Sms) -> Begun {
        let width = if self.settings.wide_reference { ReferenceWidth::Sixteen } else { ReferenceWidth::Eight };
        Begun::new(sms, self.references.next(&sms.to, width), sending(sms, self.random.as_ref()))
    }

    /// What the gateway says, and whether the request may have arrived although it says nothing.
    async fn ask(&self, form: &Form, values: &Values<'_>) -> Result<(Outcome, bool), BearerError> {
        let made = form.request(&self.templates, &self.secrets, values);
        let mut request = made.map_err(|(key, message)| BearerError::Permanent { why: format!("{key}: {message}") })?;
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self.client.send(request).await;
        let arrived = may_have_arrived(&answer);
        Ok((self.reading.read(answer), arrived))
    }

    fn has_receipts(&self) -> bool {
        !self.settings.callback_listen.is_empty() && !self.settings.receipts.status.is_empty()
    }

    /// The token of a receipt, and the address it comes to; `None` when none is asked for.
    fn receipt(&self, ticket: &Ticket) -> Option<(String, String)> {
        let key = self.key.as_ref().filter(|_| self.has_receipts())?;
        let token = key.token(ticket);
        let url = format!("{}{}/{token}", self.base.url()?, receipts::PATH);
        Some((token, url))
    }

    fn number(&self, digits: &str) -> String {
        let prefix = match self.settings.number_format {
            NumberFormat::Plus => "+",
            NumberFormat::Zeros => "00",
            NumberFormat::Digits => "",
        };
        format!("{prefix}{digits}")
    }

    /// Makes a request of each kind, without sending it: a variable that is none, or an address that is none, is found before
    /// the first message.
    fn rehearse(&self) -> Result<(), (&'static str, String)> {
        let octets = Piece { udh: vec![2, 0x70, 0].into(), content: Content::Octets(vec![1, 6, 0].into()) };
        let words = Piece { udh: vec![2, 0x70, 0].into(), content: Content::Words("Hello".to_owned(), Alphabet::Gsm7) };
        let kinds = [(&self.push, &octets, Some(Ports::WAP_PUSH)), (&self.text, &words, None)];
        let receipt = self.has_receipts().then(|| ("token".to_owned(), "http://callback.example/token".to_owned()));
        for (form, piece, ports) in
            kinds.into_iter().filter_map(|(form, piece, ports)| Some((form.as_ref()?, piece, ports)))
        {
            let values = Values {
                piece,
                ports,
                to: self.number("447700900123"),
                to_digits: "447700900123",
                from: &self.settings.from,
                part: 1,
                parts: 1,
                reference: 1,
                id: "sample".to_owned(),
                delivery: "sample".to_owned(),
                priority: Priority::Normal,
                validity_seconds: 3600,
                receipt: receipt.clone(),
            };
            form.request(&self.templates, &self.secrets, &values)?;
        }
        Ok(())
    }
}

fn number(reference: Reference) -> u16 {
    match reference {
        Reference::Eight(number) => number.into(),
        Reference::Sixteen(number) => number,
    }
}

fn authorization(settings: &HttpSmsSettings, env: &Env) -> Result<Option<HeaderValue>, (&'static str, String)> {
    let value = match (&settings.bearer_token, &settings.password) {
        (Some(_), Some(_)) => return Err(("bearer_token", "say a password or a bearer_token, not both".to_owned())),
        (Some(_), None) if !settings.username.is_empty() => {
            return Err(("bearer_token", "goes without a username; leave one of them out".to_owned()));
        }
        (Some(token), None) => {
            format!("Bearer {}", token.read(&env.base).map_err(|message| ("bearer_token", message))?)
        }
        (None, Some(password)) if !settings.username.is_empty() => {
            let password = password.read(&env.base).map_err(|message| ("password", message))?;
            return Ok(Some(basic(&settings.username, &password)));
        }
        (None, Some(_)) => return Err(("username", "a password wants a user".to_owned())),
        (None, None) if !settings.username.is_empty() => {
            return Err(("password", "a user wants a password; write { file = … } or { env = … }".to_owned()));
        }
        (None, None) => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| ("bearer_token", "has a control character in it, which no header field takes".to_owned()))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The key of the tokens of receipts; `None` when nothing calls back with one.
fn key(settings: &HttpSmsSettings, env: &Env) -> Result<Option<Key>, (&'static str, String)> {
    let receipts = &settings.receipts;
    if settings.callback_listen.is_empty() || receipts.status.is_empty() {
        return Ok(None);
    }
    let Some(secret) = &settings.callback_secret else {
        let message =
            "receipts want a secret that keys their tokens: { file = … } with a line of `openssl rand -hex 16`";
        return Err(("callback_secret", message.to_owned()));
    };
    let secret = secret.read(&env.base).map_err(|message| ("callback_secret", message))?;
    if secret.len() < SHORTEST_KEY {
        return Err(("callback_secret", format!("is shorter than {SHORTEST_KEY} characters")));
    }
    Ok(Some(Key::new(&secret, "http_sms", &env.name)))
}
