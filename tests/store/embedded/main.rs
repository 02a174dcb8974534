//! The embedded store against the contract, and what is its own: damage, failing disks, crashes, old files.

mod crash;
mod damage;
mod faults;
mod format;
mod here;
mod power;

use here::Here;
use packetboat_store::OpenError;
use packetboat_store_suite::histories;

packetboat_store_suite::contract!(Here::new());

#[test]
fn every_history_ends_as_the_model_says() {
    // More than a run of the tests has time for: STORE_HISTORIES=2000.
    let cases = std::env::var("STORE_HISTORIES").ok().and_then(|cases| cases.parse().ok());
    histories::run(cases.unwrap_or(48), Here::new);
}

#[test]
fn a_store_is_opened_by_one_at_a_time() {
    let here = Here::new();
    let first = here.try_open().expect("open");
    let second = here.try_open().err().expect("refused");
    assert!(matches!(second, OpenError::InUse { .. }), "{second:?}");
    assert!(second.to_string().contains(&std::process::id().to_string()), "{second}");
    drop(first);
    drop(here.opened()); // free again
}
