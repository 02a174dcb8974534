//! The admin port: `/health` for supervisors, `/metrics` for Prometheus, `/api` for the command line and the lab's page.

use std::net::SocketAddr;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use packetboat_api::clock::{Clock, SystemClock, Timestamp};
use packetboat_api::id::DeliveryId;
use packetboat_api::message::{Kind, PhoneSettings};
use packetboat_api::party::Msisdn;
use packetboat_api::road::Refusal;
use packetboat_api::roles::{Health, SmsBody};
use packetboat_api::store::{Filter, Page, StoreError};
use packetboat_pipeline::Road;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::system::{Instances, System};

/// The file in the data directory that says where the admin port of the running daemon is.
const ADDRESS_FILE: &str = "admin.address";

/// What the handlers know.
#[derive(Clone)]
struct Admin {
    road: Road,
    instances: Arc<Instances>,
    metrics: Arc<Metrics>,
}

/// Where the running daemon's admin port is, if one runs on this data directory.
pub fn address(store: &FilePath) -> Option<SocketAddr> {
    std::fs::read_to_string(store.join(ADDRESS_FILE)).ok()?.trim().parse().ok()
}

/// Binds the admin port. The error names the key and the address.
pub async fn bind(config: &Config<'_>) -> Result<TcpListener, String> {
    let wanted = &config.admin.listen;
    TcpListener::bind(wanted).await.map_err(|e| format!("admin.listen: cannot listen on {wanted}: {e}"))
}

/// Serves the admin port on `socket`, with `more` routes beside, until the system drains.
pub fn serve(
    socket: TcpListener,
    config: &Config<'_>,
    system: &System,
    metrics: Arc<Metrics>,
    more: Router,
) -> Result<SocketAddr, String> {
    let bound = socket.local_addr().map_err(|e| e.to_string())?;
    let file = AddressFile(config.store_path().join(ADDRESS_FILE));
    std::fs::write(&file.0, bound.to_string()).map_err(|e| format!("{} cannot be written: {e}", file.0.display()))?;
    let state = Admin { road: system.road.clone(), instances: system.instances.clone(), metrics };
    let router = Router::new()
        .route("/health", get(health))
        .route("/metrics", get(exposition))
        .route("/api/deliveries", get(deliveries))
        .route("/api/trace/{*id}", get(trace))
        .route("/api/revoke/{*id}", post(revoke))
        .route("/api/provision", post(provision))
        .route("/api/handset/{number}", get(handset))
        .route("/api/arrivals", get(arrivals))
        .layer(from_fn(from_here))
        .with_state(state)
        .merge(more);
    let drain = system.draining();
    system.spawn(async move {
        let server = axum::serve(socket, router).with_graceful_shutdown(async move { drain.cancelled().await });
        if let Err(error) = server.await {
            tracing::error!(%error, "the admin port failed");
        }
        drop(file);
    });
    Ok(bound)
}

/// Removed with the server.
struct AddressFile(PathBuf);

impl Drop for AddressFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A web page in the operator's browser must not reach what is here: under a name that leads to this machine (it would be of the
/// same origin then), or by a form. Whoever asks for an address, or for localhost, knows where he is; what changes something has
/// to be JSON, which a foreign page may not send.
async fn from_here(request: Request, next: Next) -> Response {
    match objection(request.method(), request.uri().path(), request.headers()) {
        None => next.run(request).await,
        Some(why) => (StatusCode::FORBIDDEN, Json(json!({ "error": why }))).into_response(),
    }
}

fn objection(method: &Method, path: &str, headers: &HeaderMap) -> Option<&'static str> {
    let field = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = field(header::HOST);
    let port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, after)| port(after)).map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
    if !path.starts_with("/api/") {
        return None;
    }
    if !address && name != "localhost" {
        return Some("ask for this by its address, not by a name");
    }
    let json = field(header::CONTENT_TYPE).starts_with("application/json");
    (method != Method::GET && !json).then_some("send JSON")
}

async fn health(State(admin): State<Admin>) -> Response {
    let store = admin.road.store().health().await;
    let unwell: Vec<Value> =
        admin.instances.unwell().into_iter().map(|(name, health)| described(&name, &health)).collect();
    let status = match (store.writable, unwell.is_empty()) {
        (false, _) => "down",
        (true, false) => "degraded",
        (true, true) => "ok",
    };
    let code = if store.writable { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({ "status": status, "store": store, "unwell": unwell }))).into_response()
}

fn described(name: &str, health: &Health) -> Value {
    let (word, why) = match health {
        Health::Well => ("well", ""),
        Health::Degraded(why) => ("degraded", why.as_str()),
        Health::Down(why) => ("down", why.as_str()),
    };
    json!({ "instance": name, "health": word, "why": why })
}

async fn exposition(State(admin): State<Admin>) -> Response {
    let text = admin.metrics.text(&admin.road.store().health().await);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

/// The query of `/api/deliveries`.
#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    state: String,
    to: Option<String>,
    from: Option<String>,
    via: Option<String>,
    after: Option<DeliveryId>,
    #[serde(default = "page_size")]
    limit: usize,
}

/// Deliveries on a page when nobody says.
fn page_size() -> usize {
    50
}

/// Most deliveries on a page.
const LARGEST_PAGE: usize = 1000;

async fn deliveries(State(admin): State<Admin>, Query(wanted): Query<Wanted>) -> Response {
    let states = wanted.state.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect();
    let filter = Filter { message: None, states, to: wanted.to, from: wanted.from, via: wanted.via };
    let page = Page { after: wanted.after, limit: wanted.limit.min(LARGEST_PAGE), newest_first: true };
    answer(listed(&admin.road, &filter, page).await)
}

