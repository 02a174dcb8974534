//! HTTP from browsers, one connection at a time, and what each request is answered.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, Timestamp};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::memory::Sighting;
use packetboat_api::message::Kind;
use packetboat_api::party::Party;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::{Fetch, FetchError, Handsets};
use packetboat_api::roles::{Instance, Listener};
use packetboat_api::serve::{Connection, Door, Listen, Serve};

use crate::answer::{Answer, Outgoing, answer, only_tls, whole};
use crate::asker::{Asker, Markup, address, comes_from_elsewhere, only_gif};
use crate::limits::{HEADER, LIFE, PATIENCE};
use crate::lock::Lock;
use crate::page::{Notice, Press};
use crate::part::{Asked, Stored, asked, attachment, media_type};
use crate::picture::{Key, Size, Studio, Unscalable, kind};
use crate::place::Place;
use crate::settings::PagesSettings;
use crate::throttle::{Throttle, Token};
use crate::view::{self, file_name, view};
use crate::words::Language;

/// A picture of one transparent pixel: what the page's style fetches.
const PIXEL: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
/// Octets at a picture's beginning that tell its kind.
const MARK: u64 = 16;

/// The listener.
pub struct Pages {
    settings: PagesSettings,
    language: Language,
    handsets: Arc<dyn Handsets>,
    clock: Arc<dyn Clock>,
    press: Press,
    studio: Studio,
    throttle: Throttle,
    lock: Lock,
    door: Door,
    /// One at a time opens a message that can be opened once.
    opening: tokio::sync::Mutex<()>,
    robots: AtomicU64,
}

impl Configured for Pages {
    type Settings = PagesSettings;

    fn build(settings: PagesSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let door = Door::default();
        if let Some(url) = &settings.public_url {
            door.open(&checked_url(url).map_err(|e| ("public_url", e))?);
        }
        let language =
            Language::of(&settings.language).ok_or_else(|| ("language", no_such_language(&settings.language)))?;
        if let Some(to) = settings.reply_to.as_deref().filter(|to| Party::parse(to).is_none()) {
            return Err(("reply_to", format!("\"{to}\" is neither a number nor a mail address")));
        }
        let mut key = [0u8; 32];
        env.random.fill(&mut key);
        let lock = match &settings.secret {
            Some(secret) => Lock::new(secret.read(&env.base).map_err(|e| ("secret", e))?.as_bytes()),
            None => Lock::new(&key),
        };
        let press = Press::new(&settings.operator, !settings.forward_lock).map_err(|e| ("plugin", e.to_string()))?;
        let throttle =
            Throttle::new(settings.requests_per_message, settings.requests_per_address, settings.misses_per_address);
        Ok(Pages {
            language,
            handsets: env.handsets.clone(),
            clock: env.clock.clone(),
            press,
            studio: Studio::default(),
            throttle,
            lock,
            door,
            opening: tokio::sync::Mutex::default(),
            robots: AtomicU64::new(0),
            settings,
        })
    }
}

fn no_such_language(code: &str) -> String {
    let codes: Vec<&str> = Language::ALL.iter().map(|language| language.code()).collect();
    format!("there are no words in \"{code}\"; there are: {}", codes.join(", "))
}

/// An address that phones can be given.
fn checked_url(url: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("\"{url}\" {what}; write it like \"https://pic.example.net\"");
    let parsed: http::Uri = url.parse().map_err(|_| wrong("is not an address"))?;
    match parsed.scheme_str() {
        Some("http" | "https") if parsed.host().is_some() && parsed.query().is_none() => Ok(url.to_owned()),
        _ => Err(wrong("must be absolute, begin with https:// or http:// and have no query")),
    }
}

/// Whether only this machine reaches an address and port.
fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// A request, as far as it matters.
struct Asking<'a> {
    method: &'a Method,
    fields: &'a HeaderMap,
    asker: Asker,
    secure: bool,
    now: Timestamp,
}

