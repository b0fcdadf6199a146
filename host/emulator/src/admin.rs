//! `/emulator/*`: faults, counts, reset. No token, no limits, not recorded.

use serde_json::json;

use crate::emulator::Emulator;
use crate::faults::FaultRule;
use crate::reply::Reply;

pub(crate) const PREFIX: &str = "/emulator/";

impl Emulator {
    /// Answers a request for the emulator itself; `path` is behind the prefix.
    pub(crate) fn administer(&self, method: &str, path: &str, body: &[u8], now: i64) -> Reply {
        match (method, path) {
            ("GET", "faults") => {
                let rules = self.faults().len();
                Reply::value(200, &json!({"rules": rules}))
            }
            ("POST", "faults") => match read_rules(body) {
                Ok(rules) => {
                    self.faults().extend(rules);
                    Reply::empty(204)
                }
                Err(error) => Reply::value(400, &json!({"error": {"message": error.to_string()}})),
            },
            ("DELETE", "faults") => {
                self.faults().clear();
                Reply::empty(204)
            }
            ("GET", "requests") => Reply::value(200, &self.recorder().shown()),
            ("DELETE", "requests") => {
                self.recorder().clear();
                Reply::empty(204)
            }
            ("POST", "reset") => match self.reset(now) {
                Ok(()) => Reply::empty(204),
                Err(error) => Reply::value(500, &json!({"error": {"message": error.to_string()}})),
            },
            (_, "faults" | "requests" | "reset") => Reply::empty(405),
            _ => Reply::empty(404),
        }
    }
}

/// One rule or a list of them.
fn read_rules(body: &[u8]) -> Result<Vec<FaultRule>, serde_json::Error> {
    if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(body)
    } else {
        serde_json::from_slice(body).map(|rule| vec![rule])
    }
}
