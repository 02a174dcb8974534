//! node-smpp as the SMSC: what somebody else's reading of SMPP makes of what this bearer says.

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packetboat_harness::peers::{Certificate, Smsc};
use packetboat_harness::{Peer, Scene};
use serde_json::json;
use support::{Memory, push, settings, start, until, wsp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_arrive_and_receipts_become_evidence() {
    let Some(scene) = Scene::with_peers("smpp_carries_pushes", &[Peer::Smsc]) else { return };
    let smsc = Smsc::start(&scene, "smsc", json!({}));
    let memory = Arc::new(Memory::default());
    let bearer = start(&settings(smsc.address(), ""), &memory).await;
    let (short, long) = (wsp(1, 60), wsp(2, 300));
    assert_eq!(bearer.send(push(1, short.clone())).await.unwrap().segments, 1);
    assert_eq!(bearer.send(push(2, long.clone())).await.unwrap().segments, 3);
    let taken = smsc.messages();
    assert_eq!((&taken[0].wsp, taken[0].segments, taken[0].port), (&short, 1, 2948));
    assert_eq!((&taken[1].wsp, taken[1].segments, taken[1].port), (&long, 3, 2948));
    assert_eq!((&taken[0].to[..], &taken[0].from[..]), ("358401234567", "100"));
    until("receipts of four short messages", || (memory.lines().len() == 4).then_some(())).await;
    assert_eq!((memory.count("push_delivered"), memory.count("push_sent")), (2, 2), "{:?}", memory.lines());
    smsc.wait_for("receipt_answer", 4);
    assert!(smsc.all("receipt_answer").iter().all(|answer| answer["status"] == 0));
    bearer.drain().await;
    assert!(smsc.all("pdu").iter().any(|pdu| pdu["command"] == "unbind"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_connections_verify_the_certificate() {
    let peers = [Peer::Smsc, Peer::Openssl];
    let Some(scene) = Scene::with_peers("smpp_over_tls", &peers) else { return };
    let certificate = Certificate::make(&scene);
    let smsc = Smsc::start_tls(&scene, "smsc", &certificate);
    let memory = Arc::new(Memory::default());
    let more = format!("tls = \"required\"\nca_file = \"{}\"", certificate.certificate.display());
    let bearer = start(&settings(smsc.address(), &more), &memory).await;
    let payload = wsp(1, 300);
    assert_eq!(bearer.send(push(1, payload.clone())).await.unwrap().segments, 3);
    assert_eq!(smsc.messages()[0].wsp, payload);
    until("the receipts", || (memory.count("push_delivered") == 1).then_some(())).await;

    let stranger = start(&settings(smsc.address(), "tls = \"required\""), &memory).await;
    let error = stranger.send(push(2, Bytes::from(payload))).await.unwrap_err();
    assert!(error.to_string().contains("no TLS"), "{error}");
    assert_eq!(smsc.messages().len(), 1);
    let _ = Duration::ZERO;
}
