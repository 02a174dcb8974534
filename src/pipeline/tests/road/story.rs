//! The road from submission to report, on a real store, with time moved by hand.

use std::sync::atomic::Ordering;
use std::time::Duration;

use packetboat_api::delivery::{End, State};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::message::{Kind, ReportedStatus};
use packetboat_api::party::Msisdn;
use packetboat_api::road::{FetchError, RefusalKind, Submission};
use packetboat_api::roles::{Failure, Verdict};
use packetboat_api::store::{Batch, Change, Store};

use crate::support::{ANN, Act, BOB, CAROL, Puppet, START, Scene, first, handed_over, letter, notified};

fn told() -> Puppet {
    Puppet::new(Act::Say(notified(Some(300))))
}

#[tokio::test]
async fn a_phone_is_told_again_on_schedule_until_it_fetches() {
    let scene = Scene::new(told()).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    let id = first(&receipt);
    for times in 1..=4u32 {
        let delivery = scene.until(id, "told", |it| it.notified == times).await;
        assert_eq!(
            (delivery.state, delivery.due),
            (State::Waiting, START.after(Duration::from_secs(300 * u64::from(times))))
        );
        scene.pass(299);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(scene.delivery(id).await.notified, times, "not before its time");
        scene.pass(1);
    }
    scene.until(id, "told a fifth time", |it| it.notified == 5).await;
    assert_eq!(scene.sms.attempts(), [0, 300, 600, 900, 1200]);

    scene.road.as_handsets().witness(id, Evidence::now(Fact::Fetched, "GET")).await.expect("written");
    scene.pass(29);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.delivery(id).await.state, State::Waiting, "the phone has some time to say so itself");
    scene.pass(1);
    scene.until(id, "delivered", |it| it.state == State::Done(End::Delivered)).await;
    scene.pass(90_000);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.sms.attempts().len(), 5, "then it is left alone");
}

#[tokio::test]
async fn the_sender_is_told_once_and_as_it_was() {
    let scene = Scene::new(told()).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    let id = first(&receipt);
    scene.until(id, "told", |it| it.notified == 1).await;
    let handsets = scene.road.as_handsets();
    for fact in [Fact::Fetched, Fact::Retrieved, Fact::Retrieved, Fact::Read, Fact::Fetched, Fact::Fetched] {
        handsets.witness(id, Evidence::now(fact, "seen")).await.expect("written");
    }
    scene.pass(99_999);
    let deliveries = scene.deliveries().await;
    assert_eq!(deliveries.len(), 2, "one report: {deliveries:?}");
    let report = scene.store.message(deliveries[1].id.message).await.expect("a report");
    let Kind::DeliveryReport(about) = &report.kind else { panic!("{:?}", report.kind) };
    assert_eq!((about.about.as_str(), about.status), (receipt.message_id.as_str(), ReportedStatus::Retrieved));
    assert_eq!((report.envelope.from.clone(), deliveries[1].to.to_string().as_str()), (None, ANN));
    scene.until(deliveries[1].id, "handed over", |it| it.state == State::Done(End::HandedOver)).await;
    assert_eq!(scene.deliveries().await.len(), 2, "no report about a report");
    let fetched = scene.timeline(id).await.iter().filter(|line| line.what == "fetched").count();
    assert_eq!(fetched, 1, "what is known of one that ended is not written down again");
}

#[tokio::test]
async fn a_phone_may_forbid_the_report_and_gets_its_message_again() {
    let scene = Scene::new(told()).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    let id = first(&receipt);
    let delivery = scene.until(id, "told", |it| it.notified == 1).await;
    let handsets = scene.road.as_handsets();
    handsets.report_allowed(id, false).await.expect("written");
    handsets.witness(id, Evidence::now(Fact::Retrieved, "m-notifyresp-ind")).await.expect("written");
    assert_eq!(scene.deliveries().await.len(), 1, "no report");
    let found = handsets.fetch(&format!("{}{}", delivery.token, delivery.transaction())).await.expect("still there");
    assert_eq!(found.delivery.id, id, "phones lose what they fetched (case E-09)");
    assert_eq!(handsets.fetch(delivery.transaction()).await.map(|it| it.delivery.id), Ok(id));
    assert_eq!(handsets.fetch("short").await.err(), Some(FetchError::Unknown));
    assert_eq!(handsets.fetch(&"x".repeat(22)).await.err(), Some(FetchError::Unknown));
    assert_eq!(handsets.fetch("ééééééééééééééééé").await.err(), Some(FetchError::Unknown));
}

