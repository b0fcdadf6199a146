//! Dataverse's error codes.
//!
//! A signed 32-bit number that the service writes as hex of either case, as
//! signed decimal, as `0x0` or as nothing at all (*Web service error codes*).

use std::fmt;

/// An error code, as its 32 bits. Zero (`0x0`) is what the service says when
/// its OData layer refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// Reads a code; `None` when it is empty or no number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return u32::from_str_radix(hex, 16).ok().map(Self);
        }
        let number: i64 = text.parse().ok()?;
        i32::try_from(number)
            .map(|number| Self(number.cast_unsigned()))
            .or_else(|_| u32::try_from(number).map(Self))
            .ok()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0x0") } else { write!(f, "0x{:08x}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_code_are_the_same_code() {
        for text in ["0x80072322", "0X80072322", " 0x80072322", "-2147015902", "2147951394"] {
            assert_eq!(ErrorCode::parse(text), Some(ErrorCode(0x8007_2322)), "{text}");
        }
        assert_eq!(ErrorCode::parse("0x8004Ed47").unwrap().to_string(), "0x8004ed47");
        assert_eq!(ErrorCode::parse("0x0").unwrap().to_string(), "0x0");
        for text in ["", " ", "0x", "x", "0x1ffffffff", "99999999999999999999"] {
            assert_eq!(ErrorCode::parse(text), None, "{text}");
        }
    }
}
