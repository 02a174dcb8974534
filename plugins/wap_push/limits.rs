//! Every maximum of this crate.

/// Longest subject or sender's name in what is sent, in characters; longer ones are cut there. The page has them whole.
pub const NAME: usize = 40;
/// Longest sender id of letters (TS 23.040 9.1.2.5: what goes in an address field of seven octets).
pub const SENDER_LETTERS: usize = 11;
/// Longest sender id of digits.
pub const SENDER_DIGITS: usize = 15;
/// Largest template in the settings, in octets.
pub const TEMPLATE: usize = 1_000;
/// Short messages one text may need; a template that makes more is a mistake.
pub const SEGMENTS: usize = 4;
