//! A gateway that somebody else wrote, spoken to by templates alone: Kannel's smsbox takes what this bearer asks, reports on it, and
//! brings what a phone sends.

mod support;

use std::sync::Arc;

use packetboat_api::roles::{BearerError, SmsBody};
use packetboat_harness::peers::{Kannel, kannel};
use packetboat_harness::{DEADLINE, Peer, Scene, wait_for, wait_until};
use support::{World, build, push, serve_callbacks, text};

/// Takes what arrives; what it sends goes nowhere.
const DOOR: &str = r#"
    callback_listen = ["127.0.0.1:0"]
    text.url = "http://127.0.0.1:9/"
    arrivals = { from = "from", to = "to", text = "words", user_data = "octets", encoding = "raw", token = { file = "token" } }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kannel_is_a_gateway_like_any_other() {
    let Some(scene) = Scene::with_peers("http_sms_speaks_to_a_real_gateway", &[Peer::Kannel]) else { return };
    let world = Arc::new(World::default());
    let door = build(DOOR, world.clone()).unwrap();
    let door = serve_callbacks(door.callbacks().unwrap()).await;
    let arrivals = format!("http://{door}/sms/{}?from=%p&to=%P&octets=%u%b", support::SECRETS[1].1);
    let mut kannel = Kannel::with(&scene, &kannel::Options { arrivals, ppg: false });

    let toml = format!(
        r#"
        from = "100"
        success.matches = "^0: "
        callback_listen = ["127.0.0.1:0"]
        callback_secret = {{ file = "callback" }}
        receipts = {{ status = "kind", id = "id", delivered = ["1"], failed = ["2", "16"] }}
        secrets = {{ password = {{ file = "kannel" }} }}
        [push]
        method = "GET"
        url = "URL?username={user}&password={{{{ secrets.password | percent }}}}&to={{{{ to | percent }}}}&from={{{{ from }}}}&coding=1&udh={{{{ udh | percent }}}}&text={{{{ data | percent }}}}&dlr-mask=31&dlr-url={{{{ (callback_url ~ '?kind=%d&id=%F') | percent }}}}"
        [text]
        method = "GET"
        url = "URL?username={user}&password={{{{ secrets.password | percent }}}}&to={{{{ to | percent }}}}&from={{{{ from }}}}&charset=UTF-8&text={{{{ text | percent }}}}"
        "#,
        user = Kannel::USER
    );
    let toml = toml.replace("URL", &kannel.url());
    let bearer = build(&toml, world.clone()).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    serve_callbacks(bearer.clone().callbacks().unwrap()).await;
    let octets: Vec<u8> = (0..=255).collect();
    let sent = bearer.send(push(&octets)).await.unwrap();
    assert_eq!((sent.segments, &sent.detail[..]), (2, "gateway: 0: Accepted for delivery, 0: Accepted for delivery"));
    let arrived = kannel.wait_for_pushes(1);
    assert_eq!((&arrived[0].wsp, &arrived[0].to[..], &arrived[0].from[..]), (&octets, "+358401234567", "100"));
    // Taken (8) and delivered (1) for each of two short messages; delivered once all of them are.
    let of = |fact: &str| world.lines().iter().filter(|line| line.starts_with(&format!("{fact} "))).count();
    wait_until(DEADLINE, "the receipts of two short messages", || (of("push_sent"), of("push_delivered")) == (3, 1));
    bearer.send(text("two & two")).await.unwrap();
    let words = |all: Vec<packetboat_harness::push::Segment>| all.into_iter().find(|message| message.udh.is_empty());
    let words = wait_for(DEADLINE, "words", || words(kannel.messages()));
    assert_eq!(words.data, b"two & two");

    let stranger = build(&toml.replace(Kannel::USER, "stranger"), Arc::default()).unwrap();
    serve_callbacks(stranger.clone().callbacks().unwrap()).await;
    let error = stranger.send(push(&octets)).await.unwrap_err();
    assert!(matches!(&error, BearerError::Retry { why, .. } if why.contains("does not let us (403)")), "{error}");

    kannel.originate("+358401234567 100 udh %06%05%04%0B%84%23%F0 %01%06%00%FF");
    wait_until(DEADLINE, "a push from the network", || !world.taken().is_empty());
    let taken = world.taken();
    assert_eq!((&taken[0].from[..], &taken[0].body), ("+358401234567", &SmsBody::Push(vec![1, 6, 0, 255].into())));
}
