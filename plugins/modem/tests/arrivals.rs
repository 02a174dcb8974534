//! What arrives is offered, and leaves the modem only when it was taken.

mod support;

use packetboat_api::roles::SmsBody;
use packetboat_harness::peers::Modem;
use packetboat_harness::peers::modem::{Way, decode_tpdus, field};
use packetboat_harness::{DEADLINE, Peer, Scene, wait_until};
use support::{Bench, Desk, LONG, SHORT};

/// SMS-DELIVER from +15550100 of 2025-10-09, with the service centre's address before it.
const HEAD: &str = "0791534850020300";
const NOTIFICATION: &str = "440891515510000004520190803502005106050 40b8423f0";
/// "Olá €" in the default alphabet cannot be said: UCS-2.
const UCS2: &str = "040891515510000008520190803502000A004F006C00E1002020AC";
/// "hellohello".
const SEPTETS: &str = "0408915155100000005201908035020 00AE8329BFD4697D9EC37";

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

fn deliver(parts: &[&str]) -> String {
    format!("mt {HEAD}{}", parts.concat().replace(' ', ""))
}

/// The two short messages of a longer push.
fn halves() -> [String; 2] {
    let part = |number: u8, octets: &[u8]| {
        let length = 12 + octets.len();
        let head = format!("44089151551000000452019080350200{length:02X}0B05040B8423F000034D02{number:02X}");
        deliver(&[&head, &hex(octets)])
    };
    [part(1, &LONG[..128]), part(2, &LONG[128..])]
}

fn bodies(desk: &Desk) -> Vec<SmsBody> {
    desk.taken.lock().unwrap().iter().map(|arrival| arrival.body.clone()).collect()
}

fn pushed(octets: &'static [u8]) -> SmsBody {
    SmsBody::Push(bytes::Bytes::from_static(octets))
}

