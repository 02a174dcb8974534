//! Messages go out through the modem; tshark reads what the modem handed to the network.

mod support;

use std::time::Duration;

use packetboat_api::roles::{BearerError, SmsBody};
use packetboat_harness::peers::Modem;
use packetboat_harness::peers::modem::{Way, decode_tpdus, field, fields};
use packetboat_harness::{DEADLINE, Peer, Scene, wait_until};
use support::{Bench, LONG, SHORT, push, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_are_what_tshark_says_and_reports_are_evidence() {
    let Some(scene) = Scene::with_peers("modem_carries_pushes", &[Peer::Modem, Peer::Tshark]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "service_centre = \"+358400000000\"").await;
    assert_eq!(modem.events_of("centre")[0]["number"], "\"+358400000000\",145");
    assert_eq!(bench.send(push(SHORT)).await.unwrap().segments, 1);
    let sent = bench.send(push(LONG)).await.unwrap();
    assert_eq!((sent.segments, &sent.detail[..]), (2, "modem: reference 2, 3"));

    let tpdus = modem.submitted();
    let decoded = decode_tpdus(&scene, Way::Out, &tpdus);
    assert_eq!(decoded.len(), 3);
    for layers in &decoded {
        let is =
            |name: &str, value: &str| assert_eq!(field(layers, name).as_deref(), Some(value), "{name} in {layers:#}");
        is("gsm_sms.tp-mti", "1");
        is("gsm_sms.tp-da", "358401234567");
        is("gsm_sms.tp-dcs", "4");
        is("gsm_sms.tp-srr", "1");
        is("gsm_sms.tp-rd", "0");
        // An hour.
        is("gsm_sms.vp.validity_period", "11");
        assert!(layers.get("_ws.malformed").is_none(), "{layers:#}");
    }
    let transaction = |at: usize| field(&decoded[at], "mmse.transaction_id");
    assert_eq!((transaction(0).as_deref(), transaction(1)), (Some("n9"), None));
    assert_eq!(transaction(2).as_deref(), Some("n11"));
    let location = field(&decoded[2], "mmse.content_location");
    assert_eq!(location.as_deref(), Some("http://mmsc.example.net:8080/mms/n11-4f1c9d2e7b"));

    let delivered = || bench.witness.lines().iter().filter(|line| line.starts_with("push_delivered ")).count();
    wait_until(DEADLINE, "both pushes delivered", || delivered() == 2);
    assert_eq!(
        bench.witness.lines(),
        [
            "push_delivered modem: received by the phone (status 00) (short message 1 of 1)",
            "push_sent modem: received by the phone (status 00) (short message 1 of 2)",
            "push_delivered modem: received by the phone (status 00) (short message 2 of 2)",
        ]
    );
    // Phase 2+: each was acknowledged.
    assert_eq!(modem.wait_for("acknowledged", 3).len(), 3);
    bench.bearer.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_what_tshark_says() {
    let Some(scene) = Scene::with_peers("modem_carries_texts", &[Peer::Modem, Peer::Tshark]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "").await;
    let long = "It takes two: ".repeat(14);
    for words in ["[your picture] costs 5€", "Привет", long.trim()] {
        bench.send(text(words)).await.unwrap();
    }
    let data = SmsBody::Data { destination: 2948, originator: 9200, octets: bytes::Bytes::from_static(SHORT) };
    bench.send(data).await.unwrap();
    let decoded = decode_tpdus(&scene, Way::Out, &modem.submitted());
    let is = |at: usize, name: &str| field(&decoded[at], name).unwrap_or_default();
    assert_eq!((is(0, "gsm_sms.tp-dcs"), is(0, "gsm_sms.tp.user_data_length")), ("0".into(), "26".into()));
    assert!(is(0, "gsm_sms.sms_text").starts_with("[your picture] costs 5"), "{}", decoded[0]);
    assert_eq!((is(1, "gsm_sms.tp-dcs"), is(1, "gsm_sms.tp.user_data_length")), ("8".into(), "12".into()));
    // tshark puts the two together, fill bits and all.
    assert_eq!(fields(&decoded[3], "gsm_sms.sms_text").concat(), long.trim());
    assert_eq!((is(2, "gsm_sms.udh.mm.msg_parts"), is(3, "gsm_sms.udh.mm.msg_part")), ("2".into(), "2".into()));
    assert_eq!(is(4, "mmse.transaction_id"), "n9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_told_apart() {
    let Some(scene) = Scene::with_peers("modem_refuses", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "").await;
    let cases = [
        ("331", false, "the network cannot now: +CMS ERROR: 331 (no network service)"),
        ("1", true, "the network refused: +CMS ERROR: 1 (unassigned number)"),
        ("310", false, "the modem's set-up: +CMS ERROR: 310 (SIM not inserted); it waits for whoever mends it"),
        ("999", false, "the network cannot now: +CMS ERROR: 999 (not a standard number)"),
    ];
    for (number, permanent, words) in cases {
        modem.control(&format!("err {number}"));
        let error = bench.send(push(SHORT)).await.unwrap_err();
        assert_eq!((error.to_string(), matches!(error, BearerError::Permanent { .. })), (words.to_owned(), permanent));
        assert!(bench.health().contains(&format!("last error: +CMS ERROR: {number}")), "{}", bench.health());
    }
    bench.send(push(SHORT)).await.unwrap();
    assert_eq!(bench.health(), "well");
    let endless = text(&"a".repeat(153 * 256));
    assert!(
        matches!(bench.send(endless).await, Err(BearerError::Permanent { why }) if why.contains("255 short messages"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_goes_on_where_it_stopped() {
    let Some(scene) = Scene::with_peers("modem_goes_on", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, r#"{"report": "hold"}"#);
    let bench = Bench::ready(&modem, "").await;
    modem.control("err 42");
    let error = bench.send(push(LONG)).await.unwrap_err();
    assert_eq!(error.to_string(), "the network cannot now: +CMS ERROR: 42 (congestion) (short message 1 of 2)");
    // The first part is taken, the second refused.
    modem.control("late");
    let sending = bench.sending(push(LONG));
    modem.wait_for("submit", 1);
    modem.control("err 42");
    modem.control("release");
    assert!(sending.await.unwrap().unwrap_err().to_string().contains("(short message 2 of 2)"));
    // What comes again says how long its content is kept from then on.
    let expiry = b"\x88\x05\x81\x03\x03\xf4\x80";
    let mut again = LONG.to_vec();
    let at = again.windows(expiry.len()).position(|octets| octets == expiry).unwrap();
    again[at + 5] -= 1;
    bench.send(SmsBody::Push(again.into())).await.unwrap();
    let parts: Vec<_> = modem.submitted().iter().map(|tpdu| (tpdu[tpdu.len() - 1], concatenation(tpdu))).collect();
    let [(_, first), (_, second)] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!((first[0], first[1..].to_vec(), second[1..].to_vec()), (second[0], vec![2, 1], vec![2, 2]));
    let tpdus = modem.submitted();
    let carried =
        |tpdu: &[u8]| tpdu[tpdu.windows(3).position(|octets| octets == [0x0B, 0x05, 0x04]).unwrap() + 12..].to_vec();
    assert_eq!([carried(&tpdus[0]), carried(&tpdus[1])].concat(), LONG, "the octets of the first attempt");
    assert_eq!(tpdus[1][1], tpdus[0][1].wrapping_add(1), "TP-MR counts on");
    modem.control("release");
    wait_until(DEADLINE, "the push delivered", || bench.witness.lines().len() == 2);
    assert!(bench.witness.lines()[1].starts_with("push_delivered "), "{:?}", bench.witness.lines());
}

/// Reference, total and number of a part with 16-bit ports before its concatenation.
fn concatenation(tpdu: &[u8]) -> Vec<u8> {
    let at = tpdu.windows(2).position(|octets| octets == [0x00, 0x03]).unwrap();
    tpdu[at + 2..at + 5].to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_makes_no_second_message_where_the_centre_remembers() {
    let Some(scene) = Scene::with_peers("modem_loses_an_answer", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, r#"{"own_reference": false}"#);
    let bench = Bench::ready(&modem, "send_timeout = \"20s\"").await;
    modem.control("lose on");
    let sending = bench.sending(push(SHORT));
    modem.wait_for("submit", 1);
    bench.pass_until("the time to send to be over", || sending.is_finished());
    let error = sending.await.unwrap().unwrap_err();
    let words = "it is not known whether it was sent: the modem did not answer AT+CMGS in time";
    assert!(matches!(&error, BearerError::Retry { why, .. } if why == words), "{error}");
    modem.control("lose off");
    bench.wait_for_health("degraded: last error: the modem did not answer");
    let sent = bench.send(push(SHORT)).await.unwrap();
    assert_eq!(sent.detail, "modem: reference known already");
    assert_eq!((modem.events_of("submit").len(), modem.events_of("duplicate").len()), (1, 1));
    // What is sent next is a message of its own.
    bench.send(push(SHORT)).await.unwrap();
    assert_eq!(modem.events_of("submit").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_late_is_still_one() {
    let Some(scene) = Scene::with_peers("modem_answers_late", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "send_timeout = \"20s\"").await;
    modem.control("late");
    let sending = bench.sending(push(SHORT));
    modem.wait_for("submit", 1);
    modem.control("dead");
    bench.clock.advance(Duration::from_secs(21));
    bench.wait_for_health("degraded: the modem is being set up");
    modem.control("release");
    modem.control("alive");
    bench.pass_until("the answer", || sending.is_finished());
    assert_eq!(sending.await.unwrap().unwrap().detail, "modem: reference 1");
    bench.wait_until_well();
    assert_eq!(modem.events_of("submit").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_on_the_line_is_no_answer() {
    let Some(scene) = Scene::with_peers("modem_noise", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "").await;
    let long = format!("say {}", "41".repeat(5000));
    for noise in
        ["say 00ff80fe0d0a", "say 0d0a52494e470d0a", "say 2b434d543a202c31360d0a30300d0a", "say 2b43444d0d0a", &long]
    {
        modem.control(noise);
        bench.send(push(SHORT)).await.unwrap();
    }
    assert_eq!(modem.events_of("submit").len(), 5);
    wait_until(DEADLINE, "the reports", || bench.witness.lines().len() == 5);
    assert_eq!(bench.health(), "well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_of_failure_are_evidence_too() {
    let Some(scene) = Scene::with_peers("modem_reports_failure", &[Peer::Modem]) else { return };
    // A modem that stores reports, and knows no acknowledgement.
    let modem = Modem::start(&scene, r#"{"cnmi_offers": "(0-2),(0,1),(0),(0,2),(0)", "phase": 0, "status": "30"}"#);
    let bench = Bench::ready(&modem, "").await;
    bench.send(push(SHORT)).await.unwrap();
    wait_until(DEADLINE, "a report", || bench.witness.lines().len() == 1);
    modem.control("status 46");
    bench.send(push(SHORT)).await.unwrap();
    wait_until(DEADLINE, "another", || bench.witness.lines().len() == 2);
    assert_eq!(
        bench.witness.lines(),
        [
            "push_sent modem: not yet, still trying (status 30) (short message 1 of 1)",
            "push_failed modem: validity period expired (status 46) (short message 1 of 1)",
        ]
    );
    let deleted = modem.wait_for("deleted", 2);
    assert!(deleted.iter().all(|event| event["memory"] == "SR"), "{deleted:?}");
    // A report that cannot be written down stays.
    *bench.witness.broken.lock().unwrap() = true;
    bench.send(push(SHORT)).await.unwrap();
    modem.wait_for("stored", 3);
    modem.wait_for_command("AT+CMGR");
    assert_eq!(modem.events_of("deleted").len(), 2);
}
