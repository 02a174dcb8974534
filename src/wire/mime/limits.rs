//! Every maximum of this crate, by name (invariant I-4).
//!
//! What goes over one of these is a precise error where a whole message is judged ([`crate::MimeError`]), and is cut
//! off where something is only read to help (SMIL, reports).

/// Entities in one message, multiparts counted too.
pub const PARTS: usize = 1_000;
/// Multiparts inside one another.
pub const DEPTH: usize = 32;
/// Header fields of one entity.
pub const FIELDS: usize = 1_000;
/// Octets of one header field, name and folding included: room for a To with two thousand recipients.
pub const FIELD_LENGTH: usize = 128 * 1024;
/// Octets of one encoded header line without its CRLF (RFC 5322 2.1.1), and what a fold aims at.
pub const LINE_LENGTH: usize = 998;
/// Columns a header line is folded at (RFC 2047 2: at most 76 when it holds an encoded word).
pub const FOLD_AT: usize = 76;
/// Characters of a boundary (RFC 2046 5.1.1).
pub const BOUNDARY_LENGTH: usize = 70;
/// Octets of one encoded word that is read; RFC 2047 2 allows 75, mailers write longer ones.
pub const ENCODED_WORD: usize = 4 * 1024;
/// Mailboxes read out of one address field.
pub const MAILBOXES: usize = 5_000;
/// Octets of a SMIL presentation that are looked at.
pub const SMIL_LENGTH: usize = 256 * 1024;
/// Slides of a presentation; later ones are not read.
pub const SLIDES: usize = 500;
/// Media objects of one slide; later ones are not read.
pub const SLIDE_MEDIA: usize = 50;
/// Attributes of one SMIL or HTML element; later ones are not read.
pub const ATTRIBUTES: usize = 64;
/// Characters of a part's file name toward a phone.
pub const FILE_NAME: usize = 40;
/// Recipients of one delivery status notification.
pub const REPORT_RECIPIENTS: usize = 1_000;
/// Characters of a subject made from a message's first words.
pub const FIRST_WORDS: usize = 60;
/// Octets of a date in text that are looked at.
pub const DATE_LENGTH: usize = 128;
