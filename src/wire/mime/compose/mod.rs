//! From mail to MMS and back: what is taken over, in which order, under which names.
//!
//! Sans-I/O (I-12) and generic over what a body is: a plan is made from the tree alone and says which texts it has to
//! read; the caller reads those, and only those; `finish` gives the new tree, whose leaves are either bodies of the
//! old one, untouched (I-6), or octets made here.
//!
//! ```
//! use bytes::Bytes;
//! use packetboat_mime::{compose, parse};
//! let mail = parse(&Bytes::from_static(b"Subject: hi\r\n\r\nSee you at eight.\r\n")).unwrap();
//! let plan = compose::plan(&mail, &compose::Options::default());
//! let texts: Vec<Bytes> = plan.needs().into_iter().cloned().collect();
//! let mms = plan.finish(texts);
//! assert_eq!(mms.media.essence(), "multipart/related");
//! ```

mod fields;
mod from_mms;
mod names;
mod plan;
mod select;
mod text;

use bytes::Bytes;

use crate::Length;

pub use fields::{mail_fields, mms_fields, subject};
pub use from_mms::{MailOptions, MailPlan, mail_from_mms};
pub use plan::{Plan, plan};

/// A leaf of what was composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<B> {
    /// A body of the message composed from, as it is.
    Kept(B),
    /// Octets made here: a presentation, a text.
    Made(Bytes),
}

impl<B: Length> Length for Piece<B> {
    fn length(&self) -> u64 {
        match self {
            Piece::Kept(body) => body.length(),
            Piece::Made(octets) => octets.length(),
        }
    }
}

/// How a mail becomes an MMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Leave out quoted history, signatures, "Sent from my …" and disclaimers. Default: true.
    pub strip_history: bool,
    /// Write a presentation and multipart/related; without it the parts go in multipart/mixed, which some phones
    /// show inline more reliably. Default: true.
    pub presentation: bool,
    /// Keep a message that came from an MMS (it has a SMIL part, or X-Mms-* fields) as it is. Default: true.
    pub pass_through: bool,
    /// Write vCards and calendars as `text/x-vCard` and `text/x-vCalendar`, without which Android shows an empty
    /// message. Default: true.
    pub rewrite_cards: bool,
    /// Keep attachments of other types (documents, archives). Left out ones are listed. Default: true.
    pub keep_other: bool,
    /// How long a slide is shown, in milliseconds. Default: 5000.
    pub slide_duration: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            strip_history: true,
            presentation: true,
            pass_through: true,
            rewrite_cards: true,
            keep_other: true,
            slide_duration: 5_000,
        }
    }
}

/// A part of the mail that does not become part of the MMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its file name, or its type when it has none.
    pub name: String,
    /// The reason.
    pub why: Why,
}

/// Why a part is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The same part is there already.
    #[error("it is there twice")]
    Duplicate,
    /// A cryptographic signature or key, winmail.dat, a report's machine-readable part: nothing a person sees.
    #[error("it says nothing to a person")]
    Machinery,
    /// A picture of a few octets: a spacer or a tracking pixel.
    #[error("it is an invisible picture")]
    Spacer,
    /// An attached message.
    #[error("a message inside the message")]
    Message,
    /// A type [`Options::keep_other`] leaves out.
    #[error("phones cannot show it")]
    Other,
}
