//! The SMTP client against a peer that follows a script: transactions, pools, TLS.

mod peer;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::message::Notify;
use packetboat_net::dns::{DnsError, Lookup};
use packetboat_net::smtp::{
    Client, Content, Destination, Fault, Mail, Mailbox, Options, Outcome, Recipient, TlsPolicy,
};
use packetboat_net::tls::TlsClient;
use peer::{Act, Peer, Script, certificate};

/// Every host is here.
struct Here;

#[async_trait]
impl Lookup for Here {
    async fn mail_hosts(&self, domain: &str) -> Result<Vec<String>, DnsError> {
        Ok(vec![domain.to_owned()])
    }

    async fn addresses(&self, host: &str) -> Result<Vec<std::net::IpAddr>, DnsError> {
        match host {
            "nowhere.test" => Err(DnsError::NotFound("nowhere.test has no address".to_owned())),
            "elsewhere.test" => Ok(vec!["127.0.0.2".parse().expect("address")]),
            _ => Ok(vec!["127.0.0.1".parse().expect("address")]),
        }
    }
}

struct Bench {
    client: Client,
    clock: ManualClock,
}

fn bench(change: impl FnOnce(&mut Options)) -> Bench {
    bench_with_ca(change, None)
}

fn bench_with_ca(change: impl FnOnce(&mut Options), ca: Option<&std::path::Path>) -> Bench {
    let mut options = Options { helo: "me.test".to_owned(), tls: TlsPolicy::None, ..Options::default() };
    options.command_timeout = Duration::from_secs(5);
    change(&mut options);
    let clock = ManualClock::new(Timestamp(0));
    let tls = TlsClient::new(ca).expect("tls");
    Bench { client: Client::new(options, tls, Arc::new(Here), Arc::new(clock.clone())), clock }
}

fn to(peer: &Peer) -> Destination {
    Destination { name: "x.test".to_owned(), hosts: vec!["mx.x.test".to_owned()], port: peer.address.port() }
}

fn mail(recipients: &[&str]) -> Mail {
    let recipient = |address: &&str| Recipient {
        to: Mailbox::parse(address).expect("address"),
        notify: Notify { success: true, ..Notify::default() },
        original: None,
    };
    Mail {
        sender: Some(Mailbox::parse("+447700900123@mms.test").expect("address")),
        recipients: recipients.iter().map(recipient).collect(),
        envelope_id: Some("ID1".to_owned()),
        headers_only: Some(true),
        content: Content::new(vec![Bytes::from_static(b"Subject: x\n\n.dot\n.\nend")]),
    }
}

fn faults(outcome: &Outcome) -> Vec<Option<Fault>> {
    outcome.replies.iter().map(|reply| reply.as_ref().err().map(|refused| refused.fault)).collect()
}

#[tokio::test]
async fn the_whole_transaction_goes_in_one_group_when_pipelining_is_offered() {
    let peer = Peer::start(Script { wants_pipelining: true, ..Script::default() }).await;
    let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["a@x.test", "b@x.test"])).await;
    assert_eq!(faults(&outcome), [None, None]);
    let reply = outcome.replies[0].as_ref().expect("reply").to_string();
    assert_eq!(reply, "250 2.0.0 queued as Q1");
    assert!(outcome.dsn);
    assert_eq!(
        peer.lines()[1..],
        [
            "MAIL FROM:<+447700900123@mms.test> SIZE=28 RET=HDRS ENVID=ID1",
            "RCPT TO:<a@x.test> NOTIFY=SUCCESS",
            "RCPT TO:<b@x.test> NOTIFY=SUCCESS",
            "DATA",
        ]
    );
    assert_eq!(peer.messages(), ["Subject: x\r\n\r\n..dot\r\n..\r\nend\r\n"]);
}

#[tokio::test]
async fn commands_wait_for_their_replies_when_it_is_not() {
    let peer = Peer::start(Script { keywords: vec![], ..Script::default() }).await;
    let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!((faults(&outcome), outcome.dsn), (vec![None], false));
    assert_eq!(peer.lines_of("MAIL"), ["MAIL FROM:<+447700900123@mms.test>"]);
    assert_eq!(peer.lines_of("RCPT"), ["RCPT TO:<a@x.test>"]);
}

