//! The transport against a peer that follows a script.

mod support;

#[path = "../../../src/net/tests/peer/mod.rs"]
mod peer;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::message::{Class, Kind, Message};
use packetboat_api::mime;
use packetboat_api::plugin::{Configured, Role};
use packetboat_api::roles::{Health, Instance, Transport, Verdict};
use packetboat_api::settings::{Section, Source};
use packetboat_plugin_mail::PLUGIN;
use packetboat_plugin_mail::settings::{MailSettings, RouteBy, Tls};
use packetboat_plugin_mail::transport::MailTransport;
use peer::{Act, Peer, Script};
use support::{Domains, PHOTO, World, jobs};

fn world() -> World {
    World::new(&std::env::temp_dir())
}

fn smart_host(world: &World, peer: &Peer, change: impl FnOnce(&mut MailSettings)) -> MailTransport {
    let mut settings = MailSettings {
        smart_host: Some(peer.address.to_string()),
        domain: Some("mms.test".to_owned()),
        ..MailSettings::default()
    };
    change(&mut settings);
    MailTransport::with_lookup(settings, &world.env, Arc::new(Domains)).expect("transport")
}

async fn deliver(transport: &MailTransport, message: Message) -> Vec<Verdict> {
    transport.deliver(&jobs(message)).await
}

#[tokio::test]
async fn a_photo_from_a_phone_becomes_a_mail() {
    let (world, peer) = (world(), Peer::start(Script::default()).await);
    let message = world.message(Some("+447700900123"), &["bob@one.test", "carol@two.test"], PHOTO);
    let mut message = message;
    message.traits.priority = packetboat_api::message::Priority::High;
    message.traits.read_report = true;
    let id = message.id;
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), message).await;
    let detail = format!("{}: 250 2.0.0 queued as Q1", peer.address);
    assert_eq!(verdicts, vec![Verdict::HandedOver { detail, reports: true }; 2]);

    let mut lines = peer.lines();
    let mail = lines.remove(1);
    assert!(mail.starts_with("MAIL FROM:<+447700900123@mms.test> SIZE="), "{mail}");
    assert!(mail.contains(&format!(" RET=HDRS ENVID={id}.")), "{mail}");
    assert_eq!(
        lines[1..3],
        [
            "RCPT TO:<bob@one.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@one.test",
            "RCPT TO:<carol@two.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;carol@two.test",
        ]
    );

    let text = peer.messages().remove(0).replace("\r\n..", "\r\n.");
    let mail = mime::parse(&Bytes::from(text)).expect("mail");
    let header = |name: &str| mail.headers.first(name).unwrap_or_default().to_owned();
    assert_eq!(header("Received"), format!("by mmsc.test with MMS id {id}; Thu, 09 Oct 2025 08:53:20 +0000"));
    assert_eq!(header("From"), "+447700900123@mms.test");
    assert_eq!(header("To"), "+447700900456@mms.test, Bob <bob@one.test>");
    assert_eq!(header("Cc"), "carol@two.test");
    assert_eq!(header("Date"), "Thu, 09 Oct 2025 08:53:19 +0000");
    assert_eq!(header("Subject"), "Grüße vom Meer");
    assert_eq!(header("Message-ID"), format!("<{id}@mmsc.test>"));
    assert_eq!(header("Importance"), "High");
    assert_eq!(header("Disposition-Notification-To"), "+447700900123@mms.test");
    assert!(mail.headers.0.iter().all(|(name, _)| !name.to_lowercase().starts_with("x-mms-")), "{:?}", mail.headers);

    let leaves = mail.root.leaves();
    let types: Vec<&str> = leaves.iter().map(|leaf| leaf.media.essence()).collect();
    assert_eq!(types, ["text/plain", "image/jpeg"]);
    let text = String::from_utf8_lossy(leaves[0].content().expect("text")).into_owned();
    assert!(text.starts_with("Grüße vom Meer\r\n."), "{text}");
    assert_eq!(leaves[1].file_name(), Some("p.jpg"));
    assert_eq!(&leaves[1].content().expect("photo")[..4], b"\xFF\xD8\xFF\xE0");
}

