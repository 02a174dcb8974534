//! Mail to MMS: the plan, and the MMS made of it.

use bytes::Bytes;

use crate::compose::names::Namer;
use crate::compose::select::{Item, Source, select};
use crate::compose::{LeftOut, Options, Piece, text};
use crate::smil::{self, Media, MediaKind, Slide, is_smil};
use crate::{Body, Disposition, Entity, Length, Mail, MediaType};

/// What of a mail becomes the MMS. The texts it [`needs`](Plan::needs) are read by the caller and given to
/// [`finish`](Plan::finish) in the same order.
#[derive(Clone, Debug)]
pub struct Plan<B> {
    shape: Shape<B>,
    left_out: Vec<LeftOut>,
    options: Options,
}

#[derive(Clone, Debug)]
enum Shape<B> {
    AsIs(Entity<B>),
    Items(Vec<Item<B>>),
}

/// The plan for a mail. Reads no body: a body only has to say its length and whether it is the same as another.
pub fn plan<B: Clone + Length + PartialEq>(mail: &Mail<B>, options: &Options) -> Plan<B> {
    if options.pass_through && is_mms(mail) {
        return Plan { shape: Shape::AsIs(mail.root.clone()), left_out: Vec::new(), options: options.clone() };
    }
    let selection = select(&mail.root, options);
    let mut options = options.clone();
    options.strip_history &= !is_forward(mail); // what is forwarded is what was meant
    Plan { shape: Shape::Items(selection.items), left_out: selection.left_out, options }
}

/// Whether the subject says that a mail was forwarded, in the languages of the big mail programs.
fn is_forward<B>(mail: &Mail<B>) -> bool {
    const MARKS: &[&str] = &["fwd:", "fw:", "wg:", "tr:", "rv:", "enc:", "vs:", "doorst:"];
    let subject = mail.headers.first("Subject").unwrap_or("").trim_start().to_lowercase();
    MARKS.iter().any(|mark| subject.starts_with(mark))
}

/// Whether a mail came from an MMS: it has a presentation, or a field only an MMSC writes (TS 23.140 8.4) and
/// nothing only a mail program writes.
fn is_mms<B>(mail: &Mail<B>) -> bool {
    let prefixed = |name: &str| name.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("x-mms-"));
    let leaves = mail.root.leaves();
    let any = |test: fn(&str) -> bool| leaves.iter().any(|leaf| test(leaf.media.essence()));
    any(is_smil)
        || !leaves.is_empty()
            && mail.headers.0.iter().any(|(name, _)| prefixed(name))
            && !any(|essence| essence == "text/html")
}

impl<B: Clone + Length> Plan<B> {
    /// The texts that have to be read, in the order [`Plan::finish`] takes them.
    pub fn needs(&self) -> Vec<&B> {
        let Shape::Items(items) = &self.shape else { return Vec::new() };
        let mut needs = Vec::new();
        for item in items {
            if let Item::Text { best, other } = item {
                needs.push(&best.body);
                needs.extend(other.iter().map(|other| &other.body));
            }
        }
        needs
    }

    /// What of the mail is not in the MMS, and why.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The MMS: `multipart/related` with a presentation as its start, or `multipart/mixed`; text in UTF-8; every
    /// part with `name`, Content-Location and Content-ID that agree. A text not given counts as empty. A mail with
    /// nothing in it becomes one empty text: no phone takes an MMS without parts.
    pub fn finish(self, texts: Vec<Bytes>) -> Entity<Piece<B>> {
        let items = match self.shape {
            Shape::AsIs(root) => return root.map(&mut Piece::Kept),
            Shape::Items(items) => items,
        };
        let mut show = Show::new(&self.options);
        let mut texts = texts.into_iter();
        for item in items {
            match item {
                Item::Text { best, other } => show.text(&best, other.as_ref(), &mut texts),
                Item::Media(leaf) => show.media(leaf),
            }
        }
        show.finish()
    }
}

/// The name of the presentation part.
const PRESENTATION: &str = "presentation.smil";

/// The MMS being put together.
struct Show<'a, B> {
    options: &'a Options,
    namer: Namer,
    slides: Vec<Slide>,
    shown: Vec<Entity<Piece<B>>>,
    attached: Vec<Entity<Piece<B>>>,
    said: Vec<String>,
}

impl<'a, B: Clone + Length> Show<'a, B> {
    fn new(options: &'a Options) -> Self {
        let mut namer = Namer::default();
        namer.exactly(PRESENTATION);
        Show { options, namer, slides: Vec::new(), shown: Vec::new(), attached: Vec::new(), said: Vec::new() }
    }

