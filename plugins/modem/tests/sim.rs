//! The SIM, the network and the settings: what health and `check` say of them.

mod support;

use packetboat_api::roles::BearerError;
use packetboat_harness::peers::Modem;
use packetboat_harness::{Peer, Scene};
use support::{Bench, SHORT, build, push};

const PIN: &str = "pin = { file = \"pin\" }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pin_is_entered_and_the_sim_waited_for() {
    let Some(scene) = Scene::with_peers("modem_pin", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, r#"{"pin": "1234", "sim_busy": 3}"#);
    let bench = Bench::ready(&modem, PIN).await;
    bench.send(push(SHORT)).await.unwrap();
    assert_eq!(modem.events_of("pin").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_pin_is_tried_once() {
    let Some(scene) = Scene::with_peers("modem_wrong_pin", &[Peer::Modem]) else { return };
    for known in [true, false] {
        let modem = Modem::start(&scene, &format!(r#"{{"pin": "4321", "pin_tries_known": {known}}}"#));
        let tried = || modem.events_of("pin").len();
        let before = tried();
        let bench = Bench::start(&modem, PIN).await;
        bench.wait_for_health("down: the SIM did not take the PIN (+CME ERROR: 16 (incorrect password))");
        // However often the device is opened again.
        bench.wait_for_health("down: the SIM did not take the PIN, and it is not tried again. Correct the setting");
        modem.control("unplug");
        bench.wait_for_health("down: the device ");
        modem.control("plug");
        bench.wait_for_health("down: the SIM did not take the PIN");
        assert_eq!(tried() - before, 1);
        let error = bench.send(push(SHORT)).await.unwrap_err();
        assert!(matches!(&error, BearerError::Retry { why, .. } if why.contains("PIN")), "{error}");
        bench.bearer.drain().await;
        if known {
            // After a restart of ours the SIM still counts.
            let again = Bench::start(&modem, PIN).await;
            again.wait_for_health("down: the SIM gives its PIN 2 more tries of 3: a wrong one was entered");
            assert_eq!(tried() - before, 1);
        }
        // Somebody entered the right one.
        modem.control("pin none");
        bench.bearer.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sim_that_wants_more_is_named() {
    let Some(scene) = Scene::with_peers("modem_puk", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, r#"{"pin": "1234"}"#);
    let bench = Bench::start(&modem, "").await;
    bench.wait_for_health("down: the SIM wants a PIN and none is set; set pin");
    modem.control("set pin_tries 0");
    modem.control("pin 1234");
    bench.wait_for_health("down: the SIM wants its SIM PUK; enter it by hand");
    modem.control("pin none");
    bench.wait_until_well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registration_and_signal_are_in_health() {
    let Some(scene) = Scene::with_peers("modem_registration", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, r#"{"reg": 2}"#);
    let bench = Bench::start(&modem, "check_interval = \"5s\"").await;
    bench.wait_for_health("degraded: the modem is looking for a network (signal -69 dBm, very good)");
    let error = bench.send(push(SHORT)).await.unwrap_err();
    assert!(matches!(&error, BearerError::Retry { why, .. } if why == "the modem is looking for a network"), "{error}");
    modem.control("reg 3");
    bench.wait_for_health("degraded: the modem is denied by the network");
    // A message asks anew before it gives up.
    modem.control("reg 1");
    bench.send(push(SHORT)).await.unwrap();
    bench.wait_until_well();
    modem.control("csq 2");
    bench.wait_for_health("degraded: the signal is weak (signal -109 dBm, weak)");
    modem.control("csq 99");
    modem.control("reg 5");
    bench.wait_for_health("degraded: the modem is roaming with Testnet (signal unknown)");
    modem.control("csq 12");
    modem.control("set capacity 0");
    bench.wait_for_health("degraded: the modem is roaming with Testnet; the memory SM is full (0 of 0): nothing more");
    modem.control("set capacity 5");
    bench.bearer.drain().await;
    let at_sea = Bench::start(&modem, "roaming = true").await;
    at_sea.wait_until_well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modem_without_pdu_mode_is_of_no_use() {
    let Some(scene) = Scene::with_peers("modem_text_only", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, r#"{"pdu_mode": false}"#);
    let bench = Bench::start(&modem, "").await;
    bench.wait_for_health("down: the modem answered AT+CMGF with +CMS ERROR: 303 (operation not supported)");
    bench.bearer.drain().await;
    modem.control("set pdu_mode true");
    let bench = Bench::start(&modem, "memory = \"XX\"").await;
    bench.wait_for_health("down: the modem has no memory \"XX\" for messages: +CMS ERROR: 302");
    bench.bearer.drain().await;
    Bench::ready(&modem, "memory = \"ME\"\ncommands = [\"AT^CURC=0\"]").await;
    modem.wait_for_command("AT^CURC=0");
}

#[test]
fn mistakes_have_their_place() {
    let error = |toml: &str| build(toml).err().map(|errors| errors.join("\n")).unwrap_or_default();
    let cases = [
        ("device = \"\"", "packetboat.toml:1:1: bearer.sim.device: say where the modem is"),
        ("device = \"tcp:host\"", "packetboat.toml:1:1: bearer.sim.device: \"tcp:host\" is not a host and a port"),
        ("baud = 0", "packetboat.toml:1:1: bearer.sim.baud: a line of 0 bits per second"),
        ("pin = { file = \"nowhere\" }", "packetboat.toml:1:1: bearer.sim.pin: the secret file"),
        ("pin = { file = \"odd-pin\" }", "packetboat.toml:1:1: bearer.sim.pin: a PIN is 4 to 8 digits"),
        (
            "service_centre = \"0800\"",
            "packetboat.toml:1:1: bearer.sim.service_centre: \"0800\" is not an international",
        ),
        ("memory = \"S\\\"M\"", "packetboat.toml:1:1: bearer.sim.memory: "),
        ("commands = [\"AT\\rATZ\"]", "packetboat.toml:1:1: bearer.sim.commands: \"AT\\rATZ\" is not a command"),
        ("send_timeout = \"0s\"", "packetboat.toml:1:1: bearer.sim.send_timeout: no time at all"),
        ("incoming = \"never\"", "packetboat.toml:1:12: bearer.sim.incoming: unknown variant"),
        ("devise = \"x\"", "packetboat.toml:1:1: bearer.sim.devise: unknown key \"devise\"; did you mean \"device\"?"),
    ];
    for (toml, start) in cases {
        let found = error(toml);
        assert!(found.starts_with(start), "{toml}: {found}");
        assert!(!found.contains("12a4"), "a PIN is not printed");
    }
    let doubtful = build("device = \"tcp:127.0.0.1:9\"\nstatus_reports = false\nincoming = \"off\"").unwrap();
    assert_eq!(doubtful.bearer.check().len(), 2, "{:?}", doubtful.bearer.check());
}
