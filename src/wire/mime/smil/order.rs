//! Parts in the order a presentation shows them.

use std::collections::HashMap;

use bytes::Bytes;

use crate::Entity;
use crate::charset::decode_text;
use crate::smil::{Slide, is_smil, parse};
use crate::transfer::hex_octet;

/// The leaves of a message in presentation order: those its SMIL part names, in its order, then the others in
/// theirs. The SMIL part itself is not among them. Without SMIL: document order.
pub fn order(root: &Entity<Bytes>) -> Vec<&Entity<Bytes>> {
    let smil = root.leaves().into_iter().find(|leaf| is_smil(leaf.media.essence())).and_then(Entity::content);
    arrange(root, &smil.map(|body| parse(&decode_text(body, ""))).unwrap_or_default())
}

/// [`order`] for bodies that are not at hand: the slides were read before.
pub fn arrange<'a, B>(root: &'a Entity<B>, slides: &[Slide]) -> Vec<&'a Entity<B>> {
    let Slides { mut shown, others } = group(root, slides);
    shown.push(others);
    shown.concat()
}

/// The parts of a message by slide.
#[derive(Clone, Debug)]
pub struct Slides<'a, B> {
    /// The parts of each slide, in its order; none when what it names is not there or was shown before.
    pub shown: Vec<Vec<&'a Entity<B>>>,
    /// The parts that no slide names, in document order.
    pub others: Vec<&'a Entity<B>>,
}

/// [`arrange`] for who shows slide by slide. A part is shown once, where it is named first.
pub fn group<'a, B>(root: &'a Entity<B>, slides: &[Slide]) -> Slides<'a, B> {
    let leaves: Vec<_> = root.leaves().into_iter().filter(|leaf| !is_smil(leaf.media.essence())).collect();
    let index = index(&leaves);
    let mut taken = vec![false; leaves.len()];
    let mut shown = Vec::with_capacity(slides.len());
    for slide in slides {
        let mut found = Vec::with_capacity(slide.media.len());
        for media in &slide.media {
            let key = key(&media.src);
            let at = index.get(&key).or_else(|| index.get(stem(&key)));
            if let Some(&at) = at
                && !std::mem::replace(&mut taken[at], true)
            {
                found.push(leaves[at]);
            }
        }
        shown.push(found);
    }
    let others = leaves.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(leaf, _)| *leaf).collect();
    Slides { shown, others }
}

/// One way a part is named.
type NameOf<B> = fn(&Entity<B>) -> Option<&str>;

/// What each leaf may be called by; better names win over worse ones, earlier leaves over later ones.
fn index<B>(leaves: &[&Entity<B>]) -> HashMap<String, usize> {
    let mut index = HashMap::new();
    let names: [NameOf<B>; 4] = [
        |leaf| leaf.content_id.as_deref(),
        |leaf| leaf.location.as_deref(),
        |leaf| leaf.media.param("name"),
        |leaf| leaf.disposition.as_ref().and_then(|disposition| disposition.filename.as_deref()),
    ];
    for name in names {
        for (at, leaf) in leaves.iter().enumerate() {
            name(leaf).map(|name| index.entry(key(name)).or_insert(at));
        }
    }
    // Last resort: phones that write `photo.jpg` here and `<photo>` there.
    for (at, leaf) in leaves.iter().enumerate() {
        for name in names.iter().filter_map(|name| name(leaf)) {
            index.entry(stem(&key(name)).to_owned()).or_insert(at);
        }
    }
    index
}

/// A reference reduced to what must agree: no scheme, no brackets, no percent signs, no case.
fn key(reference: &str) -> String {
    let text = reference.trim();
    let text = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("cid:") => &text[4..],
        _ => text,
    };
    let text = text.trim_matches(|c: char| c.is_whitespace() || "<>\"'".contains(c)).trim_start_matches("./");
    let (mut octets, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(&byte) = text.as_bytes().get(at) {
        match text.as_bytes().get(at + 1..at + 3).and_then(hex_octet) {
            Some(octet) if byte == b'%' => {
                octets.push(octet);
                at += 3;
            }
            _ => {
                octets.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&octets).to_lowercase()
}

fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 4 => stem,
        _ => name,
    }
}
