//! Metrics: each is declared once, with a sentence; `/metrics` and `packetboat doc metrics` print them.

use std::sync::{Arc, Mutex, PoisonError};

use packetboat_api::delivery::{End, Event, State};
use packetboat_api::id::DeliveryId;
use packetboat_api::road::RefusalKind;
use packetboat_pipeline::Observer;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::broadcast;

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;

/// What `/metrics` shows: name, labels, sentence.
pub const DECLARED: [(&str, &str, &str); 10] = [
    ("packetboat_accepted_messages_total", "listener", "Messages accepted: on disk and acknowledged."),
    ("packetboat_accepted_bytes_total", "listener", "Octets of their decoded parts."),
    ("packetboat_accepted_recipients_total", "listener", "Deliveries made from them."),
    ("packetboat_refused_total", "listener, reason", "Submissions and recipients refused."),
    ("packetboat_attempts_total", "transport, verdict", "Attempts by transports."),
    ("packetboat_events_total", "what", "Lines added to timelines, evidence included."),
    ("packetboat_ended_total", "end", "Deliveries that ended."),
    ("packetboat_deliveries", "state", "Deliveries in the store, by state."),
    ("packetboat_store_bytes", "what", "Octets in the store: live content, on disk, free on its file system."),
    ("packetboat_store_quarantined", "", "Rows and segments set aside because they could not be read."),
];

/// Counts what happens on the road, and tells whoever follows.
pub struct Metrics {
    registry: Mutex<Registry>,
    messages: Counters,
    bytes: Counters,
    recipients: Counters,
    refused: Counters,
    attempts: Counters,
    events: Counters,
    ended: Counters,
    deliveries: Gauges,
    store_bytes: Gauges,
    quarantined: Gauges,
    followers: broadcast::Sender<(DeliveryId, Event)>,
}

/// Events a slow follower may be behind before it misses some.
const FOLLOWERS_BEHIND: usize = 4096;

impl Metrics {
    /// All at zero.
    pub fn new() -> Arc<Self> {
        let (followers, _) = broadcast::channel(FOLLOWERS_BEHIND);
        let metrics = Metrics {
            registry: Mutex::new(Registry::default()),
            messages: Family::default(),
            bytes: Family::default(),
            recipients: Family::default(),
            refused: Family::default(),
            attempts: Family::default(),
            events: Family::default(),
            ended: Family::default(),
            deliveries: Family::default(),
            store_bytes: Family::default(),
            quarantined: Family::default(),
            followers,
        };
        {
            let mut registry = metrics.registry.lock().unwrap_or_else(PoisonError::into_inner);
            let counters = [
                &metrics.messages,
                &metrics.bytes,
                &metrics.recipients,
                &metrics.refused,
                &metrics.attempts,
                &metrics.events,
                &metrics.ended,
            ];
            for ((name, _, help), counter) in DECLARED.iter().zip(counters) {
                registry.register(name.trim_end_matches("_total"), help.trim_end_matches('.'), counter.clone());
            }
            let gauges = [&metrics.deliveries, &metrics.store_bytes, &metrics.quarantined];
            for ((name, _, help), gauge) in DECLARED[counters.len()..].iter().zip(gauges) {
                registry.register(*name, help.trim_end_matches('.'), gauge.clone());
            }
        }
        Arc::new(metrics)
    }

    /// The exposition text, with the store's figures brought up to date.
    pub fn text(&self, store: &packetboat_api::store::StoreHealth) -> String {
        let gauge = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.deliveries.clear(); // a state that nothing is in any more is not told of
        for (state, count) in &store.deliveries {
            self.deliveries.get_or_create(&vec![("state", state.clone())]).set(gauge(*count));
        }
        for (what, octets) in [("content", store.content_bytes), ("disk", store.disk_bytes), ("free", store.free_bytes)]
        {
            self.store_bytes.get_or_create(&vec![("what", what.to_owned())]).set(gauge(octets));
        }
        self.quarantined.get_or_create(&Vec::new()).set(gauge(store.quarantined));
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a String does not fail.
        let _ = encode(&mut text, &registry);
        text
    }

    /// Every timeline line from now on.
    pub fn follow(&self) -> broadcast::Receiver<(DeliveryId, Event)> {
        self.followers.subscribe()
    }
}

impl Observer for Metrics {
    fn accepted(&self, listener: &str, octets: u64, recipients: usize) {
        let labels: Labels = vec![("listener", listener.to_owned())];
        self.messages.get_or_create(&labels).inc();
        self.bytes.get_or_create(&labels).inc_by(octets);
        self.recipients.get_or_create(&labels).inc_by(recipients as u64);
    }

    fn refused(&self, listener: &str, kind: RefusalKind) {
        let labels = vec![("listener", listener.to_owned()), ("reason", format!("{kind:?}"))];
        self.refused.get_or_create(&labels).inc();
    }

    fn attempted(&self, transport: &str, verdict: &'static str) {
        let labels = vec![("transport", transport.to_owned()), ("verdict", verdict.to_owned())];
        self.attempts.get_or_create(&labels).inc();
    }

    fn noted(&self, delivery: DeliveryId, event: &Event) {
        self.events.get_or_create(&vec![("what", event.what.clone())]).inc();
        tracing::info!(%delivery, what = event.what, detail = event.detail);
        let _ = self.followers.send((delivery, event.clone()));
    }

    fn ended(&self, end: End) {
        self.ended.get_or_create(&vec![("end", State::Done(end).word().to_owned())]).inc();
    }
}
