//! Service Indication (WAP-167-ServiceInd) and Service Loading (WAP-168-ServiceLoad): a link that is pushed to a phone.
//!
//! An indication is shown to the user, who may follow the link; loading follows it at once, which phones of today ignore or
//! warn of. Strict out: WBXML 1.2, UTF-8, the shortest tokens. Lenient in (I-5): any version, any charset, a string table,
//! attributes nobody here knows.

use bytes::Bytes;
use packetboat_mime::date;
use packetboat_wsp::{WspError, WspErrorKind};

use crate::wbxml::{Attribute, Document, Element, Name, Node, Piece, PublicId};
use crate::xml::{self, Doctype, XmlError, XmlErrorKind};

/// WBXML 1.2.
const VERSION: u8 = 0x02;
/// Assigned public identifiers (WAP-192-WBXML 7.2).
const SI: u32 = 0x05;
const SL: u32 = 0x06;
/// The same in words, which a document may have instead.
const SI_DOCTYPE: Doctype =
    Doctype { public: "-//WAPFORUM//DTD SI 1.0//EN", system: "http://www.wapforum.org/DTD/si.dtd", subset: "" };
const SL_DOCTYPE: Doctype =
    Doctype { public: "-//WAPFORUM//DTD SL 1.0//EN", system: "http://www.wapforum.org/DTD/sl.dtd", subset: "" };

/// Tags and attributes of SI (WAP-167-ServiceInd 8.3).
mod si {
    pub const SI: u8 = 0x05;
    pub const INDICATION: u8 = 0x06;
    pub const ACTIONS: u8 = 0x05;
    pub const CREATED: u8 = 0x0A;
    pub const HREF: u8 = 0x0B;
    pub const EXPIRES: u8 = 0x10;
    pub const ID: u8 = 0x11;
}

/// Tags and attributes of SL (WAP-168-ServiceLoad 9.3).
mod sl {
    pub const SL: u8 = 0x05;
    pub const ACTIONS: u8 = 0x05;
    pub const HREF: u8 = 0x08;
}

/// How an address may begin, in the order of the attribute starts from `href` on. The first means nothing of it.
const STARTS: [&str; 5] = ["", "http://", "http://www.", "https://", "https://www."];
/// What may stand in an address: values from 85 on.
const PARTS: [&str; 4] = [".com/", ".edu/", ".net/", ".org/"];
const FIRST_PART: u8 = 0x85;

/// How urgently the user is told, in the order of the tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// Not at all: the indication is only kept.
    None,
    /// When the user asks.
    Low,
    /// As soon as that disturbs nothing.
    #[default]
    Medium,
    /// At once.
    High,
    /// Not at all, and an indication of the same id is deleted.
    Delete,
}

impl Signal {
    /// The word for it in the document's text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::None => "signal-none",
            Signal::Low => "signal-low",
            Signal::Medium => "signal-medium",
            Signal::High => "signal-high",
            Signal::Delete => "delete",
        }
    }
}

/// Every signal, by token.
const SIGNALS: [Signal; 5] = [Signal::None, Signal::Low, Signal::Medium, Signal::High, Signal::Delete];

/// How a phone loads, in the order of the tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loading {
    /// Without disturbing the user.
    #[default]
    Low,
    /// Whatever the user does.
    High,
    /// Into the cache only.
    Cache,
}

impl Loading {
    /// The word for it in the document's text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Loading::Low => "execute-low",
            Loading::High => "execute-high",
            Loading::Cache => "cache",
        }
    }
}

/// Every loading, by token.
const LOADINGS: [Loading; 3] = [Loading::Low, Loading::High, Loading::Cache];

