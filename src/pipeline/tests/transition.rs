//! What verdicts, evidence and time make of a delivery, in every state and in any order (I-3).

use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, End, State, Step};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::party::Party;
use packetboat_api::roles::{Failure, Verdict};
use packetboat_api::units::Period;
use packetboat_pipeline::transition::{self, Circumstances, Due, Next};
use packetboat_pipeline::{QueueSettings, Retry};
use proptest::prelude::*;

const START: Timestamp = Timestamp(1_780_000_000_000);
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

const FACTS: [Fact; 16] = [
    Fact::Accepted,
    Fact::HandedOver,
    Fact::PushSent,
    Fact::LinkSent,
    Fact::PushDelivered,
    Fact::Deferred,
    Fact::Fetched,
    Fact::Retrieved,
    Fact::Delivered,
    Fact::Read,
    Fact::DeletedUnread,
    Fact::LinkOpened,
    Fact::Rejected,
    Fact::Unrecognised,
    Fact::PushFailed,
    Fact::Expired,
];

fn at(seconds: u64) -> Timestamp {
    START.after(Duration::from_secs(seconds))
}

/// A fresh delivery over these steps: a name, and minutes to wait (0: until the message expires after a day).
fn delivery(route: &[(&str, u64)]) -> Delivery {
    let step = |(via, wait): &(&str, u64)| Step {
        via: (*via).to_owned(),
        wait_ms: (*wait > 0).then_some(wait * MINUTE * 1000),
    };
    Delivery {
        id: DeliveryId { message: MessageId(1), index: 0 },
        version: 0,
        to: Party::parse("+447700900123").expect("a phone"),
        state: State::Queued,
        due: START,
        expires: at(24 * HOUR),
        rule: "test".to_owned(),
        route: route.iter().map(step).collect(),
        step: 0,
        step_since: None,
        attempts: 0,
        notified: 0,
        faults: 0,
        token: "x".repeat(22),
        facts: Vec::new(),
        reason: String::new(),
        reported: false,
        revoked: false,
        line: Default::default(),
    }
}

struct World {
    queue: QueueSettings,
    retry: Retry,
}

impl World {
    fn new() -> Self {
        let retry = Retry { jitter: 0.0, ..Retry::default() };
        World { queue: QueueSettings { retry: retry.clone(), ..QueueSettings::default() }, retry }
    }

    fn at(&self, seconds: u64) -> Circumstances<'_> {
        Circumstances { now: at(seconds), queue: &self.queue, retry: &self.retry, dice: 0.5 }
    }
}

fn notified(again: Option<u64>) -> Verdict {
    let evidence = vec![Evidence::now(Fact::PushSent, "1 short message")];
    Verdict::Notified { evidence, again: again.map(Duration::from_secs) }
}

fn deferred(after: Option<u64>) -> Verdict {
    Verdict::Deferred { after: after.map(Duration::from_secs), why: "busy".to_owned() }
}

fn failed() -> Verdict {
    Verdict::Failed(Failure::new("5.1.1", "unknown"))
}

fn handed_over(reports: bool) -> Verdict {
    Verdict::HandedOver { detail: "250 ok".to_owned(), reports }
}

fn seen(delivery: &Delivery, fact: Fact, with: Circumstances<'_>) -> Delivery {
    transition::evidence(delivery, &Evidence::now(fact, "seen"), with).delivery
}

fn told(delivery: &Delivery, verdict: &Verdict, with: Circumstances<'_>) -> Delivery {
    transition::verdict(delivery, verdict, with).delivery
}

fn due(delivery: &Delivery, with: Circumstances<'_>) -> Option<Delivery> {
    match transition::due(delivery, with) {
        Due::Changed(next) => Some(next.delivery),
        Due::Attempt => None,
        Due::Nothing => panic!("nothing moves it: {delivery:?}"),
    }
}

