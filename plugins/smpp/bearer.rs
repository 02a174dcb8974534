//! The bearer: a push becomes short messages, each waits for its turn, and the SMSC's answers become the push's outcome.
//!
//! The short messages of one push go out one after the other, each under a turn of its own, so that the window is shared
//! fairly. What the SMSC throttles is offered again at the pace it allows; what it refuses for now goes back to the queue;
//! what is in doubt is remembered ([`crate::sending`]).

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use packetboat_api::async_trait;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::roles::{Bearer, BearerError, Health, Instance, Sent, Sms};
use packetboat_api::serve::CancellationToken;
use packetboat_net::bearer::{Inbox, PushKey, References, Tallies, Turns, of_part, sending};
use packetboat_net::tls::TlsClient;
use packetboat_sms::ReferenceWidth;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::core::{Core, Flight};
use crate::limits::{
    LINK_PATIENCE, LOSSES, MAX_CONNECTIONS, MAX_WINDOW, THROTTLE_PATIENCE, THROTTLE_RETRY, TURN_PATIENCE,
};
use crate::link::{Link, Place, Use};
use crate::sending::{Sending, Step};
use crate::settings::{Bind, Receipts, SmppSettings, Tls};
use crate::status::{Class, Status};
use crate::submit::{Around, cut, source, text};
use crate::wire::Address;

/// One SMSC.
pub struct SmppBearer {
    core: Arc<Core>,
    places: Vec<Place>,
    tls: Option<TlsClient>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Configured for SmppBearer {
    type Settings = SmppSettings;

    fn build(settings: SmppSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let places = check(&settings)?;
        let password = match &settings.password {
            Some(secret) => secret.read(&env.base).map_err(|message| ("password", message))?,
            None => String::new(),
        };
        if text::<9>("password", &password).is_err() {
            let message = "SMPP passwords have at most 8 characters, all of them ASCII".to_owned();
            return Err(("password", message));
        }
        let ca_file = settings.ca_file.as_deref().map(|path| env.path(path));
        let tls = match settings.tls {
            Tls::None => None,
            _ => Some(TlsClient::new(ca_file.as_deref()).map_err(|message| ("ca_file", message))?),
        };
        let uses: &[Use] = match settings.bind {
            Bind::Transceiver => &[Use::Transceiver],
            Bind::Transmitter => &[Use::Transmitter],
            Bind::Receiver => &[Use::Receiver],
            Bind::TransmitterAndReceiver => &[Use::Transmitter, Use::Receiver],
        };
        let mut links = Vec::new();
        for place in &places {
            for number in 1..=settings.connections {
                links.extend(uses.iter().map(|using| Arc::new(Link::new(place.clone(), *using, number))));
            }
        }
        let core = Core {
            name: env.name.clone(),
            password,
            witness: env.witness.clone(),
            inbox: Inbox::new(&env.name, env.arrivals.clone(), env.clock.clone()),
            tallies: Tallies::default(),
            tickets: Default::default(),
            unfinished: Default::default(),
            turns: Turns::new(settings.window),
            pace: Default::default(),
            references: References::new(env.random.as_ref()),
            clock: env.clock.clone(),
            random: env.random.clone(),
            links,
            changed: Arc::default(),
            wanted: Notify::new(),
            drain: CancellationToken::new(),
            trouble: Mutex::default(),
            started: false.into(),
            settings,
        };
        Ok(SmppBearer { core: Arc::new(core), places, tls, tasks: Mutex::default() })
    }
}

/// What the settings themselves make impossible.
fn check(settings: &SmppSettings) -> Result<Vec<Place>, (&'static str, String)> {
    if settings.addresses.is_empty() {
        return Err(("addresses", "say where the SMSC is: addresses = [\"smsc.example.net:2775\"]".to_owned()));
    }
    let places: Result<Vec<Place>, String> = settings.addresses.iter().map(|text| Place::read(text)).collect();
    let places = places.map_err(|message| ("addresses", message))?;
    if settings.system_id.is_empty() {
        return Err(("system_id", "the SMSC wants to know who we are; name our account here".to_owned()));
    }
    if settings.connections == 0 || settings.connections * places.len() > MAX_CONNECTIONS {
        let message = format!("from 1 connection to each address up to {MAX_CONNECTIONS} in all");
        return Err(("connections", message));
    }
    if !(1..=MAX_WINDOW).contains(&settings.window) {
        return Err(("window", format!("between 1 and {MAX_WINDOW}")));
    }
    text::<16>("system_id", &settings.system_id).map_err(|message| ("system_id", message))?;
    text::<13>("system_type", &settings.system_type).map_err(|message| ("system_type", message))?;
    text::<41>("address_range", &settings.address_range).map_err(|message| ("address_range", message))?;
    text::<6>("service_type", &settings.service_type).map_err(|message| ("service_type", message))?;
    source(None, settings).map_err(|message| ("source", message))?;
    if !settings.number_prefix.is_ascii() || settings.number_prefix.len() > 5 {
        return Err(("number_prefix", "at most 5 characters, all of them ASCII".to_owned()));
    }
    let periods = [
        ("connect_timeout", settings.connect_timeout),
        ("response_timeout", settings.response_timeout),
        ("late_timeout", settings.late_timeout),
        ("enquire_link", settings.enquire_link),
        ("reconnect_min", settings.reconnect_min),
        ("reconnect_max", settings.reconnect_max),
    ];
    if let Some((key, _)) = periods.into_iter().find(|(_, period)| period.0.is_zero()) {
        return Err((key, "longer than no time at all".to_owned()));
    }
    if settings.late_timeout.0 < settings.response_timeout.0 {
        return Err(("late_timeout", "not shorter than response_timeout".to_owned()));
    }
    if settings.reconnect_max.0 < settings.reconnect_min.0 {
        return Err(("reconnect_max", "not shorter than reconnect_min".to_owned()));
    }
    Ok(places)
}

#[async_trait]
impl Instance for SmppBearer {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let settings = &self.core.settings;
        if settings.tls == Tls::None && self.places.iter().any(|place| !place.is_loopback()) {
            doubts.push(
                "tls is \"none\" and the SMSC is on another machine: the password and all messages cross the network in the \
                 clear"
                    .to_owned(),
            );
        }
        if settings.tls == Tls::Unverified {
            doubts.push("tls is \"unverified\": whoever answers at the address gets the password".to_owned());
        }
        if settings.password.is_none() {
            doubts.push("password is not set: few SMSCs take a bind without one".to_owned());
        }
        if settings.registered_delivery != Receipts::None && settings.bind == Bind::Transmitter {
            doubts.push(
                "registered_delivery asks for receipts and bind is \"transmitter\": they arrive nowhere; \
                 \"transmitter_and_receiver\" takes them"
                    .to_owned(),
            );
        }
        if settings.registered_delivery == Receipts::None && settings.bind.sends() {
            doubts.push(
                "registered_delivery is \"none\": whether a notification reached its phone will not be known"
                    .to_owned(),
            );
        }
        doubts
    }

