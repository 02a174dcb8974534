//! SMIL as phones write it: quotes missing, ampersands bare, case at will.

use crate::limits::{SLIDE_MEDIA, SLIDES, SMIL_LENGTH};
use crate::markup::{Tag, Token, next_token};
use crate::smil::{Media, MediaKind, Slide};

/// The slides of a presentation in order. A media object outside any `par` is a slide of its own. Only the first
/// [`SMIL_LENGTH`] octets are looked at.
pub fn parse(text: &str) -> Vec<Slide> {
    let mut end = text.len().min(SMIL_LENGTH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut slides: Vec<Slide> = Vec::new();
    let mut in_par = false;
    let mut rest = &text[..end];
    while let Some((token, after)) = next_token(rest) {
        rest = after;
        let Token::Tag(tag) = token else { continue };
        match (tag.name.as_str(), tag.closes) {
            ("par", true) => in_par = false,
            ("par", false) if slides.len() < SLIDES => {
                slides.push(Slide { duration: tag.attribute("dur").as_deref().and_then(duration), media: Vec::new() });
                in_par = !tag.empty;
            }
            ("par", false) => break,
            (_, false) => {
                if let Some(media) = media(&tag) {
                    place(&mut slides, in_par, media);
                }
            }
            _ => {}
        }
    }
    slides
}

fn place(slides: &mut Vec<Slide>, in_par: bool, media: Media) {
    if !in_par {
        if slides.len() < SLIDES {
            slides.push(Slide { duration: None, media: vec![media] });
        }
    } else if let Some(slide) = slides.last_mut()
        && slide.media.len() < SLIDE_MEDIA
    {
        slide.media.push(media);
    }
}

fn media(tag: &Tag<'_>) -> Option<Media> {
    let kind = match tag.name.as_str() {
        "img" | "image" => MediaKind::Image,
        "text" => MediaKind::Text,
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        "ref" | "animation" | "textstream" => MediaKind::Reference,
        _ => return None,
    };
    Some(Media { kind, src: tag.attribute("src")?, region: tag.attribute("region") })
}

/// A clock value (SMIL 2.0, 10.3.1) in milliseconds: `5s`, `5000ms`, `5`, `1.5s`, `00:05`.
fn duration(text: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    if text.contains(':') {
        let seconds = text.split(':').try_fold(0f64, |sum, part| Some(sum * 60.0 + number(part)?))?;
        return millis(seconds * 1000.0);
    }
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let unit = match text[split..].trim() {
        "ms" => 1.0,
        "" | "s" => 1000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return None,
    };
    millis(number(&text[..split])? * unit)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}

fn millis(value: f64) -> Option<u32> {
    (value <= f64::from(u32::MAX)).then_some(value.round() as u32)
}
