//! A mail client sends a photo with STARTTLS and AUTH; the phone's own MMS program fetches it byte for byte.
//!
//! Nothing between is played by the story: swaks, Kannel with its network, mmsd-tng. Cases A-05, C-01, D-01, E-01, H-01,
//! M-04.

use crate::node::{ANN, BOB, Node, USER, at, delivery, phone, steps};
use packetboat_harness::mail::{Mail, png};
use packetboat_harness::peers::{Certificate, Kannel, Swaks};
use packetboat_harness::{DEADLINE, Peer, Scene};
use std::path::PathBuf;

#[test]
fn handset_fetches_a_mailed_photo() {
    let needed = [Peer::Swaks, Peer::Openssl, Peer::Kannel, Peer::Mmsd];
    let Some(scene) = Scene::with_peers("handset_fetches_a_mailed_photo", &needed) else { return };
    let certificate = Certificate::make(&scene);
    let kannel = Kannel::start(&scene);
    let node = Node::with_kannel(&scene, &kannel).with_users(&certificate).set("listener.mail", "strangers", "false");
    let daemon = node.start();
    let bob = phone(&scene, &daemon, BOB);

    for (count, (name, content_type, photo)) in photos().into_iter().enumerate() {
        let mail = Mail::new(ANN, &at(BOB)).subject("Look").text("The bay at noon").attach(&name, content_type, &photo);
        let sent = Swaks::new(&scene, daemon.listener("mail"))
            .mail(&mail)
            .starttls(&certificate.certificate)
            .auth(["PLAIN", "LOGIN"][count % 2], USER.0, USER.1)
            .send()
            .expect_success();
        assert!(sent.transcript.contains("TLS started"), "{}", sent.transcript);

        let push = kannel.wait_for_pushes(count + 1).pop().expect("a push");
        assert_eq!((push.to.as_str(), push.port, push.segments), (BOB, 2948, 1), "a notification is one short message");
        let notification = push.mms();
        let tid = notification.transaction_id();
        assert!(tid.len() <= 40 && tid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{tid}");

        let before = bob.messages().len();
        bob.push(&push.wsp);
        let what = "the mailed photo";
        let message = bob.wait_for_message(what, |message| {
            message.status == "received"
                && message.part(content_type).is_some_and(|part| part.data.len() == photo.len())
        });
        assert_eq!(bob.messages().len(), before + 1);
        assert!(
            message.part(content_type).is_some_and(|part| part.data == photo),
            "{name} is not the same on the phone"
        );
        assert_eq!((message.sender.as_str(), message.subject.as_str()), (ANN, "Look"));
        let text = message.part("text/plain").map(|part| String::from_utf8_lossy(&part.data).trim().to_owned());
        assert_eq!(text.as_deref(), Some("The bay at noon"));

        let owed = ["accepted", "push_sent", "push_delivered", "fetched", "retrieved"];
        let trace = daemon.wait_for_trace(mail.message_id(), DEADLINE, "the whole road", |trace| {
            let steps = steps(trace, BOB);
            owed.iter().all(|owed| steps.iter().any(|step| step == owed)).then(|| trace.clone())
        });
        assert_eq!(delivery(&trace, BOB)["state"], "delivered");
        assert_eq!((trace["from"].as_str(), trace["listener"].as_str()), (Some(ANN), Some("mail")));
        assert_eq!(steps(&trace, BOB)[0], "accepted");
    }
}

/// Real photos where there are some, or noise.
fn photos() -> Vec<(String, &'static str, Vec<u8>)> {
    let folder = std::env::var_os("PACKETBOAT_CORPUS").map(|corpus| PathBuf::from(corpus).join("photos"));
    let files = folder.into_iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let mut photos: Vec<_> = files
        .filter_map(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            name.ends_with(".jpg").then(|| (name, "image/jpeg", std::fs::read(file.path()).expect("a photo")))
        })
        .collect();
    photos.sort();
    if photos.is_empty() {
        photos.push(("bay.png".to_owned(), "image/png", png(300, 200, 1)));
        photos.push(("boat.png".to_owned(), "image/png", png(500, 400, 2)));
    }
    photos
}