#[tokio::test]
async fn what_expires_says_so() {
    let scene = Scene::new(told()).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    let id = first(&receipt);
    let delivery = scene.until(id, "told", |it| it.notified == 1).await;
    scene.pass(3 * 86_400);
    let delivery =
        scene.until(id, "expired", |it| it.state == State::Done(End::Expired) && it.version > delivery.version).await;
    assert!(delivery.reported && delivery.reason.contains("did not fetch it"), "{}", delivery.reason);
    assert_eq!(scene.road.as_handsets().fetch(&delivery.token).await.err(), Some(FetchError::Expired));
    let deliveries = scene.deliveries().await;
    let report = scene.store.message(deliveries[1].id.message).await.expect("a report");
    let Kind::DeliveryReport(about) = &report.kind else { panic!("{:?}", report.kind) };
    assert_eq!(about.status, ReportedStatus::Expired);
}

#[tokio::test]
async fn a_read_report_reaches_the_sender_who_asked_for_it() {
    let scene = Scene::new(told()).run();
    let mut asked = letter(&[BOB]);
    asked.mail.headers.push("X-Mms-Read-Reply", "Yes");
    let receipt = scene.submit(asked).await.expect("taken");
    scene.until(first(&receipt), "told", |it| it.notified == 1).await;
    let handsets = scene.road.as_handsets();
    let phone = |text: &str| Msisdn::new(text).expect("a number");
    let other = handsets.read_report(&receipt.message_id, &phone(CAROL), true).await;
    assert_eq!(other.map_err(|e| e.kind), Err(RefusalKind::UnknownRecipient), "it was not sent to her");
    for _ in 0..3 {
        handsets.read_report(&receipt.message_id, &phone(BOB), true).await.expect("taken");
    }
    let mut kinds = Vec::new();
    for delivery in scene.deliveries().await {
        kinds.push(match &scene.store.message(delivery.id.message).await.expect("a message").kind {
            Kind::Personal => "message",
            Kind::DeliveryReport(_) => "delivered",
            Kind::ReadReport(_) => "read",
            Kind::Settings(_) => "settings",
        });
    }
    assert_eq!(kinds, ["message", "delivered", "read"], "each once");
    assert_eq!(scene.delivery(first(&receipt)).await.state, State::Done(End::Delivered), "who reads it has it");
}

#[tokio::test]
async fn a_transport_that_crashes_harms_nobody_and_is_not_asked_for_ever() {
    for act in [Act::Panic, Act::Babble] {
        let scene = Scene::new(Puppet::new(act)).run();
        let receipt = scene.submit(letter(&[BOB, ANN])).await.expect("taken");
        let id = first(&receipt);
        for faults in 1..5u32 {
            let delivery = scene.until(id, "tried", |it| it.faults == faults).await;
            scene.pass(START.until(delivery.due).as_secs() - scene.seconds());
        }
        let delivery = scene.until(id, "in quarantine", |it| it.state == State::Quarantined).await;
        assert!(delivery.reason.contains("transport sms"), "{}", delivery.reason);
        assert_eq!(scene.sms.attempts(), [0, 10, 30, 70, 150]);
        let mut other = id;
        other.index = 1;
        scene.until(other, "handed over", |it| it.state == State::Done(End::HandedOver)).await;
    }
}

#[tokio::test]
async fn a_transport_that_hangs_is_given_up_and_holds_up_nobody() {
    let hangs = Puppet { concurrency: 1, time_limit: Duration::from_secs(3600), ..Puppet::new(Act::Hang) };
    let scene = Scene::new(hangs).run();
    // Far more than the lane and the queue have in hand.
    let phones: Vec<String> = (0..190).map(|n| format!("+4477009{n:05}")).collect();
    let phones: Vec<&str> = phones.iter().map(String::as_str).collect();
    for _ in 0..8 {
        scene.submit(letter(&phones)).await.expect("taken");
    }
    let receipt = scene.submit(letter(&[ANN])).await.expect("taken");
    scene.until(first(&receipt), "handed over", |it| it.state == State::Done(End::HandedOver)).await;
    assert_eq!(scene.sms.attempts().len(), 1);

    let slow = Puppet { time_limit: Duration::from_millis(30), ..told().then(Act::Hang) };
    let scene = Scene::new(slow).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    let delivery = scene.until(first(&receipt), "given up", |it| it.faults == 1).await;
    assert!(delivery.reason.contains("did not answer"), "{}", delivery.reason);
    scene.pass(10);
    scene.until(first(&receipt), "told", |it| it.notified == 1 && it.faults == 0).await;
}

