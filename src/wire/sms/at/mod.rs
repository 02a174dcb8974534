//! The lines of a modem (ITU-T V.250 5, TS 27.005, TS 27.007): octets in, what they say out.
//!
//! - [`line`](mod@line): the parser, which tells prompts, results, what comes unasked and everything else apart;
//! - [`answers`]: what the information lines of the commands used here say;
//! - [`failure`]: errors in words, and what is to be done about each.
//!
//! A serial line loses octets, repeats what it is told (echo), and carries the modem's own remarks in between. So no line
//! is an error: what cannot be read is [`Event::Noise`], and an answer is known by its name, not by its place.

pub mod answers;
pub mod failure;
pub mod line;
mod tables;

pub use answers::{Listed, Registration};
pub use failure::{Failure, Remedy};
pub use line::{Event, Final, Information, Parser, Unsolicited};
