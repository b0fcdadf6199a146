//! Text as a CRM wants it. Pure; writes at the end of the given string, so that
//! a column's cells land in one buffer.

/// Adds the text without blanks around it and with single ones inside. Tabs, line
/// ends and no-break spaces are blanks.
#[inline]
pub fn tidy(text: &str, into: &mut String) {
    if is_tidy(text) {
        into.push_str(text);
        return;
    }
    let mut words = text.split_whitespace();
    if let Some(word) = words.next() {
        into.push_str(word);
    }
    for word in words {
        into.push(' ');
        into.push_str(word);
    }
}

/// Plain ASCII without a blank at the ends, a doubled one, or one that is not a
/// space: nearly all text. Eight bytes at a time.
fn is_tidy(text: &str) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES * 0x80;
    // True before the start and at the end: a space there is one too many.
    let mut blank = true;
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        // With the high bit set first, no byte borrows from the next.
        let printable = (word | HIGH) - ONES * 0x20;
        let spaces = !(((word ^ (ONES * 0x20)) | HIGH) - ONES) & HIGH;
        let after_space = (spaces << 8) | if blank { 0x80 } else { 0 };
        if word & HIGH != 0 || printable & HIGH != HIGH || spaces & after_space != 0 {
            return false;
        }
        blank = spaces >> 63 == 1;
    }
    for &byte in rest {
        let space = byte == b' ';
        if !(0x20..0x80).contains(&byte) || (space && blank) {
            return false;
        }
        blank = space;
    }
    !blank || text.is_empty()
}

/// Adds a key: without any blanks, in upper case, so that ` aw00 0585` and
/// `AW000585` are the same thing.
pub fn fold_key(text: &str, into: &mut String) {
    if text.is_ascii() {
        for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
            into.push(char::from(byte.to_ascii_uppercase()));
        }
    } else {
        into.extend(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&str, &mut String), text: &str) -> String {
        let mut into = String::from("|");
        write(text, &mut into);
        into
    }

    #[test]
    fn tidy_text_has_single_blanks_and_none_around() {
        let cases = [
            ("", "|"),
            ("   ", "|"),
            ("Bike Store", "|Bike Store"),
            ("Bike Store ", "|Bike Store"),
            ("  Bike \t Store\r\n", "|Bike Store"),
            ("a  b", "|a b"),
            ("M\u{fc}nchen\u{a0}\u{a0}S\u{fc}d", "|M\u{fc}nchen S\u{fc}d"),
            ("\u{fc}", "|\u{fc}"),
        ];
        for (text, expected) in cases {
            assert_eq!(written(tidy, text), expected, "{text:?}");
        }
    }

    #[test]
    fn tidiness_is_seen_at_every_place_of_a_text() {
        for length in 0..40 {
            let plain: String = "abcdefg-".chars().cycle().take(length).collect();
            assert!(is_tidy(&plain), "{plain:?}");
            for place in 0..=length {
                let (start, end) = plain.split_at(place);
                let inside = place > 0 && place < length;
                assert_eq!(is_tidy(&format!("{start} {end}")), inside, "{start:?} {end:?}");
                for untidy in ["  ", "\t", "\n", "\u{7f}\u{80}", "\u{fc}"] {
                    assert!(!is_tidy(&format!("{start}{untidy}{end}")), "{start:?} {untidy:?}");
                }
            }
        }
    }

    #[test]
    fn a_folded_key_has_neither_case_nor_blanks() {
        let cases = [
            (" aw00 0585\t", "|AW000585"),
            ("AW000585", "|AW000585"),
            ("stra\u{df}e \u{a0}1", "|STRASSE1"),
            ("", "|"),
        ];
        for (text, expected) in cases {
            assert_eq!(written(fold_key, text), expected, "{text:?}");
        }
    }
}