    fn text(&mut self, best: &Source<B>, other: Option<&Source<B>>, texts: &mut impl Iterator<Item = Bytes>) {
        let strip = self.options.strip_history;
        let mut text = text::readable(best, &texts.next().unwrap_or_default(), strip);
        if let Some(other) = other {
            let octets = texts.next().unwrap_or_default();
            if text.is_empty() {
                text = text::readable(other, &octets, strip);
            }
        }
        if !text.is_empty() && !self.said.contains(&text) {
            self.say(&text);
            self.said.push(text);
        }
    }

    fn say(&mut self, text: &str) {
        let name = self.namer.text();
        let media = MediaType::new("text/plain").with("charset", "utf-8");
        self.place(MediaKind::Text, &name);
        self.shown.push(named(media, &name, Piece::Made(text::body(text))));
    }

    fn media(&mut self, leaf: Entity<B>) {
        let wish = leaf.file_name().map(str::to_owned);
        let Body::Leaf(body) = leaf.body else { return };
        let media = self.phone_type(&leaf.media);
        let name = self.namer.name(wish.as_deref(), &media);
        let kind = match media.top() {
            "image" => MediaKind::Image,
            "video" => MediaKind::Video,
            "audio" => MediaKind::Audio,
            _ => {
                let mut part = named(media, &name, Piece::Kept(body));
                part.disposition = Some(Disposition { kind: "attachment".to_owned(), filename: Some(name) });
                return self.attached.push(part);
            }
        };
        self.place(kind, &name);
        self.shown.push(named(media, &name, Piece::Kept(body)));
    }

    /// The type without the parameters that were the mail's business (`name`, `x-apple-part-url`, …).
    fn phone_type(&self, media: &MediaType) -> MediaType {
        let essence = match media.essence() {
            "text/vcard" | "text/directory" if self.options.rewrite_cards => "text/x-vcard",
            "text/calendar" if self.options.rewrite_cards => "text/x-vcalendar",
            essence => essence,
        };
        match media.param("charset") {
            Some(charset) => MediaType::new(essence).with("charset", charset),
            None => MediaType::new(essence),
        }
    }

    /// Puts a part on the open slide when it has room for it, else on a new one: at most one picture or video, one
    /// text and one sound each. So a text goes with the picture before it, or, when that has one, with the next.
    fn place(&mut self, kind: MediaKind, src: &str) {
        let media = Media { kind, src: src.to_owned(), region: None };
        let is_visual = |kind| matches!(kind, MediaKind::Image | MediaKind::Video);
        let room = self.slides.last().is_some_and(|slide| {
            slide.media.iter().all(|on| match kind {
                MediaKind::Audio => on.kind != MediaKind::Audio && on.kind != MediaKind::Video,
                MediaKind::Text => on.kind != MediaKind::Text,
                _ => !is_visual(on.kind) && (kind == MediaKind::Image || on.kind != MediaKind::Audio),
            })
        });
        match self.slides.last_mut() {
            // The picture stands before its text in the slide, whichever came first in the mail.
            Some(slide) if room && is_visual(kind) => slide.media.insert(0, media),
            Some(slide) if room => slide.media.push(media),
            _ => self.slides.push(Slide { duration: Some(self.options.slide_duration), media: vec![media] }),
        }
    }

    fn finish(mut self) -> Entity<Piece<B>> {
        if self.shown.is_empty() && self.attached.is_empty() {
            self.say("");
        }
        let mut parts = self.shown;
        parts.append(&mut self.attached);
        if !self.options.presentation {
            return Entity::multipart(MediaType::new("multipart/mixed"), parts);
        }
        let media = MediaType::new(smil::MEDIA_TYPE).with("charset", "utf-8");
        let presentation = Bytes::from(smil::generate(&self.slides));
        parts.insert(0, named(media, PRESENTATION, Piece::Made(presentation)));
        let related = MediaType::new("multipart/related")
            .with("type", smil::MEDIA_TYPE)
            .with("start", format!("<{PRESENTATION}>")); // RFC 2387 3.2: a Content-ID, brackets and all
        Entity::multipart(related, parts)
    }
}

/// A leaf that says its name in every way phones look for it.
fn named<B>(media: MediaType, name: &str, body: Piece<B>) -> Entity<Piece<B>> {
    let mut part = Entity::leaf(media.with("name", name), body);
    part.location = Some(name.to_owned());
    part.content_id = Some(name.to_owned());
    part
}
