//! One message to phones and mailboxes at once: each gets it by its own way, sees who else did, and nobody sees Bcc.
//!
//! Cases D-03, D-04, D-06.

use crate::node::{BOB, CAROL, DAVE, Node, handset, notified, plmn, text_part, wait_for_state};
use packetboat_harness::mms::{self, field};
use packetboat_harness::peers::ScriptedMx;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::{Peer, Scene, SmsTap};

/// Bcc (OMA-TS-MMS_ENC table 25).
const BCC: u8 = 0x01;

#[test]
fn group_message_shows_everyone_but_bcc() {
    let Some(scene) = Scene::with_peers("group_message_shows_everyone_but_bcc", &[Peer::Aiosmtpd]) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_mail_host(mx.address()).start();

    let secret = "+447700900177";
    let request = mms::send_req("t1", &[CAROL, "zoe@mail.test"], "Dinner")
        .encoded(field::CC, DAVE)
        .encoded(field::CC, "yves@mail.test")
        .encoded(BCC, secret);
    let id = handset(&daemon, BOB).submit(&request.body(&text_part("at eight"))).message_id();

    for number in [CAROL, DAVE, secret] {
        let message = handset(&daemon, BOB).fetch(&notified(&tap, number).content_location());
        assert_eq!(message.texts(field::TO), [plmn(CAROL), "zoe@mail.test".to_owned()], "as {number} sees it");
        assert_eq!(message.texts(field::CC), [plmn(DAVE), "yves@mail.test".to_owned()], "as {number} sees it");
        assert!(message.texts(BCC).is_empty() && !format!("{message:?}").contains("900177"), "as {number} sees it");
        assert_eq!(message.message_id(), id);
    }
    wait_for_state(&daemon, &id, "zoe@mail.test", "handed_over");
    wait_for_state(&daemon, &id, "yves@mail.test", "handed_over");
    let mails = mx.messages();
    let mut recipients: Vec<_> = mails.iter().flat_map(|mail| mail.recipients.clone()).collect();
    recipients.sort();
    assert_eq!(recipients, ["yves@mail.test", "zoe@mail.test"]);
    for mail in &mails {
        let head = mail.content.replace("\r\n", "\n").split("\n\n").next().unwrap_or_default().replace("\n ", " ");
        let line = |name: &str| head.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap_or_default();
        assert!(line("to:").contains("zoe@mail.test") && line("to:").contains(&CAROL[1..]), "{head}");
        assert!(line("cc:").contains("yves@mail.test") && line("cc:").contains(&DAVE[1..]), "{head}");
        assert!(line("from:").contains("+447700900123@mms.test"), "{head}");
        assert!(!mail.content.contains("900177"), "{}", mail.content);
        // Whoever answers to all reaches the phones through us.
        assert!(!head.contains("/TYPE=PLMN"), "no mail program can answer that: {head}");
    }
    assert_eq!(daemon.trace(&id)["deliveries"].as_array().map(Vec::len), Some(5));
}
