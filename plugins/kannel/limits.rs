//! The maxima of this plugin (I-4, I-8).

/// Characters of a gateway's words that go into evidence and errors.
pub const WORDS: usize = 200;

/// Octets of sendsms' answer: one line in practice.
pub const ANSWER: usize = 16 << 10;

/// Octets of a callback's request line and header. A short message that arrived stands in it percent-encoded, three octets
/// for one: this is room for 100 of its segments.
pub const CALLBACK_HEAD: usize = 64 << 10;

/// Octets of a callback's body.
pub const CALLBACK_BODY: usize = 64 << 10;

/// Seconds that a callback connection may stay silent.
pub const CALLBACK_SILENCE: u64 = 30;

/// Most requests to sendsms at once.
pub const WIDEST_WINDOW: usize = 1000;
