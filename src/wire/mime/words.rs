//! Encoded words in header fields, both ways (RFC 2047), and folding (RFC 5322 2.2.3).

use std::borrow::Cow;

use memchr::memmem;

use crate::charset;
use crate::limits::{ENCODED_WORD, FOLD_AT, LINE_LENGTH};
use crate::transfer::{decode_base64, hex_octet};

/// Octets of an encoded word's text: 75 less `=?utf-8?B?` and `?=`.
const WORD_TEXT: usize = 75 - 12;

/// Which grammar a field's text follows: it decides how decoded words are put back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// Free text (Subject).
    Text,
    /// Addresses: a decoded display name that holds specials is quoted, so that it still reads as one name.
    Addresses,
}

/// A raw field value, folding included, as Unicode text.
pub(crate) fn decode_value(raw: &[u8], grammar: Grammar) -> String {
    let text = unfold(raw);
    if !text.contains("=?") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut run = Run::default();
    let mut quoted = false;
    let mut rest = text.as_str();
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some((word, after)) = read_word(from) else {
            run.flush(&mut out, grammar, quoted);
            push_literal(&mut out, &mut quoted, &rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        // Blanks between two encoded words are not part of the text (RFC 2047 6.2).
        if run.is_empty() || !before.trim().is_empty() {
            run.flush(&mut out, grammar, quoted);
            push_literal(&mut out, &mut quoted, before);
        }
        run.push(word);
        rest = after;
    }
    run.flush(&mut out, grammar, quoted);
    push_literal(&mut out, &mut quoted, rest);
    out
}

fn push_literal(out: &mut String, quoted: &mut bool, text: &str) {
    let mut escaped = false;
    for c in text.chars() {
        match c {
            '\\' => escaped = !escaped,
            '"' if !escaped => *quoted = !*quoted,
            _ => escaped = false,
        }
    }
    out.push_str(text);
}

/// The value without its folds, controls made blanks, in whatever charset it was sent.
pub(crate) fn unfold(raw: &[u8]) -> String {
    let text = charset::decode(raw, "");
    let mut out = String::with_capacity(text.len());
    let mut in_fold = false;
    for c in text.trim().chars() {
        match c {
            '\r' | '\n' => in_fold = true,
            ' ' | '\t' if in_fold => {
                out.push(' '); // the blank the fold stood before; a tab is only how some mailers indent
                in_fold = false;
            }
            other => {
                in_fold = false;
                out.push(if other.is_control() && other != '\t' { ' ' } else { other });
            }
        }
    }
    out
}

struct Word<'a> {
    charset: &'a str,
    octets: Vec<u8>,
}

/// One encoded word at the front of `text`, and what follows it.
fn read_word(text: &str) -> Option<(Word<'_>, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    if charset.is_empty() || charset.contains(char::is_whitespace) {
        return None;
    }
    let end = memmem::find(&rest.as_bytes()[..rest.len().min(ENCODED_WORD)], b"?=")?;
    let (content, after) = (&rest[..end], &rest[end + 2..]);
    let octets = match encoding {
        "B" | "b" => decode_base64(content.as_bytes()),
        "Q" | "q" => decode_q(content.as_bytes()),
        _ => return None,
    };
    let charset = charset.split('*').next().unwrap_or(charset); // RFC 2231 5: charset*language
    Some((Word { charset, octets }, after))
}

fn decode_q(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut at = 0;
    while let Some(&byte) = content.get(at) {
        match (byte, content.get(at + 1..at + 3).and_then(hex_octet)) {
            (b'=', Some(octet)) => {
                out.push(octet);
                at += 2;
            }
            (b'_', _) => out.push(b' '),
            (other, _) => out.push(other),
        }
        at += 1;
    }
    out
}

/// Neighbouring encoded words: octets of one charset are joined before decoding, because many mailers cut a
/// character in two.
#[derive(Default)]
struct Run {
    charset: String,
    octets: Vec<u8>,
    text: String,
    any: bool,
}

impl Run {
    fn is_empty(&self) -> bool {
        !self.any
    }

