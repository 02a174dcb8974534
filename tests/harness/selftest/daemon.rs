//! The life of a daemon, played by a shell script.

use packetboat_harness::faults::Faults;
use packetboat_harness::http::{Reply, Server};
use packetboat_harness::process::{Output, Process, read_lossy};
use packetboat_harness::wait::{DEADLINE, never_within, poll, wait_until};
use packetboat_harness::{Peer, Scene};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/selftest/stand-in");

#[test]
fn a_daemon_is_started_killed_and_started_again() {
    let scene = Scene::new("a_daemon_is_started_killed_and_started_again");
    let admin = Server::start(|request| match request.path() {
        "/health" => Some(Reply::new(200, "application/json", "{\"ok\":true}")),
        "/metrics" => {
            let text = "# HELP x\nx_total{to=\"a\",by=\"sms\"} 2\nx_total{to=\"b\",by=\"sms\"} 3\nx_total_more 9\n";
            Some(Reply::new(200, "text/plain", text))
        }
        _ => Some(Reply::new(404, "text/plain", "")),
    });
    let config = format!("mail=127.0.0.1:{{port:mail}}\nadmin={}\n", admin.address());
    let mut daemon = scene.daemon(STAND_IN).config(&config).start();

    assert_eq!(daemon.listener("mail"), scene.address("mail"));
    assert_eq!(daemon.get_json("/health")["ok"], true);
    assert_eq!(daemon.metric("x_total", &[("by", "sms")]), Some(5.0));
    assert_eq!(daemon.metric("x_total", &[("to", "b"), ("by", "sms")]), Some(3.0));
    assert_eq!(daemon.metric("y_total", &[]), None);
    assert_eq!(daemon.trace("m1")["id"], "m1");
    assert_eq!(
        daemon.wait_for_trace("m1", DEADLINE, "a step", |it| it["steps"][0].as_str().map(str::to_owned)),
        "accepted"
    );
    assert!(daemon.resident_memory() > 100_000);

    let first = daemon.process().id();
    daemon.kill9();
    assert!(!daemon.is_running());
    daemon.start();
    assert_ne!(daemon.process().id(), first);
    assert_eq!(daemon.listener("mail"), scene.address("mail"));
    daemon.restart();
    assert!(daemon.stop().success());
    assert_eq!(daemon.log().matches("drained").count(), 2);
    assert_eq!(daemon.log().matches("started").count(), 3);
}

#[test]
fn a_daemon_that_does_not_start_says_why() {
    let scene = Scene::new("a_daemon_that_does_not_start_says_why");
    let start = || scene.daemon(STAND_IN).config("broken=yes\n").start();
    let panic = catch_unwind(AssertUnwindSafe(start)).expect_err("it cannot start");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("exit status: 3") && message.contains("started as"), "{message}");
}

#[test]
fn nothing_outlives_its_story() {
    let scene = Scene::new("nothing_outlives_its_story");
    let process = parent_and_child(scene.path());
    let child = process.stdout();
    assert!(is_alive(&child));
    drop(process);
    wait_until(DEADLINE, "the end of the child", || !is_alive(&child));
}

#[test]
fn nothing_outlives_a_test_binary_that_is_killed() {
    if let Some(directory) = std::env::var_os(DIES_IN) {
        parent_and_child(Path::new(&directory));
        std::process::abort();
    }
    let scene = Scene::new("nothing_outlives_a_test_binary_that_is_killed");
    let mut command = Command::new(std::env::current_exe().expect("a test binary"));
    command.args(["--exact", "daemon::nothing_outlives_a_test_binary_that_is_killed"]).env(DIES_IN, scene.path());
    assert!(!Output::of(&mut command).status.success());
    let child = read_lossy(&scene.path().join("parent.out"));
    wait_until(DEADLINE, "the end of the child", || !is_alive(&child));
}

/// Where the test binary starts a process and dies, when it is run by itself.
const DIES_IN: &str = "SELFTEST_DIES_IN";

/// A process that has printed the number of its child.
fn parent_and_child(directory: &Path) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & echo $!; wait"]);
    let mut process = Process::spawn("parent", directory, &mut command);
    process.wait_ready(DEADLINE, "the number of its child", |process| process.stdout().ends_with('\n'));
    process
}

/// What is killed stays a zombie until its new parent looks.
fn is_alive(number: &str) -> bool {
    let number: u32 = number.trim().parse().expect("the number of a process");
    let stat = read_lossy(Path::new(&format!("/proc/{number}/stat")));
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn waiting_ends_as_soon_as_it_can() {
    let mut looks = 0;
    let found = poll(DEADLINE, || {
        looks += 1;
        (looks == 3).then_some("there")
    });
    assert_eq!(found, Some("there"));
    assert_eq!(poll(Duration::from_millis(20), || None::<()>), None);
    never_within(Duration::from_millis(20), "a miracle", || false);
    let panic = catch_unwind(|| wait_until(Duration::from_millis(5), "the last day", || false)).expect_err("a panic");
    assert!(panic.downcast_ref::<String>().is_some_and(|message| message.contains("the last day")));
}

#[test]
fn ports_and_paths_are_filled_in() {
    let scene = Scene::new("ports_and_paths_are_filled_in");
    let filled = scene.fill_in("a {port:one} {port:two} {port:one} {x = \"{dir}/y\"}");
    let (one, two) = (scene.port("one"), scene.port("two"));
    assert_ne!(one, two);
    assert_eq!(filled, format!("a {one} {two} {one} {{x = \"{}/y\"}}", scene.path().display()));
}

#[test]
fn a_disk_is_full_until_it_is_not() {
    let Some(scene) = Scene::with_peers("a_disk_is_full_until_it_is_not", &[Peer::Compiler]) else { return };
    let store = scene.directory("store");
    let faults = Faults::prepare(&scene, &store);
    let daemon = scene.daemon(STAND_IN).faults(&faults).write();
    let file = store.join("file");
    let file_name = file.to_string_lossy();
    let write = || daemon.cli(&["write", &file_name]);

    write().expect_success();
    faults.disk_full();
    let refused = write();
    assert_eq!(refused.status.code(), Some(28), "{refused:?}");
    let elsewhere = scene.path().join("elsewhere");
    daemon.cli(&["write", &elsewhere.to_string_lossy()]).expect_success();
    faults.clear();
    write().expect_success();
    assert_eq!(read_lossy(&file), "full\n");
}
