//! What was asked of the emulator: counts by kind of request.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A kind of request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) method: String,
    /// `accounts`, `accounts(...)`, `accounts/CreateMultiple`, `$batch`.
    pub(crate) path: String,
    pub(crate) status: u16,
    /// An operation of a batch.
    pub(crate) in_batch: bool,
}

/// Counts since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// Requests and records by kind.
    counts: BTreeMap<Kind, (u64, u64)>,
    /// Replies so far; never reset.
    replies: u64,
}

/// More kinds than this are counted together: paths are the client's to choose.
const KINDS_MAX: usize = 10_000;

impl Recorder {
    pub(crate) fn note(&mut self, kind: Kind, records: u64) {
        let full = self.counts.len() >= KINDS_MAX && !self.counts.contains_key(&kind);
        let kind = if full { Kind { path: "...".to_owned(), ..kind } } else { kind };
        let count = self.counts.entry(kind).or_default();
        count.0 += 1;
        count.1 += records;
    }

    /// A number that no reply had before.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.replies += 1;
        self.replies
    }

    pub(crate) fn clear(&mut self) {
        self.counts.clear();
    }

    pub(crate) fn shown(&self) -> Value {
        let all: Vec<Value> = self
            .counts
            .iter()
            .map(|(kind, (requests, records))| {
                json!({
                    "method": kind.method,
                    "path": kind.path,
                    "status": kind.status,
                    "in_batch": kind.in_batch,
                    "requests": requests,
                    "records": records,
                })
            })
            .collect();
        let outer = self.counts.iter().filter(|(kind, _)| !kind.in_batch);
        let total: u64 = outer.map(|(_, (requests, _))| requests).sum();
        json!({"total": total, "requests": all})
    }
}

/// The class of a path: keys and queries left out.
pub(crate) fn class(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let mut class = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('(') {
        class.push_str(before);
        class.push_str("(...)");
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    class.push_str(rest);
    class.replace("Microsoft.Dynamics.CRM.", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_no_keys_and_no_query() {
        let expect = [
            ("accounts?$select=name", "accounts"),
            ("accounts(1)/name", "accounts(...)/name"),
            ("accounts/Microsoft.Dynamics.CRM.CreateMultiple", "accounts/CreateMultiple"),
            ("EntityDefinitions(LogicalName='a')/Keys", "EntityDefinitions(...)/Keys"),
            ("accounts(a='b", "accounts(...)"),
        ];
        for (target, expected) in expect {
            assert_eq!(class(target), expected);
        }
    }
}
