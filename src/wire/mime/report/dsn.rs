//! Delivery status notifications (RFC 3464): what became of each recipient.

use bytes::Bytes;

use crate::limits::REPORT_RECIPIENTS;
use crate::parse::read_fields;
use crate::report::{Envelope, human_text, machine_part, original_fields, push_field, report, typed, untyped};
use crate::words::encode_text;
use crate::{Headers, Mail};

/// What happened to a recipient's message (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It could not be delivered.
    Failed,
    /// It has not been delivered yet.
    Delayed,
    /// It was delivered.
    Delivered,
    /// It went on to where no report comes back from.
    Relayed,
    /// It went on to several.
    Expanded,
}

impl Action {
    /// The word in the field.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
        }
    }

    /// The action of that word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Action::Failed, Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded];
        all.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(word))
    }
}

/// One recipient's lot (RFC 3464 2.3). Addresses are `rfc822` ones unless written `type;address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DsnRecipient {
    /// The recipient as the sender named it (ORCPT).
    pub original_recipient: Option<String>,
    /// The recipient as it was last known; may be absent in what others send.
    pub final_recipient: Option<String>,
    /// What happened.
    pub action: Action,
    /// The enhanced status code: `5.2.3` (RFC 3463).
    pub status: String,
    /// The next system's own words: `smtp; 552 too large` (`x-mms` and the like where it was no mail system).
    pub diagnostic: Option<String>,
    /// Which system said so: `dns; host`.
    pub remote_mta: Option<String>,
}

/// All that a notification says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DsnSpec {
    /// From, To, Date, Message-ID, Subject.
    pub envelope: Envelope,
    /// What a person reads.
    pub text: String,
    /// Our host name.
    pub reporting_mta: String,
    /// Our host name as a gateway, when the message left or came from MMS (RFC 4356 table 4 requires it there).
    pub gateway: Option<String>,
    /// ENVID of the message.
    pub envelope_id: Option<String>,
    /// When the message came in (RFC 5322 date).
    pub arrival_date: Option<String>,
    /// The recipients this is about.
    pub recipients: Vec<DsnRecipient>,
    /// Header fields of the message, to be returned.
    pub original: Headers,
}

/// A notification read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dsn {
    /// The recipients it is about.
    pub recipients: Vec<DsnRecipient>,
    /// ENVID of the message, when it had one.
    pub envelope_id: Option<String>,
    /// Who reports.
    pub reporting_mta: Option<String>,
    /// Message-ID of the original with its brackets, from the returned header fields.
    pub original_message_id: Option<String>,
    /// What a person reads.
    pub text: String,
}

/// Builds a notification; `Auto-Submitted: auto-replied` and a reference to the original are set. The null return
/// path it must be sent with (RFC 3464 2) is the caller's.
pub fn build(spec: &DsnSpec) -> Mail<Bytes> {
    let mut fields = String::new();
    if let Some(id) = &spec.envelope_id {
        push_field(&mut fields, "Original-Envelope-Id", id);
    }
    push_field(&mut fields, "Reporting-MTA", &format!("dns; {}", spec.reporting_mta));
    if let Some(gateway) = &spec.gateway {
        push_field(&mut fields, "DSN-Gateway", &format!("dns; {gateway}"));
    }
    if let Some(date) = &spec.arrival_date {
        push_field(&mut fields, "Arrival-Date", date);
    }
    for recipient in &spec.recipients {
        fields.push_str("\r\n");
        push_recipient(&mut fields, recipient);
    }
    let mut original = String::new();
    for (name, value) in &spec.original.0 {
        push_field(&mut original, name, &encode_text(value));
    }
    let headers = spec.envelope.headers(spec.original.first("Message-ID"));
    let original = (!original.is_empty()).then_some(original);
    report(headers, "delivery-status", &spec.text, fields, original)
}

fn push_recipient(fields: &mut String, recipient: &DsnRecipient) {
    if let Some(original) = &recipient.original_recipient {
        push_field(fields, "Original-Recipient", &typed(original));
    }
    let last = recipient.final_recipient.as_ref().or(recipient.original_recipient.as_ref());
    push_field(fields, "Final-Recipient", &typed(last.map_or("unknown", String::as_str)));
    push_field(fields, "Action", recipient.action.as_str());
    push_field(fields, "Status", &recipient.status);
    if let Some(remote) = &recipient.remote_mta {
        push_field(fields, "Remote-MTA", remote);
    }
    if let Some(diagnostic) = &recipient.diagnostic {
        push_field(fields, "Diagnostic-Code", diagnostic);
    }
}

/// Reads a notification; `None` when the mail is none. Recipient blocks without a readable Action are left out; at
/// most [`REPORT_RECIPIENTS`] are read.
pub fn parse(mail: &Mail<Bytes>) -> Option<Dsn> {
    let body = machine_part(&mail.root, "delivery-status")?;
    let (message, mut at) = read_fields(body);
    let message = Headers(message);
    let mut recipients = Vec::new();
    while at < body.len() && recipients.len() < REPORT_RECIPIENTS {
        let (fields, length) = read_fields(&body[at..]);
        at += length.max(1);
        recipients.extend(read_recipient(&Headers(fields)));
    }
    if recipients.is_empty() {
        recipients.extend(read_recipient(&message)); // some forget the empty line
    }
    Some(Dsn {
        recipients,
        envelope_id: message.first("Original-Envelope-Id").map(str::to_owned),
        reporting_mta: message.first("Reporting-MTA").map(|mta| after_type(mta).to_owned()),
        original_message_id: original_fields(&mail.root).first("Message-ID").map(str::to_owned),
        text: human_text(&mail.root),
    })
}

fn read_recipient(fields: &Headers) -> Option<DsnRecipient> {
    let word = fields.first("Action")?.split([' ', '(', ';']).next().unwrap_or("");
    let status = fields.first("Status").unwrap_or("").split([' ', '(']).next().unwrap_or("");
    Some(DsnRecipient {
        original_recipient: fields.first("Original-Recipient").map(untyped),
        final_recipient: fields.first("Final-Recipient").map(untyped),
        action: Action::from_word(word)?,
        status: status.to_owned(),
        diagnostic: fields.first("Diagnostic-Code").map(str::to_owned),
        remote_mta: fields.first("Remote-MTA").map(str::to_owned),
    })
}

/// `dns; host` without the type.
fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, name)| name).trim()
}
