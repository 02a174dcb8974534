//! The settings that phones took before client provisioning: Nokia and Ericsson's OTA Settings 7.0, as WBXML without a public
//! identifier of its own, to port [`PORT`].
//!
//! A list of characteristics of a few types, each with a value or with parameters. Strict out: WBXML 1.1, UTF-8. Lenient in
//! (I-5): any version and charset; tokens nobody here knows are kept as text such as `#0:7b` and written as they were.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use packetboat_wsp::{WspError, WspErrorKind};

use crate::provisioning::Parm;
use crate::provisioning::tokens::{from_unknown, unknown};
use crate::wbxml::{Attribute, Document, Element, Name, Node, Piece, PublicId};
use crate::xml::{self, Doctype, XmlError};

/// The port these settings go to.
pub const PORT: u16 = 49999;

/// WBXML 1.1.
const VERSION: u8 = 0x01;
/// "Unknown or missing public identifier" (WAP-192-WBXML 7.2).
const UNKNOWN: u32 = 0x01;

const DOCTYPE: Doctype = Doctype { public: "", system: "characteristic-list.dtd", subset: "" };

/// Tags (OTA Settings 7.0, 8.1).
mod tag {
    pub const LIST: u8 = 0x05;
    pub const CHARACTERISTIC: u8 = 0x06;
    pub const PARM: u8 = 0x07;
}

/// Attribute starts without a value of their own.
const NAME: u8 = 0x10;
const VALUE: u8 = 0x11;

/// Attribute starts with their values (OTA Settings 7.0, 8.2).
type Table = &'static [(u8, &'static str)];

/// `TYPE`. There is no way to write another.
const TYPES: Table =
    &[(0x06, "ADDRESS"), (0x07, "URL"), (0x08, "NAME"), (0x7C, "MMSURL"), (0x7D, "ID"), (0x7F, "BOOKMARK")];

/// `NAME`.
const NAMES: Table = &[
    (0x12, "BEARER"),
    (0x13, "PROXY"),
    (0x14, "PORT"),
    (0x15, "NAME"),
    (0x16, "PROXY_TYPE"),
    (0x17, "URL"),
    (0x18, "PROXY_AUTHNAME"),
    (0x19, "PROXY_AUTHSECRET"),
    (0x1A, "SMS_SMSC_ADDRESS"),
    (0x1B, "USSD_SERVICE_CODE"),
    (0x1C, "GPRS_ACCESSPOINTNAME"),
    (0x1D, "PPP_LOGINTYPE"),
    (0x1E, "PROXY_LOGINTYPE"),
    (0x21, "CSD_DIALSTRING"),
    (0x22, "PPP_AUTHTYPE"),
    (0x23, "PPP_AUTHNAME"),
    (0x24, "PPP_AUTHSECRET"),
    (0x28, "CSD_CALLTYPE"),
    (0x29, "CSD_CALLSPEED"),
    (0x7E, "ISP_NAME"),
];

/// `VALUE`.
const VALUES: Table = &[
    (0x45, "GSM/CSD"),
    (0x46, "GSM/SMS"),
    (0x47, "GSM/USSD"),
    (0x48, "IS-136/CSD"),
    (0x49, "GPRS"),
    (0x60, "9200"),
    (0x61, "9201"),
    (0x62, "9202"),
    (0x63, "9203"),
    (0x64, "AUTOMATIC"),
    (0x65, "MANUAL"),
    (0x6A, "AUTO"),
    (0x6B, "9600"),
    (0x6C, "14400"),
    (0x6D, "19200"),
    (0x6E, "28800"),
    (0x6F, "38400"),
    (0x70, "PAP"),
    (0x71, "CHAP"),
    (0x72, "ANALOGUE"),
    (0x73, "ISDN"),
    (0x74, "43200"),
    (0x75, "57600"),
    (0x76, "MSISDN_NO"),
    (0x77, "IPV4"),
    (0x78, "MS_CHAP"),
];

/// The parameters whose values are words of the specification; only those are written as tokens.
const ENUMERATED: [&str; 8] = [
    "BEARER",
    "PORT",
    "PROXY_TYPE",
    "PPP_LOGINTYPE",
    "PROXY_LOGINTYPE",
    "PPP_AUTHTYPE",
    "CSD_CALLTYPE",
    "CSD_CALLSPEED",
];

/// The parameter whose value is octets, a GIF: base64 in text.
const ICON: &str = "ICON";

/// Browser settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrowserSettings {
    /// What is in them.
    pub characteristics: Vec<Characteristic>,
}

