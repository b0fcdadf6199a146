//! The rule's state and owner hooks: asked once the current record is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Field, Schema};
use dvsync_model::{Kind, LookupValue};
use dvsync_rules::{Bound, HookName, OwnerKind, Owners};

use super::lookups::id_at;
use super::matched::Matched;
use crate::blocking::unblock;
use crate::error::RunError;
use crate::fate::Fate;
use crate::keys::KeyColumns;
use crate::known::{Known, OwnerTable};
use crate::plan::{From, Plan};
use crate::prepare::{Cells, Prepared, Values, faults, verdicts};
use crate::spill::Hit;

/// The columns that a hook reads of incoming rows: of the source, and of the
/// target as prepared so far.
pub(super) fn incoming(
    bound: &Bound,
    hook: HookName,
    prepared: &Prepared,
    plan: &Plan,
) -> Result<RecordBatch, RunError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    let mut add = |name: &str, array: ArrayRef| {
        fields.push(Field::new(name, array.data_type().clone(), true));
        columns.push(array);
    };
    if let Some(needs) = bound.needs(hook) {
        for wanted in &needs.reads_source {
            if let Some(array) = prepared.source.column_by_name(&wanted.name) {
                add(&wanted.name, Arc::clone(array));
            }
        }
        for wanted in &needs.reads_target {
            let Some(column) = plan.entity.column(&wanted.name) else { continue };
            let ready = plan.position(&wanted.name).map(|position| &prepared.cells[position]);
            let array = match ready {
                Some(Cells::Ready(values)) => Arc::clone(&values.array),
                _ => new_null_array(&column.kind.arrow_type(), prepared.rows.len()),
            };
            add(&wanted.name, array);
        }
    }
    batch(fields, columns, prepared.rows.len())
}

fn batch(fields: Vec<Field>, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, RunError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}

/// Asks the hooks that take part and puts what they say into the cells.
pub(super) async fn ask(
    plan: &Arc<Plan>,
    known: &Known,
    prepared: &mut Prepared,
    matched: &mut Matched,
) -> Result<(), RunError> {
    let Some(rule) = &plan.rule else { return Ok(()) };
    if prepared.rows.is_empty() {
        return Ok(());
    }
    let hooked =
        |name| plan.position(name).filter(|&at| matches!(plan.columns[at].from, From::Hook));
    let (state, owner) = (hooked("statecode").or(hooked("statuscode")), hooked("ownerid"));
    if rule.state && state.is_some() {
        let rows = incoming(&rule.bound, HookName::State, prepared, plan)?;
        let current = current(&rule.bound, HookName::State, prepared, matched, plan)?;
        let bound = Arc::clone(&rule.bound);
        let span = prepared.frame.span();
        let said = unblock(move || span.in_scope(|| bound.state(&rows, &current))).await??;
        verdicts(&said.verdicts, &mut prepared.fates);
        faults(plan, &prepared.frame, &prepared.rows, &said.faults, &mut prepared.fates)?;
        for (name, array) in [("statecode", said.statecode), ("statuscode", said.statuscode)] {
            if let Some(position) = hooked(name) {
                // None means: leave it as it is.
                let leave = array.nulls().map(|nulls| !nulls.inner());
                let array: ArrayRef = Arc::new(array);
                prepared.cells[position] = Cells::Ready(Values { array, leave });
            }
        }
    }
    if rule.owner
        && let Some(position) = owner
    {
        let rows = incoming(&rule.bound, HookName::Owner, prepared, plan)?;
        let current = current(&rule.bound, HookName::Owner, prepared, matched, plan)?;
        let bound = Arc::clone(&rule.bound);
        let span = prepared.frame.span();
        let said = unblock(move || span.in_scope(|| bound.owner(&rows, &current))).await??;
        verdicts(&said.verdicts, &mut prepared.fates);
        faults(plan, &prepared.frame, &prepared.rows, &said.faults, &mut prepared.fates)?;
        let values = owners(plan, known, prepared, position, &said).await?;
        prepared.cells[position] = Cells::Ready(values);
    }
    Ok(())
}

