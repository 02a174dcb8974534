//! A phone says that it can do nothing with the notification (m-notifyresp-ind Unrecognised): the link follows at once, and not
//! when the step's time is over.

use crate::node::{BOB, Node, delivery, handset, mail_to, notified, post, steps, wait_for_step};
use packetboat_harness::mms::{self, status};
use packetboat_harness::{Scene, SmsTap, http};

const RULES: &str = r#"
[[rule]]
name = "our phones"
to = ["+447700900*"]
route = [{ via = "direct", wait = "1h" }, "wap_push"]
"#;

#[test]
fn phone_that_does_not_understand_gets_a_link() {
    let scene = Scene::new("phone_that_does_not_understand_gets_a_link");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_links().rules(RULES).start();

    let mail = mail_to(BOB).subject("hello").text("hello");
    post(&daemon, &mail);
    let notification = notified(&tap, BOB);
    let response = mms::notifyresp_ind(&notification.transaction_id(), status::UNRECOGNISED);
    handset(&daemon, BOB).post(&response).expect_status(200);
    let link = tap.wait_for_link(BOB);
    let trace = wait_for_step(&daemon, mail.message_id(), BOB, "link_sent");
    let taken = steps(&trace, BOB);
    let order = ["push_sent", "unrecognised", "next_step", "link_sent"];
    assert!(order.iter().all(|step| taken.iter().any(|it| it == step)), "{taken:?}");

    // Saying it again says nothing of the link.
    handset(&daemon, BOB).post(&response).expect_status(200);
    let trace = daemon.trace(mail.message_id());
    assert_eq!(
        (&delivery(&trace, BOB)["state"], &delivery(&trace, BOB)["via"]),
        (&"waiting".into(), &"wap_push".into())
    );
    let taken = steps(&trace, BOB);
    assert_eq!(taken.iter().filter(|step| *step == "unrecognised").count(), 2, "{taken:?}");
    assert_eq!(taken.iter().filter(|step| *step == "next_step").count(), 1, "{taken:?}");
    http::get(&link).expect_status(200);
}
