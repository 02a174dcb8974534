//! Texts for the log: numbers and mail addresses in them are hidden, whoever wrote the text (invariant I-11).
//!
//! What another system said (a reply, a gateway's words) names people too, and so do errors that quote what was sent. So it
//! is not left to whoever logs: the log itself passes every line through here unless the operator wants to see it all.
//!
//! A number is a plus sign and five or more digits, also with separators between them, or ten to fifteen digits alone.
//! Digits that touch a letter are part of an id and stay.

/// Fewest digits after a plus sign that are a number; a time zone has four.
const AFTER_PLUS: usize = 5;
/// Digits that are a number without a plus sign.
const BARE: std::ops::RangeInclusive<usize> = 10..=15;
/// Octets that are looked at in search of an `@`.
const LOCAL: usize = 64;
/// Digits that stay readable at the beginning and at the end.
const SHOWN: (usize, usize) = (3, 2);

/// The text with numbers and mail addresses hidden.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let touches = out.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric()) && !out.ends_with("%2B");
        let found = match first {
            '+' => international(rest).or_else(|| mailbox(rest, touches)),
            _ if touches => None,
            '0'..='9' => mailbox(rest, touches).or_else(|| bare(rest)),
            _ => mailbox(rest, touches),
        };
        let (hidden, length) = found.unwrap_or_else(|| (first.to_string(), first.len_utf8()));
        out += &hidden;
        rest = &rest[length..];
    }
    out
}

/// `+44 7700 900123` and how many octets it takes.
fn international(text: &str) -> Option<(String, usize)> {
    let mut digits = String::new();
    let mut end = 1;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '0'..='9' => {
                digits.push(c);
                end = at + 1;
            }
            // One separator between digits, no more: what follows is something else then.
            ' ' | '-' | '.' | '(' | ')' if at <= end + 1 => {}
            _ => break,
        }
    }
    let address = text[end..].starts_with('@');
    (digits.len() >= AFTER_PLUS && !address).then(|| (format!("+{}", shortened(&digits)), end))
}

/// A number without its plus sign.
fn bare(text: &str) -> Option<(String, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let alone = !text[length..].starts_with(|c: char| c.is_ascii_alphabetic());
    (alone && BARE.contains(&length)).then(|| (shortened(&text[..length]), length))
}

fn shortened(digits: &str) -> String {
    // Of a short number less is shown, or there would be nothing left to hide.
    let head = SHOWN.0.min(digits.len() / 4);
    let tail = SHOWN.1.min(digits.len() / 4);
    format!("{}…{}", &digits[..head], &digits[digits.len() - tail..])
}

/// A mail address that begins here.
fn mailbox(text: &str, touches: bool) -> Option<(String, usize)> {
    if touches {
        return None;
    }
    let of_local = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(b);
    let local = text.bytes().take(LOCAL).take_while(of_local).count();
    let domain = text[local..].strip_prefix('@')?;
    let length = domain.bytes().take_while(|b| b.is_ascii_alphanumeric() || b".-[]:".contains(b)).count();
    let first = text.chars().next().filter(|_| local > 0)?;
    Some((format!("{first}…@{}", &domain[..length]), local + 1 + length))
}
