//! Kannel's push proxy gateway takes what this bearer submits, and its fake network gets the push.

mod support;

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::roles::{BearerError, Health, Sms};
use packetboat_harness::peers::{Kannel, kannel};
use packetboat_harness::{Peer, Scene};
use packetboat_push::{ApplicationId, Indication, Push};
use support::{Memory, build, serve_callbacks};

/// A push of use until 2100: Kannel has a clock of its own.
fn push(push: &Push) -> Sms {
    Sms { expires: Timestamp::from_seconds(4_102_444_800), ..support::push(push.encode()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_reach_the_network() {
    let Some(scene) = Scene::with_peers("kannel_pushes_what_is_submitted", &[Peer::Kannel]) else { return };
    let kannel = Kannel::with(&scene, &kannel::Options { ppg: true, ..kannel::Options::default() });
    let toml = |more: &str| {
        format!(
            "url = \"{}\"\nusername = \"{}\"\npassword = {{ file = \"password\" }}\n{more}",
            kannel.ppg(),
            Kannel::USER
        )
    };
    assert_eq!(Kannel::PASSWORD, "secret");

    let long =
        [b"\x8c\x82\x98n9\0\x8d\x92\x96\x1f\x3e\xea".as_slice(), &[b'x'; 150], b"\0\x83http://mmsc/m/n9\0"].concat();
    let short = Bytes::from_static(b"\x8c\x82\x98n9\0\x8d\x92\x83http://mmsc/m/n9\0");
    for version in ["1.0", "2.0"] {
        let bearer = build(&toml(&format!("version = \"{version}\"")), Arc::<Memory>::default()).unwrap();
        let sent = bearer.send(push(&Push::mms(1, short.clone()))).await.unwrap();
        assert!(sent.detail.starts_with("PPG: 1001 accepted for processing"), "{}", sent.detail);
    }
    // It takes the address for what becomes of a push, but has nothing to tell.
    let callbacks = "callback_listen = [\"127.0.0.1:0\"]\ncallback_secret = { file = \"callback\" }";
    let bearer = build(&toml(callbacks), Arc::<Memory>::default()).unwrap();
    serve_callbacks(bearer.clone().callbacks().unwrap()).await;
    assert_eq!(bearer.send(push(&Push::mms(2, long.clone().into()))).await.unwrap().segments, 2);
    let indication =
        Indication { href: Some("http://a.example/".into()), text: "look".into(), ..Indication::default() };
    let indication = Push::indication(3, &indication);
    bearer.send(push(&indication)).await.unwrap();

    let mut arrived = kannel.wait_for_pushes(4);
    // Each submission is a thread of the gateway's.
    arrived.sort_by_key(|push| push.wsp.len());
    let read: Vec<_> = arrived.iter().map(|push| Push::parse(&push.wsp.clone().into()).unwrap()).collect();
    let is = |at: usize, media: &str, payload: &[u8]| {
        read[at].content_type.essence() == media && read[at].payload == payload
    };
    let mms = "application/vnd.wap.mms-message";
    let expected =
        |at: usize| is(at, mms, &short) || is(at, mms, &long) || is(at, "application/vnd.wap.sic", &indication.payload);
    assert!((0..4).all(expected), "{read:?}");
    assert!(arrived.iter().all(|push| push.port == 2948 && push.to == "+358401234567"), "{arrived:?}");
    assert_eq!((arrived[3].segments, arrived[0].segments), (2, 1));
    assert!(read[1..].iter().all(|push| push.application_id == Some(ApplicationId::MMS)), "{read:?}");

    // Its answers to these are not HTTP: it puts our own header into them.
    for (known, unknown) in [(Kannel::USER, "stranger"), ("/wappush", "/nothing")] {
        let lost = build(&toml("").replace(known, unknown), Arc::default()).unwrap();
        let error = lost.send(push(&Push::mms(1, short.clone()))).await.unwrap_err();
        assert!(matches!(&error, BearerError::Retry { why, .. } if why.contains("the user or the address")), "{error}");
        assert!(matches!(lost.health(), Health::Degraded(_)));
    }
}
