//! Short messages that smsbox brings are taken from whom the settings say, and acknowledged once taken.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use packetboat_api::roles::{Arrival, SmsBody};
use support::{Desk, Memory, TOKEN, build_with, call, serve_callbacks, settings};

const WITH_TOKEN: &str = "sms_token = { file = \"token\" }";

async fn listening(more: &str) -> (Arc<Desk>, SocketAddr) {
    let desk = Arc::new(Desk::default());
    let toml = settings("127.0.0.1:9".parse().unwrap(), &format!("dlr_listen = [\"127.0.0.1:0\"]\n{more}"));
    let bearer = build_with(&toml, Arc::<Memory>::default(), desk.clone()).unwrap();
    (desk, serve_callbacks(bearer.callbacks().unwrap()).await)
}

fn arrival(body: SmsBody) -> Arrival {
    Arrival { bearer: "smsc".into(), from: "+358401".into(), to: "100".into(), body }
}

/// What a GET with these fields is answered, and what it came to.
async fn brought(fields: &str) -> (u16, Vec<Arrival>) {
    let (desk, address) = listening(WITH_TOKEN).await;
    let status = call(address, "GET", &format!("/sms/{TOKEN}?from=%2B358401&to=100&{fields}")).await;
    (status, desk.taken())
}

#[tokio::test]
async fn each_coding_is_read_as_what_it_is() {
    let text = |text: &str| (200, vec![arrival(SmsBody::Text(text.into()))]);
    assert_eq!(brought("coding=0&charset=UTF-8&udh=&text=Gr%C3%BC%C3%9Fe+%E2%82%AC%2B").await, text("Grüße €+"));
    assert_eq!(brought("coding=2&charset=UTF-16BE&udh=&text=%04%1F%00%21").await, text("П!"));
    assert_eq!(brought("coding=2&text=%04%1F").await, text("П"));
    assert_eq!(brought("coding=2&charset=UTF-8&text=%D0%9F").await, text("П"));
    assert_eq!(brought("text=plain").await, text("plain"));
    let push = (200, vec![arrival(SmsBody::Push(b"\x01\x06\x00\xff%".as_slice().into()))]);
    let udh = "udh=%06%05%04%0B%84%23%F0";
    assert_eq!(brought(&format!("coding=1&charset=8-BIT&{udh}&text=%01%06%00%FF%25")).await, push);
    assert_eq!(brought(&format!("{udh}&text=%01%06%00%FF%25")).await, push, "ports carry data");
    let data = SmsBody::Data { destination: 49999, originator: 1, octets: b"d".as_slice().into() };
    assert_eq!(brought("coding=1&udh=%06%05%04%C3%4F%00%01&text=d").await, (200, vec![arrival(data)]));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_forgotten() {
    for fields in ["coding=7&text=x", "coding=1&udh=%05%00%03%01%02&text=x", "coding=1&udh=%02%70%00x&text=x"] {
        assert_eq!(brought(fields).await, (400, vec![]), "{fields}");
    }
    let (desk, address) = listening(WITH_TOKEN).await;
    assert_eq!(call(address, "GET", &format!("/sms/{TOKEN}?to=100&coding=0&text=nobody")).await, 400);
    assert_eq!(call(address, "PUT", &format!("/sms/{TOKEN}?from=1&text=x")).await, 405);
    assert!(desk.taken().is_empty());
}

#[tokio::test]
async fn segments_become_whole_and_come_again_until_taken() {
    let (desk, address) = listening(WITH_TOKEN).await;
    *desk.later.lock().unwrap() = 1;
    let part = |number: u8, text: &str| {
        format!(
            "/sms/{TOKEN}?from=%2B358401&to=100&coding=1&udh=%0B%05%04%0B%84%23%F0%00%03%07%02%{number:02}&text={text}"
        )
    };
    assert_eq!(call(address, "GET", &part(2, "push")).await, 200);
    assert_eq!(call(address, "POST", &part(1, "a+")).await, 503, "nobody can take it now");
    assert_eq!(call(address, "GET", &part(1, "a+")).await, 200);
    assert_eq!(desk.taken(), [arrival(SmsBody::Push(b"a push".as_slice().into()))]);
}

#[tokio::test]
async fn only_who_may_bring_does() {
    let (desk, address) = listening(WITH_TOKEN).await;
    let rest = "?from=1&text=x";
    for path in ["/sms", "/sms/", "/sms/wrong", &format!("/sms/{TOKEN}x"), &format!("/sms{TOKEN}"), "/"] {
        assert_eq!(call(address, "GET", &format!("{path}{rest}")).await, 404, "{path}");
    }
    assert_eq!(call(address, "GET", &format!("/behind/a/proxy/sms/{TOKEN}{rest}")).await, 200);
    assert_eq!(desk.taken().len(), 1);

    let (desk, address) = listening("sms_networks = [\"192.0.2.0/24\", \"127.0.0.0/8\"]").await;
    assert_eq!(call(address, "GET", &format!("/sms{rest}")).await, 200);
    assert_eq!(call(address, "GET", &format!("/sms/x{rest}")).await, 404);
    assert_eq!(desk.taken().len(), 1);

    for more in ["", "sms_networks = [\"192.0.2.0/24\"]"] {
        let (desk, address) = listening(more).await;
        assert_eq!(call(address, "GET", &format!("/sms{rest}")).await, 404, "{more}");
        assert!(desk.taken().is_empty());
    }
    let (_, address) = listening(&format!("{WITH_TOKEN}\nsms_networks = [\"192.0.2.0/24\"]")).await;
    assert_eq!(call(address, "GET", &format!("/sms/{TOKEN}{rest}")).await, 404, "the token alone is not enough");
}
