//! A stored message as Internet mail, ready to be sent (RFC 4356 2.1).

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::clock::Random;
use packetboat_api::message::{Class, Kind, Message, Notify, Priority, Recipient, Span};
use packetboat_api::mime::compose::{MailOptions, Piece, mail_fields, mail_from_mms};
use packetboat_api::mime::date::rfc5322;
use packetboat_api::mime::{Entity, Headers, Mail, Transport, render};
use packetboat_api::party::Party;
use packetboat_api::road::Content as Stored;
use packetboat_api::roles::{Failure, Job, Verdict};
use packetboat_api::store::StoreError;
use packetboat_net::smtp::{self, Content, Mailbox};

use crate::names::Names;
use crate::report;

/// Characters of a MIME boundary: unguessable, so that no text can hold it by design.
const BOUNDARY: usize = 24;

/// What turns messages into mail.
pub struct Scribe {
    /// This node's host name.
    pub node: String,
    /// How parties are called.
    pub names: Names,
    /// How an MMS becomes a mail.
    pub options: MailOptions,
    /// For boundaries.
    pub random: Arc<dyn Random>,
    /// Where bodies are read.
    pub stored: Arc<dyn Stored>,
}

/// A message as it is sent: everything but the recipients.
pub struct Letter {
    /// The return path (RFC 4356 2.1.3.1: null for what machines send).
    pub sender: Option<Mailbox>,
    /// RET.
    pub headers_only: bool,
    /// The octets.
    pub content: Content,
    /// Whether reports about it may be asked for: not about reports and what else has no return path (RFC 3464 2).
    pub reportable: bool,
}

impl Scribe {
    /// Writes the letter. The error is the verdict on every recipient.
    pub async fn letter(&self, job: &Job) -> Result<Letter, Verdict> {
        let message = &job.message;
        let mut mail = match &message.kind {
            Kind::Personal => self.personal(message).await?,
            Kind::DeliveryReport(about) => report::delivery(about, job, &self.node, &self.names),
            Kind::ReadReport(about) => report::read(about, job, &self.node, &self.names),
            Kind::Settings(_) => {
                return Err(Verdict::Failed(Failure::new("5.3.3", "settings for a phone are no mail")));
            }
        };
        mail.headers.set("Message-ID", format!("<{}>", self.message_id(message)));
        // RFC 4356 2.1.3.2: a trace of the hop, which is what loops are found by.
        let trace = format!("by {} with MMS id {}; {}", self.node, message.id, rfc5322(message.received.seconds()));
        mail.headers.0.insert(0, ("Received".to_owned(), trace));
        let sender = self.sender(message)?;
        let chunks = render(&mail, Transport::SevenBit, || self.random.token(BOUNDARY));
        let from_mail = matches!(message.envelope.from, Some(Party::Mail(_)));
        Ok(Letter {
            reportable: sender.is_some(),
            sender,
            // A phone has no use for its own message come back; a mailbox said what it wants.
            headers_only: !from_mail || message.envelope.headers_only,
            content: Content::new(chunks),
        })
    }

    /// One recipient of a letter, with the reports that are asked of the next hop.
    pub fn recipient(&self, letter: &Letter, recipient: &Recipient) -> Option<smtp::Recipient> {
        let to = self.names.address(&recipient.to)?;
        let asked = recipient.notify;
        let notify = match letter.reportable {
            false => Notify { never: true, ..Notify::default() },
            // Whoever wants to hear of success wants to hear of failure.
            true => Notify { failure: asked.failure || asked.success, ..asked },
        };
        let original = recipient.original.clone().or_else(|| letter.reportable.then(|| format!("rfc822;{to}")));
        Some(smtp::Recipient { to, notify, original })
    }

    async fn personal(&self, message: &Message) -> Result<Mail<Bytes>, Verdict> {
        if message.traits.hide_sender {
            let why = "the sender wants to stay unknown, which mail cannot do (RFC 4356 2.1.3.2)";
            return Err(Verdict::Failed(Failure::new("5.7.0", why)));
        }
        let octets = self.octets(message).await?;
        // What no phone or service sent is mail already.
        if matches!(message.envelope.from, None | Some(Party::Mail(_))) {
            let root: Entity<Bytes> = message.mail.root.clone().map(&mut |span| cut(&octets, span));
            return Ok(Mail { headers: mail_fields(&message.mail.headers), root });
        }
        let mms = Mail { headers: mms_headers(message), root: message.mail.root.clone() };
        let plan = mail_from_mms(&mms, &self.options);
        let texts = plan.needs().into_iter().map(|span| cut(&octets, *span)).collect();
        let Mail { mut headers, root } = plan.finish(texts);
        self.names.rewrite(&mut headers);
        let root = root.map(&mut |piece| match piece {
            Piece::Kept(span) => cut(&octets, span),
            Piece::Made(made) => made,
        });
        Ok(Mail { headers, root })
    }

    async fn octets(&self, message: &Message) -> Result<Bytes, Verdict> {
        match self.stored.read(message, 0..message.content.length).await {
            Ok(octets) => Ok(octets),
            Err(error @ (StoreError::Damaged(_) | StoreError::Missing(_))) => {
                Err(Verdict::Failed(Failure::new("5.3.0", format!("the message cannot be read any more: {error}"))))
            }
            Err(error) => {
                Err(Verdict::Deferred { after: None, why: format!("the message cannot be read now: {error}") })
            }
        }
    }

    fn sender(&self, message: &Message) -> Result<Option<Mailbox>, Verdict> {
        let party = match &message.envelope.from {
            Some(party) if message.kind == Kind::Personal && message.traits.class != Class::Auto => party,
            _ => return Ok(None),
        };
        let no_address = || Verdict::Failed(Failure::new("5.1.7", "the sender has no mail address"));
        self.names.address(party).map(Some).ok_or_else(no_address)
    }

    /// Constant across all protocols, and with an `@`, which mail wants (case E-05).
    fn message_id(&self, message: &Message) -> String {
        let id = message.wire_id();
        if id.contains('@') { id.to_owned() } else { format!("{id}@{}", self.node) }
    }
}

/// The header fields with what was read out of them once and counts since.
fn mms_headers(message: &Message) -> Headers {
    let mut headers = message.mail.headers.clone();
    let traits = &message.traits;
    if let Some(from) = &message.envelope.from {
        headers.set("From", from.to_mms());
    }
    match traits.priority {
        Priority::High => headers.set("X-Mms-Priority", "High"),
        Priority::Low => headers.set("X-Mms-Priority", "Low"),
        Priority::Normal => headers.remove("X-Mms-Priority"),
    }
    match traits.read_report {
        true => headers.set("X-Mms-Read-Reply", "Yes"),
        false => headers.remove("X-Mms-Read-Reply"),
    }
    headers
}

fn cut(octets: &Bytes, span: Span) -> Bytes {
    let whole = octets.len();
    let start = usize::try_from(span.start).unwrap_or(whole).min(whole);
    let end = usize::try_from(span.start.saturating_add(span.length)).unwrap_or(whole).clamp(start, whole);
    octets.slice(start..end)
}
