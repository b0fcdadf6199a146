//! Days and instants as the service writes them. Pure; proleptic Gregorian.

/// Seconds since 1970 of 1753-01-01, before which the service refuses dates
/// (*Behavior and format of the date and time column*).
pub(crate) const FIRST_SECOND: i64 = -6_847_804_800;
/// The same in days.
pub(crate) const FIRST_DAY: i32 = -79_257;

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// `2031-04-01`, strictly; days since 1970.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    let fits = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= month_days(year, month);
    fits.then(|| i32::try_from(days(year, month, day)).ok())?
}

/// `2031-04-01T08:30:00`, with a fraction (dropped: whole seconds) and `Z`, an
/// offset or nothing (UTC) behind it; or a day alone (midnight).
pub(crate) fn parse_instant(text: &str, independent: bool) -> Option<i64> {
    let date = i64::from(parse_date(text.get(..10)?)?) * DAY;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(date);
    }
    let rest = rest.strip_prefix(['T', ' '])?;
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bytes = clock.as_bytes();
    let (hour, minute, second) = match bytes.len() {
        8 if bytes[2] == b':' && bytes[5] == b':' => {
            (digits(&bytes[..2])?, digits(&bytes[3..5])?, digits(&bytes[6..])?)
        }
        5 if bytes[2] == b':' => (digits(&bytes[..2])?, digits(&bytes[3..])?, 0),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = if independent { 0 } else { offset(zone)? };
    offset_is_legal(zone).then_some(date + hour * 3600 + minute * 60 + second - offset)
}

fn offset_is_legal(zone: &str) -> bool {
    offset(zone).is_some()
}

fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let bytes = zone.as_bytes();
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&bytes[1..3])?, digits(&bytes[4..])?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some(if bytes[0] == b'-' { -seconds } else { seconds })
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant's `days_from_civil`.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Howard Hinnant's `civil_from_days`.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// `2031-04-01`.
pub(crate) fn write_date(out: &mut Vec<u8>, day: i64) {
    let (year, month, day) = civil(day);
    padded(out, year, 4);
    out.push(b'-');
    padded(out, month, 2);
    out.push(b'-');
    padded(out, day, 2);
}

/// `2031-04-01T08:30:00Z`.
pub(crate) fn write_instant(out: &mut Vec<u8>, seconds: i64) {
    write_date(out, seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    for (mark, value) in [(b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
        out.push(mark);
        padded(out, value, 2);
    }
    out.push(b'Z');
}

/// `08/22/2017 08:10:44`, as delta tokens have it.
pub(crate) fn american(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{month:02}/{day:02}/{year:04} {hour:02}:{minute:02}:{:02}", second % 60)
}

/// Reads what [`american`] writes.
pub(crate) fn parse_american(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(' ')?;
    let mut parts = date.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    parse_instant(&format!("{year}-{month}-{day}T{clock}Z"), false)
}

fn padded(out: &mut Vec<u8>, value: i64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(text.len())));
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seconds: i64) -> String {
        let mut out = Vec::new();
        write_instant(&mut out, seconds);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn instants_are_read_as_utc_and_written_in_whole_seconds() {
        let expect = [
            ("2031-04-01T08:30:00Z", "2031-04-01T08:30:00Z"),
            ("2031-04-01T08:30:00", "2031-04-01T08:30:00Z"),
            ("2031-04-01T08:30:00.999+02:00", "2031-04-01T06:30:00Z"),
            ("2024-02-29T00:00:00-10:00", "2024-02-29T10:00:00Z"),
            ("1753-01-01", "1753-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ];
        for (text, canonical) in expect {
            assert_eq!(parse_instant(text, false).map(written).as_deref(), Some(canonical));
        }
        assert_eq!(
            parse_instant("2031-04-01T08:30:00+02:00", true).map(written).as_deref(),
            Some("2031-04-01T08:30:00Z")
        );
    }

    #[test]
    fn what_is_not_an_instant_is_refused() {
        for text in [
            "",
            "2031",
            "2031-13-01",
            "2031-02-29",
            "2031-04-01T25:00:00Z",
            "2031-04-01T08:30:00+02:00Z",
            "2031-04-01T08:30:00.Z",
            "01/04/2031",
            "2031-04-01x",
            "2031-04-0é",
        ] {
            assert_eq!(parse_instant(text, false), None, "{text}");
        }
    }

    #[test]
    fn the_first_day_is_that_of_the_service() {
        assert_eq!(parse_instant("1753-01-01", false), Some(FIRST_SECOND));
        assert_eq!(parse_date("1753-01-01"), Some(FIRST_DAY));
    }
}
