//! `packetboat lab`: the daemon on loopback with five virtual handsets and a mailbox, to see the whole road at once.
//!
//! Not a mock-up: a configuration file is written, decoded and run as `packetboat run` would; the handsets reach it through
//! the `lab` bearer and the handset door only, the mailbox through SMTP only.
//!
//! - [`place`]: the directory, the configuration, the ports;
//! - [`handset`] with [`compose`]: a phone; [`mailbox`]: a mail server and a person; [`thread`]: what each has;
//! - [`web`]: the page and what it asks for; [`terminal`]: the road, a line a step.

mod compose;
mod handset;
mod mailbox;
mod place;
mod terminal;
mod thread;
mod web;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::{Random, SystemRandom};
use packetboat_api::delivery::Delivery;
use packetboat_api::evidence::Fact;
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::Msisdn;
use packetboat_api::serve::CancellationToken;
use packetboat_pipeline::Road;
use tokio::net::TcpListener;

use self::handset::{Handset, Nature};
use self::mailbox::Mailbox;
use self::place::{DOMAIN, Place, Plan, Ports};
use self::thread::Changes;
use crate::cli::LabOptions;
use crate::config::{Config, read};
use crate::metrics::Metrics;
use crate::run::{start_logging, stop_signal};
use crate::send::{Attachment, Letter};
use crate::system::{StartError, System};
use crate::{admin, failed, runtime};

/// The people of the laboratory. The numbers are set aside for drama (Ofcom), the domain for examples (RFC 2606).
const OWNERS: [(&str, &str, Nature); 5] = [
    ("Ada", "+447700900101", Nature::Usual),
    ("Ben", "+447700900102", Nature::Usual),
    ("Cleo", "+447700900103", Nature::WalledGarden),
    ("Dan", "+447700900104", Nature::Asleep),
    ("Eve", "+447700900105", Nature::WithoutMms),
];
const CORRESPONDENT: (&str, &str) = ("Carol", "carol@example.org");
/// The sample, unless another photo is named.
const SAMPLE: (&str, &[u8]) = ("evening-packet.jpg", include_bytes!("sample.jpg"));
/// How long `--once` waits for the sample to be retrieved.
const ONCE: Duration = Duration::from_secs(30);
/// Characters of a phone's secret.
const SECRET: usize = 16;

/// A running laboratory, as its page and the terminal see it.
pub struct Lab {
    /// Its directory.
    pub place: Place,
    /// The SMTP listener.
    pub smtp: SocketAddr,
    /// The handset door.
    pub mm1: SocketAddr,
    /// Where messages are shown as pages.
    pub pages: SocketAddr,
    /// The page and the administration.
    pub admin: SocketAddr,
    /// The road, for what the page asks of it.
    road: Road,
    /// The handsets.
    pub phones: Vec<Arc<Handset>>,
    /// The mailbox.
    pub mailbox: Arc<Mailbox>,
    /// Tells when there is something new to see.
    pub changes: Changes,
}

impl Lab {
    /// The phone that the page calls by this key: its place in the list.
    fn phone(&self, key: &str) -> Option<&Arc<Handset>> {
        self.phones.get(key.parse::<usize>().ok()?)
    }
}

/// The command.
pub fn command(options: &LabOptions) -> ExitCode {
    let ran = runtime().map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(run(options)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => failed(why),
    }
}

