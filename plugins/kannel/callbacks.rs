//! Kannel's delivery callbacks: a small HTTP server that turns them into evidence.
//!
//! A callback is a GET of the address we gave as `dlr-url`, with the type of the report (`%d`) and the SMSC's id of the
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

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use packetboat_api::async_trait;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::serve::{Connection, Listen, Serve};
use packetboat_net::bearer::Ticket;

use crate::bearer::KannelBearer;
use crate::limits::{CALLBACK_HEAD, CALLBACK_SILENCE};
use crate::request::words;

/// What goes before the token in a callback's path.
const PATH: &str = "/dlr/";

/// The address Kannel is to call for a token, below `base`.
pub fn address(base: &str, token: &str) -> String {
    format!("{}{PATH}{token}?type=%d&id=%F", base.trim_end_matches('/'))
}

#[async_trait]
impl Serve for KannelBearer {
    fn listen(&self) -> Listen {
        Listen { listen: self.settings.dlr_listen.clone(), ..Listen::default() }
    }

    async fn serve(&self, connection: Connection) {
        let drain = connection.drain.clone();
        let service = service_fn(|request: Request<Incoming>| async move {
            let status = self.callback(request.method(), request.uri()).await;
            let text = status.canonical_reason().unwrap_or_default();
            let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
            *response.status_mut() = status;
            Ok::<_, std::convert::Infallible>(response)
        });
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(CALLBACK_SILENCE))
            .max_buf_size(CALLBACK_HEAD)
            .serve_connection(TokioIo::new(connection), service);
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = drain.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(bearer = self.name, %error, "a callback connection ended early");
        }
    }

    fn too_many(&self) -> &'static [u8] {
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    }

    fn bound(&self, addresses: &[SocketAddr]) {
        if let Some(address) = addresses.first() {
            let _ = self.bound.set(format!("http://{address}")); // the first word stands
        }
    }
}

impl KannelBearer {
    /// Takes one callback.
    async fn callback(&self, method: &Method, uri: &http::Uri) -> StatusCode {
        if method != Method::GET {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        // The path may have a front part that a reverse proxy left there.
        let token = uri.path().rsplit_once(PATH).map(|(_, token)| token);
        let Some(ticket) = token.and_then(|token| self.key.ticket(token)) else {
            return StatusCode::NOT_FOUND;
        };
        let query = uri.query().unwrap_or_default();
        let Some(evidence) = field(query, "type").and_then(|kind| self.evidence(&ticket, &kind, query)) else {
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
    fn evidence(&self, ticket: &Ticket, kind: &str, query: &str) -> Option<Evidence> {
        let (fact, said) = match kind {
            "1" if self.tallies.delivered(ticket) => (Fact::PushDelivered, "reached the phone"),
            "1" => (Fact::PushSent, "reached the phone"),
            "2" => (Fact::PushFailed, "not delivered"),
            "4" => (Fact::PushSent, "buffered by the SMSC"),
            "8" => (Fact::PushSent, "taken by the SMSC"),
            "16" => (Fact::PushFailed, "refused by the SMSC"),
            _ => return None,
        };
        let id = field(query, "id").map(|id| words(&id)).filter(|id| !id.is_empty());
        let id = id.map_or_else(String::new, |id| format!(", SMSC id {id}"));
        Some(Evidence::now(fact, format!("Kannel: {said} (short message {} of {}{id})", ticket.part, ticket.parts)))
    }
}

/// A field of a query, percent-decoded.
fn field(query: &str, name: &str) -> Option<String> {
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    let value = fields.into_iter().find(|(found, _)| *found == name)?.1;
    let (mut octets, mut rest) = (Vec::new(), value.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => octets.push((high << 4 | low) as u8),
            None => octets.push(if first == b'+' { b' ' } else { first }),
        }
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    Some(String::from_utf8_lossy(&octets).into_owned())
}
