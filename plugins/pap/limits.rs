//! The maxima of this plugin (I-4, I-8).

/// Characters of a gateway's words that go into evidence and errors.
pub const WORDS: usize = 200;

/// Octets of a gateway's answer: a document of some hundred in practice.
pub const ANSWER: usize = 64 << 10;

/// Octets of a notification's request line and header.
pub const CALLBACK_HEAD: usize = 16 << 10;

/// Octets of a notification.
pub const CALLBACK_BODY: usize = 64 << 10;

/// Seconds that a gateway's connection to us may stay silent.
pub const CALLBACK_SILENCE: u64 = 30;

/// Fewest characters of the secret that keys the tokens of notifications.
pub const SHORTEST_KEY: usize = 16;

/// Most pushes under way at once.
pub const WIDEST_WINDOW: usize = 1000;
