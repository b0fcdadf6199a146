//! Days and instants.

use jiff::civil;
use jiff::fmt::strtime::{self, BrokenDownTime};

use super::{Notation, Reading, trimmed};

const DAY_MICROS: i64 = 86_400_000_000;

/// Days since 1970-01-01. Declared columns also take a timestamp at midnight.
pub(crate) fn date(text: &[u8], notation: &Notation, reading: Reading) -> Option<i32> {
    let text = trimmed(text, reading);
    if let Some(format) = &notation.date_format {
        return days(BrokenDownTime::parse(format, text).ok()?.to_date().ok()?);
    }
    if text.len() == 10 || reading == Reading::Inferred {
        return iso_date(text);
    }
    let (micros, zoned) = timestamp(text, notation, reading)?;
    (!zoned && micros.rem_euclid(DAY_MICROS) == 0)
        .then(|| i32::try_from(micros.div_euclid(DAY_MICROS)).ok())?
}

/// Microseconds since 1970-01-01T00:00:00Z, and whether the text says its offset
/// from UTC; one that does not is taken as UTC. Digits beyond microseconds are
/// cut off; a date alone is its midnight.
pub(crate) fn timestamp(text: &[u8], notation: &Notation, reading: Reading) -> Option<(i64, bool)> {
    let text = trimmed(text, reading);
    if let Some(format) = &notation.timestamp_format {
        let parsed = BrokenDownTime::parse(format, text).ok()?;
        let at = parsed.to_datetime().ok()?;
        let micros = days_in_micros(days(at.date())?)?
            + i64::from(at.hour()) * 3_600_000_000
            + i64::from(at.minute()) * 60_000_000
            + i64::from(at.second()) * 1_000_000
            + i64::from(at.subsec_nanosecond()) / 1000;
        return Some(match parsed.offset() {
            Some(offset) => (micros - i64::from(offset.seconds()) * 1_000_000, true),
            None => (micros, false),
        });
    }
    let (day, rest) = text.split_at_checked(10)?;
    let midnight = days_in_micros(iso_date(day)?)?;
    match rest.split_first() {
        None => Some((midnight, false)),
        Some((b'T' | b't' | b' ', clock)) => {
            let (micros, rest) = iso_clock(clock)?;
            let offset = iso_offset(rest)?;
            Some((midnight + micros - offset.unwrap_or(0), offset.is_some()))
        }
        Some(_) => None,
    }
}

