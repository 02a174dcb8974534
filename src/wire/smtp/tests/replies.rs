//! Replies on the wire and from a peer, mailboxes as values, what a session tells of itself.

#[allow(dead_code)]
mod driver;

use driver::Driver;
use packetboat_smtp::{
    Config, EnhancedCode, Mailbox, NothingAsked, PathError, Reply, Session, Verdict, limits, replies,
};
use std::net::IpAddr;

fn written(reply: &Reply) -> String {
    let mut out = Vec::new();
    reply.write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_text_cannot_start_a_line_of_its_own() {
    let reply = Reply::new(550, Some(EnhancedCode::new(5, 7, 1)), "no\r250 yes\r\n\u{7}bell \u{e9}\n");
    assert_eq!(written(&reply), "550-5.7.1 no?250 yes\r\n550-5.7.1 ?bell ?\r\n550 5.7.1 \r\n");
}

#[test]
fn long_texts_are_folded_and_cut() {
    let reply = Reply::new(250, None, "x".repeat(100_000));
    let out = written(&reply);
    let lines: Vec<&str> = out.split_inclusive("\r\n").collect();
    assert_eq!(lines.len(), limits::REPLY_LINES_MAX);
    assert!(lines.iter().all(|line| line.len() <= limits::REPLY_LINE_MAX));
    assert!(lines.last().unwrap().starts_with("250 x"));
}

#[test]
fn peer_replies_are_read() {
    let reply = Reply::from_peer(550, "5.1.1 No such\n5.1.1 subscriber");
    assert_eq!(reply, Reply::fixed(550, (5, 1, 1), "No such\nsubscriber"));
    assert_eq!(Reply::from_peer(550, "5.7.509 DMARC").enhanced, Some(EnhancedCode::new(5, 7, 509)));
    for text in ["", "5.1.1.1 x", "3.0.0 x", "5.1 x", "5.1.1x", "5..1 x", "5.1.1000 x", "4.1.1 class of another code"] {
        assert_eq!(Reply::from_peer(550, text), Reply::new(550, None, text.to_owned()), "{text}");
    }
    assert_eq!(Reply::parse_enhanced("2.0.0"), Some((EnhancedCode::new(2, 0, 0), "")));
}

#[test]
fn the_class_of_each_standard_reply_fits_its_code() {
    let table = [
        replies::ACCEPTED,
        replies::CANNOT_VERIFY,
        replies::AUTHENTICATED,
        replies::SHUTTING_DOWN,
        replies::TOO_MUCH_DATA,
        replies::STORE_FULL,
        replies::TOO_MANY_RECIPIENTS,
        replies::AUTH_UNAVAILABLE,
        replies::UNKNOWN_COMMAND,
        replies::BAD_CHUNK,
        replies::AUTH_NEEDS_TLS,
        replies::BARE_NEWLINE,
        replies::TOO_LARGE,
        replies::UNKNOWN_PARAMETER,
    ];
    for reply in table {
        assert_eq!(u16::from(reply.enhanced.unwrap().class), reply.code / 100, "{reply}");
    }
}

#[test]
fn mailboxes_print_as_they_must_be_sent() {
    for (text, local, shown) in [
        (
            "+447700900123/TYPE=PLMN@mms.example.net",
            "+447700900123/TYPE=PLMN",
            "+447700900123/TYPE=PLMN@mms.example.net",
        ),
        ("\"a b\"@x.example", "a b", "\"a b\"@x.example"),
        ("\"q\\\"\\\\\"@x.example", "q\"\\", "\"q\\\"\\\\\"@x.example"),
        ("\"plain\"@x.example", "plain", "plain@x.example"),
        ("a..b@x.example", "a..b", "\"a..b\"@x.example"),
        ("12345", "12345", "12345"),
    ] {
        let mailbox = Mailbox::parse(text).unwrap();
        assert_eq!((mailbox.local(), mailbox.to_string().as_str()), (local, shown));
        assert_eq!(Mailbox::parse(shown).as_ref(), Ok(&mailbox));
    }
    let literal = |text: &str| Mailbox::parse(text).unwrap().ip_literal();
    assert_eq!(literal("a@[192.0.2.1]"), Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!(literal("a@[IPv6:2001:db8::1]"), "2001:db8::1".parse().ok());
    assert_eq!(literal("a@[x]"), None);
    assert_eq!(literal("a@x.example"), None);
    assert!(Mailbox::parse("PostMaster").unwrap().is_bare_postmaster());
    assert_eq!(Mailbox::parse("a@b\u{1}"), Err(PathError::Domain));
    assert_eq!(Mailbox::parse("a\"b@c"), Err(PathError::Octet(1)));
    assert_eq!(Mailbox::parse(&"x".repeat(257)), Err(PathError::TooLong));
}

#[test]
fn an_answer_needs_a_question() {
    let mut session = Session::new(Config::new("mms.example.net"));
    assert_eq!(session.answer(Verdict::Accept), Err(NothingAsked));
    session.greet();
    assert_eq!(session.answer(Verdict::Accept), Err(NothingAsked));
}

#[test]
fn a_session_tells_how_it_is_spoken() {
    let mut config = Config::new("mms.example.net");
    config.starttls = true;
    config.auth = packetboat_smtp::AuthOffer::AfterTls;
    let mut driver = Driver::new(config);
    driver.session.greet();
    driver.packet(b"HELO old\r\n", usize::MAX);
    assert_eq!((driver.session.protocol(), driver.session.hello()), ("SMTP", Some("old")));
    driver.packet(b"EHLO new\r\nSTARTTLS\r\n", usize::MAX);
    assert_eq!((driver.session.hello(), driver.session.is_tls()), (None, true));
    driver.packet(b"EHLO new\r\nAUTH PLAIN AHBhdABzZWNyZXQ=\r\n", usize::MAX);
    assert_eq!((driver.session.protocol(), driver.session.user()), ("ESMTPSA", Some("pat")));
    assert!(driver.session.is_idle());
    driver.packet(b"MAIL FROM:<a@b.example> SMTPUTF8\r\n", usize::MAX);
    assert_eq!(driver.session.protocol(), "UTF8SMTPSA");
    assert!(!driver.session.is_idle());
    assert_eq!(driver.session.timeout(), limits::COMMAND_TIMEOUT);
    driver.session.close(&replies::TIMED_OUT);
    driver.packet(b"NOOP\r\n", usize::MAX);
    assert!(driver.closed && driver.transcript.contains("S: 421 4.4.2 Timed out, closing\nE: close"));
}

#[test]
fn credentials_do_not_show_the_password() {
    let mut config = Config::new("mms.example.net");
    config.auth = packetboat_smtp::AuthOffer::Always;
    let mut session = Session::new(config);
    session.greet();
    let (used, _) = session.feed(b"EHLO a\r\n");
    assert_eq!(used, 8);
    let (_, event) = session.feed(b"AUTH PLAIN AHBhdABzZWNyZXQ=\r\n");
    let shown = format!("{event:?}");
    assert!(shown.contains("pat") && !shown.contains("secret"), "{shown}");
}
