//! Exact decimals from JSON numbers.

/// The number at `scale`, rounded half away from zero; `None` when it is no
/// number or does not fit 38 digits. Takes JSON's forms: `-12.50`, `1.5E3`.
pub(super) fn decimal(text: &str, scale: u32) -> Option<i128> {
    const LIMIT: u128 = 10_u128.pow(38);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction_digits = i64::try_from(fraction.len()).ok()?;
    // Digits to keep after those of the mantissa (or to drop, if negative).
    let shift = i64::from(scale) + i64::from(exponent) - fraction_digits;
    let digits = || whole.bytes().chain(fraction.bytes());
    let count = i64::try_from(whole.len()).ok()? + fraction_digits;
    let kept = (count + shift.min(0)).max(0);
    let mut value: u128 = 0;
    let mut round_up = false;
    for (position, byte) in (0_i64..).zip(digits()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        let digit = byte - b'0';
        if position < kept {
            value = value.checked_mul(10)?.checked_add(u128::from(digit))?;
        } else if position == kept && count + shift >= 0 {
            round_up = digit >= 5;
        }
    }
    if value != 0 && shift > 0 {
        let factor = 10_u128.checked_pow(u32::try_from(shift).ok()?)?;
        value = value.checked_mul(factor)?;
    }
    value += u128::from(round_up);
    if value >= LIMIT {
        return None;
    }
    let value = i128::try_from(value).ok()?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_exact_and_rounded_half_away_from_zero() {
        for (text, scale, expected) in [
            ("0", 4, Some(0)),
            ("5000000.0000", 4, Some(50_000_000_000)),
            ("922337203685477.5807", 4, Some(9_223_372_036_854_775_807)),
            ("-0.05", 4, Some(-500)),
            ("1.00005", 4, Some(10_001)),
            ("1.00004999", 4, Some(10_000)),
            ("-1.5", 0, Some(-2)),
            ("1.5E3", 2, Some(150_000)),
            ("15e-1", 0, Some(2)),
            ("5e-1", 0, Some(1)),
            ("5e-2", 0, Some(0)),
            ("9e-400", 4, Some(0)),
            ("0e400", 4, Some(0)),
            ("1e400", 4, None),
            ("99999999999999999999999999999999999999", 0, Some(10_i128.pow(38) - 1)),
            ("100000000000000000000000000000000000000", 0, None),
            ("", 2, None),
            (".", 2, None),
            ("-", 2, None),
            ("1e", 2, None),
            ("1x", 2, None),
            ("true", 2, None),
        ] {
            assert_eq!(decimal(text, scale), expected, "{text} at {scale}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-0-9.eE+x]{0,50}", scale in 0..12_u32) {
            let _ = decimal(&text, scale);
        }
    }
}
