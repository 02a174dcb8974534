//! Told to stop, the daemon finishes what clients have begun, turns away what is new, and goes in good time.

use crate::node::{ANN, BOB, CAROL, Node, at, deliveries, handset, mail_to, mmsc, notified, post, text_part};
use packetboat_harness::http::{Connection, Request};
use packetboat_harness::mms::{self, Pdu, field};
use packetboat_harness::{DEADLINE, Scene, SmsTap, smtp, wait_until};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn draining_finishes_what_is_under_way() {
    let scene = Scene::new("draining_finishes_what_is_under_way");
    let tap = SmsTap::start();
    let mut daemon = Node::new(&scene, &tap).start();
    let (mail_door, mms_door) = (daemon.listener("mail"), daemon.listener("handsets"));
    post(&daemon, &mail_to(BOB).subject("before").text("hello"));
    let waiting = notified(&tap, BOB).content_location();

    // A mail, an upload and a download, each begun; and connections on which nothing happens.
    let mut mail = smtp::Client::connect(mail_door);
    mail.ehlo();
    mail.command(&format!("MAIL FROM:<{ANN}>")).expect_code(250);
    mail.command(&format!("RCPT TO:<{}>", at(BOB))).expect_code(250);
    mail.command("DATA").expect_code(354);
    mail.write(b"Subject: half a mail\r\n\r\nhello");
    let message = mms::send_req("t1", &[BOB], "half an upload").body(&text_part("hello"));
    let request = handset(&daemon, CAROL).request(&mmsc(&daemon, CAROL), &message).bytes();
    let (first, rest) = request.split_at(request.len() - 20);
    let mut upload = Connection::open(mms_door).expect("a connection");
    upload.write(first).expect("a server that listens");
    let question = Request::new("GET", &waiting).bytes();
    let mut download = Connection::open(mms_door).expect("a connection");
    download.write(&question[..question.len() - 2]).expect("a server that listens");
    let mut idle_mail = smtp::Client::connect(mail_door);
    idle_mail.ehlo();
    let mut idle_phone = Connection::open(mms_door).expect("a connection");
    let kept_alive = Connection::open(daemon.admin()).expect("a connection");

    daemon.ask_to_stop();
    wait_until(DEADLINE, "the door to close", || TcpStream::connect(mail_door).is_err());
    assert!(daemon.is_running(), "it does not wait for what is under way");
    assert_eq!(idle_mail.read_reply().code, 421, "who has nothing under way is told");
    let before = Instant::now();
    assert!(
        idle_phone.is_closed() && before.elapsed() < Duration::from_secs(10),
        "a connection without a request is closed"
    );
    drop((idle_mail, idle_phone));

    mail.write(b"\r\n.\r\n");
    mail.read_reply().expect_code(250);
    let next = mail.try_command(&format!("MAIL FROM:<{ANN}>"));
    assert!(next.as_ref().map_or(true, |reply| reply.code == 421), "a further mail: {next:?}");
    upload.write(rest).expect("a server that listens");
    let conf = Pdu::read(&upload.read_reply("POST").expect("an answer").expect_status(200).body);
    assert_eq!(conf.response_status(), Some(mms::OK));
    download.write(&question[question.len() - 2..]).expect("a server that listens");
    let fetched = Pdu::read(&download.read_reply("GET").expect("an answer").expect_status(200).body);
    assert_eq!(fetched.text(field::SUBJECT).as_deref(), Some("before"));
    drop((mail, upload, download));

    let finished = Instant::now();
    wait_until(DEADLINE, "the end of the daemon", || !daemon.is_running());
    assert!(finished.elapsed() < Duration::from_secs(10), "it took {:?}", finished.elapsed());
    assert!(daemon.stop().success());
    drop(kept_alive);

    daemon.start();
    let mut subjects: Vec<_> =
        deliveries(&daemon).iter().filter_map(|it| Some(it["subject"].as_str()?.to_owned())).collect();
    subjects.sort();
    assert_eq!(subjects, ["before", "half a mail", "half an upload"]);
    tap.wait_for_push(BOB, |push| push.mms().text(field::SUBJECT).is_some_and(|subject| subject == "half an upload"));
}
