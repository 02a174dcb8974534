//! A day in the life of three phones; everything that went over the wire from us is read by decoders that somebody else
//! wrote, without a complaint. Cases A-09, C-01, C-04.

use crate::node::{BOB, CAROL, Node, handset, mail_to, notified, plmn, post, text_part, told, wait_for_state};
use packetboat_harness::http::Request;
use packetboat_harness::mail::png;
use packetboat_harness::mms::{self, MEDIA_TYPE, Part, Pdu, Writer, field, kind, status};
use packetboat_harness::peers::python_messaging;
use packetboat_harness::peers::tshark::{self, Carrier};
use packetboat_harness::{Daemon, Peer, Scene, SmsTap};
use serde_json::Value;

/// X-Mms-Previously-Sent-By, of MMS 1.1.
const PREVIOUSLY_SENT_BY: u8 = 0x20;
/// X-Mms-Message-Type of PDUs that stories otherwise do not need (OMA-TS-MMS_ENC 7.3.30).
const MBOX_STORE_REQ: u8 = 0x8b;
const MBOX_DELETE_REQ: u8 = 0x91;
const DELETE_REQ: u8 = 0x94;

#[test]
fn everything_we_emit_decodes_elsewhere() {
    let needed = [Peer::Tshark, Peer::PythonMessaging];
    let Some(scene) = Scene::with_peers("everything_we_emit_decodes_elsewhere", &needed) else { return };
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).start();
    let photo = png(40, 30, 8);
    let answers = a_day(&daemon, &tap, &photo);

    let bodies: Vec<_> = answers.iter().map(|(_, body)| body.as_slice()).collect();
    let mut problems = Vec::new();
    for ((what, _), decoded) in answers.iter().zip(tshark::decode_all(&scene, Carrier::Http, &bodies)) {
        problems.extend(decoded.problems.iter().map(|problem| format!("{what}: {problem}")));
    }
    let pushes = tap.pushes();
    let pushed: Vec<_> = pushes.iter().map(|push| push.wsp.as_slice()).collect();
    for (push, decoded) in pushes.iter().zip(tshark::decode_all(&scene, Carrier::Wsp, &pushed)) {
        problems.extend(decoded.problems.iter().map(|problem| format!("push {:#x}: {problem}", push.mms().kind())));
    }
    assert!(problems.is_empty(), "tshark complains:\n{}", problems.join("\n"));

    let mut kinds: Vec<_> = bodies.iter().map(|body| Pdu::read(body).kind()).collect();
    kinds.extend(pushes.iter().map(|push| push.mms().kind()));
    for owed in [
        kind::SEND_CONF,
        kind::NOTIFICATION_IND,
        kind::RETRIEVE_CONF,
        kind::DELIVERY_IND,
        kind::READ_ORIG_IND,
        kind::FORWARD_CONF,
    ] {
        assert!(kinds.contains(&owed), "the day went by without a PDU of type {owed:#x}");
    }

    second_opinion(&scene, &answers, &photo);
}

