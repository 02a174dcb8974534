//! The transport: jobs in, a verdict for each out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use packetboat_api::async_trait;
use packetboat_api::clock::Clock;
use packetboat_api::mime::compose::MailOptions;
use packetboat_api::party::Party;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::roles::{Failure, Health, Instance, Job, Transport, Verdict};
use packetboat_api::serve::CancellationToken;
use packetboat_net::dns::{Lookup, Resolver};
use packetboat_net::smtp::{
    self, Client, Destination, Fault, Mail, Options, Outcome, RECIPIENTS, Refused, Reply, TlsPolicy,
};
use packetboat_net::tls::TlsClient;

use crate::letter::{Letter, Scribe};
use crate::names::Names;
use crate::route::{Route, smart_host};
use crate::settings::{MailSettings, RouteBy, Tls};

/// How soon a delivery is tried again when all connections to its destination were in use.
const BUSY: Duration = Duration::from_secs(5);
/// How often a smart host that did not answer is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How long a name server may think.
const DNS_PATIENCE: Duration = Duration::from_secs(5);

/// The mail transport.
pub struct MailTransport {
    settings: MailSettings,
    scribe: Scribe,
    route: Route,
    client: Client,
    clock: Arc<dyn Clock>,
    /// Why the smart host cannot be reached, as far as is known.
    trouble: Arc<Mutex<Option<String>>>,
    ended: CancellationToken,
}

impl Configured for MailTransport {
    type Settings = MailSettings;

    fn build(settings: MailSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let nameserver = match &settings.nameserver {
            Some(text) => Some(text.parse::<SocketAddr>().map_err(|_| {
                ("nameserver", format!("\"{text}\" is not an address and a port, such as \"127.0.0.1:53\""))
            })?),
            None => None,
        };
        let lookup = Resolver::new(nameserver, DNS_PATIENCE, env.random.clone()).map_err(|e| ("nameserver", e))?;
        MailTransport::with_lookup(settings, env, Arc::new(lookup))
    }
}

