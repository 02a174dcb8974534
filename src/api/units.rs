//! Quantities as people write them in a config file: `"30s"`, `"300KiB"`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time: `"250ms"`, `"30s"`, `"15m"`, `"2h"`, `"7d"`, or several together: `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// A number of octets: `"512B"`, `"300KiB"`, `"2MiB"`, `"1GiB"` (binary), `"300kB"`, `"2MB"` (decimal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const PERIOD_UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

impl Period {
    /// Whole seconds.
    pub const fn seconds(n: u64) -> Self {
        Period(Duration::from_secs(n))
    }

    /// Whole minutes.
    pub const fn minutes(n: u64) -> Self {
        Period(Duration::from_secs(n * 60))
    }

    /// Whole hours.
    pub const fn hours(n: u64) -> Self {
        Period(Duration::from_secs(n * 3600))
    }

    /// Whole days.
    pub const fn days(n: u64) -> Self {
        Period(Duration::from_secs(n * 86_400))
    }
}

impl ByteSize {
    /// Binary kilobytes.
    pub const fn kib(n: u64) -> Self {
        ByteSize(n << 10)
    }

    /// Binary megabytes.
    pub const fn mib(n: u64) -> Self {
        ByteSize(n << 20)
    }
}

/// A leading whole number and what follows it.
fn number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is not a span of time; write a whole number and a unit, such as \"30s\" (ms, s, m, h, d)"
            )
        };
        let (mut rest, mut total) = (text.trim(), 0u64);
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let (count, after) = number(rest).ok_or_else(wrong)?;
            let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit = PERIOD_UNITS.iter().find(|(name, _)| *name == &after[..letters]).ok_or_else(wrong)?;
            total = count.checked_mul(unit.1).and_then(|ms| total.checked_add(ms)).ok_or_else(wrong)?;
            rest = &after[letters..];
        }
        Ok(Period(Duration::from_millis(total)))
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is not a size; write a whole number and a unit, such as \"300KiB\" (B, KiB, MiB, GiB, kB, MB, GB)"
            )
        };
        let (count, unit) = number(text.trim()).ok_or_else(wrong)?;
        let unit = SIZE_UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
        count.checked_mul(unit.1).map(ByteSize).ok_or_else(wrong)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let largest =
            PERIOD_UNITS.iter().rev().find(|(_, unit)| ms != 0 && ms.is_multiple_of(*unit)).unwrap_or(&PERIOD_UNITS[1]);
        write!(f, "{}{}", ms / largest.1, largest.0)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = SIZE_UNITS[..4].iter().rev();
        let largest =
            binary.into_iter().find(|(_, unit)| self.0 != 0 && self.0.is_multiple_of(*unit)).unwrap_or(&SIZE_UNITS[0]);
        write!(f, "{}{}", self.0 / largest.1, largest.0)
    }
}

macro_rules! as_text {
    ($type:ty, $name:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $name, "pattern": $pattern })
            }
        }
    };
}

as_text!(Period, "duration", "^([0-9]+(ms|s|m|h|d))+$");
as_text!(ByteSize, "size", "^[0-9]+ ?(B|KiB|MiB|GiB|kB|MB|GB)$");
