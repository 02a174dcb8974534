//! A disk that is full, and one that fails to sync: nothing is acknowledged that is not kept, and all is well afterwards.

use crate::node::{BOB, CAROL, Node, deliveries, handset, mail_to, notified, post, text_part, wait_for_state};
use packetboat_harness::faults::Faults;
use packetboat_harness::mms::{self, MEDIA_TYPE, Pdu, field};
use packetboat_harness::{DEADLINE, Daemon, Handset, Peer, Scene, SmsTap, smtp, wait_until};

#[test]
fn disk_full_answers_try_later_and_recovers() {
    let Some(scene) = Scene::with_peers("disk_full_answers_try_later_and_recovers", &[Peer::Compiler]) else { return };
    let faults = Faults::prepare(&scene, &scene.directory("store"));
    let tap = SmsTap::start();
    let mut daemon = Node::new(&scene, &tap).faults(&faults).start();
    let carol = handset(&daemon, CAROL);

    let before = mail_to(BOB).subject("before").text("hello");
    post(&daemon, &before);
    let notification = notified(&tap, BOB);
    wait_for_state(&daemon, before.message_id(), BOB, "waiting");

    faults.disk_full();
    refuses_for_now(&daemon, &carol, "full");
    // What is there can still be had.
    let message = handset(&daemon, BOB).fetch(&notification.content_location());
    assert_eq!(message.text(field::SUBJECT).as_deref(), Some("before"));

    faults.clear();
    let after = mail_to(BOB).subject("after").text("hello");
    wait_until(DEADLINE, "mail to be taken again", || try_post(&daemon, &after) == 250);
    assert_eq!(
        carol.submit(&mms::send_req("t9", &[BOB], "after").body(&text_part("hello"))).response_status(),
        Some(mms::OK)
    );
    wait_for_state(&daemon, after.message_id(), BOB, "waiting");
    assert_eq!(daemon.get("/health").status, 200);

    faults.sync_fails();
    refuses_for_now(&daemon, &carol, "unsynced");
    let health = daemon.get("/health");
    assert_eq!((health.status, health.json()["status"].as_str()), (503, Some("down")), "{}", health.text());
    assert!(health.json()["store"]["trouble"].is_string(), "{}", health.text());
    faults.clear();
    // A failed fsync is not tried again on the same file; after a start at the latest all is well.
    daemon.kill9();
    daemon.start();
    let last = mail_to(BOB).subject("last").text("hello");
    wait_until(DEADLINE, "mail to be taken again", || try_post(&daemon, &last) == 250);
    wait_for_state(&daemon, last.message_id(), BOB, "waiting");

    let subjects: Vec<_> =
        deliveries(&daemon).iter().filter_map(|it| Some(it["subject"].as_str()?.to_owned())).collect();
    for (subject, times) in [("before", 1), ("after", 2), ("last", 1)] {
        assert_eq!(subjects.iter().filter(|it| *it == subject).count(), times, "{subject} in {subjects:?}");
    }
}

/// Both doors say "later".
#[track_caller]
fn refuses_for_now(daemon: &Daemon, phone: &Handset, word: &str) {
    for _ in 0..3 {
        let code = try_post(daemon, &mail_to(BOB).subject(word).text("hello"));
        assert!((400..500).contains(&code), "{word}: mail was answered {code}");
        let pdu = mms::send_req(word, &[BOB], word).body(&text_part("hello"));
        let reply = phone.post(&pdu);
        if reply.status == 200 {
            assert_eq!(reply.field("Content-Type"), Some(MEDIA_TYPE));
            let status = Pdu::read(&reply.body).response_status();
            assert!(status.is_some_and(|status| (0xc0..0xe0).contains(&status)), "{word}: {status:x?}");
        } else {
            assert_eq!(reply.status, 503, "{word}: {}", reply.text());
        }
    }
}

/// The last code of a transaction.
fn try_post(daemon: &Daemon, mail: &packetboat_harness::mail::Mail) -> u16 {
    let sent = smtp::Client::connect(daemon.listener("mail")).try_deliver(mail);
    sent.map_or(421, |sent| sent.outcome.code)
}
