//! The hook `owner`.

use arrow_array::{RecordBatch, StringArray};

use super::columns::{Columns, count, lowered};
use super::matching::join_texts;
use super::verdicts::{self, Gathered};
use super::{Bound, Part};
use crate::bindings::exports::dvsync::rules::owner::Decision;
use crate::contract::HookName;
use crate::error::RuleError;
use crate::instance::CallError;
use crate::judged::{OwnerKind, Owners, Verdict, codes};
use crate::lift::{counted, texts};

const BY_BYTES_MAX: usize = 128;

struct Answer {
    kinds: Vec<OwnerKind>,
    by: String,
    keys: StringArray,
    verdicts: Vec<Verdict>,
}

impl Bound {
    /// Decides who owns records. `current` has a row for each incoming row, all
    /// null where none matched.
    ///
    /// # Errors
    ///
    /// As [`Bound::state`].
    pub fn owner(
        &self,
        incoming: &RecordBatch,
        current: &RecordBatch,
    ) -> Result<Owners, RuleError> {
        let needs = self.hook(HookName::Owner)?;
        let rows = self.same_rows(incoming, current)?;
        let columns = Columns::incoming(self, needs, incoming)?;
        let known = Columns::current(self, needs, current)?;
        if rows == 0 {
            let keys = StringArray::new_null(0);
            let (verdicts, faults) = (Vec::new(), Vec::new());
            return Ok(Owners { kinds: Vec::new(), by: String::new(), keys, verdicts, faults });
        }
        self.judge_and_recheck(
            rows,
            |instance, part, deadline| {
                let decision = lowered(&columns.slice(&part), |incoming| {
                    lowered(&known.slice(&part), |current| {
                        instance.decide_owner(deadline, count(&part)?, incoming, current)
                    })
                })?;
                lift(decision, part.len()).map_err(CallError::invalid_output)
            },
            |mut parts| {
                let mut faults = columns.faults();
                faults.extend(known.faults());
                let gathered = Gathered::new(&mut parts, faults, |answer| {
                    std::mem::take(&mut answer.verdicts)
                });
                Ok(join(parts, gathered, rows))
            },
            Owners::eq,
        )
    }
}

fn lift(decision: Decision, rows: usize) -> Result<Answer, String> {
    let Decision { kinds, by, keys, verdicts } = decision;
    counted("kinds", kinds.len(), rows)?;
    if by.is_empty() || by.len() > BY_BYTES_MAX {
        return Err(format!("`by` has {} bytes, not 1 to {BY_BYTES_MAX}", by.len()));
    }
    let keys = texts(keys, rows).map_err(|broken| format!("keys: {broken}"))?;
    let kind = |(row, kind): (usize, u8)| {
        let is_empty = keys.value(row).is_empty();
        match kind {
            0 if is_empty => Ok(OwnerKind::Leave),
            1 if !is_empty => Ok(OwnerKind::User),
            2 if !is_empty => Ok(OwnerKind::Team),
            0 => Err(format!("row {row} leaves the owner, and has a key")),
            1 | 2 => Err(format!("row {row} sets an owner, and has no key")),
            other => Err(format!("row {row} has the kind {other}")),
        }
    };
    let kinds = kinds.into_iter().enumerate().map(kind).collect::<Result<_, _>>()?;
    Ok(Answer { kinds, by, keys, verdicts: verdicts::lift(verdicts, rows)? })
}

fn join(parts: Vec<Part<Answer>>, mut gathered: Gathered, rows: usize) -> Owners {
    let mut kinds = Vec::with_capacity(rows);
    let mut by: Option<String> = None;
    for part in &parts {
        match part {
            Part::Judged(range, answer) => {
                kinds.extend_from_slice(&answer.kinds);
                let first = by.get_or_insert_with(|| answer.by.clone());
                if *first != answer.by {
                    let message = format!("owners by `{first}` before and by `{}` now", answer.by);
                    for row in range.clone() {
                        gathered.fault(row, codes::INVALID_OUTPUT, &message);
                    }
                }
            }
            Part::AtFault(..) => kinds.push(OwnerKind::Leave),
            Part::GivenUp(range) => kinds.extend(range.clone().map(|_| OwnerKind::Leave)),
        }
    }
    let keys = join_texts(parts, |answer| answer.keys);
    let (verdicts, faults) = gathered.finish();
    Owners { kinds, by: by.unwrap_or_default(), keys, verdicts, faults }
}