#[test]
fn every_verdict_on_a_fresh_delivery() {
    let world = World::new();
    let one = delivery(&[("direct", 0)]);
    let two = delivery(&[("direct", 15), ("mail", 0)]);
    let (done, day) = (State::Done, 24 * HOUR);
    let proof = Verdict::Delivered(Evidence::now(Fact::Delivered, "250"));
    let claim = Verdict::Delivered(Evidence::now(Fact::PushSent, "trust me"));
    for (what, start, verdict, state, step, next) in [
        ("handed over", &one, handed_over(false), done(End::HandedOver), 0, 0),
        ("handed over, will report", &one, handed_over(true), State::Waiting, 0, day),
        ("the same with a wait", &two, handed_over(true), State::Waiting, 0, 15 * MINUTE),
        ("notified once", &one, notified(None), State::Waiting, 0, day),
        ("notified, again later", &one, notified(Some(300)), State::Waiting, 0, 300),
        ("notified, again after the wait", &two, notified(Some(HOUR)), State::Waiting, 0, 15 * MINUTE),
        ("notified, again after the end", &one, notified(Some(99 * HOUR)), State::Waiting, 0, day),
        ("delivered", &one, proof, done(End::Delivered), 0, 0),
        ("delivered without proof", &one, claim, done(End::HandedOver), 0, 0),
        ("deferred", &one, deferred(None), State::Queued, 0, 30),
        ("deferred by its own word", &one, deferred(Some(120)), State::Queued, 0, 120),
        ("deferred by nothing is no busy loop", &one, deferred(Some(0)), State::Queued, 0, 1),
        ("deferred beyond the wait", &two, deferred(Some(HOUR)), State::Queued, 0, 15 * MINUTE),
        ("deferred beyond the end", &one, deferred(Some(99 * HOUR)), State::Queued, 0, day),
        ("failed", &one, failed(), done(End::Failed), 0, 0),
        ("failed with another step", &two, failed(), State::Queued, 1, 0),
    ] {
        let after = told(start, &verdict, world.at(0));
        assert_eq!((after.state, after.step, after.due), (state, step, at(next)), "{what}");
        assert_eq!(after.version, 1, "{what}");
        assert_eq!(after.attempts, if step == 1 { 0 } else { 1 }, "{what}");
    }
}

#[test]
fn every_verdict_on_what_is_settled_changes_no_state() {
    let world = World::new();
    let verdicts = [
        handed_over(false),
        handed_over(true),
        notified(Some(60)),
        Verdict::Delivered(Evidence::now(Fact::Delivered, "250")),
        deferred(None),
        failed(),
    ];
    let settled = State::ALL.into_iter().filter(|state| !state.is_live());
    let mut starts: Vec<Delivery> =
        settled.map(|state| Delivery { state, ..delivery(&[("direct", 15), ("mail", 0)]) }).collect();
    // The phone has it, and has some time to say so.
    starts.push(seen(&delivery(&[("direct", 15), ("mail", 0)]), Fact::Fetched, world.at(0)));
    for start in starts {
        for verdict in &verdicts {
            let next = transition::verdict(&start, verdict, world.at(5));
            let after = &next.delivery;
            assert_eq!((after.state, after.step, after.due), (start.state, 0, start.due), "{verdict:?} on {start:?}");
            assert!(!next.events.is_empty(), "the timeline has it all the same");
        }
        for next in
            [transition::fault(&start, "crashed", world.at(5)), transition::bounced(&start, None, "no", world.at(5))]
        {
            assert_eq!((next.delivery.state, next.delivery.due), (start.state, start.due));
        }
    }
}

#[test]
fn every_evidence_in_every_state() {
    let world = World::new();
    let plain = delivery(&[("direct", 0)]);
    let queued = told(&plain, &deferred(None), world.at(0));
    let waiting = told(&plain, &notified(Some(300)), world.at(0));
    let held = Delivery { state: State::Held, ..waiting.clone() };
    let quarantined = Delivery { state: State::Quarantined, ..waiting.clone() };
    for fact in FACTS {
        let expected = |start: &Delivery| match fact {
            Fact::Fetched => State::Waiting,
            Fact::Retrieved | Fact::Delivered | Fact::Read | Fact::DeletedUnread | Fact::LinkOpened => {
                State::Done(End::Delivered)
            }
            Fact::Rejected => State::Done(End::Rejected),
            Fact::HandedOver if start.state == State::Waiting => State::Done(End::HandedOver),
            Fact::PushFailed if start.state == State::Waiting => State::Queued,
            Fact::Unrecognised if start.state == State::Waiting => State::Done(End::Rejected),
            _ => start.state,
        };
        for start in [&queued, &waiting, &held, &quarantined] {
            let after = seen(start, fact, world.at(10));
            assert_eq!(after.state, expected(start), "{fact} on {}", start.state);
            // A push that failed is sent again, and that uses the fact up.
            assert_eq!(after.saw(fact), (fact, start.state) != (Fact::PushFailed, State::Waiting));
        }
        // What ended stays as it ended; that it was seen is kept.
        for end in [End::Delivered, End::HandedOver, End::Rejected, End::Expired, End::Failed] {
            let start = Delivery { state: State::Done(end), ..waiting.clone() };
            let after = seen(&start, fact, world.at(10));
            // Only the page of one that was opened stays longer.
            let due = if fact == Fact::LinkOpened { start.due.max(start.expires) } else { start.due };
            assert_eq!((after.state, after.due), (start.state, due), "{fact} after {end:?}");
            assert!(after.saw(fact));
        }
    }
    assert_eq!(seen(&waiting, Fact::Deferred, world.at(10)).due, plain.expires, "it knows; it is not told again");
    assert_eq!(seen(&waiting, Fact::Fetched, world.at(10)).due, at(10 + 30), "the grace for the acknowledgement");
}