/// A Service Indication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indication {
    /// Where the link leads; an indication that deletes another needs none.
    pub href: Option<String>,
    /// Tells indications apart; without one it is the address.
    pub id: Option<String>,
    /// When the content was made, in seconds since 1970-01-01T00:00:00Z; an older one never replaces a newer one.
    pub created: Option<i64>,
    /// When the phone is to delete it, in the same seconds.
    pub expires: Option<i64>,
    /// How urgently the user is told.
    pub signal: Signal,
    /// What the user reads.
    pub text: String,
}

/// A Service Loading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceLoading {
    /// What is to be loaded.
    pub href: String,
    /// How.
    pub loading: Loading,
}

impl Indication {
    /// The media type of its WBXML (WSP number 2E).
    pub const MEDIA_TYPE: &'static str = "application/vnd.wap.sic";
    /// The media type of its text (WSP number 2D).
    pub const XML_MEDIA_TYPE: &'static str = "text/vnd.wap.si";

    /// As WBXML.
    pub fn to_wbxml(&self) -> Bytes {
        let mut attributes = Vec::new();
        attributes.extend(self.href.as_deref().map(|href| link(si::HREF, href)));
        attributes.extend(self.id.as_deref().map(|id| attribute(si::ID, text(id))));
        attributes.extend(self.created.map(|at| attribute(si::CREATED, Piece::Opaque(date_octets(at)))));
        attributes.extend(self.expires.map(|at| attribute(si::EXPIRES, Piece::Opaque(date_octets(at)))));
        if self.signal != Signal::Medium {
            attributes.push(Attribute { start: action(si::ACTIONS, &SIGNALS, self.signal), value: Vec::new() });
        }
        let content = if self.text.is_empty() { Vec::new() } else { vec![Node::Text(self.text.clone())] };
        let indication = Element { name: Name::token(si::INDICATION), attributes, content };
        let content = vec![Node::Element(indication)];
        written(SI, Element { name: Name::token(si::SI), attributes: Vec::new(), content })
    }

    /// Reads WBXML.
    ///
    /// # Errors
    /// [`WspError`]: it is not WBXML, not an SI, or there is no indication in it.
    pub fn from_wbxml(octets: &Bytes) -> Result<Indication, WspError> {
        let root = root(octets, SI, SI_DOCTYPE.public, "an SI document")?;
        let mut elements = root.elements();
        let found = elements.find(|element| element.name == Name::token(si::INDICATION));
        let element = found.ok_or_else(|| other(octets, "an indication"))?;
        let mut indication = Indication { text: element.text(), ..Indication::default() };
        for attribute in &element.attributes {
            let Name::Token { page: 0, number } = attribute.start else { continue };
            let value = || value(&attribute.value);
            match number {
                si::CREATED => indication.created = moment(&attribute.value),
                si::EXPIRES => indication.expires = moment(&attribute.value),
                si::ID => indication.id = Some(value()),
                _ => match (address(si::HREF, number), chosen(si::ACTIONS, &SIGNALS, number)) {
                    (Some(start), _) => indication.href = Some(start.to_owned() + &value()),
                    (None, Some(signal)) => indication.signal = signal,
                    (None, None) => {}
                },
            }
        }
        Ok(indication)
    }

    /// As text, with its DOCTYPE.
    pub fn to_xml(&self) -> String {
        let mut indication = xml::Node::new("indication")
            .with("href", self.href.as_deref())
            .with("si-id", self.id.as_deref())
            .with("created", self.created.map(date::rfc3339).as_deref())
            .with("si-expires", self.expires.map(date::rfc3339).as_deref())
            .with("action", self.signal.as_str());
        indication.text = self.text.clone();
        xml::write(&SI_DOCTYPE, &xml::Node::new("si").containing([indication]))
    }

