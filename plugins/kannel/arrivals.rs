//! Short messages that arrived at Kannel, brought by smsbox's sms-service (Kannel user guide, "SMS-service group").
//!
//! | field | Kannel's escape | what |
//! |---|---|---|
//! | `from`, `to` | `%p`, `%P` | who sent it to whom, as the network wrote them |
//! | `coding` | `%c` | 0 words in the default alphabet, 1 octets, 2 words in UCS-2 |
//! | `charset` | `%C` | how words are written: UTF-8, or UTF-16BE |
//! | `udh` | `%u` | the user data header with its length octet |
//! | `text` | `%b` | what follows it; the body of a POST when the field is missing |
//!
//! The answer is 200 once it is taken, with an empty body, which smsbox would send back to the phone; 400 when it cannot be
//! read; 503 when it should come again, which smsbox does when its `http-request-retry` says so.

use bytes::Bytes;
use http::StatusCode;
use packetboat_api::plugin::Env;
use packetboat_net::bearer::{Coding, Gate, Inbox, Key};
use packetboat_net::callback::{Call, Fields};
use packetboat_sms::{Udh, UserData};

use crate::settings::KannelSettings;

/// Where short messages are brought.
pub const PATH: &str = "/sms";

/// Who may bring short messages, and what becomes of them.
pub struct Post {
    /// Who may.
    pub gate: Gate,
    name: String,
    inbox: Inbox,
}

impl Post {
    /// `None` when the settings let nobody bring any.
    pub(crate) fn new(settings: &KannelSettings, key: &Key, env: &Env) -> Result<Option<Post>, (&'static str, String)> {
        let wrong = |message| ("sms_token", message);
        let token = settings.sms_token.as_ref().map(|secret| secret.read(&env.base)).transpose().map_err(wrong)?;
        let gate = Gate::new(PATH, token, &settings.sms_networks, key).map_err(wrong)?;
        let inbox = || Inbox::new(&env.name, env.arrivals.clone(), env.clock.clone());
        Ok(gate.map(|gate| Post { gate, name: env.name.clone(), inbox: inbox() }))
    }

    /// Takes one short message.
    pub(crate) async fn take(&self, call: &Call) -> StatusCode {
        let fields = call.fields();
        let Ok((data, coding)) = read(&fields, &call.body) else { return StatusCode::BAD_REQUEST };
        let Some(from) = fields.text("from").filter(|from| !from.is_empty()) else { return StatusCode::BAD_REQUEST };
        match self.inbox.take(&from, &fields.text("to").unwrap_or_default(), data, coding).await {
            Ok(()) => StatusCode::OK,
            Err(refusal) if refusal.is_temporary() => {
                tracing::warn!(bearer = self.name, %refusal, "a short message could not be taken now");
                StatusCode::SERVICE_UNAVAILABLE
            }
            Err(refusal) => {
                tracing::warn!(bearer = self.name, %refusal, "a short message that arrived cannot be read");
                StatusCode::BAD_REQUEST
            }
        }
    }
}

/// The user data, and what it is. An error: there is no such thing.
fn read(fields: &Fields, body: &Bytes) -> Result<(UserData, Coding), ()> {
    let payload = fields.octets("text").unwrap_or(body).clone();
    let header = match fields.octets("udh").filter(|octets| !octets.is_empty()) {
        Some(octets) => {
            let (udh, length) = Udh::parse(octets).map_err(|_| ())?;
            (length == octets.len()).then_some(Some(udh)).ok_or(())?
        }
        None => None,
    };
    let charset = fields.text("charset").unwrap_or_default().to_ascii_uppercase();
    let wide = matches!(charset.as_str(), "UTF-16BE" | "UCS-2" | "UCS-2BE" | "ISO-10646-UCS-2");
    let coding = match fields.text("coding").as_deref() {
        Some("1") => Coding::Octets,
        Some("2") if wide || charset.is_empty() => Coding::Ucs2,
        None | Some("" | "0" | "2") => match (wide, &header) {
            (true, _) => Coding::Ucs2,
            // Ports carry data, whatever was left unsaid.
            (false, Some(udh)) if udh.ports().is_some() && fields.octets("coding").is_none() => Coding::Octets,
            _ => Coding::Utf8,
        },
        Some(_) => return Err(()),
    };
    Ok((UserData { header, payload }, coding))
}
