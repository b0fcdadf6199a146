//! Proves now and then what narrowing, resume and canary rest on: that a row's
//! result depends on nothing but the row, the context and the tables.
//!
//! A chunk is judged again by a fresh instance, in two halves, and compared.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Bound, Part};
use crate::error::RuleError;
use crate::instance::{CallError, Instance};

impl Bound {
    /// As [`Bound::judge`], and `assemble` on its parts; now and then the chunk
    /// is judged twice and the results are compared by `is_same`.
    pub(super) fn judge_and_recheck<O, R>(
        &self,
        rows: usize,
        call: impl Fn(&mut Instance, Range<usize>, Duration) -> Result<O, CallError>,
        assemble: impl Fn(Vec<Part<O>>) -> Result<R, RuleError>,
        is_same: impl Fn(&R, &R) -> bool,
    ) -> Result<R, RuleError> {
        let parts = self.judge(rows, &call)?;
        let went_well = matches!(&parts[..], [Part::Judged(..)]);
        let result = assemble(parts)?;
        if went_well && self.is_due() {
            self.tally.rechecked.fetch_add(1, Ordering::Relaxed);
            let complaint = match self.judge_again(rows, &call) {
                Ok(parts) => (!is_same(&result, &assemble(parts)?))
                    .then(|| "it judged the same rows otherwise".to_owned()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(complaint) = complaint {
                self.tally.inconsistent.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    rule = &**self.rule.label(),
                    complaint,
                    "a fresh instance disagrees: the rule's results depend on more than the row"
                );
            }
        }
        Ok(result)
    }

    fn is_due(&self) -> bool {
        let chunk = self.chunks.fetch_add(1, Ordering::Relaxed);
        self.settings
            .recheck_every
            .is_some_and(|every| chunk.is_multiple_of(u64::from(every.get())))
    }

    fn judge_again<O>(
        &self,
        rows: usize,
        call: impl Fn(&mut Instance, Range<usize>, Duration) -> Result<O, CallError>,
    ) -> Result<Vec<Part<O>>, CallError> {
        let _turn = self.settings.tenant.as_ref().map(crate::gate::Gate::enter);
        let instance = self.setup.instance(&self.rule, &self.limits);
        let mut instance = instance
            .map_err(|error| CallError::failed(crate::judged::codes::FAILED, error.to_string()))?;
        let middle = rows / 2;
        [0..middle, middle..rows]
            .into_iter()
            .filter(|half| !half.is_empty())
            .map(|half| {
                self.tally.calls.fetch_add(1, Ordering::Relaxed);
                let output = call(&mut instance, half.clone(), self.limits.call_deadline)?;
                Ok(Part::Judged(half, output))
            })
            .collect()
    }
}