    /// Reads text, with or without DOCTYPE; blanks around what the user reads are not part of it.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, not an SI, no indication in it, or a date or an action that is none.
    pub fn from_xml(octets: &[u8]) -> Result<Indication, XmlError> {
        let root = xml::parse(octets, "si")?;
        let missing = XmlError { offset: root.offset, kind: XmlErrorKind::Missing("an indication") };
        let node = root.child("indication").ok_or(missing)?;
        let owned = |name: &str| node.attribute(name).map(str::to_owned);
        let actions = "signal-none, signal-low, signal-medium, signal-high or delete";
        Ok(Indication {
            href: owned("href"),
            id: owned("si-id"),
            created: written_date(node, "created")?,
            expires: written_date(node, "si-expires")?,
            signal: written_action(node, &SIGNALS, Signal::as_str, actions)?,
            text: node.text.trim().to_owned(),
        })
    }
}

impl ServiceLoading {
    /// The media type of its WBXML (WSP number 30).
    pub const MEDIA_TYPE: &'static str = "application/vnd.wap.slc";
    /// The media type of its text (WSP number 2F).
    pub const XML_MEDIA_TYPE: &'static str = "text/vnd.wap.sl";

    /// As WBXML.
    pub fn to_wbxml(&self) -> Bytes {
        let mut attributes = vec![link(sl::HREF, &self.href)];
        if self.loading != Loading::Low {
            attributes.push(Attribute { start: action(sl::ACTIONS, &LOADINGS, self.loading), value: Vec::new() });
        }
        written(SL, Element { name: Name::token(sl::SL), attributes, content: Vec::new() })
    }

    /// Reads WBXML.
    ///
    /// # Errors
    /// [`WspError`]: it is not WBXML, not an SL, or says no address.
    pub fn from_wbxml(octets: &Bytes) -> Result<ServiceLoading, WspError> {
        let root = root(octets, SL, SL_DOCTYPE.public, "an SL document")?;
        let (mut href, mut loading) = (None, Loading::default());
        for attribute in &root.attributes {
            let Name::Token { page: 0, number } = attribute.start else { continue };
            match (address(sl::HREF, number), chosen(sl::ACTIONS, &LOADINGS, number)) {
                (Some(start), _) => href = Some(start.to_owned() + &value(&attribute.value)),
                (None, Some(chosen)) => loading = chosen,
                (None, None) => {}
            }
        }
        Ok(ServiceLoading { href: href.ok_or_else(|| other(octets, "an address to load"))?, loading })
    }

    /// As text, with its DOCTYPE.
    pub fn to_xml(&self) -> String {
        let root = xml::Node::new("sl").with("href", self.href.as_str()).with("action", self.loading.as_str());
        xml::write(&SL_DOCTYPE, &root)
    }

    /// Reads text, with or without DOCTYPE.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, not an SL, no address in it, or an action that is none.
    pub fn from_xml(octets: &[u8]) -> Result<ServiceLoading, XmlError> {
        let root = xml::parse(octets, "sl")?;
        let actions = "execute-low, execute-high or cache";
        Ok(ServiceLoading {
            href: root.required("href", "an address to load (href)")?,
            loading: written_action(&root, &LOADINGS, Loading::as_str, actions)?,
        })
    }
}

/// A date of the text form, if there is one; an empty one is none.
fn written_date(node: &xml::Node, name: &str) -> Result<Option<i64>, XmlError> {
    let Some(text) = node.attribute(name).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    match date::parse(text.trim()) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(node.wrong("a date such as 2025-10-09T08:53:20Z", text)),
    }
}

/// An action of the text form; the usual one if there is none.
fn written_action<T: Copy + Default>(
    node: &xml::Node,
    all: &[T],
    word: fn(T) -> &'static str,
    expected: &'static str,
) -> Result<T, XmlError> {
    let Some(text) = node.attribute("action") else { return Ok(T::default()) };
    let found = all.iter().find(|one| word(**one).eq_ignore_ascii_case(text.trim()));
    found.copied().ok_or_else(|| node.wrong(expected, text))
}

fn written(public_id: u32, root: Element) -> Bytes {
    Document { public_id: PublicId::Number(public_id), root }.write(VERSION).into()
}