/// What the target holds of the columns that a hook reads.
fn current(
    bound: &Bound,
    hook: HookName,
    prepared: &Prepared,
    matched: &Matched,
    plan: &Plan,
) -> Result<RecordBatch, RunError> {
    if let Some(current) = &matched.current {
        return Ok(current.clone());
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for wanted in bound.needs(hook).map(|needs| needs.reads_current.as_slice()).unwrap_or_default()
    {
        if let Some(column) = plan.entity.column(&wanted.name) {
            let data_type = column.kind.arrow_type();
            columns.push(new_null_array(&data_type, prepared.rows.len()));
            fields.push(Field::new(&wanted.name, data_type, true));
        }
    }
    batch(fields, columns, prepared.rows.len())
}

/// The users and teams that the rule names, as references.
async fn owners(
    plan: &Plan,
    known: &Known,
    prepared: &mut Prepared,
    position: usize,
    said: &Owners,
) -> Result<Values, RunError> {
    let rows = prepared.rows.len();
    let Kind::Lookup { targets } = &plan.columns[position].column.kind else {
        return Err(RunError::Bug("`ownerid` is no lookup".into()));
    };
    let mut found: BTreeMap<usize, LookupValue> = BTreeMap::new();
    for (kind, from) in [(OwnerKind::User, OwnerTable::Users), (OwnerKind::Team, OwnerTable::Teams)]
    {
        if !said.kinds.contains(&kind) {
            continue;
        }
        let Some(target) = targets
            .iter()
            .position(|target| target.entity == from.entity())
            .and_then(|target| u8::try_from(target).ok())
        else {
            return Err(RunError::job(format!("`ownerid` cannot point to `{}`", from.entity())));
        };
        let table = known.owners(from, &said.by).await?;
        let named: StringArray =
            (0..rows).map(|row| (said.kinds[row] == kind).then(|| said.keys.value(row))).collect();
        let keys = KeyColumns::ready(named.clone());
        let matches = table.find(keys.hashes(), vec![Arc::new(named)]).await?;
        let ids = matches.rows.column(0).as_fixed_size_binary();
        for (row, hit) in matches.hits.iter().enumerate() {
            if said.kinds[row] != kind {
                continue;
            }
            let id = match hit {
                Hit::One(at) => id_at(ids, *at),
                Hit::None | Hit::Many { .. } => None,
            };
            match id {
                Some(id) => {
                    found.insert(row, LookupValue { target, id });
                }
                None if prepared.fates[row].is_none() => {
                    prepared.fates[row] = Some(unknown(from, said, row, hit));
                }
                None => {}
            }
        }
    }
    let mut out = FixedSizeBinaryBuilder::with_capacity(rows, 17);
    for row in 0..rows {
        match found.get(&row) {
            Some(value) => out.append_value(value.to_bytes())?,
            None => out.append_null(),
        }
    }
    // An owner is never cleared: no owner means leave it as it is.
    let leave = BooleanBuffer::collect_bool(rows, |row| !found.contains_key(&row));
    Ok(Values { array: Arc::new(out.finish()), leave: Some(leave) })
}

fn unknown(from: OwnerTable, said: &Owners, row: usize, hit: &Hit) -> Fate {
    let (entity, by, value) = (from.entity(), &said.by, said.keys.value(row));
    let fate = match hit {
        Hit::Many { total, .. } => Fate::dead(
            "owner_ambiguous",
            format!("{total} records of `{entity}` have `{by}` = `{value}`"),
        ),
        _ => Fate::dead("owner_missing", format!("no record of `{entity}` has `{by}` = `{value}`")),
    };
    fate.at("ownerid").hint("create the user or team, or let the rule name a fallback")
}
