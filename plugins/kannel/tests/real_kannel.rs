//! Kannel itself: bearerbox and smsbox take what this bearer says, fakesmsc is the phone, and smsbox calls back: with
//! reports, and with what the phone sends.

mod support;

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::roles::{BearerError, SmsBody};
use packetboat_harness::peers::{Kannel, kannel};
use packetboat_harness::{DEADLINE, Peer, Scene, http, wait_for, wait_until};
use packetboat_push::Push as WspPush;
use support::{Desk, Memory, TOKEN, build, build_with, carrying, push, serve_callbacks, settings};

/// m-notification-ind with a short Subject.
const SHORT: &[u8] =
    b"\x8c\x82\x98n9\0\x8d\x92\x89\x15\x80+15550101/TYPE=PLMN\0\x96\x04\xeaHi\0\x8a\x80\x8e\x02\x04\xd2\
    \x88\x05\x81\x03\x01\x51\x80\x83http://mmsc/m/n9\0";

/// The same with a Subject of 60 characters and a longer address.
const LONG: &[u8] = b"\x8c\x82\x98n11\0\x8d\x92\x89\x15\x80+15550101/TYPE=PLMN\0\x96\x1f\x3e\xea\
    A subject that is long enough to need a second short message\0\x8a\x80\x8e\x02\x75\x30\
    \x88\x05\x81\x03\x03\xf4\x80\x83http://mmsc.example.net:8080/mms/n11-4f1c9d2e7b\0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_arrive_and_callbacks_become_evidence() {
    let Some(scene) = Scene::with_peers("kannel_carries_notifications", &[Peer::Kannel]) else { return };
    let kannel = Kannel::start(&scene);
    let witness = Arc::new(Memory::default());
    let toml = |more: &str| {
        format!(
            "url = \"{}\"\nusername = \"{}\"\npassword = {{ file = \"kannel-secret\" }}\nfrom = \"100\"\n\
             dlr_listen = [\"127.0.0.1:0\"]\n{more}",
            kannel.url(),
            Kannel::USER
        )
    };
    let bearer = build(&toml(""), witness.clone()).unwrap();
    serve_callbacks(bearer.clone().callbacks().unwrap()).await;

    let short = WspPush::mms(1, Bytes::from_static(SHORT)).encode();
    let long = WspPush::mms(2, Bytes::from_static(LONG)).encode();
    assert_eq!(bearer.send(push(short.clone())).await.unwrap().segments, 1);
    assert_eq!(bearer.send(push(long.clone())).await.unwrap().segments, 2);
    let arrived = kannel.wait_for_pushes(2);
    assert_eq!((&arrived[0].wsp, arrived[0].segments, arrived[0].port), (&short.to_vec(), 1, 2948));
    assert_eq!((&arrived[1].wsp, arrived[1].segments, arrived[1].port), (&long.to_vec(), 2, 2948));
    assert_eq!((&arrived[0].to[..], &arrived[0].from[..]), ("+358401234567", "100"));
    // "Taken" for each of three short messages, "reached" for the first of two, "delivered" once for each push.
    wait_for_evidence(&witness, &[("push_sent", 4), ("push_delivered", 2)]);

    let witness = Arc::new(Memory::default());
    let by_kannel = build(&toml("segmentation = \"kannel\""), witness.clone()).unwrap();
    serve_callbacks(by_kannel.clone().callbacks().unwrap()).await;
    assert_eq!(by_kannel.send(push(long.clone())).await.unwrap().segments, 2);
    let arrived = &kannel.wait_for_pushes(3)[2];
    assert_eq!((&arrived.wsp, arrived.segments), (&long.to_vec(), 2));
    wait_for_evidence(&witness, &[("push_sent", 2), ("push_delivered", 0)]);

    let stranger = build(&toml("").replace(Kannel::USER, "stranger"), Arc::default()).unwrap();
    let error = stranger.send(push(short)).await.unwrap_err();
    assert!(matches!(&error, BearerError::Retry { why, .. } if why.contains("Authorization failed")), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_and_data_arrive() {
    let Some(scene) = Scene::with_peers("kannel_carries_words_and_data", &[Peer::Kannel]) else { return };
    let kannel = Kannel::start(&scene);
    let toml = |more: &str| {
        format!(
            "url = \"{}\"\nusername = \"{}\"\npassword = {{ file = \"kannel-secret\" }}\nfrom = \"100\"\n{more}",
            kannel.url(),
            Kannel::USER
        )
    };
    let bearer = build(&toml(""), Arc::default()).unwrap();
    let by_kannel = build(&toml("segmentation = \"kannel\""), Arc::default()).unwrap();
    let text = |text: &str| carrying(SmsBody::Text(text.to_owned()));
    let long = "A text of so many words that one short message cannot hold them; ".repeat(4);
    assert_eq!(bearer.send(text("Gr\u{fc}\u{df}e {\u{20ac}}")).await.unwrap().segments, 1);
    assert_eq!(bearer.send(text("Привет")).await.unwrap().segments, 1);
    assert_eq!(bearer.send(text(&long)).await.unwrap().segments, 2);
    assert_eq!(by_kannel.send(text(&long)).await.unwrap().segments, 2);
    let data = SmsBody::Data { destination: 49999, originator: 49154, octets: Bytes::from(vec![0xfe; 200]) };
    assert_eq!(bearer.send(carrying(data)).await.unwrap().segments, 2);

    let arrived = wait_for(DEADLINE, "eight short messages", || Some(kannel.messages()).filter(|all| all.len() == 8));
    let said = |at: usize| String::from_utf8_lossy(&arrived[at].data);
    assert_eq!((said(0), arrived[0].udh.len()), ("Gr\u{fc}\u{df}e {\u{20ac}}".into(), 0));
    // The fake network knows of no UCS-2 and shows its octets.
    assert_eq!(http::percent_decode(&said(1)), [4, 0x1f, 4, 0x40, 4, 0x38, 4, 0x32, 4, 0x35, 4, 0x42]);
    assert_eq!((said(2).len(), said(2) + &*said(3)), (153, long.as_str().into()));
    assert_eq!((said(4).len(), said(4) + &*said(5)), (153, long.as_str().into()));
    let header = |at: usize| (&arrived[at].udh[..3], arrived[at].udh[4..].to_vec());
    assert_eq!((header(2), header(3)), ((&[5, 0, 3][..], vec![2, 1]), (&[5, 0, 3][..], vec![2, 2])));
    assert_eq!(arrived[6].udh[..9], *b"\x0b\x05\x04\xc3\x4f\xc0\x02\x00\x03");
    assert_eq!([&arrived[6].data[..], &arrived[7].data].concat(), [0xfe; 200]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_phone_sends_is_offered_until_taken() {
    let Some(scene) = Scene::with_peers("kannel_brings_what_phones_send", &[Peer::Kannel]) else { return };
    let desk = Arc::new(Desk::default());
    let more = "dlr_listen = [\"127.0.0.1:0\"]\nsms_token = { file = \"token\" }";
    let toml = settings("127.0.0.1:9".parse().unwrap(), more);
    let bearer = build_with(&toml, Arc::default(), desk.clone()).unwrap();
    let address = serve_callbacks(bearer.callbacks().unwrap()).await;
    let fields = "from=%p&to=%P&coding=%c&charset=%C&udh=%u&text=%b";
    let arrivals = format!("http://{address}/sms/{TOKEN}?{fields}");
    let mut kannel = Kannel::with(&scene, &kannel::Options { arrivals, ppg: false });

    *desk.later.lock().unwrap() = 1;
    let taken = |count: usize| {
        let what = format!("{count} messages from phones");
        wait_for(DEADLINE, &what, || Some(desk.taken()).filter(|taken| taken.len() == count)).pop().unwrap()
    };
    kannel.originate("+358401234567 100 text send help & more");
    let first = taken(1);
    assert_eq!((&first.from[..], &first.to[..], &first.bearer[..]), ("+358401234567", "100", "smsc"));
    assert_eq!(first.body, SmsBody::Text("send help & more".into()));
    let push = |octets: &[u8]| SmsBody::Push(octets.to_vec().into());
    kannel.originate("+358401234567 100 udh %06%05%04%0B%84%23%F0 %01%06%00%FF%25%20%2B");
    assert_eq!(taken(2).body, push(b"\x01\x06\x00\xff% +"));
    kannel.originate("+358401234567 100 udh %0B%05%04%0B%84%23%F0%00%03%07%02%02 %02%02");
    kannel.originate("+358401234567 100 udh %0B%05%04%0B%84%23%F0%00%03%07%02%01 %01%06%00");
    assert_eq!(taken(3).body, push(b"\x01\x06\x00\x02\x02"));
}

/// Waits until exactly these facts were seen so many times.
fn wait_for_evidence(witness: &Memory, wanted: &[(&str, usize)]) {
    let count = |fact: &str| witness.lines().iter().filter(|line| line.starts_with(&format!("{fact} "))).count();
    let everything: usize = wanted.iter().map(|(_, times)| times).sum();
    wait_until(DEADLINE, &format!("{wanted:?} from Kannel's callbacks"), || {
        wanted.iter().all(|(fact, times)| count(fact) == *times) && witness.lines().len() == everything
    });
}