async fn trace(State(admin): State<Admin>, Path(id): Path<String>) -> Response {
    answer(traced(&admin.road, &id).await)
}

async fn revoke(State(admin): State<Admin>, Path(id): Path<String>) -> Response {
    answer(admin.road.revoke(&id).await.map(|withdrawn| json!({ "withdrawn": withdrawn })))
}

/// What `/api/provision` is told.
#[derive(Debug, Deserialize)]
struct Provisioning {
    to: Msisdn,
    #[serde(flatten)]
    settings: PhoneSettings,
}

async fn provision(State(admin): State<Admin>, Json(asked): Json<Provisioning>) -> Response {
    match admin.road.provision(&asked.to, asked.settings).await {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let code = if refusal.is_temporary() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::BAD_REQUEST };
    (code, Json(json!({ "error": refusal.to_string() }))).into_response()
}

/// What is remembered of a phone and its network.
async fn handset(State(admin): State<Admin>, Path(number): Path<String>) -> Response {
    let Some(number) = Msisdn::new(&number) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "write the number in E.164 form" }))).into_response();
    };
    Json(remembered(&admin.road, &number).await).into_response()
}

/// What is remembered of a phone and its network, as JSON.
pub async fn remembered(road: &Road, number: &Msisdn) -> Value {
    let (handset, network) = (road.handset(number).await, road.network(number).await);
    let now = SystemClock.now();
    let direct = handset.as_ref().map(|handset| handset.direct(now));
    let rate = network.as_ref().map(|network| network.fetch_rate(now).0);
    let mut handset = json!(handset);
    for key in ["seen", "fetched", "missed", "opened_link"] {
        if let Some(at) = handset[key].as_i64() {
            handset[key] = json!(Timestamp(at).to_string());
        }
    }
    json!({ "handset": handset, "direct": direct, "network": network, "fetch_rate": rate })
}

async fn arrivals(State(admin): State<Admin>) -> Response {
    let listed = admin.road.arrivals().into_iter().map(|arrived| {
        let (what, octets) = match &arrived.arrival.body {
            SmsBody::Push(octets) => ("push", octets.len()),
            SmsBody::Data { octets, .. } => ("data", octets.len()),
            SmsBody::Text(text) => ("text", text.len()),
        };
        json!({
            "at": arrived.at.to_string(), "bearer": arrived.arrival.bearer, "from": arrived.arrival.from,
            "to": arrived.arrival.to, "what": what, "octets": octets, "taken_by": arrived.taken_by,
        })
    });
    Json(Value::Array(listed.collect())).into_response()
}

fn answer(found: Result<Value, StoreError>) -> Response {
    match found {
        Ok(value) => Json(value).into_response(),
        Err(error @ StoreError::Missing(_)) => {
            (StatusCode::NOT_FOUND, Json(json!({ "error": error.to_string() }))).into_response()
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() }))).into_response(),
    }
}

/// Deliveries as JSON, with what of their messages a list shows.
pub async fn listed(road: &Road, filter: &Filter, page: Page) -> Result<Value, StoreError> {
    let rows = road.list(filter, page).await?.into_iter().map(|(delivery, message)| {
        let mut row = serde_json::to_value(&delivery).unwrap_or_default();
        // Whoever has the token can fetch the content (I-11); its beginning, which bearers see too, identifies as well.
        if let Some(row) = row.as_object_mut() {
            row.remove("token");
        }
        row["transaction"] = json!(delivery.transaction());
        row["state"] = json!(delivery.state.word());
        row["via"] = json!(delivery.via());
        row["due"] = json!(delivery.due.to_string());
        row["expires"] = json!(delivery.expires.to_string());
        if let Some(message) = message {
            row["from"] = json!(message.envelope.from);
            row["subject"] = json!(message.traits.subject);
            row["received"] = json!(message.received.to_string());
            row["size"] = json!(message.size());
        }
        row
    });
    Ok(Value::Array(rows.collect()))
}

/// What a message is. The PIN of settings is their recipient's business.
fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Settings(settings) => json!({ "settings": settings.profile }),
        other => json!(other),
    }
}

/// A message with its deliveries and timelines, as JSON.
pub async fn traced(road: &Road, id: &str) -> Result<Value, StoreError> {
    let trace = road.trace(id).await?;
    let message = &trace.message;
    let deliveries = trace.deliveries.iter().map(|(delivery, timeline)| {
        let lines = timeline.iter().map(|e| json!({ "at": e.at.to_string(), "what": e.what, "detail": e.detail }));
        json!({
            "id": delivery.id,
            "to": delivery.to,
            "state": delivery.state.word(),
            "via": delivery.via(),
            "rule": delivery.rule,
            "route": delivery.route,
            "attempts": delivery.attempts,
            "notified": delivery.notified,
            "due": delivery.due.to_string(),
            "expires": delivery.expires.to_string(),
            "reason": delivery.reason,
            "facts": delivery.facts,
            "timeline": lines.collect::<Vec<_>>(),
        })
    });
    Ok(json!({
        "id": message.id,
        "message_id": message.traits.message_id,
        "kind": kind(&message.kind),
        "received": message.received.to_string(),
        "listener": message.listener,
        "identity": message.identity,
        "from": message.envelope.from,
        "subject": message.traits.subject,
        "size": message.size(),
        "deliveries": deliveries.collect::<Vec<_>>(),
    }))
}
