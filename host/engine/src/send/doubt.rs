//! Records of unknown fate: looked for before anything is sent again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray};
use dvsync_dataverse::{Doubt, Form, Operation, Select};
use dvsync_model::{KeyHash, Outcome};
use uuid::Uuid;

use super::{Sender, Then, Work, halves, part};
use crate::error::RunError;
use crate::fate::Fate;
use crate::keys::KeyColumns;
use crate::plan::Matching;

/// Times that a record may clash with another one's key before it is given up:
/// once in company, once alone, and once more.
const CLASHES: u32 = 3;

impl Sender {
    /// No sensible reply: anything of the call may have landed.
    pub(super) async fn doubt(&self, mut work: Work, doubt: &Doubt) -> Result<Then, RunError> {
        work.doubtful = true;
        work.tries += 1;
        match work.write.operation() {
            Operation::Create => self.look(work, &doubt.message).await,
            // They say the same thing twice without harm.
            Operation::Update | Operation::Upsert => {
                if work.tries < self.plan.job.retry.attempts {
                    self.pause(&work).await;
                    return Ok(Then::Again(again(work)));
                }
                self.settle_all(&work, &in_doubt(&doubt.message));
                Ok(Then::Nothing)
            }
        }
    }

    /// Creates that may be there already: present with our key means landed,
    /// present with another key means that the id is taken, absent means that
    /// the same ids can be sent again.
    pub(super) async fn look(&self, mut work: Work, why: &str) -> Result<Then, RunError> {
        let there = match self.read_back(&work).await {
            Ok(there) => there,
            Err(error) => {
                self.settle_all(&work, &in_doubt(why));
                return Err(error);
            }
        };
        let (mut absent, mut landed) = (Vec::new(), Vec::new());
        for (position, row) in work.rows.iter().enumerate() {
            let id = row.known_id();
            match id.and_then(|id| there.get(&id)) {
                None => absent.push(position),
                Some(key) if key.is_some() && *key != row.key => {
                    let fate = Fate::dead(
                        "id_taken",
                        "its id belongs to a record with another key".to_owned(),
                    )
                    .hint("the record's key was changed in the target: change it back, or give the row the new key");
                    row.settle_fate(&fate, id);
                }
                Some(_) if work.doubtful => landed.push((row.clone(), Outcome::Created, id)),
                Some(_) => {
                    let fate = Fate::deferred(
                        "appeared",
                        "somebody else created the record while the run was under way",
                    )
                    .hint("run the job again: it compares and updates");
                    row.settle_fate(&fate, id);
                }
            }
        }
        self.landed(landed).await?;
        if absent.is_empty() {
            return Ok(Then::Nothing);
        }
        work.tries += 1;
        let mut rest = part(&work, &absent);
        // One by one, so that a record that clashes again clashes alone.
        rest.form = Form::Batch { continue_on_error: true };
        let tries = if rest.doubtful { self.plan.job.retry.attempts } else { CLASHES };
        if rest.tries < tries {
            self.pause(&rest).await;
            return Ok(Then::Again(if rest.doubtful { again(rest) } else { vec![rest] }));
        }
        let fate = if rest.doubtful {
            in_doubt(why)
        } else {
            Fate::dead(
                "duplicate_record",
                format!("refused as a duplicate, yet its id is free: {why}"),
            )
            .hint("another record has the same alternate key: match by it, or merge the records")
        };
        self.settle_all(&rest, &fate);
        Ok(Then::Nothing)
    }

    /// The records that are there, with the key that each of them has now;
    /// `None` where keys are not compared.
    async fn read_back(&self, work: &Work) -> Result<BTreeMap<Uuid, Option<KeyHash>>, RunError> {
        let plan = &self.plan;
        let columns: Vec<String> = match &plan.matching {
            Matching::Columns { positions, .. } => positions
                .iter()
                .map(|&position| plan.columns[position].column.logical_name.clone())
                .collect(),
            // An id names its record by itself; what a rule derives is part of
            // the id that was derived from it.
            Matching::Id(_) | Matching::Rules => Vec::new(),
        };
        let ids: Vec<Option<Uuid>> = work.rows.iter().map(super::Row::known_id).collect();
        let asked: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            ids.iter().map(|id| id.as_ref().map(|id| id.as_bytes())),
            16,
        )?);
        let entity = Arc::clone(&plan.entity);
        let by = [entity.primary_id.clone()];
        let select = Select { entity, columns: columns.clone(), filter: None };
        let mut there = BTreeMap::new();
        for page in self.client.find(&select, &by, &[asked]).await? {
            let key = (!columns.is_empty())
                .then(|| {
                    let found: Option<Vec<&ArrayRef>> =
                        columns.iter().map(|name| page.column_by_name(name)).collect();
                    found.and_then(KeyColumns::of)
                })
                .flatten();
            let ids = page.column(0).as_fixed_size_binary();
            for row in 0..ids.len() {
                if let Ok(id) = Uuid::from_slice(ids.value(row)) {
                    there.insert(id, key.as_ref().and_then(|key| key.hash(row)));
                }
            }
        }
        Ok(there)
    }
}

/// The same once more, then in halves: one record that the service never gets
/// over must not hold up the others.
fn again(work: Work) -> Vec<Work> {
    if work.tries > 1 && work.rows.len() > 1 { halves(&work) } else { vec![work] }
}

fn in_doubt(why: &str) -> Fate {
    Fate::deferred("in_doubt", format!("it may have landed, and cannot be told yet: {why}"))
        .hint("run the job again: it looks before it writes")
}
