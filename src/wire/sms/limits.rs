//! The maxima of this crate (I-4). None is a setting: each follows from TS 23.040.

/// Octets of user data in one short message of 8-bit data (TS 23.040 9.2.3.24: TP-UD holds 140 octets). Emitted user
/// data never exceeds this.
pub const MAX_USER_DATA: usize = 140;

/// Octets of user data taken when reading: what the one-octet length fields of TP-UDL and of SMPP's `sm_length` can
/// say. Centres that carry more than 140 octets per message are rare but real.
pub const MAX_USER_DATA_READ: usize = 255;

/// Octets of one information element's data, as its one-octet length can say. Less fits a whole header.
pub const MAX_ELEMENT_DATA: usize = 255;

/// Octets of a header behind its length octet, as that octet can say.
pub const MAX_HEADER: usize = 255;

/// Information elements in one header: each takes two octets at least.
pub const MAX_ELEMENTS: usize = MAX_HEADER / 2;

/// Segments of one concatenated message: the total is one octet (TS 23.040 9.2.3.24.1).
pub const MAX_SEGMENTS: usize = 255;

/// Septets in one short message (TS 23.040 9.2.3.24).
pub const MAX_SEPTETS: usize = 160;

/// Semi-octets of an address: ten octets (TS 23.040 9.1.2.5).
pub const MAX_ADDRESS: usize = 20;

/// Octets of a TPDU that is read, with the centre's address before it. The longest that the specification makes is below
/// 180; the rest is for user data longer than it allows, as [`MAX_USER_DATA_READ`].
pub const MAX_TPDU: usize = 320;

/// Octets of a line of a modem. The longest that is of use is a TPDU of [`MAX_TPDU`] octets in hexadecimal.
pub const MAX_LINE: usize = 1024;
