//! A phone asks for a message to be delivered later: nobody hears of it before, also when the daemon falls over meanwhile.

use crate::node::{BOB, CAROL, Node, delivery, handset, notified, text_part, wait_for_state};
use packetboat_harness::mms;
use packetboat_harness::{Scene, SmsTap};
use std::time::{Duration, Instant};

/// X-Mms-Delivery-Time, relative, four seconds (OMA-TS-MMS_ENC 7.3.13).
const DELIVERY_TIME: (u8, &[u8]) = (0x07, &[0x81, 0x01, 0x04]);

#[test]
fn message_waits_for_its_delivery_time() {
    let scene = Scene::new("message_waits_for_its_delivery_time");
    let tap = SmsTap::start();
    let mut daemon = Node::new(&scene, &tap).start();

    let request = mms::send_req("t1", &[CAROL], "later").sized(DELIVERY_TIME.0, DELIVERY_TIME.1);
    let sent = Instant::now();
    let id = handset(&daemon, BOB).submit(&request.body(&text_part("hello"))).message_id();
    let at_once = mms::send_req("t2", &[CAROL], "at once").body(&text_part("hello"));
    handset(&daemon, BOB).submit(&at_once);
    tap.wait_for_pushes(1);
    assert_eq!(delivery(&daemon.trace(&id), CAROL)["state"], "queued");
    daemon.kill9();
    daemon.start();
    let push =
        tap.wait_for_push(CAROL, |push| push.mms().text(mms::field::SUBJECT).is_some_and(|subject| subject == "later"));
    // Times on the wire are whole seconds.
    assert!(sent.elapsed() > Duration::from_secs(3), "after {:?}", sent.elapsed());
    handset(&daemon, CAROL).retrieve(&push.mms());
    wait_for_state(&daemon, &id, CAROL, "delivered");
    assert_eq!(notified(&tap, CAROL).text(mms::field::SUBJECT).as_deref(), Some("at once"));
}
