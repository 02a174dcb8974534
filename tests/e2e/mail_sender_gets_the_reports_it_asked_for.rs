//! A mail server asks for reports as RFC 3461 has it; it gets those, about what really happened, and no others. Cases E-02,
//! M-05, M-06, M-16.

use crate::node::{ANN, BOB, CAROL, DAVE, Node, at, handset, wait_for_state};
use packetboat_harness::peers::ScriptedMx;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Daemon, Peer, Scene, SmsTap, smtp};
use std::time::Duration;

#[test]
fn mail_sender_gets_the_reports_it_asked_for() {
    let Some(scene) = Scene::with_peers("mail_sender_gets_the_reports_it_asked_for", &[Peer::Aiosmtpd]) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap).with_mail_host(mx.address()).set("queue", "expiry", "\"4s\"");
    let daemon = node.start();

    let asks = "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2BHome@example.org";
    let asked = send(&daemon, "asked", ANN, "RET=HDRS ENVID=QQ+2B314159", BOB, asks, "");
    let nothing_said = send(&daemon, "nothing-said", ANN, "", CAROL, "", "");
    let never = send(&daemon, "never", ANN, "", DAVE, "NOTIFY=NEVER", "");
    let automatic = send(&daemon, "automatic", "", "", DAVE, "", "multipart/report");
    let told = |number: &str| tap.wait_for_push(number, |_| true).mms();
    let waits = |id: &str, number: &str, state: &str| drop(wait_for_state(&daemon, id, number, state));

    handset(&daemon, BOB).fetch(&told(BOB).content_location());
    never_within(Duration::from_millis(500), "a report before the phone said so", || !mx.messages().is_empty());
    handset(&daemon, BOB).retrieve(&told(BOB));
    handset(&daemon, CAROL).retrieve(&told(CAROL));
    waits(&asked, BOB, "delivered");
    waits(&nothing_said, CAROL, "delivered");
    waits(&never, DAVE, "expired");
    waits(&automatic, DAVE, "expired");

    let report = mx.wait_for_messages(1).remove(0);
    assert_eq!((report.sender.as_str(), report.recipients.as_slice()), ("", [ANN.to_owned()].as_slice()));
    let content = report.content.replace("\r\n", "\n");
    let lower = content.to_lowercase();
    for owed in [
        "report-type=delivery-status",
        "original-envelope-id: qq+314159",
        "original-recipient: rfc822;bob+home@example.org",
        "action: delivered",
        "status: 2.",
        "subject: asked",
        &format!("<{asked}>"),
    ] {
        assert!(lower.contains(owed), "no {owed:?} in the report:\n{content}");
    }
    assert!(!lower.contains("action: failed"), "{content}");
    never_within(Duration::from_secs(1), "a report nobody asked for", || mx.messages().len() > 1);
}

/// Sends a mail with parameters for MAIL and RCPT, and returns its Message-ID.
fn send(daemon: &Daemon, name: &str, from: &str, mail: &str, to: &str, rcpt: &str, media_type: &str) -> String {
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    assert!(client.ehlo().offers("DSN"));
    client.command(format!("MAIL FROM:<{from}> {mail}").trim_end()).expect_code(250);
    client.command(format!("RCPT TO:<{}> {rcpt}", at(to)).trim_end()).expect_code(250);
    client.command("DATA").expect_code(354);
    let id = format!("{name}.{}@client.test", std::process::id());
    let body = match media_type {
        "" => "\r\nhello\r\n".to_owned(),
        media_type => format!("Content-Type: {media_type}; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n"),
    };
    client.write(format!("From: <ann@mail.test>\r\nSubject: {name}\r\nMessage-ID: <{id}>\r\n{body}.\r\n").as_bytes());
    client.read_reply().expect_code(250);
    id
}
