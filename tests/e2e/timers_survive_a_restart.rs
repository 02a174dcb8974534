//! The wait of a step goes on while the daemon is down: kill -9 neither forgets it nor begins it anew.

use crate::node::{BOB, CAROL, Node, mail_to, notified, post, steps, wait_for_step};
use packetboat_harness::{Scene, SmsTap};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(4);
const RULES: &str = r#"
[[rule]]
name = "our phones"
to = ["+447700900*"]
route = [{ via = "direct", wait = "4s" }, "wap_push"]
"#;

#[test]
fn timers_survive_a_restart() {
    let scene = Scene::new("timers_survive_a_restart");
    let tap = SmsTap::start();
    let mut daemon = Node::new(&scene, &tap).with_links().rules(RULES).start();
    let (bob, carol) = (mail_to(BOB).subject("one").text("hello"), mail_to(CAROL).subject("two").text("hello"));

    post(&daemon, &bob);
    notified(&tap, BOB);
    wait_for_step(&daemon, bob.message_id(), BOB, "push_sent");
    let told = Instant::now();
    daemon.kill9();
    daemon.start();
    assert!(told.elapsed() < WAIT, "this machine is too slow for the story");
    assert!(!steps(&daemon.trace(bob.message_id()), BOB).contains(&"next_step".to_owned()), "too early");
    assert_eq!(tap.texts().len(), 0);
    tap.wait_for_link(BOB);
    let waited = told.elapsed();
    assert!(waited >= WAIT - Duration::from_millis(500), "the link came after {waited:?}");
    assert!(waited < WAIT * 2, "the wait began anew: {waited:?}");

    // Down when the time is over: as soon as it is up again.
    post(&daemon, &carol);
    notified(&tap, CAROL);
    wait_for_step(&daemon, carol.message_id(), CAROL, "push_sent");
    let told = Instant::now();
    daemon.kill9();
    packetboat_harness::wait_for(Duration::from_secs(30), "the wait to be over", || {
        (told.elapsed() > WAIT + Duration::from_millis(500)).then_some(())
    });
    daemon.start();
    let up = Instant::now();
    tap.wait_for_link(CAROL);
    assert!(up.elapsed() < WAIT, "the wait began anew");
    let trace = wait_for_step(&daemon, carol.message_id(), CAROL, "link_sent");
    assert_eq!(steps(&trace, CAROL).iter().filter(|step| *step == "push_sent").count(), 1, "told once");
}