/// A group of settings, or one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Characteristic {
    /// Its type: ADDRESS, URL, MMSURL, NAME, ID or BOOKMARK.
    pub kind: String,
    /// Its value, if it has no parameters.
    pub value: Option<String>,
    /// Its parameters.
    pub parms: Vec<Parm>,
}

impl Characteristic {
    fn of(kind: &str, value: Option<&str>) -> Self {
        Characteristic { kind: kind.to_owned(), value: value.map(str::to_owned), parms: Vec::new() }
    }

    /// How to get there: parameters such as BEARER, PROXY, PORT, GPRS_ACCESSPOINTNAME.
    pub fn address() -> Self {
        Characteristic::of("ADDRESS", None)
    }

    /// The page a browser opens first.
    pub fn url(url: &str) -> Self {
        Characteristic::of("URL", Some(url))
    }

    /// The MMS centre.
    pub fn mms_url(url: &str) -> Self {
        Characteristic::of("MMSURL", Some(url))
    }

    /// What the phone shows.
    pub fn name(name: &str) -> Self {
        Characteristic::of("NAME", None).with("NAME", name)
    }

    /// A bookmark.
    pub fn bookmark(name: &str, url: &str) -> Self {
        Characteristic::of("BOOKMARK", None).with("NAME", name).with("URL", url)
    }

    /// With a parameter more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parms.push(Parm { name: name.to_owned(), value: Some(value.to_owned()) });
        self
    }

    /// The value of the first parameter of this name.
    pub fn parm(&self, name: &str) -> Option<&str> {
        self.parms.iter().find(|parm| parm.name == name)?.value.as_deref()
    }
}

impl BrowserSettings {
    /// The media type; it has no number.
    pub const MEDIA_TYPE: &'static str = "application/x-wap-prov.browser-settings";
    /// The media type of settings that are bookmarks only.
    pub const BOOKMARKS_MEDIA_TYPE: &'static str = "application/x-wap-prov.browser-bookmarks";

    /// As WBXML. A characteristic of a type that has no token is left out.
    pub fn to_wbxml(&self) -> Bytes {
        let content = self.characteristics.iter().filter_map(element).map(Node::Element).collect();
        let root = Element { name: Name::token(tag::LIST), attributes: Vec::new(), content };
        Document { public_id: PublicId::Number(UNKNOWN), root }.write(VERSION).into()
    }

    /// Reads WBXML, whatever its public identifier.
    ///
    /// # Errors
    /// [`WspError`]: it is not WBXML, or its root is no list.
    pub fn from_wbxml(octets: &Bytes) -> Result<BrowserSettings, WspError> {
        let document = Document::parse(octets)?;
        if document.root.name != Name::token(tag::LIST) {
            let found = octets.get(1).copied().unwrap_or_default();
            let kind = WspErrorKind::Unexpected { expected: "browser settings", found };
            return Err(WspError { offset: 1, kind });
        }
        let of_tag = |element: &&Element| element.name == Name::token(tag::CHARACTERISTIC);
        let characteristics = document.root.elements().filter(of_tag).filter_map(characteristic).collect();
        Ok(BrowserSettings { characteristics })
    }

    /// As text, with its DOCTYPE.
    pub fn to_xml(&self) -> String {
        let node = |each: &Characteristic| {
            let node = xml::Node::new("CHARACTERISTIC").with("TYPE", each.kind.as_str());
            let parms = each.parms.iter().map(|parm| parm.xml_node("PARM", "NAME", "VALUE"));
            node.with("VALUE", each.value.as_deref()).containing(parms)
        };
        let root = xml::Node::new("CHARACTERISTIC-LIST").containing(self.characteristics.iter().map(node));
        xml::write(&DOCTYPE, &root)
    }

    /// Reads text, with or without DOCTYPE.
    ///
    /// # Errors
    /// [`XmlError`] with the octet: not XML, another root, a characteristic of no type that could be sent, or something
    /// else than a parm in it.
    pub fn from_xml(octets: &[u8]) -> Result<BrowserSettings, XmlError> {
        let read = |node: &xml::Node| {
            if !node.is("characteristic") {
                return Err(node.unexpected("a characteristic"));
            }
            let kind = node.required("type", "a characteristic with a type")?;
            if type_token(&kind).is_none() {
                return Err(node.wrong("the type ADDRESS, URL, MMSURL, NAME, ID or BOOKMARK", &kind));
            }
            let parm = |node: &xml::Node| match node.is("parm") {
                true => Parm::from_xml(node),
                false => Err(node.unexpected("a parm")),
            };
            let parms = node.children.iter().map(parm).collect::<Result<_, _>>()?;
            Ok(Characteristic { kind, value: node.attribute("value").map(str::to_owned), parms })
        };
        let root = xml::parse(octets, "CHARACTERISTIC-LIST")?;
        let characteristics = root.children.iter().map(read).collect::<Result<_, _>>()?;
        Ok(BrowserSettings { characteristics })
    }
}

