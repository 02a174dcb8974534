//! The HTTP gateway of a mobile network: a proxy that tells the MMSC whose phone it is.
//!
//! A handset behind it sends requests in absolute form. The gateway passes them on to the server that the URL names,
//! in origin form, with its own header fields instead of whatever the phone claimed in them.

use crate::http::{Fields, Received, Reply, Request, Server};
use std::net::SocketAddr;

/// Fields that belong to one connection (RFC 9110 7.6.1), and those that the client of the gateway writes anew.
const NOT_PASSED_ON: [&str; 6] =
    ["Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Content-Length", "Expect"];

/// A running gateway. It stops when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    server: Server,
}

impl Gateway {
    /// Starts one that adds these fields to every request, such as `X-MSISDN` with a phone's number.
    pub fn start(fields: &[(&str, &str)]) -> Self {
        let own: Fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Gateway { server: Server::start(move |request| Some(pass_on(&request, &own))) }
    }

    /// Where phones find it.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

fn pass_on(request: &Received, own: &Fields) -> Reply {
    if !request.target.starts_with("http://") {
        return Reply::new(400, "text/plain", "this is a proxy");
    }
    let is_own = |name: &str| own.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let is_kept = |name: &str| !NOT_PASSED_ON.iter().any(|other| other.eq_ignore_ascii_case(name)) && !is_own(name);
    let kept = request.fields.iter().filter(|(name, _)| is_kept(name));
    let outgoing = kept
        .chain(own)
        .fold(Request::new(&request.method, &request.target), |outgoing, (name, value)| outgoing.field(name, value));
    match outgoing.body(&request.body).try_send() {
        Ok(mut reply) => {
            reply.fields.retain(|(name, _)| is_kept(name));
            reply
        }
        Err(error) => Reply::new(502, "text/plain", error.to_string()),
    }
}
