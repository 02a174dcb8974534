//! What the gateway tells of a push later: `resultnotification-message` becomes evidence (WAP-247-PAP 9.6, 9.8).
//!
//! It is posted to the address we gave, which holds a token that only this instance can have made; the push-id holds the same,
//! for gateways that post to one fixed address. The answer is 202 with a `resultnotification-response` once the evidence is on
//! disk, 503 when it cannot be written now, 404 for a push that is none of ours, 400 for what cannot be read.
//!
//! | state | becomes |
//! |---|---|
//! | delivered | push_delivered |
//! | undeliverable, expired, aborted, timeout, cancelled, rejected | push_failed |
//! | pending, unknown | recorded with push_sent |

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use packetboat_api::async_trait;
use packetboat_api::evidence::Fact;
use packetboat_api::serve::{Connection, Listen, Serve};
use packetboat_net::bearer::{Key, Ticket};
use packetboat_net::callback::{self, Call, Limits, Reply};
use packetboat_push::pap::{self, Code, Response, ResultNotification, ResultNotificationResponse, State};

use crate::answer::in_words;
use crate::bearer::PapBearer;
use crate::limits::{CALLBACK_BODY, CALLBACK_HEAD, CALLBACK_SILENCE};

/// Where notifications are taken; what follows is the token.
pub const PATH: &str = "/pap/";

const LIMITS: Limits =
    Limits { head: CALLBACK_HEAD, body: CALLBACK_BODY, silence: Duration::from_secs(CALLBACK_SILENCE) };

/// The name of a submission: something no other has, and which the gateway gives back.
pub fn push_id(key: &Key, ticket: &Ticket, node: &str) -> String {
    format!("{}@{node}", key.token(ticket))
}

#[async_trait]
impl Serve for PapBearer {
    fn listen(&self) -> Listen {
        Listen { listen: self.settings.callback_listen.clone(), ..Listen::default() }
    }

    async fn serve(&self, connection: Connection) {
        callback::serve(connection, LIMITS, &self.name, |call| self.called(call)).await;
    }

    fn too_many(&self) -> &'static [u8] {
        callback::BUSY
    }

    fn bound(&self, addresses: &[SocketAddr]) {
        self.base.bound(addresses, false);
    }
}

impl PapBearer {
    async fn called(&self, call: Call) -> Reply {
        // A gateway may leave the slash at the end out.
        let path = if call.path.ends_with('/') { call.path.clone() } else { format!("{}/", call.path) };
        let Some((_, token)) = path.rsplit_once(PATH).map(|(front, token)| (front, token.trim_end_matches('/'))) else {
            return StatusCode::NOT_FOUND.into();
        };
        if call.method != Method::POST {
            return StatusCode::METHOD_NOT_ALLOWED.into();
        }
        let named = self.key.ticket(token);
        if named.is_none() && !token.is_empty() {
            return StatusCode::NOT_FOUND.into();
        }
        let content_type = call.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let notification = match pap::parse_multipart(content_type, &call.body) {
            Ok(body) => ResultNotification::from_xml(&body.control).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match notification {
            Ok(notification) => self.told(named, &notification).await,
            Err(error) => {
                tracing::warn!(bearer = self.name, error, "a notification of the push proxy gateway cannot be read");
                bad(&error)
            }
        }
    }

    async fn told(&self, named: Option<Ticket>, notification: &ResultNotification) -> Reply {
        let of_push_id = notification.push_id.split_once('@').and_then(|(token, _)| self.key.ticket(token));
        // What the address names and what the document names must be one push.
        let ticket = of_push_id.filter(|ticket| named.is_none() || named.as_ref() == Some(ticket));
        let Some(ticket) = ticket else {
            return self.reply(StatusCode::NOT_FOUND, notification, Code::PUSH_ID_NOT_FOUND);
        };
        let fact = match notification.state {
            State::Delivered => Fact::PushDelivered,
            State::Pending | State::Unknown => Fact::PushSent,
            State::Undeliverable
            | State::Expired
            | State::Aborted
            | State::Timeout
            | State::Cancelled
            | State::Rejected => Fact::PushFailed,
        };
        let said = in_words(notification.code, notification.description.as_deref());
        let evidence = ticket.evidence(fact, format!("PPG: {}, {said}", notification.state.as_str()));
        match self.witness.witness(ticket.delivery, evidence).await {
            Ok(()) => self.reply(StatusCode::ACCEPTED, notification, Code::OK),
            Err(error) => {
                tracing::warn!(bearer = self.name, delivery = %ticket.delivery, %error, "a receipt could not be written");
                StatusCode::SERVICE_UNAVAILABLE.into()
            }
        }
    }

    fn reply(&self, status: StatusCode, to: &ResultNotification, code: Code) -> Reply {
        let response = ResultNotificationResponse {
            push_id: to.push_id.clone(),
            address: to.address.clone(),
            code,
            description: code.meaning().map(str::to_owned),
        };
        let body = response.to_xml_of(self.settings.version.into()).into();
        Reply { status, content_type: pap::MEDIA_TYPE, body }
    }
}

/// The answer to what cannot be read: `badmessage-response` (WAP-247-PAP 9.13).
fn bad(error: &str) -> Reply {
    let response = Response {
        push_id: None,
        code: Code::BAD_REQUEST,
        description: Some(error.to_owned()),
        reply_time: None,
        bad_fragment: Some(String::new()),
    };
    Reply { status: StatusCode::BAD_REQUEST, content_type: pap::MEDIA_TYPE, body: response.to_xml().into() }
}
