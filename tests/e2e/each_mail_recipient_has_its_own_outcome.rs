//! A phone sends to twenty mailboxes, half of which the mail server does not know: each has its own outcome, and the phone
//! a report on each. Cases D-03, E-02, M-05.

use crate::node::{BOB, Node, delivery, handset, text_part};
use packetboat_harness::mms::{self, field, kind, status};
use packetboat_harness::peers::Postfix;
use packetboat_harness::peers::postfix::Setup;
use packetboat_harness::{DEADLINE, Peer, Scene, SmsTap, wait_for};
use std::collections::BTreeMap;

#[test]
fn each_mail_recipient_has_its_own_outcome() {
    let Some(scene) = Scene::with_peers("each_mail_recipient_has_its_own_outcome", &[Peer::Postfix]) else { return };
    let postfix = Postfix::start(&scene, &Setup { mms_test: Some(scene.address("mail")), ..Setup::default() });
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_mail_host(postfix.address()).start();

    let address = |index: usize| match index % 2 {
        0 => format!("friend{index}@mail.test"),
        _ => format!("unknown{index}@mail.test"),
    };
    let all: Vec<_> = (0..20).map(address).collect();
    let to: Vec<_> = all.iter().map(String::as_str).collect();
    let request = mms::send_req("t1", &to, "to everyone").octet(field::DELIVERY_REPORT, mms::YES);
    let conf = handset(&daemon, BOB).submit(&request.body(&text_part("hello")));
    assert_eq!(conf.response_status(), Some(mms::OK));
    let id = conf.message_id();

    let trace = daemon.wait_for_trace(&id, DEADLINE, "an outcome for each", |trace| {
        let over = |to: &String| matches!(delivery(trace, to)["state"].as_str(), Some("delivered" | "failed"));
        all.iter().all(over).then(|| trace.clone())
    });
    for (index, to) in all.iter().enumerate() {
        let outcome = delivery(&trace, to);
        if index % 2 == 0 {
            assert_eq!(outcome["state"], "delivered", "{to}");
            assert_eq!(postfix.mailbox(to.split('@').next().unwrap_or_default()).len(), 1, "{to}");
        } else {
            assert_eq!(outcome["state"], "failed", "{to}");
            assert!(outcome["reason"].as_str().is_some_and(|why| why.contains("5.1.1")), "{to}: {}", outcome["reason"]);
        }
    }

    let reports = wait_for(DEADLINE, "twenty reports", || {
        let pushes = tap.pushes();
        let reports =
            pushes.iter().map(packetboat_harness::push::Push::mms).filter(|it| it.kind() == kind::DELIVERY_IND);
        let reports: BTreeMap<_, _> =
            reports.filter_map(|it| Some((it.text(field::TO)?, it.octet(field::STATUS)?))).collect();
        (reports.len() == 20).then_some(reports)
    });
    for (index, to) in all.iter().enumerate() {
        assert_eq!(reports[to] == status::RETRIEVED, index % 2 == 0, "{to}: {:#x}", reports[to]);
    }
    assert_eq!(tap.pushes().len(), 20, "one report a recipient");
}
