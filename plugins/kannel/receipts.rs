//! Kannel's delivery reports become evidence.
//!
//! A report is a GET of the address we gave as `dlr-url`, with the type of the report (`%d`) and the SMSC's id of the
//! message (`%F`) filled in. The answer is 200 once the evidence is on disk, 503 when it cannot be written now, 404 for
//! a token we did not make.
//!
//! | type | means | becomes |
//! |---|---|---|
//! | 1 | delivered to the phone | push_delivered once all short messages of the push are; until then as 8 |
//! | 2 | not delivered | push_failed |
//! | 4 | buffered by the SMSC | recorded with push_sent |
//! | 8 | taken by the SMSC | recorded with push_sent |
//! | 16 | refused by the SMSC | push_failed |

use http::StatusCode;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_net::bearer::Ticket;
use packetboat_net::callback::Fields;

use crate::bearer::KannelBearer;
use crate::request::words;

/// What goes before the token in a report's path.
pub const PATH: &str = "/dlr/";

/// The address Kannel is to call for a token, below `base`.
pub fn address(base: &str, token: &str) -> String {
    format!("{base}{PATH}{token}?type=%d&id=%F")
}

impl KannelBearer {
    /// Takes one report.
    pub(crate) async fn reported(&self, token: &str, query: &str) -> StatusCode {
        let Some(ticket) = self.key.ticket(token) else { return StatusCode::NOT_FOUND };
        let fields = Fields::read(query);
        let Some(evidence) = fields.text("type").and_then(|kind| self.evidence(&ticket, &kind, &fields)) else {
            return StatusCode::BAD_REQUEST;
        };
        match self.witness.witness(ticket.delivery, evidence).await {
            Ok(()) => StatusCode::OK,
            Err(error) => {
                tracing::warn!(bearer = self.name, delivery = %ticket.delivery, %error, "a receipt could not be written");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What a report proves; `None` for a type Kannel does not have.
    fn evidence(&self, ticket: &Ticket, kind: &str, fields: &Fields) -> Option<Evidence> {
        let (fact, said) = match kind {
            "1" if self.tallies.delivered(ticket) => (Fact::PushDelivered, "reached the phone"),
            "1" => (Fact::PushSent, "reached the phone"),
            "2" => (Fact::PushFailed, "not delivered"),
            "4" => (Fact::PushSent, "buffered by the SMSC"),
            "8" => (Fact::PushSent, "taken by the SMSC"),
            "16" => (Fact::PushFailed, "refused by the SMSC"),
            _ => return None,
        };
        let id = fields.text("id").map(|id| words(&id)).filter(|id| !id.is_empty());
        let id = id.map_or_else(String::new, |id| format!(", SMSC id {id}"));
        Some(ticket.evidence(fact, format!("Kannel: {said} (short message {} of {}{id})", ticket.part, ticket.parts)))
    }
}