impl MailTransport {
    /// As [`Configured::build`], with the host look-up as an argument (I-12).
    pub fn with_lookup(
        settings: MailSettings,
        env: &Env,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, (&'static str, String)> {
        let helo = settings.helo.clone().unwrap_or_else(|| env.node.clone());
        let domain = settings.domain.clone().unwrap_or_else(|| env.node.clone());
        let names = Names { domain: domain.clone() };
        let postmaster = "postmaster".parse::<Party>().ok().and_then(|party| names.address(&party));
        if postmaster.is_none() {
            return Err(("domain", format!("\"{domain}\" is not a domain")));
        }
        let route = match (settings.route, &settings.smart_host) {
            (RouteBy::SmartHost, Some(host)) => Route::SmartHost(smart_host(host).map_err(|e| ("smart_host", e))?),
            (RouteBy::SmartHost, None) => {
                return Err(("smart_host", "say smart_host = \"HOST:PORT\", or route = \"mx\"".to_owned()));
            }
            (RouteBy::Mx, Some(_)) => {
                return Err(("smart_host", "route = \"mx\" uses no smart_host; keep one of the two".to_owned()));
            }
            (RouteBy::Mx, None) => {
                Route::Mx { lookup: lookup.clone(), port: settings.port, own: vec![helo.clone(), env.node.clone()] }
            }
        };
        let options = Options {
            helo,
            tls: TlsPolicy::from(settings.tls),
            credentials: credentials(&settings, env)?,
            connect_timeout: settings.connect_timeout.0,
            command_timeout: settings.command_timeout.0,
            data_timeout: settings.data_timeout.0,
            max_connections: settings.connections_per_domain,
            max_messages: settings.messages_per_connection,
            max_age: settings.connection_age.0,
            max_idle: settings.connection_idle.0,
        };
        let ca_file = settings.ca_file.as_deref().map(|file| env.path(file));
        let tls = TlsClient::new(ca_file.as_deref()).map_err(|e| ("ca_file", e))?;
        let scribe = Scribe {
            node: env.node.clone(),
            names,
            options: MailOptions {
                keep_presentation: settings.keep_presentation,
                subject_from_text: settings.subject_from_text,
            },
            random: env.random.clone(),
            stored: env.content.clone(),
        };
        let client = Client::new(options, tls, lookup, env.clock.clone());
        let clock = env.clock.clone();
        let (trouble, ended) = (Arc::default(), CancellationToken::new());
        Ok(MailTransport { settings, scribe, route, client, clock, trouble, ended })
    }

    /// The jobs of one destination, [`RECIPIENTS`] at a time.
    async fn send(&self, letter: &Letter, jobs: Vec<(&Job, smtp::Recipient)>) -> Vec<Verdict> {
        let Some(to) = jobs.first().and_then(|(job, _)| job.delivery.to.mail()) else { return Vec::new() };
        let destination = match self.route.destination(to).await {
            Ok(destination) => destination,
            Err(verdict) => return vec![verdict; jobs.len()],
        };
        let mut verdicts = Vec::with_capacity(jobs.len());
        for some in jobs.chunks(RECIPIENTS) {
            let mail = Mail {
                sender: letter.sender.clone(),
                recipients: some.iter().map(|(_, recipient)| recipient.clone()).collect(),
                envelope_id: some.first().filter(|_| letter.reportable).map(|(job, _)| envelope_id(job)),
                headers_only: letter.reportable.then_some(letter.headers_only),
                content: letter.content.clone(),
            };
            let outcome = self.client.send(&destination, &mail).await;
            self.note(&destination, &outcome);
            let judged = mail.recipients.iter().zip(&outcome.replies);
            verdicts.extend(judged.map(|(recipient, reply)| verdict(recipient, reply, &outcome)));
        }
        verdicts
    }

    /// Remembers whether the smart host could be talked to.
    fn note(&self, destination: &Destination, outcome: &Outcome) {
        let fault = outcome.replies.iter().find_map(|reply| reply.as_ref().err());
        match fault {
            Some(refused) if refused.fault == Fault::Busy => {}
            Some(refused) if refused.fault == Fault::NotReached => self.set_trouble(destination, Some(refused)),
            _ => self.set_trouble(destination, None),
        }
    }

    fn set_trouble(&self, destination: &Destination, refused: Option<&Refused>) {
        if matches!(self.route, Route::SmartHost(_)) {
            set_trouble(&self.trouble, destination, refused);
        }
    }
}

fn set_trouble(trouble: &Mutex<Option<String>>, destination: &Destination, refused: Option<&Refused>) {
    let said = refused.map(|refused| format!("the smart host {} cannot be used: {refused}", destination.name));
    *trouble.lock().unwrap_or_else(PoisonError::into_inner) = said;
}

fn credentials(settings: &MailSettings, env: &Env) -> Result<Option<(String, String)>, (&'static str, String)> {
    match (&settings.username, &settings.password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => {
            let password = password.read(&env.base).map_err(|e| ("password", e))?;
            Ok(Some((user.clone(), password)))
        }
        (Some(_), None) => Err(("username", "a username needs a password beside it".to_owned())),
        (None, Some(_)) => Err(("password", "a password needs a username beside it".to_owned())),
    }
}

/// ENVID: the message, and what only the next hop is told of it, so that a report that names it is known to come from
/// there (I-7); and the step of the route, so that a late one says nothing of the step after it.
fn envelope_id(job: &Job) -> String {
    format!("{}.{}.{}", job.message.id, job.delivery.transaction(), job.delivery.step)
}

fn verdict(recipient: &smtp::Recipient, reply: &Result<Reply, Refused>, outcome: &Outcome) -> Verdict {
    let refused = match reply {
        Ok(reply) => {
            let host = outcome.peer.as_deref().unwrap_or("the next hop");
            let how = if outcome.secure { " over TLS" } else { "" };
            let detail = format!("{host}{how}: {}", reply.to_string().replace('\n', " "));
            let wanted = recipient.notify.success && !recipient.notify.never;
            return Verdict::HandedOver { detail, reports: outcome.dsn && wanted };
        }
        Err(refused) => refused,
    };
    let why = refused.text.clone();
    match refused.fault {
        Fault::Permanent => Verdict::Failed(Failure::new(&refused.status.to_string(), why)),
        Fault::Busy => Verdict::Deferred { after: Some(BUSY), why },
        Fault::Temporary | Fault::NotReached | Fault::Unknown => Verdict::Deferred { after: None, why },
    }
}

#[async_trait]
impl Instance for MailTransport {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.settings.tls == Tls::None && self.settings.password.is_some() {
            doubts.push("tls = \"none\" sends the password in the clear".to_owned());
        }
        if self.settings.route == RouteBy::Mx && matches!(self.settings.tls, Tls::Required | Tls::Implicit) {
            doubts.push(
                "many domains' mail hosts have no certificate that verifies, and get no mail from here".to_owned(),
            );
        }
        if !self.scribe.names.domain.contains('.') {
            let domain = &self.scribe.names.domain;
            doubts.push(format!("phones send as +NUMBER@{domain}, which nobody outside can answer; set domain"));
        }
        doubts
    }