#[tokio::test]
async fn each_recipient_gets_its_own_reply_and_the_connection_is_kept() {
    for keywords in [vec!["PIPELINING"], vec![]] {
        let rule = |line: &str, _| match line {
            "RCPT TO:<bad@x.test>" => Act::Say("550 5.1.1 no such subscriber"),
            "RCPT TO:<full@x.test>" => Act::Say("452-4.2.2 mailbox\n452 4.2.2 full"),
            "RCPT TO:<odd@x.test>" => Act::Say("550 ga\u{e4}h"),
            _ => Act::Usual,
        };
        let peer = Peer::start(Script { keywords, rule: Box::new(rule), ..Script::default() }).await;
        let bench = bench(|_| ());
        let recipients = ["ok@x.test", "bad@x.test", "full@x.test", "odd@x.test", "ok2@x.test"];
        for _ in 0..2 {
            let outcome = bench.client.send(&to(&peer), &mail(&recipients)).await;
            let wanted = [None, Some(Fault::Permanent), Some(Fault::Temporary), Some(Fault::Permanent), None];
            assert_eq!(faults(&outcome), wanted);
            let bad = outcome.replies[1].as_ref().expect_err("bad");
            assert_eq!(bad.status.to_string(), "5.1.1");
            assert!(bad.text.ends_with("said to RCPT: 550 5.1.1 no such subscriber"), "{}", bad.text);
            let odd = outcome.replies[3].as_ref().expect_err("odd");
            assert_eq!(odd.status.to_string(), "5.1.1");
        }
        assert_eq!((peer.connections(), peer.messages().len()), (1, 2));
    }
}

#[tokio::test]
async fn with_every_recipient_refused_nothing_is_sent_and_the_connection_is_kept() {
    // The third server wants octets all the same (RFC 2920 3.1): it gets none of the message.
    for (keywords, data) in
        [(vec!["PIPELINING"], "554 5.5.1 no valid recipients"), (vec![], ""), (vec!["PIPELINING"], "354 go")]
    {
        let rule = move |line: &str, _| match line {
            "RCPT TO:<bad@x.test>" => Act::Say("550 5.1.1 no such subscriber"),
            "DATA" if !data.is_empty() => Act::Say(data),
            _ => Act::Usual,
        };
        let peer = Peer::start(Script { keywords, rule: Box::new(rule), ..Script::default() }).await;
        let bench = bench(|_| ());
        for _ in 0..2 {
            let outcome = bench.client.send(&to(&peer), &mail(&["bad@x.test"])).await;
            assert_eq!(faults(&outcome), [Some(Fault::Permanent)]);
        }
        assert_eq!(peer.connections(), 1);
        assert!(peer.messages().iter().all(|message| message == "\r\n"), "{:?}", peer.messages());
    }
}

#[tokio::test]
async fn replies_to_mail_and_to_data_count_for_everybody() {
    for (at, said, wanted) in [
        ("MAIL", "451 4.7.1 greylisted", Fault::Temporary),
        ("MAIL", "550 5.7.1 no", Fault::Permanent),
        ("DATA", "451 4.3.0 no room", Fault::Temporary),
        (".", "554 5.6.0 spam", Fault::Permanent),
        (".", "452 4.3.1 disk full", Fault::Temporary),
    ] {
        for keywords in [vec!["PIPELINING"], vec![]] {
            let rule = move |line: &str, _| if line.starts_with(at) { Act::Say(said) } else { Act::Usual };
            let peer = Peer::start(Script { keywords, rule: Box::new(rule), ..Script::default() }).await;
            let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["a@x.test", "b@x.test"])).await;
            assert_eq!(faults(&outcome), [Some(wanted), Some(wanted)], "{at} {said}");
            let text = &outcome.replies[1].as_ref().expect_err("refused").text;
            assert!(text.ends_with(said), "{text}");
        }
    }
}

