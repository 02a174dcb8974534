//! The message as a person sees it: slides in the order of its presentation, with what each shows.
//!
//! What came from a phone is shown as it is; of a mail, what would have become the MMS. Only texts are read, and the beginnings
//! of pictures, for their size; all else is links to parts, which are numbered by their place in the stored message.

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::message::{Identity, Message, Span};
use packetboat_api::mime::compose::{self, Options, Piece};
use packetboat_api::mime::smil::{self, is_smil};
use packetboat_api::mime::{Entity, Length, Mail, addresses, decode_text};
use packetboat_api::party::Party;
use packetboat_api::road::Content;
use packetboat_api::store::StoreError;
use serde::Serialize;

use crate::contact::{self, Contact};
use crate::limits::{CARD, FILE_NAME, ITEMS, LINE, MAIL_TEXT, MAIL_TEXTS, PICTURE, PICTURE_HEAD, TEXT, TEXTS};
use crate::part::{Shown, shown};
use crate::picture::{Measured, Size, measure};
use crate::settings::{PagesSettings, Reply, Sender};

/// A message, ready for a template.
#[derive(Clone, Debug, Default, Serialize)]
pub struct View {
    /// The subject; empty when there is none.
    pub subject: String,
    /// Who sent it; empty when that is not shown.
    pub sender: String,
    /// Where an answer goes; empty when there is no way.
    pub reply: String,
    /// What is shown together.
    pub slides: Vec<Vec<Item>>,
    /// Pictures in all.
    pub pictures: usize,
}

/// One thing on a slide. `part` is its number in addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(missing_docs, reason = "the fields say it")]
pub enum Item {
    /// Words. With `whole`, there is more than is shown, in that part.
    Text { pieces: Vec<TextPiece>, whole: Option<usize> },
    /// A picture that can be scaled.
    Picture { part: usize, number: usize, name: String, width: u32, height: u32, size: String, wide: bool },
    /// A sound.
    Audio { part: usize, name: String, size: String },
    /// A film.
    Video { part: usize, name: String, size: String },
    /// A card.
    Contact { part: usize, contact: Contact },
    /// Anything else.
    File { part: usize, name: String, size: String, event: bool },
}

/// A piece of a text: words, or an address of the web that is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextPiece {
    /// The words.
    pub text: String,
    /// They are an address.
    pub link: bool,
}

/// Makes the view.
pub async fn view(message: &Message, content: &Arc<dyn Content>, settings: &PagesSettings) -> Result<View, StoreError> {
    let reader = Reader { message, content: content.as_ref() };
    let root = reader.root().await?;
    let presentation = root.leaves().into_iter().find(|leaf| is_smil(leaf.media.essence()));
    let slides = match presentation.and_then(Entity::content) {
        Some(piece) => smil::parse(&decode_text(&reader.piece(piece, TEXT * 4).await?, "")),
        None => Vec::new(),
    };
    let groups = smil::group(&root, &slides);
    let mut making = Making { reader, items: 0, pictures: 0, texts: TEXTS, leaves: message.mail.root.leaves() };
    let mut view = View::default();
    for leaves in groups.shown.iter().chain([&groups.others]) {
        let mut slide = Vec::new();
        for leaf in leaves {
            slide.extend(making.item(leaf).await?);
        }
        if !slide.is_empty() {
            view.slides.push(slide);
        }
    }
    view.pictures = making.pictures;
    view.subject = message.traits.subject.as_deref().map(|subject| line(subject, LINE)).unwrap_or_default();
    view.sender = sender(message, settings.sender).unwrap_or_default();
    view.reply = reply(message, settings).unwrap_or_default();
    Ok(view)
}

struct Reader<'a> {
    message: &'a Message,
    content: &'a dyn Content,
}

impl Reader<'_> {
    /// The message as a phone would have got it.
    async fn root(&self) -> Result<Entity<Piece<Span>>, StoreError> {
        if matches!(self.message.identity, Identity::Subscriber(_)) {
            return Ok(self.message.mail.root.clone().map(&mut Piece::Kept));
        }
        let plan = compose::plan(&self.message.mail, &Options::default());
        let (mut texts, mut left) = (Vec::new(), MAIL_TEXTS);
        for span in plan.needs() {
            let text = self.span(*span, MAIL_TEXT.min(left)).await?;
            left -= text.len() as u64;
            texts.push(text);
        }
        Ok(plan.finish(texts))
    }

    async fn span(&self, span: Span, most: u64) -> Result<Bytes, StoreError> {
        match span.length.min(most) {
            0 => Ok(Bytes::new()),
            length => self.content.read(self.message, span.start..span.start + length).await,
        }
    }

    async fn piece(&self, piece: &Piece<Span>, most: u64) -> Result<Bytes, StoreError> {
        match piece {
            Piece::Kept(span) => self.span(*span, most).await,
            Piece::Made(octets) => Ok(octets.slice(..octets.len().min(usize::try_from(most).unwrap_or(usize::MAX)))),
        }
    }
}