    async fn start(&self) -> Result<(), String> {
        if let Route::SmartHost(destination) = &self.route {
            let (client, clock) = (self.client.clone(), self.clock.clone());
            let (trouble, ended) = (self.trouble.clone(), self.ended.clone());
            tokio::spawn(watch(client, destination.clone(), clock, trouble, ended));
        }
        Ok(())
    }

    async fn drain(&self) {
        self.ended.cancel();
        self.client.close().await;
    }

    fn health(&self) -> Health {
        match &*self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(trouble) => Health::Degraded(trouble.clone()),
            None => Health::Well,
        }
    }
}

/// Looks whether the smart host answers: once at the start, and again while it does not.
async fn watch(
    client: Client,
    destination: Destination,
    clock: Arc<dyn Clock>,
    trouble: Arc<Mutex<Option<String>>>,
    ended: CancellationToken,
) {
    let mut look = true;
    loop {
        if look {
            let answer = tokio::select! {
                answer = client.probe(&destination) => answer,
                () = ended.cancelled() => return,
            };
            set_trouble(&trouble, &destination, answer.as_ref().err());
        }
        tokio::select! {
            () = clock.sleep_until(clock.now().after(LOOK_AGAIN)) => {}
            () = ended.cancelled() => return,
        }
        look = trouble.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    }
}

#[async_trait]
impl Transport for MailTransport {
    fn group(&self, to: &Party) -> Option<String> {
        self.route.group(to)
    }

    async fn deliver(&self, jobs: &[Job]) -> Vec<Verdict> {
        let Some(first) = jobs.first() else { return Vec::new() };
        let letter = match self.scribe.letter(first).await {
            Ok(letter) => letter,
            Err(verdict) => return vec![verdict; jobs.len()],
        };
        let mut verdicts: Vec<Option<Verdict>> = vec![None; jobs.len()];
        let mut groups: BTreeMap<String, Vec<(usize, &Job, smtp::Recipient)>> = BTreeMap::new();
        for (place, job) in jobs.iter().enumerate() {
            let recipient = self.scribe.recipient(&letter, &job.recipient);
            match (self.route.group(&job.delivery.to), recipient) {
                (Some(group), Some(recipient)) => groups.entry(group).or_default().push((place, job, recipient)),
                _ => {
                    let why = format!("{} is not a mail address that can be written to", job.delivery.to);
                    verdicts[place] = Some(Verdict::Failed(Failure::new("5.1.3", why)));
                }
            }
        }
        for group in groups.into_values() {
            let places: Vec<usize> = group.iter().map(|(place, ..)| *place).collect();
            let jobs = group.into_iter().map(|(_, job, recipient)| (job, recipient)).collect();
            for (place, verdict) in places.into_iter().zip(self.send(&letter, jobs).await) {
                verdicts[place] = Some(verdict);
            }
        }
        let unsaid =
            || Verdict::Deferred { after: None, why: "the next hop said nothing of this recipient".to_owned() };
        verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(unsaid)).collect()
    }

    fn concurrency(&self) -> usize {
        self.settings.concurrency
    }

    /// A connection, the commands of a transaction and the message, each as slow as it may be, with some to spare.
    fn time_limit(&self) -> Duration {
        let settings = &self.settings;
        settings.connect_timeout.0 * 4 + settings.command_timeout.0 * 4 + settings.data_timeout.0
    }
}