#[tokio::test]
async fn each_recipient_has_its_verdict() {
    let rule = |line: &str, _| match line.split([' ', '>']).nth(1) {
        Some("TO:<gone@one.test") => Act::Say("550 5.1.1 no such user"),
        Some("TO:<full@one.test") => Act::Say("452 4.2.2 mailbox full"),
        _ => Act::Usual,
    };
    let (world, peer) = (world(), Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await);
    let to = ["gone@one.test", "ok@one.test", "+447700900456", "full@one.test"];
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), world.message(Some("+447700900123"), &to, PHOTO)).await;
    let Verdict::Failed(failure) = &verdicts[0] else { panic!("{verdicts:?}") };
    assert_eq!(failure.status, "5.1.1");
    assert!(failure.why.ends_with("said to RCPT: 550 5.1.1 no such user"), "{}", failure.why);
    assert!(matches!(verdicts[1], Verdict::HandedOver { reports: true, .. }));
    let Verdict::Failed(failure) = &verdicts[2] else { panic!("{verdicts:?}") };
    assert_eq!(failure.status, "5.1.3");
    assert!(matches!(&verdicts[3], Verdict::Deferred { why, .. } if why.contains("452 4.2.2")));
    assert_eq!(peer.lines_of("MAIL").len(), 1);
}

#[tokio::test]
async fn more_recipients_than_a_transaction_takes_go_in_several() {
    let (world, peer) = (world(), Peer::start(Script::default()).await);
    let names: Vec<String> = (0..130).map(|n| format!("r{n}@one.test")).collect();
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), world.message(Some("+447700900123"), &to, PHOTO)).await;
    assert_eq!(verdicts.len(), 130);
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::HandedOver { .. })));
    assert_eq!((peer.lines_of("MAIL").len(), peer.connections()), (2, 1));
}

#[tokio::test]
async fn no_report_is_promised_that_nobody_asked_for_or_nobody_makes() {
    let (world, peer) = (world(), Peer::start(Script { keywords: vec![], ..Script::default() }).await);
    let message = world.message(Some("+447700900123"), &["bob@one.test"], PHOTO);
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), message.clone()).await;
    assert!(matches!(verdicts[0], Verdict::HandedOver { reports: false, .. }), "no DSN there");

    let peer = Peer::start(Script::default()).await;
    let mut unasked = message.clone();
    unasked.envelope.recipients[0].notify.success = false;
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), unasked).await;
    assert!(matches!(verdicts[0], Verdict::HandedOver { reports: false, .. }), "not asked for");

    let mut machine = message;
    machine.traits.class = Class::Auto;
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), machine).await;
    assert!(matches!(verdicts[0], Verdict::HandedOver { reports: false, .. }), "nobody to report to");
    assert!(peer.lines_of("MAIL")[1].starts_with("MAIL FROM:<>"));
    assert!(peer.lines_of("RCPT")[1].ends_with("NOTIFY=NEVER"));
}

#[tokio::test]
async fn a_mail_from_a_mailbox_keeps_its_form() {
    let (world, peer) = (world(), Peer::start(Script::default()).await);
    let text = "From: Ann <ann@three.test>\nTo: bob@one.test\nSubject: x\nContent-Type: text/html\n\n<p>hello</p>\n";
    let mut message = world.message(Some("ann@three.test"), &["bob@one.test"], text);
    message.envelope.envelope_id = Some("theirs".to_owned());
    let ours = format!(" RET=FULL ENVID={}.", message.id);
    deliver(&smart_host(&world, &peer, |_| ()), message).await;
    assert!(peer.lines_of("MAIL")[0].contains(&ours), "reports come back to us, by our own name for it");
    let got = peer.messages().remove(0);
    assert!(got.contains("From: Ann <ann@three.test>\r\n") && got.contains("<p>hello</p>"), "{got}");
}

