//! The facts as the CEL engine's values. They borrow: looking at a field copies no text.

use std::fmt;

use cel::ExecutionError;
use cel::common::traits::Indexer;
use cel::common::types::{CelInt, CelList, CelString, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::context::VariableResolver;
use packetboat_api::clock::Timestamp;
use packetboat_api::message::Identity;
use packetboat_api::mime::Headers;
use packetboat_api::party::Party;
use regex::Regex;

use super::When;
use super::check::pattern_index;
use super::schema::WEEKDAYS;
use crate::facts::{Contents, Part, Who};
use crate::limits;
use crate::table::Row;

static OBJECT_TYPE: Type = Type::new_unspecified_type("packetboat.Object");
/// The type of a compiled pattern, which the `matches` of this crate takes.
pub(crate) static PATTERN_TYPE: Type = Type::new_unspecified_type("packetboat.Pattern");

/// The facts of one decision, prepared once for all its rules.
pub(crate) struct Scene<'a> {
    who: Who<'a>,
    contents: Option<Contents<'a>>,
    parts: CelList<'a>,
    to: String,
    from: String,
}

impl<'a> Scene<'a> {
    /// Without `contents`, everything that looks at the message fails.
    pub(crate) fn new(who: Who<'a>, contents: Option<Contents<'a>>, with_parts: bool) -> Self {
        let parts = contents.filter(|_| with_parts).map(|contents| contents.parts.list()).unwrap_or_default();
        let boxed = parts.into_iter().map(|part| Box::new(Object::Part(part)) as Box<dyn Val + 'a>);
        let text = |party: Option<&Party>| party.map(Party::to_string).unwrap_or_default();
        Scene { parts: boxed.collect::<Vec<_>>().into(), to: text(Some(who.to)), from: text(who.from), who, contents }
    }
}

/// What the names in one `when` stand for.
pub(super) struct Names<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) when: &'a When,
    pub(super) row: Option<Row<'a>>,
}

impl VariableResolver for Names<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let scene = self.scene;
        let object = match name {
            "message" => Object::Message(scene, scene.contents.as_ref()?),
            "to" => Object::Party(Some(scene.who.to), &scene.to),
            "from" => Object::Party(scene.who.from, &scene.from),
            "listener" => return Some(text(scene.who.listener)),
            "identity" => Object::Identity(scene.who.identity),
            "now" => Object::Now(scene.who.now),
            "table" => Object::Row(self.row?),
            other => {
                return self.when.patterns.get(pattern_index(other)?).map(|pattern| CowVal::Borrowed(pattern as _));
            }
        };
        Some(CowVal::owned(object))
    }
}

/// Something with fields.
#[derive(Clone, Copy)]
pub(super) enum Object<'a> {
    Message(&'a Scene<'a>, &'a Contents<'a>),
    Headers(&'a Headers),
    Part(Part<'a>),
    Party(Option<&'a Party>, &'a str),
    Identity(&'a Identity),
    Now(Timestamp),
    Row(Row<'a>),
}

impl<'a> Object<'a> {
    pub(super) fn field<'b, 'v>(&'b self, name: &str) -> Option<CowVal<'b, 'v>>
    where
        'a: 'v,
    {
        Some(match (self, name) {
            (Object::Message(scene, _), "parts") => CowVal::Borrowed(&scene.parts),
            (Object::Message(_, contents), name) => return message_field(contents, name),
            // What is not there is empty, so that a rule need not ask first.
            (Object::Headers(headers), name) => text(headers.first(name).unwrap_or_default()),
            (Object::Part(part), "type") => text(part.media),
            (Object::Part(part), "name") => text(part.name),
            (Object::Part(part), "size") => number(part.size),
            (Object::Party(_, address), "address") => text(address),
            (Object::Party(party, _), "kind") => text(party_kind(*party)),
            (Object::Party(Some(Party::Phone(_)), address), "number") => text(address),
            (Object::Party(Some(Party::Mail(mail)), _), "local") => text(mail.local()),
            (Object::Party(Some(Party::Mail(mail)), _), "domain") => text(mail.domain()),
            (Object::Party(..), "number" | "local" | "domain") => text(""),
            (Object::Identity(identity), "kind") => text(identity_kind(identity)),
            (Object::Identity(Identity::User(name)), "name") => text(name),
            (Object::Identity(Identity::Network(ip)), "name") => made(ip.to_string()),
            (Object::Identity(Identity::Subscriber(number)), "name") => made(number.to_string()),
            (Object::Identity(_), "name") => text(""),
            (Object::Now(now), name) => return now_field(*now, name),
            (Object::Row(row), column) => text(row.cell(column)?),
            _ => return None,
        })
    }
}

fn message_field<'b, 'v>(contents: &Contents<'v>, name: &str) -> Option<CowVal<'b, 'v>> {
    Some(match name {
        "size" => number(contents.size),
        "subject" => text(contents.subject),
        "class" => text(contents.class_word()),
        "priority" => text(contents.priority_word()),
        "kind" => text(contents.kind),
        "headers" => CowVal::owned(Object::Headers(contents.headers)),
        _ => return None,
    })
}

/// In UTC: the same on every machine.
fn now_field<'b, 'v>(now: Timestamp, name: &str) -> Option<CowVal<'b, 'v>> {
    let seconds = now.seconds();
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    Some(match name {
        "hour" => whole(second / 3600),
        "minute" => whole(second / 60 % 60),
        "seconds" => whole(seconds),
        "weekday" => text(WEEKDAYS.get(usize::try_from(day.rem_euclid(7)).ok()?).copied()?),
        "date" => made(now.to_string().split('T').next().unwrap_or_default().to_owned()),
        _ => return None,
    })
}

fn party_kind(party: Option<&Party>) -> &'static str {
    match party {
        Some(Party::Phone(_)) => "phone",
        Some(Party::Mail(_)) => "mail",
        Some(Party::ShortCode(_)) => "code",
        Some(Party::Ip(_)) => "ip",
        None => "none",
    }
}

fn identity_kind(identity: &Identity) -> &'static str {
    match identity {
        Identity::Anonymous => "anonymous",
        Identity::User(_) => "user",
        Identity::Network(_) => "network",
        Identity::Subscriber(_) => "subscriber",
        Identity::Ourselves => "ourselves",
    }
}

/// Text, of which a `when` sees the first [`limits::WHEN_TEXT`] octets.
fn text<'b, 'v>(text: &'v str) -> CowVal<'b, 'v> {
    let end = text.floor_char_boundary(limits::WHEN_TEXT);
    CowVal::owned(CelString::from(text.get(..end).unwrap_or_default()))
}

fn made<'b, 'v>(text: String) -> CowVal<'b, 'v> {
    CowVal::owned(CelString::from(text))
}

fn number<'b, 'v>(number: u64) -> CowVal<'b, 'v> {
    whole(i64::try_from(number).unwrap_or(i64::MAX))
}

fn whole<'b, 'v>(number: i64) -> CowVal<'b, 'v> {
    CowVal::owned(CelInt::from(number))
}

/// Values end up in the engine's error texts, and those in logs: they name the kind and show nothing (I-11).
impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("object")
    }
}

impl Val for Object<'_> {
    fn get_type(&self) -> &Type {
        &OBJECT_TYPE
    }

    fn cel_type() -> &'static Type {
        &OBJECT_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Indexer for Object<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = index.downcast_ref::<CelString>().map(|name| name.inner()).unwrap_or_default();
        self.field(name).ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern(pub(super) Regex);

impl StaticVal for Pattern {}

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN_TYPE
    }

    fn cel_type() -> &'static Type {
        &PATTERN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}
