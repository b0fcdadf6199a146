//! The reply to a `$batch`: parts, each a small HTTP response.
//!
//! Accepts what the service is known or feared to send: quoted boundaries, bare
//! line feeds, a missing blank after a header's colon, changesets whose failure
//! stands plainly or wrapped, a missing closing delimiter after the last whole
//! part. A cut body yields the whole parts before the cut.

use bytes::Bytes;

/// One part: a small HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// Of the changeset it stood in, counted from 0; absent outside one.
    pub(crate) changeset: Option<usize>,
}

impl Part {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// What a batch reply holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) parts: Vec<Part>,
    /// The closing delimiter came: nothing is missing.
    pub(crate) closed: bool,
}

/// The boundary that a content type names; `None` unless it is multipart.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("boundary") {
            return None;
        }
        let value = value.trim().trim_matches('"');
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// Reads the parts; `None` when the body is not made of parts at all.
pub(crate) fn parts(body: &Bytes, boundary: &str) -> Option<Parts> {
    let mut changesets = 0;
    let mut found = Vec::new();
    let sections = sections(body, boundary);
    if sections.ranges.is_empty() && !sections.closed {
        return None;
    }
    for section in sections.ranges {
        let section = body.slice(section);
        let (headers, content) = head(&section)?;
        let content_type = value(&headers, "content-type").unwrap_or_default();
        match self::boundary(content_type) {
            Some(inner) => {
                let within = self::sections(&content, &inner);
                for range in within.ranges {
                    let section = content.slice(range);
                    let (_, response) = head(&section)?;
                    found.push(part(&response, Some(changesets))?);
                }
                changesets += 1;
            }
            None => found.push(part(&content, None)?),
        }
    }
    Some(Parts { parts: found, closed: sections.closed })
}

struct Sections {
    ranges: Vec<std::ops::Range<usize>>,
    closed: bool,
}

/// What stands between delimiter lines. What follows the last delimiter counts
/// only if the closing one came: it may be cut.
fn sections(body: &[u8], boundary: &str) -> Sections {
    let delimiter = format!("--{boundary}");
    let finder = memchr::memmem::Finder::new(delimiter.as_bytes());
    let mut ranges = Vec::new();
    let mut start = None;
    let mut closed = false;
    let mut at = 0;
    while let Some(offset) = body.get(at..).and_then(|rest| finder.find(rest)) {
        let found = at + offset;
        let after = found + delimiter.len();
        at = after;
        let begins_line = found == 0 || body[found - 1] == b'\n';
        let rest = &body[after..];
        let closes = rest.starts_with(b"--");
        let ends_line = closes
            || rest.is_empty()
            || rest.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) == Some(&b'\n');
        if !begins_line || !ends_line {
            continue;
        }
        if let Some(start) = start {
            ranges.push(start..trim_line_end(body, start, found));
        }
        if closes {
            closed = true;
            break;
        }
        let line = memchr::memchr(b'\n', rest).map_or(body.len(), |end| after + end + 1);
        start = Some(line);
        at = line;
    }
    Sections { ranges, closed }
}

/// The line end before a delimiter belongs to the delimiter.
fn trim_line_end(body: &[u8], start: usize, end: usize) -> usize {
    let slice = &body[start.min(end)..end];
    let slice = slice.strip_suffix(b"\n").unwrap_or(slice);
    let slice = slice.strip_suffix(b"\r").unwrap_or(slice);
    start.min(end) + slice.len()
}

type Headers = Vec<(String, String)>;