    async fn start(&self) -> Result<(), String> {
        self.core.started.store(true, Ordering::Relaxed);
        let keep = |link: &Arc<Link>| tokio::spawn(link.clone().keep(self.core.clone(), self.tls.clone()));
        self.lock().extend(self.core.links.iter().map(keep));
        Ok(())
    }

    async fn drain(&self) {
        self.core.drain.cancel();
        let tasks = std::mem::take(&mut *self.lock());
        for task in tasks {
            let _ = task.await; // a connection that panicked has ended too
        }
    }

    fn health(&self) -> Health {
        let links = &self.core.links;
        let well = links.iter().filter(|link| link.is_well()).count();
        let trouble = links.iter().find_map(|link| link.trouble());
        if well == 0 {
            return Health::Down(trouble.unwrap_or_else(|| "not bound yet".to_owned()));
        }
        if let Some(trouble) = trouble {
            return Health::Degraded(format!("{well} of {} connections are bound; {trouble}", links.len()));
        }
        if let Some(interval) = self.core.pace.slowed(Instant::now()) {
            let rate = 1.0 / interval.as_secs_f64();
            return Health::Degraded(format!("the SMSC throttles us: {rate:.1} short messages a second"));
        }
        let trouble = self.core.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map_or(Health::Well, |why| Health::Degraded(why.clone()))
    }
}

#[async_trait]
impl Bearer for SmppBearer {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        let result = self.carry(&sms).await;
        let trouble = match &result {
            // What is wrong with one message is not the SMSC's trouble.
            Ok(_) | Err(BearerError::Permanent { .. }) => None,
            Err(BearerError::Retry { why, .. }) => Some(why.clone()),
        };
        self.core.note(trouble);
        result
    }
    fn gives_receipts(&self) -> bool {
        let settings = &self.core.settings;
        settings.registered_delivery == Receipts::Final && settings.bind.receives()
    }
    fn window(&self) -> usize {
        let settings = &self.core.settings;
        settings.window * settings.connections * settings.addresses.len()
    }
}

