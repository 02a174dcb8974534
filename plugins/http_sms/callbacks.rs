//! What the gateway calls us about, over plain HTTP.
//!
//! | path | what | is taken by |
//! |---|---|---|
//! | `/receipt/TOKEN`, `/receipt` | a receipt; the token names the short message | [`crate::receipts`] |
//! | `/sms/TOKEN`, `/sms` | a short message that arrived; the token is the operator's | [`crate::arrivals`] |
//!
//! Anything else is 404. GET and POST are taken.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use packetboat_api::async_trait;
use packetboat_api::serve::{Connection, Listen, Serve};
use packetboat_net::callback::{self, Call, Limits, Reply};

use crate::bearer::HttpSms;
use crate::fields::Said;
use crate::limits::{CALLBACK_BODY, CALLBACK_HEAD, CALLBACK_SILENCE};
use crate::receipts;

const LIMITS: Limits =
    Limits { head: CALLBACK_HEAD, body: CALLBACK_BODY, silence: Duration::from_secs(CALLBACK_SILENCE) };

#[async_trait]
impl Serve for HttpSms {
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

impl HttpSms {
    async fn called(&self, call: Call) -> Reply {
        if !matches!(call.method, Method::GET | Method::POST) {
            return StatusCode::METHOD_NOT_ALLOWED.into();
        }
        let said = Said::of(&call);
        if let Some(post) = self.post.as_ref().filter(|post| post.gate.lets(&call)) {
            return post.take(&said).await.into();
        }
        let status = match call.below(receipts::PATH).map(|rest| (rest, rest.strip_prefix('/'))) {
            Some((_, Some(token))) if !token.is_empty() => self.received(Some(token), &said).await,
            Some(("" | "/", _)) => self.received(None, &said).await,
            _ => StatusCode::NOT_FOUND,
        };
        status.into()
    }
}
