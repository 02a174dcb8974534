//! The laboratory's part of the admin port: its page, what the page asks for, and the air that short messages travel
//! through.
//!
//! It is for the person at this machine: requests under another host name than the loopback's are refused, and what changes
//! something has to be JSON, which a foreign web page may not send.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use packetboat_api::message::PhoneSettings;
use packetboat_api::party::Msisdn;
use packetboat_api::serve::CancellationToken;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Lab;
use super::compose::Draft;
use super::handset::Kept;
use super::place::{DOMAIN, PROFILE};
use super::thread::{Item, Thread};
use crate::decode::unhex;
use crate::send::{Attachment, Letter};

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/lab.css");
const SCRIPT: &str = include_str!("page/lab.js");
const BOAT: &str = include_str!("page/boat.svg");
/// Largest request: a photo of 16 MiB as base64.
const LARGEST: usize = 24 << 20;
/// How long a request for news waits for some.
const WAIT: Duration = Duration::from_secs(25);
/// What the page may load: nothing from anywhere else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'",
);

/// The routes. Requests that wait are answered when `drain` is cancelled.
pub fn routes(lab: Arc<Lab>, drain: CancellationToken) -> Router {
    Router::new()
        .route("/", get(|| async { ([(header::CONTENT_SECURITY_POLICY, POLICY)], file("text/html", PAGE)) }))
        .route("/lab/lab.css", get(|| async { file("text/css", STYLE) }))
        .route("/lab/lab.js", get(|| async { file("text/javascript", SCRIPT) }))
        .route("/lab/boat.svg", get(|| async { file("image/svg+xml", BOAT) }))
        .route("/lab/state", get(state))
        .route("/lab/sms", post(sms))
        .route("/lab/{box}/send", post(send))
        .route("/lab/{box}/switch", post(switch))
        .route("/lab/{box}/settings", post(settings))
        .route("/lab/{box}/{item}/install", post(install))
        .route("/lab/{box}/{item}/read", post(read))
        .route("/lab/{box}/{item}/{part}", get(part))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(from_fn(local_only))
        .with_state(Air { lab, drain })
}

#[derive(Clone)]
struct Air {
    lab: Arc<Lab>,
    drain: CancellationToken,
}

