//! The service of a case, seen from outside: what there is, what others do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dvsync_dataverse::Clock;
use dvsync_emulator::{Assertion, Emulator, Settings, Unguarded};
use http::Request;
use serde_json::{Value, json};

use crate::case::{CONTACTS, CONTACTS_LATER, Case, Other};
use crate::model::{Expected, Record, Target, key};
use crate::setting::{URL, email, settings};

const API: &str = "/api/data/v9.2";

/// A service, and the time there.
pub(crate) struct World {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) clock: Clock,
}

impl World {
    /// With the records and faults of the case.
    pub(crate) fn new(case: &Case) -> Self {
        let clock = Clock::starting_at("2026-01-05T08:00:00Z".parse().unwrap());
        let settings = Settings::from_toml(&settings(case)).unwrap();
        let world = Self { emulator: Arc::new(Emulator::new(settings).unwrap()), clock };
        world.add_contacts(0..CONTACTS);
        for row in &case.before {
            let record = json!({"new_no": key(row.no), "new_name": row.name, "new_n": row.n});
            world.done("POST", "new_things", &record);
        }
        for fault in &case.faults {
            assert_eq!(world.ask("POST", "/emulator/faults", fault).0, 204, "{fault}");
        }
        world
    }

    pub(crate) fn add_missing_contacts(&self) {
        self.add_contacts(CONTACTS..CONTACTS_LATER);
    }

    fn add_contacts(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let record = json!({"lastname": "C", "emailaddress1": email(number)});
            self.done("POST", "contacts", &record);
        }
    }

    pub(crate) fn no_faults(&self) {
        assert_eq!(self.ask("DELETE", "/emulator/faults", &Value::Null).0, 204);
    }

    /// What somebody else does, as far as it can be done; `expected` knows.
    pub(crate) fn touch(&self, others: &[Other], expected: &mut Expected) {
        for other in others {
            if !expected.other(other) {
                continue;
            }
            match other {
                Other::Rename(no, name) => {
                    let path = format!("new_things({})", self.id(*no));
                    self.done("PATCH", &path, &json!({"new_name": name}));
                }
                Other::Delete(no) => {
                    let path = format!("new_things({})", self.id(*no));
                    self.done("DELETE", &path, &Value::Null);
                }
                Other::Create(row) => {
                    let record =
                        json!({"new_no": key(row.no), "new_name": row.name, "new_n": row.n});
                    self.done("POST", "new_things", &record);
                }
            }
        }
        // What was deleted may be created again.
        self.no_create_twice();
        assert_eq!(self.ask("DELETE", "/emulator/requests", &Value::Null).0, 204);
    }

    fn id(&self, no: u32) -> String {
        let rows = self.rows("new_things", &format!("$filter=new_no%20eq%20'{}'", key(no)));
        rows[0]["new_thingid"].as_str().unwrap().to_owned()
    }

    pub(crate) fn no_create_twice(&self) {
        let created = self.emulator.check(&Assertion::NoCreateTwice);
        assert!(created.holds(), "{:?}", created.violations);
    }

    pub(crate) fn retry_after_kept(&self) {
        let grace = Duration::from_secs(1);
        let kept = self.emulator.check(&Assertion::RetryAfterKept { grace });
        assert!(kept.holds(), "{:?}", kept.violations);
    }

    /// All records; doubles fail.
    pub(crate) fn target(&self) -> Target {
        let contacts: BTreeMap<String, u32> = self
            .rows("contacts", "$select=contactid,emailaddress1")
            .into_iter()
            .map(|row| {
                let email = row["emailaddress1"].as_str().unwrap();
                let number = email.trim_start_matches('c').split('@').next().unwrap();
                (row["contactid"].as_str().unwrap().to_owned(), number.parse().unwrap())
            })
            .collect();
        let mut target = Target::new();
        let columns = "$select=new_no,new_name,new_n,twice,_new_contactid_value";
        for row in self.rows("new_things", columns) {
            let number = |name: &str| row[name].as_i64().map(|n| i32::try_from(n).unwrap());
            let record = Record {
                name: row["new_name"].as_str().unwrap_or_default().to_owned(),
                n: number("new_n"),
                contact: row["_new_contactid_value"].as_str().map(|id| contacts[id]),
                twice: number("twice"),
            };
            let key = row["new_no"].as_str().unwrap().to_owned();
            let double = target.insert(key, record);
            assert!(double.is_none(), "two records of one key: {row} and {double:?}");
        }
        target
    }

    fn rows(&self, set: &str, query: &str) -> Vec<Value> {
        let (status, said) = self.ask("GET", &format!("{API}/{set}?{query}"), &Value::Null);
        assert_eq!(status, 200, "{said}");
        said["value"].as_array().unwrap().clone()
    }

    fn done(&self, method: &str, path: &str, body: &Value) {
        let (status, said) = self.ask(method, &format!("{API}/{path}"), body);
        assert_eq!(status, 204, "{said}");
    }

    /// As somebody whom no limits and faults meet.
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{URL}{path}"))
            .header("content-type", "application/json")
            .body(if body.is_null() { Bytes::new() } else { body.to_string().into() })
            .unwrap();
        request.extensions_mut().insert(Unguarded);
        let now = Duration::try_from(self.clock.wall().as_duration()).unwrap();
        let response = self.emulator.handle(request, now).response;
        let said = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), said)
    }
}
