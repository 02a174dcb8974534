//! The listener over an in-memory connection, with an intake that remembers: what clients are told, what the road gets.

mod support;

use packetboat_api::message::{Identity, Notify};
use packetboat_api::road::RefusalKind;
use support::{Client, Desk, listener};

const OPEN: &str = "domains = [\"mms.example.net\"]\nstrangers = true\n";

#[tokio::test]
async fn a_mail_reaches_the_road_with_its_envelope() {
    let desk = Desk::new();
    let mut client = Client::connect(&desk, OPEN).await;
    client.say("EHLO phone.example").await;
    assert!(client.say("MAIL FROM:<pat@mail.example> RET=HDRS ENVID=id+2B1").await.starts_with("250 2.1.0"));
    let to =
        "RCPT TO:<+447700900123@mms.example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;+2B447700900123@mms.example.net";
    assert!(client.say(to).await.starts_with("250 2.1.5"));
    assert!(client.say("DATA").await.starts_with("354 "));
    let reply = client.say("Subject: hello\r\nMessage-ID: <1@mail.example>\r\n\r\n..dot\r\n.").await;
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    assert!(client.say("QUIT").await.starts_with("221 "));

    let submissions = desk.submissions();
    let submission = &submissions[0];
    assert_eq!(submission.identity, Identity::Anonymous);
    assert_eq!(submission.envelope.from.as_ref().unwrap().to_string(), "pat@mail.example");
    assert_eq!(submission.envelope.envelope_id.as_deref(), Some("id+1"));
    assert!(submission.envelope.headers_only);
    let recipient = &submission.envelope.recipients[0];
    assert_eq!(recipient.to.to_string(), "+447700900123");
    assert_eq!(recipient.notify, Notify { success: true, failure: true, delay: false, never: false });
    assert_eq!(recipient.original.as_deref(), Some("rfc822;+447700900123@mms.example.net"));
    assert_eq!(&submission.mail.root.content().unwrap()[..], b".dot\r\n");
    let (name, trace) = &submission.mail.headers.0[0];
    assert_eq!(name, "Received");
    assert!(trace.contains("from phone.example ([192.0.2.7]) by mmsc.test with ESMTP; "), "{trace}");
    assert!(submission.dedupe.is_some());
}

#[tokio::test]
async fn every_recipient_of_a_pipelined_group_gets_its_own_reply() {
    let desk = Desk::new();
    desk.refuse("+447700900666", RefusalKind::UnknownRecipient);
    let mut client = Client::connect(&desk, OPEN).await;
    let mut group = "EHLO a\r\nMAIL FROM:<pat@mail.example>\r\n".to_owned();
    for _ in 0..10 {
        group.push_str("RCPT TO:<+447700900123@mms.example.net>\r\nRCPT TO:<+447700900666@mms.example.net>\r\n");
    }
    client.send(&format!("{group}DATA\r\n")).await;
    assert!(client.reply().await.contains("PIPELINING"));
    assert!(client.reply().await.starts_with("250 2.1.0"));
    for _ in 0..10 {
        assert!(client.reply().await.starts_with("250 2.1.5"));
        assert!(client.reply().await.starts_with("550 5.1.1"));
    }
    assert!(client.reply().await.starts_with("354"));
    assert!(client.say("text\r\n.").await.starts_with("250 2.0.0"));
    assert_eq!(desk.submissions()[0].envelope.recipients.len(), 1, "one recipient named ten times");
}

#[tokio::test]
async fn refusals_have_their_codes() {
    for (kind, code) in [
        (RefusalKind::UnknownRecipient, "550 5.1.1"),
        (RefusalKind::RelayDenied, "550 5.7.1"),
        (RefusalKind::RefusedByRule, "550 5.7.1"),
        (RefusalKind::Full, "452 4.3.1"),
        (RefusalKind::TryLater, "451 4.3.0"),
    ] {
        let desk = Desk::new();
        desk.refuse("other@other.example", kind);
        let mut client = Client::connect(&desk, OPEN).await;
        client.say("EHLO a").await;
        client.say("MAIL FROM:<pat@mail.example>").await;
        let reply = client.say("RCPT TO:<other@other.example>").await;
        assert!(reply.starts_with(code), "{kind:?}: {reply}");
        assert!(client.say("DATA").await.starts_with("554 5.5.1"));
    }
}