/// What was parked because a lane was full is attempted as soon as there is room.
#[tokio::test]
async fn everything_that_waits_for_a_lane_gets_its_turn() {
    let narrow = Puppet { concurrency: 2, ..Puppet::new(Act::Say(handed_over())) };
    let scene = Scene::new(narrow).run();
    let phones: Vec<String> = (0..200).map(|n| format!("+4477009{n:05}")).collect();
    let phones: Vec<&str> = phones.iter().map(String::as_str).collect();
    let mut quiet = letter(&phones);
    quiet.envelope.recipients.iter_mut().for_each(|recipient| recipient.notify = Default::default());
    let receipt = scene.submit(quiet).await.expect("taken");
    for index in 0..200 {
        let id = packetboat_api::id::DeliveryId { message: receipt.id, index };
        scene.until(id, "handed over", |it| it.state == State::Done(End::HandedOver)).await;
    }
    assert_eq!(scene.sms.attempts().len(), 200, "each once");
}

#[tokio::test]
async fn draining_waits_for_what_is_in_hand_and_begins_nothing() {
    let mut scene = Scene::new(told()).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    scene.until(first(&receipt), "told", |it| it.notified == 1).await;
    scene.drain().await;
    let later = scene.submit(letter(&[CAROL])).await.expect("taken");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.delivery(first(&later)).await.attempts, 0);
    assert_eq!(scene.sms.attempts().len(), 1);
}

#[tokio::test]
async fn a_repeated_submission_is_one_message() {
    let scene = Scene::new(told());
    let keyed = |key: &str, to: &str| Submission { dedupe: Some(key.as_bytes().to_vec()), ..letter(&[to]) };
    let one = scene.submit(keyed("1", BOB)).await.expect("taken");
    let again = scene.submit(keyed("1", BOB)).await.expect("taken");
    assert_eq!((again.id, again.message_id, again.duplicate), (one.id, one.message_id.clone(), true));
    let elsewhere = scene.road.intake("handsets").submit(keyed("1", BOB)).await.expect("taken");
    assert!(!elsewhere.duplicate, "another listener's key is another key");
    scene.pass(3 * 86_400);
    assert!(!scene.submit(keyed("1", BOB)).await.expect("taken").duplicate, "after two days it is forgotten");
}

#[tokio::test]
async fn each_recipient_has_its_own_outcome() {
    let rules = "[[rule]]\nname = \"bob\"\nto = [\"+447700900123\"]\nroute = [\"sms\"]\n";
    let scene = Scene::with(told(), told(), rules);
    let receipt = scene.submit(letter(&[BOB, CAROL])).await.expect("taken");
    assert_eq!(receipt.refused.len(), 1);
    assert_eq!(
        (receipt.refused[0].0.to_string().as_str(), receipt.refused[0].1.kind),
        (CAROL, RefusalKind::UnknownRecipient)
    );
    assert_eq!(scene.deliveries().await.len(), 1);
    let none = scene.submit(letter(&[CAROL])).await.map_err(|e| e.kind);
    assert_eq!(none, Err(RefusalKind::UnknownRecipient));
    // A report that has no way to its sender is noted where it would have come from.
    let (id, handsets) = (first(&receipt), scene.road.as_handsets());
    handsets.witness(id, Evidence::now(Fact::Rejected, "no")).await.expect("written");
    let last = scene.timeline(id).await.pop().expect("a line");
    assert_eq!(last.what, "report_not_sent");
    assert_eq!(scene.deliveries().await.len(), 1);
}

#[tokio::test]
async fn a_failed_step_leads_to_the_next() {
    let rules = "[[rule]]\nname = \"both\"\nto = [\"+*\"]\nroute = [{ via = \"sms\", wait = \"15m\" }, \"mail\"]\n";
    let failing = Puppet::new(Act::Say(Verdict::Failed(Failure::new("5.1.1", "barred"))));
    let scene = Scene::with(failing, Puppet::new(Act::Say(handed_over())), rules).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    let delivery = scene.until(first(&receipt), "handed over", |it| it.state == State::Done(End::HandedOver)).await;
    assert_eq!((delivery.step, scene.sms.attempts().len(), scene.mail.attempts().len()), (1, 1, 1));
    let lines: Vec<String> = scene.timeline(delivery.id).await.into_iter().map(|line| line.what).collect();
    assert!(
        lines.iter().any(|what| what == "attempt_failed") && lines.iter().any(|what| what == "next_step"),
        "{lines:?}"
    );
}

