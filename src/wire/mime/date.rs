//! Dates between seconds since 1970-01-01T00:00:00Z and text, without a clock.

use crate::limits;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970 began on a Thursday
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: u64 = 86_400;
/// Hours east of UTC of the zones that RFC 5322 4.3 names; every other name is UTC.
const ZONES: [(&str, i64); 8] =
    [("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7)];

/// An RFC 5322 3.3 date in UTC: `Thu, 09 Oct 2025 08:53:20 +0000`. What was before 1970 is shown as its beginning.
pub fn rfc5322(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let (year, month, day) = civil(seconds / DAY);
    let weekday = DAYS[(seconds / DAY % 7) as usize];
    let month = MONTHS[(month - 1) as usize % 12];
    let (hour, minute, second) = clock(seconds);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

/// An RFC 3339 date in UTC: `2025-10-09T08:53:20Z`. What was before 1970 is shown as its beginning.
pub fn rfc3339(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = clock(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Seconds since 1970 of an RFC 5322 date; also reads RFC 3339 dates and what JavaScript prints. `None` for anything
/// else and for dates before 1970.
pub fn parse(text: &str) -> Option<i64> {
    if text.len() > limits::DATE_LENGTH || !text.is_ascii() {
        return None;
    }
    let text = text.split('(').next().unwrap_or(text).trim();
    let (mut day, mut month, mut year, mut time, mut zone) = (None, None, None, None, 0);
    if let Some((date, rest)) = text.split_once('T').filter(|(date, _)| date.len() == 10) {
        let mut fields = date.splitn(3, '-').map(|field| field.parse::<u32>().ok());
        (year, month, day) = (fields.next()?, fields.next()?, fields.next()?);
        let end = rest.find(['Z', 'z', '+', '-', '.']).unwrap_or(rest.len());
        time = read_clock(&rest[..end]);
        let offset = rest[end..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
        zone = read_zone(&offset.replace(':', ""));
    } else {
        for word in text.split([' ', '\t', ',', '\r', '\n']).filter(|word| !word.is_empty()) {
            if word.contains(':') {
                time = time.or_else(|| read_clock(word));
            } else if let Ok(number) = word.parse::<u32>()
                && !word.starts_with(['+', '-'])
            {
                match (day, word.len()) {
                    (None, 1..=2) => day = Some(number),
                    _ => year = year.or(Some(full_year(number, word.len()))),
                }
            } else if let Some(at) =
                MONTHS.iter().position(|name| word.get(..3).is_some_and(|w| w.eq_ignore_ascii_case(name)))
            {
                month = month.or(Some(at as u32 + 1));
            } else if time.is_some() && zone == 0 {
                zone = read_zone(word.trim_start_matches("GMT"));
            }
        }
    }
    let seconds = days(year?, month?, day?)?.checked_mul(DAY as i64)?.checked_add(time?)?.checked_sub(zone)?;
    (seconds >= 0).then_some(seconds)
}

/// RFC 5322 4.3: years of two and three digits.
fn full_year(year: u32, digits: usize) -> u32 {
    match (digits, year) {
        (..=2, ..50) => 2000 + year,
        (..=3, _) => 1900 + year,
        _ => year,
    }
}

/// Seconds since midnight of `hh:mm` or `hh:mm:ss`.
fn read_clock(text: &str) -> Option<i64> {
    let mut fields = text.split(':').map(|field| field.parse::<i64>().ok());
    let (hour, minute) = (fields.next()??, fields.next()??);
    let second = fields.next().flatten().unwrap_or(0);
    let valid = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    valid.then_some(hour * 3600 + minute * 60 + second)
}

/// Seconds east of UTC of `+hhmm` or a name.
fn read_zone(text: &str) -> i64 {
    let named = ZONES.iter().find(|row| row.0.eq_ignore_ascii_case(text)).map_or(0, |row| row.1 * 3600);
    let Some(digits) = text.strip_prefix(['+', '-']).filter(|digits| digits.len() == 4) else { return named };
    let Ok(number) = digits.parse::<i64>() else { return named };
    let offset = number / 100 * 3600 + number % 100 * 60;
    if text.starts_with('-') { -offset } else { offset }
}

fn clock(seconds: u64) -> (u64, u64, u64) {
    (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a count of days since 1970, by 400-year eras that begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The inverse of [`civil`]; `None` for a month or day that no calendar has.
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 9999 {
        return None;
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}