/// A phone fetches while the bearer still answers; whoever commits second finds what the first has left.
#[test]
fn evidence_may_come_before_the_verdict_it_belongs_to() {
    let world = World::new();
    let start = delivery(&[("direct", 15), ("mail", 0)]);
    let fetched = seen(&start, Fact::Fetched, world.at(1));
    for verdict in [notified(Some(60)), deferred(None), failed(), handed_over(false), handed_over(true)] {
        let after = told(&fetched, &verdict, world.at(2));
        assert_eq!((after.state, after.due, after.step), (State::Waiting, at(31), 0), "{verdict:?}");
        let ended = due(&after, world.at(31)).expect("an end");
        assert_eq!((ended.state, ended.due), (State::Done(End::Delivered), at(31)), "{verdict:?}");
    }
    let again = seen(&fetched, Fact::Fetched, world.at(20));
    assert_eq!(again.due, at(31), "a phone that fetches on and on does not put off the end");
    let deferring = seen(&start, Fact::Deferred, world.at(1));
    let after = told(&deferring, &notified(Some(60)), world.at(2));
    let after = due(&after, world.at(62)).expect("no further notification");
    assert_eq!((after.state, after.due), (State::Waiting, at(2 + 15 * MINUTE)), "the next step is still tried in time");
}

/// A phone that cannot do anything with the notification need not be waited for.
#[test]
fn a_phone_that_does_not_understand_is_reached_in_another_way() {
    let world = World::new();
    let start = delivery(&[("direct", 15), ("wap_push", 0)]);
    let waiting = told(&start, &notified(Some(300)), world.at(0));
    let moved = seen(&waiting, Fact::Unrecognised, world.at(10));
    assert_eq!((moved.state, moved.step, moved.due), (State::Queued, 1, at(10)));
    assert!(!moved.saw(Fact::Unrecognised), "it is said of the step that is over");
    // It may come while the bearer still answers.
    let before = seen(&start, Fact::Unrecognised, world.at(1));
    assert_eq!((before.state, before.step), (State::Queued, 0), "an attempt is under way");
    let after = told(&before, &notified(Some(300)), world.at(2));
    assert_eq!((after.state, after.step, after.due), (State::Queued, 1, at(2)));
    // Of the link it says nothing.
    let linked = Verdict::Notified { evidence: vec![Evidence::now(Fact::LinkSent, "a link")], again: None };
    let linked = told(&moved, &linked, world.at(20));
    let late = seen(&linked, Fact::Unrecognised, world.at(30));
    assert_eq!((late.state, late.step, late.due), (State::Waiting, 1, linked.due));
    // What has come after all counts for more.
    let fetched = seen(&waiting, Fact::Fetched, world.at(5));
    assert_eq!(seen(&fetched, Fact::Unrecognised, world.at(6)).state, State::Waiting);
}

