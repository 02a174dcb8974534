//! Evidence that is written down together with others'.

use std::sync::atomic::Ordering;
use std::time::Duration;

use packetboat_api::delivery::{End, State};
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::store::Store;

use crate::support::{Act, BOB, Puppet, Scene, first, letter, notified};

fn told() -> Puppet {
    Puppet::new(Act::Say(notified(Some(300))))
}

fn got() -> Evidence {
    Evidence::now(Fact::Fetched, "GET")
}

#[tokio::test]
async fn many_fetches_take_few_commits_and_each_is_on_its_timeline_once() {
    const MANY: usize = 300;
    let scene = Scene::new(told()).run();
    let mut ids = Vec::new();
    for _ in 0..MANY {
        ids.push(first(&scene.submit(letter(&[BOB])).await.expect("taken")));
    }
    let handsets = scene.road.as_handsets();
    let mut fetches = Vec::new();
    for id in &ids {
        let delivery = scene.until(*id, "told", |it| it.notified == 1).await;
        fetches.push(handsets.fetch(&delivery.token).await.expect("there"));
    }
    let before = scene.store.commits.load(Ordering::SeqCst);
    for _ in 0..2 {
        for fetch in &mut fetches {
            *fetch = handsets.fetch(&fetch.delivery.token).await.expect("still there");
            handsets.witness_soon(fetch.clone(), got()).await;
        }
        scene.road.flush().await;
    }
    let commits = scene.store.commits.load(Ordering::SeqCst) - before;
    assert!(commits < MANY / 10, "{commits} commits");
    for id in ids {
        let delivery = scene.delivery(id).await;
        assert_eq!((delivery.state, delivery.saw(Fact::Fetched)), (State::Waiting, true));
        let lines = scene.timeline(id).await;
        assert_eq!(lines.iter().filter(|line| line.what == "fetched").count(), 1, "{lines:?}");
    }
}

#[tokio::test]
async fn what_somebody_changed_meanwhile_spoils_nothing_for_the_others() {
    let scene = Scene::new(told()).run();
    let handsets = scene.road.as_handsets();
    let mut fetches = Vec::new();
    for _ in 0..3 {
        let id = first(&scene.submit(letter(&[BOB])).await.expect("taken"));
        let delivery = scene.until(id, "told", |it| it.notified == 1).await;
        fetches.push(handsets.fetch(&delivery.token).await.expect("there"));
    }
    // The second says that it has its picture before its fetch is written down.
    let second = fetches[1].delivery.id;
    handsets.witness(second, Evidence::now(Fact::Retrieved, "m-acknowledge-ind")).await.expect("written");
    for fetch in &fetches {
        handsets.witness_soon(fetch.clone(), got()).await;
    }
    scene.road.flush().await;
    for fetch in &fetches {
        let delivery = scene.store.delivery(fetch.delivery.id).await.expect("there");
        assert!(delivery.saw(Fact::Fetched), "{delivery:?}");
        let expected = if delivery.id == second { State::Done(End::Delivered) } else { State::Waiting };
        assert_eq!(delivery.state, expected);
    }
}

#[tokio::test]
async fn a_store_that_takes_nothing_holds_up_nobody() {
    let scene = Scene::new(told()).run();
    let handsets = scene.road.as_handsets();
    let id = first(&scene.submit(letter(&[BOB])).await.expect("taken"));
    let delivery = scene.until(id, "told", |it| it.notified == 1).await;
    let fetch = handsets.fetch(&delivery.token).await.expect("there");
    scene.store.full.store(true, Ordering::SeqCst);
    handsets.witness_soon(fetch.clone(), got()).await;
    tokio::time::timeout(Duration::from_secs(10), scene.road.flush()).await.expect("not for ever");
    scene.store.full.store(false, Ordering::SeqCst);
    assert!(!scene.delivery(id).await.saw(Fact::Fetched));
    handsets.witness_soon(fetch, got()).await;
    scene.until(id, "fetched", |it| it.saw(Fact::Fetched)).await;
}

#[tokio::test]
async fn many_attempts_take_few_commits_and_each_is_on_its_timeline_once() {
    const MANY: usize = 300;
    let mut scene = Scene::new(Puppet { concurrency: 64, ..told() });
    let mut ids = Vec::new();
    for _ in 0..MANY {
        ids.push(first(&scene.submit(letter(&[BOB])).await.expect("taken")));
    }
    let before = scene.store.commits.load(Ordering::SeqCst);
    scene = scene.run();
    for id in &ids {
        scene.until(*id, "told", |it| it.notified == 1).await;
    }
    let commits = scene.store.commits.load(Ordering::SeqCst) - before;
    assert!(commits < MANY / 3, "{commits} commits");
    scene.drain().await;
    for id in ids {
        let lines = scene.timeline(id).await;
        assert_eq!(lines.iter().filter(|line| line.what == "push_sent").count(), 1, "{lines:?}");
    }
    assert_eq!(scene.sms.attempts().len(), MANY);
}

#[tokio::test]
async fn what_is_gathered_is_on_disk_before_the_queue_has_ended() {
    let mut scene = Scene::new(told()).run();
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(first(&scene.submit(letter(&[BOB])).await.expect("taken")));
    }
    scene.drain().await;
    let told: Vec<_> = scene.sms.seen.lock().expect("a lock").iter().map(|(id, _)| *id).collect();
    for id in ids {
        assert_eq!(scene.delivery(id).await.notified == 1, told.contains(&id), "{id}");
    }
}

#[tokio::test]
async fn what_is_seen_later_stands_later_on_the_timeline() {
    let scene = Scene::new(told()).run();
    let handsets = scene.road.as_handsets();
    let mut fetches = Vec::new();
    for _ in 0..20 {
        let id = first(&scene.submit(letter(&[BOB])).await.expect("taken"));
        let delivery = scene.until(id, "told", |it| it.notified == 1).await;
        fetches.push(handsets.fetch(&delivery.token).await.expect("there"));
    }
    for fetch in &fetches {
        handsets.witness_soon(fetch.clone(), got()).await;
    }
    for fetch in &fetches {
        let id = fetch.delivery.id;
        handsets.witness(id, Evidence::now(Fact::Retrieved, "m-acknowledge-ind")).await.expect("written");
        let lines = scene.timeline(id).await;
        let place = |what: &str| lines.iter().position(|line| line.what == what).expect(what);
        assert!(place("fetched") < place("retrieved"), "{lines:?}");
    }
}
