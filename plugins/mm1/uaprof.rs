//! A phone's description of itself: UAProf, a vocabulary of CC/PP in RDF/XML (WAP-248-UAPROF, OMA-TS-MMS_CONF 9).
//!
//! Vendors write it by hand, under many namespaces and prefixes and not always as XML, so that only local names count, and
//! whatever can be read before the document breaks is read. Entities are not expanded, but for the five that XML itself has
//! and single characters. Of values that stand several times the first counts (WAP-248-UAPROF, "Locked"), and any before
//! those of `Defaults`.

use packetboat_api::memory::{MAX_ACCEPTED, Profile};
use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::limits::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_NAME, MAX_NODES, MAX_PIXELS, MAX_VALUE, MIN_MESSAGE};
use crate::sighting::media_type;

/// Reads a description that was found at `url`. `None` when it says nothing of what is asked here.
pub fn read(document: &[u8], url: &str) -> Option<Profile> {
    let text = String::from_utf8_lossy(document);
    let mut walk = Walk::default();
    walk.through(&text);
    let Walk { own, defaults, .. } = walk;
    let accepts = if own.accepts.is_empty() { defaults.accepts } else { own.accepts };
    let profile = Profile {
        url: url.to_owned(),
        model: full_name(own.vendor.or(defaults.vendor), own.model.or(defaults.model)),
        accepts,
        max_size: own.max_size.or(defaults.max_size),
        max_image: own.max_image.or(defaults.max_image),
        screen: own.screen.or(defaults.screen),
    };
    let nothing = Profile { url: profile.url.clone(), ..Profile::default() };
    (profile != nothing).then_some(profile)
}

/// Vendor and model; many models have their vendor's name in them already.
fn full_name(vendor: Option<String>, model: Option<String>) -> String {
    match (vendor, model) {
        (Some(vendor), Some(model)) if !model.to_lowercase().starts_with(&vendor.to_lowercase()) => {
            format!("{vendor} {model}")
        }
        (vendor, model) => model.or(vendor).unwrap_or_default(),
    }
}

/// The properties that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    Vendor,
    Model,
    ScreenSize,
    MmsMaxMessageSize,
    MmsMaxImageResolution,
    MmsCcppAccept,
}

impl Property {
    fn named(name: &str) -> Option<Property> {
        const NAMES: [(&str, Property); 6] = [
            ("Vendor", Property::Vendor),
            ("Model", Property::Model),
            ("ScreenSize", Property::ScreenSize),
            ("MmsMaxMessageSize", Property::MmsMaxMessageSize),
            ("MmsMaxImageResolution", Property::MmsMaxImageResolution),
            ("MmsCcppAccept", Property::MmsCcppAccept),
        ];
        NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, property)| *property)
    }
}

/// What an element is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Property(Property),
    /// An RDF container or a member of it: what is in it belongs to the property around it.
    Container,
    /// Holds values that others override.
    Defaults,
    Other,
}

impl Kind {
    fn named(name: &str) -> Kind {
        match Property::named(name) {
            Some(property) => Kind::Property(property),
            None if ["Bag", "Seq", "Alt", "li"].iter().any(|known| name.eq_ignore_ascii_case(known)) => Kind::Container,
            None if name.eq_ignore_ascii_case("Defaults") => Kind::Defaults,
            None => Kind::Other,
        }
    }
}

/// Values found.
#[derive(Debug, Default)]
struct Found {
    vendor: Option<String>,
    model: Option<String>,
    screen: Option<(u32, u32)>,
    max_size: Option<u64>,
    max_image: Option<(u32, u32)>,
    accepts: Vec<String>,
}

impl Found {
    fn put(&mut self, property: Property, text: &str) {
        match property {
            Property::Vendor => first(&mut self.vendor, name(text)),
            Property::Model => first(&mut self.model, name(text)),
            Property::ScreenSize => first(&mut self.screen, dimensions(text)),
            Property::MmsMaxImageResolution => first(&mut self.max_image, dimensions(text)),
            Property::MmsMaxMessageSize => {
                first(&mut self.max_size, text.trim().parse().ok().filter(|size| *size >= MIN_MESSAGE));
            }
            // One to a list's member by the specification; some write them all into one.
            Property::MmsCcppAccept => {
                for media in text.split([',', '\n']).filter_map(media_type) {
                    if self.accepts.len() < MAX_ACCEPTED && !self.accepts.contains(&media) {
                        self.accepts.push(media);
                    }
                }
            }
        }
    }
}