/// The step went on while its transport was still answering: what that says must not be taken for the next step's.
#[test]
fn a_late_verdict_does_not_touch_the_step_that_follows() {
    let world = World::new();
    let waiting = told(&delivery(&[("direct", 15), ("wap_push", 0)]), &notified(Some(300)), world.at(0));
    let moved = seen(&waiting, Fact::Unrecognised, world.at(10));
    for verdict in [notified(Some(60)), deferred(None), failed(), handed_over(false), handed_over(true)] {
        let next = transition::late_verdict(&moved, &verdict, world.at(11));
        let after = &next.delivery;
        assert_eq!((after.state, after.step, after.due), (State::Queued, 1, moved.due), "{verdict:?}");
        assert_eq!((&after.facts, after.attempts), (&moved.facts, 0), "{verdict:?}");
        assert!(next.events.iter().all(|event| event.detail.ends_with("(in a step that is over)")), "{next:?}");
        assert!(!next.events.is_empty(), "the timeline has it all the same");
    }
    let proof = Verdict::Delivered(Evidence::now(Fact::Delivered, "250 ok"));
    let next = transition::late_verdict(&moved, &proof, world.at(11));
    assert_eq!(next.delivery.state, State::Done(End::Delivered), "who has it has it");
}

#[test]
fn a_report_about_a_step_that_is_over_ends_no_other() {
    let world = World::new();
    let start = delivery(&[("mail", 15), ("other", 0)]);
    let waiting = told(&start, &handed_over(true), world.at(0));
    let moved = due(&waiting, world.at(15 * MINUTE)).expect("the next step");
    let late = transition::bounced(&moved, Some(0), "550 no such user", world.at(16 * MINUTE));
    assert_eq!((late.delivery.state, late.delivery.step), (State::Queued, 1));
    assert_eq!(late.events.len(), 1, "the timeline has it all the same");
    let own = transition::bounced(&moved, Some(1), "550 no such user", world.at(16 * MINUTE));
    assert_eq!(own.delivery.state, State::Done(End::Failed));
}

#[test]
fn the_schedule_of_a_step_with_a_wait() {
    let world = World::new();
    let start = delivery(&[("direct", 15), ("wap_push", 0)]);
    assert_eq!(due(&start, world.at(0)), None, "attempt it");
    let told_once = told(&start, &notified(Some(300)), world.at(0));
    assert_eq!((told_once.due, told_once.step_since), (at(300), Some(at(0))));
    assert_eq!(due(&told_once, world.at(300)), None, "tell it again");
    let told_twice = told(&told_once, &notified(Some(1800)), world.at(300));
    assert_eq!((told_twice.due, told_twice.notified), (at(15 * MINUTE), 2));
    let moved = due(&told_twice, world.at(15 * MINUTE)).expect("the next step");
    assert_eq!((moved.state, moved.step, moved.via()), (State::Queued, 1, Some("wap_push")));
    assert_eq!((moved.due, moved.attempts, moved.step_since), (at(15 * MINUTE), 0, None));
    assert_eq!(due(&moved, world.at(15 * MINUTE)), None, "attempt it");
    // The last step has no other to go to: its time is the message's.
    let last = told(&moved, &notified(None), world.at(15 * MINUTE));
    assert_eq!(last.due, at(24 * HOUR));
    let ended = due(&last, world.at(24 * HOUR)).expect("an end");
    assert_eq!(ended.state, State::Done(End::Expired));
    assert!(ended.reason.contains("told 3 times"), "{}", ended.reason);
}

/// A step whose transport only ever says "later" is over when its time is.
#[test]
fn a_step_that_is_only_deferred_moves_on_too() {
    let world = World::new();
    let mut now = 0;
    let mut it = delivery(&[("mm4", 2), ("mail", 0)]);
    for _ in 0..10 {
        if due(&it, world.at(now)).is_some() {
            break;
        }
        it = told(&it, &deferred(None), world.at(now));
        now = at(0).until(it.due).as_secs();
    }
    let moved = due(&it, world.at(now)).expect("the next step");
    assert_eq!((now, moved.via(), moved.state), (120, Some("mail"), State::Queued));
}

#[test]
fn what_was_said_of_one_step_does_not_silence_the_next() {
    let world = World::new();
    let start = delivery(&[("mm4", 15), ("direct", 0)]);
    let handed = told(&start, &handed_over(true), world.at(0));
    let moved = due(&handed, world.at(15 * MINUTE)).expect("the next step");
    let told_once = told(&moved, &notified(Some(300)), world.at(15 * MINUTE));
    assert_eq!(due(&told_once, world.at(20 * MINUTE)), None, "tell it again");
    let ended = due(&told_once, world.at(24 * HOUR)).expect("an end");
    assert_eq!(ended.state, State::Done(End::Expired), "the step that handed it over is long past");
    // In the step itself it counts.
    let alone = told(&delivery(&[("mm4", 0)]), &handed_over(true), world.at(0));
    let ended = due(&alone, world.at(24 * HOUR)).expect("an end");
    assert_eq!(ended.state, State::Done(End::HandedOver), "it was handed over, and nothing else was ever heard");
}

