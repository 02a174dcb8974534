//! A route is tried from left to right: the next step comes when one fails for good, or when its time runs out without
//! evidence; when there is no next, the sender is told. Case J-03.

use crate::node::{
    ANN, BOB, CAROL, DAVE, Node, delivery, handset, mail_to, post, steps, wait_for_state, wait_for_step,
};
use packetboat_harness::peers::ScriptedMx;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::sms_tap::Answer;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Peer, Scene, SmsTap};
use std::time::Duration;

const RULES: &str = r#"
[[rule]]
name = "falls back"
to = ["+447700900123"]
route = ["direct", "spare"]

[[rule]]
name = "waits a while"
to = ["+447700900124"]
route = [{ via = "patient", wait = "1s" }, "spare"]

[[rule]]
name = "has nothing else"
to = ["+447700900125"]
route = ["direct"]

[[rule]]
name = "mail"
to = ["*@*"]
route = ["mail"]

[[test]]
to = "+447700900123"
expect = ["direct", "spare"]
"#;

#[test]
fn transport_failing_for_good_moves_to_the_next_step() {
    let story = "transport_failing_for_good_moves_to_the_next_step";
    let Some(scene) = Scene::with_peers(story, &[Peer::Aiosmtpd]) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let [barred, patient, spare] = [(); 3].map(|()| SmsTap::start());
    barred.always(Answer::Refuse(400, "Number not allowed here".to_owned()));
    let mut node = Node::new(&scene, &barred).with_mail_host(mx.address());
    for (name, tap) in [("patient", &patient), ("spare", &spare)] {
        let bearer = format!("bearer.{name}");
        let transport = format!("transport.{name}");
        node = node
            .set(&bearer, "plugin", r#""kannel""#)
            .set(&bearer, "url", &format!("{:?}", tap.url()))
            .set(&bearer, "username", r#""packetboat""#)
            .set(&bearer, "password", r#"{ file = "kannel.secret" }"#)
            .set(&transport, "plugin", r#""direct""#)
            .set(&transport, "bearer", &format!("{name:?}"));
    }
    let daemon = node.rules(RULES).start();

    let mail = mail_to(BOB).subject("falls back").text("hello");
    post(&daemon, &mail);
    let push = spare.wait_for_push(BOB, |_| true);
    let trace = wait_for_state(&daemon, mail.message_id(), BOB, "waiting");
    assert_eq!(delivery(&trace, BOB)["via"], "spare");
    let steps_taken = steps(&trace, BOB);
    let place = |step: &str| steps_taken.iter().position(|it| it == step);
    assert!(place("attempt_failed") < place("next_step") && place("next_step") < place("push_sent"), "{steps_taken:?}");
    handset(&daemon, BOB).retrieve(&push.mms());
    wait_for_state(&daemon, mail.message_id(), BOB, "delivered");
    assert_eq!(barred.requests().len(), 1, "what was refused for good is not tried again");

    let mail = mail_to(CAROL).subject("waits a while").text("hello");
    post(&daemon, &mail);
    let first = patient.wait_for_push(CAROL, |_| true);
    wait_for_step(&daemon, mail.message_id(), CAROL, "next_step");
    let second = spare.wait_for_push(CAROL, |_| true);
    assert_eq!(first.mms().transaction_id(), second.mms().transaction_id(), "the same message by another way");
    // The first notification is as good as ever.
    handset(&daemon, CAROL).retrieve(&first.mms());
    wait_for_state(&daemon, mail.message_id(), CAROL, "delivered");

    // Fetched in time, there is no next step.
    let mail = mail_to(CAROL).subject("in time").text("hello");
    post(&daemon, &mail);
    let push = patient.wait_for_push(CAROL, |push| push.mms().transaction_id() != first.mms().transaction_id());
    handset(&daemon, CAROL).retrieve(&push.mms());
    let told_again = || spare.pushes().iter().any(|it| it.mms().transaction_id() == push.mms().transaction_id());
    never_within(Duration::from_millis(1500), "a next step for what was fetched", told_again);

    let mail = mail_to(DAVE).subject("has nothing else").text("hello");
    post(&daemon, &mail);
    let trace = wait_for_state(&daemon, mail.message_id(), DAVE, "failed");
    assert!(delivery(&trace, DAVE)["reason"].as_str().is_some_and(|why| why.contains("400")), "{trace:#}");
    let bounce = mx.wait_for_messages(1).remove(0);
    assert_eq!((bounce.sender.as_str(), bounce.recipients.as_slice()), ("", [ANN.to_owned()].as_slice()));
    assert!(bounce.content.contains("400"), "the reason is for people too:\n{}", bounce.content);
    assert_eq!(mx.messages().len(), 1);
}
