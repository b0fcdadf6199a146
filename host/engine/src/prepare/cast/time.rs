//! Instants and days within what the service takes: 1753-01-01 to 9999-12-31
//! (*Behavior and format of the date and time column*).

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};

use super::Reason;

pub(super) const DAY_MICROS: i64 = 86_400_000_000;
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const SECOND_MICROS: i64 = 1_000_000;
/// 1753-01-01.
const FIRST_DAY: i32 = -79_257;
/// 9999-12-31.
const LAST_DAY: i32 = 2_932_896;

/// Whole seconds, checked.
pub(super) fn instant(micros: i64) -> Result<i64, Reason> {
    let day = micros.div_euclid(DAY_MICROS);
    if day < i64::from(FIRST_DAY) || day > i64::from(LAST_DAY) {
        let shown = micros_to_text(micros).unwrap_or_else(|| format!("{micros} us"));
        return Err(Reason::range(shown, "1753-01-01", "9999-12-31"));
    }
    Ok(micros.div_euclid(SECOND_MICROS) * SECOND_MICROS)
}

/// A day, checked.
pub(super) fn day(day: i32) -> Result<i32, Reason> {
    if (FIRST_DAY..=LAST_DAY).contains(&day) {
        return Ok(day);
    }
    let shown = micros_to_text(i64::from(day).saturating_mul(DAY_MICROS))
        .unwrap_or_else(|| format!("day {day}"));
    Err(Reason::range(shown, "1753-01-01", "9999-12-31"))
}

/// The day of an instant that has no time of day.
pub(super) fn whole_day(micros: i64) -> Result<i32, Reason> {
    let shown = || micros_to_text(micros).unwrap_or_else(|| format!("{micros} us"));
    if micros.rem_euclid(DAY_MICROS) != 0 {
        return Err(Reason::mismatch("a date without a time of day", shown()));
    }
    i32::try_from(micros / DAY_MICROS)
        .map_err(|_| Reason::range(shown(), "1753-01-01", "9999-12-31"))
}

/// Reads a date with or without time by `format` (`strftime`), or as ISO 8601
/// with blank or `T` between. Without a zone it is UTC. Microseconds since 1970.
pub(super) fn parse_instant(text: &str, format: Option<&str>) -> Result<i64, Reason> {
    if let Some(format) = format {
        let wrong = || Reason::mismatch(&format!("a date written as `{format}`"), text);
        let parts = jiff::fmt::strtime::parse(format, text).map_err(|_| wrong())?;
        if let Ok(instant) = parts.to_timestamp() {
            return Ok(instant.as_microsecond());
        }
        let civil = parts
            .to_datetime()
            .or_else(|_| parts.to_date().map(|date| date.at(0, 0, 0, 0)))
            .map_err(|_| wrong())?;
        return since_epoch(civil).ok_or_else(wrong);
    }
    let wrong = || Reason::mismatch("an ISO 8601 date or time", text);
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_microsecond());
    }
    let civil = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)))
        .map_err(|_| wrong())?;
    since_epoch(civil).ok_or_else(wrong)
}

/// Microseconds of a date and time in UTC. Not by way of a timestamp, whose
/// range ends a day before the service's.
fn since_epoch(civil: DateTime) -> Option<i64> {
    i64::try_from(civil.duration_since(EPOCH).as_micros()).ok()
}

/// ISO 8601 in UTC; `None` beyond the years 9999 and -9999.
pub(crate) fn micros_to_text(micros: i64) -> Option<String> {
    let civil = EPOCH.checked_add(SignedDuration::from_micros(micros)).ok()?;
    Some(format!("{civil}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_texts_are_read_as_utc_unless_they_say_otherwise() {
        let second = 1_757_589_307_000_000;
        for text in [
            "2025-09-11 11:15:07",
            "2025-09-11T11:15:07Z",
            "2025-09-11T13:15:07+02:00",
            "2025-09-11T11:15:07.000",
        ] {
            assert_eq!(parse_instant(text, None), Ok(second), "{text}");
        }
        assert_eq!(parse_instant("2025-09-11", None), Ok(1_757_548_800_000_000));
        assert!(parse_instant("11.09.2025", None).is_err());
        assert!(parse_instant("", None).is_err());
    }

    #[test]
    fn a_format_of_the_jobs_own_is_followed() {
        let day = Ok(1_757_548_800_000_000);
        assert_eq!(parse_instant("11.09.2025", Some("%d.%m.%Y")), day);
        assert!(parse_instant("2025-09-11", Some("%d.%m.%Y")).is_err());
        let noon = parse_instant("09/11/2025 12:00", Some("%m/%d/%Y %H:%M"));
        assert_eq!(noon, Ok(1_757_592_000_000_000));
    }

    #[test]
    fn fractions_of_seconds_fall_away() {
        assert_eq!(instant(1_757_589_307_497_000), Ok(1_757_589_307_000_000));
        assert_eq!(instant(-1), Ok(-1_000_000));
    }

    #[test]
    fn the_service_knows_no_day_before_1753() {
        let first = i64::from(FIRST_DAY) * DAY_MICROS;
        assert_eq!(parse_instant("1753-01-01", None), Ok(first));
        assert_eq!(instant(first), Ok(first));
        assert!(instant(first - 1).is_err());
        assert_eq!(parse_instant("9999-12-31", None), Ok(i64::from(LAST_DAY) * DAY_MICROS));
        assert!(day(FIRST_DAY - 1).is_err());
        assert!(day(i32::MAX).is_err());
        assert!(instant(i64::MIN).is_err());
    }
}