#[tokio::test]
async fn replies_need_no_text() {
    let rule = |line: &str, _| match line {
        "DATA" => Act::Say("354"),
        "RCPT TO:<bad@x.test>" => Act::Say("550"),
        line if line.starts_with("EHLO") => Act::Usual,
        _ => Act::Say("250"),
    };
    let peer = Peer::start(Script { rule: Box::new(rule), keywords: vec!["PIPELINING"], ..Script::default() }).await;
    let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["a@x.test", "bad@x.test"])).await;
    assert_eq!(faults(&outcome), [None, Some(Fault::Permanent)]);
    assert_eq!(outcome.replies[1].as_ref().expect_err("bad").status.to_string(), "5.1.1");
}

#[tokio::test]
async fn many_recipients_go_in_groups() {
    let rule = |line: &str, _| if line == "RCPT TO:<r99@x.test>" { Act::Say("550 5.1.1 no") } else { Act::Usual };
    let peer = Peer::start(Script { rule: Box::new(rule), keywords: vec!["PIPELINING"], ..Script::default() }).await;
    let names: Vec<String> = (0..100).map(|n| format!("r{n}@x.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&names)).await;
    assert_eq!(outcome.replies.iter().filter(|reply| reply.is_ok()).count(), 99);
    assert!(outcome.replies[99].is_err());
    assert_eq!((peer.lines_of("RCPT").len(), peer.messages().len()), (100, 1));
}

#[tokio::test]
async fn what_the_server_cannot_take_is_not_sent() {
    let peer = Peer::start(Script { keywords: vec!["SIZE 10"], ..Script::default() }).await;
    let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!(outcome.replies[0].as_ref().expect_err("large").status.to_string(), "5.3.4");
    let peer = Peer::start(Script { keywords: vec![], ..Script::default() }).await;
    let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["zo\u{eb}@x.test"])).await;
    assert_eq!(outcome.replies[0].as_ref().expect_err("utf8").status.to_string(), "5.6.7");
    assert!(peer.lines_of("MAIL").is_empty());
}

#[tokio::test]
async fn a_loss_is_told_by_where_it_happens() {
    for (at, said, wanted) in [
        ("MAIL", None, Fault::Temporary),
        ("RCPT", Some("421 4.3.2 closing"), Fault::Temporary),
        ("DATA", None, Fault::Temporary),
        (".", None, Fault::Unknown),
        (".", Some("421 4.3.2 closing"), Fault::Temporary),
    ] {
        let rule = move |line: &str, _| match said {
            _ if !line.starts_with(at) => Act::Usual,
            Some(said) => Act::SayAndClose(said),
            None => Act::Close,
        };
        let peer = Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await;
        let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["a@x.test"])).await;
        assert_eq!(faults(&outcome), [Some(wanted)], "{at}: {:?}", outcome.replies);
    }
}

#[tokio::test]
async fn every_command_has_a_time_out() {
    for (at, wanted) in [("EHLO", Fault::NotReached), ("MAIL", Fault::Temporary), (".", Fault::Unknown)] {
        let rule = move |line: &str, _| if line.starts_with(at) { Act::Hang } else { Act::Usual };
        let peer = Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await;
        let limit = Duration::from_millis(200);
        let bench = bench(|o| (o.command_timeout, o.data_timeout) = (limit, limit));
        let outcome = bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
        assert_eq!(faults(&outcome), [Some(wanted)], "{at}");
        let text = &outcome.replies[0].as_ref().expect_err("late").text;
        assert!(text.contains("within 200ms"), "{text}");
        assert_eq!(bench.client.idle(), 0);
    }
}

#[tokio::test]
async fn nobody_there_is_said_so_and_the_next_host_is_tried() {
    let peer = Peer::start(Script::default()).await;
    let mut destination = to(&peer);
    destination.hosts = vec!["nowhere.test".to_owned(), "elsewhere.test".to_owned()];
    let bench = bench(|_| ());
    let outcome = bench.client.send(&destination, &mail(&["a@x.test"])).await;
    assert_eq!(faults(&outcome), [Some(Fault::NotReached)]);
    assert!(bench.client.probe(&destination).await.is_err());
    destination.hosts.push("mx.x.test".to_owned());
    let outcome = bench.client.send(&destination, &mail(&["a@x.test"])).await;
    assert_eq!(faults(&outcome), [None]);
    assert!(bench.client.probe(&destination).await.is_ok());

    let peer = Peer::start(Script { greeting: "554 no service", ..Script::default() }).await;
    let outcome = bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!(faults(&outcome), [None], "the connection that was kept is still good");
}