#[tokio::test]
async fn a_full_store_is_told_at_the_end_of_the_message() {
    let desk = Desk::new();
    desk.refuse_submissions(RefusalKind::Full);
    let mut client = Client::connect(&desk, OPEN).await;
    client.say("EHLO a").await;
    client.say("MAIL FROM:<pat@mail.example>").await;
    client.say("RCPT TO:<+447700900123@mms.example.net>").await;
    client.say("DATA").await;
    assert!(client.say("text\r\n.").await.starts_with("452 4.3.1"));
    assert!(client.say("NOOP").await.starts_with("250 "));
}

#[tokio::test]
async fn numbers_are_read_in_the_forms_people_write() {
    let desk = Desk::new();
    let mut client = Client::connect(&desk, OPEN).await;
    client.say("EHLO a").await;
    for local in [
        "+15551234567",
        "15551234567",
        "5551234567",
        "555-123-4567",
        "(555) 123-4567",
        "\"(555) 123-4567\"",
        "555.123.4567",
        "+15551234567/TYPE=PLMN",
        "+15551234567/type=plmn",
        "01115551234567",
    ] {
        client.say("MAIL FROM:<pat@mail.example>").await;
        let reply = client.say(&format!("RCPT TO:<{local}@MMS.example.net>")).await;
        assert!(reply.starts_with("250 "), "{local}: {reply}");
        client.say("DATA").await;
        client.say("text\r\n.").await;
        let submission = desk.submissions().pop().unwrap();
        assert_eq!(submission.envelope.recipients[0].to.to_string(), "+15551234567", "{local}");
    }
}

#[tokio::test]
async fn a_user_logs_in_and_may_use_its_senders_only() {
    let desk = Desk::new();
    let settings = format!("{OPEN}users = \"users\"\nauth_without_tls = true\n");
    let mut client = Client::connect(&desk, &settings).await;
    assert!(client.say("EHLO a").await.contains("AUTH PLAIN LOGIN"));
    assert!(client.say("AUTH PLAIN AHBhdAB3cm9uZw==").await.starts_with("535 5.7.8"));
    assert!(client.say("AUTH PLAIN AG5vYm9keQBzZWNyZXQ=").await.starts_with("535 5.7.8"));
    assert!(client.say("AUTH LOGIN").await.starts_with("334 "));
    assert!(client.say("cGF0").await.starts_with("334 "));
    assert!(client.say("c2VjcmV0").await.starts_with("235 2.7.0"));
    assert!(client.say("MAIL FROM:<boss@mail.example>").await.starts_with("550 5.7.1"));
    assert!(client.say("MAIL FROM:<anyone@site.example>").await.starts_with("250 "));
    assert!(client.say("RCPT TO:<bob@other.example>").await.starts_with("250 "));
    client.say("DATA").await;
    assert!(client.say("text\r\n.").await.starts_with("250 "));
    assert_eq!(desk.submissions()[0].identity, Identity::User("pat".to_owned()));
}

#[tokio::test]
async fn passwords_are_not_asked_for_in_plain_text() {
    let desk = Desk::new();
    let mut client = Client::connect(&desk, &format!("{OPEN}users = \"users\"\n")).await;
    assert!(!client.say("EHLO a").await.contains("AUTH"));
    assert!(client.say("AUTH PLAIN AHBhdABzZWNyZXQ=").await.starts_with("538 5.7.11"));
}

#[tokio::test]
async fn a_trusted_network_is_known_by_its_address() {
    let desk = Desk::new();
    let settings = "domains = [\"mms.example.net\"]\ntrusted_networks = [\"192.0.2.0/24\"]\n";
    let mut client = Client::connect(&desk, settings).await;
    client.say("EHLO a").await;
    assert!(client.say("MAIL FROM:<alarm@site.example>").await.starts_with("250 "));
    assert!(client.say("RCPT TO:<bob@other.example>").await.starts_with("250 "));
    client.say("DATA").await;
    client.say("text\r\n.").await;
    assert!(matches!(desk.submissions()[0].identity, Identity::Network(_)));
}

