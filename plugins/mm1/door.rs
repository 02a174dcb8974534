//! The door: HTTP from phones, one connection at a time.
//!
//! Lenient in: absolute-form requests, chunked bodies, HTTP/1.0, any path for a POST, a content URL with the transaction id
//! appended (cases, I-04, I-05). Strict out: one Content-Length, `Connection: close` unless told otherwise.
//!
//! `fetched` is said only when the whole answer went out and the phone closed in good order: a phone that breaks off in
//! the middle has not got its picture (I-3).
//!
//! What a phone shows of itself on the way is told to the memory of phones. Nothing waits for it, and nothing depends on it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use packetboat_api::async_trait;
use packetboat_api::clock::Clock;
use packetboat_api::delivery::TOKEN_LENGTH;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::memory::Sighting;
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::Msisdn;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::{Fetch, FetchError, Handsets, Intake, Refusal, RefusalKind};
use packetboat_api::roles::{Instance, Listener};
use packetboat_api::serve::{Connection, Door, Listen, Serve};
use packetboat_api::spool::SpoolBudget;
use packetboat_api::store::StoreError;
use packetboat_mms::{DecodeError, Pdu, PduType, decode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::answers::{NEWEST, retrieve_status, version};
use crate::identity::Identities;
use crate::profile::Profiles;
use crate::receive::{self, Ignored, token_of};
use crate::settings::Mm1Settings;
use crate::sighting::Look;
use crate::{forward, retrieve, submit};

/// The media type of PDUs (OMA-TS-MMS_ENC 9).
const MMS_MESSAGE: HeaderValue = HeaderValue::from_static("application/vnd.wap.mms-message");
/// Octets of a PDU beside its content: fields, part headers.
const PDU_MARGIN: u64 = 64 << 10;
/// Octets of a request that is too large which are still read, so that the phone hears why.
const SWALLOWED: u64 = 64 << 20;
/// How long a phone may take to send a request's header.
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets of a request's header at most.
const HEADER: usize = 64 << 10;
/// How long a phone may take to close after the answer: what the network still holds for it arrives in this time, even over
/// GPRS. While draining it gets less.
const LINGER: Duration = Duration::from_secs(120);
const HURRY: Duration = Duration::from_secs(5);

type AnyBody = UnsyncBoxBody<Bytes, StoreError>;

/// The listener.
pub struct Mm1 {
    settings: Mm1Settings,
    identities: Identities,
    numbers: NumberPlan,
    intake: Arc<dyn Intake>,
    handsets: Arc<dyn Handsets>,
    spool: SpoolBudget,
    clock: Arc<dyn Clock>,
    profiles: Profiles,
    door: Door,
}

impl Configured for Mm1 {
    type Settings = Mm1Settings;

    fn build(settings: Mm1Settings, env: &Env) -> Result<Self, (&'static str, String)> {
        let identities = Identities::load(&settings, &env.numbers, &env.base)?;
        let profiles = Profiles::new(settings.profiles, env.handsets.clone(), env.clock.clone());
        let profiles = profiles.map_err(|e| ("profiles", e))?;
        let door = Door::default();
        if let Some(url) = &settings.public_url {
            door.open(&checked_url(url).map_err(|e| ("public_url", e))?);
        }
        Ok(Mm1 {
            identities,
            numbers: env.numbers.clone(),
            intake: env.intake.clone(),
            handsets: env.handsets.clone(),
            spool: env.spool.clone(),
            clock: env.clock.clone(),
            profiles,
            door,
            settings,
        })
    }
}

/// An address that phones can be given: absolute, and free of what they get wrong (I-11).
fn checked_url(url: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("\"{url}\" {what}; write it like \"http://mms.example.net:8002\"");
    let parsed: http::Uri = url.parse().map_err(|_| wrong("is not an address"))?;
    match parsed.scheme_str() {
        Some("http" | "https") if parsed.host().is_some() && parsed.query().is_none() => Ok(url.to_owned()),
        _ => Err(wrong("must be absolute, begin with http:// and have no query")),
    }
}

/// What one connection has done that is not evidence yet.
#[derive(Default)]
struct Served {
    /// What was handed to this connection whole, if it closes in good order.
    given: Mutex<Vec<Given>>,
}

/// A message that was handed to a connection whole.
struct Given {
    fetch: Fetch,
    /// What its phone showed when it asked for it.
    look: Look,
    /// Octets of the largest picture in it.
    picture: Option<u64>,
}

impl Served {
    fn add(&self, given: Given) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(given);
    }

    fn take(&self) -> Vec<Given> {
        std::mem::take(&mut self.given.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Mm1 {
    async fn handle(&self, request: Request<Incoming>, peer: SocketAddr, served: &Served) -> Response<AnyBody> {
        // A further request on the same connection means that the phone took the answer before it.
        self.fetched(served).await;
        let path = request.uri().path().to_owned();
        match *request.method() {
            Method::POST => self.post(request, peer, &path).await,
            Method::GET => self.retrieve(&path, request.headers(), served).await,
            Method::HEAD => self.head(&path).await,
            _ => {
                let text = "This is an MMSC: phones POST their messages here and GET others'.";
                let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, text);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
                response
            }
        }
    }

    async fn fetched(&self, served: &Served) {
        for Given { fetch, mut look, picture } in served.take() {
            look.sighting.picture = picture;
            // First who it is: another phone's fetch must not count as that of the one before it.
            self.saw(fetch.delivery.to.phone(), look).await;
            self.handsets.witness_soon(fetch, read_by_the_phone()).await;
        }
    }

    /// What was handed out was not read to its end, as far as is known. Its phone was seen all the same.
    async fn not_fetched(&self, served: &Served) {
        for Given { fetch, look, .. } in served.take() {
            self.saw(fetch.delivery.to.phone(), look).await;
        }
    }

    /// Tells the memory of phones what this one showed.
    async fn saw(&self, phone: Option<&Msisdn>, look: Look) {
        let (Some(phone), Look { mut sighting, profile }) = (phone, look) else { return };
        sighting.profile = profile.as_deref().and_then(|url| self.profiles.known(url));
        let missing = profile.filter(|_| sighting.profile.is_none());
        if sighting != Sighting::default() {
            self.handsets.sighted(phone, sighting).await;
        }
        if let Some(url) = missing {
            self.profiles.ask(&url, phone);
        }
    }

    async fn post(&self, request: Request<Incoming>, peer: SocketAddr, path: &str) -> Response<AnyBody> {
        let who = self.identities.who(peer.ip(), path, request.headers());
        let look = if who.is_some() { Look::of(request.headers()) } else { Look::default() };
        let received = tokio::time::timeout(self.settings.upload_time.0, self.receive(request.into_body())).await;
        let body = match received {
            Ok(Ok(Received::Whole(body))) => body,
            Ok(Ok(Received::TooLarge(start))) => return too_large(&start, self.intake.max_size()),
            Ok(Err(Broken::Store)) => return plain(StatusCode::SERVICE_UNAVAILABLE, "Try again later."),
            Ok(Err(Broken::Peer)) => return plain(StatusCode::BAD_REQUEST, "The request broke off."),
            Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "The upload took too long."),
        };
        match decode(&body.bytes) {
            Ok(pdu) => {
                self.saw(who.as_ref(), look).await;
                self.answer(pdu, who, path).await
            }
            Err(error) => unreadable(&error),
        }
    }

    async fn answer(&self, pdu: Pdu, who: Option<Msisdn>, path: &str) -> Response<AnyBody> {
        let (intake, handsets) = (self.intake.as_ref(), self.handsets.as_ref());
        match pdu.kind {
            PduType::SendReq => of_pdu(submit::submit(intake, &self.numbers, who, pdu).await),
            PduType::ForwardReq => of_pdu(forward::forward(intake, handsets, &self.numbers, who, pdu).await),
            PduType::NotifyRespInd | PduType::AcknowledgeInd => {
                heard(pdu.kind, receive::acknowledged(handsets, who.as_ref(), token_of(path), &pdu).await)
            }
            PduType::ReadRecInd => heard(pdu.kind, receive::read(handsets, who.as_ref(), &pdu).await),
            PduType::DeleteReq => of_pdu(receive::delete(handsets, who.as_ref(), &pdu).await),
            kind => match receive::no_mailbox(&pdu) {
                Some(confirmation) => of_pdu(confirmation),
                None => plain(StatusCode::BAD_REQUEST, &format!("An MMSC does not take {kind} from phones.")),
            },
        }
    }

    /// Reads a request's body into the spool.
    async fn receive(&self, mut body: Incoming) -> Result<Received, Broken> {
        let limit = self.intake.max_size() + PDU_MARGIN;
        let mut spool = self.spool.spool();
        spool.expect(body.size_hint().exact().filter(|length| *length <= limit).unwrap_or(0));
        let mut start: Option<Bytes> = None;
        let mut swallowed = 0u64;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Broken::Peer)?.into_data() else { continue };
            if start.is_none() && spool.len() + data.len() as u64 > limit {
                // Its first octets say whose transaction this is; the rest is read only to be able to answer. They are
                // copied, so that nothing of the size of a message is kept.
                let spooled = spool.finish().await.map_err(|_| Broken::Store)?;
                let first = spooled.bytes.len().min(PDU_MARGIN as usize);
                start = Some(Bytes::copy_from_slice(&spooled.bytes[..first]));
                spool = self.spool.spool();
            }
            match start {
                None => spool.push(&data).map_err(|_| Broken::Store)?,
                Some(_) => swallowed += data.len() as u64,
            }
            if swallowed > SWALLOWED {
                return Err(Broken::Peer);
            }
        }
        match start {
            Some(start) => Ok(Received::TooLarge(start)),
            None => Ok(Received::Whole(spool.finish().await.map_err(|_| Broken::Store)?)),
        }
    }

    async fn retrieve(&self, path: &str, headers: &HeaderMap, served: &Served) -> Response<AnyBody> {
        let token = token_of(path);
        // The whole token: the transaction id alone, which is its beginning, is too easily guessed (I-11).
        if token.len() < TOKEN_LENGTH {
            return plain(StatusCode::NOT_FOUND, "This is an MMSC; there is nothing at this address.");
        }
        let fetch = match self.handsets.fetch(token).await {
            Ok(fetch) => fetch,
            Err(error) => return self.not_retrieved(&error),
        };
        match retrieve::retrieve(&fetch, self.handsets.content(), self.clock.now()).await {
            Ok(body) => {
                served.add(Given { look: Look::of(headers), picture: body.picture(), fetch });
                pdu_response(body.boxed_unsync())
            }
            Err(error) => {
                tracing::error!(delivery = %fetch.delivery.id, %error, "a message could not be read for its phone");
                self.not_retrieved(&FetchError::TryLater)
            }
        }
    }

    /// An m-retrieve-conf that says why there is nothing; phones show its text.
    fn not_retrieved(&self, error: &FetchError) -> Response<AnyBody> {
        let seconds = u64::try_from(self.clock.now().seconds()).unwrap_or(0);
        let text = match error {
            FetchError::Unknown => "This message does not exist, or no longer.",
            FetchError::Expired => "This message has expired.",
            FetchError::Gone => "This message is no longer available.",
            FetchError::TryLater => "The message cannot be read at the moment. Please try again.",
        };
        of_pdu(Pdu::retrieve_error(None, version(Some(NEWEST)), seconds, retrieve_status(error), text))
    }

    async fn head(&self, path: &str) -> Response<AnyBody> {
        let token = token_of(path);
        let there = token.len() >= TOKEN_LENGTH && self.handsets.fetch(token).await.is_ok();
        let status = if there { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let mut response = plain(status, "");
        response.headers_mut().insert(CONTENT_TYPE, MMS_MESSAGE);
        response
    }
}

