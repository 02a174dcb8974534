//! The maxima of this plugin (I-8).

/// Profiles in the directory.
pub const PROFILES: usize = 1000;

/// Octets of one profile's file.
pub const PROFILE_SIZE: u64 = 64 << 10;

/// Digits of a PIN: as many as phones let people type.
pub const PIN: std::ops::RangeInclusive<usize> = 3..=10;
