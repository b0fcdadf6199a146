//! What `dvsync rules build` writes into each component that it makes: a custom
//! section for whoever looks into it, and for the host, which gives interpreters
//! other limits. The contract's version needs no stamp: it stands in the names of
//! the exports. Pure.

use serde_json::json;

const SECTION: &str = "dvsync:rule";

/// The component with its stamp at the end.
pub(crate) fn stamped(mut component: Vec<u8>, language: &str, name: &str) -> Vec<u8> {
    let said = json!({"language": language, "name": name,
                      "built_by": concat!("dvsync ", env!("CARGO_PKG_VERSION"))});
    let mut content = leb128(SECTION.len());
    content.extend(SECTION.bytes());
    content.extend(said.to_string().bytes());
    // Section 0 is a custom one, in components as in modules.
    component.push(0);
    component.extend(leb128(content.len()));
    component.extend(content);
    component
}

/// Seven bits a byte, the lowest first, the high bit where more follow.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_a_custom_section_of_the_right_length() {
        assert_eq!(leb128(0), [0]);
        assert_eq!(leb128(127), [127]);
        assert_eq!(leb128(300), [0b1010_1100, 0b10]);
        let stamped = stamped(b"\0asm\x0d\0\x01\0".to_vec(), "python", &"x".repeat(200));
        assert_eq!(stamped[8], 0);
        // A length of two bytes, then so much and no more.
        let length = usize::from(stamped[9] & 0x7f) + (usize::from(stamped[10]) << 7);
        assert_eq!(stamped.len(), 11 + length);
        assert_eq!(&stamped[12..23], b"dvsync:rule");
    }
}