#[test]
fn notifications_that_do_not_arrive_are_sent_again_with_back_off() {
    let world = World::new();
    let mut it = delivery(&[("direct", 0)]);
    let mut now = 0;
    for wait in [30, 60, 120, 240] {
        it = told(&it, &notified(Some(HOUR)), world.at(now));
        it = seen(&it, Fact::PushFailed, world.at(now));
        assert_eq!((it.state, it.due), (State::Queued, at(now + wait)));
        now += wait;
    }
    let knows = seen(&told(&delivery(&[("direct", 0)]), &notified(None), world.at(0)), Fact::Deferred, world.at(1));
    assert_eq!(seen(&knows, Fact::PushFailed, world.at(2)).state, State::Waiting, "the phone knows all the same");
}

#[test]
fn faults_in_a_row_lead_to_quarantine() {
    let world = World::new();
    let mut it = delivery(&[("direct", 0)]);
    for fault in 1..world.queue.faults {
        it = transition::fault(&it, "crashed", world.at(0)).delivery;
        assert_eq!((it.state, it.faults), (State::Queued, fault));
    }
    let lucky = told(&it, &deferred(None), world.at(0));
    assert_eq!(lucky.faults, 0, "only those in a row count");
    let last = transition::fault(&it, "crashed", world.at(0));
    assert_eq!((last.delivery.state, last.delivery.reason.as_str()), (State::Quarantined, "crashed"));
    assert_eq!(last.events.last().map(|event| event.what.as_str()), Some("quarantined"));
    assert_eq!(transition::due(&last.delivery, world.at(99 * HOUR)), Due::Nothing);
}

