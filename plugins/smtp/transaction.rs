//! One message of a connection: its envelope, its content, and its way in.

use std::net::IpAddr;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::message::{Envelope, Identity, Kind, Notify, Recipient};
use packetboat_api::mime::{self, Mail as MimeMail};
use packetboat_api::party::Party;
use packetboat_api::road::{Intake, Receipt, Refusal, RefusalKind, Submission};
use packetboat_api::spool::Spool;
use packetboat_smtp::{DeliverByMode, Mail, Rcpt, Ret};

use crate::address::Addresses;

/// A transaction under way.
pub struct Transaction {
    /// What MAIL said.
    mail: Mail,
    /// The sender.
    from: Option<Party>,
    /// Recipients taken so far.
    recipients: Vec<Recipient>,
    /// What has come of the content.
    spool: Spool,
}

/// How the message came: what the Received header field says (RFC 5321 4.4).
pub struct Trace<'a> {
    /// What the client calls itself.
    pub hello: &'a str,
    /// Its address.
    pub peer: IpAddr,
    /// Our name.
    pub hostname: &'a str,
    /// `ESMTPSA` and the like (RFC 3848).
    pub protocol: &'a str,
    /// Now.
    pub now: Timestamp,
}

impl Transaction {
    /// Begun by MAIL.
    pub fn new(mail: Mail, from: Option<Party>, mut spool: Spool) -> Self {
        spool.expect(mail.size.unwrap_or(0));
        Transaction { mail, from, recipients: Vec::new(), spool }
    }

    /// The sender.
    pub fn from(&self) -> Option<&Party> {
        self.from.as_ref()
    }

    /// A recipient was taken. Named twice, it gets the message once.
    pub fn add(&mut self, to: Party, rcpt: &Rcpt) {
        if self.recipients.iter().any(|recipient| recipient.to == to) {
            return;
        }
        let notify = match rcpt.notify {
            None => Notify::default(),
            Some(packetboat_smtp::Notify::Never) => Notify { never: true, ..Notify::default() },
            Some(packetboat_smtp::Notify::On { success, failure, delay }) => {
                Notify { success, failure, delay, never: false }
            }
        };
        let original = rcpt.original.as_ref().map(|o| format!("{};{}", o.addr_type, o.address));
        self.recipients.push(Recipient { to, notify, original });
    }

    /// Takes content.
    pub fn push(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.spool.push(octets)
    }

    /// The content is complete: hands the message in. When this returns `Ok`, it is on disk (I-1).
    pub async fn submit(
        self,
        intake: &dyn Intake,
        identity: Identity,
        addresses: &Addresses,
        trace: Trace<'_>,
    ) -> Result<Receipt, Refusal> {
        let later = |_| Refusal::new(RefusalKind::TryLater, "the message cannot be kept at the moment");
        // Kept until the message is on disk: its octets count against the budget as long as they are in memory.
        let spooled = self.spool.finish().await.map_err(later)?;
        let parsed = mime::parse(&spooled.bytes).map_err(|e| Refusal::new(RefusalKind::Malformed, e.to_string()))?;
        let unvouched = identity == Identity::Anonymous && self.from.is_none();
        if unvouched && parsed.root.media.essence() != "multipart/report" {
            let text = "mail without a sender is taken as a report only; authenticate to send anything else";
            return Err(Refusal::new(RefusalKind::NotAllowed, text));
        }
        let dedupe = dedupe(&parsed, &spooled.bytes, self.from.as_ref(), &self.recipients);
        let mut mail = parsed;
        addresses.rewrite(&mut mail.headers);
        if let Some(by) = self.mail.deliver_by
            && by.mode == DeliverByMode::Return
            && by.seconds > 0
        {
            mail.headers.set("X-Mms-Expiry", by.seconds.to_string()); // RFC 4356 2.1.3.2
        }
        mail.headers.0.insert(0, ("Received".to_owned(), trace.field()));
        let envelope = Envelope {
            from: self.from,
            recipients: self.recipients,
            envelope_id: self.mail.envelope_id,
            headers_only: self.mail.ret == Some(Ret::Headers),
        };
        intake.submit(Submission { kind: Kind::Personal, identity, envelope, mail, dedupe }).await
    }
}

/// What makes a repetition of this mail recognisable: its Message-ID, its envelope, and its octets, since there are devices
/// that give every mail the same Message-ID (I-2).
fn dedupe(mail: &MimeMail<Bytes>, octets: &[u8], from: Option<&Party>, recipients: &[Recipient]) -> Option<Vec<u8>> {
    let id = mail.headers.first("Message-ID")?.trim();
    let mut to: Vec<String> = recipients.iter().map(|recipient| recipient.to.to_string()).collect();
    to.sort_unstable();
    let from = from.map(ToString::to_string).unwrap_or_default();
    let content = format!("{}-{:08x}", octets.len(), crc32fast::hash(octets));
    (!id.is_empty()).then(|| format!("{id}\0{content}\0{from}\0{}", to.join("\0")).into_bytes())
}

impl Trace<'_> {
    fn field(&self) -> String {
        let Trace { hello, peer, hostname, protocol, now } = self;
        // What the client says of itself must not read as something else in the field: no comments, no 8-bit text.
        let safe = |c: &char| c.is_ascii_alphanumeric() || ".-_:[]".contains(*c);
        let hello: String = hello.chars().filter(safe).collect();
        let literal = if peer.is_ipv6() { format!("[IPv6:{peer}]") } else { format!("[{peer}]") };
        format!("from {hello} ({literal}) by {hostname} with {protocol}; {}", mime::date::rfc5322(now.seconds()))
    }
}
