//! A vCard as a person reads it (RFC 6350, and 2.1 as phones send it): the name, numbers, addresses. What is not understood is
//! left out; the card itself can be saved.

use packetboat_api::mime::{decode_quoted, decode_text};
use serde::Serialize;

use crate::limits::{CARD_LINES, CONTACT_LINES, LINE};

/// A contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The name.
    pub name: String,
    /// Where they work.
    pub organisation: String,
    /// Numbers, mail addresses, pages and places, in the card's order.
    pub lines: Vec<Line>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What is shown.
    pub text: String,
    /// Where it leads: `tel:`, `mailto:`, or an address of the web; empty leads nowhere.
    pub href: String,
}

/// Reads the first card; `None` when there is none with anything in it.
pub fn read(octets: &[u8], charset: &str) -> Option<Contact> {
    let text = decode_text(octets, if charset.is_empty() { "utf-8" } else { charset });
    let mut contact = Contact::default();
    let mut structured = String::new();
    let mut inside = false;
    for line in unfolded(&text) {
        let Some((head, value)) = line.split_once(':') else { continue };
        let mut parameters = head.split(';');
        let name = parameters.next().unwrap_or_default();
        // Apple writes `item1.TEL`.
        let name = name.rsplit('.').next().unwrap_or_default().trim().to_ascii_uppercase();
        let parameters: Vec<String> = parameters.map(str::to_ascii_lowercase).collect();
        match (name.as_str(), inside) {
            ("BEGIN", _) => inside = true,
            ("END", true) => break,
            (_, false) => continue,
            _ => {}
        }
        let value = decoded(value, &parameters);
        match name.as_str() {
            "FN" => contact.name = shown(&unescaped(&value)),
            "N" => structured = name_of(&value),
            "ORG" => contact.organisation = shown(&fields(&value).join(", ")),
            "TEL" | "EMAIL" | "URL" | "ADR" if contact.lines.len() < CONTACT_LINES => {
                contact.lines.extend(line_of(&name, &value));
            }
            _ => {}
        }
    }
    if contact.name.is_empty() {
        contact.name = structured;
    }
    if contact.name.is_empty() {
        contact.name = std::mem::take(&mut contact.organisation);
    }
    (!contact.name.is_empty() || !contact.lines.is_empty()).then_some(contact)
}

fn line_of(name: &str, value: &str) -> Option<Line> {
    let text = match name {
        "ADR" => shown(&fields(value).join(", ")),
        _ => shown(&unescaped(value)),
    };
    let bare = |scheme: &str| match text.get(..scheme.len()) {
        Some(begins) if begins.eq_ignore_ascii_case(scheme) => text[scheme.len()..].to_owned(),
        _ => text.clone(),
    };
    let line = match name {
        "TEL" => {
            let text = bare("tel:");
            let dialled: String = text.chars().filter(|c| c.is_ascii_digit() || "+*#".contains(*c)).collect();
            Line {
                href: if dialled.is_empty() { dialled } else { format!("tel:{}", dialled.replace('#', "%23")) },
                text,
            }
        }
        "EMAIL" => {
            let text = bare("mailto:");
            let plain = text.contains('@') && text.chars().all(|c| c.is_alphanumeric() || "@.-_+".contains(c));
            Line { href: if plain { format!("mailto:{text}") } else { String::new() }, text }
        }
        "URL" => {
            let web = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
            Line { href: if web { text.clone() } else { String::new() }, text }
        }
        _ => Line { text, href: String::new() },
    };
    (!line.text.is_empty()).then_some(line)
}

/// Lines put together again: continued ones begin with a blank (RFC 6350 3.2), in quoted-printable the line before ends in `=`.
/// Whether a line is in quoted-printable is looked for once, where it begins, so that the time taken grows with the card and no
/// faster.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut quoted = false;
    for line in text.lines().take(CARD_LINES) {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(&line[1..]),
            Some(last) if quoted && last.ends_with('=') => {
                last.pop();
                last.push_str(line);
            }
            _ => {
                let head = line.split_once(':').map_or("", |(head, _)| head);
                quoted = head.to_ascii_uppercase().contains("QUOTED-PRINTABLE");
                lines.push(line.to_owned());
            }
        }
    }
    lines
}

/// Quoted-printable with its charset, which 2.1 has.
fn decoded(value: &str, parameters: &[String]) -> String {
    if !parameters.iter().any(|parameter| parameter.contains("quoted-printable")) {
        return value.to_owned();
    }
    let charset = parameters.iter().find_map(|parameter| parameter.strip_prefix("charset="));
    decode_text(&decode_quoted(value.as_bytes()), charset.unwrap_or("utf-8")).to_string()
}

/// The structured name (family; given; additional; prefix; suffix) in the order people say it.
fn name_of(value: &str) -> String {
    let all = split(value);
    let order = [3, 1, 2, 0, 4];
    let said: Vec<String> = order.iter().filter_map(|at| all.get(*at)).map(|field| unescaped(field)).collect();
    shown(&said.iter().filter(|field| !field.is_empty()).cloned().collect::<Vec<_>>().join(" "))
}

fn fields(value: &str) -> Vec<String> {
    split(value).iter().map(|field| unescaped(field)).filter(|field| !field.trim().is_empty()).collect()
}

/// At semicolons that are not escaped.
fn split(value: &str) -> Vec<String> {
    let (mut all, mut escaped) = (vec![String::new()], false);
    for c in value.chars() {
        match c {
            ';' if !escaped => all.push(String::new()),
            _ => all.last_mut().into_iter().for_each(|last| last.push(c)),
        }
        escaped = c == '\\' && !escaped;
    }
    all
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            _ => out.push(c),
        }
    }
    out
}

/// One line without control characters, cut.
fn shown(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(LINE).collect()
}
