//! Days and instants from text, without a calendar library: this runs per cell.

/// Days since 1970 of `2031-04-01`; of an instant, its day in UTC.
pub(super) fn date(text: &str) -> Option<i32> {
    let (date, rest) = text.split_at_checked(10)?;
    if rest.is_empty() {
        i32::try_from(days(date)?).ok()
    } else {
        i32::try_from(instant(text)?.div_euclid(86_400_000_000)).ok()
    }
}

/// Microseconds since 1970 of `2031-04-01T08:30:00Z`, cut to whole seconds;
/// offsets are applied, no offset means UTC.
pub(super) fn instant(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let bytes = rest.as_bytes();
    let &[b'T' | b't' | b' ', h1, h2, b':', m1, m2, ref rest @ ..] = bytes else { return None };
    let (hours, minutes) = (pair(h1, h2)?, pair(m1, m2)?);
    let (seconds, rest) = match *rest {
        [b':', s1, s2, ref rest @ ..] => (pair(s1, s2)?, rest),
        _ => (0, rest),
    };
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            &fraction[digits..]
        }
        _ => rest,
    };
    let offset = match *rest {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let minutes = pair(h1, h2)? * 60 + pair(m1, m2)?;
            if sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let seconds = days(date)? * 86_400 + hours * 3600 + minutes * 60 + seconds - offset * 60;
    seconds.checked_mul(1_000_000)
}

/// Days since 1970 of a civil date (Howard Hinnant's arithmetic).
fn days(text: &str) -> Option<i64> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let (year, month, day) = (pair(y1, y2)? * 100 + pair(y3, y4)?, pair(m1, m2)?, pair(d1, d2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=month_days).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_in_all_forms_are_the_same_instant() {
        for text in [
            "2031-04-01T08:30:00Z",
            "2031-04-01T08:30:00.999Z",
            "2031-04-01T08:30Z",
            "2031-04-01T08:30:00",
            "2031-04-01 10:30:00+02:00",
            "2031-04-01T03:00:00-05:30",
        ] {
            assert_eq!(instant(text), Some(1_932_798_600_000_000), "{text}");
        }
        for text in [
            "",
            "2031-04-01",
            "2031-13-01T00:00:00Z",
            "2031-02-29T00:00:00Z",
            "2031-04-01T24:00:00Z",
            "2031-04-01T08:30:00+2",
            "2031-04-01T08:30:00.Z",
            "Käse-04-01T",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_read_with_or_without_a_time() {
        for (text, expected) in [
            ("2031-04-01", Some(22_370)),
            ("2031-04-01T23:00:00-02:00", Some(22_371)),
            ("2000-02-29", Some(11_016)),
            ("2001-02-29", None),
            ("31-04-01", None),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn instants_agree_with_a_calendar_library(seconds in -62_135_596_800_i64..253_402_207_200) {
            let text = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            prop_assert_eq!(instant(&text), Some(seconds * 1_000_000));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _ = (instant(&text), date(&text));
        }
    }
}
