//! A phone's mail address, as people, address books and mail programs write it, is one and the same phone. Case D-10.

use crate::node::{ANN, BOB, Node, deliveries};
use packetboat_harness::{Scene, SmsTap, smtp};

#[test]
fn numbers_are_read_as_people_write_them() {
    let scene = Scene::new("numbers_are_read_as_people_write_them");
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap)
        .set("numbers", "country_code", r#""44""#)
        .set("numbers", "international_prefix", r#""00""#)
        .set("numbers", "national_prefix", r#""0""#)
        .set("numbers", "national_lengths", "[10]");
    let daemon = node.start();
    let forms = [
        "+447700900123",
        "447700900123",
        "00447700900123",
        "07700900123",
        "7700900123",
        "07700-900-123",
        "07700.900.123",
        "\"+44 7700 900123\"",
        "\"(07700) 900123\"",
        "+447700900123/TYPE=PLMN",
        "+447700900123/type=plmn",
    ];
    for (count, form) in forms.iter().enumerate() {
        for domain in ["mms.test", "MMS.Test"] {
            let mut client = smtp::Client::connect(daemon.listener("mail"));
            client.ehlo();
            client.command(&format!("MAIL FROM:<{ANN}>")).expect_code(250);
            let reply = client.command(&format!("RCPT TO:<{form}@{domain}>"));
            assert_eq!(reply.code, 250, "{form}: {}", reply.text());
            if domain == "mms.test" {
                client.command("DATA").expect_code(354);
                client.write(format!("From: {ANN}\r\nSubject: {count}\r\n\r\nhello\r\n.\r\n").as_bytes());
                client.read_reply().expect_code(250);
            }
        }
    }
    let listed = deliveries(&daemon);
    assert_eq!(listed.len(), forms.len());
    for delivery in &listed {
        assert_eq!(delivery["to"], BOB, "{delivery:#}");
    }

    // Twice the same phone is one delivery, however it is written.
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    client.ehlo();
    client.command(&format!("MAIL FROM:<{ANN}>")).expect_code(250);
    for form in &forms[..4] {
        client.command(&format!("RCPT TO:<{form}@mms.test>")).expect_code(250);
    }
    client.command("DATA").expect_code(354);
    client.write(b"Subject: once\r\n\r\nhello\r\n.\r\n");
    client.read_reply().expect_code(250);
    assert_eq!(deliveries(&daemon).len(), forms.len() + 1);
    assert_eq!(tap.wait_for_pushes(forms.len() + 1).iter().filter(|push| push.to == BOB).count(), forms.len() + 1);

    for nobody in
        ["77009001", "+44770090012345678901", "+0", "+44x7700900123", "+447700900123/TYPE=EMAIL", "\"\"", "bob"]
    {
        client.command(&format!("MAIL FROM:<{ANN}>")).expect_code(250);
        let reply = client.command(&format!("RCPT TO:<{nobody}@mms.test>"));
        assert!((500..600).contains(&reply.code), "{nobody}: {reply:?}");
        client.command("RSET").expect_code(250);
    }
}
