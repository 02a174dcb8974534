//! The facts as the CEL engine's values. They borrow: looking at a field copies no text.

use std::fmt;

use cel::ExecutionError;
use cel::common::traits::Indexer;
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelString, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::context::VariableResolver;
use packetboat_api::clock::Timestamp;
use packetboat_api::memory::{Direct, Handset, Network};
use packetboat_api::message::Identity;
use packetboat_api::mime::Headers;
use packetboat_api::party::Party;
use regex::Regex;

use super::When;
use super::check::pattern_index;
use super::schema::WEEKDAYS;
use crate::facts::{Contents, Part, Remembered, Who};
use crate::limits;
use crate::table::Row;

static OBJECT_TYPE: Type = Type::new_unspecified_type("packetboat.Object");
/// The type of a compiled pattern, which the `matches` of this crate takes.
pub(crate) static PATTERN_TYPE: Type = Type::new_unspecified_type("packetboat.Pattern");

/// The facts of one decision, prepared once for all its rules.
pub(crate) struct Scene<'a> {
    who: Who<'a>,
    contents: Option<Contents<'a>>,
    remembered: Remembered<'a>,
    parts: CelList<'a>,
    to: String,
    from: String,
}

impl<'a> Scene<'a> {
    /// Without `contents`, everything that looks at the message fails.
    pub(crate) fn new(
        who: Who<'a>,
        contents: Option<Contents<'a>>,
        remembered: Remembered<'a>,
        with_parts: bool,
    ) -> Self {
        let parts = contents.filter(|_| with_parts).map(|contents| contents.parts.list()).unwrap_or_default();
        let boxed = parts.into_iter().map(|part| Box::new(Object::Part(part)) as Box<dyn Val + 'a>);
        let text = |party: Option<&Party>| party.map(Party::to_string).unwrap_or_default();
        Scene {
            parts: boxed.collect::<Vec<_>>().into(),
            to: text(Some(who.to)),
            from: text(who.from),
            who,
            contents,
            remembered,
        }
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
            // When the message is not there yet, nobody has looked up what is remembered.
            "handset" => Object::Handset(scene.contents.and(Some(scene.remembered.handset))?, scene.who.now),
            "operator" => Object::Operator(scene.contents.and(Some(scene.remembered.network))?, scene.who.now),
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
    Handset(Option<&'a Handset>, Timestamp),
    Operator(Option<&'a Network>, Timestamp),
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
            (Object::Handset(handset, now), name) => return handset_field(*handset, *now, name),
            (Object::Operator(network, now), name) => return operator_field(*network, *now, name),
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

/// Of a phone nobody knows, everything is empty, zero or false.
fn handset_field<'b, 'v>(handset: Option<&'v Handset>, now: Timestamp, name: &str) -> Option<CowVal<'b, 'v>> {
    let direct = handset.map(|handset| handset.direct(now)).unwrap_or_default();
    let profile = handset.and_then(|handset| handset.profile.as_ref());
    Some(match name {
        "known" => truth(handset.is_some()),
        "direct_works" => truth(direct == Direct::Works),
        "direct_fails" => truth(direct == Direct::Fails),
        "opened_link" => truth(handset.is_some_and(|handset| handset.opened_link.is_some())),
        "user_agent" => text(handset.and_then(|handset| handset.user_agent.as_deref()).unwrap_or_default()),
        "model" => text(profile.map(|profile| profile.model.as_str()).unwrap_or_default()),
        "accepts" => {
            let own = handset.map(|handset| handset.accepts.as_slice()).unwrap_or_default();
            let all: Vec<&str> =
                own.iter().chain(profile.into_iter().flat_map(|p| &p.accepts)).map(String::as_str).collect();
            made(all.join(" "))
        }
        "max_size" => number(profile.and_then(|profile| profile.max_size).unwrap_or(0)),
        "largest_picture" => number(handset.map_or(0, |handset| handset.largest_picture)),
        "provisioned" => text(
            handset.and_then(|handset| handset.provisioned.as_ref()).map(|(name, _)| &name[..]).unwrap_or_default(),
        ),
        _ => return None,
    })
}

/// A network nobody knows is as likely as not to let its phones fetch.
fn operator_field<'b, 'v>(network: Option<&'v Network>, now: Timestamp, name: &str) -> Option<CowVal<'b, 'v>> {
    let (rate, told) = network.map_or((0.5, 0.0), |network| network.fetch_rate(now));
    Some(match name {
        "name" => text(network.map(|network| network.name.as_str()).unwrap_or_default()),
        "fetch_rate" => CowVal::owned(CelDouble::from(rate)),
        "told" => whole(told.round() as i64),
        _ => return None,
    })
}

fn truth<'b, 'v>(truth: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(truth))
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
