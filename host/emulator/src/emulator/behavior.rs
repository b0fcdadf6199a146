//! Switches that are turned while the emulator runs.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Emulator, commit};
use crate::environment::Environment;
use crate::error::EmulatorError;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::settings::{Behavior, Codes};
use crate::store::Transaction;

impl Emulator {
    /// The switches as they stand.
    #[must_use]
    pub fn behavior(&self) -> Behavior {
        self.environment().behavior.clone()
    }

    /// Turns switches; a reset brings back those of the settings.
    ///
    /// # Errors
    /// A value that makes no sense; two records that would have the same alternate
    /// key: nothing has changed. Or the state on disk cannot be written.
    pub fn set_behavior(&self, behavior: Behavior) -> Result<(), EmulatorError> {
        behavior.check().map_err(EmulatorError::Settings)?;
        // Whoever writes holds the store.
        let mut store = self.write_store();
        let old = self.environment();
        let rules = behavior.key_rules();
        if store.rules() != rules {
            store.ruled(&old.schema, rules)?;
        }
        let schema = Arc::clone(&old.schema);
        self.publish(Environment { schema, behavior, tables: old.tables.clone() });
        Ok(())
    }

    /// The switches with those of a JSON object laid over them; `null` is the
    /// default.
    pub(crate) fn patch_behavior(&self, body: &[u8]) -> Result<(), EmulatorError> {
        let wrong = |error: serde_json::Error| EmulatorError::Settings(error.to_string());
        let patch: Map<String, Value> = serde_json::from_slice(body).map_err(wrong)?;
        let mut all = serde_json::to_value(self.behavior()).map_err(wrong)?;
        merge(&mut all, Value::Object(patch));
        self.set_behavior(serde_json::from_value(all).map_err(wrong)?)
    }

    /// The refusals that have a name, as they are usually and now.
    pub(crate) fn shown_codes(&self) -> Value {
        let behavior = self.behavior();
        let shown = Codes::names().map(|(name, status, code)| {
            let now = Refusal::of(name).map(|refusal| refusal.coded(&behavior.codes));
            let now = now.map(|now| json!({"status": now.status, "code": now.code}));
            (name.to_owned(), json!({"usual": {"status": status, "code": code}, "now": now}))
        });
        Value::Object(shown.collect())
    }

    /// A refusal as the settings want it.
    pub(crate) fn refused(&self, refusal: Refusal) -> Reply {
        refusal.coded(&self.environment().behavior.codes).into()
    }

    /// Takes out the rows of elastic tables whose time to live is over.
    pub(crate) fn expire(&self, now: i64) -> Result<(), Refusal> {
        if self.read_store().next_expiry().is_none_or(|due| due > now) {
            return Ok(());
        }
        let mut store = self.write_store();
        let mut transaction = Transaction::begin(&mut store);
        transaction.expire(now);
        commit(transaction)
    }
}

/// JSON Merge Patch (RFC 7396).
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}
