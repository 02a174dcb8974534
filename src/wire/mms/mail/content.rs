//! Content between WAP's multiparts and MIME's.
//!
//! Towards handsets the shape is the one that all of them show: one multipart, the presentation first, and every part
//! with a type that the handset knows and one name in Content-Type, Content-Location and Content-ID (cases C-01, C-09).

use std::collections::HashSet;

use bytes::Bytes;
use packetboat_mime::{Body, Entity, MediaType};

const SMIL: &str = "application/smil";
const WAP_MULTIPART: &str = "application/vnd.wap.multipart.";
/// Types that handsets know under another name.
const HANDSET_TYPES: &[(&str, &str)] = &[
    ("text/vcard", "text/x-vcard"),
    ("text/directory", "text/x-vcard"),
    ("text/calendar", "text/x-vcalendar"),
    ("application/smil+xml", SMIL),
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("audio/x-amr", "audio/amr"),
];
/// Endings of made-up file names.
const ENDINGS: &[(&str, &str)] = &[
    (SMIL, "smil"),
    ("text/plain", "txt"),
    ("text/html", "html"),
    ("text/x-vcard", "vcf"),
    ("text/x-vcalendar", "vcs"),
    ("image/jpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/png", "png"),
    ("image/vnd.wap.wbmp", "wbmp"),
    ("audio/amr", "amr"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/midi", "mid"),
    ("audio/sp-midi", "mid"),
    ("video/3gpp", "3gp"),
    ("video/3gpp2", "3g2"),
    ("video/mp4", "mp4"),
    ("application/pdf", "pdf"),
];
/// Parameters of a part's type that mean something to a handset.
const PART_PARAMETERS: &[&str] = &["charset", "type", "start"];

/// Content of a PDU as MIME has it: multiparts by their MIME names, a vCard as text/vcard, and text with a charset.
pub fn mime_content(entity: Entity<Bytes>) -> Entity<Bytes> {
    let media = mime_media(&entity);
    let body = match entity.body {
        Body::Leaf(body) => Body::Leaf(body),
        Body::Parts(parts) => Body::Parts(parts.into_iter().map(mime_content).collect()),
    };
    Entity { media, body, ..entity }
}

fn mime_media(entity: &Entity<Bytes>) -> MediaType {
    let media = &entity.media;
    match &entity.body {
        Body::Parts(parts) => {
            let subtype = media.essence().strip_prefix(WAP_MULTIPART).or(media.essence().strip_prefix("multipart/"));
            let subtype = match subtype {
                Some("*" | "form-data" | "byteranges" | "") | None => "mixed",
                Some(subtype) => subtype,
            };
            let mut renamed = renamed(media, &format!("multipart/{subtype}"));
            if subtype == "related" {
                name_root(&mut renamed, parts);
            }
            renamed
        }
        Body::Leaf(body) => {
            let mut media = match media.essence() {
                "text/x-vcard" => renamed(media, "text/vcard"),
                _ => media.clone(),
            };
            if media.top() == "text" && media.param("charset").is_none() && !body.is_ascii() {
                let utf8 = std::str::from_utf8(body).is_ok();
                media.set("charset", if utf8 { "utf-8" } else { "windows-1252" });
            }
            media
        }
    }
}

/// Sets `start` and `type` of a multipart/related to what is there (RFC 2387 3). Phones name roots that do not exist.
fn name_root(media: &mut MediaType, parts: &[Entity<Bytes>]) {
    let start = media.param("start").map(|start| unbracketed(start).to_owned());
    let named = parts.iter().find(|part| start.is_some() && part.content_id == start);
    match (named, start) {
        (Some(_), Some(start)) => media.set("start", format!("<{start}>")),
        _ => media.unset("start"),
    }
    if let Some(root) = named.or(parts.first()) {
        media.set("type", root.media.essence());
    }
}

fn renamed(media: &MediaType, essence: &str) -> MediaType {
    media.params().iter().fold(MediaType::new(essence), |renamed, (name, value)| renamed.with(name, value.clone()))
}

fn unbracketed(id: &str) -> &str {
    let id = id.trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    id.strip_suffix('>').unwrap_or(id)
}

/// Content of a mail as handsets take it: multipart.related with type and start where there is a presentation,
/// multipart.mixed otherwise, alternatives kept; a single part is wrapped. Content-Disposition is left out, because
/// some handsets hide what is declared an attachment (C-01). Multiparts inside are opened, because handsets do not
/// look into them; only alternatives stay together.
pub fn wap_content<B: Clone>(root: &Entity<B>) -> Entity<B> {
    let mut entries = Vec::new();
    flatten(root, true, &mut entries);
    let smil = entries.iter().position(|part| handset_type(part) == SMIL);
    let mut names = Names { keep: smil.is_some(), taken: HashSet::new() };
    let mut parts: Vec<Entity<B>> = entries.iter().map(|part| wap_part(part, &mut names)).collect();
    let media = match smil {
        Some(at) => {
            parts[..=at].rotate_right(1);
            let start = parts.first().and_then(|part| part.content_id.clone()).unwrap_or_default();
            wap_multipart("related").with("type", SMIL).with("start", format!("<{start}>"))
        }
        None if is_alternative(&root.media) => wap_multipart("alternative"),
        None => wap_multipart("mixed"),
    };
    Entity::multipart(media, parts)
}

/// The parts of one multipart, as handsets see them.
fn flatten<'a, B>(entity: &'a Entity<B>, outermost: bool, entries: &mut Vec<&'a Entity<B>>) {
    match &entity.body {
        Body::Parts(parts) if outermost || !is_alternative(&entity.media) => {
            parts.iter().for_each(|part| flatten(part, false, entries));
        }
        _ => entries.push(entity),
    }
}

