//! Phones and their gateways write HTTP in every way there is; they are all served. Cases, B-04, B-05,
//! I-04, I-05.

use crate::node::{ANN, BOB, CAROL, Node, handset, mail_to, mmsc, notified, post, text_part, wait_for_state};
use packetboat_harness::http::{Connection, Request};
use packetboat_harness::mms::{self, MEDIA_TYPE, Pdu, Writer, field, kind};
use packetboat_harness::{Daemon, Scene, SmsTap};

#[test]
fn slow_and_odd_phones_are_served() {
    let scene = Scene::new("slow_and_odd_phones_are_served");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).start();
    uploads(&daemon);
    bodies(&daemon);
    downloads(&daemon, &tap);
}

/// An m-send-req to Bob.
fn message(tid: &str) -> Vec<u8> {
    mms::send_req(tid, &[BOB], "odd").body(&text_part(&"hello ".repeat(500)))
}

#[track_caller]
fn taken(reply: &packetboat_harness::http::Reply, tid: &str) {
    assert_eq!((reply.status, reply.field("Content-Type")), (200, Some(MEDIA_TYPE)), "{tid}: {}", reply.text());
    let conf = Pdu::read(&reply.body);
    assert_eq!((conf.transaction_id().as_str(), conf.response_status()), (tid, Some(mms::OK)));
}

fn uploads(daemon: &Daemon) {
    let carol = handset(daemon, CAROL);
    let url = mmsc(daemon, CAROL);
    let request = |tid: &str| carol.request(&url, &message(tid));
    taken(&request("chunked").chunked(100).send(), "chunked");
    taken(&request("one-octet-chunks").chunked(1).send(), "one-octet-chunks");
    taken(&request("absolute").absolute_form().send(), "absolute");
    let old = request("http10").http10().send();
    taken(&old, "http10");
    let posted = Request::new("POST", &url).body(&message("no-content-type")).send();
    taken(&posted, "no-content-type");
    let with_parameter =
        Request::new("POST", &url).field("Content-Type", "application/vnd.wap.mms-message; charset=utf-8");
    taken(&with_parameter.body(&message("with-parameter")).send(), "with-parameter");
    taken(&request("odd-profile").field("x-wap-profile", "\"not a url").field("User-Agent", "").send(), "odd-profile");
    taken(&request("expect").field("Expect", "100-continue").send(), "expect");

    let modern = request("close").send();
    taken(&modern, "close");
    assert!(modern.field("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close")), "{:?}", modern.fields);

    // A few octets at a time, as over GPRS: each write is a packet of its own.
    let bytes = request("slow").bytes();
    let mut connection = Connection::open(daemon.listener("handsets")).expect("a connection");
    for piece in bytes.chunks(7) {
        connection.write(piece).expect("a server that listens");
    }
    taken(&connection.read_reply("POST").expect("an answer"), "slow");

    // A phone that says it has nothing more to say, as soon as it has said it.
    let mut connection = Connection::open(daemon.listener("handsets")).expect("a connection");
    connection.write(&request("half-closed").bytes()).expect("a server that listens");
    connection.finish().expect("an open connection");
    taken(&connection.read_reply("POST").expect("an answer"), "half-closed");
}

/// A body that is one part and no multipart, and one of unknown header fields.
fn bodies(daemon: &Daemon) {
    let carol = handset(daemon, CAROL);
    let single = Writer::new(kind::SEND_REQ, Some("single")).from(None).encoded(field::TO, BOB).bytes();
    let single = [single, vec![0x84, 0x83], b"just text".to_vec()].concat();
    taken(&carol.post(&single), "single");
    let unknown = Writer::new(kind::SEND_REQ, Some("unknown")).octet(0x7e, 0x80).from(None).encoded(field::TO, BOB);
    let unknown = [unknown.bytes(), b"X-Vendor\0thing\0".to_vec()].concat();
    let body = Writer::new(kind::SEND_REQ, None).body(&text_part("hello"));
    let content = body.iter().position(|octet| *octet == 0x84).expect("Content-Type");
    taken(&carol.post(&[&unknown, &body[content..]].concat()), "unknown");
}

fn downloads(daemon: &Daemon, tap: &SmsTap) {
    let mail = mail_to(BOB).subject("fetch me").text("hello");
    post(daemon, &mail);
    let from_ann = |push: &packetboat_harness::push::Push| push.mms().text(field::FROM).is_some_and(|from| from == ANN);
    let notification = tap.wait_for_push(BOB, from_ann).mms();
    assert!(!notified(tap, BOB).content_location().is_empty());
    let (url, tid) = (notification.content_location(), notification.transaction_id());
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let clean = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'/';
    assert!(path.len() >= 22 && path.bytes().all(clean), "a path that needs escapes is a path that breaks: {url}");

    let fetched = |what: &str, reply: packetboat_harness::http::Reply| {
        let reply = reply.expect_status(200);
        assert_eq!(reply.field("Content-Length"), Some(reply.body.len().to_string().as_str()), "{what}");
        let pdu = Pdu::read(&reply.body);
        assert_eq!(
            (pdu.kind(), pdu.text(field::SUBJECT).as_deref()),
            (kind::RETRIEVE_CONF, Some("fetch me")),
            "{what}"
        );
        assert_eq!(pdu.retrieve_status().unwrap_or(mms::OK), mms::OK, "{what}");
    };
    fetched("plain", Request::new("GET", &url).send());
    fetched("appended transaction id", Request::new("GET", &format!("{url}{tid}")).send());
    fetched("transaction id as a query", Request::new("GET", &format!("{url}?{tid}")).send());
    fetched("transaction id by name", Request::new("GET", &format!("{url}?transactionid={tid}")).send());
    fetched("absolute form", Request::new("GET", &url).absolute_form().field("Proxy-Connection", "keep-alive").send());
    fetched("HTTP/1.0", Request::new("GET", &url).http10().send());
    fetched("strange agent", Request::new("GET", &url).field("User-Agent", "Ruby").field("Accept", "text/html").send());
    Request::new("HEAD", &url).send().expect_status(200);
    Request::new("GET", &url.replace(path, &path.to_lowercase())).send();

    // The answer may be posted to the content URL, by phones that were given no other.
    let retrieved = mms::notifyresp_ind(&tid, mms::status::RETRIEVED);
    handset(daemon, BOB).request(&url, &retrieved).send().expect_status(200);
    wait_for_state(daemon, mail.message_id(), BOB, "delivered");
}
