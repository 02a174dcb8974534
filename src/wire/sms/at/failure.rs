//! What a modem's errors mean (TS 27.005 3.2.5, TS 27.007 9.2) and what is to be done about each.

use std::fmt;

use super::tables::{CME, CMS};

/// Characters of a modem's own words that are kept.
const WORDS: usize = 100;

/// How a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `ERROR`, and what some modems say in its place.
    Plain,
    /// `+CMS ERROR`: a message service failure, from the modem, the SIM, or the network.
    Cms(u16),
    /// `+CME ERROR`: a failure of the equipment.
    Cme(u16),
    /// Either of the two in words, from a modem that was not asked for numbers.
    Words(String),
}

/// What is to be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The same again, later.
    Later,
    /// Somebody must mend the set-up: the SIM, the PIN, the centre's number. The message waits.
    SetUp,
    /// The message, or its number, will never be taken.
    Never,
}

impl Failure {
    /// The failure that a line says; `None` for any other line.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        if matches!(line, "ERROR" | "COMMAND NOT SUPPORT" | "TOO MANY PARAMETERS") {
            return Some(Failure::Plain);
        }
        let (code, is_cms) = match (line.strip_prefix("+CMS ERROR:"), line.strip_prefix("+CME ERROR:")) {
            (Some(code), _) => (code.trim(), true),
            (_, Some(code)) => (code.trim(), false),
            _ => return None,
        };
        Some(match code.parse() {
            Ok(number) if is_cms => Failure::Cms(number),
            Ok(number) => Failure::Cme(number),
            Err(_) => Failure::Words(code.chars().take(WORDS).collect()),
        })
    }

    fn known(&self) -> Option<(&'static str, Remedy)> {
        let find = |table: &[(u16, &'static str, Remedy)], number: u16| {
            table.iter().find(|(code, ..)| *code == number).map(|(_, words, remedy)| (*words, *remedy))
        };
        match self {
            Failure::Cms(number) => find(CMS, *number),
            Failure::Cme(number) => find(CME, *number),
            Failure::Plain | Failure::Words(_) => None,
        }
    }

    /// What is to be done. What nobody knows is tried again: the message may be good.
    pub fn remedy(&self) -> Remedy {
        self.known().map_or(Remedy::Later, |(_, remedy)| remedy)
    }

    /// Whether the SIM is not ready yet, as in the seconds after its PIN was entered.
    pub fn is_sim_busy(&self) -> bool {
        matches!(self, Failure::Cms(314) | Failure::Cme(14))
    }
}

/// As `+CMS ERROR: 331 (no network service)`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.known().map_or("not a standard number", |(words, _)| words);
        match self {
            Failure::Plain => f.write_str("ERROR"),
            Failure::Cms(number) => write!(f, "+CMS ERROR: {number} ({words})"),
            Failure::Cme(number) => write!(f, "+CME ERROR: {number} ({words})"),
            Failure::Words(words) => write!(f, "ERROR: {words}"),
        }
    }
}
