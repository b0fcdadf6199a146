//! Numbers without loss, or with the service's own rounding.

use super::Reason;

/// Ten to the power of a scale of at most 38.
pub(super) fn power_of_ten(scale: u8) -> i128 {
    10_i128.pow(u32::from(scale.min(38)))
}

/// Brings a decimal from one scale to another, rounding half away from zero.
pub(super) fn rescale(value: i128, from: i8, to: u8) -> i128 {
    let shift = i16::from(to) - i16::from(from);
    let factor = power_of_ten(u8::try_from(shift.unsigned_abs()).unwrap_or(38));
    if shift >= 0 { value.saturating_mul(factor) } else { divide_rounding(value, factor) }
}

fn divide_rounding(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest.abs() >= divisor - rest.abs() { quotient + value.signum() } else { quotient }
}

/// Checks a decimal of scale `precision` and brings it to `scale`.
pub(super) fn within(
    value: i128,
    precision: u8,
    scale: u8,
    min: f64,
    max: f64,
) -> Result<i128, Reason> {
    let shown = decimal_to_float(value, i8::try_from(precision).unwrap_or(0));
    if shown < min || shown > max {
        return Err(Reason::range(shown, min, max));
    }
    Ok(rescale(value, i8::try_from(precision).unwrap_or(0), scale))
}

/// The nearest double.
#[expect(clippy::cast_precision_loss, reason = "a double is what was asked for")]
pub(super) fn decimal_to_float(value: i128, scale: i8) -> f64 {
    if scale >= 0 {
        value as f64 / power_of_ten(scale.unsigned_abs()) as f64
    } else {
        value as f64 * power_of_ten(scale.unsigned_abs()) as f64
    }
}

/// Rounds to so many digits after the point, as the service stores doubles.
pub(super) fn round_float(value: f64, precision: u8) -> f64 {
    let factor = 10_f64.powi(i32::from(precision.min(15)));
    let scaled = value * factor;
    if scaled.is_finite() { scaled.round() / factor } else { value }
}

/// A double that is a whole number.
pub(super) fn whole_float(value: f64) -> Result<i64, Reason> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= LIMIT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53, see above")]
        return Ok(value as i64);
    }
    Err(Reason::mismatch("a whole number", value))
}

/// A decimal that is a whole number.
pub(super) fn whole_decimal(value: i128, scale: i8) -> Result<i64, Reason> {
    let whole = if scale > 0 {
        let factor = power_of_ten(scale.unsigned_abs());
        (value % factor == 0).then(|| value / factor)
    } else {
        value.checked_mul(power_of_ten(scale.unsigned_abs()))
    };
    whole
        .and_then(|whole| i64::try_from(whole).ok())
        .ok_or_else(|| Reason::mismatch("a whole number", decimal_to_float(value, scale)))
}

/// Reads `-12.345` or `1.2e3` exactly into a decimal of that scale, rounding
/// half away from zero; `None` if it is no number or does not fit 38 digits.
pub(super) fn parse_decimal(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], digits[at + 1..].parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Digits that stand left of the rounding position, and the one after it.
    let keep = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let mut value: i128 = 0;
    let mut position = 0_i64;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        if position < keep {
            value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
        } else if position == keep && digit >= 5 {
            value = value.checked_add(1)?;
        }
        position += 1;
    }
    for _ in position..keep {
        if value == 0 {
            break;
        }
        value = value.checked_mul(10)?;
    }
    if value.unsigned_abs() >= 10_u128.pow(38) {
        return None;
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_rounded_half_away() {
        for (text, scale, expect) in [
            ("12.345", 2, Some(1235)),
            ("-12.345", 2, Some(-1235)),
            ("12.344999", 2, Some(1234)),
            ("0.005", 2, Some(1)),
            (".5", 0, Some(1)),
            ("5.", 1, Some(50)),
            ("1.2e3", 1, Some(12000)),
            ("12e-1", 1, Some(12)),
            ("+7", 4, Some(70000)),
            ("1e-400", 4, Some(0)),
            ("", 2, None),
            ("-", 2, None),
            (".", 2, None),
            ("1,5", 2, None),
            ("4+", 2, None),
            ("0x1", 2, None),
            ("99999999999999999999999999999999999999", 2, None),
        ] {
            assert_eq!(parse_decimal(text, scale), expect, "{text} at scale {scale}");
        }
    }

    #[test]
    fn rescaling_rounds_half_away_from_zero() {
        assert_eq!(rescale(12345, 3, 2), 1235);
        assert_eq!(rescale(-12345, 3, 2), -1235);
        assert_eq!(rescale(12344, 3, 2), 1234);
        assert_eq!(rescale(12, 0, 4), 120_000);
    }

    #[test]
    fn only_whole_numbers_are_whole() {
        assert_eq!(whole_decimal(1200, 2), Ok(12));
        assert!(whole_decimal(1201, 2).is_err());
        assert_eq!(whole_decimal(12, -2), Ok(1200));
        assert_eq!(whole_float(3.0), Ok(3));
        assert!(whole_float(3.5).is_err());
        assert!(whole_float(1e300).is_err());
        assert!(whole_float(f64::NAN).is_err());
    }
}
