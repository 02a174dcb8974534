//! A modem's lines become events, whole or in pieces, with noise in between.

use bytes::Bytes;
use packetboat_sms::at::answers::{listed, memories, offers, operator, pin_retries, registration, sent, signal};
use packetboat_sms::at::{Event, Failure, Final, Information, Listed, Parser, Registration, Remedy, Unsolicited};
use packetboat_sms::limits::MAX_LINE;
use proptest::collection::vec;
use proptest::prelude::*;

fn events(said: &str) -> Vec<Event> {
    Parser::new().feed(said.as_bytes())
}

fn line(text: &str) -> Event {
    Event::Information(Information { text: text.to_owned(), pdu: None })
}

fn noise(why: &str) -> Event {
    Event::Noise(why.to_owned())
}

const OK: Event = Event::Final(Final::Ok);

#[test]
fn a_message_is_sent() {
    assert_eq!(
        events("AT+CMGS=93\r\r\n> 0051\x1a\r\n+CMGS: 42\r\n\r\nOK\r\n"),
        [line("AT+CMGS=93"), Event::Prompt, line("0051"), line("+CMGS: 42"), OK],
        "with echo"
    );
    assert_eq!(
        events("\r\n> \r\n+CMS ERROR: 331\r\n"),
        [Event::Prompt, Event::Final(Final::Failed(Failure::Cms(331)))]
    );
    assert_eq!(sent("42"), Some(42));
    assert_eq!(sent("42,\"010052019080350200\""), Some(42));
}

#[test]
fn what_comes_unasked_is_told_apart() {
    let tpdu = "04048121430000520190803502000131";
    let pdu = Bytes::from(
        (0..tpdu.len()).step_by(2).map(|at| u8::from_str_radix(&tpdu[at..at + 2], 16).unwrap()).collect::<Vec<_>>(),
    );
    let with_centre = [&[0][..], &pdu].concat();
    assert_eq!(
        events(&format!("\r\n+CMT: ,16\r\n00{tpdu}\r\n+CMT: \"Ann, at sea\",16\r\n00{}\r\n", tpdu.to_lowercase())),
        vec![Event::Unsolicited(Unsolicited::Message(with_centre.clone().into())); 2]
    );
    assert_eq!(
        events(&format!("\r\n+CDS: 16\r\n00{tpdu}\r\n")),
        [Event::Unsolicited(Unsolicited::Report(with_centre.clone().into()))]
    );
    assert_eq!(
        events("\r\n+CMTI: \"SM\",3\r\n\r\n+CDSI: \"SR\",1\r\n"),
        [
            Event::Unsolicited(Unsolicited::MessageStored { memory: "SM".into(), index: 3 }),
            Event::Unsolicited(Unsolicited::ReportStored { memory: "SR".into(), index: 1 }),
        ]
    );
    let listing = events(&format!("+CMGL: 2,1,,16\r\n00{tpdu}\r\n\r\nOK\r\n"));
    let [Event::Information(first), end] = &listing[..] else { panic!("{listing:?}") };
    assert_eq!(
        (first.of("cmgl").and_then(listed), first.pdu.as_deref()),
        (Some(Listed { index: 2, status: 1 }), Some(&with_centre[..]))
    );
    assert_eq!(end, &OK);
}

#[test]
fn a_pdu_that_lost_octets_is_noise() {
    assert_eq!(events("+CMT: ,16\r\n0004048121\r\n"), [noise("the PDU is not as long as it says: +CMT")]);
    assert_eq!(events("+CMT: ,16\r\nOK\r\n"), [noise("no PDU follows: +CMT"), OK]);
    assert_eq!(events("+CDS: 16\r\n> "), [noise("no PDU follows: +CDS"), Event::Prompt]);
    assert_eq!(events("+CMT: ,16\r\n000\r\n"), [noise("no PDU follows: +CMT"), line("000")]);
    let long = format!("+CMGL: 1,1,,16\r\n{}\r\nOK\r\n", "0".repeat(MAX_LINE + 7));
    assert_eq!(events(&long), [noise("a line of 1031 octets, 1024 are the maximum"), OK]);
    // A modem that counts the centre's address too.
    assert!(matches!(events("+CMT: ,3\r\n000102\r\n")[..], [Event::Unsolicited(_)]));
}

