//! What is remembered of phones and networks, and how it ages.

use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::memory::{Direct, FAILURE_AGES, Handset, MAX_USER_AGENT, Network, SUCCESS_AGES, Sighting};
use packetboat_api::party::Msisdn;

const START: Timestamp = Timestamp(1_780_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn phone() -> Handset {
    Handset::new(Msisdn::new("+447700900123").expect("a number"), START)
}

fn agent(name: &str) -> Sighting {
    Sighting { user_agent: Some(name.to_owned()), ..Sighting::default() }
}

#[test]
fn what_happened_last_counts_while_it_is_recent() {
    let mut handset = phone();
    assert_eq!(handset.direct(START), Direct::Unknown);
    handset.missed = Some(START);
    assert_eq!(handset.direct(START.after(HOUR)), Direct::Fails);
    assert_eq!(handset.direct(START.after(FAILURE_AGES)), Direct::Unknown, "it is tried again");
    handset.fetched = Some(START.after(HOUR));
    assert_eq!(handset.direct(START.after(HOUR)), Direct::Works);
    handset.missed = Some(START.after(2 * HOUR));
    assert_eq!(handset.direct(START.after(2 * HOUR)), Direct::Fails);
    assert_eq!(handset.direct(START.after(FAILURE_AGES + 2 * HOUR)), Direct::Works, "it did, before that");
    assert_eq!(handset.direct(START.after(SUCCESS_AGES + HOUR)), Direct::Unknown);
}

#[test]
fn settings_make_a_failure_unknown() {
    let mut handset = phone();
    handset.missed = Some(START);
    handset.see(&Sighting { provisioned: Some("own".to_owned()), ..Sighting::default() }, START.after(HOUR));
    assert_eq!(handset.direct(START.after(HOUR)), Direct::Unknown);
    handset.missed = Some(START.after(2 * HOUR));
    assert_eq!(handset.direct(START.after(2 * HOUR)), Direct::Fails, "they did not help");
}

#[test]
fn another_phone_begins_anew() {
    let mut handset = phone();
    handset.see(&agent("Old/1.0"), START);
    handset.missed = Some(START);
    // Two programs of one phone, in turn.
    for name in ["Browser/2", "Old/1.0", "Browser/2", "Old/1.0"] {
        handset.see(&agent(name), START);
    }
    assert_eq!((handset.user_agent.as_deref(), handset.direct(START)), (Some("Old/1.0"), Direct::Fails));
    handset.see(&agent("New/3"), START);
    handset.see(&agent("New/3"), START);
    assert_eq!((handset.user_agent.as_deref(), handset.direct(START)), (Some("New/3"), Direct::Unknown));
    handset.see(&agent(&"é".repeat(MAX_USER_AGENT)), START);
    assert!(handset.other_agent.is_some_and(|agent| agent.len() <= MAX_USER_AGENT));
}

#[test]
fn a_network_is_believed_again() {
    let mut network = Network::new("447700", START);
    assert_eq!(network.fetch_rate(START), (0.5, 0.0));
    for _ in 0..50 {
        network.count(false, START);
    }
    let (rate, told) = network.fetch_rate(START);
    assert!(rate < 0.05 && (told - 50.0).abs() < 1e-9, "{rate} of {told}");
    // Its access point was mended: three weeks later a few that fetch outweigh the many that did not.
    let later = START.after(3 * WEEK);
    for _ in 0..10 {
        network.count(true, later);
    }
    let (rate, told) = network.fetch_rate(later);
    assert!(rate > 0.6 && told < 20.0, "{rate} of {told}");
}
