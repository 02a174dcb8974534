//! Devices go away and come back, fall silent, and are not there at all.

mod support;

use std::io::Write;

use packetboat_api::roles::BearerError;
use packetboat_harness::peers::Modem;
use packetboat_harness::{DEADLINE, Peer, Scene, wait_for};
use support::{Bench, SHORT, build, push};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_not_there_is_waited_for() {
    let Some(scene) = Scene::with_peers("modem_absent", &[Peer::Modem]) else { return };
    let device = scene.path().join("modem/tty");
    let bench = build(&format!("device = \"{}\"", device.display())).unwrap();
    assert_eq!(bench.bearer.check().len(), 1, "{:?}", bench.bearer.check());
    assert_eq!(bench.health(), "degraded: the modem is not in use yet");
    bench.bearer.start().await.unwrap();
    bench.wait_for_health(&format!("down: the device {} cannot be opened: ", device.display()));
    let error = bench.send(push(SHORT)).await.unwrap_err();
    assert!(matches!(&error, BearerError::Retry { why, .. } if why.contains("cannot be opened")), "{error}");

    let modem = Modem::start(&scene, "{}");
    assert_eq!(modem.device(), device.to_string_lossy());
    bench.wait_until_well();
    bench.send(push(SHORT)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_goes_away_is_opened_again() {
    let Some(scene) = Scene::with_peers("modem_unplugged", &[Peer::Modem]) else { return };
    for modem in [Modem::start(&scene, "{}"), Modem::start_on_tcp(&scene, "{}")] {
        let bench = Bench::ready(&modem, "").await;
        bench.send(push(SHORT)).await.unwrap();
        modem.control("unplug");
        bench.wait_for_health("down: ");
        assert!(matches!(bench.send(push(SHORT)).await, Err(BearerError::Retry { .. })));
        modem.control("plug");
        bench.wait_until_well();
        bench.send(push(SHORT)).await.unwrap();
        bench.bearer.drain().await;
        assert!(matches!(bench.send(push(SHORT)).await, Err(BearerError::Retry { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_goes_away_with_a_message_leaves_it_unknown() {
    let Some(scene) = Scene::with_peers("modem_unplugged_while_sending", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "").await;
    modem.control("late");
    let sending = bench.sending(push(SHORT));
    modem.wait_for("submit", 1);
    modem.control("unplug");
    let error = sending.await.unwrap().unwrap_err();
    assert!(error.to_string().starts_with("it is not known whether it was sent: the device went away"), "{error}");
    modem.control("plug");
    bench.wait_until_well();
    bench.send(push(SHORT)).await.unwrap();
    let references: Vec<_> = modem.events_of("submit").iter().map(|event| event["given"].clone()).collect();
    let [first, second] = &references[..] else { panic!("{references:?}") };
    assert_eq!(first, second, "the same TP-MR");
    let reject_duplicates: Vec<_> = modem.submitted().iter().map(|tpdu| tpdu[0] & 0x04).collect();
    assert_eq!(reject_duplicates, [0, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_modem_is_called_until_it_answers() {
    let Some(scene) = Scene::with_peers("modem_silent", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "command_timeout = \"5s\"").await;
    // Behind what is still asked at the beginning: the line is quiet afterwards.
    bench.send(push(SHORT)).await.unwrap();
    // It waits for a PDU, and nobody knows.
    modem.control("mute");
    let sending = bench.sending(push(SHORT));
    let calls = || modem.commands().iter().filter(|command| command.starts_with("AT+CMGS")).count();
    wait_for(DEADLINE, "a second AT+CMGS", || (calls() == 2).then_some(()));
    bench.wait_for_health("degraded: the modem is being set up");
    modem.control("unmute");
    bench.pass_until("an answer", || sending.is_finished());
    let error = sending.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the modem did not answer AT+CMGS in time");
    assert!(!modem.events_of("escaped").is_empty());
    bench.wait_for_health("degraded: last error: the modem did not answer AT+CMGS in time");
    bench.send(push(SHORT)).await.unwrap();
    assert_eq!((bench.health().as_str(), modem.submitted().len()), ("well", 2));
    // One that does not come to its senses is closed and opened again.
    modem.control("dead");
    let sending = bench.sending(push(SHORT));
    bench.wait_for_health("down: the modem did not answer AT+CMGF? in time");
    assert!(sending.await.unwrap().is_err());
    modem.control("alive");
    bench.wait_until_well();
    bench.send(push(SHORT)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modem_that_started_anew_is_set_up_anew() {
    let Some(scene) = Scene::with_peers("modem_restarts", &[Peer::Modem]) else { return };
    let modem = Modem::start(&scene, "{}");
    let bench = Bench::ready(&modem, "check_interval = \"5s\"").await;
    bench.send(push(SHORT)).await.unwrap();
    modem.control("restart");
    let error = bench.send(push(SHORT)).await.unwrap_err();
    assert_eq!(error.to_string(), "the modem has forgotten how it was set up");
    bench.wait_for_health("degraded: last error: the modem has forgotten");
    bench.send(push(SHORT)).await.unwrap();
    assert_eq!((modem.submitted().len(), modem.events_of("text").len()), (2, 0));
    // The look that is taken now and then finds it too.
    modem.control("restart");
    let before = modem.commands().iter().filter(|command| *command == "ATZ").count();
    bench.pass_until("the set-up", || modem.commands().iter().filter(|command| *command == "ATZ").count() > before);
    bench.wait_for_health("degraded: last error: the modem has forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_never_falls_silent_is_no_modem() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            while stream.write_all(&b"\xffnoise\r\n".repeat(100)).is_ok() {}
        }
    });
    let bench = build(&format!("device = \"tcp:{address}\"\ncommand_timeout = \"1s\"")).unwrap();
    bench.bearer.start().await.unwrap();
    bench.wait_for_health("down: the modem did not answer AT in time");
    bench.bearer.drain().await;
}