struct Making<'a> {
    reader: Reader<'a>,
    items: usize,
    pictures: usize,
    /// Octets of texts that may still be read.
    texts: u64,
    leaves: Vec<&'a Entity<Span>>,
}

impl Making<'_> {
    async fn item(&mut self, leaf: &Entity<Piece<Span>>) -> Result<Option<Item>, StoreError> {
        let Some(piece) = leaf.content() else { return Ok(None) };
        if self.items >= ITEMS {
            return Ok(None);
        }
        let part = match piece {
            Piece::Kept(span) => self.leaves.iter().position(|leaf| leaf.content() == Some(span)),
            Piece::Made(_) => None,
        };
        let item = match (leaf.media.essence(), part) {
            ("text/plain", part) => self.text(leaf, piece, part).await?,
            (_, Some(part)) => Some(self.media(leaf, piece, part).await?),
            (_, None) => None,
        };
        self.items += usize::from(item.is_some());
        Ok(item)
    }

    async fn text(
        &mut self,
        leaf: &Entity<Piece<Span>>,
        piece: &Piece<Span>,
        part: Option<usize>,
    ) -> Result<Option<Item>, StoreError> {
        let length = piece.length();
        let most = TEXT.min(self.texts);
        self.texts -= length.min(most);
        let octets = self.reader.piece(piece, most).await?;
        let mut text = decode_text(&octets, leaf.media.param("charset").unwrap_or("utf-8"));
        if length > most {
            // The cut may have gone through a character.
            let whole = text.trim_end_matches(char::REPLACEMENT_CHARACTER).len();
            text.truncate(whole);
            text.push('…');
        }
        let text = readable(&text);
        let whole = part.filter(|_| length > most);
        Ok((!text.is_empty() || whole.is_some()).then(|| Item::Text { pieces: linked(&text), whole }))
    }

    async fn media(
        &mut self,
        leaf: &Entity<Piece<Span>>,
        piece: &Piece<Span>,
        part: usize,
    ) -> Result<Item, StoreError> {
        let octets = piece.length();
        let (name, size) = (file_name(leaf), in_words(octets));
        let media = shown(leaf.media.essence());
        Ok(match media {
            Shown::Picture if octets <= PICTURE => match measure(&self.reader.piece(piece, PICTURE_HEAD).await?) {
                Measured::TooLarge => Item::File { part, name, size, event: false },
                Measured::Unknown => self.picture(part, name, size, (0, 0)),
                Measured::Is(width, height) => self.picture(part, name, size, (width, height)),
            },
            Shown::Audio => Item::Audio { part, name, size },
            Shown::Video => Item::Video { part, name, size },
            Shown::Card if octets <= CARD => {
                let charset = leaf.media.param("charset").unwrap_or_default();
                match contact::read(&self.reader.piece(piece, CARD).await?, charset) {
                    Some(contact) => Item::Contact { part, contact },
                    None => Item::File { part, name, size, event: false },
                }
            }
            other => Item::File { part, name, size, event: other == Shown::Event },
        })
    }

    fn picture(&mut self, part: usize, name: String, size: String, (width, height): (u32, u32)) -> Item {
        self.pictures += 1;
        let wide = width == 0 || width > Size::Medium.width();
        Item::Picture { part, number: self.pictures, name, width, height, size, wide }
    }
}

