//! WBXML 1.1 to 1.3 (WAP-192-WBXML): a document as a small tree of tokens, both ways.
//!
//! What a token means is the business of its document type; here a token is its code page and its number. Text is decoded by
//! the document's charset. Decoding is bounded by [`limits`](crate::limits) in depth and in the number of things.

use bytes::Bytes;
use packetboat_wsp::{Reader, Writer, WspError, WspErrorKind, charset};

use crate::limits::{MAX_DEPTH, MAX_NODES, MAX_TEXT};

/// Global tokens (WAP-192-WBXML 7.1).
mod global {
    pub const SWITCH_PAGE: u8 = 0x00;
    pub const END: u8 = 0x01;
    pub const ENTITY: u8 = 0x02;
    pub const STR_I: u8 = 0x03;
    pub const LITERAL: u8 = 0x04;
    pub const PI: u8 = 0x43;
    pub const STR_T: u8 = 0x83;
    pub const OPAQUE: u8 = 0xC3;
}

/// Bits of a tag (WAP-192-WBXML 5.8.2).
const WITH_CONTENT: u8 = 0x40;
const WITH_ATTRIBUTES: u8 = 0x80;
/// What quotes a text in WSP.
const QUOTE: char = '\x7f';
/// UTF-8 by its MIBenum.
const UTF_8: u8 = 106;

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Which document type: its number, or its public identifier in words.
    pub public_id: PublicId,
    /// The root element.
    pub root: Element,
}

/// A document type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicId {
    /// An assigned number (WAP-192-WBXML 7.2).
    Number(u32),
    /// A formal public identifier.
    Text(String),
}

/// A tag or an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// By number.
    Token {
        /// Its code page.
        page: u8,
        /// Its number; a tag's without the bits for attributes and content.
        number: u8,
    },
    /// In words.
    Text(String),
}

impl Name {
    /// The token of this number on page 0.
    pub const fn token(number: u8) -> Name {
        Name::Token { page: 0, number }
    }
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its tag.
    pub name: Name,
    /// Its attributes in order.
    pub attributes: Vec<Attribute>,
    /// What is in it.
    pub content: Vec<Node>,
}

/// An attribute: its start, which may say the beginning of the value too, and the rest of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute start.
    pub start: Name,
    /// The pieces of the value.
    pub value: Vec<Piece>,
}

/// A piece of an attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// An attribute value token.
    Token {
        /// Its code page.
        page: u8,
        /// Its number, 85 hexadecimal and up.
        number: u8,
    },
    /// Octets.
    Opaque(Bytes),
}

/// What is in an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text.
    Text(String),
    /// Octets.
    Opaque(Bytes),
}

impl Element {
    /// The text in it, elements left out.
    pub fn text(&self) -> String {
        let text = |node: &Node| if let Node::Text(text) = node { Some(text.clone()) } else { None };
        self.content.iter().filter_map(text).collect()
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|node| if let Node::Element(element) = node { Some(element) } else { None })
    }
}

impl Document {
    /// Reads a document; what follows its root is ignored.
    ///
    /// # Errors
    /// [`WspError`] with the octet: the document stops early, a token is not allowed where it stands, a string is not in
    /// the string table, or there is more of something than [`limits`](crate::limits) allow.
    pub fn parse(octets: &Bytes) -> Result<Document, WspError> {
        let mut reader = Reader::new(octets);
        let version = reader.octet()?;
        let public = match reader.uintvar()? {
            0 => Err(reader.uintvar()?),
            number => Ok(number),
        };
        // WBXML 1.0 has no charset.
        let charset = if version == 0 { u32::from(UTF_8) } else { reader.uintvar()? };
        let at_table = reader;
        let length = reader.uintvar()? as usize;
        let left = reader.remaining();
        let overrun = WspErrorKind::Overrun { what: "string table", length, left };
        let table = reader.take(length).map_err(|_| at_table.error(overrun))?;
        let mut parser = Parser { reader, table, charset, tag_page: 0, attribute_page: 0, nodes: 0, text: 0 };
        let public_id = match public {
            Ok(number) => PublicId::Number(number),
            Err(index) => PublicId::Text(parser.table_string(index)?),
        };
        while parser.reader.peek()? == global::PI {
            parser.instruction()?;
        }
        let root = parser.element(1)?;
        Ok(Document { public_id, root })
    }

