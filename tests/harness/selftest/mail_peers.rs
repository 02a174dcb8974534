//! The mail peers: Postfix, the scripted server, swaks, the name server.

use packetboat_harness::mail::{Mail, png};
use packetboat_harness::peers::{self, Certificate, Dns, Postfix, ScriptedMx, Swaks, postfix, scripted_mx};
use packetboat_harness::wait::wait_for;
use packetboat_harness::{DEADLINE, Peer, Scene, smtp};
use std::io::Write;
use std::net::{TcpStream, UdpSocket};

#[test]
fn postfix_delivers_refuses_and_bounces() {
    let needed = [Peer::Postfix, Peer::Aiosmtpd];
    let Some(scene) = Scene::with_peers("postfix_delivers_refuses_and_bounces", &needed) else { return };
    let bounces = ScriptedMx::start(&scene, "mms_test", &scripted_mx::Script::default());
    let setup = postfix::Setup { mms_test: Some(bounces.address()), ..postfix::Setup::default() };
    let postfix = Postfix::start(&scene, &setup);

    let mut client = smtp::Client::connect(postfix.address());
    let offered = client.ehlo();
    for keyword in ["DSN", "SIZE", "CHUNKING", "SMTPUTF8", "PIPELINING"] {
        assert!(offered.offers(keyword), "{keyword}: {}", offered.text());
    }
    let photo = png(100, 100, 1);
    let mail = Mail::new("+447700900123@mms.test", "bob@mail.test")
        .also_to("unknown.bob@mail.test")
        .also_to("full.bob@mail.test")
        .also_to("bounced.bob@mail.test")
        .also_to("bob@elsewhere.test")
        .subject("a photo")
        .text("hello\n.\n")
        .attach("photo.png", "image/png", &photo);
    let sent = client.deliver(&mail);
    let codes: Vec<_> = sent.recipients.iter().map(|reply| reply.code).collect();
    assert_eq!(codes, [250, 550, 452, 250, 550], "{:?}", sent.recipients);
    assert_eq!(sent.recipients[1].enhanced(), Some("5.1.1"));
    sent.expect_code(250);

    let stored = &postfix.wait_for_mail("bob", 1)[0];
    assert!(stored.contains(mail.message_id()) && stored.contains("hello\n.\n"), "{stored}");
    let bounce = &bounces.wait_for_messages(1)[0];
    assert_eq!((bounce.sender.as_str(), bounce.recipients[0].as_str()), ("", "+447700900123@mms.test"));
    assert!(bounce.content.contains("message/delivery-status") && bounce.content.contains("5.1.1"));
}

#[test]
fn swaks_speaks_tls_and_authenticates() {
    let needed = [Peer::Swaks, Peer::Openssl, Peer::Postfix, Peer::Aiosmtpd];
    let Some(scene) = Scene::with_peers("swaks_speaks_tls_and_authenticates", &needed) else { return };
    let certificate = Certificate::make(&scene);
    let script = scripted_mx::Script {
        certificate: Some(certificate.clone()),
        auth: Some(("ann".to_owned(), "secret".to_owned())),
        ..scripted_mx::Script::default()
    };
    let mx = ScriptedMx::start(&scene, "mx", &script);
    let mail = Mail::new("ann@example.org", "+447700900123@mms.test").text("hello");
    let authority = &certificate.certificate;
    let swaks = |password: &str, mechanism: &str| {
        let swaks = Swaks::new(&scene, mx.address()).mail(&mail).starttls(authority);
        swaks.auth(mechanism, "ann", password).send()
    };
    let sent = swaks("secret", "LOGIN").expect_success();
    assert!(sent.replies().iter().any(|reply| reply.starts_with("235")), "{}", sent.transcript);
    swaks("secret", "PLAIN").expect_success();
    assert_ne!(swaks("wrong", "PLAIN").code, 0);
    let taken = mx.wait_for_messages(2);
    assert!(taken[0].tls && taken[0].auth);
    assert_eq!(taken[0].recipients, ["+447700900123@mms.test"]);

    let setup = postfix::Setup { certificate: Some(certificate.clone()), require_tls: true, ..Default::default() };
    let postfix = Postfix::start(&scene, &setup);
    let mail = Mail::new("ann@example.org", "bob@mail.test").text("hello");
    assert_ne!(Swaks::new(&scene, postfix.address()).mail(&mail).send().code, 0);
    Swaks::new(&scene, postfix.address()).mail(&mail).starttls(authority).send().expect_success();
    postfix.wait_for_mail("bob", 1);
}

#[test]
fn a_scripted_server_fails_as_told() {
    let Some(scene) = Scene::with_peers("a_scripted_server_fails_as_told", &[Peer::Aiosmtpd]) else { return };
    let script = scripted_mx::Script {
        tempfail: 1,
        drop_at: 2,
        reject: "^nobody".to_owned(),
        reject_code: 551,
        ..scripted_mx::Script::default()
    };
    let mx = ScriptedMx::start(&scene, "mx", &script);
    let mail = Mail::new("a@example.org", "bob@mail.test").also_to("nobody@mail.test").text("hello");
    let sent = smtp::Client::connect(mx.address()).deliver(&mail);
    assert_eq!((sent.recipients[1].code, sent.outcome.code), (551, 451));
    assert!(smtp::Client::connect(mx.address()).try_deliver(&mail).is_err());
    smtp::Client::connect(mx.address()).deliver(&mail).expect_code(250);
    let taken = mx.wait_for_messages(1);
    assert!(taken[0].content.contains(mail.message_id()) && taken[0].recipients == ["bob@mail.test"]);
}

#[test]
fn a_name_server_answers_from_its_zone() {
    let Some(scene) = Scene::with_peers("a_name_server_answers_from_its_zone", &[Peer::Dnslib]) else { return };
    let zone = "$TTL 60\nmail.test. IN MX 10 mx.mail.test.\nmx.mail.test. IN A 127.0.0.1\n; @servfail broken.test\n";
    let dns = Dns::start(&scene, zone);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    let ask = |name: &str| {
        let labels = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
        // One question: the name, type MX, class IN (RFC 1035 4.1).
        let question = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0].into_iter().chain(labels).chain([0, 0, 15, 0, 1]);
        socket.send_to(&question.collect::<Vec<_>>(), dns.address()).expect("a query");
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer).expect("an answer");
        answer[..length].to_vec()
    };
    let answer = ask("mail.test");
    assert_eq!((answer[3] & 0x0f, answer[7]), (0, 1));
    assert!(answer.windows(3).any(|window| window == b"\x02mx"));
    assert_eq!(ask("nowhere.test")[3] & 0x0f, 3);
    assert_eq!(ask("broken.test")[3] & 0x0f, 2);
    assert!(dns.queries().contains(&("mail.test".to_owned(), "MX".to_owned())));
    TcpStream::connect(dns.address()).expect("TCP as well").write_all(&[0, 0]).expect("a byte");
    wait_for(DEADLINE, "three queries", || (dns.queries().len() == 3).then_some(()));
}

#[test]
fn every_peer_is_known_by_name() {
    let names: Vec<_> = Peer::ALL.iter().map(|peer| peer.name()).collect();
    assert_eq!(names.len(), names.iter().collect::<std::collections::BTreeSet<_>>().len());
    assert!(peers::all_here("every_peer_is_known_by_name", &[]));
}