fn read_by_the_phone() -> Evidence {
    Evidence::now(Fact::Fetched, "the whole content was read by the phone")
}

/// What a request's body came to.
enum Received {
    Whole(packetboat_api::spool::Spooled),
    TooLarge(Bytes),
}

/// Why a request's body did not come.
enum Broken {
    Peer,
    Store,
}

fn too_large(start: &Bytes, limit: u64) -> Response<AnyBody> {
    let refusal = Refusal::new(
        RefusalKind::TooLarge,
        format!("The message is too large; at most {} KiB are taken.", limit >> 10),
    );
    match decode(start) {
        Err(DecodeError { pdu: Some(PduType::SendReq), transaction_id: Some(tid), version, .. }) => {
            of_pdu(submit::refuse(&tid, version, &refusal))
        }
        Ok(pdu) if pdu.kind == PduType::SendReq => {
            of_pdu(submit::refuse(pdu.transaction_id().unwrap_or_default(), pdu.version(), &refusal))
        }
        _ => plain(StatusCode::PAYLOAD_TOO_LARGE, &refusal.text),
    }
}

/// A PDU that cannot be read is answered as a PDU if it said enough to be answered (case B-06).
fn unreadable(error: &DecodeError) -> Response<AnyBody> {
    tracing::info!(%error, "a phone sent a PDU that cannot be read");
    match (error.pdu, &error.transaction_id) {
        (Some(PduType::SendReq), Some(tid)) => {
            let refusal = Refusal::new(RefusalKind::Malformed, format!("The message cannot be read: {error}."));
            of_pdu(submit::refuse(tid, error.version, &refusal))
        }
        _ => plain(StatusCode::BAD_REQUEST, &format!("This is not an MMS PDU that can be read: {error}.")),
    }
}

