//! Walking a mail: which leaves a person would see, in order, each once.

use crate::compose::names::{normal_type, type_by_name};
use crate::compose::{LeftOut, Options, Why};
use crate::smil::is_smil;
use crate::{Body, Entity, Length, MediaType};

/// A text that has to be read before it can be used.
#[derive(Clone, Debug)]
pub(crate) struct Source<B> {
    pub(crate) body: B,
    /// The text is HTML.
    pub(crate) html: bool,
    /// `format=flowed` (RFC 3676), and its `delsp=yes`.
    pub(crate) flowed: bool,
    pub(crate) delete_space: bool,
}

/// Something a person sees.
#[derive(Clone, Debug)]
pub(crate) enum Item<B> {
    /// One text: the best version of it, and another to take when that one turns out empty.
    Text { best: Source<B>, other: Option<Source<B>> },
    /// A picture, sound, video, card or document.
    Media(Entity<B>),
}

/// GIFs and PNGs below this that nobody attached are spacers and tracking pixels: the smallest GIF and PNG of one transparent pixel have 35 and
/// 67 octets.
const SPACER: u64 = 128;
/// A plain text up to this length may be nothing but blanks: then the HTML beside it is read too.
const BLANK: u64 = 64;

pub(crate) struct Selection<B> {
    pub(crate) items: Vec<Item<B>>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// The items of a mail, without duplicates.
pub(crate) fn select<B: Clone + Length + PartialEq>(root: &Entity<B>, options: &Options) -> Selection<B> {
    let mut walk = Walk { left_out: Vec::new(), keep_other: options.keep_other };
    let found = walk.entity(root);
    let mut items: Vec<Item<B>> = Vec::with_capacity(found.len());
    for item in found {
        match &item {
            Item::Media(media) if items.iter().any(|kept| is_same(kept, media)) => walk.leave(media, Why::Duplicate),
            _ => items.push(item),
        }
    }
    Selection { items, left_out: walk.left_out }
}

/// The same part twice: by Content-ID, by octets, or by type, name and length (a picture both inline and attached).
fn is_same<B: Length + PartialEq>(kept: &Item<B>, new: &Entity<B>) -> bool {
    let Item::Media(kept) = kept else { return false };
    let (Some(a), Some(b)) = (kept.content(), new.content()) else { return false };
    if kept.content_id.is_some() && kept.content_id == new.content_id {
        return true;
    }
    let same_name = kept.file_name().is_some() && kept.file_name() == new.file_name();
    kept.media.essence() == new.media.essence() && a.length() == b.length() && (same_name || a == b)
}

struct Walk {
    left_out: Vec<LeftOut>,
    keep_other: bool,
}

impl Walk {
    fn entity<B: Clone + Length>(&mut self, entity: &Entity<B>) -> Vec<Item<B>> {
        let parts = match &entity.body {
            Body::Leaf(body) => return self.leaf(entity, body).into_iter().collect(),
            Body::Parts(parts) => parts,
        };
        match entity.media.essence() {
            "multipart/alternative" | "application/vnd.wap.multipart.alternative" => self.alternative(parts),
            // The second part of these is for machines (RFC 1847 2.1, RFC 3462 1).
            "multipart/signed" | "multipart/report" => {
                parts.iter().skip(1).for_each(|part| self.leave(part, Why::Machinery));
                parts.first().map(|part| self.entity(part)).unwrap_or_default()
            }
            _ => parts.iter().flat_map(|part| self.entity(part)).collect(),
        }
    }

