//! Numbers.

use super::{Notation, Reading, trimmed};

/// Longest number whose separators are rewritten; longer ones are no numbers.
const NUMBER_BYTES_MAX: usize = 96;

/// A whole number. Inferred: digits without leading zeros or `+`. Declared: also
/// with them, and with a fraction of zeros (`12.0`).
pub(crate) fn int64(text: &[u8], notation: &Notation, reading: Reading) -> Option<i64> {
    let mut plain = [0; NUMBER_BYTES_MAX];
    let text = plain_form(trimmed(text, reading), notation, &mut plain)?;
    let (negative, digits) = match reading {
        Reading::Inferred => {
            let (negative, digits) = signed(text, false);
            if (digits.len() > 1 || negative) && digits.first() == Some(&b'0') {
                return None;
            }
            (negative, digits)
        }
        Reading::Declared => {
            let (negative, digits) = signed(text, true);
            let whole = match digits.iter().position(|&byte| byte == b'.') {
                Some(point) if digits[point + 1..].iter().all(|&byte| byte == b'0') => {
                    &digits[..point]
                }
                Some(_) => return None,
                None => digits,
            };
            (negative, whole)
        }
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(byte - b'0');
        // Downwards, since there is one more negative number than positive ones.
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// A floating-point number. Inferred: with a point or a signed exponent, at most
/// 17 significant digits, without leading zeros or `+`; or a whole number of at
/// most 15 digits. Declared: any finite one.
pub(crate) fn float64(text: &[u8], notation: &Notation, reading: Reading) -> Option<f64> {
    let mut plain = [0; NUMBER_BYTES_MAX];
    let text = plain_form(trimmed(text, reading), notation, &mut plain)?;
    let (_, digits) = signed(text, true);
    let starts_well = digits.first().is_some_and(|&byte| byte.is_ascii_digit() || byte == b'.');
    if !starts_well || (reading == Reading::Inferred && !is_plain_float(text)) {
        return None;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// `-?(0|[1-9][0-9]*)?(\.[0-9]+([eE][+-]?[0-9]+)?)?` or with a signed exponent.
fn is_plain_float(text: &[u8]) -> bool {
    let (_, rest) = signed(text, false);
    let (whole, rest) = digits(rest);
    if whole.len() > 1 && whole[0] == b'0' {
        return false;
    }
    let mut significant = whole.iter().skip_while(|&&byte| byte == b'0').count();
    let mut rest = rest;
    let mut has_point = false;
    if let Some((b'.', after)) = rest.split_first() {
        let (fraction, after) = digits(after);
        if fraction.is_empty() {
            return false;
        }
        significant += if significant == 0 {
            fraction.iter().skip_while(|&&byte| byte == b'0').count()
        } else {
            fraction.len()
        };
        has_point = true;
        rest = after;
    } else if whole.is_empty() {
        return false;
    }
    match rest.split_first() {
        None => significant <= if has_point { 17 } else { 15 },
        Some((b'e' | b'E', exponent)) => {
            let (sign, exponent) = match exponent.split_first() {
                Some((b'+' | b'-', exponent)) => (true, exponent),
                _ => (false, exponent),
            };
            // `12E4` is an article number more often than a number.
            (has_point || sign)
                && significant <= 17
                && !exponent.is_empty()
                && exponent.iter().all(u8::is_ascii_digit)
        }
        Some(_) => false,
    }
}

/// An exact number as its digits without the point; digits beyond `scale` must
/// be zeros.
pub(crate) fn decimal(text: &[u8], notation: &Notation, precision: u8, scale: u8) -> Option<i128> {
    let mut plain = [0; NUMBER_BYTES_MAX];
    let text = plain_form(text.trim_ascii(), notation, &mut plain)?;
    let (negative, rest) = signed(text, true);
    let (whole, rest) = digits(rest);
    let fraction = match rest.split_first() {
        None => &[],
        Some((b'.', after)) => match digits(after) {
            (fraction, []) => fraction,
            _ => return None,
        },
        Some(_) => return None,
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let kept = fraction.len().min(usize::from(scale));
    if fraction[kept..].iter().any(|&byte| byte != b'0') {
        return None;
    }
    let mut value: i128 = 0;
    for &byte in whole.iter().chain(&fraction[..kept]) {
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    for _ in kept..usize::from(scale) {
        value = value.checked_mul(10)?;
    }
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    (value < limit).then_some(if negative { -value } else { value })
}

fn signed(text: &[u8], plus: bool) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) if plus => (false, rest),
        _ => (false, text),
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The number with `.` as its point and no separators; `None` if a separator
/// stands where none can.
fn plain_form<'a>(
    text: &'a [u8],
    notation: &Notation,
    plain: &'a mut [u8; NUMBER_BYTES_MAX],
) -> Option<&'a [u8]> {
    if notation.decimal == b'.' && notation.thousands.is_none() {
        return Some(text);
    }
    let mut length = 0;
    let mut put = |byte| {
        let slot = plain.get_mut(length)?;
        *slot = byte;
        length += 1;
        Some(())
    };
    // Digits since the start or the last separator; `None` before any separator.
    let (mut run, mut grouped, mut in_fraction) = (0, false, false);
    for &byte in text {
        if byte.is_ascii_digit() {
            run += 1;
            put(byte)?;
        } else if byte == notation.decimal && !in_fraction {
            if grouped && run != 3 {
                return None;
            }
            in_fraction = true;
            put(b'.')?;
        } else if Some(byte) == notation.thousands && !in_fraction {
            let fits = if grouped { run == 3 } else { (1..=3).contains(&run) };
            if !fits {
                return None;
            }
            grouped = true;
            run = 0;
        } else if byte == b'.' {
            return None;
        } else {
            put(byte)?;
        }
    }
    if grouped && !in_fraction && run != 3 {
        return None;
    }
    Some(&plain[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notation(decimal: u8, thousands: Option<u8>) -> Notation {
        Notation { decimal, thousands, ..Notation::default() }
    }

    #[test]
    fn whole_numbers_keep_codes_as_text_unless_declared() {
        let plain = Notation::default();
        for (text, inferred, declared) in [
            ("0", Some(0), Some(0)),
            ("-12", Some(-12), Some(-12)),
            ("9223372036854775807", Some(i64::MAX), Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN), Some(i64::MIN)),
            ("9223372036854775808", None, None),
            ("007", None, Some(7)),
            ("-0", None, Some(0)),
            ("+5", None, Some(5)),
            (" 5 ", None, Some(5)),
            ("12.00", None, Some(12)),
            ("12.5", None, None),
            ("1 000", None, None),
            ("", None, None),
            ("-", None, None),
            ("١", None, None),
        ] {
            assert_eq!(int64(text.as_bytes(), &plain, Reading::Inferred), inferred, "{text}");
            assert_eq!(int64(text.as_bytes(), &plain, Reading::Declared), declared, "{text}");
        }
    }

    #[test]
    fn floats_keep_codes_as_text_unless_declared() {
        let plain = Notation::default();
        for (text, inferred, declared) in [
            ("1.5", Some(1.5), Some(1.5)),
            ("-0.25", Some(-0.25), Some(-0.25)),
            (".5", Some(0.5), Some(0.5)),
            ("12", Some(12.0), Some(12.0)),
            ("300000.0000", Some(300_000.0), Some(300_000.0)),
            ("1.0E10", Some(1e10), Some(1e10)),
            ("1e-05", Some(1e-5), Some(1e-5)),
            ("0.30000000000000004", Some(0.300_000_000_000_000_04), Some(0.300_000_000_000_000_04)),
            ("12E4", None, Some(12e4)),
            ("5.", None, Some(5.0)),
            ("01.5", None, Some(1.5)),
            ("+1.5", None, Some(1.5)),
            ("1234567890123456.789", None, Some(1_234_567_890_123_456.8)),
            ("1234567890123456", None, Some(1_234_567_890_123_456.0)),
            ("1e999", None, None),
            ("nan", None, None),
            ("inf", None, None),
            ("-", None, None),
            (".", None, None),
            ("1.2.3", None, None),
        ] {
            assert_eq!(float64(text.as_bytes(), &plain, Reading::Inferred), inferred, "{text}");
            assert_eq!(float64(text.as_bytes(), &plain, Reading::Declared), declared, "{text}");
        }
    }

    #[test]
    fn separators_stand_where_they_can() {
        let german = notation(b',', Some(b'.'));
        for (text, value) in [
            ("1.234.567,5", Some(1_234_567.5)),
            ("1234,5", Some(1234.5)),
            ("-1.234", Some(-1234.0)),
            ("1.23", None),
            ("12.3456", None),
            (".123", None),
            ("1234.567", None),
            ("1,5.0", None),
            ("1.234,", None),
        ] {
            assert_eq!(float64(text.as_bytes(), &german, Reading::Inferred), value, "{text}");
        }
        assert_eq!(int64(b"1.234", &german, Reading::Inferred), Some(1234));
        assert_eq!(int64(b"1.5", &notation(b',', None), Reading::Declared), None);
        assert_eq!(int64(&[b'1'; 200], &german, Reading::Declared), None);
    }

    #[test]
    fn decimals_are_exact_or_nothing() {
        let plain = Notation::default();
        for (text, value) in [
            ("1.2", Some(120)),
            ("-1.25", Some(-125)),
            ("1.2500", Some(125)),
            ("1.255", None),
            ("999.99", Some(99_999)),
            ("1000", None),
            (".5", Some(50)),
            ("007", Some(700)),
            ("", None),
            (".", None),
            ("1e2", None),
        ] {
            assert_eq!(decimal(text.as_bytes(), &plain, 5, 2), value, "{text}");
        }
        assert_eq!(decimal(&[b'9'; 38], &plain, 38, 0), Some(10_i128.pow(38) - 1));
        assert_eq!(decimal(&[b'9'; 39], &plain, 38, 0), None);
    }
}