/// A form of dates or timestamps that can be written and read back.
pub(crate) fn format_is_sound(format: &str, with_clock: bool) -> bool {
    let at = civil::date(2025, 9, 11).at(11, 15, 7, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let Ok(at) = at else { return false };
    let Ok(text) = strtime::format(format, &at) else { return false };
    BrokenDownTime::parse(format, &text).is_ok_and(|parsed| {
        if with_clock { parsed.to_datetime().is_ok() } else { parsed.to_date().is_ok() }
    })
}

fn days(date: civil::Date) -> Option<i32> {
    days_from_civil(
        i32::from(date.year()),
        u32::try_from(date.month()).ok()?,
        u32::try_from(date.day()).ok()?,
    )
}

fn days_in_micros(days: i32) -> Option<i64> {
    i64::from(days).checked_mul(DAY_MICROS)
}

/// `YYYY-MM-DD`.
fn iso_date(text: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    days_from_civil(i32::try_from(year).ok()?, two(m1, m2)?, two(d1, d2)?)
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff...`, and what follows.
fn iso_clock(text: &[u8]) -> Option<(i64, &[u8])> {
    let (&[h1, h2, b':', m1, m2], mut rest) = text.split_first_chunk::<5>()? else {
        return None;
    };
    let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
    let (mut second, mut micros) = (0, 0);
    if let Some((&[b':', s1, s2], after)) = rest.split_first_chunk::<3>() {
        second = two(s1, s2)?;
        rest = after;
        if let Some((b'.' | b',', after)) = rest.split_first() {
            let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            let (fraction, after) = after.split_at(digits);
            for place in 0..6 {
                let digit = fraction.get(place).map_or(0, |byte| byte - b'0');
                micros = micros * 10 + i64::from(digit);
            }
            rest = after;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some((seconds * 1_000_000 + micros, rest))
}

/// `Z`, `+02:00`, `+0200` or `+02` in microseconds; `Some(None)` for nothing.
#[expect(clippy::option_option, reason = "malformed, absent and present are three things")]
fn iso_offset(text: &[u8]) -> Option<Option<i64>> {
    let (sign, rest) = match text.split_first() {
        None => return Some(None),
        Some((b'Z' | b'z', [])) => return Some(Some(0)),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        Some(_) => return None,
    };
    let (hours, minutes) = match *rest {
        [h1, h2] => (two(h1, h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(h1, h2)?, two(m1, m2)?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(Some(sign * i64::from(hours * 3600 + minutes * 60) * 1_000_000))
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, years 1 to 9999
/// (Howard Hinnant, *chrono-compatible low-level date algorithms*).
fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=9999).contains(&year) || day == 0 || day > days_in_month(year, month)? {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let month = i32::try_from((month + 9) % 12).ok()?;
    let of_year = (153 * month + 2) / 5 + i32::try_from(day).ok()? - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn days_in_month(year: i32, month: u32) -> Option<u32> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_agree_with_the_calendar_of_jiff() {
        let start = civil::date(1970, 1, 1);
        for days_on in (-719_162..=2_932_896).step_by(97) {
            let date = start.checked_add(jiff::Span::new().days(days_on)).unwrap();
            let text = date.to_string();
            let read = iso_date(text.as_bytes()).map(i64::from);
            assert_eq!(read, Some(days_on), "{text}");
        }
    }

    #[test]
    fn instants_are_read_in_their_iso_forms() {
        let day = 20_342 * DAY_MICROS;
        let clock = ((11 * 60 + 15) * 60 + 7) * 1_000_000;
        for (text, value) in [
            ("2025-09-11 11:15:07.497", Some((day + clock + 497_000, false))),
            ("2025-09-11T11:15:07", Some((day + clock, false))),
            ("2025-09-11T11:15:07.1234567Z", Some((day + clock + 123_456, true))),
            ("2025-09-11T11:15:07+02:00", Some((day + clock - 7_200_000_000, true))),
            ("2025-09-11T11:15:07-0130", Some((day + clock + 5_400_000_000, true))),
            ("2025-09-11 11:15", Some((day + clock - 7_000_000, false))),
            ("2025-09-11", Some((day, false))),
            ("2025-09-31 00:00:00", None),
            ("2025-09-11 24:00:00", None),
            ("2025-09-11 11:15:60", None),
            ("2025-09-11 11:15:07.", None),
            ("2025-09-11 11:15:07 ", None),
            ("2025-09-11 11:15:07+2", None),
            ("0000-01-01", None),
            ("11.09.2025", None),
            ("", None),
        ] {
            let read = timestamp(text.as_bytes(), &Notation::default(), Reading::Inferred);
            assert_eq!(read, value, "{text}");
        }
    }

    #[test]
    fn dates_are_days_and_declared_ones_may_show_midnight() {
        let plain = Notation::default();
        assert_eq!(date(b"2025-09-11", &plain, Reading::Inferred), Some(20_342));
        assert_eq!(date(b"2025-09-11 00:00:00", &plain, Reading::Inferred), None);
        assert_eq!(date(b"2025-09-11 00:00:00", &plain, Reading::Declared), Some(20_342));
        assert_eq!(date(b"2025-09-11 00:00:01", &plain, Reading::Declared), None);
        assert_eq!(date(b"2024-02-29", &plain, Reading::Inferred), Some(19_782));
        assert_eq!(date(b"2023-02-29", &plain, Reading::Inferred), None);
    }

    #[test]
    fn other_forms_are_read_by_their_format() {
        let german = Notation {
            date_format: Some("%d.%m.%Y".to_owned()),
            timestamp_format: Some("%d.%m.%Y %H:%M:%S".to_owned()),
            ..Notation::default()
        };
        assert_eq!(date(b"11.09.2025", &german, Reading::Inferred), Some(20_342));
        assert_eq!(date(b"2025-09-11", &german, Reading::Inferred), None);
        assert_eq!(
            timestamp(b"11.09.2025 00:00:07", &german, Reading::Inferred),
            Some((20_342 * DAY_MICROS + 7_000_000, false))
        );
        assert!(format_is_sound("%d.%m.%Y", false));
        assert!(format_is_sound("%Y-%m-%dT%H:%M:%S%z", true));
        assert!(!format_is_sound("%Q!", false));
        assert!(!format_is_sound("%H:%M", false));
        assert!(!format_is_sound("plain", true));
    }
}
