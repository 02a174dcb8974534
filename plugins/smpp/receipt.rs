//! What a delivery receipt says (SMPP 3.4 4.6.1 and appendix B).
//!
//! The optional parameters count before the text, because the text's form is the SMSC vendor's own: fields are found by
//! their names, in any case and order, and any may be missing.

use crate::limits::{MAX_MESSAGE_ID, WORDS};
use crate::status::State;
use crate::wire::{Delivered, latin, tag};

/// Bits of `esm_class` that say what a delivery is (SMPP 3.4 5.2.12).
const TYPE: u8 = 0x3C;
/// A receipt.
const RECEIPT: u8 = 0x04;
/// A word on the way.
const INTERMEDIATE: u8 = 0x20;

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The ids it may be about, the likelier one first.
    pub ids: Vec<String>,
    /// What became of the short message; `None` when that cannot be read.
    pub state: Option<State>,
    /// The SMSC's or network's error, when it says one that is not zero.
    pub error: Option<String>,
}

/// What a delivery is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A receipt, final or on the way.
    Receipt(Receipt),
    /// An acknowledgement by the phone's application or its user, which nobody here asks for.
    Acknowledgement,
    /// A short message from a phone or a gateway.
    Message,
}

/// Tells what a delivery is. Some SMSCs leave the bits of `esm_class` out of receipts but say which id they are about.
pub fn kind(delivered: &Delivered) -> Kind {
    let named = delivered.tlvs.octets(tag::RECEIPTED_MESSAGE_ID).is_some();
    match delivered.esm_class & TYPE {
        RECEIPT | INTERMEDIATE => Kind::Receipt(read(delivered)),
        0 if named => Kind::Receipt(read(delivered)),
        0 => Kind::Message,
        _ => Kind::Acknowledgement,
    }
}

fn read(delivered: &Delivered) -> Receipt {
    let text: String = latin(&delivered.message).chars().take(4 * WORDS).collect();
    let ids = [delivered.tlvs.text(tag::RECEIPTED_MESSAGE_ID), field(&text, "id")];
    let mut ids: Vec<String> = ids.into_iter().flatten().filter(|id| !id.is_empty()).map(cut).collect();
    ids.dedup();
    let number = delivered.tlvs.number(tag::MESSAGE_STATE).and_then(|number| u8::try_from(number).ok());
    let word = || field(&text, "stat").and_then(|word| State::of_word(&word));
    let code = match delivered.tlvs.octets(tag::NETWORK_ERROR_CODE).map(|octets| &octets[..]) {
        Some([network, high, low]) => Some(format!("{} of network {network}", u16::from_be_bytes([*high, *low]))),
        _ => None,
    };
    let error = field(&text, "err").filter(|code| code.chars().any(|c| c.is_ascii_alphanumeric() && c != '0')).map(cut);
    Receipt { ids, state: number.and_then(State::of_number).or_else(word), error: error.or(code) }
}

/// The word behind `name:`, when the name stands at the beginning or behind something that is no letter.
fn field(text: &str, name: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let wanted = format!("{name}:");
    let mut from = 0;
    while let Some(found) = lower[from..].find(&wanted) {
        let (at, value) = (from + found, from + found + wanted.len());
        if !lower[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            let value = text[value..].trim_start();
            let word = value.split(|c: char| c.is_whitespace() || c == ',' || c == '\0').next().unwrap_or_default();
            // "err: text:" has no error: what follows is the next field's name.
            return Some(word).filter(|word| !word.is_empty() && !word.ends_with(':')).map(str::to_owned);
        }
        from = value;
    }
    None
}

fn cut(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE_ID).collect()
}