#[test]
fn back_off_grows_to_its_end_and_no_further() {
    let retry = Retry { first: Period::seconds(30), factor: 2.0, longest: Period::hours(1), jitter: 0.0 };
    let waits: Vec<u64> = (0..12).map(|attempts| retry.wait(attempts, 0.5).as_secs()).collect();
    assert_eq!(waits, [30, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
    let jitter = Retry { jitter: 0.2, ..retry.clone() };
    assert_eq!((jitter.wait(1, 0.0), jitter.wait(1, 1.0)), (Duration::from_secs(24), Duration::from_secs(36)));
    // Whatever the settings say, there is a wait and no panic.
    for odd in [
        Retry { factor: f64::NAN, ..retry.clone() },
        Retry { factor: f64::INFINITY, ..retry.clone() },
        Retry { factor: -3.0, ..retry.clone() },
        Retry { jitter: f64::NAN, ..retry.clone() },
        Retry { jitter: 9.0, ..retry.clone() },
        Retry { first: Period::seconds(0), ..retry.clone() },
        Retry { first: Period::days(1 << 30), longest: Period::days(1 << 30), ..retry },
    ] {
        for attempts in [0, 1, 7, u32::MAX] {
            assert!(!odd.wait(attempts, 0.0).is_zero() && !odd.wait(attempts, 1.0).is_zero(), "{odd:?}");
        }
    }
}

/// Something that happens to a delivery.
#[derive(Clone, Debug)]
enum Input {
    Verdict(Verdict),
    Evidence(Fact),
    Due,
    Fault,
    Bounced,
    Hold,
    Release,
}

fn input() -> impl Strategy<Value = Input> {
    let fact = proptest::sample::select(FACTS.to_vec());
    prop_oneof![
        any::<bool>().prop_map(|reports| Input::Verdict(handed_over(reports))),
        (proptest::collection::vec(fact.clone(), 0..3), proptest::option::of(0..100_000u64)).prop_map(
            |(facts, again)| {
                let evidence = facts.into_iter().map(|fact| Evidence::now(fact, "seen")).collect();
                Input::Verdict(Verdict::Notified { evidence, again: again.map(Duration::from_secs) })
            }
        ),
        fact.clone().prop_map(|fact| Input::Verdict(Verdict::Delivered(Evidence::now(fact, "said")))),
        proptest::option::of(0..100_000u64).prop_map(|after| Input::Verdict(deferred(after))),
        Just(Input::Verdict(failed())),
        fact.prop_map(Input::Evidence),
        Just(Input::Due),
        Just(Input::Fault),
        Just(Input::Bounced),
        Just(Input::Hold),
        Just(Input::Release),
    ]
}

fn apply(delivery: &Delivery, input: &Input, with: Circumstances<'_>) -> Option<Next> {
    let by_hand = |state| {
        let delivery = Delivery { state, version: delivery.version + 1, ..delivery.clone() };
        Some(Next { delivery, events: Vec::new() })
    };
    match input {
        Input::Verdict(verdict) => Some(transition::verdict(delivery, verdict, with)),
        Input::Evidence(fact) => Some(transition::evidence(delivery, &Evidence::now(*fact, "seen"), with)),
        Input::Due => match transition::due(delivery, with) {
            Due::Changed(next) => Some(*next),
            Due::Attempt | Due::Nothing => None,
        },
        Input::Fault => Some(transition::fault(delivery, "crashed", with)),
        Input::Bounced => Some(transition::bounced(delivery, None, "bounced", with)),
        Input::Hold if delivery.state.is_live() => by_hand(State::Held),
        Input::Release if delivery.state == State::Held => by_hand(State::Queued),
        Input::Hold | Input::Release => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// The laws that hold whatever happens, in whatever order.
    #[test]
    fn no_order_of_things_breaks_the_laws(
        inputs in proptest::collection::vec((input(), 0..20_000u64), 1..40),
        waits in proptest::collection::vec(0..30u64, 1..4),
    ) {
        let world = World::new();
        let names = ["direct", "mm4", "mail", "wap_push"];
        let route: Vec<(&str, u64)> = names.into_iter().zip(waits).collect();
        let mut it = delivery(&route);
        let mut now = 0;
        for (input, later) in inputs {
            now += later;
            let with = world.at(now);
            let Some(next) = apply(&it, &input, with) else { continue };
            let after = next.delivery;
            prop_assert_eq!(after.version, it.version + 1);
            prop_assert!((after.step as usize) < after.route.len());
            prop_assert!(after.step >= it.step, "there is no way back");
            if it.state.is_done() {
                prop_assert_eq!(after.state, it.state, "an end stands: {:?}", input);
            }
            if after.state == State::Done(End::Delivered) {
                prop_assert!(after.facts.iter().any(|fact| fact.proves_delivery()), "delivered without proof: {:?}", input);
            }
            if after.state == State::Done(End::Expired) && !it.state.is_done() {
                prop_assert!(with.now >= after.expires);
            }
            if it.saw(Fact::Fetched) && !it.state.is_done() {
                let good = matches!(after.state, State::Waiting | State::Held | State::Queued | State::Quarantined)
                    || after.state == State::Done(End::Delivered)
                    || after.state == State::Done(End::Rejected);
                prop_assert!(good, "what was fetched neither fails nor expires: {:?}", input);
            }
            if after.state.is_live() && !matches!(input, Input::Release | Input::Hold) {
                let busy = after.due <= with.now && after.step == it.step && after.state == it.state
                    && after.due != it.due && matches!(input, Input::Due);
                prop_assert!(!busy, "due again at once by time alone: {:?}", input);
                let grace = after.saw(Fact::Fetched);
                prop_assert!(grace || after.due <= after.expires.max(with.now), "due after the end: {:?}", input);
            }
            it = after;
        }
        // Left alone, everything that time moves comes to an end, in few steps.
        for _ in 0..2 * route.len() + 2 {
            if !it.state.is_live() {
                break;
            }
            now = now.max(at(0).until(it.due).as_secs() + 1);
            it = match transition::due(&it, world.at(now)) {
                Due::Changed(next) => next.delivery,
                Due::Attempt => transition::verdict(&it, &notified(None), world.at(now)).delivery,
                Due::Nothing => unreachable!("it is live"),
            };
        }
        prop_assert!(!it.state.is_live(), "it never ends: {:?}", it);
    }
}

#[test]
fn a_late_fetch_stops_the_fallback() {
    let world = World::new();
    let fresh = delivery(&[("direct", 15), ("wap_push", 0)]);
    let waiting = told(&fresh, &notified(None), world.at(0));
    let Due::Changed(next) = transition::due(&waiting, world.at(15 * MINUTE)) else { panic!("the wait is over") };
    assert_eq!((next.delivery.via(), next.delivery.state), (Some("wap_push"), State::Queued));
    // Fetched before the link went out: it never does.
    let fetched = seen(&next.delivery, Fact::Fetched, world.at(15 * MINUTE + 1));
    let Due::Changed(end) = transition::due(&fetched, world.at(16 * MINUTE)) else { panic!("{fetched:?}") };
    assert_eq!(end.delivery.state, State::Done(End::Delivered));
    // Fetched after it: no more reminders, and the timeline says that there are two ways to it.
    let link = Verdict::Notified {
        evidence: vec![Evidence::now(Fact::LinkSent, "1 short message")],
        again: Some(Duration::from_secs(HOUR)),
    };
    let linked = told(&next.delivery, &link, world.at(15 * MINUTE + 1));
    let fetched = seen(&linked, Fact::Fetched, world.at(20 * MINUTE));
    let Due::Changed(end) = transition::due(&fetched, world.at(2 * HOUR)) else { panic!("{fetched:?}") };
    assert_eq!(end.delivery.state, State::Done(End::Delivered));
    let opened = transition::evidence(&end.delivery, &Evidence::now(Fact::LinkOpened, "seen"), world.at(3 * HOUR));
    assert_eq!(opened.delivery.state, State::Done(End::Delivered));
    let words: Vec<&str> = opened.events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(words, ["link_opened", "both_ways"]);
}

#[test]
fn an_opened_page_stays_until_its_time_is_over() {
    let world = World::new();
    let link = Verdict::Notified { evidence: vec![Evidence::now(Fact::LinkSent, "1 short message")], again: None };
    let linked = told(&delivery(&[("wap_push", 0)]), &link, world.at(0));
    let opened = seen(&linked, Fact::LinkOpened, world.at(HOUR));
    assert_eq!((opened.state, opened.due), (State::Done(End::Delivered), at(24 * HOUR)));
    let Due::Changed(expired) = transition::due(&linked, world.at(24 * HOUR)) else { panic!("{linked:?}") };
    assert_eq!(expired.delivery.reason, "its time ran out; a link to it was sent, and nobody opened it");
}

#[test]
fn what_is_withdrawn_has_failed_unless_it_had_ended() {
    let world = World::new();
    let waiting = told(&delivery(&[("direct", 0)]), &notified(None), world.at(0));
    let revoked = transition::revoked(&waiting, "an operator withdrew it", world.at(1)).delivery;
    assert_eq!((revoked.state, revoked.revoked), (State::Done(End::Failed), true));
    let delivered = seen(&waiting, Fact::Retrieved, world.at(1));
    let revoked = transition::revoked(&delivered, "an operator withdrew it", world.at(2)).delivery;
    assert_eq!((revoked.state, revoked.revoked), (State::Done(End::Delivered), true));
}

#[test]
fn a_late_receipt_of_an_earlier_step_moves_nothing() {
    let world = World::new();
    let waiting = told(&delivery(&[("direct", 15), ("wap_push", 0)]), &notified(None), world.at(0));
    let Due::Changed(next) = transition::due(&waiting, world.at(15 * MINUTE)) else { panic!("the wait is over") };
    let link = Verdict::Notified { evidence: vec![Evidence::now(Fact::LinkSent, "1 short message")], again: None };
    let linked = told(&next.delivery, &link, world.at(15 * MINUTE));
    let failed = |step| Evidence { step, ..Evidence::now(Fact::PushFailed, "cannot be delivered") };
    let late = transition::evidence(&linked, &failed(Some(0)), world.at(16 * MINUTE));
    assert_eq!((late.delivery.state, late.events[0].what.as_str()), (State::Waiting, "push_failed"));
    for of_this_step in [failed(Some(1)), failed(None)] {
        let again = transition::evidence(&linked, &of_this_step, world.at(16 * MINUTE));
        assert_eq!(again.delivery.state, State::Queued);
    }
}

#[test]
fn a_push_that_failed_before_its_answer_came_is_sent_again() {
    let world = World::new();
    let queued = delivery(&[("direct", 15), ("wap_push", 0)]);
    // The network's refusal is on disk before the bearer has told the transport that the push was taken.
    let failed = seen(&queued, Fact::PushFailed, world.at(1));
    assert_eq!((failed.state, failed.saw(Fact::PushFailed)), (State::Queued, true));
    let told = told(&failed, &notified(Some(HOUR)), world.at(1));
    assert_eq!((told.state, told.saw(Fact::PushFailed)), (State::Queued, false));
    assert!(told.due < at(MINUTE), "after the back-off, not after an hour: {}", told.due);
}
