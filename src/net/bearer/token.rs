//! Tokens that name a short message in the address of a callback.
//!
//! A token says which delivery, which sending of its push, which short message of how many, and carries a keyed digest
//! of that (HMAC-SHA-256, 128 bits of it). So no state is needed to understand a callback, a restart loses none, and
//! nobody who has not seen the address can make evidence up (I-3, I-11).

use std::fmt::Write;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Ticket;

/// Octets of the digest that a token carries.
const DIGEST: usize = 16;

/// The key of one bearer's tokens.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The key made of a secret, for the instance of that name of that plugin.
    pub fn new(secret: &str, plugin: &str, instance: &str) -> Self {
        let keyed = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        let mut derived = keyed(secret.as_bytes());
        derived.update(format!("packetboat {plugin} callback\0{instance}").as_bytes());
        Key(keyed(&derived.finalize().into_bytes()))
    }

    /// The token for a ticket: `[A-Za-z0-9.-]` only.
    pub fn token(&self, ticket: &Ticket) -> String {
        let Ticket { delivery, sending, part, parts } = ticket;
        let mut token = format!("{delivery}.{sending}.{part}.{parts}");
        let digest = self.over(&token).finalize().into_bytes();
        token.push('.');
        for octet in &digest[..DIGEST] {
            let _ = write!(token, "{octet:02x}"); // a String takes everything
        }
        token
    }

    /// The ticket of a token, if this key made it.
    pub fn ticket(&self, token: &str) -> Option<Ticket> {
        let (said, digest) = token.rsplit_once('.')?;
        let digest = from_hex(digest).filter(|octets| octets.len() == DIGEST)?;
        self.over(said).verify_truncated_left(&digest).ok()?;
        let mut fields = said.split('.');
        let delivery = fields.next()?.parse().ok()?;
        let sending = fields.next()?.to_owned();
        let part = fields.next()?.parse().ok()?;
        let parts = fields.next()?.parse().ok()?;
        Some(Ticket { delivery, sending, part, parts })
    }

    /// Whether two words are the same, in a time that does not say where they differ.
    pub fn same(&self, left: &str, right: &str) -> bool {
        self.over(left).verify(&self.over(right).finalize().into_bytes()).is_ok()
    }

    fn over(&self, said: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(said.as_bytes())
    }
}

/// The octets of hexadecimal digits, of either case; `None` when there is anything else.
pub fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let whole = digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    whole.then(|| digits.as_bytes().chunks(2).map(pair).collect()).flatten()
}