#[test]
fn failures_say_what_is_to_be_done() {
    let failure = |said: &str| match &events(&format!("\r\n{said}\r\n"))[..] {
        [Event::Final(Final::Failed(failure))] => (failure.to_string(), failure.remedy()),
        other => panic!("{other:?}"),
    };
    assert_eq!(failure("+CMS ERROR: 331"), ("+CMS ERROR: 331 (no network service)".into(), Remedy::Later));
    assert_eq!(failure("+CMS ERROR: 1"), ("+CMS ERROR: 1 (unassigned number)".into(), Remedy::Never));
    assert_eq!(failure("+CME ERROR:16"), ("+CME ERROR: 16 (incorrect password)".into(), Remedy::SetUp));
    assert_eq!(failure("+CMS ERROR: 513"), ("+CMS ERROR: 513 (not a standard number)".into(), Remedy::Later));
    assert_eq!(failure("+CMS ERROR: no network"), ("ERROR: no network".into(), Remedy::Later));
    assert_eq!(failure("ERROR"), ("ERROR".into(), Remedy::Later));
    assert!(Failure::Cms(314).is_sim_busy() && Failure::Cme(14).is_sim_busy() && !Failure::Plain.is_sim_busy());
}

#[test]
fn answers_are_read() {
    use Registration::{Denied, Home, Roaming, Searching};
    let registrations = ["0,1", "2,5,\"00C3\",\"0019A4\",7", "2", "1,\"00C3\",\"0019A4\"", "0, 3"].map(registration);
    assert_eq!(registrations, [Some(Home), Some(Roaming), Some(Searching), Some(Home), Some(Denied)]);
    assert_eq!(["22,99", "0,0", "99,99", "30000", "x"].map(signal), [Some(-69), Some(-113), None, None, None]);
    assert_eq!(operator("0,0,\"DNA, Finland\",2").as_deref(), Some("DNA, Finland"));
    assert_eq!(operator("0"), None);
    assert_eq!((pin_retries("SIM PIN,2,3"), pin_retries("SIM PUK,10,10")), (Some(2), None));
    assert_eq!(memories("\"SM\",3,20,\"ME\",4,50,x"), [("SM".into(), 3, 20), ("ME".into(), 4, 50)]);
    assert_eq!(
        offers("(0-2),(0-3),(0,2,3),(0-2),(0,1)"),
        [vec![0, 1, 2], vec![0, 1, 2, 3], vec![0, 2, 3], vec![0, 1, 2], vec![0, 1]]
    );
    assert_eq!(offers("0,1"), [vec![0], vec![1]]);
    assert_eq!(offers("(0,1)"), [vec![0, 1]]);
    assert_eq!(offers("(0-255),(\"SM\",5"), [(0..=63).collect::<Vec<_>>(), vec![5]]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_say_what_the_whole_says(
        said in vec(prop_oneof![
            Just("\r\n".to_owned()), Just("> ".to_owned()), Just("OK\r\n".to_owned()),
            Just("+CMT: ,3\r\n".to_owned()), Just("00010203\r\n".to_owned()), "[ -~]{0,8}", "\\PC{0,4}",
        ], 0..40),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let said = said.concat().into_bytes();
        let whole = Parser::new().feed(&said);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(said.len() + 1)).chain([0, said.len()]).collect();
        at.sort_unstable();
        let mut parser = Parser::new();
        let pieces: Vec<Event> = at.windows(2).flat_map(|cut| parser.feed(&said[cut[0]..cut[1]])).collect();
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn no_octets_are_an_error(octets in vec(any::<u8>(), 0..3000)) {
        for event in Parser::new().feed(&octets) {
            if let Event::Information(line) = event {
                prop_assert!(!line.text.is_empty() && line.text.len() <= 3 * MAX_LINE);
                let _ = (registration(&line.text), offers(&line.text), memories(&line.text), signal(&line.text));
            }
        }
    }

    #[test]
    fn values_in_any_shape_are_some_answer(value in "[-0-9,()\" a]{0,40}") {
        let _ = (registration(&value), operator(&value), listed(&value), pin_retries(&value), sent(&value));
        prop_assert!(offers(&value).iter().flatten().all(|offered| *offered <= 63));
    }
}
