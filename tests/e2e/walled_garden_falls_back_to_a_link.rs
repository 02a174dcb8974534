//! The phone was told, its operator does not let it fetch from us, and nobody had to do anything: a text with a link
//! follows, the page opens in the phone's browser, and the sender reads what was really done. Case J-04, E-10.

use crate::node::{ANN, BOB, Node, delivery, mail_to, post, steps, wait_for_state, wait_for_step};
use packetboat_harness::mail::png;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::peers::{Chromium, ScriptedMx};
use packetboat_harness::sms_tap::Delivery;
use packetboat_harness::{Peer, Scene, SmsTap, http};

const RULES: &str = r#"
[[rule]]
name = "our phones"
to = ["+447700900*"]
route = [{ via = "direct", wait = "1s" }, "wap_push"]

[[rule]]
name = "mail"
to = ["*@*"]
route = ["mail"]
"#;

#[test]
fn walled_garden_falls_back_to_a_link() {
    let needed = [Peer::Aiosmtpd, Peer::Chromium];
    let Some(scene) = Scene::with_peers("walled_garden_falls_back_to_a_link", &needed) else { return };
    let (mx, tap) = (ScriptedMx::start(&scene, "mx", &Script::default()), SmsTap::start());
    let daemon = Node::new(&scene, &tap).with_mail_host(mx.address()).with_links().rules(RULES).start();

    let mail = mail_to(BOB).subject("The bay").text("At noon").attach("bay.png", "image/png", &png(300, 200, 1));
    let mail = mail.field("X-Mms-Delivery-Report", "Yes");
    post(&daemon, &mail);
    tap.wait_for_push(BOB, |_| true);
    // A timeline says what was known when: the receipt shall not overtake the answer to the push.
    wait_for_step(&daemon, mail.message_id(), BOB, "push_sent");
    tap.report(&tap.accepted()[0], Delivery::Delivered).expect_status(200);
    // The phone has the notification, and that is all that ever happens.
    wait_for_step(&daemon, mail.message_id(), BOB, "next_step");
    let link = tap.wait_for_link(BOB);
    wait_for_step(&daemon, mail.message_id(), BOB, "link_sent");
    assert!(!link.contains("447700900123"), "no number in the address: {link}");

    let page = Chromium::new(&scene).open(&link);
    assert!(page.contains("The bay") && page.contains("At noon"), "{page}");
    assert!(!page.contains("447700900123"), "no number in the page");
    let trace = wait_for_state(&daemon, mail.message_id(), BOB, "delivered");
    let order = ["push_sent", "push_delivered", "next_step", "link_sent", "link_opened"];
    let taken = steps(&trace, BOB);
    let places: Vec<_> = order.iter().map(|step| taken.iter().position(|it| it == step)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{taken:?}");
    assert_eq!(delivery(&trace, BOB)["via"], "wap_push");

    let report = mx.wait_for_messages(1).remove(0);
    assert_eq!(report.recipients, [ANN.to_owned()]);
    assert!(report.content.contains("as a link to a page, and the page was opened"), "{}", report.content);

    // The page is there as long as the message would have been, until somebody takes it back.
    http::get(&link).expect_status(200);
    let withdrawn = daemon.cli_json(&["queue", "revoke", mail.message_id()]);
    assert_eq!(withdrawn["withdrawn"], 1);
    assert_eq!(http::get(&link).status, 410);
}