async fn run(options: &LabOptions) -> Result<(), String> {
    let photo = match &options.photo {
        Some(path) => Attachment::read(path)?,
        None => Attachment::new(SAMPLE.0, Bytes::from_static(SAMPLE.1)),
    };
    let (numbers, to) = numbers(options.to.as_deref())?;
    let place = Place::make(options.keep.as_deref())?;
    let mut ports = Ports::choose(options.any_port)?;
    let (page, mail) = (bind(ports.admin).await?, bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?);
    // Both are told to others before the daemon starts, so they are bound first.
    ports.admin = local(&page)?;
    let secrets: Vec<(Msisdn, String)> =
        numbers.into_iter().map(|number| (number, SystemRandom.token(SECRET))).collect();
    place.furnish(&Plan { ports, mailbox: local(&mail)?, phones: &secrets })?;

    let source = read(&place.config()).map_err(|e| e.to_string())?;
    let in_words = |errors: Vec<packetboat_api::settings::ConfigError>| {
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let config = Config::decode(&source, packetboat_plugins::all()).map_err(in_words)?;
    start_logging(&config.log)?;
    let metrics = Metrics::new();
    let steps = (metrics.follow(), metrics.follow());
    let system = System::start(&config, metrics.clone()).await.map_err(|error| match error {
        StartError::Config(errors) => in_words(errors),
        StartError::Other(why) => why,
    })?;
    let lab = Arc::new(furnished(place, &system, ports.admin, secrets)?);
    let quiet = CancellationToken::new();
    // The mailbox is another machine, so to speak: it is there until the daemon has ended.
    let mailbox = tokio::spawn(lab.mailbox.clone().serve(mail, quiet.clone()));
    admin::serve(page, &config, &system, metrics, web::routes(lab.clone(), system.draining()))?;
    terminal::print_places(&lab);

    let (changes, mut news) = (lab.changes.clone(), steps.0);
    let relay = tokio::spawn(async move {
        while !matches!(news.recv().await, Err(tokio::sync::broadcast::error::RecvError::Closed)) {
            changes.tell();
        }
    });
    let printing = tokio::spawn(terminal::print_road(system.road.clone(), steps.1, quiet.clone()));
    let outcome = attend(options, &lab, &system.road, photo, &to).await;
    give_up_when_told_again(lab.clone());
    system.drain().await;
    quiet.cancel();
    let _ = tokio::join!(printing, mailbox);
    relay.abort();
    match lab.place.stays() {
        true => println!("\nkept in {}", lab.place.path().display()),
        false => lab.place.clear(),
    }
    outcome
}

/// Sends the sample, then runs until told to stop, or with `--once` until the sample is retrieved.
async fn attend(options: &LabOptions, lab: &Lab, road: &Road, photo: Attachment, to: &Msisdn) -> Result<(), String> {
    let again = photo.clone();
    let sample = tokio::select! {
        sent = send_sample(lab, photo, to) => sent,
        () = stop_signal() => return Ok(()),
    };
    if !options.once {
        // The second one goes where it cannot be fetched, so that there is a fallback to watch.
        let second = match lab.phones.iter().find(|phone| phone.nature == Nature::WalledGarden) {
            Some(phone) if phone.number != *to => send_sample(lab, again, &phone.number).await.map(drop),
            _ => Ok(()),
        };
        for why in [sample.map(drop), second].into_iter().filter_map(Result::err) {
            eprintln!("packetboat: {why}");
        }
        stop_signal().await;
        println!("\nending: what is under way is finished");
        return Ok(());
    }
    let message_id = sample?;
    tokio::select! {
        arrived = retrieved(lab, road, &message_id) => arrived,
        () = stop_signal() => Err("stopped before the sample was retrieved".to_owned()),
    }
}

/// Sends the sample through the laboratory's own SMTP port, from the mailbox; gives its Message-ID.
async fn send_sample(lab: &Lab, photo: Attachment, to: &Msisdn) -> Result<String, String> {
    let letter = Letter {
        from: lab.mailbox.address.clone(),
        to: vec![to.to_string()],
        subject: "The evening packet".to_owned(),
        text: "She came in with the last light. This left as a mail with a photo; on your phone it is an MMS."
            .to_owned(),
        files: vec![photo],
        delivery_report: true,
        read_report: true,
    };
    let id = lab.mailbox.send(letter).await?;
    let item = lab.mailbox.thread.find(|item| item.id == id).ok_or("the sample is gone")?;
    match item.trace {
        Some(message_id) => Ok(message_id),
        None => Err(format!("the sample was not taken: {}", item.note)),
    }
}

/// Waits until the phone said that it has the sample. The error says how far it came.
async fn retrieved(lab: &Lab, road: &Road, message_id: &str) -> Result<(), String> {
    let mut news = lab.changes.listen();
    let deadline = tokio::time::Instant::now() + ONCE;
    let mut reached = "not accepted".to_owned();
    loop {
        if let Some((delivery, events)) =
            road.trace(message_id).await.ok().and_then(|trace| trace.deliveries.into_iter().next())
        {
            if delivery.saw(Fact::Retrieved) {
                return Ok(());
            }
            reached = how_far(&delivery, events.last().map_or("", |event| event.what.as_str()));
            if delivery.state.is_done() {
                return Err(format!("the sample was not retrieved: {reached}"));
            }
        }
        if tokio::time::timeout_at(deadline, news.changed()).await.is_err() {
            return Err(format!("the sample was not retrieved in {} s: {reached}", ONCE.as_secs()));
        }
    }
}

fn how_far(delivery: &Delivery, last: &str) -> String {
    let why = if delivery.reason.is_empty() { String::new() } else { format!(", because {}", delivery.reason) };
    format!("it is {}, last seen {last}{why}", delivery.state)
}

/// The numbers of the phones, and the one the sample goes to: a number that is none of the usual ones becomes the first
/// phone's.
fn numbers(to: Option<&str>) -> Result<(Vec<Msisdn>, Msisdn), String> {
    let mut numbers = Vec::with_capacity(OWNERS.len());
    for (_, number, _) in OWNERS {
        numbers.push(number.parse::<Msisdn>()?);
    }
    let wanted = match to {
        None => OWNERS[0].1.parse()?,
        Some(to) => british().parse(to).ok_or_else(|| {
            format!("--to: \"{to}\" is not a number; write it in international form, such as \"{}\"", OWNERS[1].1)
        })?,
    };
    if !numbers.contains(&wanted) {
        numbers[0] = wanted.clone();
    }
    Ok((numbers, wanted))
}

/// The number plan of the laboratory's configuration.
fn british() -> NumberPlan {
    NumberPlan {
        country_code: Some("44".to_owned()),
        international_prefix: Some("00".to_owned()),
        national_prefix: Some("0".to_owned()),
        national_lengths: vec![10],
    }
}

fn furnished(place: Place, system: &System, admin: SocketAddr, secrets: Vec<(Msisdn, String)>) -> Result<Lab, String> {
    let bound = |name: &str| {
        let first = system.addresses.get(name).and_then(|addresses| addresses.first()).copied();
        first.ok_or_else(|| format!("{name} does not listen"))
    };
    let (smtp, mm1, pages, changes) = (bound("mail")?, bound("handsets")?, bound("pages")?, Changes::new());
    let mut phones = Vec::with_capacity(secrets.len());
    for ((owner, _, nature), (number, secret)) in OWNERS.into_iter().zip(secrets) {
        let phone = Handset::new((owner, nature), number, secret, changes.clone())?;
        phone.switch_on(&format!("http://{mm1}"));
        phones.push(Arc::new(phone));
    }
    let (owner, address) = CORRESPONDENT;
    let mailbox = Arc::new(Mailbox::new(owner, address, DOMAIN, changes.clone()));
    mailbox.connect(smtp);
    let road = system.road.clone();
    Ok(Lab { place, smtp, mm1, pages, admin, road, phones, mailbox, changes })
}

/// Told to stop a second time: at once.
fn give_up_when_told_again(lab: Arc<Lab>) {
    tokio::spawn(async move {
        stop_signal().await;
        lab.place.clear();
        std::process::exit(1);
    });
}

async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))
}

fn local(socket: &TcpListener) -> Result<SocketAddr, String> {
    socket.local_addr().map_err(|e| e.to_string())
}
