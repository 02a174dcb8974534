//! Where the daemon's notifications go: an HTTP server that takes short messages from the lab bearer at once, or keeps the
//! bearer waiting.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use packetboat_mms::decode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Result;

/// What it does with a short message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes it at once.
    Answer,
    /// Lets the bearer wait: the queue fills.
    Hold,
}

/// The sink.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    count: AtomicU64,
    bodies: Mutex<Vec<Bytes>>,
    first: Mutex<Option<Instant>>,
    last: Mutex<Option<Instant>>,
}

impl Sink {
    /// Opens one on a free port of loopback.
    pub async fn open(manner: Manner) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let seen = shared.clone();
                let service = service_fn(move |request| take(seen.clone(), manner, request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Sink { address, seen, task })
    }

    /// Waits until `count` short messages have come, and says when the last one of them did.
    pub async fn wait_for(&self, count: u64, limit: Duration) -> Result<Instant> {
        let started = Instant::now();
        while self.count() < count {
            if started.elapsed() > limit {
                return Err(format!("{} of {count} notifications in {} s", self.count(), limit.as_secs()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(lock(&self.seen.last).unwrap_or(started))
    }

    /// Short messages so far.
    pub fn count(&self) -> u64 {
        self.seen.count.load(Ordering::Relaxed)
    }

    /// When the first one came.
    pub fn first(&self) -> Option<Instant> {
        *lock(&self.seen.first)
    }

    /// Deliveries that were notified, each counted once.
    pub fn deliveries(&self) -> usize {
        let bodies = lock(&self.seen.bodies);
        let named = bodies.iter().filter_map(|body| serde_json::from_slice::<Value>(body).ok());
        named.map(|body| body["delivery"].to_string()).collect::<std::collections::HashSet<_>>().len()
    }

    /// The paths of the content addresses that the notifications name.
    pub fn content_paths(&self) -> Result<Vec<String>> {
        lock(&self.seen.bodies).iter().map(|body| content_path(body)).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(
    seen: Arc<Seen>,
    manner: Manner,
    request: Request<Incoming>,
) -> std::result::Result<Response<Empty<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let now = Instant::now();
    lock(&seen.first).get_or_insert(now);
    *lock(&seen.last) = Some(now);
    lock(&seen.bodies).push(body);
    seen.count.fetch_add(1, Ordering::Relaxed);
    if manner == Manner::Hold {
        std::future::pending::<()>().await;
    }
    Ok(Response::new(Empty::new()))
}

/// `{"user_data": ["<hex>", …]}` → the push → m-notification-ind → X-Mms-Content-Location → its path.
fn content_path(body: &[u8]) -> Result<String> {
    let body: Value = serde_json::from_slice(body)?;
    let hex = body["user_data"].as_array().ok_or("no user_data")?.iter().filter_map(Value::as_str);
    let user_data = hex.map(octets).collect::<Result<Vec<Bytes>>>()?;
    let push = packetboat_push::from_user_data(&user_data)?;
    let pdu = decode(&push.payload)?;
    let location = pdu.content_location().ok_or("a notification without an address")?;
    let (_, rest) = location.split_once("://").ok_or("a relative address")?;
    let (_, path) = rest.split_once('/').ok_or("an address without a path")?;
    Ok(format!("/{path}"))
}

fn octets(hex: &str) -> Result<Bytes> {
    let pair = |at: usize| Ok(u8::from_str_radix(hex.get(at..at + 2).ok_or("half an octet")?, 16)?);
    (0..hex.len()).step_by(2).map(pair).collect::<Result<Vec<u8>>>().map(Bytes::from)
}
