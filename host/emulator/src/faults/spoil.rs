//! Replies that say something else than what happened. Pure.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::operation::Operation;
use crate::reply::Reply;

/// The last reply to each principal's request of each operation.
#[derive(Debug, Default)]
pub(crate) struct Earlier(HashMap<(String, Operation), Reply>);

impl Earlier {
    /// Keeps a reply and hands out the one before.
    pub(crate) fn exchange(
        &mut self,
        principal: &str,
        operation: Operation,
        reply: &Reply,
    ) -> Option<Reply> {
        self.0.insert((principal.to_owned(), operation), reply.clone())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The reply with ids or parts missing at its end, or there twice; as it is
/// where it counts nothing.
pub(crate) fn recount(mut reply: Reply, missing: usize, extra: usize) -> Reply {
    let spoiled = match reply.content_type.as_deref() {
        Some(kind) if kind.starts_with("multipart/") => parts(kind, &reply.body, missing, extra),
        Some(_) => ids(&reply.body, missing, extra),
        None => None,
    };
    if let Some(body) = spoiled {
        reply.body = body;
    }
    reply
}

fn respread<T: Clone>(all: &mut Vec<T>, missing: usize, extra: usize) {
    all.truncate(all.len().saturating_sub(missing));
    if let Some(last) = all.last().cloned() {
        all.extend(std::iter::repeat_n(last, extra));
    }
}

fn ids(body: &[u8], missing: usize, extra: usize) -> Option<Vec<u8>> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    let Value::Array(ids) = body.get_mut("Ids")? else { return None };
    respread(ids, missing, extra);
    Some(json!(body).to_string().into_bytes())
}

fn parts(content_type: &str, body: &[u8], missing: usize, extra: usize) -> Option<Vec<u8>> {
    let boundary = content_type.split_once("boundary=")?.1.split(';').next()?;
    let line = format!("--{boundary}\r\n");
    let text = std::str::from_utf8(body).ok()?;
    let (parts, end) = text.split_once(&format!("--{boundary}--"))?;
    let mut all: Vec<&str> = parts.split(line.as_str()).skip(1).collect();
    respread(&mut all, missing, extra);
    let mut spoiled = String::new();
    for part in all {
        spoiled.push_str(&line);
        spoiled.push_str(part);
    }
    Some(format!("{spoiled}--{boundary}--{end}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoiled(content_type: &str, body: &str, missing: usize, extra: usize) -> String {
        let reply = Reply::text(200, content_type, body);
        String::from_utf8(recount(reply, missing, extra).body).unwrap()
    }

    #[test]
    fn ids_are_missing_or_too_many() {
        let body = r#"{"Ids":["a","b","c"]}"#;
        for (missing, extra, expected) in [
            (1, 0, r#"{"Ids":["a","b"]}"#),
            (0, 2, r#"{"Ids":["a","b","c","c","c"]}"#),
            (9, 1, r#"{"Ids":[]}"#),
        ] {
            assert_eq!(spoiled("application/json", body, missing, extra), expected);
        }
        assert_eq!(spoiled("application/json", r#"{"value":[1]}"#, 1, 0), r#"{"value":[1]}"#);
    }

    #[test]
    fn parts_of_a_batch_are_missing_or_too_many() {
        let kind = "multipart/mixed; boundary=b";
        let body = "--b\r\n1\r\n--b\r\n2\r\n--b--\r\n";
        assert_eq!(spoiled(kind, body, 1, 0), "--b\r\n1\r\n--b--\r\n");
        assert_eq!(spoiled(kind, body, 0, 1), "--b\r\n1\r\n--b\r\n2\r\n--b\r\n2\r\n--b--\r\n");
    }
}
