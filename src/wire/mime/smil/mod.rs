//! Presentations: the MMS SMIL profile (OMA MMS Conformance Document 8).
//!
//! Read leniently and only as far as ordering parts needs it; written to the letter, in the one layout every phone
//! renders. Markup that cannot be understood gives no slides, never an error: the parts are then shown in their own
//! order (I-5).

mod order;
mod read;
mod write;

pub use order::{Slides, arrange, group, order};
pub use read::parse;
pub use write::generate;

/// One `par`: what is shown and heard at the same time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slide {
    /// `dur` in milliseconds; `None` when absent or indefinite.
    pub duration: Option<u32>,
    /// Its media objects in document order.
    pub media: Vec<Media>,
}

/// A reference to a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The element.
    pub kind: MediaKind,
    /// `src` with character references resolved: `cid:` and a Content-ID, or a Content-Location.
    pub src: String,
    /// `region`, when there was one.
    pub region: Option<String>,
}

/// The media elements of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// `img`
    Image,
    /// `text`
    Text,
    /// `audio`
    Audio,
    /// `video`
    Video,
    /// `ref` and what is like it (`animation`, `textstream`).
    Reference,
}

/// The type of a presentation part.
pub const MEDIA_TYPE: &str = "application/smil";

/// Whether a part is a presentation, under any of the names in use.
pub fn is_smil(essence: &str) -> bool {
    matches!(essence, "application/smil" | "application/smil+xml" | "text/smil")
}
