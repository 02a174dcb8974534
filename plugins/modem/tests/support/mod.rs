//! What the bearer needs around it: a simulated modem, a clock that is moved by hand, a witness and a desk that remember.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::evidence::Evidence;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::party::Msisdn;
use packetboat_api::plugin::{Env, Role};
use packetboat_api::road::{Arrivals, Refusal, RefusalKind, Witness};
use packetboat_api::roles::{Arrival, Bearer, BearerError, Health, Sent, Sms, SmsBody};
use packetboat_api::settings::{Section, Source};
use packetboat_api::store::StoreError;
use packetboat_harness::peers::Modem;
use packetboat_harness::wait::poll;
use packetboat_harness::{DEADLINE, wait_until};
use packetboat_plugin_modem::PLUGIN;

/// When the tests play.
pub const NOW: Timestamp = Timestamp(1_760_000_000_000);

/// m-notification-ind with a short Subject, in a WSP push: one short message.
pub const SHORT: &[u8] =
    b"\x25\x06\x03\xbe\xaf\x84\x8c\x82\x98n9\0\x8d\x92\x89\x15\x80+15550101/TYPE=PLMN\0\x96\x04\xeaHi\0\x8a\x80\x8e\
    \x02\x04\xd2\x88\x05\x81\x03\x01\x51\x80\x83http://mmsc/m/n9\0";

/// The same with a Subject of 60 characters and a longer address: two short messages.
pub const LONG: &[u8] =
    b"\x26\x06\x03\xbe\xaf\x84\x8c\x82\x98n11\0\x8d\x92\x89\x15\x80+15550101/TYPE=PLMN\0\x96\x1f\x3e\
    \xeaA subject that is long enough to need a second short message\0\x8a\x80\x8e\x02\x75\x30\
    \x88\x05\x81\x03\x03\xf4\x80\x83http://mmsc.example.net:8080/mms/n11-4f1c9d2e7b\0";

/// How much time passes with each look at a condition: little, so that a busy machine does not look like a silent modem.
const STEP: Duration = Duration::from_millis(100);

/// Remembers evidence; refuses it while `broken`.
#[derive(Default)]
pub struct Memory {
    seen: Mutex<Vec<(DeliveryId, Evidence)>>,
    pub broken: Mutex<bool>,
}

impl Memory {
    /// Facts and words of what was seen, one line each.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(_, evidence)| format!("{} {}", evidence.fact, evidence.detail)).collect()
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

/// Takes what arrives; says "later" while `closed`.
#[derive(Default)]
pub struct Desk {
    pub taken: Mutex<Vec<Arrival>>,
    pub closed: Mutex<bool>,
    /// How often something was offered.
    pub offers: Mutex<usize>,
}

#[async_trait]
impl Arrivals for Desk {
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal> {
        *self.offers.lock().unwrap() += 1;
        if *self.closed.lock().unwrap() {
            return Err(Refusal::new(RefusalKind::TryLater, "later"));
        }
        self.taken.lock().unwrap().push(arrival);
        Ok(())
    }
}

/// A bearer named `sim` with what is around it.
pub struct Bench {
    pub bearer: Arc<dyn Bearer>,
    pub witness: Arc<Memory>,
    pub desk: Arc<Desk>,
    pub clock: ManualClock,
}

/// Builds it as the daemon does; an error is what `packetboat check` would print.
pub fn build(toml: &str) -> Result<Bench, Vec<String>> {
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join("pin"), "1234\n").unwrap();
    std::fs::write(base.path().join("odd-pin"), "12a4\n").unwrap();
    let (witness, desk, clock) = (Arc::new(Memory::default()), Arc::new(Desk::default()), ManualClock::new(NOW));
    let env = Env {
        clock: Arc::new(clock.clone()),
        witness: witness.clone(),
        arrivals: desk.clone(),
        ..Env::nowhere("sim", base.path())
    };
    let source = Source { path: Path::new("packetboat.toml").into(), text: toml.into() };
    let parsed = source.parse().unwrap();
    let section =
        Section { source: &source, key: "bearer.sim".into(), span: parsed.span(), table: parsed.get_ref().clone() };
    let Role::Bearer(factory) = PLUGIN.roles[0] else { panic!("the first role is the bearer") };
    match (factory.build)(&section, &env) {
        Ok(bearer) => Ok(Bench { bearer, witness, desk, clock }),
        Err(errors) => Err(errors.iter().map(ToString::to_string).collect()),
    }
}

impl Bench {
    /// A bearer at this modem, started.
    pub async fn start(modem: &Modem, more: &str) -> Bench {
        let bench = build(&format!("device = \"{}\"\n{more}", modem.device())).unwrap();
        bench.bearer.start().await.unwrap();
        bench
    }

    /// The same, once it is well.
    pub async fn ready(modem: &Modem, more: &str) -> Bench {
        let bench = Bench::start(modem, more).await;
        bench.wait_until_well();
        bench
    }

    pub fn health(&self) -> String {
        match self.bearer.health() {
            Health::Well => "well".to_owned(),
            Health::Degraded(why) => format!("degraded: {why}"),
            Health::Down(why) => format!("down: {why}"),
        }
    }

    #[track_caller]
    pub fn wait_until_well(&self) {
        self.wait_for_health("well");
    }

    /// Waits until health begins so, while time passes.
    #[track_caller]
    pub fn wait_for_health(&self, start: &str) {
        let found = poll(DEADLINE, || {
            let holds = self.health().starts_with(start);
            if !holds {
                self.clock.advance(STEP);
            }
            holds.then_some(())
        });
        assert!(found.is_some(), "waited in vain for \"{start}\"; health is \"{}\"", self.health());
    }

    /// Lets time pass until something holds.
    #[track_caller]
    pub fn pass_until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        wait_until(DEADLINE, what, || {
            let holds = condition();
            if !holds {
                self.clock.advance(STEP);
            }
            holds
        });
    }

    /// Sends in a task of its own.
    pub fn sending(&self, body: SmsBody) -> tokio::task::JoinHandle<Result<Sent, BearerError>> {
        let bearer = self.bearer.clone();
        tokio::spawn(async move { bearer.send(sms(body)).await })
    }

    /// What `send` says of this.
    pub async fn send(&self, body: SmsBody) -> Result<Sent, BearerError> {
        self.bearer.send(sms(body)).await
    }
}

pub fn push(octets: &'static [u8]) -> SmsBody {
    SmsBody::Push(Bytes::from_static(octets))
}

pub fn text(words: &str) -> SmsBody {
    SmsBody::Text(words.to_owned())
}

/// For +358401234567 and delivery 7-1, of use for an hour.
pub fn sms(body: SmsBody) -> Sms {
    let (to, delivery) = (Msisdn::new("+358401234567").unwrap(), DeliveryId { message: MessageId(7), index: 0 });
    Sms::plain(to, delivery, body, NOW.after(Duration::from_secs(3600)))
}
