//! Report: what is owed to the sender when a delivery ends.
//!
//! A report is a new message that enters at [`crate::accept`], in the same commit as the end it reports: either both are
//! on disk or neither. It is made from evidence and only when it was asked for (I-3, cases E-02, E-07); a report is never
//! made about a report, and never for a machine's mail (RFC 3834, case M-06).

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, End, Event, State};
use packetboat_api::evidence::Fact;
use packetboat_api::message::{
    Class, DeliveryReport, Envelope, Identity, Kind, Message, Notify, ReadReport, Recipient, ReportedStatus,
};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::party::Party;
use packetboat_api::road::Submission;
use packetboat_api::store::Batch;

use crate::Road;
use crate::transition::Next;

impl Road {
    /// Adds the report that this change calls for, if it calls for one.
    pub(crate) fn add_reports(&self, batch: &mut Batch, message: &Message, next: &mut Next) {
        let State::Done(end) = next.delivery.state else { return };
        if std::mem::replace(&mut next.delivery.reported, true) {
            return;
        }
        let Some(submission) = about(message, &next.delivery, end, self.0.clock.now()) else { return };
        self.add_report(batch, next, submission);
    }

    /// Encloses a report; a sender that cannot be reported to is noted, not an error.
    pub(crate) fn add_report(&self, batch: &mut Batch, next: &mut Next, submission: Submission) {
        let now = self.0.clock.now();
        let (what, detail) = match self.enclose(batch, submission) {
            Ok(id) => ("report", format!("to the sender, as message {id}")),
            Err(refusal) => ("report_not_sent", format!("there is no way to the sender: {refusal}")),
        };
        next.events.push(Event { at: now, what: what.to_owned(), detail });
    }
}

/// The delivery report owed about this end, if one is.
fn about(message: &Message, delivery: &Delivery, end: End, now: Timestamp) -> Option<Submission> {
    let sender = message.envelope.from.as_ref()?;
    if message.kind != Kind::Personal || message.traits.class == Class::Auto {
        return None;
    }
    let recipient = message.envelope.recipients.get(delivery.id.index as usize)?;
    let status = status(end);
    if !wanted(recipient.notify, sender, status) {
        return None;
    }
    let report = DeliveryReport {
        about: message.traits.message_id.clone(),
        recipient: delivery.to.clone(),
        status,
        text: sentence(delivery, end),
        at: now,
        envelope_id: message.envelope.envelope_id.clone(),
        original: recipient.original.clone(),
    };
    Some(submission(Kind::DeliveryReport(report), sender, message))
}

/// The read-reply report to the sender of `message` (TS 23.140 8.1.6); the caller has checked that it was asked for.
pub fn read(message: &Message, reader: &Party, read: bool, now: Timestamp) -> Option<Submission> {
    let sender = message.envelope.from.as_ref()?;
    let report = ReadReport { about: message.traits.message_id.clone(), recipient: reader.clone(), read, at: now };
    Some(submission(Kind::ReadReport(report), sender, message))
}

fn status(end: End) -> ReportedStatus {
    match end {
        End::Delivered => ReportedStatus::Retrieved,
        End::HandedOver => ReportedStatus::Forwarded,
        End::Rejected => ReportedStatus::Rejected,
        End::Expired => ReportedStatus::Expired,
        End::Failed => ReportedStatus::Unreachable,
    }
}

/// Success is reported when it was asked for. Failure is too; a mail sender who said nothing is told as well, as RFC 3461
/// 4.1 has it, since no news would be taken for good news.
fn wanted(notify: Notify, sender: &Party, status: ReportedStatus) -> bool {
    let good = matches!(status, ReportedStatus::Retrieved | ReportedStatus::Forwarded);
    let said_nothing = notify == Notify::default();
    match (notify.never, good) {
        (true, _) => false,
        (false, true) => notify.success,
        (false, false) => notify.failure || (said_nothing && sender.mail().is_some()),
    }
}

fn sentence(delivery: &Delivery, end: End) -> String {
    let to = &delivery.to;
    let because = if delivery.reason.is_empty() { String::new() } else { format!(": {}", delivery.reason) };
    match end {
        End::Delivered if delivery.saw(Fact::LinkOpened) => {
            format!("Your message was sent to {to} as a link to a page, and the page was opened.")
        }
        End::Delivered => format!("Your message was delivered to {to}."),
        End::HandedOver => format!("Your message was handed on towards {to}; whether it arrives is not known."),
        End::Rejected => format!("{to} refused your message{because}."),
        End::Expired => format!("Your message to {to} could not be delivered in time{because}."),
        End::Failed => format!("Your message could not be delivered to {to}{because}."),
    }
}

/// A report to `sender` from nobody (RFC 5321 4.5.5), with the sender's subject so that people know which message it is.
/// Transports that speak of reports in their own way (m-delivery-ind, DSN) make that from its kind.
fn submission(kind: Kind, sender: &Party, about: &Message) -> Submission {
    let mut headers = Headers::default();
    if let Some(subject) = &about.traits.subject {
        headers.push("Subject", subject.clone());
    }
    headers.push("X-Mms-Message-Class", "Auto");
    headers.push("Auto-Submitted", "auto-replied");
    let empty = Entity::leaf(MediaType::new("text/plain").with("charset", "utf-8"), bytes::Bytes::new());
    let recipient =
        Recipient { notify: Notify { never: true, ..Notify::default() }, ..Recipient::plain(sender.clone()) };
    Submission {
        kind,
        identity: Identity::Ourselves,
        envelope: Envelope { from: None, recipients: vec![recipient], ..Envelope::default() },
        mail: Mail { headers, root: empty },
        dedupe: None,
    }
}

#[cfg(test)]
mod tests;
