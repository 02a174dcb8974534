//! The maxima of this crate (I-4).

/// Header fields read from one push, the Content-Type not counted. Real ones have at most six.
pub const MAX_FIELDS: usize = 64;

/// Short messages that one analysis takes: as many as one concatenated message can have, with room for copies.
pub const MAX_MESSAGES: usize = 512;

/// Levels of elements in a WBXML document. Real ones have four.
pub const MAX_DEPTH: usize = 16;

/// Elements, attributes and pieces of text in a WBXML document. Settings of a phone have some hundred.
pub const MAX_NODES: usize = 4096;

/// Octets of one XML document. Real ones have some kilobytes.
pub const MAX_XML: usize = 256 * 1024;

/// Octets of text in a WBXML document, what its string table is repeated for included.
pub const MAX_TEXT: usize = 1024 * 1024;

/// Characters of a text that an error quotes.
pub const MAX_QUOTED: usize = 64;
