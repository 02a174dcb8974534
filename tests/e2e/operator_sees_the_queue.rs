//! The operator's view: queue, timeline, health and metrics while it runs; queue and timeline when it does not.

use crate::node::{ANN, BOB, CAROL, Node, handset, mail_to, notified, post, steps, wait_for_state, wait_for_step};
use packetboat_harness::sms_tap::Answer;
use packetboat_harness::{DEADLINE, Daemon, Scene, SmsTap, wait_until};
use serde_json::Value;

#[test]
fn operator_sees_the_queue() {
    let scene = Scene::new("operator_sees_the_queue");
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap).set("log", "show_addresses", "false");
    let mut daemon = node.start();
    assert_eq!(daemon.cli_json(&["queue", "list"]), Value::Array(Vec::new()));
    assert!(daemon.cli(&["queue", "list"]).expect_success().text().contains("no deliveries"));

    let fetched = mail_to(BOB).subject("fetched").text("hello");
    post(&daemon, &fetched);
    handset(&daemon, BOB).retrieve(&notified(&tap, BOB));
    wait_for_state(&daemon, fetched.message_id(), BOB, "delivered");
    tap.always(Answer::Refuse(503, "Service not available".to_owned()));
    let stuck = mail_to(CAROL).subject("stuck").text("hello");
    post(&daemon, &stuck);
    wait_for_step(&daemon, stuck.message_id(), CAROL, "deferred");

    looks_right(&daemon, fetched.message_id(), stuck.message_id());
    let health = daemon.get_json("/health");
    assert_eq!((health["status"].as_str(), health["store"]["writable"].as_bool()), (Some("degraded"), Some(true)));
    assert!(health["store"]["durability"].as_str().is_some_and(|word| word == "power_loss"), "{health:#}");
    let count = |name: &str, labels: &[(&str, &str)]| daemon.metric(name, labels).unwrap_or_default();
    assert_eq!(count("packetboat_accepted_messages_total", &[("listener", "mail")]), 2.0);
    assert_eq!(count("packetboat_ended_total", &[("end", "delivered")]), 1.0);
    assert_eq!(count("packetboat_deliveries", &[("state", "queued")]), 1.0);
    assert!(count("packetboat_attempts_total", &[("transport", "direct"), ("verdict", "deferred")]) >= 1.0);
    assert_eq!(count("packetboat_events_total", &[("what", "retrieved")]), 1.0);
    daemon.get("/nothing").expect_status(404);

    let unknown = daemon.cli(&["trace", "nobody@nowhere.test", "--json"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(unknown.stderr.contains("nobody@nowhere.test"), "{}", unknown.stderr);
    let odd = daemon.cli(&["trace", "a b/c?d%e#f", "--json"]);
    assert!(odd.status.code() == Some(1) && odd.stderr.contains("a b/c?d%e#f"), "{}", odd.stderr);

    // The log has ids, and no more of people than an operator needs (I-11).
    let log = daemon.log();
    let whole: Vec<_> =
        log.lines().filter(|line| line.contains(BOB) || line.contains(CAROL) || line.contains(ANN)).collect();
    assert!(whole.is_empty(), "whole addresses in the log:\n{}", whole.join("\n"));

    // Killed: the same, from the disk.
    daemon.kill9();
    looks_right(&daemon, fetched.message_id(), stuck.message_id());
    tap.always(Answer::Accept);
    daemon.start();
    wait_for_state(&daemon, stuck.message_id(), CAROL, "waiting");
    wait_until(DEADLINE, "health to be well", || daemon.get_json("/health")["status"] == "ok");

    // Stopped in good order: still the same.
    assert!(daemon.stop().success());
    assert_eq!(daemon.cli_json(&["queue", "list", "--state", "waiting"])[0]["to"], CAROL);
}

/// What a list, a view of one and a timeline say, wherever they come from.
#[track_caller]
fn looks_right(daemon: &Daemon, fetched: &str, stuck: &str) {
    let all = daemon.cli_json(&["queue", "list"]);
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    assert_eq!((all[0]["to"].as_str(), all[1]["to"].as_str()), (Some(CAROL), Some(BOB)), "newest first");
    assert_eq!((all[0]["from"].as_str(), all[0]["subject"].as_str()), (Some(ANN), Some("stuck")));
    assert_eq!((all[0]["state"].as_str(), all[1]["state"].as_str()), (Some("queued"), Some("delivered")));
    assert!(all[0]["reason"].as_str().is_some_and(|why| why.contains("503")), "{all:#}");
    for (arguments, expected) in [
        (["--state", "queued"], vec![CAROL]),
        (["--state", "delivered"], vec![BOB]),
        (["--state", "expired"], vec![]),
        (["--to", BOB], vec![BOB]),
        (["--from", ANN], vec![CAROL, BOB]),
        (["--from", "somebody@else.test"], vec![]),
        (["--via", "direct"], vec![CAROL, BOB]),
        (["--limit", "1"], vec![CAROL]),
    ] {
        let listed = daemon.cli_json(&[&["queue", "list"][..], &arguments].concat());
        let numbers: Vec<_> = listed.as_array().into_iter().flatten().filter_map(|it| it["to"].as_str()).collect();
        assert_eq!(numbers, expected, "{arguments:?}");
    }
    let people = daemon.cli(&["queue", "list"]).expect_success().text();
    assert!(people.contains(CAROL) && people.contains("queued"), "{people}");

    let trace = daemon.trace(fetched);
    let steps = steps(&trace, BOB);
    for step in ["accepted", "push_sent", "retrieved"] {
        assert!(steps.contains(&step.to_owned()), "no {step} in {steps:?}");
    }
    let delivery = trace["deliveries"][0]["id"].as_str().unwrap_or_default();
    let message = trace["id"].as_str().unwrap_or_default();
    for id in [delivery, message, &format!("<{fetched}>")] {
        assert_eq!(daemon.cli_json(&["queue", "show", id])["message_id"], fetched, "by {id}");
    }
    let people = daemon.cli(&["trace", stuck]).expect_success().text();
    assert!(people.contains("deferred") && people.contains("503"), "{people}");
}
