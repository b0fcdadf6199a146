//! A desk to put requests on: text in, replies compared with what is expected.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use dvsync_emulator::{Emulator, Handled, Settings};
use http::Request;
use serde_json::Value;

pub(crate) const A1: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const A2: &str = "aaaaaaaa-0000-4000-8000-000000000002";
pub(crate) const A3: &str = "aaaaaaaa-0000-4000-8000-000000000003";
pub(crate) const C1: &str = "cccccccc-0000-4000-8000-000000000001";
pub(crate) const T1: &str = "dddddddd-0000-4000-8000-000000000001";
pub(crate) const U1: &str = "eeeeeeee-0000-4000-8000-000000000001";

/// A custom table with every kind of column.
pub(crate) const CONTRACTS: &str = r#"
[tables.new_contract]
schema_name = "new_Contract"
display = "Contract"
primary_name = "new_name"
keys.new_extid_key = ["new_extid"]
keys.new_line_key = ["new_region", "new_seq"]
keys.new_customer_key = ["new_customerid", "new_seq"]
keys.new_slow_key = { columns = ["new_note"], status = "pending" }

[tables.new_contract.columns]
new_name = { type = "text", max_length = 20, required = "system" }
new_extid = { type = "text", max_length = 50 }
new_region = { type = "text", max_length = 10 }
new_note = { type = "text", max_length = 10 }
new_seq = { type = "integer", min = 0, max = 1000 }
new_big = { type = "bigint" }
new_rate = { type = "decimal", precision = 3, min = -1000, max = 1000.5 }
new_weight = { type = "double", precision = 5, min = -1000, max = 1000 }
new_amount = { type = "money", precision = 2, min = 0, max = 1000000 }
new_open = { type = "boolean", default = 1 }
new_startson = { type = "date" }
new_signedat = { type = "datetime" }
new_localtime = { type = "datetime", behavior = "time_zone_independent" }
new_phase = { type = "choice", options = { 1 = "Draft", 2 = "Signed", 3 = "Over" } }
new_tags = { type = "choices", options = { 1 = "Blue", 4 = "Green", 9 = "Red" } }
new_token = { type = "uniqueidentifier" }
new_text = { type = "memo", max_length = 100000 }
new_total = { type = "integer", source = "calculated" }
new_fixed = { type = "text", update = false }
new_customerid = { type = "lookup", targets = ["account"], schema_name = "new_CustomerId" }
new_partyid = { type = "customer", schema_name = "new_PartyId" }
"#;

pub(crate) struct Desk {
    pub(crate) emulator: Emulator,
    pub(crate) now: Cell<Duration>,
}

pub(crate) struct Answer {
    pub(crate) handled: Handled,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.handled.response.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.handled.response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.handled.response.body()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or(Value::Null)
    }

    /// `204`, or `400 0x0 message`, or `200 body`.
    fn shown(&self) -> String {
        let error = &self.json()["error"];
        match (error["code"].as_str(), error["message"].as_str()) {
            (Some(code), Some(message)) => format!("{} {code} {message}", self.status()),
            _ => format!("{} {}", self.status(), self.text()).trim().to_owned(),
        }
    }

    /// `404`; `400 0x80044331 part of the message`; `200 {"name":"part of the
    /// body"}`: objects may have more members than expected, lists not.
    #[track_caller]
    pub(crate) fn expect(&self, expect: &str) {
        let (status, rest) = expect.split_once(' ').unwrap_or((expect, ""));
        let shown = self.shown();
        let fits = self.status().to_string() == status
            && if rest.starts_with(['{', '[']) {
                contains(&self.json(), &serde_json::from_str(rest).unwrap())
            } else if rest.is_empty() {
                true
            } else if self.status() < 400 {
                self.text() == rest
            } else {
                let (code, part) = rest.split_once(' ').unwrap_or((rest, ""));
                let error = &self.json()["error"];
                error["code"] == code && error["message"].as_str().unwrap_or("").contains(part)
            };
        assert!(fits, "expected `{expect}`\n   found `{shown}`");
    }
}

fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|f| contains(f, wanted)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(f, w)| contains(f, w))
        }
        _ => found == wanted,
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// Settings as TOML.
    pub(crate) fn with(settings: &str) -> Self {
        Self::of(Settings::from_toml(settings).unwrap())
    }

    /// With the contracts table, and settings.
    pub(crate) fn contracts(settings: &str) -> Self {
        Self::with(&format!("{settings}\n{CONTRACTS}"))
    }

    pub(crate) fn of(settings: Settings) -> Self {
        let now = Cell::new(Duration::from_secs(1_900_000_000));
        Self { emulator: Emulator::new(settings).unwrap(), now }
    }

    pub(crate) fn later(&self, seconds: u64) {
        self.now.set(self.now.get() + Duration::from_secs(seconds));
    }

    /// `METHOD path`, header lines, a blank line, the body. A path without a
    /// leading slash is behind the service root; a token is sent unless there is
    /// an `Authorization` line.
    #[track_caller]
    pub(crate) fn send(&self, request: &str) -> Answer {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        self.send_body(head, body.as_bytes())
    }

    #[track_caller]
    pub(crate) fn send_body(&self, head: &str, body: &[u8]) -> Answer {
        let mut lines = head.lines().map(str::trim);
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/api/data/v9.2/{path}"),
        };
        let url = format!("https://org.example{}", escaped(&path));
        let mut builder = Request::builder().method(method).uri(url);
        let mut token = false;
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            token |= name.eq_ignore_ascii_case("authorization");
            builder = builder.header(name, value.trim());
        }
        if !token {
            builder = builder.header("authorization", "Bearer emulator");
        }
        let request = builder.body(Bytes::copy_from_slice(body)).unwrap();
        Answer { handled: self.emulator.handle(request, self.now.get()) }
    }

    /// Sends a request and compares; see [`Answer::expect`].
    #[track_caller]
    pub(crate) fn check(&self, request: &str, expect: &str) -> Answer {
        let answer = self.send(request);
        answer.expect(expect);
        answer
    }

    /// All rows of a set, as one text: what must not change.
    pub(crate) fn rows(&self, set: &str) -> String {
        let answer = self.send(&format!("GET {set}"));
        assert_eq!(answer.status(), 200);
        answer.text().to_owned()
    }
}

/// What may not stand in a URL as it is.
fn escaped(path: &str) -> String {
    [(' ', "%20"), ('"', "%22"), ('<', "%3C"), ('>', "%3E")]
        .iter()
        .fold(path.to_owned(), |path, (plain, encoded)| path.replace(*plain, encoded))
}

/// A bulk body: `type` is put into every record.
pub(crate) fn targets(table: &str, records: &[&str]) -> String {
    let records: Vec<String> = records
        .iter()
        .map(|record| {
            let inside = record.trim().trim_start_matches('{');
            let comma = if inside.trim() == "}" { "" } else { "," };
            format!("{{\"@odata.type\":\"Microsoft.Dynamics.CRM.{table}\"{comma}{inside}")
        })
        .collect();
    format!("{{\"Targets\":[{}]}}", records.join(","))
}
