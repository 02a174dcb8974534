//! A push becomes a submission: a control document that says for whom, and the content with its header fields
//! (WAP-247-PAP 8.2, 9.2).
//!
//! The gateway makes a push PDU of its own; what is in ours goes along in words: the content type, the application, who
//! began it, and the fields nobody here reads. It has its own date.

use packetboat_api::message::Priority;
use packetboat_api::roles::{BearerError, Sms, SmsBody};
use packetboat_push::pap::{self, PushMessage, Quality};
use packetboat_push::{ApplicationId, Push};

use crate::settings::PapSettings;

/// A submission, ready to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The Content-Type of the request.
    pub content_type: String,
    /// Its body.
    pub body: Vec<u8>,
}

/// The push in what is to be sent. Anything else never goes this way.
pub fn push(sms: &Sms) -> Result<Push, BearerError> {
    let refused = |why: String| Err(BearerError::Permanent { why });
    match &sms.body {
        SmsBody::Push(octets) => {
            Push::parse(octets).or_else(|error| refused(format!("what is to be pushed is no WAP push: {error}")))
        }
        SmsBody::Data { destination, .. } => {
            refused(format!("a push proxy gateway carries WAP pushes only, and no data for port {destination}"))
        }
        SmsBody::Text(_) => refused("a push proxy gateway carries WAP pushes only, and no words".to_owned()),
    }
}

/// The submission of a push under the name `push_id`. The `boundary` is long and random.
pub fn submission(
    settings: &PapSettings,
    ppg_host: &str,
    sms: &Sms,
    push: &Push,
    push_id: &str,
    notify_to: Option<String>,
    boundary: &str,
) -> Submission {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let required = |text: &str| said(text).map(|text| (text, settings.bearer_required));
    let message = PushMessage {
        push_id: push_id.to_owned(),
        notify_to,
        source_reference: said(&settings.source_reference),
        deliver_before: Some(sms.expires.seconds()),
        address: pap::address(&sms.to.to_string(), ppg_host),
        quality: Some(Quality {
            priority: Some(match sms.priority {
                Priority::High => pap::Priority::High,
                Priority::Normal => pap::Priority::Medium,
                Priority::Low => pap::Priority::Low,
            }),
            method: Some(settings.delivery_method.into()),
            network: required(&settings.network),
            bearer: required(&settings.bearer),
        }),
    };
    let fields = fields(push);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let control = message.to_xml_of(settings.version.into());
    Submission {
        content_type: pap::multipart::content_type(boundary),
        body: pap::multipart(boundary, &control, &fields, &push.payload),
    }
}

/// The header fields of the content.
fn fields(push: &Push) -> Vec<(String, String)> {
    let mut fields = vec![("Content-Type".to_owned(), push.content_type.to_string())];
    let application = push.application_id.as_ref().map(|application| match (application, application.name()) {
        (_, Some(name)) => format!("x-wap-application:{name}"),
        (ApplicationId::Number(number), None) => number.to_string(),
        (ApplicationId::Text(text), None) => text.clone(),
    });
    let initiator = push.initiator.clone();
    for (name, value) in [("X-Wap-Application-Id", application), ("X-Wap-Initiator-URI", initiator)] {
        fields.extend(value.map(|value| (name.to_owned(), value)));
    }
    fields.extend(push.others.iter().map(|field| (field.name.to_text(), field.to_text())));
    fields
}