#[tokio::test]
async fn smuggled_mail_is_refused_and_the_rest_is_no_command() {
    let desk = Desk::new();
    let mut client = Client::connect(&desk, OPEN).await;
    client.say("EHLO a").await;
    client.say("MAIL FROM:<pat@mail.example>").await;
    client.say("RCPT TO:<+447700900123@mms.example.net>").await;
    client.say("DATA").await;
    let reply = client.say("text\n.\nMAIL FROM:<smuggled@mail.example>\r\n.").await;
    assert!(reply.starts_with("550 5.6.11"), "{reply}");
    assert!(client.say("RCPT TO:<+447700900123@mms.example.net>").await.starts_with("503 5.5.1"));
    assert!(desk.submissions().is_empty());
}

#[tokio::test]
async fn an_old_device_is_mended_where_the_operator_says_so() {
    let desk = Desk::new();
    let mut client = Client::connect(&desk, &format!("{OPEN}bare_newlines = \"fix\"\n")).await;
    client.send("HELO camera\nMAIL FROM:<cam@site.example>\nRCPT TO:<+447700900123@mms.example.net>\nDATA\n").await;
    for code in ["250 ", "250 ", "250 ", "354 "] {
        assert!(client.reply().await.starts_with(code));
    }
    assert!(client.say("Subject: motion\n\nline\n.\n\r\n.").await.starts_with("250 2.0.0"));
    assert_eq!(&desk.submissions()[0].mail.root.content().unwrap()[..], b"line\r\n.\r\n\r\n");
}

#[tokio::test]
async fn chunks_are_one_message() {
    let desk = Desk::new();
    let mut client = Client::connect(&desk, OPEN).await;
    client.say("EHLO a").await;
    client.say("MAIL FROM:<pat@mail.example> BODY=BINARYMIME").await;
    client.say("RCPT TO:<+447700900123@mms.example.net>").await;
    client.send("BDAT 22\r\nSubject: hello\r\n\r\nQUITBDAT 4 LAST\r\n\r\n.\r").await;
    assert!(client.reply().await.starts_with("250 2.0.0"));
    assert!(client.reply().await.starts_with("250 2.0.0"));
    assert_eq!(&desk.submissions()[0].mail.root.content().unwrap()[..], b"QUIT\r\n.\r");
}

#[tokio::test]
async fn a_drain_closes_between_messages_only() {
    let desk = Desk::new();
    let mut idle = Client::connect(&desk, OPEN).await;
    idle.say("EHLO a").await;
    let mut busy = Client::connect(&desk, OPEN).await;
    busy.say("EHLO a").await;
    busy.say("MAIL FROM:<pat@mail.example>").await;
    busy.say("RCPT TO:<+447700900123@mms.example.net>").await;
    busy.say("DATA").await;
    desk.drain.cancel();
    assert!(idle.reply().await.starts_with("421 4.3.2"));
    assert!(busy.say("text\r\n.").await.starts_with("250 2.0.0"));
    assert!(busy.reply().await.starts_with("421 4.3.2"));
    assert!(busy.is_closed().await);
    assert_eq!(desk.submissions().len(), 1);
}

#[tokio::test]
async fn a_client_that_breaks_off_leaves_nothing() {
    let desk = Desk::new();
    let mut client = Client::connect(&desk, OPEN).await;
    client.say("EHLO a").await;
    client.say("MAIL FROM:<pat@mail.example>").await;
    client.say("RCPT TO:<+447700900123@mms.example.net>").await;
    client.say("DATA").await;
    client.send("half a mess").await;
    client.hang_up().await;
    assert!(desk.submissions().is_empty());
}

#[test]
fn mistakes_in_the_users_file_name_the_line() {
    let error = listener(&Desk::new(), "users = \"broken\"\n").err().unwrap();
    assert!(error.contains("broken:2"), "{error}");
}
