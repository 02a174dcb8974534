//! The SMS gateway is gone, says "later", hangs up: mail is taken all the time, and phones are told when it is back.
//!
//! Cases H-02, H-04, E-08.

use crate::node::{BOB, CAROL, Node, delivery, handset, mail_to, post, steps, wait_for_state, wait_for_step};
use packetboat_harness::sms_tap::{Answer, Delivery};
use packetboat_harness::{DEADLINE, Scene, SmsTap, wait_until};

#[test]
fn kannel_down_queues_and_recovers() {
    let scene = Scene::new("kannel_down_queues_and_recovers");
    let tap = SmsTap::start();
    let mut daemon = Node::new(&scene, &tap).start();

    tap.always(Answer::HangUp);
    let mail = mail_to(BOB).subject("hello").text("hello");
    post(&daemon, &mail);
    let trace = wait_for_step(&daemon, mail.message_id(), BOB, "deferred");
    let waiting = delivery(&trace, BOB);
    assert_eq!(waiting["state"], "queued");
    assert!(waiting["reason"].as_str().is_some_and(|why| why.contains("Kannel")), "{waiting:#}");
    wait_until(DEADLINE, "health to name the gateway", || {
        let health = daemon.get_json("/health");
        health["status"] == "degraded" && health["unwell"].to_string().contains("bearer.sms")
    });

    // The night goes on: the daemon falls over as well, and comes back before the gateway does.
    daemon.kill9();
    tap.always(Answer::Refuse(503, "Service not available".to_owned()));
    daemon.start();
    let tried = tap.requests().len();
    wait_until(DEADLINE, "further attempts", || tap.requests().len() >= tried + 2);
    assert!(tap.pushes().is_empty());
    assert!(!steps(&daemon.trace(mail.message_id()), BOB).contains(&"push_sent".to_owned()), "nothing was sent");

    tap.script([Answer::TakeAndHangUp]);
    tap.always(Answer::Accept);
    let pushes = tap.wait_for_pushes(2);
    assert_eq!(pushes[0].mms().transaction_id(), pushes[1].mms().transaction_id(), "told twice is not two messages");
    wait_for_state(&daemon, mail.message_id(), BOB, "waiting");
    wait_until(DEADLINE, "health to be well again", || daemon.get_json("/health")["status"] == "ok");

    // Hours later the network says what became of the short message.
    let last = tap.accepted().pop().expect("a short message");
    assert!(last.dlr_mask > 0);
    tap.report(&last, Delivery::Buffered).expect_status(200);
    tap.report(&last, Delivery::Delivered).expect_status(200);
    wait_for_step(&daemon, mail.message_id(), BOB, "push_delivered");
    handset(&daemon, BOB).retrieve(&pushes[0].mms());
    wait_for_state(&daemon, mail.message_id(), BOB, "delivered");

    // One that never arrived is sent again.
    let mail = mail_to(CAROL).subject("lost").text("hello");
    post(&daemon, &mail);
    let lost = tap.wait_for_push(CAROL, |_| true);
    let sms = tap.accepted().into_iter().rfind(|sms| sms.segment.to == CAROL).expect("a short message");
    wait_for_state(&daemon, mail.message_id(), CAROL, "waiting");
    tap.report(&sms, Delivery::Failed).expect_status(200);
    wait_for_step(&daemon, mail.message_id(), CAROL, "push_failed");
    let again = || tap.pushes().iter().filter(|push| push.to == CAROL).count() >= 2;
    wait_until(DEADLINE, "the notification once more", again);
    handset(&daemon, CAROL).retrieve(&lost.mms());
    wait_for_state(&daemon, mail.message_id(), CAROL, "delivered");
    // Nobody else can make such reports.
    let forged = sms.dlr_url.replace("/dlr/", "/dlr/x").replace("%d", "1");
    assert_eq!(packetboat_harness::http::get(&forged).status, 404);
}
