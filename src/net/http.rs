//! A small HTTP client for gateways: one request, one bounded answer.
//!
//! Every request has a time-out as a whole and one for connecting, an answer's body has a bound (I-8), redirects are
//! answers like any other unless asked for, and the environment's proxy variables are not looked at (I-9). A client that asks
//! for what strangers name can be kept out of private networks ([`Reach::PublicOnly`]).
//!
//! Failure story: an [`HttpError`] says by its kind whether the request can have reached the other side.
//! [`ErrorKind::Connect`] and [`ErrorKind::Request`] mean that it did not, so that a repetition makes no duplicate; after
//! [`ErrorKind::Timeout`], [`ErrorKind::Broken`] and [`ErrorKind::TooLarge`] it may have.

use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, Url};

use crate::dns::Lookup;
use crate::reach::Names;
pub use crate::reach::Reach;
use crate::tls::TlsClient;

/// What a [`Client`] is built from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest time for the name look-up, the connection and its TLS handshake.
    pub connect_timeout: Duration,
    /// Longest time for a request as a whole, from the first step to the last octet of the answer.
    pub timeout: Duration,
    /// Most octets of an answer's body.
    pub max_body: usize,
    /// User-Agent (RFC 9110 10.1.5); gateways and content servers choose by it (case I-05). None is sent when empty.
    pub user_agent: String,
    /// Redirects to follow; with 0 a redirect is the answer.
    pub max_redirects: usize,
    /// Unused connections kept open to one host.
    pub max_idle: usize,
    /// File with the certificate authorities (PEM) to believe for https instead of the machine's.
    pub ca_file: Option<PathBuf>,
    /// What it may connect to.
    pub reach: Reach,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            max_body: 64 << 10,
            user_agent: concat!("packetboat/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_redirects: 0,
            max_idle: 256,
            ca_file: None,
            reach: Reach::Anywhere,
        }
    }
}

/// An HTTP client with its connections. Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    max_body: usize,
    reach: Reach,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code (RFC 9110 15).
    pub status: u16,
    /// Content-Type as sent.
    pub content_type: Option<String>,
    /// The header.
    pub headers: HeaderMap,
    /// The body, all of it.
    pub body: Bytes,
}

impl Answer {
    /// 2xx.
    pub fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body as text, octets that are not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// How long the other side wants to be left alone: Retry-After in seconds (RFC 9110 10.2.3), a day at most. The form
    /// with a date is not read: it would need a clock that agrees with ours.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds: u64 = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.min(LONGEST_RETRY)))
    }
}

/// Seconds of the longest Retry-After that is believed.
const LONGEST_RETRY: u64 = 86_400;

