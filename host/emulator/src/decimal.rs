//! Exact decimal numbers: JSON text to a scaled whole number and back.
//!
//! Pure. Surplus digits are rounded half away from zero unless a setting says
//! otherwise: the service documents rounding and not its mode.

use crate::settings::Rounding;

/// Digits that a number may have; more cannot be in range of any column.
const DIGITS_MAX: usize = 36;

/// Reads a JSON number as a whole number scaled by ten to `scale`.
///
/// `None`: not a number, or one with more than 36 digits.
pub(crate) fn parse(text: &str, scale: u8) -> Option<i128> {
    parse_with(text, scale, Rounding::HalfAway)
}

/// The same, and what becomes of surplus digits.
pub(crate) fn parse_with(text: &str, scale: u8, rounding: Rounding) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], digits[at + 1..].parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || whole.len() + fraction.len() > DIGITS_MAX || exponent.abs() > 60 {
        return None;
    }
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i128::from(byte - b'0');
    }
    let fraction_digits = i32::try_from(fraction.len()).ok()?;
    let shift = i32::from(scale) + exponent - fraction_digits;
    let power = power(shift.unsigned_abs());
    let value = match (shift >= 0, power) {
        (true, Some(power)) => value.checked_mul(power)?,
        (true, None) if value == 0 => 0,
        (true, None) => return None,
        (false, Some(power)) => divided(value, power, rounding),
        (false, None) => 0,
    };
    Some(if negative { -value } else { value })
}

fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// A positive number by a power of ten.
fn divided(value: i128, power: i128, rounding: Rounding) -> i128 {
    let (whole, rest) = (value / power, value % power);
    let half = rest.cmp(&(power / 2 + power % 2));
    let up = match rounding {
        Rounding::HalfAway => power > 1 && half.is_ge(),
        Rounding::HalfEven => power > 1 && (half.is_gt() || half.is_eq() && whole % 2 != 0),
        Rounding::Truncate => false,
    };
    whole + i128::from(up)
}

/// Rounds a scaled number to fewer digits, keeping its scale.
pub(crate) fn round(value: i128, scale: u8, precision: u8) -> i128 {
    let unit = scale.checked_sub(precision).and_then(|digits| power(u32::from(digits)));
    let Some(unit) = unit else { return value };
    divided(value.abs(), unit, Rounding::HalfAway) * unit * value.signum()
}

/// The same number at another scale, rounded where that has fewer digits.
pub(crate) fn rescaled(value: i128, from: u8, to: u8) -> i128 {
    if to >= from {
        return widened(value, from, to).unwrap_or(value);
    }
    let unit = power(u32::from(from - to)).unwrap_or(1);
    divided(value.abs(), unit, Rounding::HalfAway) * value.signum()
}

/// The same number with more digits.
pub(crate) fn widened(value: i128, from: u8, to: u8) -> Option<i128> {
    value.checked_mul(power(u32::from(to.checked_sub(from)?))?)
}

/// Writes a scaled number with exactly `scale` digits after the point.
pub(crate) fn write(out: &mut Vec<u8>, value: i128, scale: u8) {
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        out.push(b'-');
    }
    let scale = usize::from(scale);
    let point = digits.len().saturating_sub(scale);
    if point == 0 {
        out.push(b'0');
    } else {
        out.extend_from_slice(&digits.as_bytes()[..point]);
    }
    if scale > 0 {
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', scale.saturating_sub(digits.len())));
        out.extend_from_slice(&digits.as_bytes()[point..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly_and_rounded_half_away_from_zero() {
        let expect = [
            ("1250.75", 4, Some(12_507_500)),
            ("-0.00005", 4, Some(-1)),
            ("0.00004", 4, Some(0)),
            ("1e3", 2, Some(100_000)),
            ("12.5E-1", 2, Some(125)),
            ("922337203685477.5807", 4, Some(9_223_372_036_854_775_807)),
            ("", 2, None),
            ("1.2.3", 2, None),
            ("abc", 2, None),
            ("\"1\"", 2, None),
            ("1e400", 2, None),
        ];
        for (text, scale, value) in expect {
            assert_eq!(parse(text, scale), value, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_with_all_their_digits() {
        let expect =
            [(12_507_500, 4, "1250.7500"), (-5, 2, "-0.05"), (0, 4, "0.0000"), (42, 0, "42")];
        for (value, scale, text) in expect {
            let mut out = Vec::new();
            write(&mut out, value, scale);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn surplus_digits_are_rounded_as_asked() {
        let expect = [
            ("0.125", [13, 12, 12]),
            ("0.135", [14, 14, 13]),
            ("-0.125", [-13, -12, -12]),
            ("0.1251", [13, 13, 12]),
            ("0.1249999", [12, 12, 12]),
            ("0.99999", [100, 100, 99]),
        ];
        for (text, results) in expect {
            let modes = [Rounding::HalfAway, Rounding::HalfEven, Rounding::Truncate];
            let found = modes.map(|mode| parse_with(text, 2, mode).unwrap());
            assert_eq!(found, results, "{text}");
        }
        assert_eq!((round(12_345, 4, 2), round(-12_350, 4, 2)), (12_300, -12_400));
        assert_eq!(round(12_345, 4, 4), 12_345);
        assert_eq!(widened(12, 2, 4), Some(1200));
        assert_eq!(widened(12, 4, 2), None);
        assert_eq!((rescaled(-125, 2, 1), rescaled(12, 1, 3)), (-13, 1200));
    }
}