fn word(table: Table, number: u8) -> Option<&'static str> {
    table.iter().find(|(found, _)| *found == number).map(|(_, word)| *word)
}

fn number(table: Table, word: &str) -> Option<Name> {
    table.iter().find(|(_, found)| *found == word).map(|(number, _)| Name::token(*number))
}

/// The token that was kept as this text; `None` when it is one that means something.
fn kept(text: &str, tables: &[Table]) -> Option<Name> {
    let (page, number) = from_unknown(text)?;
    let start = matches!(number, 0x05..=0x3F | 0x45..=0x7F) && !matches!(number, NAME | VALUE);
    let known = page == 0 && tables.iter().any(|table| word(table, number).is_some());
    (start && !known).then_some(Name::Token { page, number })
}

fn alone(start: Name) -> Attribute {
    Attribute { start, value: Vec::new() }
}

fn inline(number: u8, text: &str) -> Attribute {
    Attribute { start: Name::token(number), value: vec![Piece::Text(text.to_owned())] }
}

fn type_token(kind: &str) -> Option<Name> {
    number(TYPES, kind).or_else(|| kept(kind, &[TYPES, VALUES]))
}

fn element(characteristic: &Characteristic) -> Option<Element> {
    let mut attributes = vec![alone(type_token(&characteristic.kind)?)];
    attributes.extend(characteristic.value.as_deref().map(|value| inline(VALUE, value)));
    let content = characteristic.parms.iter().map(|parm| Node::Element(parm_element(parm))).collect();
    Some(Element { name: Name::token(tag::CHARACTERISTIC), attributes, content })
}

fn parm_element(Parm { name, value }: &Parm) -> Element {
    let start = number(NAMES, name).or_else(|| kept(name, &[NAMES, VALUES]));
    let mut attributes = vec![start.map_or_else(|| inline(NAME, name), alone)];
    if let Some(value) = value {
        let start = number(VALUES, value).filter(|_| ENUMERATED.contains(&name.as_str()));
        let start = start.or_else(|| kept(value, &[NAMES, VALUES]));
        let octets = BASE64.decode(value).ok().filter(|_| name == ICON).map(|octets| Piece::Opaque(octets.into()));
        attributes.push(match (start, octets) {
            (_, Some(octets)) => Attribute { start: Name::token(VALUE), value: vec![octets] },
            (Some(start), None) => alone(start),
            (None, None) => inline(VALUE, value),
        });
    }
    Element { name: Name::token(tag::PARM), attributes, content: Vec::new() }
}

/// What two attributes say: the first one's word, one of `words`, and the value.
fn pair(element: &Element, words: Table) -> (Option<String>, Option<String>) {
    let (mut first, mut value) = (None, None);
    for attribute in &element.attributes {
        let Name::Token { page, number } = attribute.start else { continue };
        let text = text(&attribute.value);
        let known = |table| if page == 0 { word(table, number) } else { None };
        match number {
            NAME => first = Some(text),
            VALUE => value = Some(text),
            _ => match (known(words), known(VALUES)) {
                (Some(word), _) => first = Some(word.to_owned() + &text),
                (None, Some(word)) => value = Some(word.to_owned() + &text),
                // By its place: the value comes last.
                (None, None) if first.is_none() => first = Some(unknown(page, number) + &text),
                (None, None) => value = Some(unknown(page, number) + &text),
            },
        }
    }
    (first, value)
}

/// A characteristic; `None` when it is of no type that could be written.
fn characteristic(element: &Element) -> Option<Characteristic> {
    let (kind, value) = pair(element, TYPES);
    let kind = kind.filter(|kind| type_token(kind).is_some())?;
    let of_tag = |element: &&Element| element.name == Name::token(tag::PARM);
    let parm = |element: &Element| {
        let (name, value) = pair(element, NAMES);
        Some(Parm { name: name?, value })
    };
    let parms = element.elements().filter(of_tag).filter_map(parm).collect();
    Some(Characteristic { kind, value, parms })
}

fn text(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Token { page, number } => unknown(*page, *number),
        Piece::Opaque(octets) => BASE64.encode(octets),
    };
    pieces.iter().map(text).collect()
}
