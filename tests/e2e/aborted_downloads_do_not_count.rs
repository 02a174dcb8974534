//! A phone that breaks off in the middle of a download has not got its picture: it is told again. Cases E-01, E-09.

use crate::node::{BOB, Node, delivery, handset, mail_to, notified, post, steps, wait_for_state};
use packetboat_harness::http::Request;
use packetboat_harness::mail::png;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Scene, SmsTap};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn aborted_downloads_do_not_count() {
    let scene = Scene::new("aborted_downloads_do_not_count");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).set("transport.direct", "again", r#"["2s", "2s", "2s", "2s", "2s"]"#).start();

    let photo = png(1000, 900, 6);
    let mail = mail_to(BOB).subject("big").text("hello").attach("big.png", "image/png", &photo);
    post(&daemon, &mail);
    let url = notified(&tap, BOB).content_location();
    for octets in [1, 100_000] {
        let mut stream = TcpStream::connect(daemon.listener("handsets")).expect("a connection");
        stream.write_all(&Request::new("GET", &url).bytes()).expect("a server that listens");
        let mut some = vec![0; octets];
        stream.read_exact(&mut some).expect("the beginning of a message");
        // Dropped with octets unread: the connection is reset.
    }
    let fetched =
        || steps(&daemon.get_json(&format!("/api/trace/{}", mail.message_id())), BOB).contains(&"fetched".to_owned());
    never_within(Duration::from_secs(1), "a download that was broken off counts", fetched);
    // It is told again, which a fetched message is not.
    tap.wait_for_pushes(2);

    let message = handset(&daemon, BOB).fetch(&url);
    assert!(message.part("image/png").is_some_and(|part| part.data == photo));
    let trace = daemon.wait_for_trace(mail.message_id(), Duration::from_secs(15), "fetched", |trace| {
        steps(trace, BOB).contains(&"fetched".to_owned()).then(|| trace.clone())
    });
    assert_eq!(delivery(&trace, BOB)["state"], "waiting", "the phone has some time to say so itself");
    handset(&daemon, BOB).retrieve(&notified(&tap, BOB));
    wait_for_state(&daemon, mail.message_id(), BOB, "delivered");
}
