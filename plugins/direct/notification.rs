//! What the phone is told: m-notification-ind, m-delivery-ind and m-read-orig-ind as WSP pushes.
//!
//! A default notification fits one short message. When it would not, the subject is left out first, then the sender
//! (the message itself names it again); only then a second short message is used (case A-10).

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, TOKEN_LENGTH, TRANSACTION_LENGTH};
use packetboat_api::message::{Class, DeliveryReport, Message, Priority, ReadReport, ReportedStatus};
use packetboat_api::party::Party;
use packetboat_mms::codes::{MessageClass, Priority as MmsPriority, ReadStatus, Status};
use packetboat_mms::{Field, FromValue, Pdu, Version};
use packetboat_push::{Push, fits_one_sms};

/// The version we speak first: every phone of the last twenty years knows it.
const VERSION: Version = Version::V1_2;
/// Header octets of a stored message on the air: fields and part headers, roughly (X-Mms-Message-Size may be approximate).
const HEADER_OCTETS: u64 = 512;
/// Longest subject in a notification, in characters; longer ones are cut there only.
const SUBJECT: usize = 40;

/// What is told of a message beside its address.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The sender.
    pub sender: bool,
    /// The subject.
    pub subject: bool,
}

/// The push that tells of a message waiting at `url`.
pub fn notification(message: &Message, delivery: &Delivery, url: &str, shown: Shown, now: Timestamp) -> Bytes {
    let budget = [shown, Shown { subject: false, ..shown }, Shown { subject: false, sender: false }];
    let made = |shown: &Shown| push(&indication(message, delivery, url, *shown, now), delivery);
    let fitting = budget.iter().map(made).find(|push| fits_one_sms(push.len()));
    // None fits: then there is nothing to be gained by hiding anything.
    fitting.unwrap_or_else(|| made(&shown))
}

fn indication(message: &Message, delivery: &Delivery, url: &str, shown: Shown, now: Timestamp) -> Pdu {
    let class = match message.traits.class {
        Class::Personal => MessageClass::Personal,
        Class::Advertisement => MessageClass::Advertisement,
        Class::Informational => MessageClass::Informational,
        Class::Auto => MessageClass::Auto,
    };
    let left = now.until(delivery.expires).as_secs().max(1);
    let size = message.size() + HEADER_OCTETS;
    let sender = message.envelope.from.as_ref().filter(|_| shown.sender && !message.traits.hide_sender);
    let subject = message.traits.subject.as_deref().filter(|_| shown.subject);
    let priority = match message.traits.priority {
        Priority::Low => Some(MmsPriority::Low),
        Priority::Normal => None,
        Priority::High => Some(MmsPriority::High),
    };
    let reports = message.envelope.recipients.get(delivery.id.index as usize).is_some_and(|r| r.notify.success);
    Pdu::notification_ind(delivery.transaction(), VERSION, class, size, left, url)
        .with_some(Field::From, sender.map(|party| FromValue::Address(party.to_mms())))
        .with_some(Field::Subject, subject.map(|text| text.chars().take(SUBJECT).collect::<String>()))
        .with_some(Field::Priority, priority)
        .with_some(Field::DeliveryReport, reports.then_some(true))
}

/// Octets of the push of an everyday notification from a phone through this door.
pub fn default_size(door: &str) -> usize {
    let url = format!("{door}/{}", "x".repeat(TOKEN_LENGTH));
    let sender = FromValue::Address("+447700900123/TYPE=PLMN".to_owned());
    let tid = "x".repeat(TRANSACTION_LENGTH);
    let pdu = Pdu::<Bytes>::notification_ind(&tid, VERSION, MessageClass::Personal, 300 << 10, 3 * 86_400, &url);
    Push::mms(0, Bytes::from(pdu.with(Field::From, sender).to_vec())).encode().len()
}

/// The push that tells a sender what became of a message.
pub fn delivery_report(report: &DeliveryReport, delivery: &Delivery) -> Option<Bytes> {
    let status = match report.status {
        ReportedStatus::Retrieved => Status::Retrieved,
        ReportedStatus::Rejected => Status::Rejected,
        ReportedStatus::Expired => Status::Expired,
        ReportedStatus::Forwarded => Status::Forwarded,
        ReportedStatus::Indeterminate => Status::Indeterminate,
        ReportedStatus::Unreachable => Status::Unreachable,
    };
    let status = status.fold(VERSION)?;
    let to = report.recipient.to_mms();
    let pdu = Pdu::<Bytes>::delivery_ind(VERSION, &report.about, &to, seconds(report.at), status);
    Some(push(&pdu, delivery))
}

/// The push that tells a sender that a message was read. `sender` is whom it is told to.
pub fn read_report(report: &ReadReport, sender: &Party, delivery: &Delivery) -> Bytes {
    let status = if report.read { ReadStatus::Read } else { ReadStatus::DeletedWithoutBeingRead };
    let (to, from) = (sender.to_mms(), report.recipient.to_mms());
    push(&Pdu::<Bytes>::read_orig_ind(VERSION, &report.about, &to, &from, seconds(report.at), status), delivery)
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.seconds()).unwrap_or(0)
}

/// The WSP push PDU around it. Its transaction octet only has to differ from push to push.
fn push(pdu: &Pdu, delivery: &Delivery) -> Bytes {
    let transaction = delivery.token.bytes().fold(0u8, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet));
    Push::mms(transaction, Bytes::from(pdu.to_vec())).encode()
}