/// The root of a document of this type. Servers that do not care write public id 1, "unknown".
fn root(octets: &Bytes, number: u32, name: &str, expected: &'static str) -> Result<Element, WspError> {
    let document = Document::parse(octets)?;
    let right = match &document.public_id {
        PublicId::Number(found) => *found == number || *found == 1,
        PublicId::Text(found) => found == name,
    };
    // Both types have one root, of the same token.
    match right && document.root.name == Name::token(si::SI) {
        true => Ok(document.root),
        false => Err(other(octets, expected)),
    }
}

fn other(octets: &Bytes, expected: &'static str) -> WspError {
    let found = octets.get(1).copied().unwrap_or_default();
    WspError { offset: 1, kind: WspErrorKind::Unexpected { expected, found } }
}

fn text(value: &str) -> Piece {
    Piece::Text(value.to_owned())
}

fn attribute(number: u8, value: Piece) -> Attribute {
    Attribute { start: Name::token(number), value: vec![value] }
}

/// The attribute start of one of several values that follow each other.
fn action<T: PartialEq>(first: u8, all: &[T], one: T) -> Name {
    let place = all.iter().position(|each| *each == one).unwrap_or_default();
    Name::token(first + place as u8)
}

/// The value an attribute start stands for.
fn chosen<T: Copy>(first: u8, all: &[T], number: u8) -> Option<T> {
    all.get(usize::from(number.checked_sub(first)?)).copied()
}

/// The beginning of an address an attribute start stands for.
fn address(first: u8, number: u8) -> Option<&'static str> {
    chosen(first, &STARTS, number)
}

/// An address with the longest beginning that has a token, and tokens for what else has one.
fn link(first: u8, href: &str) -> Attribute {
    let fits = |(_, start): &(usize, &&str)| href.starts_with(**start);
    let (place, start) =
        STARTS.iter().enumerate().filter(fits).max_by_key(|(_, start)| start.len()).unwrap_or((0, &""));
    let mut rest = &href[start.len()..];
    let mut value = Vec::new();
    while !rest.is_empty() {
        let next =
            PARTS.iter().enumerate().filter_map(|(token, part)| Some((rest.find(part)?, token, part.len()))).min();
        let Some((at, token, length)) = next else {
            value.push(text(rest));
            break;
        };
        if at > 0 {
            value.push(text(&rest[..at]));
        }
        value.push(Piece::Token { page: 0, number: FIRST_PART + token as u8 });
        rest = &rest[at + length..];
    }
    Attribute { start: Name::token(first + place as u8), value }
}

fn value(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Token { page: 0, number } => out.push_str(chosen(FIRST_PART, &PARTS, *number).unwrap_or_default()),
            Piece::Token { .. } | Piece::Opaque(_) => {}
        }
    }
    out
}

/// A date as the specification wants it: decimal digits, two in an octet, YYYYMMDDhhmmss in UTC, without the zero octets at
/// the end (WAP-167-ServiceInd 8.2.2).
fn date_octets(seconds: i64) -> Bytes {
    let digits: Vec<u8> = date::rfc3339(seconds).bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    let mut octets: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect();
    while octets.last() == Some(&0) {
        octets.pop();
    }
    octets.into()
}

/// The date of an attribute, as digits in octets or, from careless servers, as RFC 3339 text.
fn moment(pieces: &[Piece]) -> Option<i64> {
    let digits: String = match pieces {
        [Piece::Opaque(octets)] => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
        pieces => value(pieces).chars().filter(char::is_ascii_digit).collect(),
    };
    let digits = format!("{digits:0<14}");
    let (date, time) = (digits.get(..8)?, digits.get(8..14)?);
    let two = |text: &str, at: usize| text.get(at..at + 2).unwrap_or_default().to_owned();
    let time = [two(time, 0), two(time, 2), two(time, 4)].join(":");
    date::parse(&format!("{}-{}-{}T{time}Z", date.get(..4)?, two(date, 4), two(date, 6)))
}
