//! Strangers reach our phones and nobody else through us, however they write it; and they are nobody's phone. Cases M-01,
//! M-04.

use crate::node::{ANN, BOB, Node, USER, at, wait_for_state};
use packetboat_harness::mail::Mail;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::peers::{Certificate, ScriptedMx, Swaks};
use packetboat_harness::{Peer, Scene, SmsTap, smtp};

#[test]
fn no_open_relay() {
    let needed = [Peer::Aiosmtpd, Peer::Swaks, Peer::Openssl];
    let Some(scene) = Scene::with_peers("no_open_relay", &needed) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let certificate = Certificate::make(&scene);
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap).with_mail_host(mx.address()).with_users(&certificate);
    let daemon = node.start();

    let elsewhere = [
        "victim@example.org",
        "\"victim@example.org\"@mms.test",
        "victim%example.org@mms.test",
        "example.org!victim@mms.test",
        "\"victim%example.org\"",
        "victim@[192.0.2.1]",
        "@mms.test:victim@example.org",
        "victim@example.org@mms.test",
        "+447700900123@example.org",
        "+447700900123@mms.test.example.org",
        "+447700900123%example.org@mms.test",
    ];
    for sender in [ANN, "", "root@mms.test", "victim@example.org"] {
        let mut client = smtp::Client::connect(daemon.listener("mail"));
        client.ehlo();
        let begun = client.command(&format!("MAIL FROM:<{sender}>"));
        if begun.code != 250 {
            continue;
        }
        for recipient in elsewhere {
            let reply = client.command(&format!("RCPT TO:<{recipient}>"));
            assert!((500..600).contains(&reply.code) || reply.code == 421, "from {sender:?} to {recipient}: {reply:?}");
            if reply.code == 421 {
                // Enough of it: the server hangs up on whoever goes on guessing.
                client = smtp::Client::connect(daemon.listener("mail"));
                client.ehlo();
                client.command(&format!("MAIL FROM:<{sender}>")).expect_code(250);
            }
        }
        client.command("RSET").expect_code(250);
    }

    // Nobody is believed to be one of our phones.
    for spoofed in [at(BOB), at("447700900123"), "+447700900123/TYPE=PLMN@mms.test".to_owned()] {
        let mut client = smtp::Client::connect(daemon.listener("mail"));
        client.ehlo();
        let begun = client.command(&format!("MAIL FROM:<{spoofed}>"));
        let reply = if begun.code == 250 { client.command(&format!("RCPT TO:<{}>", at(BOB))) } else { begun };
        assert!((500..600).contains(&reply.code), "{spoofed}: {reply:?}");
    }

    // Passwords do not go over the wire in the clear, and a wrong one helps nobody.
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    assert!(!client.ehlo().offers("AUTH"));
    assert!(client.auth_plain(USER.0, USER.1).code >= 500);
    let mail = Mail::new(ANN, "zoe@example.org").subject("hello").text("hello");
    let try_with = |password| {
        let swaks = Swaks::new(&scene, daemon.listener("mail")).mail(&mail).starttls(&certificate.certificate);
        swaks.auth("PLAIN", USER.0, password).send()
    };
    let refused = try_with("wrong");
    assert!(
        refused.code != 0 && refused.replies().iter().any(|line| line.starts_with("535")),
        "{}",
        refused.transcript
    );
    assert!(mx.messages().is_empty());

    // Whoever we know may send anywhere, as far as rules go.
    try_with(USER.1).expect_success();
    let taken = mx.wait_for_messages(1).remove(0);
    assert_eq!((taken.sender.as_str(), taken.recipients.as_slice()), (ANN, ["zoe@example.org".to_owned()].as_slice()));
    wait_for_state(&daemon, mail.message_id(), "zoe@example.org", "handed_over");
    assert_eq!(mx.messages().len(), 1);
}