    /// Writes the document as WBXML of this version (`0x02` is 1.2, `0x03` 1.3), UTF-8, without string table.
    ///
    /// Literal names cannot be written without one: they are left out, with what belongs to them. Nothing here makes any.
    pub fn write(&self, version: u8) -> Vec<u8> {
        let mut out = Writer::new();
        out.octet(version);
        match &self.public_id {
            PublicId::Number(number) => out.uintvar(u64::from(*number)),
            PublicId::Text(_) => out.uintvar(1), // unknown
        };
        out.uintvar(u64::from(UTF_8)).octet(0);
        let mut pages = Pages::default();
        write_element(&mut out, &self.root, &mut pages);
        out.into_vec()
    }
}

struct Parser<'a> {
    reader: Reader<'a>,
    table: &'a [u8],
    charset: u32,
    tag_page: u8,
    attribute_page: u8,
    nodes: usize,
    /// Octets of text so far.
    text: usize,
}

impl Parser<'_> {
    fn count(&mut self) -> Result<(), WspError> {
        self.nodes += 1;
        match self.nodes > MAX_NODES {
            true => Err(self.reader.error(WspErrorKind::TooMany {
                what: "elements, attributes and values",
                count: self.nodes,
                limit: MAX_NODES,
            })),
            false => Ok(()),
        }
    }

    fn element(&mut self, depth: usize) -> Result<Element, WspError> {
        self.count()?;
        if depth > MAX_DEPTH {
            let kind = WspErrorKind::TooMany { what: "levels of elements", count: depth, limit: MAX_DEPTH };
            return Err(self.reader.error(kind));
        }
        while self.reader.peek()? == global::SWITCH_PAGE {
            self.reader.octet()?;
            self.tag_page = self.reader.octet()?;
        }
        let at = self.reader;
        let tag = self.reader.octet()?;
        let name = match tag & !(WITH_CONTENT | WITH_ATTRIBUTES) {
            global::LITERAL => {
                let index = self.reader.uintvar()?;
                Name::Text(self.table_string(index)?)
            }
            0..=3 => return Err(at.error(WspErrorKind::Unexpected { expected: "a tag", found: tag })),
            number => Name::Token { page: self.tag_page, number },
        };
        let mut element = Element { name, attributes: Vec::new(), content: Vec::new() };
        if tag & WITH_ATTRIBUTES != 0 {
            while let Some(attribute) = self.attribute()? {
                element.attributes.push(attribute);
            }
        }
        if tag & WITH_CONTENT != 0 {
            while let Some(node) = self.node(depth)? {
                element.content.push(node);
            }
        }
        Ok(element)
    }

    /// The next node of an element's content; `None` at its end.
    fn node(&mut self, depth: usize) -> Result<Option<Node>, WspError> {
        loop {
            if let Some(text) = self.string()? {
                return Ok(Some(Node::Text(text)));
            }
            let at = self.reader;
            match self.reader.peek()? {
                global::END => {
                    self.reader.octet()?;
                    return Ok(None);
                }
                global::PI => self.instruction()?,
                global::OPAQUE => return Ok(Some(Node::Opaque(self.opaque()?))),
                token @ (0x40..=0x42 | 0x80..=0x82 | 0xC0..=0xC2) => {
                    let kind = WspErrorKind::Unexpected { expected: "no extension token", found: token };
                    return Err(at.error(kind));
                }
                _ => return self.element(depth + 1).map(|element| Some(Node::Element(element))),
            }
        }
    }

    /// The next attribute; `None` at the end of them.
    fn attribute(&mut self) -> Result<Option<Attribute>, WspError> {
        self.count()?;
        while self.reader.peek()? == global::SWITCH_PAGE {
            self.reader.octet()?;
            self.attribute_page = self.reader.octet()?;
        }
        let at = self.reader;
        let start = match self.reader.octet()? {
            global::END => return Ok(None),
            global::LITERAL => {
                let index = self.reader.uintvar()?;
                Name::Text(self.table_string(index)?)
            }
            number @ (0x05..=0x3F | 0x45..=0x7F) => Name::Token { page: self.attribute_page, number },
            found => return Err(at.error(WspErrorKind::Unexpected { expected: "an attribute", found })),
        };
        let mut value = Vec::new();
        loop {
            if let Some(text) = self.string()? {
                value.push(Piece::Text(text));
                continue;
            }
            let piece = match self.reader.peek()? {
                global::SWITCH_PAGE => {
                    self.reader.octet()?;
                    self.attribute_page = self.reader.octet()?;
                    continue;
                }
                global::OPAQUE => Piece::Opaque(self.opaque()?),
                number @ (0x85..=0xBF | 0xC5..=0xFF) => {
                    self.reader.octet()?;
                    Piece::Token { page: self.attribute_page, number }
                }
                _ => return Ok(Some(Attribute { start, value })),
            };
            self.count()?;
            value.push(piece);
        }
    }

    /// A string or a character, if the next token is one.
    fn string(&mut self) -> Result<Option<String>, WspError> {
        let text = match self.reader.peek()? {
            global::STR_I => {
                self.reader.octet()?;
                let octets = self.reader.text_octets()?;
                self.decoded(octets)?
            }
            global::STR_T => {
                self.reader.octet()?;
                let index = self.reader.uintvar()?;
                self.table_string(index)?
            }
            global::ENTITY => {
                self.reader.octet()?;
                let code = self.reader.uintvar()?;
                // What cannot be written again is no character of a text.
                let found = char::from_u32(code).filter(|found| !matches!(*found, '\0' | QUOTE));
                found.unwrap_or(char::REPLACEMENT_CHARACTER).to_string()
            }
            _ => return Ok(None),
        };
        self.count()?;
        Ok(Some(text))
    }

    fn opaque(&mut self) -> Result<Bytes, WspError> {
        self.reader.octet()?;
        let at = self.reader;
        let length = self.reader.uintvar()? as usize;
        let left = self.reader.remaining();
        let window = self.reader.window(length);
        let window = window.map_err(|_| at.error(WspErrorKind::Overrun { what: "opaque data", length, left }))?;
        self.count()?;
        Ok(window.rest_bytes())
    }

    /// A processing instruction means nothing to any document type here.
    fn instruction(&mut self) -> Result<(), WspError> {
        self.reader.octet()?;
        while self.attribute()?.is_some() {}
        Ok(())
    }

    fn table_string(&mut self, index: u32) -> Result<String, WspError> {
        let table = self.table;
        let Some(rest) = table.get(index as usize..) else {
            let kind = WspErrorKind::Overrun { what: "string table", length: index as usize, left: table.len() };
            return Err(self.reader.error(kind));
        };
        let end = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
        self.decoded(&rest[..end])
    }

    /// Text by the document's charset. Servers that write WSP write its quote here too.
    fn decoded(&mut self, octets: &[u8]) -> Result<String, WspError> {
        self.text += octets.len();
        if self.text > MAX_TEXT {
            let kind = WspErrorKind::TooMany { what: "octets of text", count: self.text, limit: MAX_TEXT };
            return Err(self.reader.error(kind));
        }
        Ok(charset::decode(Some(u64::from(self.charset)), octets).trim_start_matches(QUOTE).to_owned())
    }
}

