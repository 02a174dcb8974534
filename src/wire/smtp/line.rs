//! Command lines out of a byte stream: CRLF ends a line and nothing else does (RFC 5321 2.3.8).
//!
//! A line that lies whole in the input is lent, not copied; a line that is split over reads is collected up to the
//! limit. Whatever is wrong with a line, the reader finds the true end of it and goes on there, so that no part of a
//! refused line is ever read as a command of its own (I-4).

use crate::BareNewlines;
use memchr::memchr;
use std::borrow::Cow;

#[derive(Debug, Default)]
pub(crate) struct LineReader {
    partial: Vec<u8>,
    skipping: Option<Skipping>,
}

/// In the middle of a line that is refused.
#[derive(Debug)]
struct Skipping {
    /// The refusal was reported already.
    reported: bool,
    after_cr: bool,
}

#[derive(Debug)]
pub(crate) enum Line<'a> {
    /// All input was taken and the line goes on.
    Partial,
    /// One line, its end taken off.
    Complete(Cow<'a, [u8]>),
    /// A bare LF; the rest of the line, up to its CRLF, will be skipped.
    BareNewline,
    /// The end of a line that was over the limit.
    TooLong,
}

impl LineReader {
    /// Takes octets up to the end of one line; returns how many. `max` counts the line end.
    pub(crate) fn next<'a>(&mut self, input: &'a [u8], max: usize, policy: BareNewlines) -> (usize, Line<'a>) {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let Some(end) = memchr(b'\n', rest) else {
                self.keep(rest, max);
                return (input.len(), Line::Partial);
            };
            let line = rest.get(..end).unwrap_or_default();
            used += end + 1;
            let found = if self.skipping.is_some() {
                self.end_skipping(line, policy)
            } else {
                self.end_line(line, max, policy)
            };
            if let Some(found) = found {
                return (used, found);
            }
        }
    }

    /// Takes the beginning or middle of a line.
    fn keep(&mut self, octets: &[u8], max: usize) {
        if let Some(skipping) = &mut self.skipping {
            skipping.after_cr = octets.last().map_or(skipping.after_cr, |byte| *byte == b'\r');
        } else if self.partial.len() + octets.len() >= max {
            self.partial = Vec::new();
            self.skipping = Some(Skipping { reported: false, after_cr: octets.last() == Some(&b'\r') });
        } else {
            self.partial.extend_from_slice(octets);
        }
    }

    /// An LF came in a line that is skipped: is it the end of it?
    fn end_skipping(&mut self, before: &[u8], policy: BareNewlines) -> Option<Line<'static>> {
        let skipping = self.skipping.take()?;
        let after_cr = before.last().map_or(skipping.after_cr, |byte| *byte == b'\r');
        if !after_cr && policy == BareNewlines::Refuse {
            self.skipping = Some(Skipping { after_cr: false, ..skipping });
            return None;
        }
        if skipping.reported { None } else { Some(Line::TooLong) }
    }

    /// An LF came: with the CR before it, it ends the line.
    fn end_line<'a>(&mut self, last: &'a [u8], max: usize, policy: BareNewlines) -> Option<Line<'a>> {
        let line: Cow<'a, [u8]> = if self.partial.is_empty() {
            Cow::Borrowed(last)
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(last);
            Cow::Owned(whole)
        };
        let terminated = line.last() == Some(&b'\r');
        let too_long = line.len() + 1 > max;
        if !terminated && policy == BareNewlines::Refuse {
            self.skipping = Some(Skipping { reported: !too_long, after_cr: false });
            return if too_long { None } else { Some(Line::BareNewline) };
        }
        if too_long {
            return Some(Line::TooLong);
        }
        Some(Line::Complete(if terminated { without_last(line) } else { line }))
    }
}

fn without_last(line: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.split_last().map_or(line, |(_, before)| before)),
        Cow::Owned(mut line) => {
            line.pop();
            Cow::Owned(line)
        }
    }
}
