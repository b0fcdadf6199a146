//! What was asked of the emulator: counts by kind of request, the requests
//! themselves, and what they created.
//!
//! A value. The newest requests and creates are kept, as many as the settings
//! say; how many are forgotten is told.

mod assertion;
mod creates;
mod log;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::settings::RecorderSettings;
pub use assertion::{Assertion, Verdict};
pub(crate) use creates::{Create, created};
pub use log::{RequestFilter, RequestRecord};

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
#[derive(Debug)]
pub(crate) struct Recorder {
    settings: RecorderSettings,
    /// Requests and records by kind.
    counts: BTreeMap<Kind, (u64, u64)>,
    /// Replies so far; never reset.
    replies: u64,
    requests: VecDeque<RequestRecord>,
    forgotten_requests: u64,
    creates: VecDeque<Create>,
    forgotten_creates: u64,
}

/// More kinds than this are counted together: paths are the client's to choose.
const KINDS_MAX: usize = 10_000;

impl Recorder {
    pub(crate) fn new(settings: RecorderSettings) -> Self {
        Self {
            settings,
            counts: BTreeMap::new(),
            replies: 0,
            requests: VecDeque::new(),
            forgotten_requests: 0,
            creates: VecDeque::new(),
            forgotten_creates: 0,
        }
    }

    /// Remembers a request.
    pub(crate) fn record(&mut self, request: RequestRecord) {
        self.requests.push_back(request);
        if self.requests.len() > self.settings.requests_max {
            self.requests.pop_front();
            self.forgotten_requests += 1;
        }
    }

    /// Remembers what was created.
    pub(crate) fn remember(&mut self, creates: Vec<Create>) {
        for create in creates {
            self.creates.push_back(create);
            if self.creates.len() > self.settings.creates_max {
                self.creates.pop_front();
                self.forgotten_creates += 1;
            }
        }
    }

    /// The requests that are meant, with what they created, and how many are
    /// forgotten.
    pub(crate) fn requests(&self, filter: &RequestFilter) -> (Vec<RequestRecord>, u64) {
        let meant = self.in_order().into_iter().filter(|one| filter.fits(one)).cloned();
        let mut meant: Vec<RequestRecord> = meant.collect();
        for create in &self.creates {
            let at = meant.binary_search_by_key(&create.request, |one| one.number);
            if let Some(one) = at.ok().and_then(|at| meant.get_mut(at)) {
                one.created.push(create.id);
            }
        }
        (meant, self.forgotten_requests)
    }

    /// Looks whether something holds.
    pub(crate) fn check(&self, assertion: &Assertion) -> Verdict {
        assertion.check(self)
    }

    /// In order of arrival: they are recorded in order of their ends.
    fn in_order(&self) -> Vec<&RequestRecord> {
        let mut all: Vec<&RequestRecord> = self.requests.iter().collect();
        all.sort_by_key(|one| one.number);
        all
    }

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
        self.requests.clear();
        self.creates.clear();
        self.forgotten_requests = 0;
        self.forgotten_creates = 0;
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
