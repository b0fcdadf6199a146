//! Records that a request which was never answered may still change.
//!
//! The service may commit a request minutes after its client has given up. An
//! update or upsert of an earlier run that comes so late would overwrite what a
//! later one has written: its records are not written before its time has
//! passed. Creates hold nothing: they carry an id, so a late one is refused.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray};
use dvsync_dataverse::{Client, Select};
use dvsync_model::{Entity, KeyHash};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

use crate::blocking::unblock;
use crate::error::RunError;
use crate::journal::{Doubt, Fate, Journal, Reply, Run};

/// Records that are not to be written yet, by id or match key.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    until: HashMap<u128, Timestamp>,
}

impl Holds {
    /// Until when this record must not be written; nothing where it may be.
    pub(crate) fn until(
        &self,
        id: Uuid,
        key: Option<KeyHash>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.until.is_empty() {
            return None;
        }
        let by_id = self.until.get(&id.as_u128());
        let by_key = key.and_then(|KeyHash(key)| self.until.get(&key));
        by_id.max(by_key).copied().filter(|until| *until > now)
    }

    fn add(&mut self, doubt: &Doubt, until: Timestamp) {
        let ids = doubt.ids.iter().flatten().map(Uuid::as_u128);
        let keys = doubt.keys.iter().flatten().map(|key| key.0);
        for mark in ids.chain(keys) {
            let held = self.until.entry(mark).or_insert(until);
            *held = (*held).max(until);
        }
    }
}

/// Until when the service may still commit a request of unknown fate. The
/// process of an open one was alive at most a `beat` longer than it last said.
/// All of that was before `now`, whatever a clock showed that was ahead.
pub(crate) fn may_commit_until(
    doubt: &Doubt,
    commit_within: Duration,
    beat: Duration,
    now: Timestamp,
) -> Timestamp {
    let latest = now.saturating_add(beat + commit_within).unwrap_or(Timestamp::MAX);
    let told = match (doubt.fate, doubt.until) {
        (Fate::InDoubt, Some(until)) => until,
        _ => {
            let left = doubt.alive.map_or(doubt.at, |alive| alive.max(doubt.at));
            left.saturating_add(beat + commit_within).unwrap_or(Timestamp::MAX)
        }
    };
    told.min(latest)
}

/// Closes requests of unknown fate that earlier runs have left, as far as it can
/// be told what became of them, and holds the records of the others.
pub(crate) async fn settle_doubts(
    journal: &Journal,
    run: &Run,
    client: &Client,
    entity: &Arc<Entity>,
    commit_within: Duration,
    beat: Duration,
) -> Result<Holds, RunError> {
    let reader = journal.reader()?;
    let doubts: Vec<Doubt> =
        unblock(move || reader.doubts().collect::<Result<Vec<_>, _>>()).await??;
    let now = client.clock().wall();
    let mut holds = Holds::default();
    for doubt in doubts {
        let until = may_commit_until(&doubt, commit_within, beat, now);
        let passed = until <= now;
        let of_ours = doubt.entity == entity.logical_name;
        let found = match doubt.operation.as_str() {
            "create" if of_ours => Some(count_found(client, entity, &doubt.ids).await?),
            _ => None,
        };
        let records = doubt.ids.len();
        let (fate, landed, message) = match found {
            Some(found) if found == records => {
                (Fate::Landed, found, "looked for later: all of its records are there".to_owned())
            }
            Some(found) if passed => {
                (Fate::Passed, found, format!("looked for later: {found} of {records} are there"))
            }
            None if passed => {
                (Fate::Passed, 0, "its time has passed: its records are compared anew".to_owned())
            }
            held => {
                if held.is_none() && of_ours {
                    holds.add(&doubt, until);
                }
                if doubt.until.is_some_and(|told| told > until) {
                    // Told by a clock that was ahead: the next run would hold it anew.
                    let message = "the clock was set back since".to_owned();
                    let reply = unresolved(now, Fate::InDoubt, 0, message, Some(until));
                    run.replied(doubt.intent, reply).await?;
                }
                continue;
            }
        };
        let landed = u32::try_from(landed).unwrap_or(u32::MAX);
        run.replied(doubt.intent, unresolved(now, fate, landed, message, None)).await?;
    }
    Ok(holds)
}

/// What is journalled of a request that nobody answered.
fn unresolved(
    at: Timestamp,
    fate: Fate,
    landed: u32,
    message: String,
    until: Option<Timestamp>,
) -> Reply {
    let message = Some(message);
    Reply { at, fate, landed, status: None, service_request: None, message, until }
}

/// How many of these records there are.
async fn count_found(
    client: &Client,
    entity: &Arc<Entity>,
    ids: &[Option<Uuid>],
) -> Result<usize, RunError> {
    let asked: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(
        ids.iter().map(|id| id.as_ref().map(|id| id.as_bytes())),
        16,
    )?);
    let by = [entity.primary_id.clone()];
    let select = Select { entity: Arc::clone(entity), columns: Vec::new(), filter: None };
    let mut found = std::collections::BTreeSet::new();
    for page in client.find(&select, &by, &[asked]).await? {
        let page = page.column(0).as_fixed_size_binary();
        found.extend((0..page.len()).filter_map(|row| Uuid::from_slice(page.value(row)).ok()));
    }
    Ok(ids.iter().flatten().filter(|id| found.contains(id)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(1_795_337_581 + second, 0).unwrap()
    }

    fn doubt(fate: Fate, alive: Option<i64>, until: Option<i64>) -> Doubt {
        Doubt {
            run: "20261122T085301-4f2a".parse().unwrap(),
            entity: "account".into(),
            alive: alive.map(at),
            until: until.map(at),
            intent: crate::journal::IntentId::of_test(1),
            at: at(0),
            request: Uuid::nil(),
            operation: "update".into(),
            fate,
            ordinals: vec![0, 1],
            ids: vec![Some(Uuid::from_u128(7)), None],
            keys: vec![None, Some(KeyHash(9))],
        }
    }

    #[test]
    fn a_request_may_commit_until_its_time_has_passed_since_it_can_have_left() {
        let (within, beat) = (Duration::from_secs(150), Duration::from_secs(15));
        for (doubt, expect) in [
            (doubt(Fate::InDoubt, None, Some(90)), 90),
            (doubt(Fate::InDoubt, Some(500), Some(90)), 90),
            (doubt(Fate::Open, None, None), 165),
            (doubt(Fate::Open, Some(-50), None), 165),
            (doubt(Fate::Open, Some(600), None), 765),
            // A clock that was ahead told these.
            (doubt(Fate::InDoubt, None, Some(31_000_000)), 1_165),
            (doubt(Fate::Open, Some(31_000_000), None), 1_165),
        ] {
            assert_eq!(may_commit_until(&doubt, within, beat, at(1_000)), at(expect), "{doubt:?}");
        }
    }

    #[test]
    fn a_record_is_held_by_id_or_key_until_the_last_request_has_passed() {
        let mut holds = Holds::default();
        holds.add(&doubt(Fate::InDoubt, None, None), at(90));
        holds.add(&doubt(Fate::InDoubt, None, None), at(40));
        let (seven, nine) = (Uuid::from_u128(7), Some(KeyHash(9)));
        assert_eq!(holds.until(seven, None, at(0)), Some(at(90)));
        assert_eq!(holds.until(Uuid::nil(), nine, at(89)), Some(at(90)));
        assert_eq!(holds.until(seven, nine, at(90)), None);
        assert_eq!(holds.until(Uuid::from_u128(8), Some(KeyHash(8)), at(0)), None);
    }
}
