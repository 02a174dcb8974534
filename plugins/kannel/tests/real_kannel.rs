//! Kannel itself: bearerbox and smsbox take what this bearer says, fakesmsc is the phone, and smsbox calls back.

mod support;

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::roles::BearerError;
use packetboat_harness::peers::Kannel;
use packetboat_harness::{DEADLINE, Peer, Scene, wait_until};
use packetboat_push::Push as WspPush;
use support::{Memory, build, push, serve_callbacks};

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

/// Waits until exactly these facts were seen so many times.
fn wait_for_evidence(witness: &Memory, wanted: &[(&str, usize)]) {
    let count = |fact: &str| witness.lines().iter().filter(|line| line.starts_with(&format!("{fact} "))).count();
    let everything: usize = wanted.iter().map(|(_, times)| times).sum();
    wait_until(DEADLINE, &format!("{wanted:?} from Kannel's callbacks"), || {
        wanted.iter().all(|(fact, times)| count(fact) == *times) && witness.lines().len() == everything
    });
}
