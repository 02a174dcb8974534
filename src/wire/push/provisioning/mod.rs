//! OMA Client Provisioning 1.1: the settings of a phone (WAP-183-PROVCONT; OMA-WAP-ProvCont-v1_1).
//!
//! A document is a list of characteristics, each with parameters and characteristics in it. [`settings`] makes the ones
//! people need, [`security`] signs them.
//!
//! Strict out: WBXML 1.3, UTF-8, tokens that every decoder knows, `value` always on page 0. Lenient in (I-5): any version and
//! charset, either page, tokens nobody here knows, which are kept as text such as `#1:5c` and written as they were.

pub mod security;
pub mod settings;
pub(crate) mod tokens;

use bytes::Bytes;
use packetboat_wsp::{WspError, WspErrorKind};

use crate::wbxml::{Attribute, Document, Element, Name, Node, Piece, PublicId};
use crate::xml::{self, Doctype, XmlError};

/// WBXML 1.3.
const WBXML_VERSION: u8 = 0x03;
/// The assigned public identifier (WAP-192-WBXML 7.2).
const PROV: u32 = 0x0B;
const DOCTYPE: Doctype =
    Doctype { public: "-//WAPFORUM//DTD PROV 1.0//EN", system: "http://www.wapforum.org/DTD/prov.dtd", subset: "" };

/// Tags; the same on page 0 and page 1.
mod tag {
    pub const DOCUMENT: u8 = 0x05;
    pub const CHARACTERISTIC: u8 = 0x06;
    pub const PARM: u8 = 0x07;
}

/// Attribute starts that say no value; the same on page 0 and page 1, and written on page 0.
mod start {
    pub const NAME: u8 = 0x05;
    pub const VALUE: u8 = 0x06;
    pub const VERSION: u8 = 0x45;
    pub const VERSION_1_0: u8 = 0x46;
    pub const TYPE: u8 = 0x50;
}

/// A provisioning document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioning {
    /// The version it says, `1.0` also for what 1.1 of the specification added.
    pub version: String,
    /// What is in it.
    pub characteristics: Vec<Characteristic>,
}

/// A group of settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Characteristic {
    /// Its type, such as `NAPDEF`.
    pub kind: String,
    /// Its parameters, which stand before the groups.
    pub parms: Vec<Parm>,
    /// The groups in it.
    pub children: Vec<Characteristic>,
}

/// A setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parm {
    /// Its name, such as `NAP-ADDRESS`.
    pub name: String,
    /// Its value; some, such as `INTERNET`, have none.
    pub value: Option<String>,
}

impl Characteristic {
    /// A group of this type, with nothing in it.
    pub fn new(kind: &str) -> Self {
        Characteristic { kind: kind.to_owned(), ..Characteristic::default() }
    }

    /// With a parameter more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parms.push(Parm { name: name.to_owned(), value: Some(value.to_owned()) });
        self
    }

    /// With a parameter more that has no value.
    pub fn with_flag(mut self, name: &str) -> Self {
        self.parms.push(Parm { name: name.to_owned(), value: None });
        self
    }

    /// With a group more in it.
    pub fn containing(mut self, child: Characteristic) -> Self {
        self.children.push(child);
        self
    }

    /// The value of the first parameter of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parms.iter().find(|parm| parm.name == name)?.value.as_deref()
    }
}

impl Provisioning {
    /// The media type of its WBXML (WSP number 36).
    pub const MEDIA_TYPE: &'static str = "application/vnd.wap.connectivity-wbxml";
    /// The media type of its text.
    pub const XML_MEDIA_TYPE: &'static str = "text/vnd.wap.connectivity-xml";

    /// A document of version 1.0.
    pub fn new(characteristics: Vec<Characteristic>) -> Self {
        Provisioning { version: "1.0".to_owned(), characteristics }
    }

    /// As WBXML.
    pub fn to_wbxml(&self) -> Bytes {
        let version = match self.version.as_str() {
            "1.0" => Attribute { start: Name::token(start::VERSION_1_0), value: Vec::new() },
            other => attribute(start::VERSION, other),
        };
        let content = self.characteristics.iter().map(|each| Node::Element(element(each))).collect();
        let root = Element { name: Name::token(tag::DOCUMENT), attributes: vec![version], content };
        Document { public_id: PublicId::Number(PROV), root }.write(WBXML_VERSION).into()
    }

    /// Reads WBXML.
    ///
    /// # Errors
    /// [`WspError`]: it is not WBXML, or not a provisioning document.
    pub fn from_wbxml(octets: &Bytes) -> Result<Provisioning, WspError> {
        let document = Document::parse(octets)?;
        // Servers that do not care write public id 1, "unknown".
        let right = match &document.public_id {
            PublicId::Number(found) => matches!(*found, PROV | 1),
            PublicId::Text(found) => found == DOCTYPE.public,
        };
        if !right || !is(&document.root, tag::DOCUMENT, "wap-provisioningdoc") {
            let found = octets.get(1).copied().unwrap_or_default();
            let kind = WspErrorKind::Unexpected { expected: "a provisioning document", found };
            return Err(WspError { offset: 1, kind });
        }
        let version = document.root.attributes.iter().find_map(|attribute| match attribute.start {
            Name::Token { number: start::VERSION, .. } => Some(text(&attribute.value)),
            _ => None,
        });
        let characteristics = characteristics(&document.root);
        Ok(Provisioning { version: version.unwrap_or_else(|| "1.0".to_owned()), characteristics })
    }

