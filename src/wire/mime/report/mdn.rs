//! Message disposition notifications (RFC 8098): whether a message was read.

use bytes::Bytes;

use crate::parse::read_fields;
use crate::report::{Envelope, human_text, machine_part, original_fields, push_field, report, typed, untyped};
use crate::words::encode_text;
use crate::{Headers, Mail};

/// What was done with a message (RFC 8098 3.2.6.2; denied and failed are RFC 2298's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It was displayed to someone: "Read" of an MMS.
    Displayed,
    /// It was deleted; whether read or not is not said: "Deleted without being read" of an MMS.
    Deleted,
    /// It was sent on by a rule.
    Dispatched,
    /// It was used by a program.
    Processed,
    /// The recipient does not tell.
    Denied,
    /// The notification could not be made.
    Failed,
}

impl Disposition {
    /// The word in the field.
    pub fn as_str(self) -> &'static str {
        match self {
            Disposition::Displayed => "displayed",
            Disposition::Deleted => "deleted",
            Disposition::Dispatched => "dispatched",
            Disposition::Processed => "processed",
            Disposition::Denied => "denied",
            Disposition::Failed => "failed",
        }
    }

    /// The disposition of that word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        use Disposition::*;
        let all = [Displayed, Deleted, Dispatched, Processed, Denied, Failed];
        all.into_iter().find(|disposition| disposition.as_str().eq_ignore_ascii_case(word))
    }
}

/// All that a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MdnSpec {
    /// From, To, Date, Message-ID, Subject.
    pub envelope: Envelope,
    /// What a person reads.
    pub text: String,
    /// `host; product`.
    pub reporting_ua: Option<String>,
    /// Our host name as a gateway.
    pub gateway: Option<String>,
    /// The recipient as the sender named it.
    pub original_recipient: Option<String>,
    /// Who read it, or did not.
    pub final_recipient: String,
    /// Message-ID of the original with its brackets.
    pub original_message_id: Option<String>,
    /// What was done.
    pub disposition: Disposition,
    /// A program did it, not a person (`automatic-action`).
    pub automatic: bool,
    /// Header fields of the message, to be returned; none returns none.
    pub original: Headers,
}

/// A notification read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mdn {
    /// The recipient as the sender named it.
    pub original_recipient: Option<String>,
    /// Who read it, or did not.
    pub final_recipient: Option<String>,
    /// Message-ID of the original with its brackets, from its own field or the returned header fields.
    pub original_message_id: Option<String>,
    /// What was done.
    pub disposition: Disposition,
    /// A program did it, not a person.
    pub automatic: bool,
    /// What a person reads.
    pub text: String,
}

/// Builds a notification. The null return path it must be sent with (RFC 8098 3) is the caller's.
pub fn build(spec: &MdnSpec) -> Mail<Bytes> {
    let mut fields = String::new();
    if let Some(agent) = &spec.reporting_ua {
        push_field(&mut fields, "Reporting-UA", agent);
    }
    if let Some(gateway) = &spec.gateway {
        push_field(&mut fields, "MDN-Gateway", &format!("dns; {gateway}"));
    }
    if let Some(original) = &spec.original_recipient {
        push_field(&mut fields, "Original-Recipient", &typed(original));
    }
    push_field(&mut fields, "Final-Recipient", &typed(&spec.final_recipient));
    if let Some(id) = &spec.original_message_id {
        push_field(&mut fields, "Original-Message-ID", id);
    }
    let mode = match spec.automatic {
        true => "automatic-action/MDN-sent-automatically",
        // A phone's read report is sent by the phone, on its owner's doing.
        false => "manual-action/MDN-sent-automatically",
    };
    push_field(&mut fields, "Disposition", &format!("{mode}; {}", spec.disposition.as_str()));
    let mut original = String::new();
    for (name, value) in &spec.original.0 {
        push_field(&mut original, name, &encode_text(value));
    }
    let headers = spec.envelope.headers(spec.original_message_id.as_deref());
    let original = (!original.is_empty()).then_some(original);
    report(headers, "disposition-notification", &spec.text, fields, original)
}

/// Reads a notification; `None` when the mail is none, or says no disposition that is known.
pub fn parse(mail: &Mail<Bytes>) -> Option<Mdn> {
    let body = machine_part(&mail.root, "disposition-notification")?;
    let fields = Headers(read_fields(body).0);
    let (mode, kinds) = fields.first("Disposition")?.split_once(';')?;
    let word = kinds.trim().split([',', '/', ' ']).next().unwrap_or("");
    let id = fields.first("Original-Message-ID").map(str::to_owned);
    Some(Mdn {
        original_recipient: fields.first("Original-Recipient").map(untyped),
        final_recipient: fields.first("Final-Recipient").map(untyped),
        original_message_id: id.or_else(|| original_fields(&mail.root).first("Message-ID").map(str::to_owned)),
        disposition: Disposition::from_word(word)?,
        automatic: mode.trim().to_ascii_lowercase().starts_with("automatic-action"),
        text: human_text(&mail.root),
    })
}
