//! The mailbox of the laboratory: a small mail server on loopback that takes everything for everybody, and a person who
//! writes mail to phones.
//!
//! It is the last mail system on the way, so it reports when a sender asked for it: a delivery status notification
//! goes back through the daemon's own SMTP listener (RFC 3461 6, RFC 3464). What it receives stays in memory, bounded.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::{Clock, SystemClock};
use packetboat_api::message::Notify as Asked;
use packetboat_api::mime::report::dsn::{Action, DsnRecipient, DsnSpec};
use packetboat_api::mime::report::{Envelope, dsn, mdn};
use packetboat_api::mime::{Body, Entity, Headers, Mail, addresses, date, parse};
use packetboat_api::serve::CancellationToken;
use packetboat_smtp::{Config, Event, Mailbox as Address, Notify, Rcpt, Reply, Session, Verdict, replies};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::thread::{Changes, Item, Stage, Thread, parts};
use crate::send::{Letter, new_message_id, post};

/// The host that this mail server says it is.
const HOST: &str = "mail.lab.localhost";
/// Largest mail that is taken.
const LARGEST: usize = 48 << 20;
/// Octets read at once.
const READ: usize = 64 << 10;
/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// The mailbox.
pub struct Mailbox {
    /// Whose it is.
    pub owner: &'static str,
    /// Its address.
    pub address: String,
    /// What it shows.
    pub thread: Thread,
    /// The domain at which numbers are handsets.
    domain: String,
    listener: OnceLock<String>,
}

/// A message as it came by SMTP.
#[derive(Default)]
struct Delivery {
    sender: Option<Address>,
    envelope_id: Option<String>,
    recipients: Vec<Rcpt>,
    octets: Vec<u8>,
}

impl Mailbox {
    /// An empty mailbox of `owner`.
    pub fn new(owner: &'static str, address: &str, domain: &str, changes: Changes) -> Self {
        Mailbox {
            owner,
            address: address.to_owned(),
            thread: Thread::new(changes),
            domain: domain.to_owned(),
            listener: OnceLock::new(),
        }
    }

    /// Says where the daemon's SMTP listener is.
    pub fn connect(&self, listener: SocketAddr) {
        let _ = self.listener.set(listener.to_string());
    }

