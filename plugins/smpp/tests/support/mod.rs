//! What the bearer needs around it: an environment, a witness and an inbox that remember, an SMSC that says what it is told.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod smsc;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{Clock, SystemClock};
use packetboat_api::evidence::Evidence;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::party::Msisdn;
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::{Arrivals, Refusal, RefusalKind, Witness};
use packetboat_api::roles::{Arrival, Bearer, Sms, SmsBody};
use packetboat_api::settings::{Section, Source};
use packetboat_api::store::StoreError;
use packetboat_plugin_smpp::PLUGIN;

/// Longest wait for anything.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Remembers evidence and arrivals; refuses them while `broken`.
#[derive(Default)]
pub struct Memory {
    seen: Mutex<Vec<(DeliveryId, Evidence)>>,
    arrived: Mutex<Vec<Arrival>>,
    pub broken: Mutex<bool>,
}

impl Memory {
    /// What was seen of deliveries.
    pub fn seen(&self) -> Vec<(DeliveryId, Evidence)> {
        self.seen.lock().unwrap().clone()
    }

    /// Facts and words of what was seen, one line each.
    pub fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|(_, evidence)| format!("{} {}", evidence.fact, evidence.detail)).collect()
    }

    /// How often a fact was seen.
    pub fn count(&self, fact: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(&format!("{fact} "))).count()
    }

    /// What arrived.
    pub fn arrived(&self) -> Vec<Arrival> {
        self.arrived.lock().unwrap().clone()
    }
}

#[async_trait]
impl Witness for Memory {
    async fn witness(&self, delivery: DeliveryId, evidence: Evidence) -> Result<(), StoreError> {
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Unavailable("out of order".into()));
        }
        self.seen.lock().unwrap().push((delivery, evidence));
        Ok(())
    }
}

#[async_trait]
impl Arrivals for Memory {
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal> {
        if *self.broken.lock().unwrap() {
            return Err(Refusal::new(RefusalKind::TryLater, "out of order"));
        }
        self.arrived.lock().unwrap().push(arrival);
        Ok(())
    }
}

/// A bearer named `smsc`, built as the daemon builds it; an error is what `packetboat check` would print.
pub fn build(toml: &str, memory: &Arc<Memory>) -> Result<Arc<dyn Bearer>, Vec<String>> {
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join("secret"), "secret\n").unwrap();
    std::fs::write(base.path().join("long"), "far too long\n").unwrap();
    let env = Env { witness: memory.clone(), arrivals: memory.clone(), ..Env::nowhere("smsc", base.path()) };
    let source = Source { path: Path::new("packetboat.toml").into(), text: toml.into() };
    let parsed = source.parse().unwrap();
    let section =
        Section { source: &source, key: "bearer.smsc".into(), span: parsed.span(), table: parsed.get_ref().clone() };
    let Role::Bearer(factory) = PLUGIN.roles[0] else { panic!("the first role is the bearer") };
    (factory.build)(&section, &env).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// A bearer that was started.
pub async fn start(toml: &str, memory: &Arc<Memory>) -> Arc<dyn Bearer> {
    let bearer = build(toml, memory).unwrap();
    bearer.start().await.unwrap();
    bearer
}

/// Settings for an SMSC at `address`, with short waits, and more of them.
pub fn settings(address: impl ToString, more: &str) -> String {
    let mut all = format!(
        "addresses = [\"{}\"]\nsystem_id = \"packetboat\"\npassword = {{ file = \"secret\" }}\nsource = \"100\"\n{more}\n",
        address.to_string()
    );
    for (key, value) in [("reconnect_min", "50ms"), ("reconnect_max", "200ms"), ("connect_timeout", "5s")] {
        if !more.contains(key) {
            all.push_str(&format!("{key} = \"{value}\"\n"));
        }
    }
    all
}

/// A push of these octets to +358401234567 for delivery `number`-1, of use for an hour.
pub fn push(number: u64, payload: impl Into<Bytes>) -> Sms {
    let (to, delivery) = (Msisdn::new("+358401234567").unwrap(), DeliveryId { message: MessageId(number), index: 0 });
    Sms::plain(to, delivery, SmsBody::Push(payload.into()), SystemClock.now().after(Duration::from_secs(3600)))
}

/// A WSP push with a transaction octet and so many octets of content.
pub fn wsp(transaction: u8, length: usize) -> Vec<u8> {
    let content = (0..length).map(|at| (at % 251) as u8);
    [transaction, 6, 1, 0xBE].into_iter().chain(content).collect()
}

/// Waits until `probe` returns something.
pub async fn until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = tokio::time::Instant::now() + DEADLINE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "waited {DEADLINE:?} in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
