//! SMIL to the letter: one root-layout, regions named exactly `Image` and `Text`, one `par` per slide.

use crate::smil::{Media, MediaKind, Slide};

/// The layout phones have been given since the first ones: the picture above, its text below. Sizes are a hint; the
/// profile lets a phone lay out as it likes.
const HEAD: &str = concat!(
    "<smil><head><layout>",
    "<root-layout width=\"320\" height=\"480\"/>",
    "<region id=\"Image\" left=\"0\" top=\"0\" width=\"320\" height=\"320\" fit=\"meet\"/>",
    "<region id=\"Text\" left=\"0\" top=\"320\" width=\"320\" height=\"160\" fit=\"scroll\"/>",
    "</layout></head><body>\r\n"
);

/// A presentation of these slides. Regions come from the kind of media (pictures and videos `Image`, text `Text`),
/// whatever the slides say; a slide without a duration leaves it to the phone.
pub fn generate(slides: &[Slide]) -> String {
    let mut out = String::from(HEAD);
    for slide in slides {
        match slide.duration {
            Some(millis) => out.push_str(&format!("<par dur=\"{millis}ms\">")),
            None => out.push_str("<par>"),
        }
        slide.media.iter().for_each(|media| element(&mut out, media));
        out.push_str("</par>\r\n");
    }
    out.push_str("</body></smil>");
    out
}

fn element(out: &mut String, media: &Media) {
    let (name, region) = match media.kind {
        MediaKind::Image => ("img", Some("Image")),
        MediaKind::Video => ("video", Some("Image")),
        MediaKind::Text => ("text", Some("Text")),
        MediaKind::Audio => ("audio", None),
        MediaKind::Reference => ("ref", None),
    };
    out.push_str(&format!("<{name} src=\"{}\"", escape(&media.src)));
    if let Some(region) = region {
        out.push_str(&format!(" region=\"{region}\""));
    }
    out.push_str("/>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
