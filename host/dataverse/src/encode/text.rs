//! Text as JSON.

/// Appends the text between quotes, escaped. Characters that XML 1.0 forbids
/// (control characters but tab, line feed and carriage return; U+FFFE, U+FFFF)
/// are left out: the service refuses the whole call for one of them
/// (0x80040278). Whoever wants another policy applies it before.
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = special(bytes, at) {
        let (escape, width): (&[u8], usize) = match bytes[found] {
            b'"' => (b"\\\"", 1),
            b'\\' => (b"\\\\", 1),
            b'\n' => (b"\\n", 1),
            b'\r' => (b"\\r", 1),
            b'\t' => (b"\\t", 1),
            0xEF => match bytes.get(found + 1..found + 3) {
                Some([0xBF, 0xBE | 0xBF]) => (b"", 3),
                _ => {
                    at = found + 1;
                    continue;
                }
            },
            _ => (b"", 1),
        };
        out.extend_from_slice(&bytes[from..found]);
        out.extend_from_slice(escape);
        from = found + width;
        at = from;
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// The next byte at or after `at` that may need a look: below 0x20, a quote, a
/// backslash, or 0xEF (which begins U+FFFE and U+FFFF). Eight at a time.
fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        if may_hold_special(u64::from_le_bytes(*chunk))
            && let Some(offset) = chunk.iter().position(|&byte| is_special(byte))
        {
            return Some(at + offset);
        }
        at += 8;
    }
    bytes.get(at..)?.iter().position(|&byte| is_special(byte)).map(|offset| at + offset)
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\' | 0xEF)
}

/// No false negatives; false positives only cost a second look.
fn may_hold_special(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    let quote = zero(word ^ (ONES * 0x22));
    let backslash = zero(word ^ (ONES * 0x5C));
    let lead = zero(word ^ (ONES * 0xEF));
    (below_space | quote | backslash | lead) != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        write(text, &mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
    }

    #[test]
    fn text_is_escaped_and_never_holds_what_xml_forbids() {
        check("", r#""""#);
        check("Adventure Works", r#""Adventure Works""#);
        check("a \"b\" \\ c", r#""a \"b\" \\ c""#);
        check("line\r\n\ttab", r#""line\r\n\ttab""#);
        check("bell\u{7} and null\0!", r#""bell and null!""#);
        check("12345678\u{1f}", r#""12345678""#);
        check("Käse ﬁ \u{fffd}", "\"Käse ﬁ \u{fffd}\"");
        check("\u{fffe}x\u{ffff}\u{feff}", "\"x\u{feff}\"");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_without_the_forbidden_characters(text in any::<String>()) {
            let mut out = Vec::new();
            write(&text, &mut out);
            let back: String = serde_json::from_slice(&out).unwrap();
            let expected: String = text
                .chars()
                .filter(|&c| {
                    c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r')
                })
                .collect();
            prop_assert_eq!(back, expected);
        }
    }
}
