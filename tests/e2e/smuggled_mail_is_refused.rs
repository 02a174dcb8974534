//! Only CRLF.CRLF ends a message. Everything that another server might take for its end is refused, and so is whoever
//! does not wait to hear that it ended. Case M-03.

use crate::node::{ANN, BOB, Node, at, mail_to, post};
use packetboat_harness::wait::never_within;
use packetboat_harness::{Scene, SmsTap, smtp};
use std::time::Duration;

#[test]
fn smuggled_mail_is_refused() {
    let scene = Scene::new("smuggled_mail_is_refused");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).start();
    let accepted = || daemon.metric("packetboat_accepted_messages_total", &[]).unwrap_or_default();

    let hidden = format!("MAIL FROM:<admin@mms.test>\r\nRCPT TO:<{}>\r\nDATA\r\nSubject: smuggled\r\n\r\nboo", at(BOB));
    let ends = ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\r\r\n.\r\r\n", "\n\n.\r\n"];
    for end in ends {
        let mut client = smtp::Client::connect(daemon.listener("mail"));
        client.ehlo();
        client.command(&format!("MAIL FROM:<{ANN}>")).expect_code(250);
        client.command(&format!("RCPT TO:<{}>", at(BOB))).expect_code(250);
        client.command("DATA").expect_code(354);
        client.write(format!("Subject: innocent\r\n\r\nhello{end}{hidden}\r\n.\r\n").as_bytes());
        let reply = client.read_reply();
        assert!((500..600).contains(&reply.code) || reply.code == 421, "{end:?} was answered {reply:?}");
        // Whatever follows must be no answer to the hidden commands: the connection is in order, or over.
        if let Ok(next) = client.try_command("NOOP") {
            assert_eq!(next.lines.len(), 1);
            assert!(next.code == 250 || next.code == 421, "{end:?}: then {next:?}");
            assert!(
                client.try_command("QUIT").is_ok_and(|bye| matches!(bye.code, 221 | 421)),
                "{end:?} left replies over"
            );
        }
    }
    assert_eq!(accepted(), 0.0);

    // A client that goes on after DATA before it may, which is how a smuggler pipelines.
    let mut client = smtp::Client::connect(daemon.listener("mail"));
    client.ehlo();
    let rush = format!("MAIL FROM:<{ANN}>\r\nRCPT TO:<{}>\r\nDATA\r\nSubject: rush\r\n\r\nhello\r\n.\r\n", at(BOB));
    client.write(rush.as_bytes());
    let replies: Vec<_> = std::iter::from_fn(|| client.try_read_reply().ok()).take(3).collect();
    let last = replies.last().map(|reply| reply.code);
    assert!(last.is_some_and(|code| code >= 400), "{replies:?}");
    assert_eq!(accepted(), 0.0);

    // Dots that are doubled as they must be are no such thing.
    let mail = mail_to(BOB).subject("dots").text(".\n..\n.hidden\nend");
    post(&daemon, &mail);
    assert_eq!(accepted(), 1.0);
    tap.wait_for_pushes(1);
    never_within(Duration::from_millis(500), "a second message", || tap.pushes().len() > 1);
}
