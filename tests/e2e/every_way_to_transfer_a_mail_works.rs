//! DATA and BDAT, seven, eight and any bits, ASCII and UTF-8 addresses, TLS from the first octet: the same photo arrives. Case
//! M-04.

use crate::node::{ANN, BOB, Node, USER, at, handset, mail_to};
use packetboat_harness::mail::png;
use packetboat_harness::mms::Pdu;
use packetboat_harness::peers::{Certificate, Swaks};
use packetboat_harness::{Daemon, Peer, Scene, SmsTap, smtp};

#[test]
fn every_way_to_transfer_a_mail_works() {
    let needed = [Peer::Swaks, Peer::Openssl];
    let Some(scene) = Scene::with_peers("every_way_to_transfer_a_mail_works", &needed) else { return };
    let certificate = Certificate::make(&scene);
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap)
        .with_users(&certificate)
        .set("listener.submissions", "plugin", r#""smtp""#)
        .set("listener.submissions", "listen", r#"["127.0.0.1:0"]"#)
        .set("listener.submissions", "domains", r#"["mms.test"]"#)
        .set("listener.submissions", "users", r#""users""#)
        .set("listener.submissions", "tls_certificate", &format!("{:?}", certificate.certificate))
        .set("listener.submissions", "tls_key", &format!("{:?}", certificate.key))
        .set("listener.submissions", "implicit_tls", "true")
        .set("limits", "recipients", "5")
        .set("listener.mail", "mail_size", "\"1MiB\"");
    let daemon = node.start();
    let photo = png(90, 70, 11);
    let mut count = 0;
    let mut arrives = |subject: &str| {
        count += 1;
        let notification = tap.wait_for_pushes(count)[count - 1].mms();
        let message = handset(&daemon, BOB).fetch(&notification.content_location());
        assert_eq!(message.text(packetboat_harness::mms::field::SUBJECT).as_deref(), Some(subject));
        assert!(message.part("image/png").is_some_and(|part| part.data == photo), "{subject}: not the same photo");
        message
    };

    let offered = smtp::Client::connect(daemon.listener("mail")).ehlo();
    for keyword in [
        "PIPELINING",
        "SIZE",
        "8BITMIME",
        "BINARYMIME",
        "CHUNKING",
        "SMTPUTF8",
        "DSN",
        "ENHANCEDSTATUSCODES",
        "STARTTLS",
    ] {
        assert!(offered.offers(keyword), "no {keyword} in {offered:?}");
    }

    let mail = mail_to(BOB).subject("chunks").text("hello").attach("p.png", "image/png", &photo).bytes();
    let mut client = begin(&daemon, "BODY=8BITMIME");
    for chunk in mail.chunks(1000) {
        client.bdat(chunk, false).expect_code(250);
    }
    client.bdat(b"", true).expect_code(250);
    arrives("chunks");

    // A body as it is, zeros, bare line ends, dots and all.
    let head = "Subject: binary\r\nMIME-Version: 1.0\r\nContent-Type: image/png; name=p.png\r\n\
                Content-Transfer-Encoding: binary\r\n\r\n";
    let mut client = begin(&daemon, "BODY=BINARYMIME");
    client.bdat(head.as_bytes(), false).expect_code(250);
    client.bdat(&photo, true).expect_code(250);
    arrives("binary");
    assert_eq!(begin(&daemon, "BODY=BINARYMIME").command("DATA").code, 503, "lines have no place in it");

    let utf8 = format!(
        "From: Zoë <zoë@bücher.test>\r\nSubject: Grüße\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nSchöne Grüße\r\n--b\r\nContent-Type: image/png\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        base64_of(&mail)
    );
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    client.ehlo();
    assert!(client.command("MAIL FROM:<zoë@bücher.test>").code >= 500, "not without SMTPUTF8");
    client.command("MAIL FROM:<zoë@bücher.test> SMTPUTF8 BODY=8BITMIME").expect_code(250);
    client.command(&format!("RCPT TO:<{}>", at(BOB))).expect_code(250);
    client.command("DATA").expect_code(354);
    client.write(&smtp::stuffed(utf8.as_bytes()));
    client.read_reply().expect_code(250);
    let message: Pdu = arrives("Grüße");
    let text = message.part("text/plain").map(|part| String::from_utf8_lossy(&part.data).into_owned());
    assert_eq!(text.as_deref().map(str::trim), Some("Schöne Grüße"));

    let mail = mail_to(BOB).subject("implicit").text("hello").attach("p.png", "image/png", &photo);
    let swaks = Swaks::new(&scene, daemon.listener("submissions")).mail(&mail).implicit_tls(&certificate.certificate);
    swaks.auth("PLAIN", USER.0, USER.1).send().expect_success();
    arrives("implicit");

    limits(&daemon);
}

/// What is too large or too many is said before it comes.
fn limits(daemon: &Daemon) {
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    client.ehlo();
    client.command(&format!("MAIL FROM:<{ANN}> SIZE=2000000")).expect_code(552);
    client.command(&format!("MAIL FROM:<{ANN}> SIZE=1000")).expect_code(250);
    for index in 0..5 {
        client.command(&format!("RCPT TO:<+4477009001{index:02}@mms.test>")).expect_code(250);
    }
    let reply = client.command("RCPT TO:<+447700900199@mms.test>");
    assert_eq!((reply.code, reply.enhanced()), (452, Some("4.5.3")), "the rest goes in a further mail");
    client.command("DATA").expect_code(354);
    let lines = "0123456789012345678901234567890123456789012345678901234567890123456789012345\r\n".repeat(20_000);
    // The server may hang up on whoever does not stop.
    if client.try_write(format!("Subject: large\r\n\r\n{lines}.\r\n").as_bytes()).is_ok() {
        assert_eq!(client.try_read_reply().map(|reply| reply.code).unwrap_or(552), 552);
    }
}

fn begin(daemon: &Daemon, parameters: &str) -> smtp::Client {
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    client.ehlo();
    client.command(&format!("MAIL FROM:<{ANN}> {parameters}")).expect_code(250);
    client.command(&format!("RCPT TO:<{}>", at(BOB))).expect_code(250);
    client
}

/// The base64 text of the attachment of a mail that the harness made.
fn base64_of(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    let part = text.split("filename=").nth(1).unwrap_or_default();
    part.split("\r\n\r\n").nth(1).and_then(|rest| rest.split("\r\n--").next()).unwrap_or_default().to_owned()
}
