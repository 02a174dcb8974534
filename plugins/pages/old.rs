//! The message for phones of the first years of this century: small pages, one after the other, that a gateway compiles and a
//! phone with a few kilobytes of memory can hold.

use serde::Serialize;

use crate::asker::Markup;
use crate::limits::{DECK, DECKS, MOBILE_PAGE};
use crate::view::{Item, View};
use crate::words::Words;

/// One thing on a small page. Addresses are relative to the message's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(missing_docs, reason = "the fields say it")]
pub enum Block {
    /// A paragraph.
    Text { text: String },
    /// A picture, which may lead to its original.
    Picture { src: String, alt: String, href: String },
    /// A link.
    Link { href: String, text: String },
}

impl Block {
    /// Octets it makes of a page, roughly.
    fn weight(&self) -> usize {
        const ELEMENT: usize = 24;
        ELEMENT
            + match self {
                Block::Text { text } => escaped_length(text),
                Block::Picture { src, alt, href } => src.len() + href.len() + escaped_length(alt),
                Block::Link { href, text } => href.len() + escaped_length(text),
            }
    }
}

/// Octets of a text once it is escaped.
fn escaped_length(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '<' | '>' | '&' | '"' | '\'' => 6,
            '$' => 2,
            c => c.len_utf8(),
        })
        .sum()
}

/// The pages of a message. There is always one.
pub fn pages(view: &View, words: &Words, markup: Markup, keep: bool, until: &str) -> Vec<Vec<Block>> {
    let most = if markup == Markup::Wml { DECK } else { MOBILE_PAGE };
    let mut pages = vec![Vec::new()];
    let mut room = most;
    for block in blocks(view, words, keep, until).into_iter().flat_map(|block| cut(block, most / 2)) {
        let weight = block.weight();
        if weight > room && pages.last().is_some_and(|page| !page.is_empty()) {
            if pages.len() == DECKS {
                break;
            }
            pages.push(Vec::new());
            room = most;
        }
        room = room.saturating_sub(weight);
        pages.last_mut().into_iter().for_each(|page| page.push(block.clone()));
    }
    pages
}

fn blocks(view: &View, words: &Words, keep: bool, until: &str) -> Vec<Block> {
    let text = |text: String| Block::Text { text };
    let link = |part: &usize, text: String| Block::Link { href: format!("{part}"), text };
    let save = |part: &usize, text: String| match keep {
        true => Block::Link { href: format!("{part}/save"), text },
        false => Block::Text { text },
    };
    let mut blocks = Vec::new();
    if !view.sender.is_empty() {
        blocks.push(text(words.from.replace("{name}", &view.sender)));
    }
    for item in view.slides.iter().flatten() {
        match item {
            Item::Text { pieces, whole } => {
                let all: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
                blocks.extend(all.split('\n').filter(|line| !line.trim().is_empty()).map(|line| text(line.to_owned())));
                blocks.extend(whole.iter().filter(|_| keep).map(|part| link(part, words.whole_text.clone())));
            }
            Item::Picture { part, number, .. } => blocks.push(Block::Picture {
                src: format!("{part}/120"),
                alt: words.picture.replace("{n}", &number.to_string()).replace("{all}", &view.pictures.to_string()),
                // An original of today is more than such a phone can hold.
                href: if keep { format!("{part}/640") } else { String::new() },
            }),
            Item::Audio { part, name, size } | Item::Video { part, name, size } => {
                blocks.push(link(part, format!("{name} ({size})")));
            }
            Item::Contact { part, contact } => {
                blocks.push(text(contact.name.clone()));
                blocks.extend(contact.lines.iter().map(|line| text(line.text.clone())));
                if keep {
                    blocks.push(save(part, words.save_contact.clone()));
                }
            }
            Item::File { part, name, size, .. } => blocks.push(save(part, format!("{name} ({size})"))),
        }
    }
    if !view.reply.is_empty() {
        blocks.push(Block::Link { href: view.reply.clone(), text: words.reply.clone() });
    }
    blocks.push(text(words.until.replace("{date}", until)));
    blocks
}

/// A text longer than half a page, in pieces that end where a word does.
fn cut(block: Block, most: usize) -> Vec<Block> {
    let Block::Text { text } = block else { return vec![block] };
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut weight = 0;
    for word in text.split_inclusive(' ') {
        for c in word.chars() {
            let more = escaped_length(c.encode_utf8(&mut [0; 4]));
            if weight + more > most {
                pieces.push(std::mem::take(&mut piece));
                weight = 0;
            }
            piece.push(c);
            weight += more;
        }
        // A long word may be cut anywhere; between words there is room for the next one or a new piece.
        if weight > most * 9 / 10 {
            pieces.push(std::mem::take(&mut piece));
            weight = 0;
        }
    }
    pieces.push(piece);
    pieces.into_iter().filter(|text| !text.trim().is_empty()).map(|text| Block::Text { text }).collect()
}
