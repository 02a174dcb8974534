//! Masks: `+4477*`, `+44770090012?`, `*@example.net`, `7777`, `<>`.
//!
//! `*` stands for any characters or none, `?` for exactly one. A mask is compared with the canonical form of an address
//! (`+447700900123`, `bob@example.net`) without regard to case. `<>` is the null sender.

use crate::address::NULL_SENDER;
use crate::limits;

/// A compiled mask; the usual shapes are told apart so that they cost a comparison each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    Anything,
    Exactly(Box<[u8]>),
    /// `+4477*`
    Starting(Box<[u8]>),
    /// `*@example.net`
    Ending(Box<[u8]>),
    Wild(Box<[u8]>),
}

impl Mask {
    /// Reads a mask; the error says what would be right.
    pub(crate) fn parse(text: &str) -> Result<Mask, String> {
        check(text)?;
        let lower = text.to_ascii_lowercase();
        let boxed = |text: &str| Box::from(text.as_bytes());
        let plain = |text: &str| !text.contains(['*', '?']);
        Ok(match lower.as_str() {
            "*" => Mask::Anything,
            exact if plain(exact) => Mask::Exactly(boxed(exact)),
            mask => match (mask.strip_suffix('*'), mask.strip_prefix('*')) {
                (Some(start), _) if plain(start) => Mask::Starting(boxed(start)),
                (_, Some(end)) if plain(end) => Mask::Ending(boxed(end)),
                _ => Mask::Wild(boxed(mask)),
            },
        })
    }

    /// Whether a canonical address in lower case fits.
    pub(crate) fn fits(&self, address: &[u8]) -> bool {
        match self {
            Mask::Anything => true,
            Mask::Exactly(text) => address == &**text,
            Mask::Starting(start) => address.starts_with(start),
            Mask::Ending(end) => address.ends_with(end),
            Mask::Wild(mask) => wild(mask, address),
        }
    }

    /// How many characters it pins down: of several that fit, the larger is the more specific.
    pub(crate) fn literals(&self) -> usize {
        match self {
            Mask::Anything => 0,
            Mask::Exactly(text) | Mask::Starting(text) | Mask::Ending(text) => text.len(),
            Mask::Wild(mask) => mask.iter().filter(|octet| !matches!(octet, b'*' | b'?')).count(),
        }
    }

    /// Whether certainly every address that fits `other` fits this one too.
    pub(crate) fn covers(&self, other: &Mask) -> bool {
        match (self, other) {
            (Mask::Anything, _) => true,
            (_, Mask::Exactly(text)) => self.fits(text),
            (Mask::Starting(start), Mask::Starting(text)) => text.starts_with(start),
            (Mask::Ending(end), Mask::Ending(text)) => text.ends_with(end),
            _ => self == other,
        }
    }
}

fn check(text: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("\"{text}\" is not a mask: {why}"));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number_like = text.bytes().all(|octet| octet.is_ascii_digit() || matches!(octet, b'*' | b'?'));
    if text.is_empty() {
        return wrong("it is empty; \"*\" fits every address");
    }
    if text.len() > limits::MASK_LENGTH {
        return wrong(&format!("it has more than {} characters", limits::MASK_LENGTH));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong("leave out the white space; one mask per string");
    }
    if text != NULL_SENDER && text.contains(['<', '>']) {
        return wrong("write the bare address, without angle brackets (\"<>\" alone is the null sender)");
    }
    if text.to_ascii_lowercase().ends_with("/type=plmn") {
        return wrong("leave out \"/TYPE=PLMN\"; numbers are compared as \"+447700900123\"");
    }
    if let Some(number) = text.strip_prefix('+') {
        // Not "+44 or more": a plus sign inside a local part does not come first.
        let fits = !number.is_empty()
            && (number.contains('@') || number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'?')));
        return if fits { Ok(()) } else { wrong("after \"+\" come digits, \"*\" and \"?\"") };
    }
    if number_like && text.starts_with('0') && digits > 1 {
        return wrong("numbers are compared in international form, such as \"+4477*\"");
    }
    Ok(())
}

/// Greedy matching with one point to go back to: at worst mask times address, both bounded.
fn wild(mask: &[u8], text: &[u8]) -> bool {
    let (mut at_mask, mut at_text) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match mask.get(at_mask) {
            Some(b'*') => {
                at_mask += 1;
                back = Some((at_mask, at_text));
                continue;
            }
            Some(b'?') => {
                at_mask += 1;
                at_text = after_character(text, at_text);
                continue;
            }
            Some(octet) if text.get(at_text) == Some(octet) => {
                at_mask += 1;
                at_text += 1;
                continue;
            }
            _ => {}
        }
        let Some((mask_back, text_back)) = back else { return false };
        let further = after_character(text, text_back);
        back = Some((mask_back, further));
        (at_mask, at_text) = (mask_back, further);
    }
    mask.get(at_mask..).unwrap_or_default().iter().all(|octet| *octet == b'*')
}

/// Where the UTF-8 character that starts at `at` ends.
fn after_character(text: &[u8], at: usize) -> usize {
    let following = text.get(at + 1..).unwrap_or_default();
    at + 1 + following.iter().take_while(|octet| **octet & 0xC0 == 0x80).count()
}