/// The code pages in force while writing.
#[derive(Default)]
struct Pages {
    tag: u8,
    attribute: u8,
}

fn switch(out: &mut Writer, current: &mut u8, page: u8) {
    if std::mem::replace(current, page) != page {
        out.octet(global::SWITCH_PAGE).octet(page);
    }
}

fn write_element(out: &mut Writer, element: &Element, pages: &mut Pages) {
    let Name::Token { page, number } = element.name else { return };
    switch(out, &mut pages.tag, page);
    let attributes = if element.attributes.is_empty() { 0 } else { WITH_ATTRIBUTES };
    let content = if element.content.is_empty() { 0 } else { WITH_CONTENT };
    out.octet(number | attributes | content);
    if attributes != 0 {
        element.attributes.iter().for_each(|attribute| write_attribute(out, attribute, pages));
        out.octet(global::END);
    }
    if content != 0 {
        for node in &element.content {
            match node {
                Node::Element(inner) => write_element(out, inner, pages),
                Node::Text(text) => write_text(out, text),
                Node::Opaque(octets) => write_opaque(out, octets),
            }
        }
        out.octet(global::END);
    }
}

fn write_attribute(out: &mut Writer, attribute: &Attribute, pages: &mut Pages) {
    let Name::Token { page, number } = attribute.start else { return };
    switch(out, &mut pages.attribute, page);
    out.octet(number);
    for piece in &attribute.value {
        match piece {
            Piece::Text(text) => write_text(out, text),
            Piece::Token { page, number } => {
                switch(out, &mut pages.attribute, *page);
                out.octet(*number);
            }
            Piece::Opaque(octets) => write_opaque(out, octets),
        }
    }
}

/// An inline string ends at its first NUL, so what has one ends there.
fn write_text(out: &mut Writer, text: &str) {
    let text = text.split('\0').next().unwrap_or_default();
    out.octet(global::STR_I).octets(text.as_bytes()).octet(0);
}

fn write_opaque(out: &mut Writer, octets: &[u8]) {
    out.octet(global::OPAQUE).uintvar(octets.len() as u64).octets(octets);
}
