//! What SMIL and HTML share: tags read leniently and character references, without a document tree, a DTD or
//! entities of the document's own (so nothing can expand).

use crate::limits::ATTRIBUTES;

/// A tag: `<name a="b">`, `</name>`, `<name/>`. Names are lower case, without namespace prefix.
pub(crate) struct Tag<'a> {
    pub(crate) name: String,
    pub(crate) closes: bool,
    /// `<name/>`
    pub(crate) empty: bool,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    /// An attribute's value with character references resolved; names compare without case.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let local = |full: &str| full.rsplit(':').next().unwrap_or(full).eq_ignore_ascii_case(name);
        self.attributes.iter().find(|(found, _)| local(found)).map(|(_, value)| unescape(value))
    }
}

/// A piece of markup.
pub(crate) enum Token<'a> {
    Text(&'a str),
    Tag(Tag<'a>),
}

/// The next token and what follows it; comments, declarations and processing instructions are passed over.
pub(crate) fn next_token(text: &str) -> Option<(Token<'_>, &str)> {
    let mut text = text;
    loop {
        if text.is_empty() {
            return None;
        }
        if !starts_markup(text) {
            let end = text.char_indices().skip(1).find(|(at, c)| *c == '<' && starts_markup(&text[*at..]));
            let end = end.map_or(text.len(), |(at, _)| at);
            return Some((Token::Text(&text[..end]), &text[end..]));
        }
        if let Some(after) = skip_declaration(text) {
            text = after;
            continue;
        }
        let (tag, after) = read_tag(text);
        return Some((Token::Tag(tag), after));
    }
}

fn starts_markup(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first() == Some(&b'<')
        && match bytes.get(1) {
            Some(b'!' | b'?') => true,
            Some(b'/') => bytes.get(2).is_some_and(u8::is_ascii_alphabetic),
            Some(other) => other.is_ascii_alphabetic(),
            None => false,
        }
}

fn skip_declaration(text: &str) -> Option<&str> {
    let ending = match text.as_bytes() {
        [b'<', b'!', b'-', b'-', ..] => "-->",
        [b'<', b'!', b'[', ..] if text.starts_with("<![CDATA[") => return text.get(9..),
        [b'<', b'!' | b'?', ..] => ">",
        _ => return None,
    };
    Some(text.find(ending).map_or("", |at| &text[at + ending.len()..]))
}

/// A tag at the front of `text`. A quote that never ends gives way to the next `>`.
fn read_tag(text: &str) -> (Tag<'_>, &str) {
    let closes = text.starts_with("</");
    let inner = &text[if closes { 2 } else { 1 }..];
    let name_end = inner.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(inner.len());
    let name = inner[..name_end].rsplit(':').next().unwrap_or("").to_ascii_lowercase();
    let mut tag = Tag { name, closes, empty: false, attributes: Vec::new() };
    let mut rest = &inner[name_end..];
    loop {
        rest = rest.trim_start();
        match rest.as_bytes() {
            [] => return (tag, ""),
            [b'>', ..] => return (tag, &rest[1..]),
            [b'/', ..] => {
                tag.empty = rest.starts_with("/>");
                rest = &rest[1..];
            }
            _ => {
                let (attribute, after) = read_attribute(rest);
                if tag.attributes.len() < ATTRIBUTES {
                    tag.attributes.push(attribute);
                }
                rest = after;
            }
        }
    }
}

/// `name`, `name=value`, `name="value"`; always takes at least one character.
fn read_attribute(text: &str) -> ((&str, &str), &str) {
    let skip = text.chars().next().map_or(0, char::len_utf8);
    let end = text[skip..].find(|c: char| c.is_whitespace() || "=>/".contains(c)).map_or(text.len(), |at| skip + at);
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.trim_start().strip_prefix('=') else { return ((name, ""), rest) };
    let value = value.trim_start();
    if let Some(quote) = value.chars().next().filter(|c| "\"'".contains(*c))
        && let Some(length) = value[1..].find(quote)
        && !runs_into_next_tag(&value[1..1 + length])
    {
        return ((name, &value[1..1 + length]), &value[length + 2..]);
    }
    let value = value.trim_start_matches(['"', '\'']);
    let mut end = value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len());
    if value[..end].ends_with('/') && value[end..].starts_with('>') {
        end -= 1;
    }
    ((name, value[..end].trim_end_matches(['"', '\''])), &value[end..])
}

