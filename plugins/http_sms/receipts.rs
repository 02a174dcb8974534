//! A gateway's receipts become evidence, by a mapping of its words.

use http::StatusCode;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_net::bearer::Ticket;

use crate::answer::words;
use crate::bearer::HttpSms;
use crate::fields::Said;
use crate::settings::ReceiptSettings;

/// Where receipts are taken; what follows is the token, when the address has it.
pub const PATH: &str = "/receipt";

impl HttpSms {
    /// Takes one receipt. `token` is what its address says.
    pub(crate) async fn received(&self, token: Option<&str>, said: &Said) -> StatusCode {
        let settings = &self.settings.receipts;
        let Some(key) = self.key.as_ref().filter(|_| !settings.status.is_empty()) else { return StatusCode::NOT_FOUND };
        let token = token.map(str::to_owned).or_else(|| said.text(&settings.token));
        let Some(ticket) = token.and_then(|token| key.ticket(&token)) else { return StatusCode::NOT_FOUND };
        let Some(status) = said.text(&settings.status) else { return StatusCode::BAD_REQUEST };
        let Some(evidence) = self.evidence(&ticket, &status, said.text(&settings.id)) else { return StatusCode::OK };
        match self.witness.witness(ticket.delivery, evidence).await {
            Ok(()) => StatusCode::OK,
            Err(error) => {
                tracing::warn!(bearer = self.name, delivery = %ticket.delivery, %error, "a receipt could not be written");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What a status proves; `None` for one that is to be passed over.
    fn evidence(&self, ticket: &Ticket, status: &str, id: Option<String>) -> Option<Evidence> {
        let fact = match meaning(&self.settings.receipts, status)? {
            Fact::PushDelivered if !self.tallies.delivered(ticket) => Fact::PushSent,
            fact => fact,
        };
        let id = id.map_or_else(String::new, |id| format!(", id {}", words(&id)));
        let said = words(status);
        Some(ticket.evidence(fact, format!("gateway: {said} (short message {} of {}{id})", ticket.part, ticket.parts)))
    }
}

/// What a status says of one short message.
fn meaning(settings: &ReceiptSettings, status: &str) -> Option<Fact> {
    let among = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(status.trim()));
    match status {
        _ if among(&settings.ignored) => None,
        _ if among(&settings.delivered) => Some(Fact::PushDelivered),
        _ if among(&settings.failed) => Some(Fact::PushFailed),
        _ => Some(Fact::PushSent),
    }
}