    fn push(&mut self, word: Word<'_>) {
        self.any = true;
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.settle();
            self.charset = word.charset.to_owned();
        }
        self.octets.extend(word.octets);
    }

    fn settle(&mut self) {
        let octets = std::mem::take(&mut self.octets);
        self.text.push_str(&charset::decode(&octets, &self.charset));
    }

    fn flush(&mut self, out: &mut String, grammar: Grammar, quoted: bool) {
        if !self.any {
            return;
        }
        self.settle();
        let run = std::mem::take(self);
        // A line end smuggled in by an encoded word would become a header field when written again.
        let text: String = run.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match grammar {
            Grammar::Text => out.push_str(&text),
            Grammar::Addresses if quoted => out.push_str(&escape(&text)),
            Grammar::Addresses => out.push_str(&quote_phrase(&text)),
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A display name as an RFC 5322 phrase: quoted when it holds specials.
pub(crate) fn quote_phrase(name: &str) -> Cow<'_, str> {
    match name.contains(|c: char| "()<>[]:;@\\,.\"".contains(c)) {
        true => Cow::Owned(format!("\"{}\"", escape(name))),
        false => Cow::Borrowed(name),
    }
}

/// Free text in ASCII: runs of words that need it become encoded words, the others stay as they are.
pub(crate) fn encode_text(text: &str) -> String {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut needy: Vec<bool> = tokens.iter().map(|token| needs_encoding(token)).collect();
    fill_gaps(&tokens, &mut needy);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < tokens.len() {
        if at > 0 {
            out.push(' ');
        }
        if !needy[at] {
            out.push_str(tokens[at]);
            at += 1;
            continue;
        }
        let end = needy[at..].iter().position(|n| !n).map_or(tokens.len(), |length| at + length);
        out.push_str(&encode_phrase(&tokens[at..end].join(" ")));
        at = end;
    }
    out
}

/// Blanks between two encoded words vanish on decoding: a gap of blanks only joins its neighbours.
fn fill_gaps(tokens: &[&str], needy: &mut [bool]) {
    let mut last_needy = None;
    for at in 0..tokens.len() {
        if needy[at] {
            if let Some(from) = last_needy
                && tokens[from + 1..at].iter().all(|token| token.is_empty())
            {
                needy[from..at].fill(true);
            }
            last_needy = Some(at);
        }
    }
}

fn needs_encoding(token: &str) -> bool {
    !token.is_ascii()
        || token.contains("=?")
        || token.contains("?=")
        || token.len() > LINE_LENGTH / 2
        || token.bytes().any(|b| b.is_ascii_control())
}

/// The whole text as encoded words of at most 75 characters, separated by blanks; characters are never cut.
pub(crate) fn encode_phrase(text: &str) -> String {
    let encoded = text.chars().map(q_width).sum::<usize>();
    let quoted = encoded <= text.len().div_ceil(3) * 4;
    let width = |c: char| if quoted { q_width(c) } else { c.len_utf8() };
    let room = if quoted { WORD_TEXT } else { WORD_TEXT / 4 * 3 };
    let mut words = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, c) in text.char_indices() {
        if used + width(c) > room {
            words.push(encode_word(&text[start..at], quoted));
            (start, used) = (at, 0);
        }
        used += width(c);
    }
    words.push(encode_word(&text[start..], quoted));
    words.join(" ")
}

/// What RFC 2047 5(3) lets stand in a phrase; the same set serves free text.
fn q_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!*+-/ ".contains(c)
}

fn q_width(c: char) -> usize {
    if q_plain(c) { 1 } else { 3 * c.len_utf8() }
}

fn encode_word(text: &str, quoted: bool) -> String {
    if !quoted {
        return format!("=?utf-8?B?{}?=", base64_simd::STANDARD.encode_to_string(text.as_bytes()));
    }
    let mut out = String::from("=?utf-8?Q?");
    for c in text.chars() {
        match c {
            ' ' => out.push('_'),
            c if q_plain(c) => out.push(c),
            c => {
                let mut octets = [0u8; 4];
                c.encode_utf8(&mut octets).bytes().for_each(|octet| out.push_str(&format!("={octet:02X}")));
            }
        }
    }
    out.push_str("?=");
    out
}

/// Writes `name: value` folded before blanks at 76 columns, CRLF at the end. A word longer than a line may be
/// (998) is cut: there is no other way to send it.
pub(crate) fn write_folded(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b":");
    let mut column = name.len() + 1;
    let mut rest = value.trim();
    let mut first = true;
    while !rest.is_empty() {
        // One segment is the blanks and the word after them; a fold never leaves a line of blanks.
        let word_at = rest.find(|c: char| c != ' ' && c != '\t').unwrap_or(rest.len());
        let word_end = rest[word_at..].find([' ', '\t']).map_or(rest.len(), |length| word_at + length);
        let (segment, after) = rest.split_at(word_end);
        rest = after;
        let lead = if first { " " } else { "" };
        let width = lead.len() + segment.len();
        if !first && column + width > FOLD_AT {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
        out.extend_from_slice(lead.as_bytes());
        column = write_long(out, segment, column + lead.len());
        first = false;
    }
    out.extend_from_slice(b"\r\n");
}

fn write_long(out: &mut Vec<u8>, segment: &str, mut column: usize) -> usize {
    for c in segment.chars() {
        if column + c.len_utf8() > LINE_LENGTH {
            out.extend_from_slice(b"\r\n ");
            column = 1;
        }
        let c = if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        column += c.len_utf8();
    }
    column
}