/// Whether a quoted value holds `> <`: then its own quote is missing and this one is another attribute's.
fn runs_into_next_tag(value: &str) -> bool {
    value.match_indices('>').any(|(at, _)| value[at + 1..].trim_start().starts_with('<'))
}

/// Character references resolved: the five of XML, decimal and hexadecimal ones, the usual ones of HTML. What is
/// none stays as written, a bare `&` included.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match read_reference(rest) {
            Some((c, length)) => {
                out.push(c);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn read_reference(text: &str) -> Option<(char, usize)> {
    let window = &text.as_bytes()[..text.len().min(12)];
    let end = window.iter().position(|byte| *byte == b';')?;
    let name = text.get(1..end)?;
    let number = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => digits.parse().ok()?,
        },
        None => NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| u32::from(*c))?,
    };
    let c = char::from_u32(number).filter(|c| !c.is_control() || c.is_whitespace())?;
    Some((c, end + 1))
}

/// The references mailers write (HTML 4.01 section 24); the rest come as numbers or UTF-8.
#[rustfmt::skip]
const NAMED: &[(&str, char)] = &[
    ("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", '\u{a0}'), ("shy", '\u{ad}'),
    ("copy", '©'), ("reg", '®'), ("trade", '™'), ("hellip", '…'), ("mdash", '—'), ("ndash", '–'), ("bull", '•'),
    ("middot", '·'), ("lsquo", '‘'), ("rsquo", '’'), ("ldquo", '“'), ("rdquo", '”'), ("sbquo", '‚'), ("bdquo", '„'),
    ("laquo", '«'), ("raquo", '»'), ("lsaquo", '‹'), ("rsaquo", '›'), ("euro", '€'), ("pound", '£'), ("yen", '¥'),
    ("cent", '¢'), ("sect", '§'), ("para", '¶'), ("deg", '°'), ("plusmn", '±'), ("times", '×'), ("divide", '÷'),
    ("frac12", '½'), ("frac14", '¼'), ("frac34", '¾'), ("sup2", '²'), ("sup3", '³'), ("micro", 'µ'), ("iexcl", '¡'),
    ("iquest", '¿'), ("ordf", 'ª'), ("ordm", 'º'), ("larr", '←'), ("uarr", '↑'), ("rarr", '→'), ("darr", '↓'),
    ("hearts", '♥'), ("zwj", '\u{200d}'), ("zwnj", '\u{200c}'), ("ensp", '\u{2002}'), ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'), ("dagger", '†'), ("permil", '‰'), ("szlig", 'ß'), ("agrave", 'à'), ("aacute", 'á'),
    ("acirc", 'â'), ("atilde", 'ã'), ("auml", 'ä'), ("aring", 'å'), ("aelig", 'æ'), ("ccedil", 'ç'), ("egrave", 'è'),
    ("eacute", 'é'), ("ecirc", 'ê'), ("euml", 'ë'), ("igrave", 'ì'), ("iacute", 'í'), ("icirc", 'î'), ("iuml", 'ï'),
    ("eth", 'ð'), ("ntilde", 'ñ'), ("ograve", 'ò'), ("oacute", 'ó'), ("ocirc", 'ô'), ("otilde", 'õ'), ("ouml", 'ö'),
    ("oslash", 'ø'), ("ugrave", 'ù'), ("uacute", 'ú'), ("ucirc", 'û'), ("uuml", 'ü'), ("yacute", 'ý'), ("thorn", 'þ'),
    ("yuml", 'ÿ'), ("oelig", 'œ'), ("scaron", 'š'), ("Agrave", 'À'), ("Aacute", 'Á'), ("Acirc", 'Â'), ("Atilde", 'Ã'),
    ("Auml", 'Ä'), ("Aring", 'Å'), ("AElig", 'Æ'), ("Ccedil", 'Ç'), ("Egrave", 'È'), ("Eacute", 'É'), ("Ecirc", 'Ê'),
    ("Euml", 'Ë'), ("Igrave", 'Ì'), ("Iacute", 'Í'), ("Icirc", 'Î'), ("Iuml", 'Ï'), ("Ntilde", 'Ñ'), ("Ograve", 'Ò'),
    ("Oacute", 'Ó'), ("Ocirc", 'Ô'), ("Otilde", 'Õ'), ("Ouml", 'Ö'), ("Oslash", 'Ø'), ("Ugrave", 'Ù'), ("Uacute", 'Ú'),
    ("Ucirc", 'Û'), ("Uuml", 'Ü'), ("OElig", 'Œ'), ("Scaron", 'Š'),
];
