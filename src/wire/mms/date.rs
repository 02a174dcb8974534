//! Dates as PDUs count them, in unsigned seconds since 1970, and text.

use packetboat_mime::date;

/// As [`date::rfc5322`].
pub fn rfc5322(seconds: u64) -> String {
    date::rfc5322(signed(seconds))
}

/// As [`date::rfc3339`].
pub fn rfc3339(seconds: u64) -> String {
    date::rfc3339(signed(seconds))
}

/// As [`date::parse`].
pub fn parse(text: &str) -> Option<u64> {
    date::parse(text).and_then(|seconds| u64::try_from(seconds).ok())
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