/// Splits headers from what follows the blank line.
fn head(section: &Bytes) -> Option<(Headers, Bytes)> {
    let mut headers = Vec::new();
    let mut at = 0;
    loop {
        let rest = section.get(at..)?;
        if rest.is_empty() {
            // Headers and no blank line: no content.
            return Some((headers, Bytes::new()));
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        at += (end + 1).min(rest.len());
        if line.is_empty() {
            return Some((headers, section.slice(at..)));
        }
        let line = std::str::from_utf8(line).ok()?;
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn value<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// A response: `HTTP/1.1 204 No Content`, headers, body.
fn part(response: &Bytes, changeset: Option<usize>) -> Option<Part> {
    // Stray line ends before the status line are harmless.
    let skip = response.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let response = response.slice(skip..);
    let end = memchr::memchr(b'\n', &response).unwrap_or(response.len());
    let line = std::str::from_utf8(&response[..end]).ok()?;
    let mut words = line.split_whitespace();
    if !words.next()?.starts_with("HTTP/") {
        return None;
    }
    let status = words.next()?.parse().ok().filter(|status| (100..1000).contains(status))?;
    let (headers, body) = head(&response.slice((end + 1).min(response.len())..))?;
    let body = body.slice_ref(body.trim_ascii());
    Some(Part { status, headers, body, changeset })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Status, body, changeset of each part; then whether it is closed.
    fn check(body: &str, boundary: &str, expected: &[(u16, &str, Option<usize>)], closed: bool) {
        let found = parts(&Bytes::copy_from_slice(body.as_bytes()), boundary)
            .unwrap_or_else(|| panic!("no parts in {body:?}"));
        let summary: Vec<_> = found
            .parts
            .iter()
            .map(|part| (part.status, std::str::from_utf8(&part.body).unwrap(), part.changeset))
            .collect();
        assert_eq!(summary, expected);
        assert_eq!(found.closed, closed);
    }

    fn crlf(text: &str) -> String {
        text.replace('\n', "\r\n")
    }

    const HEAD: &str = "Content-Type: application/http\nContent-Transfer-Encoding: binary\n";

    #[test]
    fn boundaries_are_read_quoted_or_not() {
        for (content_type, expected) in [
            ("multipart/mixed; boundary=batchresponse_3f", Some("batchresponse_3f")),
            ("multipart/mixed;boundary=\"b 1\"", Some("b 1")),
            ("Multipart/Mixed; charset=utf-8; Boundary=x", Some("x")),
            ("multipart/mixed; boundary=", None),
            ("multipart/mixed", None),
            ("application/json; boundary=x", None),
        ] {
            assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
        }
    }

    #[test]
    fn operations_outside_changesets_come_in_order() {
        let body = crlf(&format!(
            "--b\n{HEAD}\nHTTP/1.1 204 No Content\nOData-Version: 4.0\nLocation:https://x/accounts(1)\n\n\n\
             --b\n{HEAD}\nHTTP/1.1 400 Bad Request\nREQ_ID: r\n\n{{\"error\":{{}}}}\n--b--\n"
        ));
        check(&body, "b", &[(204, "", None), (400, "{\"error\":{}}", None)], true);
        let found = parts(&Bytes::from(body), "b").unwrap();
        assert_eq!(found.parts[0].header("location"), Some("https://x/accounts(1)"));
        assert_eq!(found.parts[1].header("req_id"), Some("r"));
    }

    #[test]
    fn a_changeset_failure_is_read_wrapped_or_plain() {
        let plain =
            crlf(&format!("--b\n{HEAD}\nHTTP/1.1 412 Precondition Failed\n\n{{}}\n--b--\n"));
        check(&plain, "b", &[(412, "{}", None)], true);
        let wrapped = crlf(&format!(
            "--b\nContent-Type: multipart/mixed; boundary=changesetresponse_1\n\n\
             --changesetresponse_1\n{HEAD}Content-ID: 2\n\nHTTP/1.1 412 Precondition Failed\n\n{{}}\n\
             --changesetresponse_1--\n\
             --b\nContent-Type: multipart/mixed; boundary=\"c2\"\n\n\
             --c2\n{HEAD}Content-ID: 3\n\nHTTP/1.1 204 No Content\n\n\n--c2--\n--b--\n"
        ));
        check(&wrapped, "b", &[(412, "{}", Some(0)), (204, "", Some(1))], true);
    }

    #[test]
    fn bare_line_feeds_and_boundary_lookalikes_are_tolerated() {
        let body =
            format!("preamble\n--b\n{HEAD}\nHTTP/1.1 200 OK\n\n{{\"a\":\"--b and --bx\"}}\n--b--");
        check(&body, "b", &[(200, "{\"a\":\"--b and --bx\"}", None)], true);
    }

    #[test]
    fn a_cut_body_yields_the_whole_parts_before_the_cut_and_says_so() {
        let body = crlf(&format!(
            "--b\n{HEAD}\nHTTP/1.1 204 No Content\n\n\n--b\n{HEAD}\nHTTP/1.1 204 No Con"
        ));
        check(&body, "b", &[(204, "", None)], false);
    }

    #[test]
    fn an_empty_batch_is_closed_and_garbage_is_no_batch() {
        check("--b--\r\n", "b", &[], true);
        for garbage in ["", "{\"error\":{}}", "<html>", "--other\r\n\r\n", "--b\r\nx\r\n--b--"] {
            assert_eq!(parts(&Bytes::from(garbage), "b"), None, "{garbage:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in any::<Vec<u8>>(), boundary in "[a-z_]{0,3}") {
            let _ = parts(&Bytes::from(body), &boundary);
        }

        #[test]
        fn no_damage_panics(
            cuts in proptest::collection::vec((0..400usize, any::<u8>()), 0..6),
            end in 0..400usize,
        ) {
            let mut body = crlf(&format!(
                "--b\n{HEAD}\nHTTP/1.1 204 No Content\nA: b\n\n\n--b\nContent-Type: multipart/mixed; \
                 boundary=c\n\n--c\n{HEAD}\nHTTP/1.1 400 Bad\n\n{{}}\n--c--\n--b--\n"
            )).into_bytes();
            for (at, byte) in cuts {
                if let Some(place) = body.get_mut(at) {
                    *place = byte;
                }
            }
            body.truncate(end);
            let _ = parts(&Bytes::from(body), "b");
        }
    }
}
