//! The harness's own clients and encoders against each other.

use packetboat_harness::http::{self, Connection, Reply, Request, Server};
use packetboat_harness::mail::png;
use packetboat_harness::mms::{self, Part, Pdu, field};
use packetboat_harness::push::{self, Segment, reassemble};
use packetboat_harness::sms_tap::{Answer, Delivery};
use packetboat_harness::{Handset, SmsTap, smtp};
use std::sync::{Arc, Mutex};

fn echo() -> Server {
    Server::start(|request| {
        let kind = request.field("X-Kind").unwrap_or_default().to_owned();
        let mut reply = Reply::new(200, "text/plain", request.body.clone());
        reply.fields.push(("X-Seen".to_owned(), format!("{} {}|{kind}", request.method, request.target)));
        Some(reply)
    })
}

#[test]
fn http_says_what_it_is_told() {
    let server = echo();
    let url = server.url("/a?b=c");
    assert_eq!(http::get(&url).field("x-seen"), Some("GET /a?b=c|"));
    assert_eq!(http::post(&url, "text/plain", b"hello").expect_status(200).text(), "hello");
    let chunked = Request::new("POST", &url).field("X-Kind", "chunked").body(b"hello world").chunked(4);
    assert!(!String::from_utf8_lossy(&chunked.bytes()).contains("Content-Length"));
    let reply = chunked.send();
    assert_eq!((reply.text().as_str(), reply.field("X-Seen")), ("hello world", Some("POST /a?b=c|chunked")));
    let absolute = Request::new("GET", &url).absolute_form().http10().send();
    assert_eq!(absolute.field("X-Seen"), Some(format!("GET {url}|").as_str()));

    let mut slow = Connection::open(server.address()).expect("a connection");
    for byte in Request::new("POST", &url).body(b"slow").bytes() {
        slow.write(&[byte]).expect("a byte");
    }
    assert_eq!(slow.read_reply("POST").expect("a reply").text(), "slow");
    assert!(slow.is_closed());
}

#[test]
fn escapes_are_undone() {
    assert_eq!(http::percent_decode("a+b%00%ffc%zz%4"), b"a b\0\xffc%zz%4");
    assert_eq!(http::percent_encode(b"a b\0\xff"), "a%20b%00%FF");
}

#[test]
fn dots_are_doubled() {
    assert_eq!(smtp::stuffed(b".a\r\n..\r\nb"), b"..a\r\n...\r\nb\r\n.\r\n");
}

#[test]
fn pdus_are_read_as_they_were_written() {
    let parts = [
        Part::new("application/smil", "smil", "<smil/>"),
        Part::new("image/png", "photo.png", png(4, 3, 1)),
        Part::new("text/plain", "text.txt", "long ".repeat(100)),
    ];
    let bytes = mms::send_req("t1", &["+447700900123/TYPE=PLMN", "ann@example.org"], "grüße")
        .octet(field::DELIVERY_REPORT, mms::YES)
        .expiry(3600)
        .body(&parts);
    let pdu = Pdu::read(&bytes);
    assert_eq!(pdu.kind(), mms::kind::SEND_REQ);
    assert_eq!(pdu.transaction_id(), "t1");
    assert_eq!(pdu.texts(field::TO), ["+447700900123/TYPE=PLMN", "ann@example.org"]);
    assert_eq!(pdu.text(field::SUBJECT).as_deref(), Some("grüße"));
    assert_eq!(pdu.octet(field::DELIVERY_REPORT), Some(mms::YES));
    assert_eq!(pdu.content_type, "application/vnd.wap.multipart.related");
    assert_eq!(pdu.parts, parts);
    for end in 1..bytes.len() {
        // Cut inside a body it must be noticed; between header fields there is nothing to notice.
        let cut = Pdu::try_read(&bytes[..end]);
        assert!(cut.is_none_or(|cut| cut.parts.is_empty()), "cut at {end}");
    }

    let notification = Pdu::read(&mms::notification_ind("t2", "+4477/TYPE=PLMN", 70_000, "http://127.0.0.1/x"));
    assert_eq!(notification.text(field::FROM).as_deref(), Some("+4477/TYPE=PLMN"));
    assert_eq!(notification.long(field::MESSAGE_SIZE), Some(70_000));
    assert_eq!(notification.content_location(), "http://127.0.0.1/x");
    let accented = mms::Writer::new(mms::kind::RETRIEVE_CONF, None).from(Some("Zoë <zoe@example.org>")).bytes();
    assert_eq!(Pdu::read(&accented).text(field::FROM).as_deref(), Some("Zoë <zoe@example.org>"));
}

