//! What a reply says: error bodies, request ids, waits, bulk results.
//!
//! Tolerant of all that the service and what stands before it are known to
//! send (JSON of several shapes, HTML, nothing). Pure; arbitrary bytes never
//! panic.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;

use crate::code::ErrorCode;

pub(crate) mod multipart;
pub(crate) mod statuses;

/// The generic SQL codes, whose messages hold the number of the SQL error.
const SQL_CODES: [u32; 2] = [0x8004_4150, 0x8004_4151];

/// What an error reply says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Problem {
    pub(crate) code: Option<ErrorCode>,
    pub(crate) message: String,
    pub(crate) sql_number: Option<i32>,
    /// A page for people, not an answer of the API.
    pub(crate) html: bool,
}

#[derive(Deserialize)]
struct RawBody<'a> {
    #[serde(borrow)]
    error: RawError<'a>,
}

#[derive(Deserialize)]
struct RawError<'a> {
    #[serde(borrow, default)]
    code: Option<&'a serde_json::value::RawValue>,
    #[serde(default)]
    message: Option<serde_json::Value>,
}

/// Reads the body of a refusal.
pub(crate) fn problem(body: &[u8]) -> Problem {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    if let Ok(RawBody { error }) = serde_json::from_slice::<RawBody<'_>>(body) {
        let code = error.code.and_then(|raw| ErrorCode::parse(raw.get().trim_matches('"')));
        let message = match error.message {
            Some(serde_json::Value::String(text)) => text,
            // Older bodies: {"message":{"lang":"en-US","value":"..."}}
            Some(serde_json::Value::Object(members)) => members
                .get("value")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            _ => String::new(),
        };
        let sql_number =
            code.filter(|code| SQL_CODES.contains(&code.0)).and_then(|_| sql_number(&message));
        return Problem { code, message, sql_number, html: false };
    }
    if body.is_empty() {
        return Problem::default();
    }
    if body.first() == Some(&b'<') {
        let message = match html_title(body) {
            Some(title) => format!("a web page titled `{title}`"),
            None => "a web page".to_owned(),
        };
        return Problem { message, html: true, ..Problem::default() };
    }
    Problem { message: "a body that is no JSON error".to_owned(), ..Problem::default() }
}

/// `Sql Number: 1205` within a message: the one place where text decides.
fn sql_number(message: &str) -> Option<i32> {
    const LABEL: &[u8] = b"sql number:";
    let bytes = message.as_bytes();
    let at = bytes.windows(LABEL.len()).position(|window| window.eq_ignore_ascii_case(LABEL))?;
    let rest = message.get(at + LABEL.len()..)?.trim_start();
    let end = rest
        .char_indices()
        .find(|&(position, c)| !(c.is_ascii_digit() || (position == 0 && c == '-')))
        .map_or(rest.len(), |(position, _)| position);
    rest[..end].parse().ok()
}

fn html_title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]).into_owned();
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title: String = text[start..end]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(80)
        .collect();
    (!title.is_empty()).then_some(title)
}

/// What Microsoft's support asks for.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-ms-service-request-id", "req_id", "x-ms-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        .map(str::to_owned)
}

/// The wait that a reply asks for: seconds, or a date (counted from the
/// reply's own date, so that a wrong clock of ours does not shorten it).
/// Rounded up.
pub(crate) fn retry_after(headers: &HeaderMap, wall: Timestamp) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0).ceil()).ok();
    }
    let until = http_date(text)?;
    let now = headers
        .get(http::header::DATE)
        .and_then(|date| http_date(date.to_str().ok()?))
        .unwrap_or(wall);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// How many requests to send at once, as the service hints.
pub(crate) fn dop_hint(headers: &HeaderMap) -> Option<usize> {
    headers.get("x-ms-dop-hint")?.to_str().ok()?.trim().parse().ok()
}

/// What is left of requests and of seconds, as the web server that answered
/// says: `5999`, `1,200.00`.
pub(crate) fn remaining(headers: &HeaderMap) -> (Option<f64>, Option<f64>) {
    let number = |name: &str| -> Option<f64> {
        headers.get(name)?.to_str().ok()?.trim().replace(',', "").parse().ok()
    };
    (
        number("x-ms-ratelimit-burst-remaining-xrm-requests"),
        number("x-ms-ratelimit-time-remaining-xrm-requests"),
    )
}

