//! What a `when` may mention: variables, their fields, functions. One table each; the checker and the values read them.

use crate::facts::{CLASSES, KINDS, PRIORITIES};

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Int,
    Double,
    Text,
    /// Text that is one of these words.
    Word(&'static [&'static str]),
    List(Element),
    Object(Kind),
    /// Known only when it runs, or already complained about.
    Anything,
}

/// The type of a list's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Bool,
    Int,
    Double,
    Text,
    Part,
    Anything,
}

/// The things that have fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Message,
    Headers,
    Part,
    Party,
    Identity,
    Now,
    Row,
    Handset,
    Operator,
}

type Fields = &'static [(&'static str, Type)];

pub(crate) const VARIABLES: Fields = &[
    ("message", Type::Object(Kind::Message)),
    ("to", Type::Object(Kind::Party)),
    ("from", Type::Object(Kind::Party)),
    ("listener", Type::Text),
    ("identity", Type::Object(Kind::Identity)),
    ("now", Type::Object(Kind::Now)),
    ("table", Type::Object(Kind::Row)),
    ("handset", Type::Object(Kind::Handset)),
    ("operator", Type::Object(Kind::Operator)),
];

pub(crate) const PARTIES: &[&str] = &["phone", "mail", "code", "ip", "none"];
pub(crate) const IDENTITIES: &[&str] = &["anonymous", "user", "network", "subscriber", "ourselves"];
/// 1970-01-01 was a Thursday.
pub(crate) const WEEKDAYS: &[&str] = &["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

const MESSAGE: Fields = &[
    ("size", Type::Int),
    ("subject", Type::Text),
    ("class", Type::Word(CLASSES)),
    ("priority", Type::Word(PRIORITIES)),
    ("kind", Type::Word(KINDS)),
    ("parts", Type::List(Element::Part)),
    ("headers", Type::Object(Kind::Headers)),
];
const PART: Fields = &[("type", Type::Text), ("name", Type::Text), ("size", Type::Int)];
const PARTY: Fields = &[
    ("address", Type::Text),
    ("kind", Type::Word(PARTIES)),
    ("number", Type::Text),
    ("local", Type::Text),
    ("domain", Type::Text),
];
const IDENTITY: Fields = &[("kind", Type::Word(IDENTITIES)), ("name", Type::Text)];
const NOW: Fields = &[
    ("hour", Type::Int),
    ("minute", Type::Int),
    ("weekday", Type::Word(WEEKDAYS)),
    ("date", Type::Text),
    ("seconds", Type::Int),
];

/// What is remembered of the recipient's phone.
const HANDSET: Fields = &[
    ("known", Type::Bool),
    ("direct_works", Type::Bool),
    ("direct_fails", Type::Bool),
    ("opened_link", Type::Bool),
    ("user_agent", Type::Text),
    ("model", Type::Text),
    ("accepts", Type::Text),
    ("max_size", Type::Int),
    ("largest_picture", Type::Int),
    ("provisioned", Type::Text),
];
/// What is remembered of the recipient's network.
const OPERATOR: Fields = &[("name", Type::Text), ("fetch_rate", Type::Double), ("told", Type::Int)];

/// The functions that are called on a value, and those that are not.
pub(crate) const METHODS: &[&str] =
    &["size", "contains", "startsWith", "endsWith", "matches", "lowerAscii", "upperAscii", "trim"];
pub(crate) const FUNCTIONS: &[&str] = &["size", "int", "double", "string"];
/// Macros, and how each is written.
pub(crate) const MACROS: &[(&str, &str)] = &[
    ("exists", "message.parts.exists(p, p.type == \"video/mp4\")"),
    ("all", "message.parts.all(p, p.size < 100000)"),
    ("exists_one", "message.parts.exists_one(p, p.type == \"text/plain\")"),
    ("filter", "message.parts.filter(p, p.type.startsWith(\"image/\")).size() > 1"),
    ("map", "message.parts.map(p, p.type)"),
];

impl Kind {
    /// Its fields; empty for what takes any name (headers) or is known from a file (rows).
    pub(crate) fn fields(self) -> Fields {
        match self {
            Kind::Message => MESSAGE,
            Kind::Part => PART,
            Kind::Party => PARTY,
            Kind::Identity => IDENTITY,
            Kind::Now => NOW,
            Kind::Handset => HANDSET,
            Kind::Operator => OPERATOR,
            Kind::Headers | Kind::Row => &[],
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Message => "the message",
            Kind::Headers => "the header",
            Kind::Part => "a part",
            Kind::Party => "an address",
            Kind::Identity => "an identity",
            Kind::Now => "the time",
            Kind::Row => "a table's row",
            Kind::Handset => "a phone",
            Kind::Operator => "a network",
        }
    }
}

impl Type {
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Type::Text | Type::Word(_) | Type::Anything)
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Double | Type::Anything)
    }

    pub(crate) fn is_bool(self) -> bool {
        matches!(self, Type::Bool | Type::Anything)
    }

    /// What a list of these holds.
    pub(crate) fn element(self) -> Element {
        match self {
            Type::Bool => Element::Bool,
            Type::Int => Element::Int,
            Type::Double => Element::Double,
            Type::Text | Type::Word(_) => Element::Text,
            Type::Object(Kind::Part) => Element::Part,
            _ => Element::Anything,
        }
    }

    /// In words, for an error.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Type::Bool => "true or false",
            Type::Int => "a number",
            Type::Double => "a decimal number",
            Type::Text | Type::Word(_) => "text",
            Type::List(_) => "a list",
            Type::Object(kind) => kind.words(),
            Type::Anything => "anything",
        }
    }
}

impl From<Element> for Type {
    fn from(element: Element) -> Type {
        match element {
            Element::Bool => Type::Bool,
            Element::Int => Type::Int,
            Element::Double => Type::Double,
            Element::Text => Type::Text,
            Element::Part => Type::Object(Kind::Part),
            Element::Anything => Type::Anything,
        }
    }
}