#[test]
fn what_is_injected_is_what_tshark_says() {
    let Some(scene) = Scene::with_peers("modem_injects", &[Peer::Tshark]) else { return };
    let [first, second] = halves();
    let tpdu = |said: &str| {
        let digits = said.strip_prefix("mt ").unwrap()[HEAD.len()..].to_owned();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect::<Vec<_>>()
    };
    let all = [deliver(&[NOTIFICATION, &hex(SHORT)]), first, second, deliver(&[UCS2]), deliver(&[SEPTETS])];
    let decoded = decode_tpdus(&scene, Way::In, &all.map(|said| tpdu(&said)));
    let is = |at: usize, name: &str| field(&decoded[at], name).unwrap_or_default();
    assert_eq!((is(0, "mmse.transaction_id"), is(2, "mmse.transaction_id")), ("n9".into(), "n11".into()));
    assert_eq!((is(0, "gsm_sms.tp-oa"), is(4, "gsm_sms.sms_text")), ("15550100".into(), "hellohello".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_is_read_and_deleted() {
    let Some(scene) = Scene::with_peers("modem_stores", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "number = \"+358409999999\"").await;
    modem.control(&deliver(&[NOTIFICATION, &hex(SHORT)]));
    let [first, second] = halves();
    modem.control(&second);
    modem.control(&first);
    for (count, text) in [(3, UCS2), (4, SEPTETS)] {
        modem.control(&deliver(&[text]));
        wait_until(DEADLINE, "the arrivals", || bodies(&bench.desk).len() == count);
    }
    let text = |words: &str| SmsBody::Text(words.to_owned());
    assert_eq!(bodies(&bench.desk), [pushed(SHORT), pushed(LONG), text("Olá €"), text("hellohello")]);
    let arrival = bench.desk.taken.lock().unwrap()[0].clone();
    assert_eq!((&arrival.bearer[..], &arrival.from[..], &arrival.to[..]), ("sim", "+15550100", "+358409999999"));
    modem.wait_for("deleted", 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_takes_stays_until_somebody_does() {
    let Some(scene) = Scene::with_peers("modem_keeps", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    // It arrives before anybody is there, and is found by looking.
    modem.control(&deliver(&[NOTIFICATION, &hex(SHORT)]));
    let bench = Bench::start(&modem, "check_interval = \"5s\"").await;
    *bench.desk.closed.lock().unwrap() = true;
    bench.pass_until("three offers", || *bench.desk.offers.lock().unwrap() >= 3);
    assert!(modem.events_of("deleted").is_empty());
    *bench.desk.closed.lock().unwrap() = false;
    bench.pass_until("the arrival", || bodies(&bench.desk).len() == 1);
    modem.wait_for("deleted", 1);
    bench.wait_until_well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_cannot_be_emptied_does_not_hide_the_others() {
    let Some(scene) = Scene::with_peers("modem_cannot_delete", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    // Both arrive before anybody is there; the first place cannot be emptied.
    for text in [UCS2, SEPTETS] {
        modem.control(&deliver(&[text]));
    }
    let stored = modem.wait_for("stored", 2);
    let (stuck, other) = (stored[0]["index"].clone(), stored[1]["index"].clone());
    modem.control(&format!("set undeletable [{stuck}]"));
    let bench = Bench::start(&modem, "check_interval = \"5s\"").await;
    bench.pass_until("both arrivals", || bodies(&bench.desk).len() == 2);
    assert_eq!(modem.wait_for("deleted", 1)[0]["index"], other);
    bench.wait_for_health(&format!("degraded: last error: the modem does not delete the message at place {stuck} of "));
    // It is offered no second time, and its deletion is tried again.
    bench.pass_until("three tries", || modem.events_of("not deleted").len() >= 3);
    assert_eq!(bodies(&bench.desk).len(), 2);
    modem.control("set undeletable []");
    bench.pass_until("the deletion", || modem.events_of("deleted").len() == 2);
    bench.wait_until_well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_passed_on_at_once_is_acknowledged_or_refused() {
    let Some(scene) = Scene::with_peers("modem_passes_on", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "incoming = \"direct\"").await;
    let [first, second] = halves();
    modem.control(&first);
    modem.control(&second);
    modem.wait_for("acknowledged", 2);
    assert_eq!(bodies(&bench.desk), [pushed(LONG)]);
    *bench.desk.closed.lock().unwrap() = true;
    modem.control(&deliver(&[NOTIFICATION, &hex(SHORT)]));
    let refused = modem.wait_for("refused", 1);
    // SMS-DELIVER-REPORT: memory capacity exceeded, nothing more said.
    assert_eq!(refused[0]["report"], "00D300");
    *bench.desk.closed.lock().unwrap() = false;
    modem.control("redeliver");
    wait_until(DEADLINE, "the arrival", || bodies(&bench.desk).len() == 2);
    assert_eq!(modem.wait_for("acknowledged", 4)[3]["taken"], true);
    assert!(modem.events_of("stored").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_said_and_not_kept() {
    let Some(scene) = Scene::with_peers("modem_unreadable", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "").await;
    modem.control(&format!("mt {HEAD}0414915155"));
    modem.wait_for("deleted", 1);
    bench.wait_for_health(
        "degraded: last error: something arrived that cannot be read: offset 3: the TPDU ends inside TP-OA",
    );
    modem.control(&deliver(&[SEPTETS]));
    wait_until(DEADLINE, "the arrival", || bodies(&bench.desk).len() == 1);
    assert_eq!(bodies(&bench.desk), [SmsBody::Text("hellohello".into())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_is_left_alone_when_that_is_wanted() {
    let Some(scene) = Scene::with_peers("modem_leaves_alone", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "incoming = \"off\"").await;
    modem.control(&deliver(&[SEPTETS]));
    modem.wait_for("stored", 1);
    bench.send(support::text("x")).await.unwrap();
    assert!(modem.commands().iter().all(|command| !command.starts_with("AT+CMGL") && !command.starts_with("AT+CMGR")));
    assert!(bodies(&bench.desk).is_empty());
}