    /// Takes mail until `drain`.
    pub async fn serve(self: Arc<Self>, socket: TcpListener, drain: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = drain.cancelled() => return,
            };
            let Ok((stream, _)) = accepted else { continue };
            let (mailbox, drain) = (self.clone(), drain.clone());
            tokio::spawn(async move {
                tokio::select! {
                    _ = mailbox.converse(stream) => {}
                    () = drain.cancelled() => {}
                }
            });
        }
    }

    /// Sends a mail through the daemon. The error says what is wrong with the letter.
    pub async fn send(&self, letter: Letter) -> Result<u64, String> {
        if letter.to.is_empty() {
            return Err("Say to whom it goes: a number or a mail address.".to_owned());
        }
        if letter.text.trim().is_empty() && letter.files.is_empty() {
            return Err("Write something, or choose a picture.".to_owned());
        }
        let shown: Vec<Entity<Bytes>> = letter.shown();
        let id = self.thread.add(Item {
            sent: true,
            from: letter.from.clone(),
            to: letter.to.clone(),
            subject: letter.subject.clone(),
            parts: shown.iter().flat_map(parts).collect(),
            stage: Stage::Sending,
            size: shown.iter().map(Entity::content_length).sum(),
            wants_delivery: letter.delivery_report,
            wants_read: letter.read_report,
            ..Item::default()
        });
        let listener = self.listener.get().map(String::as_str).unwrap_or_default();
        let posted = letter.post(listener, &self.domain).await;
        self.thread.change(id, |item| match posted {
            Ok(posted) => {
                let refusals = posted.refusals();
                let none_taken = posted.replies.iter().all(|(_, reply)| reply.is_err());
                item.stage = if none_taken { Stage::Failed } else { Stage::Sent };
                item.trace = (!none_taken).then(|| posted.message_id.clone());
                item.message_id = posted.message_id;
                item.note = refusals.unwrap_or_default();
            }
            Err(why) => {
                item.stage = Stage::Failed;
                item.note = why;
            }
        });
        Ok(id)
    }

    /// One SMTP session.
    async fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut session = Session::new(Config { max_size: LARGEST as u64, ..Config::new(HOST) });
        session.greet();
        let mut delivery = Delivery::default();
        let mut buffer = vec![0u8; READ];
        loop {
            stream.write_all(&session.take_output()).await?;
            let read = match tokio::time::timeout(SILENCE, stream.read(&mut buffer)).await {
                Ok(read) => read?,
                Err(_) => 0,
            };
            let mut input = buffer.get(..read).unwrap_or_default();
            if input.is_empty() {
                return Ok(());
            }
            loop {
                let (used, event) = session.feed(input);
                input = input.get(used..).unwrap_or_default();
                match self.obey(event, &mut delivery) {
                    Step::Answer(verdict) => drop(session.answer(verdict)),
                    Step::On => {}
                    Step::Write => stream.write_all(&session.take_output()).await?,
                    Step::Read => break,
                    Step::Close => return stream.write_all(&session.take_output()).await,
                }
            }
        }
    }

    fn obey(&self, event: Event<'_>, delivery: &mut Delivery) -> Step {
        match event {
            Event::NeedInput | Event::NeedAnswer => Step::Read,
            Event::NeedFlush => Step::Write,
            Event::Auth(_) => Step::Answer(Verdict::Refuse(replies::AUTH_FAILED)),
            Event::Mail(mail) => {
                *delivery = Delivery { sender: mail.sender, envelope_id: mail.envelope_id, ..Delivery::default() };
                Step::Answer(Verdict::Accept)
            }
            Event::Rcpt(rcpt) => {
                delivery.recipients.push(*rcpt);
                Step::Answer(Verdict::Accept)
            }
            Event::MessageStart => Step::Answer(Verdict::Accept),
            Event::Content(octets) => {
                delivery.octets.extend_from_slice(octets);
                Step::On
            }
            Event::MessageEnd => Step::Answer(self.deliver(std::mem::take(delivery))),
            Event::Discard(_) | Event::Reset => {
                *delivery = Delivery::default();
                Step::On
            }
            Event::StartTls | Event::Close => Step::Close,
        }
    }

    /// A mail is here: it is shown, noted as a report on the mail it is about, and reported when that was asked for.
    fn deliver(&self, delivery: Delivery) -> Verdict {
        let size = delivery.octets.len() as u64;
        let mail = match parse(&Bytes::from(delivery.octets)) {
            Ok(mail) => mail,
            Err(error) => return Verdict::Refuse(Reply::from_peer(550, &format!("5.6.0 not a mail: {error}"))),
        };
        let header = |name: &str| mail.headers.first(name).unwrap_or_default().to_owned();
        let message_id = header("Message-ID").trim_matches(['<', '>', ' ']).to_owned();
        let written = header("From");
        let from = addresses(&written).into_iter().next().map_or(written, |from| from.address);
        let report = self.note_report(&mail);
        self.thread.add(Item {
            from,
            to: delivery.recipients.iter().map(|rcpt| rcpt.recipient.to_string()).collect(),
            subject: header("Subject"),
            parts: parts(&readable(mail.root.clone())),
            trace: (!message_id.is_empty()).then(|| message_id.clone()),
            size,
            report,
            message_id,
            ..Item::default()
        });
        if let Some(sender) = delivery.sender {
            self.confirm(sender, delivery.envelope_id, &delivery.recipients, &mail.headers);
        }
        Verdict::Accept
    }

    /// Notes a delivery or disposition notification on the mail it is about; false when this is none.
    fn note_report(&self, mail: &Mail<Bytes>) -> bool {
        let about = |id: &Option<String>| id.as_deref().unwrap_or_default().trim_matches(['<', '>']).to_owned();
        let who = |address: &Option<String>| {
            let address = address.as_deref().unwrap_or_default();
            address.split_once('@').filter(|(_, at)| *at == self.domain).map_or(address, |(local, _)| local).to_owned()
        };
        if let Some(found) = dsn::parse(mail) {
            for recipient in &found.recipients {
                let outcome = recipient.action.as_str();
                self.thread.report(
                    &about(&found.original_message_id),
                    "delivery",
                    &who(&recipient.final_recipient),
                    outcome,
                );
            }
            return true;
        }
        if let Some(found) = mdn::parse(mail) {
            let outcome = found.disposition.as_str();
            self.thread.report(&about(&found.original_message_id), "read", &who(&found.final_recipient), outcome);
            return true;
        }
        false
    }

    /// Sends the delivery status notification for those recipients for whom one was asked.
    fn confirm(&self, sender: Address, envelope_id: Option<String>, recipients: &[Rcpt], headers: &Headers) {
        let asked = recipients.iter().filter(|rcpt| matches!(rcpt.notify, Some(Notify::On { success: true, .. })));
        let recipients: Vec<DsnRecipient> = asked
            .map(|rcpt| DsnRecipient {
                original_recipient: rcpt
                    .original
                    .as_ref()
                    .map(|orcpt| format!("{};{}", orcpt.addr_type, orcpt.address)),
                final_recipient: Some(rcpt.recipient.to_string()),
                action: Action::Delivered,
                status: "2.0.0".to_owned(),
                diagnostic: None,
                remote_mta: None,
            })
            .collect();
        let Some(listener) = self.listener.get().filter(|_| !recipients.is_empty()).cloned() else { return };
        let original = ["Message-ID", "From", "To", "Subject", "Date"].into_iter();
        let original = original.filter_map(|name| Some((name.to_owned(), headers.first(name)?.to_owned()))).collect();
        let report = dsn::build(&DsnSpec {
            envelope: Envelope {
                from: format!("MAILER-DAEMON@{HOST}"),
                to: sender.to_string(),
                date: date::rfc5322(SystemClock.now().seconds()),
                message_id: format!("<{}>", new_message_id(Some(HOST))),
                subject: "Delivered".to_owned(),
            },
            text: "Your message is in the mailbox.\n".to_owned(),
            reporting_mta: HOST.to_owned(),
            gateway: None,
            envelope_id,
            arrival_date: None,
            recipients,
            original: Headers(original),
        });
        let never = Asked { never: true, ..Asked::default() };
        tokio::spawn(async move {
            if let Err(error) = post(&listener, None, &[sender], never, &report).await {
                tracing::warn!(%error, "the mailbox's delivery report could not be sent");
            }
        });
    }
}

/// What to do after an event of the session.
enum Step {
    Answer(Verdict),
    On,
    Write,
    Read,
    Close,
}

/// What of a mail a person reads: of several forms of one text the plain one, and no machine-readable parts.
fn readable(root: Entity<Bytes>) -> Entity<Bytes> {
    const MACHINE: [&str; 4] =
        ["message/delivery-status", "message/disposition-notification", "text/rfc822-headers", "message/rfc822"];
    let Body::Parts(parts) = root.body else { return root };
    let plain = parts.iter().any(|part| part.media.essence() == "text/plain");
    let alternative = root.media.essence() == "multipart/alternative" && plain;
    let kept = parts.into_iter().filter(|part| {
        let essence = part.media.essence();
        let other_form = alternative && essence != "text/plain";
        !other_form && !MACHINE.contains(&essence)
    });
    let parts = kept.map(readable).collect();
    Entity { body: Body::Parts(parts), ..root }
}
