//! Reports as mail: a delivery report becomes a DSN (RFC 3464), a read report an MDN (RFC 8098), as RFC 4356 2.1.4 and
//! 2.1.5 map them.

use bytes::Bytes;
use packetboat_api::message::{DeliveryReport, Message, ReadReport, ReportedStatus};
use packetboat_api::mime::date::rfc5322;
use packetboat_api::mime::report::dsn::{Action, DsnRecipient, DsnSpec};
use packetboat_api::mime::report::mdn::{Disposition, MdnSpec};
use packetboat_api::mime::report::{Envelope, dsn, mdn};
use packetboat_api::mime::{Headers, Mail};
use packetboat_api::party::Party;
use packetboat_api::roles::Job;

use crate::names::Names;

/// The DSN for a delivery report.
pub fn delivery(about: &DeliveryReport, job: &Job, node: &str, names: &Names) -> Mail<Bytes> {
    let (action, status) = outcome(about.status);
    let recipient = called(&about.recipient, names);
    let word = match action {
        Action::Delivered => "Delivered",
        Action::Failed => "Not delivered",
        _ => "Handed on",
    };
    let from = sender(&about.recipient, names);
    dsn::build(&DsnSpec {
        envelope: envelope(from, word, job, names, about.at.seconds()),
        text: format!("{}\n", about.text),
        reporting_mta: node.to_owned(),
        gateway: Some(node.to_owned()),
        envelope_id: about.envelope_id.clone(),
        arrival_date: None,
        recipients: vec![DsnRecipient {
            original_recipient: about.original.clone(),
            final_recipient: Some(recipient.clone()),
            action,
            status: status.to_owned(),
            diagnostic: (action == Action::Failed).then(|| format!("x-mms; {:?}", about.status)),
            remote_mta: None,
        }],
        original: original(&about.about, &recipient, job, names),
    })
}

/// The MDN for a read report.
pub fn read(about: &ReadReport, job: &Job, node: &str, names: &Names) -> Mail<Bytes> {
    let recipient = called(&about.recipient, names);
    let (word, sentence, disposition) = match about.read {
        true => ("Read", "has read your message", Disposition::Displayed),
        false => ("Deleted without being read", "deleted your message without reading it", Disposition::Deleted),
    };
    mdn::build(&MdnSpec {
        envelope: envelope(sender(&about.recipient, names), word, job, names, about.at.seconds()),
        text: format!("{} {sentence}.\n", about.recipient),
        reporting_ua: Some(format!("{node}; packetboat")),
        gateway: Some(node.to_owned()),
        original_recipient: None,
        final_recipient: recipient.clone(),
        original_message_id: Some(format!("<{}>", about.about)),
        disposition,
        automatic: false,
        original: original(&about.about, &recipient, job, names),
    })
}

/// What an X-Mms-Status is as a DSN (RFC 4356 table 4, RFC 3463).
fn outcome(status: ReportedStatus) -> (Action, &'static str) {
    match status {
        ReportedStatus::Retrieved => (Action::Delivered, "2.0.0"),
        // It reached the phone, which is why RFC 4356 calls it delivered. A person who sees "delivered" believes that it
        // was taken, and that is not so (I-3).
        ReportedStatus::Rejected => (Action::Failed, "5.7.1"),
        ReportedStatus::Expired => (Action::Failed, "5.4.7"),
        ReportedStatus::Forwarded | ReportedStatus::Indeterminate => (Action::Relayed, "2.0.0"),
        ReportedStatus::Unreachable => (Action::Failed, "5.4.0"),
    }
}

/// From: the recipient reported on (RFC 4356 2.1.4), when its address is in our domain; we may not speak in others'.
fn sender(recipient: &Party, names: &Names) -> String {
    match recipient {
        Party::Mail(_) => format!("MAILER-DAEMON@{}", names.domain),
        _ => called(recipient, names),
    }
}

fn called(party: &Party, names: &Names) -> String {
    names.address(party).map_or_else(|| party.to_string(), |address| address.to_string())
}

fn envelope(from: String, word: &str, job: &Job, names: &Names, at: i64) -> Envelope {
    let subject = match subject(&job.message) {
        Some(subject) => format!("{word}: {subject}"),
        None => word.to_owned(),
    };
    let to = called(&job.recipient.to, names);
    Envelope { from, to, date: rfc5322(at), message_id: format!("<{}>", job.message.wire_id()), subject }
}

/// The subject of the message reported on, which the report carries.
fn subject(message: &Message) -> Option<&str> {
    message.traits.subject.as_deref().or_else(|| message.mail.headers.first("Subject"))
}

/// What is known of the message reported on, for the sender's mail program to find it by.
fn original(message_id: &str, recipient: &str, job: &Job, names: &Names) -> Headers {
    let mut headers = Headers::default();
    headers.push("Message-ID", format!("<{message_id}>"));
    headers.push("From", called(&job.recipient.to, names));
    headers.push("To", recipient);
    if let Some(subject) = subject(&job.message) {
        headers.push("Subject", subject);
    }
    headers
}
