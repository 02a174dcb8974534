//! `packetboat send`: a mail with a photo through a running daemon's SMTP listener, as any mail program would send it.
//!
//! The laboratory posts its sample and the mails of its page through the same code ([`Letter`], [`post`]).

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::{Clock, Random, SystemClock, SystemRandom};
use packetboat_api::message::Notify;
use packetboat_api::mime::{Disposition, Entity, Headers, Mail, MediaType, Transport, date, render};
use packetboat_net::dns::Resolver;
use packetboat_net::smtp::{self, Client, Content, Destination, Mailbox, Options};
use packetboat_net::tls::TlsClient;

use crate::cli::SendOptions;
use crate::{failed, runtime};

/// Characters of a MIME boundary or a Message-ID: unguessable, so that no text can hold it by design.
const TOKEN: usize = 24;
/// How long the listener may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command. It fails when any recipient is refused.
pub fn command(options: &SendOptions) -> ExitCode {
    let sent = runtime().map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(send(options)));
    let posted = match sent {
        Ok(posted) => posted,
        Err(error) => return failed(error),
    };
    let mut status = ExitCode::SUCCESS;
    for (recipient, reply) in &posted.replies {
        match reply {
            Ok(reply) => println!("{recipient}: {reply}"),
            Err(reply) => {
                eprintln!("{recipient}: {reply}");
                status = ExitCode::FAILURE;
            }
        }
    }
    if posted.replies.iter().any(|(_, reply)| reply.is_ok()) {
        println!("Message-ID <{}>", posted.message_id);
    }
    status
}

async fn send(options: &SendOptions) -> Result<Posted, String> {
    let files = options.photo.iter().map(|path| Attachment::read(path)).collect::<Result<_, _>>()?;
    let letter = Letter {
        from: options.from.clone(),
        to: options.to.clone(),
        subject: options.subject.clone(),
        text: options.text.clone(),
        files,
        ..Letter::default()
    };
    letter.post(&options.server, &options.domain).await
}

/// A mail as a person writes it.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// The sender's mail address.
    pub from: String,
    /// Numbers and mail addresses.
    pub to: Vec<String>,
    /// The subject; empty for none.
    pub subject: String,
    /// The text; empty for none.
    pub text: String,
    /// What is attached.
    pub files: Vec<Attachment>,
    /// A delivery status notification is asked for (RFC 3461).
    pub delivery_report: bool,
    /// A disposition notification is asked for (RFC 8098).
    pub read_report: bool,
}

/// A file to attach.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its name, without directories.
    pub name: String,
    /// What it is.
    pub media: MediaType,
    /// Its octets.
    pub content: Bytes,
}

/// A mail that was offered to the listener.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// For each recipient its address and the listener's reply; `Err` holds a refusal.
    pub replies: Vec<(String, Result<String, String>)>,
}

impl Posted {
    /// The refusals as one sentence; `None` when everybody was taken.
    pub fn refusals(&self) -> Option<String> {
        let refused = self.replies.iter().filter_map(|(to, reply)| Some(format!("{to}: {}", reply.as_ref().err()?)));
        let refused: Vec<String> = refused.collect();
        (!refused.is_empty()).then(|| refused.join("; "))
    }
}

