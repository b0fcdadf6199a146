//! The hook `state`.

use arrow_array::{Int32Array, RecordBatch};

use super::columns::{Columns, count, lowered};
use super::verdicts::{self, Gathered};
use super::{Bound, Part};
use crate::bindings::exports::dvsync::rules::state::Decision;
use crate::contract::HookName;
use crate::error::RuleError;
use crate::instance::CallError;
use crate::judged::{States, Verdict};
use crate::lift::counted;

struct Answer {
    statecode: Vec<Option<i32>>,
    statuscode: Vec<Option<i32>>,
    verdicts: Vec<Verdict>,
}

impl Bound {
    /// Decides whether records are active. `current` has a row for each incoming
    /// row, all null where none matched.
    ///
    /// # Errors
    ///
    /// As [`Bound::transform`], and when the batches differ in rows.
    pub fn state(
        &self,
        incoming: &RecordBatch,
        current: &RecordBatch,
    ) -> Result<States, RuleError> {
        let needs = self.hook(HookName::State)?;
        let rows = self.same_rows(incoming, current)?;
        let columns = Columns::incoming(self, needs, incoming)?;
        let known = Columns::current(self, needs, current)?;
        if rows == 0 {
            return join(Vec::new(), Vec::new(), Vec::new(), 0);
        }
        self.judge_and_recheck(
            rows,
            |instance, part, deadline| {
                let decision = lowered(&columns.slice(&part), |incoming| {
                    lowered(&known.slice(&part), |current| {
                        instance.decide_state(deadline, count(&part)?, incoming, current)
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
                let (verdicts, faults) = gathered.finish();
                join(parts, verdicts, faults, rows)
            },
            States::eq,
        )
    }

    pub(super) fn same_rows(
        &self,
        incoming: &RecordBatch,
        current: &RecordBatch,
    ) -> Result<usize, RuleError> {
        let (rows, others) = (incoming.num_rows(), current.num_rows());
        if rows == others {
            return Ok(rows);
        }
        Err(self.input_error(format!("{rows} incoming rows and {others} current ones")))
    }
}

fn lift(decision: Decision, rows: usize) -> Result<Answer, String> {
    let Decision { statecode, statuscode, verdicts } = decision;
    counted("values of `statecode`", statecode.len(), rows)?;
    counted("values of `statuscode`", statuscode.len(), rows)?;
    Ok(Answer { statecode, statuscode, verdicts: verdicts::lift(verdicts, rows)? })
}

fn join(
    parts: Vec<Part<Answer>>,
    verdicts: Vec<Verdict>,
    faults: Vec<crate::judged::Fault>,
    rows: usize,
) -> Result<States, RuleError> {
    let mut statecode = Vec::with_capacity(rows);
    let mut statuscode = Vec::with_capacity(rows);
    for part in parts {
        let not_judged = match part {
            Part::Judged(_, answer) => {
                statecode.extend(answer.statecode);
                statuscode.extend(answer.statuscode);
                continue;
            }
            Part::AtFault(..) => 1,
            Part::GivenUp(range) => range.len(),
        };
        statecode.resize(statecode.len() + not_judged, None);
        statuscode.resize(statuscode.len() + not_judged, None);
    }
    Ok(States {
        statecode: Int32Array::from(statecode),
        statuscode: Int32Array::from(statuscode),
        verdicts,
        faults,
    })
}
