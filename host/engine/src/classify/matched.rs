//! Which record of the target a row is.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, FixedSizeBinaryArray, RecordBatch, UInt32Array};
use arrow_schema::Schema;
use arrow_select::take::take_record_batch;
use dvsync_rules::Side;
use uuid::Uuid;

use super::hooks::incoming;
use super::lookups::id_at;
use crate::blocking::unblock;
use crate::error::RunError;
use crate::fate::Fate;
use crate::job::Several;
use crate::keys::KeyColumns;
use crate::known::Known;
use crate::plan::{Matching, Plan};
use crate::prepare::{Cells, Prepared, faults, verdicts};
use crate::spill::{Hit, Matches};

/// Records of the target, aligned with the prepared rows.
pub(crate) struct Matched {
    /// The match key of each row.
    pub(crate) keys: KeyColumns,
    /// The record that each row is; `None` for a new one.
    pub(crate) ids: Vec<Option<Uuid>>,
    /// What the target holds, null where there is no record; absent where the
    /// target is not looked at.
    pub(crate) current: Option<RecordBatch>,
}

/// Finds the records of the prepared rows.
pub(super) async fn find(
    plan: &Arc<Plan>,
    known: &Known,
    prepared: &mut Prepared,
) -> Result<Matched, RunError> {
    let (keys, columns) = match_keys(plan, prepared).await?;
    let hashes = keys.hashes();
    for (row, hash) in hashes.iter().enumerate() {
        if hash.is_none() && prepared.fates[row].is_none() {
            prepared.fates[row] = Some(
                Fate::dead("match_key_missing", "the key that finds its record is empty")
                    .at(key_name(plan))
                    .hint("give the row a key, or filter such rows out of the source"),
            );
        }
    }
    let Some(table) = &known.target else {
        return Ok(Matched { ids: vec![None; hashes.len()], keys, current: None });
    };
    let matches = table.find(hashes, columns).await?;
    let chosen = choose(plan, prepared, &matches).await?;
    let found = matches.rows.column(0).as_fixed_size_binary();
    let ids: Vec<Option<Uuid>> =
        chosen.iter().map(|at| at.and_then(|at| id_at(found, at))).collect();
    let current = take_record_batch(&nullable(matches.rows)?, &UInt32Array::from(chosen))?;
    filter(known, prepared, &ids).await?;
    Ok(Matched { keys, ids, current: Some(current) })
}

/// The same rows, with columns that may be null: a row without a record has
/// nulls in all of them, the id too.
fn nullable(rows: RecordBatch) -> Result<RecordBatch, RunError> {
    let schema = rows.schema();
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Ok(RecordBatch::try_new(schema, rows.columns().to_vec())?)
}

/// The key of each row, as text and as columns to ask the service for.
async fn match_keys(
    plan: &Arc<Plan>,
    prepared: &mut Prepared,
) -> Result<(KeyColumns, Vec<ArrayRef>), RunError> {
    let positions = match &plan.matching {
        Matching::Id(position) => vec![*position],
        Matching::Columns { positions, .. } => positions.clone(),
        Matching::Rules => {
            let Some(bound) = plan.bound().cloned() else {
                return Err(RunError::Bug("matching by rules without a rule".into()));
            };
            let rows = incoming(&bound, dvsync_rules::HookName::Matching, prepared, plan)?;
            let span = prepared.frame.span();
            let derive = move || span.in_scope(|| bound.derive(Side::Incoming, &rows));
            let derived = unblock(derive).await??;
            verdicts(&derived.verdicts, &mut prepared.fates);
            faults(plan, &prepared.frame, &prepared.rows, &derived.faults, &mut prepared.fates)?;
            let keys: ArrayRef = Arc::new(derived.keys.clone());
            return Ok((KeyColumns::ready(derived.keys), vec![keys]));
        }
    };
    let mut columns = Vec::new();
    for position in positions {
        let kind = &plan.columns[position].column.kind;
        columns.push(match &prepared.cells[position] {
            Cells::Ready(values) => Arc::clone(&values.array),
            _ => arrow_array::new_null_array(&kind.arrow_type(), prepared.rows.len()),
        });
    }
    let keys = KeyColumns::of(&columns)
        .ok_or_else(|| RunError::job("[target] match names a column that cannot be a key"))?;
    Ok((keys, columns))
}

fn key_name(plan: &Plan) -> String {
    let name = |at: &usize| plan.columns[*at].column.logical_name.clone();
    match &plan.matching {
        Matching::Id(position) => name(position),
        Matching::Columns { positions, .. } => {
            positions.iter().map(name).collect::<Vec<_>>().join(", ")
        }
        Matching::Rules => "match key".to_owned(),
    }
}

