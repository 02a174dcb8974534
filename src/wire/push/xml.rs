//! XML 1.0 as far as these documents need it: text to a small tree and back.
//!
//! UTF-8 only. A DOCTYPE is read and believed by its public identifier, nothing it names is fetched, and no entity but the
//! five of XML itself and characters by number is resolved. Decoding is bounded by [`limits`](crate::limits) in length, depth
//! and the number of things.

use quick_xml::XmlVersion;
use quick_xml::escape::{EscapeError, resolve_predefined_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use thiserror::Error;

use crate::limits::{MAX_DEPTH, MAX_NODES, MAX_QUOTED, MAX_XML};

/// A document that cannot be read: what, and at which octet.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("octet {offset}: {kind}")]
pub struct XmlError {
    /// Offset of the place in the input; of an element its `<`.
    pub offset: usize,
    /// What is wrong there.
    pub kind: XmlErrorKind,
}

/// The kinds of [`XmlError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum XmlErrorKind {
    /// The octets are no UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not well-formed XML.
    #[error("{0}")]
    Syntax(String),
    /// An entity that the document would have to declare.
    #[error("the entity \"{0}\" is not resolved: write its character")]
    Entity(String),
    /// Something else than what belongs there.
    #[error("expected {expected}, found \"{found}\"")]
    Unexpected {
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// Something that has to be there is not.
    #[error("expected {0}")]
    Missing(&'static str),
    /// More of something than its limit allows.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its name, prefix and all.
    pub name: String,
    /// Attributes in order.
    pub attributes: Vec<(String, String)>,
    /// The text right in it, in one piece.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Node>,
    /// Where its `<` stands.
    pub offset: usize,
}

impl Node {
    pub fn new(name: &str) -> Node {
        Node { name: name.to_owned(), ..Node::default() }
    }

    /// With an attribute more, if there is a value for it.
    pub fn with<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Node {
        self.attributes.extend(value.into().map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    pub fn containing(mut self, children: impl IntoIterator<Item = Node>) -> Node {
        self.children.extend(children);
        self
    }

    /// Names are compared without case: upper and lower case mean the same thing in every document type here.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.is(name))
    }

    /// An attribute that has to be there; the error names it as `expected`.
    pub fn required(&self, name: &str, expected: &'static str) -> Result<String, XmlError> {
        let value = self.attribute(name).map(str::to_owned);
        value.ok_or(XmlError { offset: self.offset, kind: XmlErrorKind::Missing(expected) })
    }

    /// The error of a document that is well-formed and something else.
    pub fn unexpected(&self, expected: &'static str) -> XmlError {
        self.wrong(expected, &self.name)
    }

    /// The error of a value in this element.
    pub fn wrong(&self, expected: &'static str, found: &str) -> XmlError {
        let kind = XmlErrorKind::Unexpected { expected, found: quoted(found) };
        XmlError { offset: self.offset, kind }
    }
}

/// Reads a document of this root element.
///
/// # Errors
/// [`XmlError`] with the octet: not UTF-8, not well-formed, another root, an entity, or more of something than
/// [`limits`](crate::limits) allow.
pub(crate) fn parse(octets: &[u8], root: &'static str) -> Result<Node, XmlError> {
    let error = |offset, kind| XmlError { offset, kind };
    if octets.len() > MAX_XML {
        return Err(error(MAX_XML, XmlErrorKind::TooMany { what: "octets", limit: MAX_XML }));
    }
    let text = std::str::from_utf8(octets).map_err(|e| error(e.valid_up_to(), XmlErrorKind::NotUtf8))?;
    let mut parser = Parser { reader: Reader::from_str(text), open: Vec::new(), nodes: 0, offset: 0 };
    let found = parser.document()?;
    match found.is(root) {
        true => Ok(found),
        false => Err(found.unexpected(root)),
    }
}

struct Parser<'a> {
    reader: Reader<&'a [u8]>,
    /// The elements that have begun, the innermost last.
    open: Vec<Node>,
    nodes: usize,
    /// Where the event at hand begins.
    offset: usize,
}

impl Parser<'_> {
    /// The root element; what follows it is not looked at.
    fn document(&mut self) -> Result<Node, XmlError> {
        loop {
            self.offset = self.reader.buffer_position() as usize;
            let event = self.reader.read_event().map_err(|e| XmlError {
                offset: (self.reader.error_position() as usize).max(self.offset),
                kind: XmlErrorKind::Syntax(e.to_string()),
            })?;
            let whole = match event {
                Event::Start(start) => {
                    let node = self.node(&start)?;
                    self.open.push(node);
                    None
                }
                Event::Empty(start) => {
                    let node = self.node(&start)?;
                    self.close(node)
                }
                // The reader saw to it that it is the innermost one's.
                Event::End(_) => match self.open.pop() {
                    Some(node) => self.close(node),
                    None => None,
                },
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let text = self.resolved(&reference)?;
                    self.text(&text)?
                }
                Event::Eof => return Err(self.error(XmlErrorKind::Missing("an element, or its end"))),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => None,
            };
            if let Some(root) = whole {
                return Ok(root);
            }
        }
    }

    fn error(&self, kind: XmlErrorKind) -> XmlError {
        XmlError { offset: self.offset, kind }
    }

    fn count(&mut self) -> Result<(), XmlError> {
        self.nodes += 1;
        match self.nodes > MAX_NODES {
            true => Err(self.error(XmlErrorKind::TooMany { what: "elements, attributes and texts", limit: MAX_NODES })),
            false => Ok(()),
        }
    }

    fn node(&mut self, start: &BytesStart<'_>) -> Result<Node, XmlError> {
        self.count()?;
        if self.open.len() >= MAX_DEPTH {
            return Err(self.error(XmlErrorKind::TooMany { what: "levels of elements", limit: MAX_DEPTH }));
        }
        let name: &str = start.name().into_inner();
        let mut node = Node { offset: self.offset, ..Node::new(name) };
        // That no name stands twice is checked here and not by the reader, whose check grows with the square.
        for attribute in start.attributes().with_checks(false) {
            self.count()?;
            let attribute = attribute.map_err(|e| self.error(XmlErrorKind::Syntax(e.to_string())))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|e| self.error(in_value(&e)))?;
            let name: &str = attribute.key.into_inner();
            node.attributes.push((name.to_owned(), legal(&value)));
        }
        let mut names: Vec<&str> = node.attributes.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(self.error(XmlErrorKind::Syntax(format!("the attribute \"{}\" stands twice", quoted(pair[0])))))
            }
            None => Ok(node),
        }
    }

    /// Puts a whole element where it belongs; gives it back when it is the root.
    fn close(&mut self, node: Node) -> Option<Node> {
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(node);
                None
            }
            None => Some(node),
        }
    }

    fn text(&mut self, text: &str) -> Result<Option<Node>, XmlError> {
        self.count()?;
        match self.open.last_mut() {
            Some(node) => node.text.push_str(&legal(text)),
            None if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() => {}
            None => return Err(self.error(XmlErrorKind::Missing("an element, not text"))),
        }
        Ok(None)
    }

    fn resolved(&self, reference: &BytesRef<'_>) -> Result<String, XmlError> {
        let character = reference.resolve_char_ref();
        let character = character.map_err(|e| self.error(XmlErrorKind::Syntax(e.to_string())))?;
        let name: &str = reference;
        let text = character.map(String::from).or_else(|| resolve_predefined_entity(name).map(str::to_owned));
        text.ok_or_else(|| self.error(XmlErrorKind::Entity(quoted(name))))
    }
}

