//! What smsbox calls us about, over plain HTTP.
//!
//! | path | what | is taken by |
//! |---|---|---|
//! | `/dlr/TOKEN` | a delivery report; the token names the short message | [`crate::receipts`] |
//! | `/sms/TOKEN`, `/sms` | a short message that arrived; the token is the operator's | [`crate::arrivals`] |
//!
//! Anything else is 404.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use packetboat_api::async_trait;
use packetboat_api::serve::{Connection, Listen, Serve};
use packetboat_net::callback::{self, Call, Limits, Reply};

use crate::bearer::KannelBearer;
use crate::limits::{CALLBACK_BODY, CALLBACK_HEAD, CALLBACK_SILENCE};
use crate::receipts;

const LIMITS: Limits =
    Limits { head: CALLBACK_HEAD, body: CALLBACK_BODY, silence: Duration::from_secs(CALLBACK_SILENCE) };

#[async_trait]
impl Serve for KannelBearer {
    fn listen(&self) -> Listen {
        Listen { listen: self.settings.dlr_listen.clone(), ..Listen::default() }
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

impl KannelBearer {
    async fn called(&self, call: Call) -> Reply {
        let status = if let Some(token) = call.below(receipts::PATH) {
            match call.method {
                Method::GET => self.reported(token, &call.query).await,
                _ => StatusCode::METHOD_NOT_ALLOWED,
            }
        } else {
            match self.post.as_ref().filter(|post| post.gate.lets(&call)) {
                Some(post) if matches!(call.method, Method::GET | Method::POST) => post.take(&call).await,
                Some(_) => StatusCode::METHOD_NOT_ALLOWED,
                None => StatusCode::NOT_FOUND,
            }
        };
        status.into()
    }
}
