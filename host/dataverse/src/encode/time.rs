//! Days and instants as text, without a calendar library: this runs per cell.
//!
//! The civil-from-days arithmetic is Howard Hinnant's (*chrono-compatible
//! low-level date algorithms*), proleptic Gregorian.

/// Appends `2031-04-01`.
pub(crate) fn date(days_since_1970: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days_since_1970);
    if (0..=9999).contains(&year) {
        digits(year, 4, out);
    } else {
        // The service refuses it, as it should; it is still what the cell says.
        let mut buffer = itoa::Buffer::new();
        out.extend_from_slice(buffer.format(year).as_bytes());
    }
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(day, 2, out);
}

/// Appends `2031-04-01T08:30:00Z`; fractions of a second are cut off.
pub(crate) fn instant(micros_since_1970: i64, out: &mut Vec<u8>) {
    let seconds = micros_since_1970.div_euclid(1_000_000);
    let of_day = seconds.rem_euclid(86_400);
    date(seconds.div_euclid(86_400), out);
    out.push(b'T');
    digits(of_day / 3600, 2, out);
    out.push(b':');
    digits(of_day / 60 % 60, 2, out);
    out.push(b':');
    digits(of_day % 60, 2, out);
    out.push(b'Z');
}

fn civil(days_since_1970: i64) -> (i64, i64, i64) {
    // Days since 0000-03-01, so that leap days end a year.
    let days = days_since_1970 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The last `width` decimal digits of a number that is not negative.
fn digits(number: i64, width: u32, out: &mut Vec<u8>) {
    for position in (0..width).rev() {
        let digit = number / 10_i64.pow(position) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_and_instants_are_written_as_the_service_reads_them() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (22_370, "2031-04-01"),
            (11_016, "2000-02-29"),
            (-79_259, "1752-12-30"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(text(|out| date(days, out)), expected);
        }
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_932_798_600_999_999, "2031-04-01T08:30:00Z"),
        ] {
            assert_eq!(text(|out| instant(micros, out)), expected);
        }
    }

    proptest! {
        #[test]
        fn instants_agree_with_a_calendar_library(seconds in -62_135_596_800_i64..253_402_207_200) {
            let expected = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            prop_assert_eq!(text(|out| instant(seconds * 1_000_000, out)), expected);
        }

        #[test]
        fn no_cell_panics(cell in any::<i64>(), days in any::<i32>()) {
            let _ = text(|out| instant(cell, out));
            let _ = text(|out| date(i64::from(days), out));
        }
    }
}
