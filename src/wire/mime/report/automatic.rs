//! Signs that a message was sent by a machine: nobody answers those automatically (RFC 3834 2).

use crate::Headers;

/// What header fields say about who sent a message. The null return path, the strongest sign of all, is in the
/// envelope and not seen here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoopFacts {
    /// Auto-Submitted is there and not `no` (RFC 3834 5).
    pub auto_submitted: bool,
    /// Precedence is bulk, list or junk.
    pub bulk: bool,
    /// A List-* field is there (RFC 2369, RFC 2919).
    pub list: bool,
    /// Received fields: hops so far (RFC 5321 6.3).
    pub received: usize,
}

impl LoopFacts {
    /// Whether an automatic answer must not be sent. X-Auto-Response-Suppress is no such sign: people's mail has it.
    pub fn is_automatic(&self) -> bool {
        self.auto_submitted || self.bulk || self.list
    }
}

/// Reads the signs.
pub fn loop_facts(headers: &Headers) -> LoopFacts {
    let mut facts = LoopFacts::default();
    for (name, value) in &headers.0 {
        // The value may be followed by parameters and comments (RFC 3834 5).
        let word = value.split(|c: char| c == ';' || c == '(' || c.is_whitespace()).find(|word| !word.is_empty());
        let word = word.unwrap_or("").to_ascii_lowercase();
        match name.to_ascii_lowercase().as_str() {
            "auto-submitted" => facts.auto_submitted |= !word.is_empty() && word != "no",
            "precedence" => facts.bulk |= matches!(word.as_str(), "bulk" | "list" | "junk"),
            "received" => facts.received += 1,
            name if name.starts_with("list-") => facts.list = true,
            _ => {}
        }
    }
    facts
}
