//! Parameters of Content-Type and Content-Disposition beyond plain ASCII (RFC 2231), both ways.

use crate::limits::LINE_LENGTH;
use crate::media::is_token;
use crate::transfer::hex_octet;
use crate::words::{Grammar, decode_value};
use crate::{MediaType, charset};

/// Octets of one percent-encoded piece on its own line.
const PIECE: usize = 60;

/// A type (or a disposition read as one) with RFC 2231 pieces joined and RFC 2047 words, which mailers put there
/// against the rule, decoded.
pub(crate) fn decode_params(media: MediaType) -> MediaType {
    if !media.params().iter().any(|(name, value)| name.contains('*') || value.contains("=?")) {
        return media;
    }
    let mut decoded = MediaType::new(media.essence());
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for (name, value) in media.params() {
        match Piece::read(name, value) {
            Some(piece) => pieces.push(piece),
            None => decoded.set(name, decode_value(value.as_bytes(), Grammar::Text)),
        }
    }
    pieces.sort_by(|a, b| (a.base, a.index).cmp(&(b.base, b.index)));
    for group in pieces.chunk_by(|a, b| a.base == b.base) {
        decoded.set(group[0].base, join(group)); // the extended form wins over a plain one beside it
    }
    decoded
}

struct Piece<'a> {
    base: &'a str,
    index: usize,
    extended: bool,
    value: &'a str,
}

impl<'a> Piece<'a> {
    /// `name*`, `name*0` or `name*0*`; `None` for a plain name.
    fn read(name: &'a str, value: &'a str) -> Option<Self> {
        let (base, rest) = name.split_once('*')?;
        let (number, extended) = match rest.strip_suffix('*') {
            Some(number) => (number, true),
            None => (rest, rest.is_empty()),
        };
        let index = if number.is_empty() { 0 } else { number.parse().ok()? };
        (!base.is_empty()).then_some(Piece { base, index, extended, value })
    }
}

fn join(pieces: &[Piece<'_>]) -> String {
    let mut label = "";
    let mut octets = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut value = piece.value;
        if at == 0
            && piece.extended
            && let Some((charset, rest)) = value.split_once('\'')
            && let Some((_language, rest)) = rest.split_once('\'')
        {
            (label, value) = (charset, rest);
        }
        match piece.extended {
            true => unescape(value.as_bytes(), &mut octets),
            false => octets.extend_from_slice(value.as_bytes()),
        }
    }
    let text = charset::decode(&octets, label);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn unescape(value: &[u8], octets: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        match value.get(at + 1..at + 3).and_then(hex_octet) {
            Some(octet) if byte == b'%' => {
                octets.push(octet);
                at += 3;
            }
            _ => {
                octets.push(byte);
                at += 1;
            }
        }
    }
}

/// `name=value` in ASCII, as one or more parameters; none when the name is no token.
pub(crate) fn encode_param(name: &str, value: &str) -> Vec<String> {
    if !is_token(name) {
        return Vec::new();
    }
    let printable = value.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if printable && value.len() < LINE_LENGTH / 2 && !value.contains("=?") {
        return vec![match is_token(value) {
            true => format!("{name}={value}"),
            false => format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        }];
    }
    let mut pieces = vec![String::from("utf-8''")];
    for byte in value.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let octet = if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        match pieces.last_mut() {
            Some(piece) if piece.len() + octet.len() <= PIECE => piece.push_str(&octet),
            _ => pieces.push(octet),
        }
    }
    match pieces.as_slice() {
        [single] => vec![format!("{name}*={single}")],
        several => several.iter().enumerate().map(|(at, piece)| format!("{name}*{at}*={piece}")).collect(),
    }
}