fn is_alternative(media: &MediaType) -> bool {
    media.essence().ends_with("multipart/alternative") || media.essence().ends_with("multipart.alternative")
}

fn wap_multipart(subtype: &str) -> MediaType {
    MediaType::new(format!("{WAP_MULTIPART}{subtype}"))
}

/// The type of a part by the name that handsets know.
fn handset_type<B>(part: &Entity<B>) -> &str {
    let essence = part.media.essence();
    HANDSET_TYPES.iter().find(|row| row.0 == essence).map_or(essence, |row| row.1)
}

fn wap_part<B: Clone>(part: &Entity<B>, names: &mut Names) -> Entity<B> {
    let body = match &part.body {
        Body::Leaf(body) => body,
        Body::Parts(_) => {
            let inner = part.leaves().into_iter().map(|part| wap_part(part, names)).collect();
            return Entity::multipart(wap_multipart("alternative"), inner);
        }
    };
    if part.media.is_multipart() {
        return part.clone(); // in MIME's own format, such as something signed: whole or not at all
    }
    let essence = handset_type(part);
    let name = names.of(part, essence);
    let kept = part.media.params().iter().filter(|(name, _)| PART_PARAMETERS.contains(&name.as_str()));
    let media = kept.fold(MediaType::new(essence), |media, (name, value)| media.with(name, value.clone()));
    let mut out = Entity::leaf(media.with("name", name.clone()), body.clone());
    let given = part.content_id.as_deref().map(unbracketed).filter(|id| !id.is_empty() && id.is_ascii());
    out.content_id = Some(given.unwrap_or(&name).to_owned());
    out.location = Some(name);
    out
}

/// Gives each part one name that no other part has.
struct Names {
    /// Whether a presentation refers to parts by the names they came with.
    keep: bool,
    taken: HashSet<String>,
}

impl Names {
    fn of<B>(&mut self, part: &Entity<B>, essence: &str) -> String {
        let written = match self.keep {
            true => part.location.as_deref().or(part.file_name().filter(|name| name.is_ascii())),
            false => part.file_name(),
        };
        let usable = |name: &&str| !name.is_empty();
        let written = written.map(str::trim).filter(usable);
        if self.keep
            && let Some(name) = written
            && self.taken.insert(name.to_owned())
        {
            return name.to_owned();
        }
        let given = written.or(part.file_name()).or(part.content_id.as_deref().map(unbracketed).filter(usable));
        let ending = ENDINGS.iter().find(|row| row.0 == essence).map_or("bin", |row| row.1);
        let (stem, ending) = match given.map(plain).as_deref().and_then(|name| name.rsplit_once('.')) {
            Some((stem, given)) if !stem.is_empty() && !given.is_empty() => (stem.to_owned(), given.to_owned()),
            _ => (
                given.map(plain).filter(|name| !name.is_empty()).unwrap_or_else(|| "part".to_owned()),
                ending.to_owned(),
            ),
        };
        let unnumbered = (stem != "part").then(|| format!("{stem}.{ending}"));
        let numbered = (1..).map(|number| format!("{stem}{number}.{ending}"));
        // As many names are taken as there were parts before, so that a free one comes soon.
        let mut free = unnumbered.into_iter().chain(numbered).filter(|name| !self.taken.contains(name));
        let name = free.next().unwrap_or(stem.clone());
        self.taken.insert(name.clone());
        name
    }
}

/// A file name of ASCII letters, digits, dots, dashes and underscores, of a length that handsets show.
fn plain(name: &str) -> String {
    const LENGTH: usize = 40;
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mapped: String =
        base.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' }).collect();
    let trimmed = mapped.trim_matches(['_', '.']);
    trimmed[trimmed.len().saturating_sub(LENGTH)..].to_owned() // the ending is at the end
}