/// What a part is called, or what it is when it is called nothing.
pub fn file_name<B>(leaf: &Entity<B>) -> String {
    let name = leaf.file_name().map(|name| name.rsplit(['/', '\\']).next().unwrap_or(name));
    let name = name.map(|name| line(name, FILE_NAME)).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| {
        let name = match (shown(leaf.media.essence()), leaf.media.essence()) {
            (Shown::Picture, "image/png" | "image/x-png") => "picture.png",
            (Shown::Picture, "image/gif") => "picture.gif",
            (Shown::Picture, _) => "picture.jpg",
            (Shown::Audio, "audio/amr") => "sound.amr",
            (Shown::Audio, "audio/mpeg") => "sound.mp3",
            (Shown::Audio, _) => "sound",
            (Shown::Video, "video/3gpp") => "video.3gp",
            (Shown::Video, "video/mp4") => "video.mp4",
            (Shown::Video, _) => "video",
            (Shown::Card, _) => "contact.vcf",
            (Shown::Event, _) => "event.ics",
            (Shown::Text, _) => "text.txt",
            (Shown::File, "application/pdf") => "document.pdf",
            (Shown::File, _) => "file",
        };
        name.to_owned()
    })
}

/// One line without control characters (and without those that turn the direction of what follows), cut.
pub fn line(text: &str, most: usize) -> String {
    let unseen = |c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || unseen(c)).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(most).collect()
}

/// A text without what no page may hold: control characters, and more empty lines than one.
fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.replace("\r\n", "\n").replace('\r', "\n").lines() {
        let line: String = line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect();
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out.trim_matches('\n').to_owned()
}

/// Addresses of the web in a text become links; nothing else does.
pub fn linked(text: &str) -> Vec<TextPiece> {
    let mut pieces: Vec<TextPiece> = Vec::new();
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = ["http://", "https://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let after = &rest[at..];
        let end = after.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(after.len());
        let address = after[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '…']);
        words.push_str(&rest[..at]);
        if address.ends_with('/') && address.matches('/').count() == 2 {
            words.push_str(address); // a scheme and no more
        } else {
            if !words.is_empty() {
                pieces.push(TextPiece { text: std::mem::take(&mut words), link: false });
            }
            pieces.push(TextPiece { text: address.to_owned(), link: true });
        }
        rest = &after[address.len()..];
    }
    words.push_str(rest);
    if !words.is_empty() {
        pieces.push(TextPiece { text: words, link: false });
    }
    pieces
}

/// Octets as people say them.
fn in_words(octets: u64) -> String {
    match octets {
        0..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", octets.div_ceil(1_000)),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}

/// Whom the page names.
fn sender(message: &Message, shown: Sender) -> Option<String> {
    if shown == Sender::Hidden || message.traits.hide_sender {
        return None;
    }
    let named = message.mail.headers.first("From").and_then(|from| addresses(from).into_iter().next());
    let name = named.and_then(|mailbox| mailbox.name).map(|name| line(&name, LINE));
    // A number or an address in the place of a name is none.
    let is_name =
        |name: &String| name.chars().any(char::is_alphabetic) && !name.contains('@') && !name.contains("/TYPE=");
    let name = name.filter(is_name);
    match shown {
        Sender::Address => name.or_else(|| message.envelope.from.as_ref().map(|from| line(&from.to_string(), LINE))),
        _ => name,
    }
}

/// Where an answer goes.
fn reply(message: &Message, settings: &PagesSettings) -> Option<String> {
    let set = settings.reply_to.as_deref().and_then(Party::parse);
    let to = set.or_else(|| message.envelope.from.clone().filter(|_| !message.traits.hide_sender))?;
    match (to, settings.reply) {
        (_, Reply::None) => None,
        (Party::Mail(address), _) => {
            let subject = message.traits.subject.as_deref().unwrap_or_default();
            let subject = if subject.is_empty() {
                String::new()
            } else {
                format!("?subject={}", escaped(&format!("Re: {subject}")))
            };
            Some(format!("mailto:{}@{}{subject}", escaped(address.local()), address.domain()))
        }
        (Party::Phone(number), Reply::Sms) => Some(format!("sms:{number}")),
        (Party::Phone(number), Reply::Mms) => Some(format!("mms:{number}")),
        (Party::ShortCode(code), Reply::Sms | Reply::Mms) => Some(format!("sms:{code}")),
        _ => None,
    }
}

/// Percent-encoded (RFC 3986 2.1), for everything but unreserved characters.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(octet)),
            _ => out.push_str(&format!("%{octet:02X}")),
        }
    }
    out
}

/// The part of that number.
pub fn part(mail: &Mail<Span>, number: usize) -> Option<(&Entity<Span>, Span)> {
    let leaf = mail.root.leaves().into_iter().nth(number)?;
    Some((leaf, *leaf.content()?))
}