fn heard(kind: PduType, taken: Result<(), Ignored>) -> Response<AnyBody> {
    match taken {
        Ok(()) => plain(StatusCode::OK, ""),
        Err(Ignored::TryLater) => plain(StatusCode::SERVICE_UNAVAILABLE, "Try again later."),
        Err(why) => {
            tracing::info!(pdu = %kind, ?why, "a phone spoke of a message that is not its own or not there");
            plain(StatusCode::OK, "")
        }
    }
}

fn of_pdu(pdu: Pdu) -> Response<AnyBody> {
    let body = Full::new(Bytes::from(pdu.to_vec()));
    pdu_response(body.map_err(|never: Infallible| match never {}).boxed_unsync())
}

fn pdu_response(body: AnyBody) -> Response<AnyBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, MMS_MESSAGE);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn plain(status: StatusCode, text: &str) -> Response<AnyBody> {
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes()));
    let mut response = Response::new(body.map_err(|never: Infallible| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[async_trait]
impl Instance for Mm1 {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.identities.is_empty() {
            doubts.push(
                "no phone can submit: give subscribers, or trusted_proxies that say which phone a request is from"
                    .to_owned(),
            );
        }
        let host = self.door.url().and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_owned));
        if host.is_some_and(|host| host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| !ip.is_loopback())) {
            doubts.push(
                "public_url holds an IPv4 address: phones on IPv6-only networks cannot fetch; use a host name"
                    .to_owned(),
            );
        }
        doubts
    }

    async fn drain(&self) {
        self.profiles.close();
    }
}

