//! A number in a header field is who the phone is, if a listed proxy says so; from anybody else it is nothing. Cases A-14,
//! B-01, I-03.

use crate::node::{BOB, CAROL, Node, handset, plmn, text_part};
use packetboat_harness::http::Request;
use packetboat_harness::mms::{self, MEDIA_TYPE, Pdu, field};
use packetboat_harness::{Gateway, Handset, Scene, SmsTap};

const SERVICE_DENIED: u8 = 0xe1;

#[test]
fn proxy_headers_count_only_from_listed_proxies() {
    let scene = Scene::new("proxy_headers_count_only_from_listed_proxies");
    let tap = SmsTap::start();
    // Two doors of one node: here the loopback address is an operator's proxy, there it is anybody.
    let node = Node::new(&scene, &tap)
        .set("listener.handsets", "trusted_proxies", r#"["127.0.0.1/32"]"#)
        .set("listener.elsewhere", "plugin", r#""mm1""#)
        .set("listener.elsewhere", "listen", r#"["127.0.0.1:{port:elsewhere}"]"#)
        .set("listener.elsewhere", "trusted_proxies", r#"["10.0.0.0/8"]"#)
        .set("transport.direct", "door", r#""handsets""#)
        .set("numbers", "country_code", r#""44""#)
        .set("numbers", "national_prefix", r#""0""#);
    let daemon = node.start();
    let inside = format!("http://{}/", daemon.listener("handsets"));
    let outside = format!("http://{}/", daemon.listener("elsewhere"));
    let message = |tid: &str| mms::send_req(tid, &[CAROL], tid).body(&text_part("hello"));
    let status = |phone: &Handset, tid: &str| phone.submit(&message(tid)).response_status();

    for (count, name) in ["X-MSISDN", "X-WAP-Network-Client-MSISDN", "x-nokia-msisdn"].into_iter().enumerate() {
        let claims =
            Handset::new(&outside).field(name, BOB).field("X-Forwarded-For", "10.1.2.3").field("Via", "1.1 gw");
        assert_eq!(status(&claims, "outside"), Some(SERVICE_DENIED), "{name} from anybody");
        for (form, value) in [("plus", "+447700900123"), ("bare", "447700900123"), ("national", "07700900123")] {
            // Short, so that it is in the notification.
            let tid = format!("{form}{count}");
            assert_eq!(status(&Handset::new(&inside).field(name, value), &tid), Some(mms::OK), "{name}: {value}");
            let push = tap.wait_for_push(CAROL, |push| push.mms().text(field::SUBJECT).is_some_and(|it| it == tid));
            assert_eq!(push.mms().text(field::FROM).as_deref(), Some(plmn(BOB).as_str()), "{name}: {value}");
        }
    }
    assert_eq!(status(&Handset::new(&inside), "nobody"), Some(SERVICE_DENIED), "a proxy that does not say");
    assert_eq!(status(&Handset::new(&inside).field("X-MSISDN", "whoever"), "nonsense"), Some(SERVICE_DENIED));

    // Behind the gateway a phone's own claim is overwritten; it cannot be another.
    let gateway = Gateway::start(&[("X-MSISDN", BOB)]);
    let claim =
        Request::new("POST", &inside).absolute_form().field("Content-Type", MEDIA_TYPE).field("X-MSISDN", CAROL);
    let mut connection = packetboat_harness::http::Connection::open(gateway.address()).expect("the gateway");
    connection.write(&claim.body(&message("behind")).bytes()).expect("a gateway that listens");
    let reply = connection.read_reply("POST").expect("an answer").expect_status(200);
    assert_eq!(Pdu::read(&reply.body).response_status(), Some(mms::OK));
    let push = tap.wait_for_push(CAROL, |push| push.mms().text(field::SUBJECT).is_some_and(|it| it == "behind"));
    assert_eq!(push.mms().text(field::FROM).as_deref(), Some(plmn(BOB).as_str()));

    // A phone whose number is known cannot speak for another's message; nor can a wrong secret be outvoted by a header.
    let answer = mms::notifyresp_ind(&push.mms().transaction_id(), mms::status::REJECTED);
    handset(&daemon, BOB).post(&answer);
    let guess = Handset::new(&format!("{inside}mms/NotASecretOfOurs")).field("X-MSISDN", BOB);
    assert_eq!(status(&guess, "guess"), Some(SERVICE_DENIED));
    let read = handset(&daemon, CAROL).retrieve(&push.mms());
    assert_eq!(read.text(field::SUBJECT).as_deref(), Some("behind"));
}
