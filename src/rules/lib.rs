//! Rule files: checked programs and explained decisions.
//!
//! A program is made once from all rule files ([`Program::load`]) and asked once per recipient ([`Program::decide`]).
//! First match wins. Everything that can be wrong in a rule file is said when it is loaded, with its place; after that
//! a decision is a pure function of its [`Facts`] and cannot fail (I-9). Loading is the only thing that reads files.
//!
//! The tour:
//! - [`Program`]: load, check, decide, screen, explain.
//! - [`Facts`], [`Who`]: what a rule may look at, borrowed from the message.
//! - [`Decision`], [`Screen`]: the answers, and why.
//! - [`TestResult`]: rule files carry their own tests.
//! - [`limits`]: every maximum (I-4).

mod address;
mod compile;
mod decision;
mod examples;
mod facts;
pub mod limits;
mod load;
mod mask;
mod program;
mod table;
mod toml_reader;
mod when;

pub use decision::{Decision, Looked, Outcome, Screen, Why};
pub use examples::TestResult;
pub use facts::{Contents, Facts, Part, Parts, Remembered, Who};
pub use program::Program;

/// "unknown transport …; did you mean …?" in the words of every other unknown name.
fn unknown<'a>(what: &str, name: &str, valid: impl Iterator<Item = &'a str>) -> String {
    let text = packetboat_api::settings::unknown(name, valid);
    format!("unknown {what}{}", text.strip_prefix("unknown key").unwrap_or(&text))
}