    /// One text of the several: the plain one, else the last that can be read; but every picture of every branch,
    /// because mailers put inline pictures beside the HTML only.
    fn alternative<B: Clone + Length>(&mut self, parts: &[Entity<B>]) -> Vec<Item<B>> {
        let mut branches: Vec<Vec<Item<B>>> = parts.iter().map(|part| self.entity(part)).collect();
        let has = |branch: &[Item<B>], html: bool| {
            branch.iter().any(|item| matches!(item, Item::Text { best, .. } if best.html == html))
        };
        let plain = branches.iter().position(|branch| has(branch, false));
        let html = branches.iter().rposition(|branch| has(branch, true));
        let Some(chosen) = plain.or(html) else { return branches.into_iter().flatten().collect() };
        let spare = html.filter(|html| *html != chosen).and_then(|html| first_text(&branches[html]));
        let mut items = std::mem::take(&mut branches[chosen]);
        if let Some(Item::Text { best, other }) = items.iter_mut().find(|item| matches!(item, Item::Text { .. }))
            && other.is_none()
            && best.body.length() <= BLANK
        {
            *other = spare;
        }
        items.extend(branches.into_iter().flatten().filter(|item| matches!(item, Item::Media(_))));
        items
    }

    fn leaf<B: Clone + Length>(&mut self, leaf: &Entity<B>, body: &B) -> Option<Item<B>> {
        let mut media = normal_type(&leaf.media);
        if media.essence() == "application/octet-stream"
            && let Some(better) = leaf.file_name().and_then(type_by_name)
        {
            media = MediaType::new(better);
        }
        let why = match media.essence() {
            "text/plain" | "text/html" | "text/enriched" | "text/richtext" | "application/xhtml+xml" => {
                return Some(text(&media, body));
            }
            "text/x-amp-html" | "text/watch-html" | "text/x-watch-html" => Why::Machinery,
            "message/rfc822" | "message/global" => Why::Message,
            essence if is_machinery(essence, leaf) => Why::Machinery,
            essence if is_smil(essence) => Why::Machinery,
            "image/gif" | "image/png" if body.length() < SPACER && !is_attached(leaf) => Why::Spacer,
            _ if !self.keep_other && !is_for_phones(&media) => Why::Other,
            _ => {
                let mut kept = leaf.clone();
                kept.media = media;
                return Some(Item::Media(kept));
            }
        };
        self.leave(leaf, why);
        None
    }

    fn leave<B>(&mut self, part: &Entity<B>, why: Why) {
        let name = part.file_name().unwrap_or(part.media.essence()).to_owned();
        self.left_out.push(LeftOut { name, why });
    }
}

fn first_text<B: Clone>(items: &[Item<B>]) -> Option<Source<B>> {
    items.iter().find_map(|item| match item {
        Item::Text { best, .. } => Some(best.clone()),
        Item::Media(_) => None,
    })
}

fn text<B: Clone>(media: &MediaType, body: &B) -> Item<B> {
    let is = |name: &str, value: &str| media.param(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
    let best = Source {
        body: body.clone(),
        html: media.essence() != "text/plain",
        flowed: is("format", "flowed"),
        delete_space: is("delsp", "yes"),
    };
    Item::Text { best, other: None }
}

fn is_attached<B>(leaf: &Entity<B>) -> bool {
    leaf.disposition.as_ref().is_some_and(|disposition| disposition.kind == "attachment")
}

fn is_machinery<B>(essence: &str, leaf: &Entity<B>) -> bool {
    let tnef =
        essence.ends_with("ms-tnef") || leaf.file_name().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
    tnef || essence.starts_with("message/")
        || matches!(
            essence,
            "application/pkcs7-signature"
                | "application/x-pkcs7-signature"
                | "application/pgp-signature"
                | "application/pgp-keys"
                | "application/pgp-encrypted"
                | "text/rfc822-headers"
                | "application/x-apple-msg-attachment"
        )
}

fn is_for_phones(media: &MediaType) -> bool {
    matches!(media.top(), "image" | "audio" | "video")
        || matches!(
            media.essence(),
            "text/vcard"
                | "text/x-vcard"
                | "text/directory"
                | "text/calendar"
                | "text/x-vcalendar"
                | "application/vnd.wap.xhtml+xml"
                | "application/vnd.oma.drm.message"
                | "application/vnd.oma.drm.content"
        )
}
