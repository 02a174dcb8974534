//! A mail with twenty recipients, half of them unknown, gets the right reply for each, before its content. Case M-04.

use crate::node::{ANN, Node, at, wait_for_step};
use packetboat_harness::mail::Mail;
use packetboat_harness::{Scene, SmsTap, smtp};

#[test]
fn unknown_recipient_is_refused_at_rcpt() {
    let scene = Scene::new("unknown_recipient_is_refused_at_rcpt");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).start();

    let number = |index: usize| match index % 2 {
        0 => format!("+4477009001{index:02}"),
        _ => format!("+4477009991{index:02}"),
    };
    let mail = (1..20).fold(Mail::new(ANN, &at(&number(0))), |mail, index| mail.also_to(&at(&number(index))));
    let mail = mail.subject("to everyone").text("hello");
    let sent = smtp::Client::connect(daemon.listener("mail")).deliver(&mail);
    for (index, reply) in sent.recipients.iter().enumerate() {
        let expected = if index % 2 == 0 { (250, Some("2.1.5")) } else { (550, Some("5.1.1")) };
        assert_eq!((reply.code, reply.enhanced()), expected, "recipient {index}: {}", reply.text());
    }
    sent.outcome.expect_code(250);
    let pushes = tap.wait_for_pushes(10);
    let mut told: Vec<_> = pushes.iter().map(|push| push.to.clone()).collect();
    told.sort();
    assert_eq!(told, (0..20).step_by(2).map(number).collect::<Vec<_>>());
    for index in (0..20).step_by(2) {
        wait_for_step(&daemon, mail.message_id(), &number(index), "push_sent");
    }
    assert_eq!(daemon.trace(mail.message_id())["deliveries"].as_array().map(Vec::len), Some(10));

    // The same in one packet, as mail servers send it.
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    assert!(client.ehlo().offers("PIPELINING"));
    let commands: String = (0..20).map(|index| format!("RCPT TO:<{}>\r\n", at(&number(index)))).collect();
    client.write(format!("MAIL FROM:<{ANN}>\r\n{commands}DATA\r\n").as_bytes());
    assert_eq!(client.read_reply().code, 250);
    let codes: Vec<_> = (0..20).map(|_| client.read_reply().code).collect();
    assert_eq!(codes, [250, 550].repeat(10));
    assert_eq!(client.read_reply().code, 354);
    client.write(b"Subject: again\r\n\r\nhello\r\n.\r\n");
    client.read_reply().expect_code(250);

    // Nobody left: there is no content to send.
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    client.ehlo();
    client.command(&format!("MAIL FROM:<{ANN}>")).expect_code(250);
    client.command(&format!("RCPT TO:<{}>", at(&number(1)))).expect_code(550);
    client.command(&format!("RCPT TO:<{}>", at("nobody"))).expect_code(550);
    assert!(client.command("DATA").code >= 500);
}
