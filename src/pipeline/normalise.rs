//! Normalise: a submission becomes a message in the one form the rest of the road knows. Pure.
//!
//! Ids are given, times made absolute, what must not travel is removed, limits are applied. Leaf bodies become spans of
//! the content that is about to be written, in document order, and nothing is copied (I-6).

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::id::MessageId;
use packetboat_api::message::{Class, ContentRef, Identity, Kind, Message, Priority, Span, Traits};
use packetboat_api::mime::{self, Headers, Mail};
use packetboat_api::road::{Refusal, RefusalKind, Submission};

use crate::policy::Policy;

/// A message and the content that goes with it, not yet in the store.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The message; its `content` is not yet known.
    pub message: Message,
    /// Its leaf bodies in document order.
    pub content: Vec<Bytes>,
}

/// Where and when it happens.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The listener's instance name.
    pub listener: &'a str,
    /// This node's name.
    pub node: &'a str,
    /// The id the message gets.
    pub id: MessageId,
    /// Now.
    pub now: Timestamp,
}

/// Makes the draft, or says why not.
pub fn normalise(submission: Submission, at: Arrival<'_>, policy: &Policy) -> Result<Draft, Refusal> {
    let Submission { kind, identity, mut envelope, mut mail, .. } = submission;
    let limits = &policy.limits;
    let size = mail.root.content_length();
    if size > limits.message_size.0 {
        let text = format!("the message is {size} octets; at most {} are taken", limits.message_size);
        return Err(Refusal::new(RefusalKind::TooLarge, text));
    }
    if envelope.recipients.len() > limits.recipients {
        let text = format!("{} recipients; at most {} are taken", envelope.recipients.len(), limits.recipients);
        return Err(Refusal::new(RefusalKind::TooManyRecipients, text));
    }
    if mail.headers.all("Received").count() > limits.hops {
        return Err(Refusal::new(RefusalKind::NotAllowed, "too many hops: this message goes in a circle"));
    }
    // RFC 4356 2.1.3.2: personal and private mail must not be gatewayed.
    let sensitivity = mail.headers.first("Sensitivity").unwrap_or_default();
    if kind == Kind::Personal && ["personal", "private"].iter().any(|s| sensitivity.eq_ignore_ascii_case(s)) {
        return Err(Refusal::new(RefusalKind::NotAllowed, "mail marked personal or private is not sent on to phones"));
    }
    if wants(&mail.headers, "X-Mms-Delivery-Report") {
        for recipient in envelope.recipients.iter_mut().filter(|r| !r.notify.never) {
            recipient.notify.success = true;
            recipient.notify.failure = true;
        }
    }
    let traits = traits(&mail.headers, envelope.from.is_none(), at, policy);
    headers_for_the_road(&mut mail.headers, &traits, &identity, at);
    let mut content = Vec::new();
    let mut start = 0u64;
    let root = mail.root.map(&mut |body: Bytes| {
        let span = Span { start, length: body.len() as u64 };
        start += span.length;
        content.push(body);
        span
    });
    let message = Message {
        id: at.id,
        kind,
        received: at.now,
        listener: at.listener.to_owned(),
        identity,
        envelope,
        traits,
        mail: Mail { headers: mail.headers, root },
        content: ContentRef { length: start, ..ContentRef::default() },
    };
    Ok(Draft { message, content })
}

fn traits(headers: &Headers, null_sender: bool, at: Arrival<'_>, policy: &Policy) -> Traits {
    let queue = &policy.queue;
    let longest = at.now.after(queue.longest_expiry.0);
    let asked = headers.first("X-Mms-Expiry").and_then(|v| moment(v, at.now)).filter(|t| *t > at.now);
    let message_id = headers.first("Message-ID").and_then(message_id);
    let subject = headers.first("Subject").map(str::trim).filter(|s| !s.is_empty());
    Traits {
        message_id: message_id.unwrap_or_else(|| format!("{}@{}", at.id, at.node)),
        subject: subject.map(str::to_owned),
        class: class(headers, null_sender),
        priority: priority(headers),
        expires: asked.unwrap_or_else(|| at.now.after(queue.expiry.0)).min(longest),
        deliver_after: headers.first("X-Mms-Delivery-Time").and_then(|v| moment(v, at.now)).filter(|t| *t > at.now),
        // RFC 4356 table 3: Disposition-Notification-To asks for a read-reply report.
        read_report: wants(headers, "X-Mms-Read-Reply") || headers.first("Disposition-Notification-To").is_some(),
        hide_sender: headers.first("X-Mms-Sender-Visibility").is_some_and(|v| v.trim().eq_ignore_ascii_case("hide")),
    }
}

/// Adds what must be there and removes what must not travel.
fn headers_for_the_road(headers: &mut Headers, traits: &Traits, identity: &Identity, at: Arrival<'_>) {
    headers.remove("Bcc");
    headers.remove("Return-Path");
    headers.set("Message-ID", format!("<{}>", traits.message_id));
    if headers.first("Date").is_none() {
        headers.push("Date", mime::date::rfc5322(at.now.seconds()));
    }
    if let Identity::Subscriber(number) = identity {
        // The network's word counts, not the message's (I-7).
        headers.set("From", format!("{number}/TYPE=PLMN"));
    }
}

fn wants(headers: &Headers, name: &str) -> bool {
    headers.first(name).is_some_and(|v| v.trim().eq_ignore_ascii_case("yes"))
}

/// The msg-id without its brackets, if it is one we can carry on every protocol.
fn message_id(value: &str) -> Option<String> {
    let id = value.trim().trim_start_matches('<').trim_end_matches('>').trim();
    let sound = !id.is_empty() && id.len() <= 250 && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    sound.then(|| id.to_owned())
}

/// `X-Mms-Expiry` and `X-Mms-Delivery-Time`: seconds from now, or a date (TS 23.140 8.4.5.2).
fn moment(value: &str, now: Timestamp) -> Option<Timestamp> {
    match value.trim().parse::<u32>() {
        Ok(seconds) => Some(now.after(std::time::Duration::from_secs(u64::from(seconds)))),
        Err(_) => mime::date::parse(value).map(Timestamp::from_seconds),
    }
}

fn class(headers: &Headers, null_sender: bool) -> Class {
    match headers.first("X-Mms-Message-Class").map(|v| v.trim().to_ascii_lowercase()).as_deref() {
        Some("advertisement") => Class::Advertisement,
        Some("informational") => Class::Informational,
        Some("auto") => Class::Auto,
        Some("personal") => Class::Personal,
        // RFC 4356 2.2.2: the null sender stands for class Auto.
        _ if null_sender => Class::Auto,
        _ => Class::Personal,
    }
}

/// X-Mms-Priority, else Importance, else X-Priority (RFC 4356 table 3).
fn priority(headers: &Headers) -> Priority {
    let first_word = |name: &str| {
        let value = headers.first(name)?;
        Some(value.split_whitespace().next()?.to_ascii_lowercase())
    };
    let said = first_word("X-Mms-Priority").or_else(|| first_word("Importance"));
    match said.or_else(|| first_word("X-Priority")).as_deref() {
        Some("high" | "1" | "2") => Priority::High,
        Some("low" | "4" | "5") => Priority::Low,
        _ => Priority::Normal,
    }
}