fn first<T>(place: &mut Option<T>, value: Option<T>) {
    if place.is_none() {
        *place = value;
    }
}

/// A name on one line.
fn name(text: &str) -> Option<String> {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let name = words.join(" ");
    let cut = name.floor_char_boundary(MAX_NAME);
    (cut > 0).then(|| name[..cut].trim_end().to_owned())
}

/// `176x208`, in pixels.
fn dimensions(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once(['x', 'X', '*', '×'])?;
    let pixels = |text: &str| text.trim().parse().ok().filter(|pixels| (1..=MAX_PIXELS).contains(pixels));
    Some((pixels(width)?, pixels(height)?))
}

/// The way through a document.
#[derive(Default)]
struct Walk {
    /// The elements we are in, by local name.
    path: Vec<(String, Kind)>,
    /// Text of the innermost one so far.
    text: String,
    own: Found,
    defaults: Found,
}

impl Walk {
    /// As far as the document can be read, and its bounds reach.
    fn through(&mut self, text: &str) {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        (config.check_end_names, config.allow_unmatched_ends, config.allow_dangling_amp) = (false, true, true);
        for _ in 0..MAX_NODES {
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    self.settle();
                    self.attributes(&start);
                    if self.path.len() == MAX_DEPTH {
                        break;
                    }
                    let name = start.local_name().into_inner();
                    self.path.push((name.to_owned(), Kind::named(name)));
                }
                Ok(Event::Empty(start)) => {
                    self.settle();
                    self.attributes(&start);
                }
                Ok(Event::End(end)) => {
                    self.settle();
                    let name = end.local_name().into_inner();
                    // What was not closed inside is closed by this; what was never open closes nothing.
                    if let Some(at) = self.path.iter().rposition(|(open, _)| open == name) {
                        self.path.truncate(at);
                    }
                }
                Ok(Event::Text(text)) => self.add(&text),
                Ok(Event::CData(text)) => self.add(&text),
                Ok(Event::GeneralRef(reference)) => self.refer(&reference),
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) => {}
            }
        }
        self.settle();
    }

    fn add(&mut self, text: &str) {
        let room = MAX_VALUE - self.text.len();
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn refer(&mut self, reference: &BytesRef<'_>) {
        match reference.resolve_char_ref() {
            Ok(Some(character)) => self.add(character.encode_utf8(&mut [0; 4])),
            _ => self.add(resolve_predefined_entity(reference).unwrap_or_default()),
        }
    }

    /// Properties written as attributes (RDF/XML 2.5).
    fn attributes(&mut self, start: &BytesStart<'_>) {
        // Unchecked: looking for doubles would take the square of their number.
        for attribute in start.attributes().with_checks(false).flatten().take(MAX_ATTRIBUTES) {
            if let Some(property) = Property::named(attribute.key.local_name().into_inner()) {
                let value = unescape(&attribute.value).unwrap_or(std::borrow::Cow::Borrowed(&attribute.value));
                self.put(property, &value[..value.floor_char_boundary(MAX_VALUE)]);
            }
        }
    }

    /// Gives the text so far to the property it stands in.
    fn settle(&mut self) {
        let text = std::mem::take(&mut self.text);
        let inside = self.path.iter().rev().map(|(_, kind)| *kind).find(|kind| *kind != Kind::Container);
        if let Some(Kind::Property(property)) = inside
            && !text.trim().is_empty()
        {
            self.put(property, &text);
        }
    }

    fn put(&mut self, property: Property, text: &str) {
        match self.path.iter().any(|(_, kind)| *kind == Kind::Defaults) {
            true => self.defaults.put(property, text),
            false => self.own.put(property, text),
        }
    }
}