/// One record for each row, where several have its key: by the rule if it
/// matches, else by the job's policy.
async fn choose(
    plan: &Arc<Plan>,
    prepared: &mut Prepared,
    matches: &Matches,
) -> Result<Vec<Option<u32>>, RunError> {
    let mut chosen: Vec<Option<u32>> = matches
        .hits
        .iter()
        .map(|hit| match hit {
            Hit::One(at) => Some(*at),
            Hit::None | Hit::Many { .. } => None,
        })
        .collect();
    let open: Vec<usize> = (0..chosen.len())
        .filter(|&row| matches!(matches.hits[row], Hit::Many { .. }))
        .filter(|&row| prepared.fates[row].is_none())
        .collect();
    if open.is_empty() {
        return Ok(chosen);
    }
    match (&plan.matching, plan.bound()) {
        (Matching::Rules, Some(bound)) => {
            let all = incoming(bound, dvsync_rules::HookName::Matching, prepared, plan)?;
            let rows: Vec<u32> = open.iter().filter_map(|&row| u32::try_from(row).ok()).collect();
            let rows = take_record_batch(&all, &UInt32Array::from(rows))?;
            let (mut offsets, mut listed) = (vec![0_i32], Vec::new());
            for &row in &open {
                if let Hit::Many { rows, .. } = &matches.hits[row] {
                    listed.extend(rows.clone());
                }
                offsets.push(i32::try_from(listed.len()).unwrap_or(i32::MAX));
            }
            let candidates = take_record_batch(&matches.rows, &UInt32Array::from(listed.clone()))?;
            let bound = Arc::clone(bound);
            let starts = offsets.clone();
            let span = prepared.frame.span();
            let choose = move || span.in_scope(|| bound.choose(&rows, &offsets, &candidates));
            let said = unblock(choose).await??;
            for (place, &row) in open.iter().enumerate() {
                let start = usize::try_from(starts[place]).unwrap_or(0);
                chosen[row] = said.chosen[place]
                    .and_then(|at| usize::try_from(at).ok())
                    .and_then(|at| listed.get(start + at).copied());
            }
            for verdict in said.verdicts {
                let row = open[verdict.row];
                verdicts(&[dvsync_rules::Verdict { row, ..verdict }], &mut prepared.fates);
            }
            for fault in said.faults {
                let fault = dvsync_rules::Fault { row: open[fault.row], ..fault };
                faults(plan, &prepared.frame, &prepared.rows, &[fault], &mut prepared.fates)?;
            }
        }
        _ => {
            let ids = matches.rows.column(0).as_fixed_size_binary();
            for row in open {
                if let Hit::Many { rows, total } = &matches.hits[row] {
                    let found: Vec<(Uuid, u32)> =
                        rows.clone().filter_map(|at| Some((id_at(ids, at)?, at))).collect();
                    match plan.job.target.several {
                        Several::First => chosen[row] = found.iter().min().map(|(_, at)| *at),
                        Several::Reject => {
                            prepared.fates[row] = Some(ambiguous(plan, &found, *total));
                        }
                    }
                }
            }
        }
    }
    Ok(chosen)
}

fn ambiguous(plan: &Plan, found: &[(Uuid, u32)], total: u64) -> Fate {
    let shown: Vec<String> = found.iter().take(3).map(|(id, _)| id.to_string()).collect();
    let more = if total > 3 { ", ..." } else { "" };
    Fate::dead(
        "several_matches",
        format!(
            "{total} records of `{}` have its key: {}{more}",
            plan.entity.logical_name,
            shown.join(", ")
        ),
    )
    .at(key_name(plan))
    .hint("merge the records, match by a key that is unique, or say several = \"first\"")
}

/// Records that the job's filter leaves out are not written.
async fn filter(
    known: &Known,
    prepared: &mut Prepared,
    ids: &[Option<Uuid>],
) -> Result<(), RunError> {
    let Some(writable) = &known.writable else { return Ok(()) };
    let column: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(
        ids.iter().map(|id| id.as_ref().map(|id| id.as_bytes())),
        16,
    )?);
    let hashes = KeyColumns::of([&column])
        .map(|keys| keys.hashes())
        .unwrap_or_else(|| vec![None; ids.len()]);
    let found = writable.find(hashes, vec![column]).await?;
    for (row, hit) in found.hits.iter().enumerate() {
        if ids[row].is_some() && *hit == Hit::None && prepared.fates[row].is_none() {
            prepared.fates[row] = Some(Fate::dropped(
                "filtered",
                "its record is left out by [target] filter".to_owned(),
            ));
        }
    }
    Ok(())
}
