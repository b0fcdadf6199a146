//! Exact numbers, read from whatever the source has: integers, decimals or
//! text. Pure; no floating point in between.

use crate::cells::{Decimals, Int64s, Texts};

/// An exact number: `unscaled` times 10 to the power of `-scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// All digits, without the point.
    pub unscaled: i128,
    /// Digits after the point.
    pub scale: i8,
}

impl Number {
    /// A whole number.
    #[must_use]
    pub fn whole(value: i64) -> Self {
        Self { unscaled: i128::from(value), scale: 0 }
    }

    /// Reads `1250`, `-3.50`, `+7`, `.5`, `1e3`; blanks around it do not count.
    /// Thousands separators are not guessed: a source says them in its settings.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(position) => (&text[..position], text[position + 1..].parse::<i8>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        // 128-bit steps are calls on wasm32: nearly every number does without.
        let mut low: i64 = 0;
        let mut high: Option<i128> = None;
        let mut after_point: Option<i8> = None;
        let mut seen = false;
        for &byte in digits {
            match byte {
                b'0'..=b'9' => {
                    seen = true;
                    let digit = byte - b'0';
                    if let Some(value) = high {
                        high = Some(value.checked_mul(10)?.checked_add(i128::from(digit))?);
                    } else if low < i64::MAX / 100 {
                        low = low * 10 + i64::from(digit);
                    } else {
                        high = Some(i128::from(low) * 10 + i128::from(digit));
                    }
                    after_point = match after_point {
                        Some(count) => Some(count.checked_add(1)?),
                        None => None,
                    };
                }
                b'.' if after_point.is_none() => after_point = Some(0),
                _ => return None,
            }
        }
        let unscaled = high.unwrap_or(i128::from(low));
        let scale = after_point.unwrap_or(0).checked_sub(exponent)?;
        seen.then_some(Self { unscaled: if negative { -unscaled } else { unscaled }, scale })
    }

    /// The same number with so many digits after the point; `None` when that
    /// would lose digits or overflow.
    #[must_use]
    pub fn exactly(self, scale: i8) -> Option<i128> {
        let shift = i32::from(scale) - i32::from(self.scale);
        let factor = 10_i128.checked_pow(shift.unsigned_abs())?;
        if shift >= 0 {
            self.unscaled.checked_mul(factor)
        } else {
            (self.unscaled % factor == 0).then(|| self.unscaled / factor)
        }
    }

    /// The nearest number with so many digits after the point, halves away from
    /// zero; `None` on overflow.
    #[must_use]
    pub fn rounded(self, scale: i8) -> Option<i128> {
        let shift = i32::from(scale) - i32::from(self.scale);
        if shift >= 0 {
            return self.exactly(scale);
        }
        let Some(factor) = 10_i128.checked_pow(shift.unsigned_abs()) else { return Some(0) };
        let quotient = self.unscaled / factor;
        let rest = self.unscaled % factor;
        let up = rest.unsigned_abs() >= factor.unsigned_abs().div_ceil(2);
        Some(quotient + if up { rest.signum() } else { 0 })
    }

    /// The number where it is whole and fits.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        i64::try_from(self.exactly(0)?).ok()
    }
}

impl std::fmt::Display for Number {
    /// With its point, without an exponent: `-0.0500`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let digits = self.unscaled.unsigned_abs();
        match usize::try_from(self.scale) {
            Ok(0) => write!(f, "{sign}{digits}"),
            Ok(scale) => {
                let digits = format!("{digits:0width$}", width = scale + 1);
                let (whole, rest) = digits.split_at(digits.len() - scale);
                write!(f, "{sign}{whole}.{rest}")
            }
            Err(_) => {
                let zeros = usize::from(self.scale.unsigned_abs());
                write!(f, "{sign}{digits}{:0<zeros$}", "")
            }
        }
    }
}

/// Numbers of a column that came as integers, decimals or text; see
/// [`crate::Context::number`].
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// The source has integers.
    Int64(Int64s<'a>),
    /// The source has decimals.
    Decimal(Decimals<'a>),
    /// The source has text, or something whose text form is exact.
    Text(Texts<'a>),
}

impl<'a> Numbers<'a> {
    /// The number of a row; `Ok(None)` where it is null or blank.
    ///
    /// # Errors
    /// The text that is not a number.
    #[inline]
    pub fn get(&self, row: usize) -> Result<Option<Number>, &'a str> {
        match self {
            Numbers::Int64(cells) => Ok(cells.get(row).map(Number::whole)),
            Numbers::Decimal(cells) => Ok(cells.get(row)),
            Numbers::Text(cells) => match cells.get(row).map(str::trim_ascii) {
                None | Some("") => Ok(None),
                Some(text) => Number::parse(text).map(Some).ok_or(text),
            },
        }
    }

    /// The source has no such column.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Numbers::Int64(cells) => cells.is_absent(),
            Numbers::Decimal(cells) => cells.is_absent(),
            Numbers::Text(cells) => cells.is_absent(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_an_exact_number_or_not_at_all() {
        let cases: [(&str, Option<(i128, i8)>); 17] = [
            ("800000", Some((800_000, 0))),
            (" 250000.0000 ", Some((2_500_000_000, 4))),
            ("-3.50", Some((-350, 2))),
            ("+7", Some((7, 0))),
            (".5", Some((5, 1))),
            ("5.", Some((5, 0))),
            ("1e3", Some((1, -3))),
            ("2.5E-1", Some((25, 2))),
            ("", None),
            ("-", None),
            (".", None),
            ("1,000", None),
            ("1.2.3", None),
            ("12a", None),
            ("1e999", None),
            ("123456789012345678901.5", Some((1_234_567_890_123_456_789_015, 1))),
            ("99999999999999999999999999999999999999999", None),
        ];
        for (text, expected) in cases {
            let found = Number::parse(text).map(|number| (number.unscaled, number.scale));
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_shown_with_its_point() {
        for text in ["0.0500", "-0.05", "12", "-3.50", "1234567890.1234"] {
            assert_eq!(Number::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Number::parse("12e2").unwrap().to_string(), "1200");
    }

    #[test]
    fn digits_are_never_lost_silently() {
        let number = |text| Number::parse(text).unwrap();
        assert_eq!(number("80000").exactly(4), Some(800_000_000));
        assert_eq!(number("80000.00").to_i64(), Some(80_000));
        assert_eq!(number("1e3").to_i64(), Some(1000));
        assert_eq!(number("0.5").to_i64(), None);
        assert_eq!(number("9999999999999999999").to_i64(), None);
        assert_eq!(number("1.00005").exactly(4), None);
        assert_eq!(number("1.00005").rounded(4), Some(10_001));
        assert_eq!(number("-1.00005").rounded(4), Some(-10_001));
        assert_eq!(number("1.00004").rounded(4), Some(10_000));
        assert_eq!(number("1e-100").rounded(4), Some(0));
        assert_eq!(number("1e100").rounded(4), None);
    }
}
