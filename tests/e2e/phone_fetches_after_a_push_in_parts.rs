//! A notification that needs two short messages goes over SMPP; the phone's own MMS program puts it to use, and what phones
//! send back arrives too: the SMSC is ours and tshark is nobody's. Case H-01.

use crate::node::{BOB, Node, mail_to, phone, post, wait_for_state};
use packetboat_harness::http::percent_encode;
use packetboat_harness::mail::png;
use packetboat_harness::peers::Smsc;
use packetboat_harness::peers::tshark;
use packetboat_harness::{DEADLINE, Peer, Scene, wait_for};
use serde_json::json;

#[test]
fn phone_fetches_after_a_push_in_parts() {
    let needed = [Peer::Smsc, Peer::Mmsd, Peer::Tshark];
    let Some(scene) = Scene::with_peers("phone_fetches_after_a_push_in_parts", &needed) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({}));
    // An address so long that nothing else fits beside it.
    let url = format!("http://127.0.0.1:{}/{}", scene.port("handsets"), "a-long-way/".repeat(9));
    let node = Node::with_smsc(&scene, &smsc).set("listener.handsets", "public_url", &format!("{url:?}"));
    let daemon = node.start();
    let bob = phone(&scene, &daemon, BOB);

    let photo = png(120, 80, 3);
    let mail = mail_to(BOB).subject("In parts").text("hello").attach("bay.png", "image/png", &photo);
    post(&daemon, &mail);
    let push = wait_for(DEADLINE, "the push", || smsc.messages().pop());
    assert_eq!((push.port, push.segments), (2948, 2));
    let problems: Vec<_> =
        tshark::decode_submissions(&scene, &smsc.submissions()).into_iter().flat_map(|it| it.problems).collect();
    assert!(problems.is_empty(), "tshark complains:\n{}", problems.join("\n"));

    bob.push(&push.wsp);
    let message = bob.wait_for_message("the photo", |message| message.part("image/png").is_some());
    assert_eq!(message.part("image/png").map(|part| part.data.as_slice()), Some(photo.as_slice()));
    wait_for_state(&daemon, mail.message_id(), BOB, "delivered");

    // What arrives is put together and offered; nobody here takes it, and an operator sees that.
    let halves = [
        [&b"\x05\x00\x03\x07\x02\x01"[..], b"Where is "].concat(),
        [&b"\x05\x00\x03\x07\x02\x02"[..], b"it?"].concat(),
    ];
    for half in halves {
        let hex: String = half.iter().map(|octet| format!("{octet:02x}")).collect();
        let from = percent_encode(BOB.trim_start_matches('+').as_bytes());
        smsc.tell(&format!("/deliver?from={from}&to=100&esm=64&dcs=0&hex={hex}"));
    }
    let arrived = wait_for(DEADLINE, "the text that came", || {
        daemon.get_json("/api/arrivals").as_array().and_then(|all| all.first().cloned())
    });
    assert_eq!((&arrived["what"], &arrived["octets"]), (&json!("text"), &json!(12)), "{arrived:#}");
    assert_eq!((&arrived["bearer"], &arrived["taken_by"]), (&json!("sms"), &json!(null)));
}
