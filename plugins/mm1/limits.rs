//! The maxima of what is remembered of phones and read of their descriptions (I-8).

use std::time::Duration;

/// Longest content type that is remembered, in octets. The longest registered ones have half of it.
pub const MAX_MEDIA_TYPE: usize = 128;
/// Longest address of a profile that is asked for, in octets. Real ones have under 120.
pub const MAX_PROFILE_URL: usize = 512;

/// Profiles that are fetched at once.
pub const FETCHES: usize = 2;
/// Profiles that wait to be fetched; what comes above them is asked for again when its phone comes again.
pub const MAX_ASKED: usize = 64;
/// Phones that wait for one profile; others get it when they come again.
pub const MAX_ASKERS: usize = 32;
/// Profiles, and failures to get one, that are kept in memory.
pub const MAX_KEPT: usize = 1024;
/// How long a profile is kept: vendors correct them, and rarely.
pub const PROFILE_AGES: Duration = Duration::from_secs(7 * 86_400);
/// How long it is kept that there was none to be had. Most vendors' servers are gone for good.
pub const FAILURE_AGES: Duration = Duration::from_secs(6 * 3600);
/// Octets of a profile. Real ones have 5 to 40 KiB.
pub const MAX_PROFILE: usize = 256 << 10;
/// Redirects on the way to one: many old addresses lead to https by now.
pub const MAX_REDIRECTS: usize = 3;
/// How long a connection to a vendor's server may take.
pub const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a profile may take as a whole.
pub const FETCH_TIME: Duration = Duration::from_secs(15);

/// Levels of elements in a profile. Real ones have eight.
pub const MAX_DEPTH: usize = 32;
/// Tags and pieces of text in a profile. Real ones have some thousand.
pub const MAX_NODES: usize = 32_768;
/// Attributes of one element that are looked at.
pub const MAX_ATTRIBUTES: usize = 64;
/// Octets of one value in a profile; what is behind them is cut off.
pub const MAX_VALUE: usize = 8 << 10;
/// Octets of a vendor's or a model's name.
pub const MAX_NAME: usize = 64;
/// Most pixels in one direction that are believed.
pub const MAX_PIXELS: u32 = 65_535;
/// Smallest MmsMaxMessageSize that is believed, in octets. The smallest class of content has 30 KB (OMA-TS-MMS_CONF);
/// profiles that state less count in KB, or wrong.
pub const MIN_MESSAGE: u64 = 10 << 10;
