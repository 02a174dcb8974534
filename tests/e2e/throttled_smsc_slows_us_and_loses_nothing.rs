//! An SMSC that allows so many short messages a second gets no more than it can take, and all of them.

use crate::node::{Node, at, mail_to, post, wait_for_state};
use packetboat_harness::peers::Smsc;
use packetboat_harness::{DEADLINE, Peer, Scene, wait_until};
use serde_json::json;

#[test]
fn throttled_smsc_slows_us_and_loses_nothing() {
    let Some(scene) = Scene::with_peers("throttled_smsc_slows_us_and_loses_nothing", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({ "rate": 20, "receipts": "none" }));
    let daemon = Node::with_smsc(&scene, &smsc).start();

    let phones: Vec<String> = (0..60).map(|number| format!("+4477009002{number:02}")).collect();
    let mail = phones[1..]
        .iter()
        .fold(mail_to(&phones[0]).subject("hello"), |mail, phone| mail.also_to(&at(phone)))
        .text("hello");
    post(&daemon, &mail);
    wait_until(DEADLINE, "health to say how fast the SMSC lets us", || {
        daemon.get_json("/health")["unwell"].to_string().contains("throttles us")
    });
    for phone in &phones {
        wait_for_state(&daemon, mail.message_id(), phone, "waiting");
    }
    let mut told: Vec<_> = smsc.messages().into_iter().map(|push| push.to).collect();
    told.sort();
    told.dedup();
    assert_eq!((smsc.messages().len(), told.len()), (60, 60), "each phone once");
    let refused = smsc.tell("/stat")["throttled"].as_u64().unwrap_or_default();
    assert!((1..=40).contains(&refused), "{refused} were offered in vain");
}
