//! `multipart/mixed`, to the letter: every line ends with CR LF.

use memchr::memmem;

use crate::refusal::{Name, Refusal};

/// What the service says of a body with other line ends, or cut short.
pub(super) fn not_readable() -> Refusal {
    Refusal::payload("Stream was not readable.").renamed(Name::BatchUnreadable)
}

/// The boundary of a content type; `None` if it is not `multipart/mixed`.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let boundary = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value.trim().trim_matches('"'))
    })?;
    (!boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
}

/// The parts between the delimiters. `outermost`: a line end must follow the
/// closing delimiter too.
pub(super) fn parts<'b>(
    body: &'b [u8],
    boundary: &str,
    outermost: bool,
) -> Result<Vec<&'b [u8]>, Refusal> {
    let delimiter = format!("--{boundary}");
    let separator = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(separator.as_bytes());
    let mut rest = body.strip_prefix(b"\r\n").unwrap_or(body);
    rest = rest.strip_prefix(delimiter.as_bytes()).ok_or_else(not_readable)?;
    let mut parts = Vec::new();
    loop {
        if let Some(epilogue) = rest.strip_prefix(b"--") {
            let blank = epilogue.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            let ended = epilogue.starts_with(b"\r\n") || !outermost && epilogue.is_empty();
            return if blank && ended { Ok(parts) } else { Err(not_readable()) };
        }
        let content = rest.strip_prefix(b"\r\n").ok_or_else(not_readable)?;
        let end = finder.find(content).ok_or_else(not_readable)?;
        parts.push(&content[..end]);
        rest = &content[end + separator.len()..];
    }
}

/// The next line, without its end.
pub(super) fn line<'b>(rest: &mut &'b [u8]) -> Result<&'b str, Refusal> {
    let end = memmem::find(rest, b"\r\n").ok_or_else(not_readable)?;
    let (line, after) = rest.split_at(end);
    *rest = &after[2..];
    if memchr::memchr2(b'\n', b'\r', line).is_some() {
        return Err(not_readable());
    }
    std::str::from_utf8(line).map_err(|_| not_readable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_may_be_quoted() {
        let expect = [
            ("multipart/mixed; boundary=b1", Some("b1")),
            ("multipart/mixed;boundary=\"b 1\"", Some("b 1")),
            ("Multipart/Mixed; charset=x; Boundary=b1", Some("b1")),
            ("application/json", None),
            ("multipart/mixed", None),
            ("multipart/mixed; boundary=", None),
        ];
        for (content_type, expected) in expect {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn only_carriage_return_and_line_feed_end_a_line() {
        let good = b"--b\r\nA\r\n--b\r\nB\r\n--b--\r\n";
        assert_eq!(parts(good, "b", true).unwrap(), [b"A", b"B"]);
        for bad in [
            b"--b\nA\n--b--\n".as_slice(),
            b"--b\r\nA\r\n--b--",
            b"--b\r\nA\r\n",
            b"",
            b"--c\r\nA\r\n--c--\r\n",
            b"--b\r\nA\r\n--b--\r\nmore",
        ] {
            assert!(parts(bad, "b", true).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        assert!(parts(b"--b\r\nA\r\n--b--", "b", false).is_ok());
    }
}