impl SmppBearer {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(&self, sms: &Sms) -> Result<Sent, BearerError> {
        let core = &self.core;
        let settings = &core.settings;
        if !settings.bind.sends() {
            return Err(permanent("this bearer only receives (bind = \"receiver\")"));
        }
        let source = source(sms.from.as_deref(), settings).map_err(permanent)?;
        let width = if settings.wide_reference { ReferenceWidth::Sixteen } else { ReferenceWidth::Eight };
        let key = PushKey::of(sms);
        let sending = core.unfinished.resume(&key, core.clock.now(), || {
            let parts = cut(&sms.body, core.references.next(&sms.to, width), settings).map_err(permanent)?;
            Ok(Sending::new(sms, sending(sms, core.random.as_ref()), parts))
        })?;
        let mut ids = Vec::with_capacity(sending.parts.len());
        for at in 0..sending.parts.len() {
            match self.carry_part(sms, &source, &sending, at).await {
                Ok(id) => ids.push(id),
                Err(error) => {
                    match error {
                        BearerError::Retry { .. } => core.unfinished.put_back(&key, &sending),
                        BearerError::Permanent { .. } => core.unfinished.done(&key),
                    }
                    let part = u8::try_from(at + 1).unwrap_or(u8::MAX); // at most 255: MAX_SEGMENTS
                    return Err(of_part(error, part, sending.parts.len()));
                }
            }
        }
        core.unfinished.done(&key);
        let segments = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        Ok(Sent { segments, detail: format!("SMSC id {}", ids.join(", ")) })
    }

    /// Sends one part until the SMSC has it; gives its id.
    async fn carry_part(
        &self,
        sms: &Sms,
        source: &Address,
        sending: &Arc<Sending>,
        at: usize,
    ) -> Result<String, BearerError> {
        let core = &self.core;
        let (mut losses, mut throttled) = (0, None);
        loop {
            match sending.step(at) {
                Step::Taken(id) => return Ok(id),
                Step::Missing => self.launch(sms, source, sending, at).await?,
                Step::Flying(since) => {
                    let limit = core.settings.response_timeout;
                    // Another attempt may have sent it long ago: it is waited for as long again.
                    let end = (since + limit.0).max(Instant::now() + limit.0 / 2);
                    if !sending.landed(at, end).await {
                        let why = format!(
                            "the SMSC did not answer within {limit} (response_timeout); its answer may still come"
                        );
                        return Err(BearerError::Retry { after: Some(limit.0), why });
                    }
                }
                Step::Lost(why) => {
                    losses += 1;
                    if losses > LOSSES {
                        return Err(retry(format!("the connection to the SMSC was lost again and again: {why}")));
                    }
                }
                Step::Refused(status) => self.refused(status, &mut throttled)?,
            }
        }
    }

    /// What a refusal means: an error, or another try.
    fn refused(&self, status: Status, throttled: &mut Option<Instant>) -> Result<(), BearerError> {
        match status.class() {
            Class::Slower => {
                let since = *throttled.get_or_insert_with(Instant::now);
                match since.elapsed() < THROTTLE_PATIENCE {
                    true => Ok(()),
                    false => {
                        let why = format!("the SMSC asks for less: {status}");
                        Err(BearerError::Retry { after: Some(THROTTLE_RETRY), why })
                    }
                }
            }
            Class::Never => Err(permanent(format!("the SMSC refused: {status}"))),
            Class::SetUp(setting) => Err(retry(format!("the SMSC refused: {status}; look at {setting}"))),
            Class::Ok | Class::Later | Class::Session => Err(retry(format!("the SMSC cannot now: {status}"))),
        }
    }

    /// Waits for a turn, the pace and a connection, and gives a part to it.
    async fn launch(&self, sms: &Sms, source: &Address, sending: &Arc<Sending>, at: usize) -> Result<(), BearerError> {
        let core = &self.core;
        if core.draining() {
            return Err(retry("this node is ending, or has not begun"));
        }
        // Ready before its turn comes: the window is not held up by what can be done outside it.
        let (to, priority, expires) = (&sms.to, sms.priority, sms.expires);
        let around = Around { to, source, priority, expires, now: core.clock.now() };
        let octets = sending.parts.encode(at, &around, &core.settings).map_err(permanent)?;
        let line = core.turns.take(sms.priority, &sms.on_behalf_of);
        let Ok(turn) = timeout(TURN_PATIENCE, line).await else {
            return Err(retry(format!("no turn within {} s: {}", TURN_PATIENCE.as_secs(), core.why_not())));
        };
        while let Err(next) = core.pace.admit(Instant::now()) {
            sleep_until(next).await;
        }
        let Some((connection, load)) = core.place(Instant::now() + LINK_PATIENCE).await else {
            return Err(retry(core.why_not()));
        };
        if sending.fly(at, Instant::now()) {
            let flight = Flight::new(sending.clone(), at, octets, turn, load);
            // A connection that ended meanwhile drops the flight, which says so.
            let _ = connection.send(flight).await;
        }
        Ok(())
    }
}

fn permanent(why: impl Into<String>) -> BearerError {
    BearerError::Permanent { why: why.into() }
}

fn retry(why: impl Into<String>) -> BearerError {
    BearerError::Retry { after: None, why: why.into() }
}