#[test]
fn pushes_are_put_together_from_segments() {
    let wsp = push::wrap(&mms::notification_ind("t3", "+4477", 1, "http://127.0.0.1/y"));
    assert_eq!(push::unwrap(&wsp).map(|pdu| Pdu::read(pdu).transaction_id()).as_deref(), Some("t3"));
    let (first, second) = wsp.split_at(20);
    let segment = |to: &str, udh: &[u8], data: &[u8]| Segment {
        from: "100".to_owned(),
        to: to.to_owned(),
        udh: udh.to_vec(),
        data: data.to_vec(),
    };
    let ports = [0x05, 0x04, 0x0b, 0x84, 0x23, 0xf0];
    let eight_bit = |number: u8| [&[0x0b][..], &ports, &[0x00, 0x03, 0x2a, 2, number]].concat();
    let sixteen_bit = |number: u8| [&[0x0c][..], &ports, &[0x08, 0x04, 0x2a, 0x2a, 2, number]].concat();
    let messages = [
        segment("a", &eight_bit(2), second),
        segment("b", &eight_bit(1), first),
        segment("a", &sixteen_bit(1), first),
        segment("a", &eight_bit(1), first),
        segment("a", &[], b"plain text"),
        segment("c", &[&[0x06][..], &ports].concat(), &wsp),
    ];
    let pushes = reassemble(&messages);
    let seen: Vec<_> = pushes.iter().map(|push| (push.to.as_str(), push.port, push.segments)).collect();
    assert_eq!(seen, [("a", 2948, 2), ("c", 2948, 1)]);
    assert!(pushes.iter().all(|push| push.wsp == wsp));
}

#[test]
fn the_tap_fails_on_command() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&reports);
    let listener = Server::start(move |request| {
        seen.lock().expect("no panic").push(request.target);
        Some(Reply::new(200, "text/plain", ""))
    });
    let tap = SmsTap::start();
    let wsp = push::wrap(&mms::notification_ind("t4", "+4477", 1, "http://127.0.0.1/z"));
    let dlr = http::percent_encode(listener.url("/dlr?state=%d&to=%p").as_bytes());
    let url = format!(
        "{}?username=u&password=p&from=100&to=%2B447700900123&udh=%06%05%04%0B%84%23%F0&text={}&dlr-mask=31&dlr-url={dlr}",
        tap.url(),
        http::percent_encode(&wsp)
    );
    tap.script([Answer::Refuse(503, "Temporal failure, try again later.".to_owned()), Answer::HangUp]);
    http::get(&url).expect_status(503);
    assert!(Request::new("GET", &url).try_send().is_err());
    assert!(tap.pushes().is_empty());
    assert_eq!(http::get(&url).expect_status(202).text(), "0: Accepted for delivery");
    let push = tap.wait_for_push("+447700900123", |push| push.mms().transaction_id() == "t4");
    assert_eq!((push.port, push.wsp), (push::PUSH_PORT, wsp));
    assert_eq!(tap.requests().len(), 3);
    let sms = &tap.accepted()[0];
    assert_eq!((sms.dlr_mask, sms.parameter("username").as_deref()), (31, Some("u")));
    tap.report(sms, Delivery::Delivered).expect_status(200);
    assert_eq!(*reports.lock().expect("no panic"), ["/dlr?state=1&to=%2B447700900123"]);
}

#[test]
fn a_handset_retrieves_by_hand() {
    let posted = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&posted);
    let mmsc = Server::start(move |request| {
        assert_eq!(request.field("X-MSISDN"), Some("+447700900123"));
        if request.method == "GET" {
            let parts = [Part::new("text/plain", "a.txt", "hi")];
            let conf = mms::retrieve_conf("t5", "m5", "+4477", "hello", &parts);
            return Some(Reply::new(200, mms::MEDIA_TYPE, conf));
        }
        let pdu = Pdu::read(&request.body);
        let answer = if pdu.kind() == mms::kind::SEND_REQ { mms::send_conf("t6", "m6") } else { Vec::new() };
        seen.lock().expect("no panic").push(pdu);
        Some(Reply::new(200, mms::MEDIA_TYPE, answer))
    });
    let handset = Handset::new(&mmsc.url("/mms")).field("X-MSISDN", "+447700900123");
    let notification = Pdu::read(&mms::notification_ind("t5", "+4477", 1, &mmsc.url("/m")));
    let message = handset.retrieve(&notification);
    assert_eq!((message.message_id().as_str(), message.parts[0].data.as_slice()), ("m5", b"hi".as_slice()));
    assert_eq!(posted.lock().expect("no panic")[0].octet(field::STATUS), Some(mms::status::RETRIEVED));
    let conf = handset.submit(&mms::send_req("t6", &["+4478"], "s").body(&[]));
    assert_eq!((conf.response_status(), conf.message_id().as_str()), (Some(mms::OK), "m6"));
}