fn file(media: &'static str, text: &'static str) -> Response {
    let media = format!("{media}; charset=utf-8");
    ([(header::CONTENT_TYPE, media.as_str()), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

/// A name server that points its own name at this machine must not read what is here.
async fn local_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    match ["127.0.0.1", "localhost", "[::1]"].contains(&name) {
        true => next.run(request).await,
        false => refused(StatusCode::FORBIDDEN, "the laboratory answers to its own machine only"),
    }
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

/// The query of `/lab/state`.
#[derive(Deserialize)]
struct After {
    /// What the page has seen already: it is answered when there is more.
    after: Option<u64>,
}

/// Everything there is to see.
async fn state(State(air): State<Air>, Query(After { after }): Query<After>) -> Json<Value> {
    let mut news = air.lab.changes.listen();
    if let Some(seen) = after {
        let newer = news.wait_for(|version| *version != seen);
        tokio::select! {
            _ = tokio::time::timeout(WAIT, newer) => {}
            () = air.drain.cancelled() => {}
        }
    }
    let version = *news.borrow_and_update();
    let lab = &air.lab;
    let phones = lab.phones.iter().enumerate().map(|(key, phone)| {
        let mut described =
            described(&key.to_string(), phone.owner, &phone.number.to_string(), phone.mmsc(), &phone.thread);
        described["nature"] = json!(phone.nature);
        described["on"] = json!(phone.is_on());
        described["reaches_us"] = json!(phone.reaches_us());
        described
    });
    let mailbox = described("mailbox", lab.mailbox.owner, &lab.mailbox.address, "", &lab.mailbox.thread);
    Json(json!({
        "version": version,
        "smtp": lab.smtp.to_string(),
        "mm1": format!("http://{}", lab.mm1),
        "domain": DOMAIN,
        "config": lab.place.config().display().to_string(),
        "ending": air.drain.is_cancelled(),
        "boxes": phones.chain([mailbox]).collect::<Vec<_>>(),
    }))
}

fn described(key: &str, owner: &str, address: &str, mmsc: &str, thread: &Thread) -> Value {
    json!({ "key": key, "owner": owner, "address": address, "mmsc": mmsc, "items": thread.view() })
}

/// What the `lab` bearer posts.
#[derive(Deserialize)]
struct ShortMessages {
    to: Msisdn,
    delivery: String,
    #[serde(default)]
    user_data: Vec<String>,
    #[serde(default)]
    from: String,
    text: Option<String>,
}

async fn sms(State(air): State<Air>, Json(posted): Json<ShortMessages>) -> Response {
    let Some(phone) = air.lab.phones.iter().find(|phone| phone.number == posted.to) else {
        return refused(StatusCode::NOT_FOUND, "no phone here has this number");
    };
    let octets: Option<Vec<Bytes>> = posted.user_data.iter().map(|hex| unhex(hex)).collect();
    let came = match (posted.text, octets) {
        (Some(text), _) => Ok(Kept::Text(posted.from, text)),
        (None, Some(octets)) => Ok(Kept::Push(posted.delivery, octets)),
        (None, None) => Err("not hex".to_owned()),
    };
    match came.and_then(|came| phone.take(came)) {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => StatusCode::ACCEPTED.into_response(),
        Err(why) => refused(StatusCode::BAD_REQUEST, &why),
    }
}

/// What the page's forms send.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Written {
    /// Numbers and addresses, with commas between them.
    to: String,
    subject: String,
    text: String,
    file: Option<WrittenFile>,
    delivery_report: bool,
    read_report: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    name: String,
    /// Its octets in base64.
    data: String,
}

async fn send(State(air): State<Air>, Path(key): Path<String>, Json(written): Json<Written>) -> Response {
    let to: Vec<String> =
        written.to.split([',', ';', '\n']).map(str::trim).filter(|to| !to.is_empty()).map(str::to_owned).collect();
    let file = match written.file.map(|file| (STANDARD.decode(file.data), file.name)) {
        Some((Ok(octets), name)) => Some(Attachment::new(&name, Bytes::from(octets))),
        Some((Err(error), _)) => return refused(StatusCode::BAD_REQUEST, &format!("the file is not base64: {error}")),
        None => None,
    };
    let Written { subject, text, delivery_report, read_report, .. } = written;
    let lab = &air.lab;
    let sent = match (key.as_str(), lab.phone(&key)) {
        ("mailbox", _) => {
            let from = lab.mailbox.address.clone();
            let files = file.into_iter().collect();
            lab.mailbox.send(Letter { from, to, subject, text, files, delivery_report, read_report }).await
        }
        (_, Some(phone)) => phone.send(Draft { to, subject, text, file, delivery_report, read_report }).await,
        (_, None) => return refused(StatusCode::NOT_FOUND, "there is no such phone"),
    };
    match sent {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(why) => refused(StatusCode::UNPROCESSABLE_ENTITY, &why),
    }
}

/// Its body is an empty JSON object.
async fn read(State(air): State<Air>, Path((key, item)): Path<(String, u64)>, Json(_): Json<Value>) -> Response {
    let Some(phone) = air.lab.phone(&key) else { return refused(StatusCode::NOT_FOUND, "there is no such phone") };
    match phone.opened(item).await {
        Ok(()) => Json(json!({})).into_response(),
        Err(why) => refused(StatusCode::BAD_GATEWAY, &why),
    }
}

/// What the switch of a phone sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switched {
    on: bool,
}

async fn switch(State(air): State<Air>, Path(key): Path<String>, Json(Switched { on }): Json<Switched>) -> Response {
    let Some(phone) = air.lab.phone(&key) else { return refused(StatusCode::NOT_FOUND, "there is no such phone") };
    phone.switch(on);
    Json(json!({})).into_response()
}

/// Sends a phone the laboratory's settings, as `packetboat provision` does. Its body is an empty JSON object.
async fn settings(State(air): State<Air>, Path(key): Path<String>, Json(_): Json<Value>) -> Response {
    let Some(phone) = air.lab.phone(&key) else { return refused(StatusCode::NOT_FOUND, "there is no such phone") };
    let settings = PhoneSettings { profile: PROFILE.to_owned(), pin: None, imsi: None };
    match air.lab.road.provision(&phone.number, settings).await {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(refusal) => refused(StatusCode::UNPROCESSABLE_ENTITY, &refusal.to_string()),
    }
}

/// Its body is an empty JSON object.
async fn install(State(air): State<Air>, Path((key, item)): Path<(String, u64)>, Json(_): Json<Value>) -> Response {
    let Some(phone) = air.lab.phone(&key) else { return refused(StatusCode::NOT_FOUND, "there is no such phone") };
    match phone.install(item) {
        Ok(()) => Json(json!({})).into_response(),
        Err(why) => refused(StatusCode::NOT_FOUND, &why),
    }
}

/// One part's octets. What a browser would run is given for saving only.
async fn part(State(air): State<Air>, Path((key, item, part)): Path<(String, u64, usize)>) -> Response {
    let thread = match air.lab.phone(&key) {
        Some(phone) => &phone.thread,
        None => &air.lab.mailbox.thread,
    };
    let found = thread.find(|candidate: &Item| candidate.id == item);
    let Some(part) = found.and_then(|item| item.parts.into_iter().nth(part)) else {
        return refused(StatusCode::NOT_FOUND, "there is no such part");
    };
    let shows = ["image", "audio", "video"].contains(&part.kind) && part.media != "image/svg+xml";
    let media = if shows { part.media.as_str() } else { "application/octet-stream" };
    let mut headers = HeaderMap::new();
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media).unwrap_or(octets));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    if !shows {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    (headers, part.content).into_response()
}