#[tokio::test]
async fn a_hidden_sender_is_not_shown_but_told() {
    let (world, peer) = (world(), Peer::start(Script::default()).await);
    let mut message = world.message(Some("+447700900123"), &["bob@one.test"], PHOTO);
    message.traits.hide_sender = true;
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), message).await;
    assert!(matches!(&verdicts[0], Verdict::Failed(failure) if failure.status == "5.7.0"));
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn temporary_trouble_is_deferred_with_its_reason() {
    let rule = |line: &str, _| if line == "." { Act::Say("451 4.3.0 come back later") } else { Act::Usual };
    let (world, peer) = (world(), Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await);
    let message = world.message(Some("+447700900123"), &["bob@one.test"], PHOTO);
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), message.clone()).await;
    assert!(
        matches!(&verdicts[0], Verdict::Deferred { after: None, why } if why.ends_with("451 4.3.0 come back later"))
    );

    let rule = |line: &str, _| if line == "." { Act::Close } else { Act::Usual };
    let peer = Peer::start(Script { rule: Box::new(rule), ..Script::default() }).await;
    let verdicts = deliver(&smart_host(&world, &peer, |_| ()), message.clone()).await;
    assert!(matches!(&verdicts[0], Verdict::Deferred { why, .. } if why.contains("may have been taken")));

    let transport = smart_host(&world, &peer, |_| ());
    let mut unread = message;
    unread.id.0 += 1;
    let verdicts = deliver(&transport, unread).await;
    assert!(matches!(&verdicts[0], Verdict::Deferred { why, .. } if why.contains("the shelf is empty")));
}

#[tokio::test]
async fn health_follows_the_smart_host() {
    let peer = Peer::start(Script::default()).await;
    let world = world();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind").local_addr().expect("address");
    let transport = smart_host(&world, &peer, |settings| settings.smart_host = Some(nobody.to_string()));
    assert_eq!(transport.health(), Health::Well);
    transport.start().await.expect("start");
    let until = |wanted: fn(&Health) -> bool| {
        let (transport, clock) = (&transport, &world.clock);
        tokio::time::timeout(Duration::from_secs(10), async move {
            while !wanted(&transport.health()) {
                clock.advance(Duration::from_secs(10));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };
    until(|health| matches!(health, Health::Degraded(why) if why.contains("cannot be used"))).await.expect("degraded");
    let verdicts = deliver(&transport, world.message(Some("+447700900123"), &["bob@one.test"], PHOTO)).await;
    assert!(matches!(&verdicts[0], Verdict::Deferred { why, .. } if why.contains("no connection to")));
    // Somebody answers there again; the transport notices without any mail.
    let _listener = tokio::net::TcpListener::bind(nobody).await.map(|listener| {
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"220 up\r\n").await;
                let mut piece = [0; 100];
                while stream.read(&mut piece).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"250 fine\r\n").await;
                }
            }
        })
    });
    until(|health| *health == Health::Well).await.expect("well");
    transport.drain().await;
}

#[tokio::test]
async fn by_mx_each_domain_is_its_own_destination() {
    let (world, peer) = (world(), Peer::start(Script::default()).await);
    let by_mx = |settings: &mut MailSettings| {
        (settings.route, settings.smart_host, settings.port) = (RouteBy::Mx, None, peer.address.port());
    };
    let transport = smart_host(&world, &peer, by_mx);
    let to = [
        "a@one.test",
        "b@two.test",
        "c@one.test",
        "n@null.test",
        "m@missing.test",
        "d@broken.test",
        "o@circle.test",
        "u@backup.test",
    ];
    let groups: Vec<_> = to[..3].iter().map(|address| transport.group(&address.parse().expect("party"))).collect();
    assert_eq!(groups[0], groups[2]);
    assert_ne!(groups[0], groups[1]);
    assert_eq!(transport.group(&"+447700900123".parse().expect("party")), None);

    let verdicts = deliver(&transport, world.message(Some("+447700900123"), &to, PHOTO)).await;
    for place in [0, 1, 2, 7] {
        assert!(
            matches!(&verdicts[place], Verdict::HandedOver { detail, .. } if detail.starts_with("mx.")),
            "{verdicts:?}"
        );
    }
    for (place, status) in [(3, "5.1.10"), (4, "5.1.2"), (6, "5.4.6")] {
        assert!(matches!(&verdicts[place], Verdict::Failed(failure) if failure.status == status), "{verdicts:?}");
    }
    assert!(matches!(&verdicts[5], Verdict::Deferred { .. }));
    assert_eq!(peer.lines_of("MAIL").len(), 3);
}

