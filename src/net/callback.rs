//! A small HTTP server for what gateways call us about: receipts, short messages that arrive, result notifications.
//!
//! The daemon accepts the connections ([`packetboat_api::serve`]); this speaks HTTP/1 on one of them, bounded in its head,
//! body and silence (I-8), and gives each call to a plugin, whose [`Reply`] is the answer. What the caller gets to know of
//! a mistake is a status code.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use packetboat_api::serve::Connection;

/// Most fields of a query or form that are read.
pub const MAX_FIELDS: usize = 256;

/// What a connection over its listener's limit is told.
pub const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What a gateway may say at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of a request line and its header.
    pub head: usize,
    /// Octets of a body.
    pub body: usize,
    /// How long a connection may stay silent.
    pub silence: Duration,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// GET, POST, …
    pub method: Method,
    /// The path, as it was written.
    pub path: String,
    /// What follows the question mark, as it was written.
    pub query: String,
    /// The header.
    pub headers: HeaderMap,
    /// The body, all of it.
    pub body: Bytes,
    /// Who calls.
    pub peer: IpAddr,
}

impl Call {
    /// What follows the last `prefix` in the path; there may be a front part that a reverse proxy left there.
    pub fn below(&self, prefix: &str) -> Option<&str> {
        self.path.rsplit_once(prefix).map(|(_, rest)| rest)
    }

    /// The media type of the body, lower case, without parameters.
    pub fn media_type(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The fields of the query, and of the body when it is a form.
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::read(&self.query);
        if self.media_type() == "application/x-www-form-urlencoded" {
            fields.0.extend(Fields::read(&String::from_utf8_lossy(&self.body)).0);
            fields.0.truncate(MAX_FIELDS);
        }
        fields
    }
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The media type of the body; none without a body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

impl From<StatusCode> for Reply {
    fn from(status: StatusCode) -> Self {
        Reply { status, content_type: "", body: Bytes::new() }
    }
}

/// Serves one connection to its end. `of` names the plugin instance in the log.
pub async fn serve<H, F>(connection: Connection, limits: Limits, of: &str, handle: H)
where
    H: Fn(Call) -> F + Send + Sync,
    F: Future<Output = Reply> + Send,
{
    let drain = connection.drain.clone();
    let peer = connection.peer.ip();
    let service = service_fn(|request: Request<Incoming>| {
        let handle = &handle;
        async move {
            let reply = match read(request, peer, limits).await {
                Ok(call) => handle(call).await,
                Err(status) => status.into(),
            };
            let mut response = Response::new(Full::new(reply.body));
            *response.status_mut() = reply.status;
            if !reply.content_type.is_empty() {
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.silence)
        .max_buf_size(limits.head.max(8192)) // hyper takes no less
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
        tracing::debug!(bearer = of, %error, "a callback connection ended early");
    }
}

async fn read(request: Request<Incoming>, peer: IpAddr, limits: Limits) -> Result<Call, StatusCode> {
    let (head, body) = request.into_parts();
    let whole = tokio::time::timeout(limits.silence, Limited::new(body, limits.body).collect()).await;
    let body = match whole {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => return Err(StatusCode::BAD_REQUEST),
        Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
    };
    Ok(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        peer,
    })
}

/// The fields of a query or form, percent-decoded, in order. Values are octets: gateways write binary there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Bytes)>);

impl Fields {
    /// Reads `name=value&…`.
    pub fn read(text: &str) -> Fields {
        let fields = text.split('&').filter(|field| !field.is_empty()).take(MAX_FIELDS);
        let pair = |field: &str| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (String::from_utf8_lossy(&percent_decoded(name)).into_owned(), percent_decoded(value).into())
        };
        Fields(fields.map(pair).collect())
    }

    /// The first value of that name.
    pub fn octets(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The first value of that name as text, octets that are not UTF-8 replaced.
    pub fn text(&self, name: &str) -> Option<String> {
        self.octets(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// The octets of a percent-encoded text, in which `+` is a space. An escape that is none stands for itself.
pub fn percent_decoded(text: &str) -> Vec<u8> {
    let (mut octets, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => octets.push((high << 4 | low) as u8), // two digits
            None => octets.push(if first == b'+' { b' ' } else { first }),
        }
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    octets
}

/// Octets as a query takes them: everything but the unreserved characters of RFC 3986 2.3 is escaped.
pub fn percent_encoded(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(octets.len() * 3);
    for octet in octets {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*octet)),
            _ => {
                let digits = [octet >> 4, octet & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
                text.push('%');
                text.extend(digits);
            }
        }
    }
    text
}

/// What the addresses we give to a gateway begin with: what the operator says, or what was bound.
#[derive(Debug, Default)]
pub struct Base {
    public: String,
    bound: OnceLock<String>,
}

impl Base {
    /// With the operator's word, which may be empty. The error is in words.
    pub fn new(public: &str) -> Result<Base, String> {
        let public = public.trim_end_matches('/');
        if !public.is_empty() && !crate::http::is_http(public) {
            return Err(format!("\"{public}\" is not an http:// or https:// address"));
        }
        if public.contains(['?', '#']) {
            return Err(format!("\"{public}\" has a query; leave out what begins with ? or #"));
        }
        Ok(Base { public: public.to_owned(), bound: OnceLock::new() })
    }

    /// Takes note of what was bound; the first word stands.
    pub fn bound(&self, addresses: &[SocketAddr], secure: bool) {
        if let Some(address) = addresses.first() {
            let scheme = if secure { "https" } else { "http" };
            let _ = self.bound.set(format!("{scheme}://{address}"));
        }
    }

    /// The address without a trailing slash, once there is one.
    pub fn url(&self) -> Option<&str> {
        if self.public.is_empty() { self.bound.get().map(String::as_str) } else { Some(&self.public) }
    }

    /// Why a gateway may not reach it, when `listen` says where we listen.
    pub fn doubt(&self, listen: &[String]) -> Option<String> {
        let everywhere = |at: &String| at.starts_with("0.0.0.0:") || at.starts_with("[::]:");
        let any = self.public.is_empty() && listen.first().is_some_and(everywhere);
        any.then(|| "is empty while we listen on any address: the gateway is told to call 0.0.0.0".to_owned())
    }
}