/// The Authorization field of HTTP Basic authentication (RFC 7617), which is never printed.
pub fn basic(username: &str, password: &str) -> HeaderValue {
    let encoded = STANDARD.encode(format!("{username}:{password}"));
    // Base64 has no character that a field does not take.
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Whether an address can be asked by HTTP.
pub fn is_http(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct HttpError {
    /// The kind.
    pub kind: ErrorKind,
    /// In words, without the address asked for (it may hold a password).
    pub detail: String,
}

/// The closed list of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The address or a header field cannot be used, or no client can be built here. Nothing was sent.
    Request,
    /// No connection. Nothing was sent.
    Connect,
    /// No whole answer in time.
    Timeout,
    /// The answer is larger than [`Options::max_body`].
    TooLarge,
    /// The connection broke, or what came is not HTTP.
    Broken,
}

impl ErrorKind {
    /// Whether the other side may have acted on the request.
    pub fn may_have_arrived(self) -> bool {
        matches!(self, ErrorKind::Timeout | ErrorKind::TooLarge | ErrorKind::Broken)
    }
}

impl Client {
    /// A client; nothing is sent yet.
    pub fn new(options: &Options) -> Result<Client, HttpError> {
        Self::build(options, None)
    }

    /// A client that finds hosts by this look-up (I-12) instead of the machine's.
    pub fn with_lookup(options: &Options, lookup: Arc<dyn Lookup>) -> Result<Client, HttpError> {
        Self::build(options, Some(lookup))
    }

    fn build(options: &Options, lookup: Option<Arc<dyn Lookup>>) -> Result<Client, HttpError> {
        let unusable = |detail| HttpError { kind: ErrorKind::Request, detail };
        let tls = TlsClient::new(options.ca_file.as_deref()).map_err(unusable)?;
        let redirects = match options.max_redirects {
            0 => Policy::none(),
            most => redirects(most, options.reach),
        };
        let mut builder = reqwest::Client::builder();
        if !options.user_agent.is_empty() {
            builder = builder.user_agent(&options.user_agent);
        }
        if lookup.is_some() || options.reach != Reach::Anywhere {
            builder = builder.dns_resolver(Names { reach: options.reach, lookup });
        }
        let inner = builder
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .redirect(redirects)
            .pool_max_idle_per_host(options.max_idle)
            .tcp_nodelay(true)
            .no_proxy()
            .tls_backend_preconfigured(tls.verified())
            .build()
            .map_err(|error| unusable(words(error)))?;
        Ok(Client { inner, max_body: options.max_body, reach: options.reach })
    }

    /// GET.
    pub async fn get(&self, url: &str) -> Result<Answer, HttpError> {
        self.run(url, self.inner.get(url)).await
    }

    /// POST.
    pub async fn post(
        &self,
        url: &str,
        content_type: &str,
        body: impl Into<Bytes> + Send,
    ) -> Result<Answer, HttpError> {
        let body: Bytes = body.into();
        self.run(url, self.inner.post(url).header(CONTENT_TYPE, content_type).body(body)).await
    }

    /// Any request. One without a host is an error of the kind [`ErrorKind::Request`].
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer, HttpError> {
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let url = request.url().to_string();
        self.run(&url, RequestBuilder::from_parts(self.inner.clone(), request)).await
    }

    async fn run(&self, url: &str, request: RequestBuilder) -> Result<Answer, HttpError> {
        // What is no URL at all fails below, in the client's own words.
        if self.reach != Reach::Anywhere
            && let Ok(url) = Url::parse(url)
        {
            self.reach.allows(&url).map_err(|detail| HttpError { kind: ErrorKind::Request, detail })?;
        }
        let mut response = request.send().await.map_err(failed)?;
        let declared = declared_length(&response).unwrap_or(0);
        if declared > self.max_body as u64 {
            return Err(self.too_large());
        }
        let mut body = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > self.max_body {
                return Err(self.too_large());
            }
            body.extend_from_slice(&piece);
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        Ok(Answer {
            status: response.status().as_u16(),
            content_type: content_type.and_then(|value| value.to_str().ok()).map(str::to_owned),
            headers: response.headers().clone(),
            body: body.freeze(),
        })
    }

    fn too_large(&self) -> HttpError {
        let detail = format!("the answer is larger than {} octets", self.max_body);
        HttpError { kind: ErrorKind::TooLarge, detail }
    }
}

/// Follows so many redirects, as far as they lead where the client may go.
fn redirects(most: usize, reach: Reach) -> Policy {
    Policy::custom(move |attempt| match reach.allows(attempt.url()) {
        Ok(()) if attempt.previous().len() > most => attempt.error("too many redirects"),
        Ok(()) => attempt.follow(),
        Err(why) => attempt.error(why),
    })
}

fn declared_length(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_builder() {
        ErrorKind::Request
    } else if error.is_connect() {
        // A connection that took too long is both; that nothing was sent is what matters.
        ErrorKind::Connect
    } else if error.is_timeout() {
        ErrorKind::Timeout
    } else {
        ErrorKind::Broken
    };
    HttpError { kind, detail: words(error) }
}

/// An error with its causes, without the URL.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}