/// Characters that XML 1.0 has no way to write (2.2), and that are none of its text.
fn is_illegal(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

fn legal(text: &str) -> String {
    text.replace(is_illegal, "\u{fffd}")
}

/// So much of a text as an error quotes.
fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

/// What is wrong in an attribute's value.
fn in_value(error: &quick_xml::Error) -> XmlErrorKind {
    match error {
        quick_xml::Error::Escape(EscapeError::UnrecognizedEntity(_, name)) => XmlErrorKind::Entity(quoted(name)),
        other => XmlErrorKind::Syntax(other.to_string()),
    }
}

/// A document type: how a DOCTYPE names it.
pub(crate) struct Doctype {
    /// Its public identifier; empty when it has none.
    pub public: &'static str,
    pub system: &'static str,
    /// What stands between the brackets, if anything.
    pub subset: &'static str,
}

/// Writes a document.
pub(crate) fn write(doctype: &Doctype, root: &Node) -> String {
    let Doctype { public, system, subset } = doctype;
    let public = if public.is_empty() { "SYSTEM".to_owned() } else { format!("PUBLIC \"{public}\"") };
    let subset = if subset.is_empty() { String::new() } else { format!(" [{subset}]") };
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let mut out = format!("{declaration}\n<!DOCTYPE {} {public} \"{system}\"{subset}>\n", root.name);
    write_node(&mut out, root);
    out
}

/// Elements with text in them keep to one line, because line ends would be text too.
fn write_node(out: &mut String, node: &Node) {
    out.push('<');
    out.push_str(&node.name);
    for (name, value) in &node.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value);
        out.push('"');
    }
    if node.text.is_empty() && node.children.is_empty() {
        out.push_str("/>\n");
        return;
    }
    out.push('>');
    if node.text.is_empty() {
        out.push('\n');
    }
    escape(out, &node.text);
    node.children.iter().for_each(|child| write_node(out, child));
    out.push_str("</");
    out.push_str(&node.name);
    out.push_str(">\n");
}

/// Characters that mean something to XML, or that reading would turn into blanks, by number or name; illegal ones as the
/// replacement character.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(c))),
            c if is_illegal(c) => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
}
