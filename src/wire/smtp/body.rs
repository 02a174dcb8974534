//! The content of a message out of a byte stream: DATA with its end and its dots, BDAT without (RFC 5321 4.5.2, 4.1.1.4,
//! RFC 3030 2).
//!
//! Only CRLF.CRLF ends DATA, whatever came before (I-4): a reader that ends it at `LF.LF`, `LF.CRLF` or `CRLF.CR CRLF`
//! lets a sender smuggle a second message past the first server. A bare CR or LF is noted, so that the message can be
//! refused at its true end, or made a CRLF under [`BareNewlines::Fix`], which never makes an end of it.
//!
//! Content comes out as slices of the input as long as they can be, many lines at once: the only octets that are kept
//! back between calls are a dot at a line start and the CR after it.

use crate::BareNewlines;
use memchr::{memchr_iter, memchr2_iter};

#[derive(Debug)]
pub(crate) struct BodyReader {
    policy: BareNewlines,
    dots: bool,
    edge: Edge,
    bare: bool,
}

/// What the next octet follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// CRLF, or nothing yet.
    LineStart,
    /// A bare newline that was made a CRLF: a line start for the content, never the start of the end.
    FixedStart,
    /// Octets of a line.
    Middle,
    /// A CR, handed out already.
    Cr,
    /// A dot at a line start, kept back.
    Dot,
    /// A dot at a fixed line start, kept back.
    FixedDot,
    /// CRLF.CR, dot and CR kept back.
    DotCr,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Decoded content.
    Content(&'a [u8]),
    /// CRLF.CRLF was read.
    End,
    /// All input was taken.
    More,
}

impl BodyReader {
    /// A reader for DATA.
    pub(crate) fn for_data(policy: BareNewlines) -> Self {
        Self { policy, dots: true, edge: Edge::LineStart, bare: false }
    }

    /// A reader for the chunks of one BDAT message of lines.
    pub(crate) fn for_chunks(policy: BareNewlines) -> Self {
        Self { policy, dots: false, edge: Edge::LineStart, bare: false }
    }

    /// A bare CR or LF was seen, under [`BareNewlines::Refuse`].
    pub(crate) fn has_bare_newline(&self) -> bool {
        self.bare
    }

    /// Takes octets and hands out the next piece; returns how many were taken.
    pub(crate) fn next<'a>(&mut self, input: &'a [u8]) -> (usize, Piece<'a>) {
        let fix = self.policy == BareNewlines::Fix;
        let mut used = 0;
        loop {
            let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) else {
                return (used, Piece::More);
            };
            let octet = rest.first().copied().unwrap_or_default();
            match (self.edge, octet) {
                (Edge::LineStart, b'.') if self.dots => {
                    self.edge = Edge::Dot;
                    used += 1;
                }
                (Edge::FixedStart, b'.') if self.dots => {
                    self.edge = Edge::FixedDot;
                    used += 1;
                }
                (Edge::Dot, b'\r') => {
                    self.edge = Edge::DotCr;
                    used += 1;
                }
                (Edge::DotCr, b'\n') => {
                    self.edge = Edge::LineStart;
                    return (used + 1, Piece::End);
                }
                (Edge::DotCr, _) => {
                    self.edge = if fix { Edge::FixedStart } else { Edge::Middle };
                    self.bare |= !fix;
                    return (used, Piece::Content(if fix { b".\r\n" } else { b"\r" }));
                }
                // A line of one dot that a bare newline begins or ends is text, not stuffing.
                (Edge::Dot, b'\n') | (Edge::FixedDot, b'\r' | b'\n') if fix => {
                    self.edge = Edge::Middle;
                    return (used, Piece::Content(b"."));
                }
                (Edge::Dot | Edge::FixedDot, _) => self.edge = Edge::Middle,
                (Edge::Cr, b'\n') | (Edge::Middle | Edge::LineStart | Edge::FixedStart, _) => {
                    let (taken, content) = if fix { self.run_fixed(rest) } else { self.run(rest) };
                    return (used + taken, Piece::Content(content));
                }
                (Edge::Cr, _) if fix => {
                    self.edge = Edge::FixedStart;
                    return (used, Piece::Content(b"\n"));
                }
                (Edge::Cr, _) => {
                    self.bare = true;
                    self.edge = Edge::Middle;
                }
            }
        }
    }

    /// The message ends after a BDAT chunk: returns what is still missing of the content.
    pub(crate) fn finish(&mut self) -> &'static [u8] {
        match (std::mem::replace(&mut self.edge, Edge::LineStart), self.policy) {
            (Edge::Cr, BareNewlines::Fix) => b"\n",
            (Edge::Cr, BareNewlines::Refuse) => {
                self.bare = true;
                b""
            }
            _ => b"",
        }
    }

    /// The longest run that goes out as it is: up to a dot that follows a CRLF, or all of it. One pass over the LFs;
    /// bare CRs show up in a count, since each LF vouches for one CR.
    fn run<'a>(&mut self, input: &'a [u8]) -> (usize, &'a [u8]) {
        let mut vouched = 0_usize;
        let mut end = input.len();
        for at in memchr_iter(b'\n', input) {
            let after_cr = match at.checked_sub(1) {
                Some(before) if input.get(before) == Some(&b'\r') => {
                    vouched += 1;
                    true
                }
                Some(_) => false,
                None => self.edge == Edge::Cr,
            };
            self.bare |= !after_cr;
            if after_cr && self.dots && input.get(at + 1) == Some(&b'.') {
                end = at + 1;
                break;
            }
        }
        let run = input.get(..end).unwrap_or(input);
        self.edge = match run {
            [.., b'\r'] => Edge::Cr,
            [.., b'\r', b'\n'] => Edge::LineStart,
            [b'\n'] if self.edge == Edge::Cr => Edge::LineStart,
            _ => Edge::Middle,
        };
        let open = usize::from(self.edge == Edge::Cr);
        if !self.bare && memchr_iter(b'\r', run).count() != vouched + open {
            self.bare = true;
        }
        (end, run)
    }

    /// Like [`Self::run`], but stops at each bare CR or LF to mend it.
    fn run_fixed<'a>(&mut self, input: &'a [u8]) -> (usize, &'a [u8]) {
        for at in memchr2_iter(b'\r', b'\n', input) {
            let before = at.checked_sub(1).and_then(|before| input.get(before));
            let after = input.get(at + 1);
            if input.get(at) == Some(&b'\r') {
                if matches!(after, Some(b'\n')) {
                    continue;
                }
                self.edge = Edge::Cr;
                return (at + 1, input.get(..=at).unwrap_or(input));
            }
            let after_cr = if at == 0 { self.edge == Edge::Cr } else { before == Some(&b'\r') };
            if after_cr {
                if after.is_none() || (self.dots && after == Some(&b'.')) {
                    self.edge = Edge::LineStart;
                    return (at + 1, input.get(..=at).unwrap_or(input));
                }
            } else if at == 0 {
                self.edge = Edge::FixedStart;
                return (1, b"\r\n");
            } else {
                self.edge = Edge::Middle;
                return (at, input.get(..at).unwrap_or(input));
            }
        }
        self.edge = Edge::Middle;
        (input.len(), input)
    }
}