/// A reply that was read whole.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The boundary, if the body is multipart.
    pub(crate) fn boundary(&self) -> Option<String> {
        multipart::boundary(self.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?)
    }

    /// Whether an operation within a batch was throttled, and the longest wait
    /// that was asked for: whether the service does that is not documented.
    pub(crate) fn throttled_within(&self) -> Option<Option<Duration>> {
        // Most batches hold none: do not read them twice.
        memchr::memmem::find(&self.body, b"HTTP/1.1 429")?;
        let found = multipart::parts(&self.body, &self.boundary()?)?;
        let throttled = found.parts.iter().filter(|part| part.status == 429);
        throttled
            .map(|part| {
                let seconds: f64 = part.header("retry-after")?.parse().ok()?;
                Duration::try_from_secs_f64(seconds.ceil()).ok()
            })
            .max()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str, code: Option<u32>, message: &str, sql_number: Option<i32>) {
        let found = problem(body.as_bytes());
        assert_eq!(found.code, code.map(ErrorCode), "{body}");
        assert_eq!(found.message, message, "{body}");
        assert_eq!(found.sql_number, sql_number, "{body}");
    }

    #[test]
    fn error_bodies_of_all_shapes_are_read() {
        check(
            r#"{"error":{"code":"0x80040217","message":"gone"}}"#,
            Some(0x8004_0217),
            "gone",
            None,
        );
        check(r#"{"error":{"code":"0x8004Ed47","message":"x"}}"#, Some(0x8004_ed47), "x", None);
        check(r#"{"error":{"code":"-2147220969","message":"x"}}"#, Some(0x8004_0217), "x", None);
        check(r#"{"error":{"code":-2147220969,"message":"x"}}"#, Some(0x8004_0217), "x", None);
        check(
            r#"{"error":{"code":"","message":"No HTTP resource"}}"#,
            None,
            "No HTTP resource",
            None,
        );
        check(r#"{"error":{"code":"0x0","message":"m"}}"#, Some(0), "m", None);
        check(r#"{"error":{"message":{"lang":"en","value":"old"}}}"#, None, "old", None);
        check("\u{feff}{\"error\":{\"code\":null}}", None, "", None);
        check("", None, "", None);
        check("<html><head><title>\n Sign in </title>", None, "a web page titled `Sign in`", None);
        check("oops", None, "a body that is no JSON error", None);
    }

    #[test]
    fn the_sql_number_is_read_from_the_two_sql_codes_only() {
        let message = "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: \
                       -2146232060 Sql Number: 1205";
        let body = |code: &str, text: &str| {
            format!(r#"{{"error":{{"code":"{code}","message":"{text}"}}}}"#)
        };
        check(&body("0x80044150", message), Some(0x8004_4150), message, Some(1205));
        check(&body("0x80044151", "sql number: -2"), Some(0x8004_4151), "sql number: -2", Some(-2));
        check(&body("0x80040216", message), Some(0x8004_0216), message, None);
        check(&body("0x80044150", "Sql Number:"), Some(0x8004_4150), "Sql Number:", None);
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_and_never_cut() {
        let wall: Timestamp = "2031-04-01T08:00:00Z".parse().unwrap();
        for (value, date, expected) in [
            ("37", None, Some(37)),
            (" 0 ", None, Some(0)),
            ("1.2", None, Some(2)),
            ("-5", None, Some(0)),
            ("Tue, 01 Apr 2031 08:01:30 GMT", None, Some(90)),
            ("Tue, 01 Apr 2031 08:01:30 GMT", Some("Tue, 01 Apr 2031 07:59:30 GMT"), Some(120)),
            ("Tue, 01 Apr 2031 07:00:00 GMT", None, Some(0)),
            ("soon", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_static(value));
            if let Some(date) = date {
                headers.insert("date", HeaderValue::from_static(date));
            }
            assert_eq!(
                retry_after(&headers, wall),
                expected.map(Duration::from_secs),
                "{value} {date:?}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new(), wall), None);
    }

    #[test]
    fn what_is_left_is_read_in_the_services_own_notation() {
        for (requests, seconds, expected) in [
            ("5999", "1,200.00", (Some(5999.0), Some(1200.0))),
            ("0", "7.46", (Some(0.0), Some(7.46))),
            ("many", "", (None, None)),
        ] {
            let mut headers = HeaderMap::new();
            let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
            put("x-ms-ratelimit-burst-remaining-xrm-requests", requests);
            put("x-ms-ratelimit-time-remaining-xrm-requests", seconds);
            assert_eq!(remaining(&headers), expected);
        }
        assert_eq!(remaining(&HeaderMap::new()), (None, None));
    }

    proptest! {
        #[test]
        fn no_body_panics(body in any::<Vec<u8>>(), text in ".*") {
            let _ = problem(&body);
            let _ = problem(text.as_bytes());
            let _ = problem(format!("<title>{text}</title>").as_bytes());
            let _ = sql_number(&text);
        }
    }
}
