//! What a program answers, and why.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use packetboat_api::delivery::Step;
use packetboat_api::units::Period;

/// What is to become of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<'p> {
    /// It takes this route.
    Route {
        /// The rule's name.
        rule: &'p str,
        /// The route, tried from first to last.
        steps: &'p [Step],
        /// The profile of settings that the recipient's phone is sent beside, once.
        provision: Option<&'p str>,
    },
    /// The recipient is refused.
    Reject {
        /// The rule's name.
        rule: &'p str,
        /// In words, for the sender to read.
        text: &'p str,
    },
    /// No rule matches.
    NoRule,
}

/// Why a rule matched or did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It matches.
    Matches,
    /// The recipient is not in its `to`.
    To,
    /// The sender is not in its `from`.
    From,
    /// Its `when` is false.
    When,
    /// Its `when` could not be evaluated, in words; it does not match.
    WhenFailed(String),
}

/// One rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked<'p> {
    /// The rule's name.
    pub rule: &'p str,
    /// The file it stands in.
    pub file: &'p Path,
    /// The line it stands at, from 1.
    pub line: usize,
    /// Why it matched or did not.
    pub why: Why,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'p> {
    /// What is to be done.
    pub outcome: Outcome<'p>,
    /// [`crate::Program::explain`]: every rule that was looked at, in order. [`crate::Program::decide`]: only those whose
    /// `when` failed, which an operator should hear about.
    pub trace: Vec<Looked<'p>>,
}

/// What can be said of a recipient before the message is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen<'p> {
    /// A rule routes it, or may when the message is known.
    Taken,
    /// A rule refuses it, whatever the message is.
    Rejected {
        /// The rule's name.
        rule: &'p str,
        /// In words, for the sender to read.
        text: &'p str,
    },
    /// No rule can match.
    NoRule,
}

impl Decision<'_> {
    /// The trace and the outcome as text, a line each. Shows no address.
    pub fn explain(&self) -> String {
        let mut text: String = self.trace.iter().map(|looked| format!("{looked}\n")).collect();
        text += &format!("{}\n", self.outcome);
        text
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Route { steps, provision, .. } => {
                f.write_str("route: ")?;
                for (at, step) in steps.iter().enumerate() {
                    write!(f, "{}{}", if at == 0 { "" } else { ", then " }, step.via)?;
                    if let Some(wait) = step.wait_ms {
                        write!(f, " (for {})", Period(Duration::from_millis(wait)))?;
                    }
                }
                if let Some(profile) = provision {
                    write!(f, "; and its phone is sent the settings \"{profile}\"")?;
                }
                Ok(())
            }
            Outcome::Reject { text, .. } => write!(f, "reject: {text}"),
            Outcome::NoRule => f.write_str("no rule matches"),
        }
    }
}

impl fmt::Display for Looked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.file_name().unwrap_or(self.file.as_os_str());
        write!(f, "{}:{} \"{}\": {}", file.display(), self.line, self.rule, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Matches => f.write_str("matches"),
            Why::To => f.write_str("the recipient is not in `to`"),
            Why::From => f.write_str("the sender is not in `from`"),
            Why::When => f.write_str("`when` is false"),
            Why::WhenFailed(why) => write!(f, "`when` failed: {why}"),
        }
    }
}