#[tokio::test]
async fn a_server_that_turns_everybody_away_is_not_the_end_of_the_mailbox() {
    let peer = Peer::start(Script { greeting: "554 no service", ..Script::default() }).await;
    let outcome = bench(|_| ()).client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!(faults(&outcome), [Some(Fault::NotReached)]);
    assert!(outcome.replies[0].as_ref().expect_err("refused").text.contains("554 no service"));
}

#[tokio::test]
async fn connections_are_used_again_so_often_and_so_long() {
    let peer = Peer::start(Script::default()).await;
    let bench = bench(|o| o.max_messages = 3);
    for _ in 0..6 {
        bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    }
    assert_eq!(peer.connections(), 2);
    bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!((peer.connections(), bench.client.idle()), (3, 1));
    bench.clock.advance(Duration::from_secs(21));
    bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!(peer.connections(), 4);
    bench.client.close().await;
    assert_eq!(bench.client.idle(), 0);
}

#[tokio::test]
async fn unused_connections_are_ended_without_further_mail() {
    let peer = Peer::start(Script::default()).await;
    let bench = bench(|_| ());
    bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!(bench.client.idle(), 1);
    let gone = async {
        while bench.client.idle() > 0 || peer.open() > 0 {
            bench.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("ended");
    assert_eq!(peer.lines().last().map(String::as_str), Some("QUIT"));
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let rule = |line: &str, connection| match (line, connection) {
        (".", 0) => Act::SayAndClose("250 2.0.0 queued"),
        _ => Act::Usual,
    };
    let peer = Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await;
    let bench = bench(|_| ());
    for _ in 0..2 {
        let outcome = bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
        assert_eq!(faults(&outcome), [None]);
    }
    assert_eq!((peer.connections(), peer.messages().len()), (2, 2));
}

#[tokio::test]
async fn only_so_many_connections_are_opened_to_one_destination() {
    let rule = |line: &str, _| if line.starts_with("MAIL") { Act::Hang } else { Act::Usual };
    let peer = Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await;
    let bench = bench(|o| (o.max_connections, o.connect_timeout) = (2, Duration::from_millis(300)));
    let (destination, message) = (to(&peer), mail(&["a@x.test"]));
    let one = || bench.client.send(&destination, &message);
    let (_, _, third) = tokio::select! {
        outcomes = async { tokio::join!(one(), one(), async { tokio::time::sleep(Duration::from_millis(50)).await; one().await }) } => outcomes,
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("no answer"),
    };
    assert_eq!(faults(&third), [Some(Fault::Busy)]);
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn starttls_by_policy() {
    let (config, pem) = certificate("mx.x.test");
    let mut ca = tempfile::NamedTempFile::new().expect("file");
    ca.write_all(pem.as_bytes()).expect("write");
    let with_tls = || Script { tls: Some(config.clone()), ..Script::default() };

    // (policy, is the CA known, does the server have TLS) -> secure, or refused
    for (policy, known, offered, wanted) in [
        (TlsPolicy::None, false, true, Some(false)),
        (TlsPolicy::Opportunistic, false, true, Some(true)),
        (TlsPolicy::Opportunistic, false, false, Some(false)),
        (TlsPolicy::Required, true, true, Some(true)),
        (TlsPolicy::Required, false, true, None),
        (TlsPolicy::Required, true, false, None),
    ] {
        let peer = Peer::start(if offered { with_tls() } else { Script::default() }).await;
        let bench = bench_with_ca(|o| o.tls = policy, known.then(|| ca.path()));
        let outcome = bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
        let got = outcome.replies[0].is_ok().then_some(outcome.secure);
        assert_eq!(got, wanted, "{policy:?} {known} {offered}: {:?}", outcome.replies);
        if wanted.is_none() {
            assert_eq!(faults(&outcome), [Some(Fault::NotReached)]);
            assert!(peer.lines_of("MAIL").is_empty());
        }
    }
    // The name has to be the one that was asked for.
    let peer = Peer::start(with_tls()).await;
    let bench = bench_with_ca(|o| o.tls = TlsPolicy::Required, Some(ca.path()));
    let mut other = to(&peer);
    other.hosts = vec!["other.test".to_owned()];
    assert_eq!(faults(&bench.client.send(&other, &mail(&["a@x.test"])).await), [Some(Fault::NotReached)]);

    let peer = Peer::start(Script { implicit: true, ..with_tls() }).await;
    let bench = bench_with_ca(|o| o.tls = TlsPolicy::Implicit, Some(ca.path()));
    let outcome = bench.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!((faults(&outcome), outcome.secure, outcome.dsn), (vec![None], true, true));
}

#[tokio::test]
async fn a_handshake_that_fails_is_followed_by_plain_text_when_that_is_allowed() {
    // Says yes to STARTTLS and closes instead of shaking hands.
    let rule = |line: &str, connection| match (line, connection) {
        ("EHLO me.test", _) => Act::Say("250-peer.test\n250-PIPELINING\n250 STARTTLS"),
        ("STARTTLS", _) => Act::SayAndClose("220 go"),
        _ => Act::Usual,
    };
    let peer = Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await;
    let outcome = bench(|o| o.tls = TlsPolicy::Opportunistic).client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!((faults(&outcome), outcome.secure, peer.connections()), (vec![None], false, 2));
}

#[tokio::test]
async fn replies_smuggled_in_ahead_of_tls_end_the_connection() {
    let (config, _) = certificate("mx.x.test");
    let rule = |line: &str, _| match line {
        "STARTTLS" => Act::Say("220 go\n250-evil\n250 AUTH PLAIN"),
        _ => Act::Usual,
    };
    let peer = Peer::start(Script { rule: Box::new(rule), tls: Some(config), ..Script::default() }).await;
    let outcome = bench(|o| o.tls = TlsPolicy::Opportunistic).client.send(&to(&peer), &mail(&["a@x.test"])).await;
    let refused = outcome.replies[0].as_ref().expect_err("refused");
    assert!(refused.text.contains("went on talking"), "{}", refused.text);
}

#[tokio::test]
async fn a_password_is_proved_and_never_sent_in_the_clear_by_accident() {
    let credentials = Some(("u".to_owned(), "p".to_owned()));
    let (config, _) = certificate("mx.x.test");
    let keywords = vec!["AUTH PLAIN LOGIN", "PIPELINING"];
    let peer = Peer::start(Script { keywords: keywords.clone(), tls: Some(config), ..Script::default() }).await;
    let with_password = bench(|o| (o.tls, o.credentials) = (TlsPolicy::Opportunistic, credentials.clone()));
    let outcome = with_password.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!((faults(&outcome), peer.lines_of("AUTH")), (vec![None], vec!["AUTH PLAIN AHUAcA==".to_owned()]));

    let peer = Peer::start(Script { keywords: keywords.clone(), ..Script::default() }).await;
    let outcome =
        with_password.client.send(&Destination { name: "y".to_owned(), ..to(&peer) }, &mail(&["a@x.test"])).await;
    assert_eq!((faults(&outcome), peer.lines_of("AUTH").len()), (vec![Some(Fault::NotReached)], 0));

    let rule = |line: &str, _| if line.starts_with("AUTH") { Act::Say("535 5.7.8 wrong") } else { Act::Usual };
    let peer = Peer::start(Script { keywords, rule: Box::new(rule), ..Script::default() }).await;
    let in_the_clear = bench(|o| o.credentials = credentials.clone());
    let outcome = in_the_clear.client.send(&to(&peer), &mail(&["a@x.test"])).await;
    assert_eq!((faults(&outcome), peer.lines_of("AUTH").len()), (vec![Some(Fault::NotReached)], 1));
    assert!(outcome.replies[0].as_ref().expect_err("refused").text.contains("535"));
}