/// What is not to be delivered yet, and never will be in time.
#[tokio::test]
async fn delivery_time_and_expiry_meet() {
    let scene = Scene::new(told()).run();
    let with = |headers: &[(&str, &str)]| {
        let mut it = letter(&[BOB]);
        headers.iter().for_each(|(name, value)| it.mail.headers.push(*name, *value));
        it
    };
    let later = scene.submit(with(&[("X-Mms-Delivery-Time", "600")])).await.expect("taken");
    let never = scene.submit(with(&[("X-Mms-Delivery-Time", "600"), ("X-Mms-Expiry", "300")])).await.expect("taken");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.sms.attempts().len(), 0);
    scene.pass(300);
    let ended = scene.until(first(&never), "expired", |it| it.state == State::Done(End::Expired)).await;
    assert_eq!(ended.reason, "its time ran out before it could be delivered");
    scene.pass(300);
    scene.until(first(&later), "told", |it| it.notified == 1).await;
}

/// Somebody else changes a delivery between claim and outcome: nothing of what he wrote is lost.
#[tokio::test]
async fn an_outcome_that_comes_second_finds_what_came_first() {
    let scene = Scene::new(told());
    scene.store.meddles.store(true, Ordering::SeqCst);
    let expired = scene.submit(letter(&[CAROL])).await.expect("taken");
    scene.pass(4 * 86_400);
    let attempted = scene.submit(letter(&[BOB])).await.expect("taken");
    let scene = scene.run();
    let delivery = scene.until(first(&attempted), "told", |it| it.notified == 1).await;
    assert_eq!(delivery.state, State::Done(End::Delivered), "{delivery:?}");
    assert!(delivery.saw(Fact::Retrieved) && delivery.saw(Fact::PushSent));
    let delivery = scene.delivery(first(&expired)).await;
    assert_eq!(
        (delivery.state, delivery.version),
        (State::Done(End::Delivered), 1),
        "its time was over, but it had ended"
    );
}

/// While the store takes nothing no phone is told over and over; what became of the attempt is written down afterwards.
#[tokio::test]
async fn a_store_that_takes_nothing_stops_the_queue() {
    let scene = Scene::new(told()).run();
    let before = scene.submit(letter(&[BOB])).await.expect("taken");
    scene.until(first(&before), "told", |it| it.notified == 1).await;
    scene.store.full.store(true, Ordering::SeqCst);
    assert_eq!(scene.submit(letter(&[CAROL])).await.map_err(|e| e.kind), Err(RefusalKind::Full));
    scene.pass(300);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.sms.attempts(), [0, 300], "told once more, and then not until that can be written down");
    scene.store.full.store(false, Ordering::SeqCst);
    scene.until(first(&before), "told twice", |it| it.notified == 2).await;
    assert_eq!(scene.sms.attempts(), [0, 300]);
}

/// Every change of a delivery names the version it was made from.
#[tokio::test]
async fn two_who_change_a_delivery_at_once_both_count() {
    let scene = Scene::new(told()).run();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    let id = first(&receipt);
    scene.until(id, "told", |it| it.notified == 1).await;
    let handsets = scene.road.as_handsets();
    let facts = [Fact::PushDelivered, Fact::Deferred, Fact::Fetched, Fact::Retrieved, Fact::Read, Fact::LinkOpened];
    let tasks: Vec<_> = facts
        .into_iter()
        .map(|fact| {
            let handsets = handsets.clone();
            tokio::spawn(async move { handsets.witness(id, Evidence::now(fact, "seen")).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task").expect("written");
    }
    let delivery = scene.delivery(id).await;
    assert!(facts.iter().all(|fact| delivery.saw(*fact)), "{:?}", delivery.facts);
    assert_eq!(delivery.state, State::Done(End::Delivered));
    assert_eq!(scene.deliveries().await.len(), 2, "one report");
    let stale = Change { delivery: delivery.clone(), from: 0, lease: None };
    let refused = scene.store.commit(Batch { changes: vec![stale], ..Batch::default() }).await;
    assert!(refused.is_err());
}