/// Everything that was answered over HTTP, with what it was an answer to.
fn a_day(daemon: &Daemon, tap: &SmsTap, photo: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (bob, carol) = (handset(daemon, BOB), handset(daemon, CAROL));
    let mut answers = Vec::new();
    let mut keep = |what: &str, reply: packetboat_harness::http::Reply| {
        assert_eq!((reply.status, reply.field("Content-Type")), (200, Some(MEDIA_TYPE)), "{what}: {}", reply.text());
        answers.push((what.to_owned(), reply.body.clone()));
        Pdu::read(&reply.body)
    };

    let mail = mail_to(BOB)
        .subject("=?utf-8?q?Gr=C3=BC=C3=9Fe?=")
        .text("Grüße vom Meer\n")
        .attach("bay.png", "image/png", photo)
        .attach("a file with ümlauts & more.pdf", "application/pdf", b"%PDF-1.4");
    post(daemon, &mail);
    let notification = notified(tap, BOB);
    let fetched = keep("mail, fetched", bob.get(&notification.content_location()));
    assert_eq!(fetched.part("image/png").map(|part| part.data.as_slice()), Some(photo));
    bob.post(&mms::notifyresp_ind(&notification.transaction_id(), status::RETRIEVED));

    let parts = [
        Part::new("application/smil", "smil", "<smil><body><par><img src=\"p.png\"/></par></body></smil>"),
        Part::new("image/png", "p.png", photo),
        Part::new("text/plain", "text.txt", "Grüße"),
        Part::new("application/x-unheard-of", "thing.bin", [0, 1, 2, 255]),
    ];
    let request = mms::send_req("t1", &[BOB, "+447700900199"], "größer")
        .encoded(field::CC, "+447700900198")
        .octet(field::DELIVERY_REPORT, mms::YES)
        .octet(field::READ_REPORT, mms::YES)
        .octet(field::PRIORITY, 0x82);
    let sent = keep("m-send-req", carol.post(&request.body(&parts)));
    let push = tap.wait_for_push(BOB, |push| push.mms().text(field::FROM).is_some_and(|from| from == plmn(CAROL)));
    let fetched = keep("MMS, fetched", bob.get(&push.mms().content_location()));
    assert_eq!(fetched.parts.len(), 4);
    bob.post(&mms::notifyresp_ind(&push.mms().transaction_id(), status::RETRIEVED));
    told(tap, CAROL, kind::DELIVERY_IND);
    bob.post(&mms::read_rec_ind(&sent.message_id(), &plmn(CAROL)));
    told(tap, CAROL, kind::READ_ORIG_IND);
    wait_for_state(daemon, &sent.message_id(), BOB, "delivered");

    let forward = Writer::new(kind::FORWARD_REQ, Some("f1"))
        .from(None)
        .encoded(field::TO, CAROL)
        .text(field::CONTENT_LOCATION, &push.mms().content_location());
    keep("m-forward-req", bob.post(&forward.bytes()));
    let forwarded = told(tap, CAROL, kind::NOTIFICATION_IND).1;
    keep("forwarded MMS, fetched", carol.get(&forwarded.content_location()));

    let one_text = mms::send_req("t2", &[BOB], "").body(&text_part("just text"));
    keep("m-send-req with one part", carol.post(&one_text));
    keep("m-send-req to nobody", carol.post(&mms::send_req("t3", &["+15550100"], "x").body(&text_part("x"))));
    keep("m-send-req cut off", carol.post(&one_text[..one_text.len() - 4]));
    keep("an unknown message", bob.get(&format!("http://{}/AAAAAAAAAAAAAAAAAAAAAA", daemon.listener("handsets"))));
    let delete = Writer::new(DELETE_REQ, Some("d1")).text(field::CONTENT_LOCATION, &forwarded.content_location());
    let reply = carol.post(&delete.bytes()).expect_status(200);
    assert_eq!(Pdu::read(&reply.body).transaction_id(), "d1", "tshark has no name for m-delete-conf");
    for (what, request) in [("m-mbox-store-req", MBOX_STORE_REQ), ("m-mbox-delete-req", MBOX_DELETE_REQ)] {
        let request = Writer::new(request, Some("b1")).text(field::CONTENT_LOCATION, &forwarded.content_location());
        keep(what, carol.post(&request.bytes()));
    }
    let old = Writer::new(kind::SEND_REQ, Some("old")).from(None).encoded(field::TO, BOB).body(&text_part("hello"));
    let place = old.windows(2).position(|pair| pair == [0x8d, 0x92]).expect("the version");
    let old = [&old[..place + 1], &[0x90], &old[place + 2..]].concat();
    let conf =
        keep("m-send-req of version 1.0", Request::new("POST", &crate::node::mmsc(daemon, CAROL)).body(&old).send());
    assert_eq!(conf.octet(field::MMS_VERSION), Some(0x90), "an old phone is answered in its own version");
    answers
}

/// python-messaging knows MMS 1.0 and no more: it is asked about what it knows.
fn second_opinion(scene: &Scene, answers: &[(String, Vec<u8>)], photo: &[u8]) {
    let known: Vec<_> = answers
        .iter()
        .filter(|(_, body)| {
            let pdu = Pdu::read(body);
            let is_forwarded = pdu.fields.iter().any(|(number, _)| *number == PREVIOUSLY_SENT_BY);
            matches!(pdu.kind(), kind::RETRIEVE_CONF | kind::SEND_CONF) && !is_forwarded
        })
        .collect();
    let bodies: Vec<_> = known.iter().map(|(_, body)| body.as_slice()).collect();
    for ((what, body), told) in known.iter().zip(python_messaging::decode_all(scene, &bodies)) {
        let pdu = Pdu::read(body);
        assert!(told["error"].is_null(), "{what}: {told:#}");
        let kind = if pdu.kind() == kind::SEND_CONF { "m-send-conf" } else { "m-retrieve-conf" };
        assert_eq!(told["headers"]["Message-Type"], kind, "{what}: {told:#}");
        if pdu.kind() == kind::SEND_CONF {
            assert_eq!(told["headers"]["Transaction-Id"], pdu.transaction_id(), "{what}");
        }
        let parts = told["parts"].as_array().cloned().unwrap_or_default();
        let sizes: Vec<_> = parts.iter().filter_map(|part| part["size"].as_u64()).collect();
        if pdu.retrieve_status().unwrap_or(mms::OK) == mms::OK {
            let expected: Vec<_> = pdu.parts.iter().map(|part| part.data.len() as u64).collect();
            assert_eq!(sizes, expected, "{what}: {told:#}");
        }
        let picture = parts.iter().find(|part| part["content_type"] == "image/png");
        let size = |part: &Value| part["size"].as_u64().unwrap_or_default();
        assert!(picture.is_none_or(|part| size(part) == photo.len() as u64), "{what}: {told:#}");
    }
}
