//! The maxima of this crate (I-4).

/// Header fields read from one push, the Content-Type not counted. Real ones have at most six.
pub const MAX_FIELDS: usize = 64;

/// Short messages that one analysis takes: as many as one concatenated message can have, with room for copies.
pub const MAX_MESSAGES: usize = 512;
