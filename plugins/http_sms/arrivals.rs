//! Short messages that arrived at the gateway, brought by a callback whose fields the settings name.
//!
//! The answer is 200 once it is taken, 400 when it cannot be read, 503 when it should come again.

use http::StatusCode;
use packetboat_api::plugin::Env;
use packetboat_net::bearer::{Coding, Gate, Inbox, Key};
use packetboat_sms::{Udh, UserData};

use crate::fields::{Said, Unreadable};
use crate::settings::ArrivalSettings;

/// Where short messages are brought.
pub const PATH: &str = "/sms";

/// Who may bring short messages, how they are read, and what becomes of them.
pub struct Post {
    /// Who may.
    pub gate: Gate,
    name: String,
    settings: ArrivalSettings,
    inbox: Inbox,
}

impl Post {
    /// `None` when the settings let nobody bring any.
    pub(crate) fn new(
        settings: &ArrivalSettings,
        key: &Key,
        env: &Env,
    ) -> Result<Option<Post>, (&'static str, String)> {
        let wrong = |message| ("arrivals.token", message);
        let token = settings.token.as_ref().map(|secret| secret.read(&env.base)).transpose().map_err(wrong)?;
        let gate = Gate::new(PATH, token, &settings.networks, key).map_err(wrong)?;
        if settings.from.is_empty() {
            return match gate {
                None => Ok(None),
                Some(_) => Err(("arrivals.from", "say where the sender of a short message stands".to_owned())),
            };
        }
        let Some(gate) = gate else {
            return Err(("arrivals", "nobody may bring short messages; say a token or networks".to_owned()));
        };
        if settings.text.is_empty() && settings.data.is_empty() && settings.user_data.is_empty() {
            return Err(("arrivals", "say where the text, data or user_data of a short message stands".to_owned()));
        }
        let inbox = Inbox::new(&env.name, env.arrivals.clone(), env.clock.clone());
        Ok(Some(Post { gate, name: env.name.clone(), settings: settings.clone(), inbox }))
    }

    /// Takes one short message.
    pub(crate) async fn take(&self, said: &Said) -> StatusCode {
        let Some(from) = said.text(&self.settings.from) else { return StatusCode::BAD_REQUEST };
        let Ok((data, coding)) = self.read(said) else { return StatusCode::BAD_REQUEST };
        match self.inbox.take(&from, &said.text(&self.settings.to).unwrap_or_default(), data, coding).await {
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

    /// The user data, and what it is.
    fn read(&self, said: &Said) -> Result<(UserData, Coding), Unreadable> {
        let settings = &self.settings;
        let binary = |place: &str| said.binary(place, settings.encoding);
        if let Some(octets) = binary(&settings.user_data)? {
            let data = UserData::parse(&octets, true).map_err(|_| Unreadable)?;
            return Ok((data, Coding::Octets));
        }
        let header = match binary(&settings.udh)? {
            Some(octets) => {
                let (udh, length) = Udh::parse(&octets).map_err(|_| Unreadable)?;
                (length == octets.len()).then_some(Some(udh)).ok_or(Unreadable)?
            }
            None => None,
        };
        if let Some(payload) = binary(&settings.data)? {
            return Ok((UserData { header, payload }, Coding::Octets));
        }
        let text = said.text(&settings.text).ok_or(Unreadable)?;
        Ok((UserData { header, payload: text.into() }, Coding::Utf8))
    }
}