    /// As text, with its DOCTYPE.
    pub fn to_xml(&self) -> String {
        let root = xml::Node::new("wap-provisioningdoc").with("version", self.version.as_str());
        xml::write(&DOCTYPE, &root.containing(self.characteristics.iter().map(xml_node)))
    }

    /// Reads text, with or without DOCTYPE.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, another root, a characteristic without `type` or a parm without `name`.
    pub fn from_xml(octets: &[u8]) -> Result<Provisioning, XmlError> {
        let root = xml::parse(octets, "wap-provisioningdoc")?;
        let version = root.attribute("version").unwrap_or("1.0").to_owned();
        let (parms, characteristics) = xml_content(&root)?;
        match (parms.is_empty(), root.child("parm")) {
            (false, Some(parm)) => Err(parm.unexpected("a characteristic")),
            _ => Ok(Provisioning { version, characteristics }),
        }
    }
}

fn is(element: &Element, number: u8, name: &str) -> bool {
    match &element.name {
        Name::Token { page, number: found } => *page <= 1 && *found == number,
        Name::Text(found) => found == name,
    }
}

fn attribute(number: u8, value: &str) -> Attribute {
    Attribute { start: Name::token(number), value: vec![Piece::Text(value.to_owned())] }
}

fn element(characteristic: &Characteristic) -> Element {
    let kind = match tokens::type_token(&characteristic.kind) {
        Some(start) => Attribute { start, value: Vec::new() },
        None => attribute(start::TYPE, &characteristic.kind),
    };
    let parms = characteristic.parms.iter().map(|parm| Node::Element(parm_element(parm)));
    let children = characteristic.children.iter().map(|child| Node::Element(element(child)));
    let content = parms.chain(children).collect();
    Element { name: Name::token(tag::CHARACTERISTIC), attributes: vec![kind], content }
}

fn parm_element(parm: &Parm) -> Element {
    let mut attributes = vec![match tokens::name_token(&parm.name) {
        Some(start) => Attribute { start, value: Vec::new() },
        None => attribute(start::NAME, &parm.name),
    }];
    if let Some(value) = &parm.value {
        attributes.push(match tokens::value_token(&parm.name, value) {
            Some((page, number)) => {
                Attribute { start: Name::token(start::VALUE), value: vec![Piece::Token { page, number }] }
            }
            None => attribute(start::VALUE, value),
        });
    }
    Element { name: Name::token(tag::PARM), attributes, content: Vec::new() }
}

fn characteristics(element: &Element) -> Vec<Characteristic> {
    element.elements().filter(|each| is(each, tag::CHARACTERISTIC, "characteristic")).map(characteristic).collect()
}

fn characteristic(element: &Element) -> Characteristic {
    let mut found = Characteristic { children: characteristics(element), ..Characteristic::default() };
    for attribute in &element.attributes {
        match &attribute.start {
            Name::Token { number: start::NAME | start::VALUE, .. } => {}
            Name::Token { number: start::TYPE, .. } => found.kind = text(&attribute.value),
            Name::Token { page, number } => found.kind = tokens::type_of(*page, *number) + &text(&attribute.value),
            Name::Text(name) if name == "type" => found.kind = text(&attribute.value),
            Name::Text(_) => {}
        }
    }
    found.parms = element.elements().filter(|each| is(each, tag::PARM, "parm")).filter_map(parm).collect();
    found
}

/// A parameter; `None` when it has no name and so says nothing.
fn parm(element: &Element) -> Option<Parm> {
    let (mut name, mut value) = (None, None);
    for attribute in &element.attributes {
        let text = text(&attribute.value);
        match &attribute.start {
            Name::Token { number: start::NAME, .. } => name = Some(text),
            Name::Token { number: start::VALUE, .. } => value = Some(text),
            Name::Token { page, number } => name = Some(tokens::name_of(*page, *number) + &text),
            Name::Text(word) if word == "name" => name = Some(text),
            Name::Text(word) if word == "value" => value = Some(text),
            Name::Text(_) => {}
        }
    }
    Some(Parm { name: name?, value })
}

fn text(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Token { page, number } => out.push_str(&tokens::value_of(*page, *number)),
            Piece::Opaque(octets) => out.push_str(&String::from_utf8_lossy(octets).replace('\0', "")),
        }
    }
    out
}

fn xml_node(characteristic: &Characteristic) -> xml::Node {
    let node = xml::Node::new("characteristic").with("type", characteristic.kind.as_str());
    let parms = characteristic.parms.iter().map(|parm| parm.xml_node("parm", "name", "value"));
    node.containing(parms).containing(characteristic.children.iter().map(xml_node))
}

impl Parm {
    pub(crate) fn xml_node(&self, element: &str, name: &str, value: &str) -> xml::Node {
        xml::Node::new(element).with(name, self.name.as_str()).with(value, self.value.as_deref())
    }

    pub(crate) fn from_xml(node: &xml::Node) -> Result<Parm, XmlError> {
        let name = node.required("name", "a parm with a name")?;
        Ok(Parm { name, value: node.attribute("value").map(str::to_owned) })
    }
}

type Content = (Vec<Parm>, Vec<Characteristic>);

fn xml_content(node: &xml::Node) -> Result<Content, XmlError> {
    let (mut parms, mut children) = (Vec::new(), Vec::new());
    for child in &node.children {
        if child.is("parm") {
            parms.push(Parm::from_xml(child)?);
        } else if child.is("characteristic") {
            let kind = child.required("type", "a characteristic with a type")?;
            let (parms, inner) = xml_content(child)?;
            children.push(Characteristic { kind, parms, children: inner });
        } else {
            return Err(child.unexpected("a characteristic or a parm"));
        }
    }
    Ok((parms, children))
}
