//! `/emulator/*`: faults, switches, records of requests, assertions, snapshots,
//! reset. No token, no limits, not recorded.

use std::time::Duration;

use serde_json::json;

use crate::emulator::{Emulator, whole_seconds};
use crate::error::EmulatorError;
use crate::faults;
use crate::recorder::{Assertion, RequestFilter};
use crate::reply::Reply;

pub(crate) const PREFIX: &str = "/emulator/";

impl Emulator {
    /// Answers a request for the emulator itself; `path` is behind the prefix.
    pub(crate) fn administer(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
        now: Duration,
    ) -> Reply {
        match (method, path) {
            ("GET", "clock") => {
                let elapsed = self.clock.elapsed(now).as_secs_f64();
                Reply::value(200, &json!({"at": elapsed}))
            }
            ("GET", "faults") => self.shown_faults(),
            ("POST", "faults") => self.add_faults(body),
            ("DELETE", "faults") => {
                self.faults().clear();
                self.principals.forget_expired();
                Reply::empty(204)
            }
            ("GET", "behavior") => match serde_json::to_value(self.behavior()) {
                Ok(shown) => Reply::value(200, &shown),
                Err(error) => wrong(500, &error.to_string()),
            },
            ("PATCH", "behavior") => done(self.patch_behavior(body)),
            ("DELETE", "behavior") => done(self.set_behavior(self.settings().behavior.clone())),
            ("GET", "codes") => Reply::value(200, &self.shown_codes()),
            ("GET", "requests") if query.is_empty() => Reply::value(200, &self.recorder().shown()),
            ("GET", "requests") => self.shown_requests(query),
            ("DELETE", "requests") => {
                self.recorder().clear();
                Reply::empty(204)
            }
            ("GET", "assert") => self.asserted(query),
            ("POST", "snapshot") => self.snapshot_taken(query),
            ("POST", "restore") => self.snapshot_restored(query, body),
            ("POST", "reset") => done(self.reset(whole_seconds(now))),
            (
                _,
                "clock" | "faults" | "behavior" | "codes" | "requests" | "assert" | "snapshot"
                | "restore" | "reset",
            ) => Reply::empty(405),
            _ => Reply::empty(404),
        }
    }

    fn shown_faults(&self) -> Reply {
        let faults = self.faults();
        let counts: Vec<_> = faults
            .counts()
            .map(|(effect, seen, hit)| json!({"effect": effect, "seen": seen, "hit": hit}))
            .collect();
        Reply::value(200, &json!({"rules": faults.len(), "counts": counts}))
    }

    fn add_faults(&self, body: &[u8]) -> Reply {
        let rules =
            std::str::from_utf8(body).map_err(|error| error.to_string()).and_then(faults::read);
        match rules {
            Ok(rules) => {
                self.faults().extend(rules);
                Reply::empty(204)
            }
            Err(error) => wrong(400, &error),
        }
    }

    fn shown_requests(&self, query: &str) -> Reply {
        let filter = RequestFilter::read(query).and_then(|(filter, rest)| match rest.first() {
            // `?all` asks for all of them.
            Some((name, _)) if *name != "all" => Err(format!("`{name}` is not known")),
            _ => Ok(filter),
        });
        match filter {
            Ok(filter) => {
                let (requests, forgotten) = self.recorder().requests(&filter);
                Reply::value(200, &json!({"requests": requests, "forgotten": forgotten}))
            }
            Err(error) => wrong(400, &error),
        }
    }

    fn asserted(&self, query: &str) -> Reply {
        match Assertion::read(query) {
            Ok(assertion) => {
                let verdict = self.check(&assertion);
                let body = json!({
                    "ok": verdict.holds(),
                    "violations": verdict.violations,
                    "forgotten": verdict.forgotten,
                });
                Reply::value(if verdict.holds() { 200 } else { 409 }, &body)
            }
            Err(error) => wrong(400, &error),
        }
    }

    fn snapshot_taken(&self, query: &str) -> Reply {
        let bytes = match self.snapshot() {
            Ok(bytes) => bytes,
            Err(error) => return failed(&error),
        };
        if query.is_empty() {
            return Reply::text(200, "application/octet-stream", bytes);
        }
        done(named(query).and_then(|name| self.keep_snapshot(&name, &bytes)))
    }

    fn snapshot_restored(&self, query: &str, body: &[u8]) -> Reply {
        if query.is_empty() {
            return done(self.restore(body));
        }
        let kept = named(query).and_then(|name| self.kept_snapshot(&name));
        done(kept.and_then(|bytes| self.restore(&bytes)))
    }
}

/// `name=before-the-test`: a plain file name.
fn named(query: &str) -> Result<String, EmulatorError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match query.split_once('=') {
        Some(("name", name))
            if !name.is_empty() && name.len() <= 100 && name.chars().all(plain) =>
        {
            Ok(name.to_owned())
        }
        _ => Err(EmulatorError::Snapshot(format!(
            "expected `name=` and letters, digits, `-` or `_`, found `{query}`"
        ))),
    }
}

fn done(result: Result<(), EmulatorError>) -> Reply {
    result.map_or_else(|error| failed(&error), |()| Reply::empty(204))
}

fn failed(error: &EmulatorError) -> Reply {
    let ours = matches!(error, EmulatorError::State { .. });
    let reason = std::error::Error::source(error);
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    wrong(if ours { 500 } else { 400 }, &format!("{error}{reason}"))
}

fn wrong(status: u16, message: &str) -> Reply {
    Reply::value(status, &json!({"error": {"message": message}}))
}
