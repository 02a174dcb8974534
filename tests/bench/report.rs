//! The table.

use serde_json::{Value, json};

use crate::environment::Facts;
use crate::measure::median;

/// One line of the table.
#[derive(Debug)]
pub struct Line {
    /// The row it belongs to.
    pub row: &'static str,
    /// What was done.
    pub work: String,
    /// What the figures count.
    pub unit: &'static str,
    /// Ours, a figure a round.
    pub ours: Vec<f64>,
    /// What it is compared with, by name, a figure a round.
    pub reference: Option<(String, Vec<f64>)>,
    /// What is owed.
    pub owed: Owed,
    /// What else is to know.
    pub notes: Vec<String>,
}

/// What is owed.
#[derive(Clone, Copy, Debug)]
pub enum Owed {
    /// Ours is that much or more.
    AtLeast(f64),
    /// Ours is less.
    Below(f64),
    /// Ours is that many times the reference or more.
    Times(f64),
    /// Nothing: printed because it explains the others.
    Nothing,
}

impl Line {
    /// Ours by the reference, of the medians.
    fn ratio(&self) -> Option<f64> {
        let (_, reference) = self.reference.as_ref()?;
        Some(median(&self.ours) / median(reference)).filter(|ratio| ratio.is_finite())
    }

    /// Whether what is owed is there; nothing when nothing is owed, or the reference is missing.
    fn met(&self) -> Option<bool> {
        let ours = median(&self.ours);
        match self.owed {
            Owed::AtLeast(least) => Some(ours >= least),
            Owed::Below(most) => Some(ours < most),
            Owed::Times(times) => self.ratio().map(|ratio| ratio >= times),
            Owed::Nothing => None,
        }
    }

    fn owed(&self) -> String {
        match self.owed {
            Owed::AtLeast(least) => format!("≥ {} {}", figure(least), self.unit),
            Owed::Below(most) => format!("< {} {}", figure(most), self.unit),
            Owed::Times(times) if times < 1.0 => format!("≥ {:.0} %", times * 100.0),
            Owed::Times(times) => format!("≥ {times}×"),
            Owed::Nothing => "–".to_owned(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let reference = match &self.reference {
            Some((name, values)) => format!("{} ({name})", spread(values)),
            None => "–".to_owned(),
        };
        let met = match self.met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "–",
        };
        [
            format!("{}: {}", self.row, self.work),
            format!("{} {}", spread(&self.ours), self.unit),
            reference,
            self.ratio().map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}×")),
            self.owed(),
            met.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let reference = self.reference.as_ref();
        json!({
            "row": self.row,
            "work": self.work,
            "unit": self.unit,
            "ours": { "median": median(&self.ours), "rounds": self.ours },
            "reference": reference.map(|(name, values)| json!({ "name": name, "median": median(values), "rounds": values })),
            "ratio": self.ratio(),
            "owed": self.owed(),
            "met": self.met(),
            "notes": self.notes,
        })
    }
}

/// A figure with as many digits as it deserves.
fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Median, and in brackets the smallest and the largest.
fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match values {
        [] => "–".to_owned(),
        [one] => figure(*one),
        _ => format!("{} [{}–{}]", figure(median(values)), figure(least), figure(most)),
    }
}

/// All that was found.
#[derive(Debug)]
pub struct Report {
    /// The machine.
    pub facts: Facts,
    /// The lines.
    pub lines: Vec<Line>,
    /// Rows that could not be measured, and why.
    pub left_out: Vec<(&'static str, String)>,
}

impl Report {
    /// As a Markdown table, with facts before and notes after.
    pub fn table(&self) -> String {
        let mut text = self.facts.text();
        text.push_str("\n| work | ours | reference | ratio | owed | met? |\n|---|---|---|---|---|---|\n");
        for line in &self.lines {
            text.push_str(&format!("| {} |\n", line.cells().join(" | ")));
        }
        text.push('\n');
        for line in self.lines.iter().filter(|line| !line.notes.is_empty()) {
            text.push_str(&format!("{}: {}: {}\n", line.row, line.work, line.notes.join("; ")));
        }
        for (row, why) in &self.left_out {
            text.push_str(&format!("{row}: left out: {why}\n"));
        }
        text
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "environment": self.facts.json(),
            "lines": self.lines.iter().map(Line::json).collect::<Vec<_>>(),
            "left_out": self.left_out.iter().map(|(row, why)| json!({ "row": row, "why": why })).collect::<Vec<_>>(),
        })
    }
}