#[test]
fn settings_that_cannot_work_are_refused_by_their_key() {
    let world = world();
    let build = |change: &dyn Fn(&mut MailSettings)| {
        let mut settings = MailSettings { smart_host: Some("smtp.test".to_owned()), ..MailSettings::default() };
        change(&mut settings);
        MailTransport::build(settings, &world.env).map(|transport| transport.check()).map_err(|(key, _)| key)
    };
    assert_eq!(build(&|_| ()), Ok(vec![]));
    assert_eq!(build(&|s| s.smart_host = None), Err("smart_host"));
    for wrong in ["", ":25", "host:", "host:99999", "2001:db8::1:25", "a b:25"] {
        assert_eq!(build(&|s| s.smart_host = Some(wrong.to_owned())), Err("smart_host"), "{wrong:?}");
    }
    for right in ["host", "host:587", "192.0.2.1:25", "[2001:db8::1]:25", "[2001:db8::1]"] {
        assert_eq!(build(&|s| s.smart_host = Some(right.to_owned())), Ok(vec![]), "{right:?}");
    }
    assert_eq!(build(&|s| s.route = RouteBy::Mx), Err("smart_host"));
    assert_eq!(build(&|s| s.username = Some("u".to_owned())), Err("username"));
    assert_eq!(build(&|s| s.nameserver = Some("localhost".to_owned())), Err("nameserver"));
    assert_eq!(build(&|s| s.domain = Some("a domain".to_owned())), Err("domain"));
    assert_eq!(build(&|s| s.ca_file = Some("/nowhere.pem".into())), Err("ca_file"));
    let doubts = build(&|s| (s.route, s.smart_host, s.tls) = (RouteBy::Mx, None, Tls::Required));
    assert_eq!(doubts.map(|doubts| doubts.len()), Ok(1));
}

#[test]
fn settings_are_read_from_the_config_file() {
    let built = |text: &str| {
        let source = Source { path: "packetboat.toml".into(), text: text.to_owned() };
        let table = source.parse().expect("TOML");
        let section = Section {
            source: &source,
            key: "transport.mail".to_owned(),
            span: table.span(),
            table: table.get_ref().clone(),
        };
        let Role::Transport(factory) = PLUGIN.roles[0] else { panic!("not a transport") };
        let built = (factory.build)(&section, &world().env);
        built.map(|transport| transport.concurrency()).map_err(|errors| errors[0].to_string())
    };
    let text = "smart_host = \"smtp.test:587\"\ntls = \"required\"\ncommand_timeout = \"1m\"\nconcurrency = 5\n";
    assert_eq!(built(text), Ok(5));
    assert_eq!(built("route = \"mx\"\nnameserver = \"127.0.0.1:53\"\n"), Ok(64));
    let error = built("smart_host = \"smtp.test:x\"\n").expect_err("no port");
    assert!(
        error.starts_with("packetboat.toml:1:1: transport.mail.smart_host: \"smtp.test:x\" is not a host"),
        "{error}"
    );
}

#[tokio::test]
async fn reports_have_no_return_path_and_ask_for_none() {
    let (world, peer) = (world(), Peer::start(Script::default()).await);
    let mut message = world.message(None, &["ann@three.test"], "Subject: the sea\n\n");
    message.kind = Kind::ReadReport(packetboat_api::message::ReadReport {
        about: "orig@three.test".to_owned(),
        recipient: "+447700900123".parse().expect("party"),
        read: true,
        at: support::NOW,
    });
    message.envelope.recipients[0].notify = packetboat_api::message::Notify { never: true, ..Default::default() };
    deliver(&smart_host(&world, &peer, |_| ()), message).await;
    let mail = &peer.lines_of("MAIL")[0];
    assert!(mail.starts_with("MAIL FROM:<> SIZE=") && !mail.contains("ENVID"), "{mail}");
    assert_eq!(peer.lines_of("RCPT"), ["RCPT TO:<ann@three.test> NOTIFY=NEVER"]);
}
