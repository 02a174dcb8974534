//! The embedded store against the contract, and what is its own: damage, failing disks, crashes, old files.

mod crash;
mod damage;
mod faults;
mod format;
mod here;

use here::Here;

packetboat_store_suite::contract!(Here::new());
