//! Times: TP-SCTS and TP-DT (TS 23.040 9.2.3.11, 9.2.3.13), TP-VP (9.2.3.12).

use std::fmt;
use std::time::Duration;

/// A time of the service centre: year, month, day, hour, minute, second and zone, each two digits with the halves of the
/// octet exchanged. Kept as it came: centres send dates that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceTime(pub [u8; 7]);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// Seconds of the quarters of an hour in which zones are counted.
const QUARTER: i64 = 900;
/// The sign of a zone, in an octet whose halves are exchanged.
const WEST: u8 = 0b0000_1000;

impl ServiceTime {
    /// A moment in seconds since 1970-01-01T00:00:00Z, in universal time. `None` outside the years 2000 to 2099, which are
    /// all that two digits can say.
    pub fn of_seconds(seconds: i64) -> Option<Self> {
        let (days, rest) = (seconds.div_euclid(DAY as i64), seconds.rem_euclid(DAY as i64));
        let (year, month, day) = civil(days);
        let year = u8::try_from(year.checked_sub(2000)?).ok().filter(|year| *year < 100)?;
        let clock = [rest / HOUR as i64, rest / MINUTE as i64 % 60, rest % 60].map(|part| part as u8); // below 60
        let digits = [year, month, day, clock[0], clock[1], clock[2], 0];
        Some(ServiceTime(digits.map(|number| (number / 10) | ((number % 10) << 4))))
    }

    /// In seconds since 1970-01-01T00:00:00Z; `None` when it is no date.
    pub fn seconds(self) -> Option<i64> {
        let [year, month, day, hour, minute, second] = [0, 1, 2, 3, 4, 5].map(|at| two_digits(self.0[at]));
        let (month, day) = (month.filter(|m| (1..=12).contains(m))?, day.filter(|d| *d >= 1)?);
        let date = days(2000 + year?, month, day);
        if civil(date) != (2000 + year?, month as u8, day as u8) {
            return None;
        }
        let clock = hour.filter(|h| *h < 24)? * 3600 + minute.filter(|m| *m < 60)? * 60 + second.filter(|s| *s < 60)?;
        let quarters = two_digits(self.0[6] & !WEST)?;
        let zone = if self.0[6] & WEST == 0 { quarters * QUARTER } else { -quarters * QUARTER };
        Some(date * DAY as i64 + clock - zone)
    }
}

/// `2025-10-09 08:53:20 +00:00`, whatever the digits are.
impl fmt::Display for ServiceTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, day, hour, minute, second, zone] =
            self.0.map(|octet| format!("{:X}{:X}", octet & 0x0F, octet >> 4));
        write!(f, "20{year}-{month}-{day} {hour}:{minute}:{second} ")?;
        match two_digits(self.0[6] & !WEST) {
            Some(quarters) => {
                let sign = if self.0[6] & WEST == 0 { '+' } else { '-' };
                write!(f, "{sign}{:02}:{:02}", quarters / 4, quarters % 4 * 15)
            }
            None => write!(f, "zone {zone}"),
        }
    }
}

/// An octet of two decimal digits with its halves exchanged.
fn two_digits(octet: u8) -> Option<i64> {
    let (tens, units) = (octet & 0x0F, octet >> 4);
    (tens < 10 && units < 10).then_some(i64::from(tens * 10 + units))
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, counted in eras of 400 years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = year.rem_euclid(400) * 365 + year.rem_euclid(400) / 4 - year.rem_euclid(400) / 100 + of_year;
    year.div_euclid(400) * 146_097 + of_era - 719_468
}

/// Year, month and day of a day since 1970-01-01.
fn civil(days: i64) -> (i64, u8, u8) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + of_era_year + i64::from(month <= 2);
    (year, month as u8, day as u8) // 1 to 12, 1 to 31
}

/// How long the service centre shall try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Validity {
    /// As long as the centre likes.
    Unsaid,
    /// From its arrival at the centre, in steps of five minutes up to a week.
    Relative(u8),
    /// Until then.
    Absolute(ServiceTime),
    /// The enhanced form, kept as it came (9.2.3.12.3).
    Enhanced([u8; 7]),
}

impl Validity {
    /// The shortest relative validity that is at least so long: five minutes to 63 weeks.
    pub fn at_least(span: Duration) -> Self {
        let seconds = span.as_secs().max(1);
        let code = match seconds {
            ..=43_200 => seconds.div_ceil(5 * MINUTE) - 1,
            43_201..=86_400 => 143 + (seconds - 12 * HOUR).div_ceil(30 * MINUTE),
            86_401..=2_592_000 => 166 + seconds.div_ceil(DAY),
            _ => 192 + seconds.div_ceil(WEEK),
        };
        Validity::Relative(u8::try_from(code).unwrap_or(u8::MAX))
    }

    /// How long from the arrival at the centre; `None` for the other forms.
    pub fn span(self) -> Option<Duration> {
        let Validity::Relative(code) = self else { return None };
        let code_wide = u64::from(code);
        Some(Duration::from_secs(match code {
            0..=143 => (code_wide + 1) * 5 * MINUTE,
            144..=167 => 12 * HOUR + (code_wide - 143) * 30 * MINUTE,
            168..=196 => (code_wide - 166) * DAY,
            197..=255 => (code_wide - 192) * WEEK,
        }))
    }

    /// TP-VPF (9.2.3.3), in its place.
    pub(super) fn format(self) -> u8 {
        match self {
            Validity::Unsaid => 0b0000_0000,
            Validity::Enhanced(_) => 0b0000_1000,
            Validity::Relative(_) => 0b0001_0000,
            Validity::Absolute(_) => 0b0001_1000,
        }
    }
}
