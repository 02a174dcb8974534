//! How often one may ask: for one message, from one address, and for what does not exist. A minute's worth may come at once;
//! then it goes on evenly (the generic cell rate algorithm, ITU-T I.371 A.2).
//!
//! Guessing an address is hopeless by its 130 bits alone (I-11); misses are counted so that who makes many is told to stop. They
//! never count against a message that is there: readers behind one address, a carrier's or a web server's, are not shut out by
//! what a stranger among them guesses.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::TOKEN_LENGTH;

use crate::generations::Generations;
use crate::limits::{COUNTED, VIEWERS};

/// A minute in microseconds: with milliseconds, a rate above a thousand a second could not be told from none.
const MINUTE: i64 = 60_000_000;

/// The characters of a token.
pub type Token = [u8; TOKEN_LENGTH];

/// One bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// When it would be empty again, in microseconds.
    filled_until: i64,
}

impl Bucket {
    /// Takes one of `rate` a minute; how long to wait when there is none.
    fn take(&mut self, rate: u32, now: i64) -> Result<(), Duration> {
        if rate == 0 {
            return Ok(());
        }
        let next = self.filled_until.max(now) + MINUTE / i64::from(rate);
        match next - now - MINUTE {
            over @ 1.. => Err(Duration::from_micros(over.unsigned_abs())),
            _ => {
                self.filled_until = next;
                Ok(())
            }
        }
    }
}

#[derive(Debug, Default)]
struct OfMessage {
    asked: Bucket,
    /// Browsers that fetched the page, the last ones, as hashes; 0 is none.
    viewers: [u64; VIEWERS],
    next: usize,
}

#[derive(Debug, Default)]
struct OfAddress {
    asked: Bucket,
    missed: Bucket,
}

/// The counts.
pub struct Throttle {
    per_message: u32,
    per_address: u32,
    misses: u32,
    messages: Mutex<Generations<Token, OfMessage>>,
    addresses: Mutex<Generations<IpAddr, OfAddress>>,
}

impl Throttle {
    /// So many a minute each; 0 does not count.
    pub fn new(per_message: u32, per_address: u32, misses: u32) -> Self {
        let (messages, addresses) = (Mutex::new(Generations::new(COUNTED)), Mutex::new(Generations::new(COUNTED)));
        Throttle { per_message, per_address, misses, messages, addresses }
    }

    /// Whether this address may ask now; how long to wait when not.
    pub fn address(&self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        if self.per_address == 0 {
            return Ok(());
        }
        entry(&mut lock(&self.addresses), network(address)).asked.take(self.per_address, micros(now))
    }

    /// This address asked for what does not exist; how long it should wait when it did so too often.
    pub fn missed(&self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        if self.misses == 0 {
            return Ok(());
        }
        entry(&mut lock(&self.addresses), network(address)).missed.take(self.misses, micros(now))
    }

    /// Whether this message may be asked for now.
    pub fn message(&self, token: &Token, now: Timestamp) -> Result<(), Duration> {
        if self.per_message == 0 {
            return Ok(());
        }
        entry(&mut lock(&self.messages), *token).asked.take(self.per_message, micros(now))
    }

    /// A browser fetched the page.
    pub fn viewed(&self, token: &Token, viewer: u64) {
        let mut messages = lock(&self.messages);
        let of = entry(&mut messages, *token);
        if !of.viewers.contains(&viewer) {
            of.viewers[of.next % VIEWERS] = viewer;
            of.next = (of.next + 1) % VIEWERS;
        }
    }

    /// Whether this browser fetched the page lately.
    pub fn has_viewed(&self, token: &Token, viewer: u64) -> bool {
        lock(&self.messages).find(token).is_some_and(|of| of.viewers.contains(&viewer))
    }
}

fn entry<K: Eq + std::hash::Hash + Clone, V: Default>(map: &mut Generations<K, V>, key: K) -> &mut V {
    if map.find(&key).is_none() {
        map.put(key.clone(), V::default(), 1);
    }
    map.find(&key).expect("it was put there")
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn micros(at: Timestamp) -> i64 {
    at.0.saturating_mul(1_000)
}

/// Whoever has one IPv6 address has the 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 64))),
        four => four,
    }
}
