//! The maxima of this plugin (I-4, I-8).

/// Characters of a gateway's words that go into evidence and errors.
pub const WORDS: usize = 200;

/// Characters of a gateway's id for a message.
pub const ID: usize = 100;

/// Octets of a gateway's answer.
pub const ANSWER: usize = 256 << 10;

/// Octets that one template may make. A whole push in hexadecimal digits, percent-encoded, is an eighth of it.
pub const RENDERED: usize = 1 << 20;

/// Instructions that one template may take. A placeholder is about three.
pub const FUEL: u64 = 100_000;

/// Octets of a callback's request line and header.
pub const CALLBACK_HEAD: usize = 64 << 10;

/// Octets of a callback's body.
pub const CALLBACK_BODY: usize = 256 << 10;

/// Seconds that a callback connection may stay silent.
pub const CALLBACK_SILENCE: u64 = 30;

/// Fewest characters of the secret that keys the tokens of receipts.
pub const SHORTEST_KEY: usize = 16;

/// Most messages under way at once.
pub const WIDEST_WINDOW: usize = 1000;