#[async_trait]
impl Serve for Mm1 {
    fn listen(&self) -> Listen {
        self.settings.listen.clone()
    }

    async fn serve(&self, connection: Connection) {
        let peer = connection.peer;
        let served = Served::default();
        let drain = connection.drain.clone();
        let handle = async |request| Ok::<_, Infallible>(self.handle(request, peer, &served).await);
        let mut http = http1::Builder::new()
            .keep_alive(self.settings.keep_alive)
            .half_close(true)
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_header_size(HEADER)
            .writev(true)
            .serve_connection(TokioIo::new(connection), service_fn(|request| Box::pin(handle(request))));
        let life = self.settings.upload_time.0 + self.settings.download_time.0;
        let ended = tokio::time::timeout(life, async {
            tokio::select! {
                ended = poll_fn(|cx| http.poll_without_shutdown(cx)) => return ended,
                // A request under way is finished; a connection on which nothing happens is closed.
                () = drain.cancelled() => std::pin::Pin::new(&mut http).graceful_shutdown(),
            }
            poll_fn(|cx| http.poll_without_shutdown(cx)).await
        });
        let ended = matches!(ended.await, Ok(Ok(())));
        match ended && closed_well(http.into_parts().io.into_inner(), LINGER).await {
            true => self.fetched(&served).await,
            false => self.not_fetched(&served).await,
        }
    }

    fn too_many(&self) -> &'static [u8] {
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    }

    fn bound(&self, addresses: &[SocketAddr]) {
        if let Some(address) = addresses.first() {
            self.door.open(&format!("http://{address}"));
        }
    }
}

impl Listener for Mm1 {
    fn door(&self) -> Option<Door> {
        Some(self.door.clone())
    }
}

/// Says that nothing more comes and waits for the phone to close: whoever reads to the end closes, whoever breaks off resets,
/// and of whoever does neither nothing is known. What was written is not what was read: the network may hold all of it.
async fn closed_well(mut connection: Connection, patience: Duration) -> bool {
    let drain = connection.drain.clone();
    let mut rest = [0u8; 256];
    let closed = async {
        if connection.shutdown().await.is_err() {
            return false;
        }
        loop {
            match connection.read(&mut rest).await {
                Ok(0) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    };
    tokio::select! {
        closed = closed => closed,
        () = tokio::time::sleep(patience) => false,
        () = async { drain.cancelled().await; tokio::time::sleep(HURRY.min(patience)).await } => false,
    }
}