impl Attachment {
    /// From octets and the name somebody gave them.
    pub fn new(name: &str, content: Bytes) -> Attachment {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        Attachment { name: name.to_owned(), media: MediaType::new(kind(name, &content)), content }
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Attachment, String> {
        let content = std::fs::read(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Attachment::new(&name, content.into()))
    }

    fn into_entity(self) -> Entity<Bytes> {
        let shown = if self.media.top() == "image" { "inline" } else { "attachment" };
        let disposition = Disposition { kind: shown.to_owned(), filename: Some(self.name.clone()) };
        let media = self.media.with("name", self.name);
        Entity { disposition: Some(disposition), ..Entity::leaf(media, self.content) }
    }
}

/// File types by how they begin, then by the end of their name.
const MAGIC: [(&[u8], usize, &str); 7] = [
    (b"\xFF\xD8\xFF", 0, "image/jpeg"),
    (b"\x89PNG\r\n", 0, "image/png"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftyp3g", 4, "video/3gpp"),
    (b"ftyp", 4, "video/mp4"),
    (b"#!AMR", 0, "audio/amr"),
];
const ENDINGS: [(&str, &str); 7] = [
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("ics", "text/calendar"),
    ("pdf", "application/pdf"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("bmp", "image/bmp"),
];

fn kind(name: &str, content: &[u8]) -> &'static str {
    let begins =
        |(magic, at, _): &&(&[u8], usize, &str)| content.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    if let Some((.., media)) = MAGIC.iter().find(begins) {
        return media;
    }
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let known = ENDINGS.iter().find(|(known, _)| *known == ending);
    known.map_or("application/octet-stream", |(_, media)| media)
}

impl Letter {
    /// Sends it through the listener at `server`, where numbers are handsets at `domain`. The error says why nobody could
    /// be asked; refusals of single recipients are among the replies.
    pub async fn post(self, server: &str, domain: &str) -> Result<Posted, String> {
        let from = Mailbox::parse(&self.from).map_err(|e| format!("\"{}\" is not a mail address: {e}", self.from))?;
        let mut to = Vec::with_capacity(self.to.len());
        for recipient in &self.to {
            let address = at_domain(recipient, domain);
            to.push(Mailbox::parse(&address).map_err(|e| format!("\"{recipient}\" is not an address: {e}"))?);
        }
        let report = self.delivery_report;
        let notify = Notify { success: report, failure: report, ..Notify::default() };
        let mail = self.mail(&from, &to);
        post(server, Some(from), &to, notify, &mail).await
    }

    /// What of it is read: the text and the files, for whoever shows what was sent.
    pub fn shown(&self) -> Vec<Entity<Bytes>> {
        let media = MediaType::new("text/plain").with("charset", "utf-8");
        let text = (!self.text.is_empty()).then(|| Entity::leaf(media, Bytes::from(self.text.clone())));
        text.into_iter().chain(self.files.iter().cloned().map(Attachment::into_entity)).collect()
    }

    fn mail(&self, from: &Mailbox, to: &[Mailbox]) -> Mail<Bytes> {
        let mut headers = Headers::default();
        headers.push("From", from.to_string());
        headers.push("To", to.iter().map(Mailbox::to_string).collect::<Vec<_>>().join(", "));
        headers.push("Date", date::rfc5322(SystemClock.now().seconds()));
        headers.push("Message-ID", format!("<{}>", new_message_id(from.domain())));
        if !self.subject.is_empty() {
            headers.push("Subject", self.subject.clone());
        }
        if self.read_report {
            headers.push("Disposition-Notification-To", from.to_string());
        }
        let mut parts = self.shown();
        let root = match parts.pop() {
            None => Entity::leaf(MediaType::new("text/plain"), Bytes::new()),
            Some(text) if parts.is_empty() && text.media.top() == "text" => text,
            Some(last) => {
                parts.push(last);
                Entity::multipart(MediaType::new("multipart/mixed"), parts)
            }
        };
        Mail { headers, root }
    }
}

/// A Message-ID that nobody else has, without angle brackets.
pub fn new_message_id(domain: Option<&str>) -> String {
    format!("{}@{}", SystemRandom.token(TOKEN), domain.unwrap_or("localhost"))
}

/// A number as a mail address; a mail address as it is.
fn at_domain(recipient: &str, domain: &str) -> String {
    match recipient.contains('@') {
        true => recipient.trim().to_owned(),
        false => {
            let number: String = recipient.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
            format!("{number}@{domain}")
        }
    }
}

/// Sends a mail through the listener at `server`; `None` sends from the null sender, as reports are (RFC 5321 4.5.5).
pub async fn post(
    server: &str,
    from: Option<Mailbox>,
    to: &[Mailbox],
    notify: Notify,
    mail: &Mail<Bytes>,
) -> Result<Posted, String> {
    let (host, port) = host_and_port(server)?;
    let destination = Destination { name: server.to_owned(), hosts: vec![host], port };
    let options = Options { command_timeout: PATIENCE, data_timeout: PATIENCE, ..Options::default() };
    let lookup = Resolver::new(None, Duration::from_secs(5), Arc::new(SystemRandom))?;
    let client = Client::new(options, TlsClient::new(None)?, Arc::new(lookup), Arc::new(SystemClock));
    let chunks = render(mail, Transport::SevenBit, || SystemRandom.token(TOKEN));
    let recipients = to.iter().map(|to| smtp::Recipient { to: to.clone(), notify, original: None }).collect();
    let content = Content::new(chunks);
    let mail_out = smtp::Mail { sender: from, recipients, envelope_id: None, headers_only: None, content };
    let outcome = client.send(&destination, &mail_out).await;
    client.close().await;
    if outcome.peer.is_none()
        && let Some(Err(refused)) = outcome.replies.first()
    {
        return Err(format!("no mail can be sent to {server}: {refused}"));
    }
    let replies = outcome.replies.into_iter().map(|reply| match reply {
        Ok(reply) => Ok(reply.to_string()),
        Err(refused) => Err(refused.to_string()),
    });
    let message_id = mail.headers.first("Message-ID").unwrap_or_default().trim_matches(['<', '>']).to_owned();
    Ok(Posted { message_id, replies: to.iter().map(Mailbox::to_string).zip(replies).collect() })
}

fn host_and_port(server: &str) -> Result<(String, u16), String> {
    let split = server.rsplit_once(':').filter(|_| !server.ends_with(']'));
    let port = split.and_then(|(_, port)| port.parse().ok());
    match (split, port) {
        (Some((host, _)), Some(port)) if !host.is_empty() => Ok((host.to_owned(), port)),
        _ => Err(format!("\"{server}\" is not a host and a port; write it as \"127.0.0.1:2525\"")),
    }
}
