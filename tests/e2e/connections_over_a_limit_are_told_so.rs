//! A full house says "later" in the guest's own language; behind a load balancer guests are who the PROXY header says.

use crate::node::{ANN, Node};
use packetboat_harness::http::{Connection, Request};
use packetboat_harness::peers::ScriptedMx;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::wait::poll;
use packetboat_harness::{DEADLINE, Peer, Scene, SmsTap, smtp};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

#[test]
fn connections_over_a_limit_are_told_so() {
    let Some(scene) = Scene::with_peers("connections_over_a_limit_are_told_so", &[Peer::Aiosmtpd]) else { return };
    let mx = ScriptedMx::start(&scene, "mx", &Script::default());
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap)
        .with_mail_host(mx.address())
        .set("listener.mail", "max_connections", "2")
        .set("listener.handsets", "max_connections", "1")
        .set("listener.balanced", "plugin", r#""smtp""#)
        .set("listener.balanced", "listen", r#"["127.0.0.1:0"]"#)
        .set("listener.balanced", "domains", r#"["mms.test"]"#)
        .set("listener.balanced", "proxy_protocol", r#"["127.0.0.1/32"]"#)
        .set("listener.balanced", "max_connections_per_address", "1")
        .set("listener.direct", "plugin", r#""smtp""#)
        .set("listener.direct", "listen", r#"["127.0.0.1:0"]"#)
        .set("listener.direct", "domains", r#"["mms.test"]"#)
        .set("listener.direct", "proxy_protocol", r#"["192.0.2.0/24"]"#)
        .set("listener.balanced", "trusted_networks", r#"["192.0.2.0/24"]"#);
    let daemon = node.start();

    let mail = daemon.listener("mail");
    let guests = [(); 2].map(|()| smtp::Client::connect(mail));
    let mut third = smtp::Client::connect(mail);
    assert_eq!(third.greeting().code, 421);
    assert!(third.is_closed());
    drop(guests);
    poll(DEADLINE, || (smtp::Client::connect(mail).greeting().code == 220).then_some(())).expect("room again");

    let url = format!("http://{}/x", daemon.listener("handsets"));
    // Who of two comes first is decided behind the door.
    let full = || {
        let phone = Connection::open(daemon.listener("handsets")).ok()?;
        let reply = Request::new("GET", &url).try_send().ok().filter(|reply| reply.status == 503)?;
        Some((phone, reply))
    };
    let (phone, reply) = poll(DEADLINE, full).expect("503 for the second phone");
    assert!(reply.field("Retry-After").is_some());
    drop(phone);
    poll(DEADLINE, || Request::new("GET", &url).try_send().ok().filter(|reply| reply.status == 404))
        .expect("room again");

    // The balancer speaks for its guests: this one is on a network that may send anywhere, that one is not.
    let balanced = daemon.listener("balanced");
    let trusted = b"PROXY TCP4 192.0.2.7 127.0.0.1 40000 25\r\n".as_slice();
    let stranger = b"PROXY TCP4 198.51.100.7 127.0.0.1 40000 25\r\n".as_slice();
    // Version 2: signature, PROXY over TCP on IPv4, twelve octets of addresses and ports.
    let binary = |address: [u8; 4]| {
        let signature = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice();
        [signature, &address, &[127, 0, 0, 1, 0x9c, 0x40, 0, 25]].concat()
    };
    let relay = |header: &[u8]| {
        let words = format!("EHLO x\r\nMAIL FROM:<{ANN}>\r\nRCPT TO:<zoe@example.org>\r\nQUIT\r\n");
        let said = converse(balanced, header, &words);
        said.lines().rev().nth(1).and_then(|line| line.get(..3)?.parse::<u16>().ok())
    };
    assert_eq!(relay(trusted), Some(250), "a trusted network");
    assert_eq!(relay(&binary([192, 0, 2, 8])), Some(250), "a trusted network, in octets");
    assert!(relay(stranger).is_some_and(|code| code >= 500), "a stranger");
    assert!(relay(&binary([198, 51, 100, 8])).is_some_and(|code| code >= 500), "a stranger, in octets");
    for none in ["EHLO x\r\n", "PROXY TCP4 x y 1 2\r\n", "PROXY", "\r\n\r\nQUIT\r\n"] {
        assert_eq!(converse(balanced, none.as_bytes(), ""), "", "no service for {none:?}");
    }

    // Whoever is no balancer speaks for himself only.
    let header = String::from_utf8_lossy(trusted).into_owned();
    let said = converse(daemon.listener("direct"), b"", &format!("{header}QUIT\r\n"));
    let codes: Vec<&str> = said.lines().filter_map(|line| line.get(..3)).collect();
    assert_eq!(codes, ["220", "500", "221"], "{said}");

    let mut first = TcpStream::connect(balanced).expect("a connection");
    first.write_all(trusted).expect("a server that listens");
    first.read_exact(&mut [0; 3]).expect("a greeting");
    assert!(converse(balanced, trusted, "").starts_with("421"), "a second one from the same address");
    assert!(converse(balanced, stranger, "QUIT\r\n").starts_with("220"), "others have room");
}

/// All that a server says to this, until it closes.
fn converse(server: SocketAddr, header: &[u8], words: &str) -> String {
    let mut stream = TcpStream::connect(server).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
    // It may be closed by now.
    let _ = stream.write_all(header);
    if words.is_empty() {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let mut said = Vec::new();
    let mut octet = [0];
    // A client speaks when it has been greeted.
    while !said.ends_with(b"\n") && stream.read(&mut octet).is_ok_and(|count| count == 1) {
        said.push(octet[0]);
    }
    let _ = stream.write_all(words.as_bytes());
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}
