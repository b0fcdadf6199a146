//! The hook `matching`.

use std::ops::Range;

use arrow_array::{RecordBatch, StringArray};

use super::columns::{Columns, count, lowered};
use super::verdicts::{self, Gathered};
use super::{Bound, Part, Side};
use crate::bindings::exports::dvsync::rules::matching;
use crate::contract::HookName;
use crate::error::RuleError;
use crate::instance::CallError;
use crate::judged::{Chosen, Derived, Verdict};
use crate::lift;

struct Keys {
    keys: StringArray,
    verdicts: Vec<Verdict>,
}

struct Choice {
    chosen: Vec<Option<u32>>,
    verdicts: Vec<Verdict>,
}

impl Bound {
    /// Derives the keys of rows.
    ///
    /// # Errors
    ///
    /// As [`Bound::transform`].
    pub fn derive(&self, side: Side, rows: &RecordBatch) -> Result<Derived, RuleError> {
        let needs = self.hook(HookName::Matching)?;
        let (columns, side) = match side {
            Side::Incoming => (Columns::incoming(self, needs, rows)?, matching::Side::Incoming),
            Side::Current => (Columns::current(self, needs, rows)?, matching::Side::Current),
        };
        let count_of = rows.num_rows();
        if count_of == 0 {
            let keys = StringArray::new_null(0);
            return Ok(Derived { keys, verdicts: Vec::new(), faults: Vec::new() });
        }
        self.judge_and_recheck(
            count_of,
            |instance, part, deadline| {
                let answer = lowered(&columns.slice(&part), |params| {
                    instance.derive(deadline, side, count(&part)?, params)
                })?;
                lift_keys(answer, part.len()).map_err(CallError::invalid_output)
            },
            |mut parts| {
                let gathered = Gathered::new(&mut parts, columns.faults(), |keys| {
                    std::mem::take(&mut keys.verdicts)
                });
                let (verdicts, faults) = gathered.finish();
                Ok(Derived { keys: join_texts(parts, |keys| keys.keys), verdicts, faults })
            },
            Derived::eq,
        )
    }

    /// Chooses among several matches: the candidates of row `i` are the rows
    /// `offsets[i]..offsets[i + 1]` of `candidates`.
    ///
    /// # Errors
    ///
    /// As [`Bound::transform`], and when the offsets do not fit the batches.
    pub fn choose(
        &self,
        incoming: &RecordBatch,
        offsets: &[i32],
        candidates: &RecordBatch,
    ) -> Result<Chosen, RuleError> {
        let needs = self.hook(HookName::Matching)?;
        let rows = incoming.num_rows();
        let offsets = self.candidate_offsets(offsets, rows, candidates.num_rows())?;
        if rows == 0 {
            return Ok(Chosen::default());
        }
        let columns = Columns::incoming(self, needs, incoming)?;
        let among = Columns::current(self, needs, candidates)?;
        self.judge_and_recheck(
            rows,
            |instance, part, deadline| {
                let of_part = &offsets[part.start..=part.end];
                let start = of_part.first().copied().unwrap_or_default();
                let end = of_part.last().copied().unwrap_or_default();
                let relative = of_part
                    .iter()
                    .map(|offset| i32::try_from(offset - start))
                    .collect::<Result<Vec<i32>, _>>()
                    .map_err(|error| CallError::invalid_output(error.to_string()))?;
                let answer = lowered(&columns.slice(&part), |params| {
                    lowered(&among.slice(&(start..end)), |candidates| {
                        instance.choose(deadline, count(&part)?, params, &relative, candidates)
                    })
                })?;
                lift_choice(answer, of_part, part.len()).map_err(CallError::invalid_output)
            },
            |mut parts| {
                let gathered = Gathered::new(&mut parts, columns.faults(), |choice| {
                    std::mem::take(&mut choice.verdicts)
                });
                let (verdicts, faults) = gathered.finish();
                let mut chosen = Vec::with_capacity(rows);
                for part in parts {
                    match part {
                        Part::Judged(_, choice) => chosen.extend(choice.chosen),
                        Part::AtFault(..) => chosen.push(None),
                        Part::GivenUp(range) => chosen.extend(range.map(|_| None)),
                    }
                }
                Ok(Chosen { chosen, verdicts, faults })
            },
            Chosen::eq,
        )
    }

    fn candidate_offsets(
        &self,
        offsets: &[i32],
        rows: usize,
        candidates: usize,
    ) -> Result<Vec<usize>, RuleError> {
        let known: Option<Vec<usize>> =
            offsets.iter().map(|offset| usize::try_from(*offset).ok()).collect();
        match known {
            Some(known)
                if known.len() == rows + 1
                    && known.first() == Some(&0)
                    && known.is_sorted()
                    && known.last() == Some(&candidates) =>
            {
                Ok(known)
            }
            _ => Err(self.input_error(format!(
                "the offsets of candidates do not fit {rows} rows and {candidates} candidates"
            ))),
        }
    }
}

fn lift_keys(answer: matching::RowKeys, rows: usize) -> Result<Keys, String> {
    let keys = lift::texts(answer.keys, rows).map_err(|broken| format!("keys: {broken}"))?;
    Ok(Keys { keys, verdicts: verdicts::lift(answer.verdicts, rows)? })
}

fn lift_choice(
    answer: matching::Choices,
    offsets: &[usize],
    rows: usize,
) -> Result<Choice, String> {
    lift::counted("choices", answer.chosen.len(), rows)?;
    let candidates = offsets.windows(2).map(|pair| pair[1] - pair[0]);
    let chosen = answer.chosen.iter().zip(candidates).enumerate().map(|(row, (chosen, among))| {
        match u32::try_from(*chosen) {
            _ if *chosen == -1 => Ok(None),
            Ok(at) if usize::try_from(at).is_ok_and(|at| at < among) => Ok(Some(at)),
            _ => Err(format!("row {row} chooses {chosen} among {among} candidates")),
        }
    });
    let chosen = chosen.collect::<Result<_, _>>()?;
    Ok(Choice { chosen, verdicts: verdicts::lift(answer.verdicts, rows)? })
}

/// Texts of all parts; empty for rows that were not judged.
pub(super) fn join_texts<O>(
    parts: Vec<Part<O>>,
    texts_of: impl Fn(O) -> StringArray,
) -> StringArray {
    let mut whole = None;
    let mut pieces = Vec::new();
    for part in parts {
        match part {
            Part::Judged(range, output) if range.start == 0 && whole.is_none() => {
                whole = Some(texts_of(output));
            }
            Part::Judged(_, output) => pieces.push(texts_of(output)),
            Part::AtFault(..) => pieces.push(empty_texts(0..1)),
            Part::GivenUp(range) => pieces.push(empty_texts(range)),
        }
    }
    match whole {
        Some(whole) if pieces.is_empty() => whole,
        whole => whole
            .iter()
            .chain(&pieces)
            .flat_map(|texts| texts.iter())
            .map(|text| Some(text.unwrap_or_default()))
            .collect(),
    }
}

fn empty_texts(rows: Range<usize>) -> StringArray {
    rows.map(|_| Some("")).collect()
}
