//! A camera from 2009: HELO, AUTH LOGIN in the clear, lines that end in LF. A listener of its own lets it in; the one the
//! Internet reaches does not. Cases M-03, M-15.

use crate::node::{BOB, Node, USER, USERS, at, handset, notified};
use packetboat_harness::mail::png;
use packetboat_harness::{Scene, SmsTap, smtp};

/// `ann` and the password of [`USER`] in base64.
const LOGIN: (&str, &str) = ("YW5u", "Y29ycmVjdCBob3JzZQ==");

#[test]
fn old_device_can_send() {
    let scene = Scene::new("old_device_can_send");
    scene.file("users", USERS);
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap)
        .set("listener.cameras", "plugin", r#""smtp""#)
        .set("listener.cameras", "listen", r#"["127.0.0.1:0"]"#)
        .set("listener.cameras", "domains", r#"["mms.test"]"#)
        .set("listener.cameras", "users", r#""users""#)
        .set("listener.cameras", "auth_without_tls", "true")
        .set("listener.cameras", "bare_newlines", r#""fix""#);
    let daemon = node.start();
    assert_eq!(USER.0, "ann");

    let mut camera = smtp::Client::connect(daemon.listener("cameras"));
    assert!(camera.ehlo().offers("AUTH"));
    camera.command("MAIL FROM:<camera@shed.test>").expect_code(530);
    camera.command("AUTH LOGIN").expect_code(334);
    camera.command(LOGIN.0).expect_code(334);
    camera.command(LOGIN.1).expect_code(235);
    camera.command("MAIL FROM:<camera@shed.test>").expect_code(250);
    camera.command(&format!("RCPT TO:<{}>", at(BOB))).expect_code(250);
    camera.command("DATA").expect_code(354);
    let photo = png(64, 48, 10);
    let mail = packetboat_harness::mail::Mail::new("camera@shed.test", &at(BOB))
        .subject("Motion")
        .text("somebody is in the shed")
        .attach("shed.png", "image/png", &photo);
    let bare = String::from_utf8(mail.bytes()).expect("ASCII").replace("\r\n", "\n");
    camera.write(bare.as_bytes());
    // This much it knows of the standard.
    camera.write(b"\r\n.\r\n");
    camera.read_reply().expect_code(250);
    camera.command("QUIT").expect_code(221);

    let message = handset(&daemon, BOB).retrieve(&notified(&tap, BOB));
    assert_eq!(message.part("image/png").map(|part| &part.data), Some(&photo));
    assert!(message.part("text/plain").is_some_and(|part| part.data.starts_with(b"somebody is in the shed")));

    // HELO and nothing else will do too, where strangers may write to phones.
    let mut printer = smtp::Client::connect(daemon.listener("mail"));
    printer.command("HELO printer").expect_code(250);
    printer.command("MAIL FROM: <printer@shed.test>").expect_code(250);
    printer.command(&format!("rcpt to:<{}>", at(BOB))).expect_code(250);
    printer.command("data").expect_code(354);
    printer.write(b"Subject: toner\r\n\r\nlow\r\n.\r\n");
    printer.read_reply().expect_code(250);

    // The door to the Internet stays as strict as it was.
    let mut stranger = smtp::Client::connect(daemon.listener("mail"));
    assert!(!stranger.ehlo().offers("AUTH"));
    stranger.command("MAIL FROM:<camera@shed.test>").expect_code(250);
    stranger.command(&format!("RCPT TO:<{}>", at(BOB))).expect_code(250);
    stranger.command("DATA").expect_code(354);
    stranger.write(bare.as_bytes());
    stranger.write(b"\r\n.\r\n");
    assert!(stranger.read_reply().code >= 400);
    assert_eq!(tap.wait_for_pushes(2).len(), 2);
}