/// Why no message is shown.
enum Unshown {
    Because(Notice),
    /// Too many were asked for that do not exist; how long to wait.
    TooOften(Duration),
}

impl Pages {
    /// Requests of robots that were given a page which says nothing, since the start.
    pub fn robots(&self) -> u64 {
        self.robots.load(Ordering::Relaxed)
    }

    async fn handle(&self, request: Request<Incoming>, peer: IpAddr, secure: bool) -> Answer {
        let (method, fields) = (request.method(), request.headers());
        let from = address(peer, fields, &self.settings.trusted_proxies);
        let secure = secure || self.door.url().is_some_and(|url| url.starts_with("https:"));
        let asker = Asker::of(method, fields, from, self.language);
        let asking = Asking { method, fields, asker, secure, now: self.clock.now() };
        let mut answer = self.answered(Place::of(request.uri().path()), &asking).await;
        if secure {
            only_tls(&mut answer);
        }
        answer
    }

    async fn answered(&self, place: Place, asking: &Asking<'_>) -> Answer {
        if !matches!(*asking.method, Method::GET | Method::HEAD | Method::POST) {
            let mut answer =
                whole(StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "Pages are read with GET.\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return answer;
        }
        if place == Place::RobotsTxt {
            return whole(StatusCode::OK, "text/plain; charset=utf-8", "User-agent: *\nDisallow: /\n");
        }
        if let Err(wait) = self.throttle.address(asking.asker.address, asking.now) {
            return self.too_often(asking, wait);
        }
        let Some(token) = place.token() else {
            return self.notice(Notice::Unknown, asking);
        };
        if let Err(wait) = self.throttle.message(token, asking.now) {
            return self.too_often(asking, wait);
        }
        let fetch = match self.fetch(token, asking).await {
            Ok(fetch) => fetch,
            Err(unshown) => return self.unshown(unshown, asking),
        };
        match place {
            Place::Page(_) if asking.method == Method::POST => self.open(token, fetch, asking).await,
            _ if asking.method == Method::POST => self.notice(Notice::Unknown, asking),
            Place::Page(_) => self.page(token, fetch, 1, asking).await,
            Place::Further(_, number) => self.page(token, fetch, number, asking).await,
            Place::Seen(_) => self.seen(token, fetch, asking).await,
            _ if self.settings.forward_lock && !self.lock.opens(asking.fields, token) => {
                self.notice(Notice::Opened, asking)
            }
            Place::Scaled(_, part, size) => self.scaled(token, &fetch, part, size, asking).await,
            Place::Part(_, part) => self.part(&fetch, part, false, asking).await,
            Place::Save(_, part) => self.part(&fetch, part, true, asking).await,
            Place::RobotsTxt | Place::Nowhere => self.notice(Notice::Unknown, asking),
        }
    }

    /// The message behind a token, if it may be shown now.
    async fn fetch(&self, token: &Token, asking: &Asking<'_>) -> Result<Fetch, Unshown> {
        let name = std::str::from_utf8(token).unwrap_or_default();
        let fetch = self.handsets.fetch(name).await.map_err(|error| match error {
            FetchError::Unknown => match self.throttle.missed(asking.asker.address, asking.now) {
                Ok(()) => Unshown::Because(Notice::Unknown),
                Err(wait) => Unshown::TooOften(wait),
            },
            FetchError::Expired => Unshown::Because(Notice::Expired),
            FetchError::Gone => Unshown::Because(Notice::Gone),
            FetchError::TryLater => Unshown::Because(Notice::Later),
        })?;
        match (&fetch.message.kind, fetch.delivery.expires <= asking.now) {
            (Kind::Personal, false) => Ok(fetch),
            (Kind::Personal, true) => Err(Unshown::Because(Notice::Expired)),
            _ => Err(Unshown::Because(Notice::Unknown)),
        }
    }

    fn unshown(&self, unshown: Unshown, asking: &Asking<'_>) -> Answer {
        match unshown {
            Unshown::Because(notice) => self.notice(notice, asking),
            Unshown::TooOften(wait) => self.too_often(asking, wait),
        }
    }

    async fn page(&self, token: &Token, fetch: Fetch, number: usize, asking: &Asking<'_>) -> Answer {
        let Asking { asker, fields, .. } = asking;
        let opened = self.lock.opens(fields, token);
        if !opened && (asker.robot || !Asker::asks_for_a_page(fields)) {
            self.robots.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(delivery = %fetch.delivery.id, robots = self.robots(), "a robot looked at a link");
            return self.waiting(Notice::Waiting, token, asking);
        }
        if self.settings.forward_lock && !opened {
            return match fetch.delivery.saw(Fact::LinkOpened) {
                true => self.notice(Notice::Opened, asking),
                false => self.waiting(Notice::Once, token, asking),
            };
        }
        let key = (*token, asker.language, asker.markup, number);
        let expires = fetch.delivery.expires;
        let page = match self.press.kept(&key, expires) {
            Some(page) => page,
            None => match self.make(&key, &fetch).await {
                Ok(Some(page)) => page,
                Ok(None) => return self.notice(Notice::Unknown, asking),
                Err(()) => return self.notice(Notice::Later, asking),
            },
        };
        if !fetch.delivery.saw(Fact::LinkOpened) {
            match asker.markup {
                Markup::Html => self.throttle.viewed(token, asker.viewer),
                // Phones that are sent these fetch what they show, and pages for them have no style.
                _ => self.opened(fetch, "the page was fetched by a phone's browser").await,
            }
        }
        self.press.answer(StatusCode::OK, asker.markup, page)
    }

    async fn make(&self, key: &crate::page::Key, fetch: &Fetch) -> Result<Option<bytes::Bytes>, ()> {
        let content = self.handsets.content();
        let view = view(&fetch.message, &content, &self.settings).await.map_err(|error| {
            tracing::error!(delivery = %fetch.delivery.id, %error, "a message could not be read for its page");
        })?;
        self.press.page(key, &view, fetch.delivery.expires).map_err(|error| {
            tracing::error!(delivery = %fetch.delivery.id, %error, "a page's template fails");
        })
    }

    /// Somebody pressed the button: a person. This browser is known from now on.
    async fn open(&self, token: &Token, fetch: Fetch, asking: &Asking<'_>) -> Answer {
        let words = "the message was opened";
        let expires = fetch.delivery.expires;
        if self.settings.forward_lock && !self.lock.opens(asking.fields, token) {
            let _one = self.opening.lock().await;
            // What was true before somebody else pressed it too need not be any more.
            let fetch = match self.fetch(token, asking).await {
                Ok(fetch) if fetch.delivery.saw(Fact::LinkOpened) => return self.notice(Notice::Opened, asking),
                Ok(fetch) => fetch,
                Err(unshown) => return self.unshown(unshown, asking),
            };
            let seen = self.handsets.witness(fetch.delivery.id, Evidence::now(Fact::LinkOpened, words)).await;
            if let Err(error) = seen {
                tracing::error!(delivery = %fetch.delivery.id, %error, "that a message was opened could not be written down");
                return self.notice(Notice::Later, asking);
            }
            self.sighted(&fetch).await;
        } else if !fetch.delivery.saw(Fact::LinkOpened) {
            self.opened(fetch, words).await;
        }
        let mut answer = whole(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
        let seconds = asking.now.until(expires).as_secs();
        let cookie = self.lock.cookie(token, seconds, asking.secure);
        let location = HeaderValue::from_bytes(token).ok();
        answer.headers_mut().extend(location.map(|location| (LOCATION, location)));
        answer.headers_mut().extend(HeaderValue::from_str(&cookie).ok().map(|cookie| (SET_COOKIE, cookie)));
        answer
    }

    /// The page was laid out by a browser that fetched it before.
    async fn seen(&self, token: &Token, fetch: Fetch, asking: &Asking<'_>) -> Answer {
        let Asking { asker, fields, .. } = asking;
        let by_a_person =
            !asker.robot && !comes_from_elsewhere(fields) && self.throttle.has_viewed(token, asker.viewer);
        if by_a_person && !fetch.delivery.saw(Fact::LinkOpened) && !self.settings.forward_lock {
            self.opened(fetch, "the page was shown in a browser").await;
        }
        whole(StatusCode::OK, "image/gif", PIXEL)
    }

    async fn opened(&self, fetch: Fetch, words: &str) {
        self.sighted(&fetch).await;
        self.handsets.witness_soon(fetch, Evidence::now(Fact::LinkOpened, words)).await;
    }

    /// What is known of the phone: its browser is not what fetches its messages, so only that it opened a link.
    async fn sighted(&self, fetch: &Fetch) {
        if let Some(phone) = fetch.delivery.to.phone() {
            self.handsets.sighted(phone, Sighting { opened_link: true, ..Sighting::default() }).await;
        }
    }

    async fn scaled(&self, token: &Token, fetch: &Fetch, number: usize, size: Size, asking: &Asking<'_>) -> Answer {
        let key: Key = (*token, number, size, size == Size::Small && only_gif(asking.fields));
        let scaled = match self.studio.made(&key) {
            Some(made) => made,
            None => {
                let Some((_, span)) = view::part(&fetch.message.mail, number) else {
                    return self.notice(Notice::Unknown, asking);
                };
                if span.length == 0 || span.length > crate::limits::PICTURE {
                    return self.notice(Notice::Unknown, asking);
                }
                let content = self.handsets.content();
                let read = content.read(&fetch.message, span.start..span.start + span.length);
                self.studio.scale(key, span.length, read).await
            }
        };
        match scaled {
            Ok(scaled) => whole(StatusCode::OK, scaled.media, scaled.octets),
            Err(Unscalable::Busy) => self.notice(Notice::Later, asking),
            // A browser may still make something of it; what has too many pixels would only choke it.
            Err(Unscalable::Unreadable) if !self.settings.forward_lock => self.part(fetch, number, false, asking).await,
            Err(_) => self.notice(Notice::Unknown, asking),
        }
    }

    async fn part(&self, fetch: &Fetch, number: usize, save: bool, asking: &Asking<'_>) -> Answer {
        let Some((leaf, span)) = view::part(&fetch.message.mail, number) else {
            return self.notice(Notice::Unknown, asking);
        };
        let content = self.handsets.content();
        let essence = leaf.media.essence();
        let declared = media_type(essence);
        let playable = declared.starts_with("audio/") || declared.starts_with("video/");
        let head = match span.length.min(MARK) {
            0 => Ok(bytes::Bytes::new()),
            length => content.read(&fetch.message, span.start..span.start + length).await,
        };
        let Ok(head) = head else { return self.notice(Notice::Later, asking) };
        let picture = if playable { None } else { kind(&head) };
        if self.settings.forward_lock && (save || !playable) {
            return self.notice(Notice::Unknown, asking);
        }
        let media = HeaderValue::from_str(picture.unwrap_or(declared));
        let media = media.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let tag = format!("\"{:08x}-{number}\"", fetch.message.content.crc);
        let (status, range) = match asked(asking.fields, span.length, &tag) {
            Asked::Whole => (StatusCode::OK, 0..span.length),
            Asked::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
            Asked::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
        };
        let length = range.end - range.start;
        let said = match status {
            StatusCode::PARTIAL_CONTENT => Some(format!("bytes {}-{}/{}", range.start, range.end - 1, span.length)),
            StatusCode::RANGE_NOT_SATISFIABLE => Some(format!("bytes */{}", span.length)),
            _ => None,
        };
        let stored = Stored::new(content, fetch.message.clone(), span, range);
        let mut answer = answer(status, media, Outgoing::Stored(stored));
        let fields = answer.headers_mut();
        fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
        fields.extend(HeaderValue::from_str(&tag).ok().map(|tag| (ETAG, tag)));
        fields.extend(said.and_then(|said| HeaderValue::from_str(&said).ok()).map(|said| (CONTENT_RANGE, said)));
        if save || !(playable || picture.is_some()) {
            let disposition = HeaderValue::from_str(&attachment(&file_name(leaf)));
            fields.insert(CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
        }
        answer
    }

    fn notice(&self, notice: Notice, asking: &Asking<'_>) -> Answer {
        self.press.notice(notice, asking.asker.language, asking.asker.markup, None)
    }

    /// A page with a button.
    fn waiting(&self, notice: Notice, token: &Token, asking: &Asking<'_>) -> Answer {
        let action = std::str::from_utf8(token).ok();
        self.press.notice(notice, asking.asker.language, asking.asker.markup, action)
    }

    fn too_often(&self, asking: &Asking<'_>, wait: Duration) -> Answer {
        let mut answer = self.notice(Notice::Often, asking);
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        answer
    }
}

#[async_trait]
impl Instance for Pages {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let settings = &self.settings;
        if settings.listen.tls_certificate.is_some() && !settings.listen.implicit_tls {
            doubts.push("there is a certificate, but pages go out without TLS; add implicit_tls = true".to_owned());
        }
        let plain = settings.public_url.as_deref().is_some_and(|url| url.starts_with("http://"));
        if plain && !settings.listen.implicit_tls {
            doubts.push(
                "public_url begins with http://: whoever is on the way sees the messages; use https:// with a certificate here or \
                 in a web server in front"
                    .to_owned(),
            );
        }
        let names_nobody = settings.trusted_proxies.is_empty() && settings.listen.proxy_protocol.is_empty();
        if settings.public_url.is_some()
            && names_nobody
            && settings.listen.listen.iter().all(|address| is_loopback(address))
        {
            doubts.push(
                "public_url leads to a listener on loopback, so a web server is in front, but trusted_proxies does not list it: all \
                 readers have its address, and share what one address may ask; set trusted_proxies = [\"127.0.0.0/8\", \"::1/128\"] if it \
                 runs here"
                    .to_owned(),
            );
        }
        if settings.forward_lock && settings.secret.is_none() {
            doubts.push(
                "forward_lock without a secret: after a restart nobody sees a message again that they opened before; set `secret`"
                    .to_owned(),
            );
        }
        doubts
    }
}

#[async_trait]
impl Serve for Pages {
    fn listen(&self) -> Listen {
        self.settings.listen.clone()
    }

    async fn serve(&self, connection: Connection) {
        let (peer, secure, drain) = (connection.peer.ip(), connection.secure, connection.drain.clone());
        let handle = async |request| Ok::<_, Infallible>(self.handle(request, peer, secure).await);
        let http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_header_size(HEADER)
            .writev(true)
            .serve_connection(TokioIo::new(connection), service_fn(|request| Box::pin(handle(request))));
        let mut http = pin!(http);
        let served = tokio::time::timeout(LIFE, async {
            tokio::select! {
                ended = http.as_mut() => return ended,
                // A request under way is finished; a connection on which nothing happens is closed.
                () = drain.cancelled() => http.as_mut().graceful_shutdown(),
            }
            http.as_mut().await
        });
        if let Ok(Err(error)) = served.await {
            tracing::debug!(%error, "a browser's connection ended early");
        }
    }

    fn too_many(&self) -> &'static [u8] {
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    }

    fn bound(&self, addresses: &[SocketAddr]) {
        if let Some(address) = addresses.first() {
            let scheme = if self.settings.listen.implicit_tls { "https" } else { "http" };
            self.door.open(&format!("{scheme}://{address}"));
        }
    }
}

impl Listener for Pages {
    fn pages(&self) -> Option<Door> {
        Some(self.door.clone())
    }
}
