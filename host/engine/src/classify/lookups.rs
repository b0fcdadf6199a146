//! References: the value that a lookup goes by becomes the record it names.

use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use dvsync_model::LookupValue;
use uuid::Uuid;

use crate::error::RunError;
use crate::fate::{Again, Fate};
use crate::job::OnMissing;
use crate::keys::KeyColumns;
use crate::known::Known;
use crate::plan::{Lookup, Plan};
use crate::prepare::{Cells, Prepared, Values};
use crate::spill::Hit;

/// What a row is deferred for that points to a record which is not there yet.
pub(crate) const LOOKUP_MISSING: &str = "lookup_missing";

/// Resolves all lookups of the prepared rows.
pub(super) async fn resolve(
    plan: &Plan,
    known: &Known,
    prepared: &mut Prepared,
) -> Result<(), RunError> {
    for (position, column) in plan.columns.iter().enumerate() {
        let table = known.lookups.get(&column.column.logical_name);
        let (Some(lookup), Some(table)) = (&column.lookup, table) else { continue };
        let Cells::Sought(sought) = prepared.cells[position].clone() else { continue };
        let keys = KeyColumns::of([&sought.array])
            .ok_or_else(|| RunError::Bug("a lookup by a column that is no key".into()))?;
        let matches = table.find(keys.hashes(), vec![Arc::clone(&sought.array)]).await?;
        let ids = matches.rows.column(0).as_fixed_size_binary();
        let mut out = FixedSizeBinaryBuilder::with_capacity(sought.array.len(), 17);
        for (row, hit) in matches.hits.iter().enumerate() {
            let left = sought.leave.as_ref().is_some_and(|leave| leave.value(row));
            let found = match hit {
                Hit::One(at) => id_at(ids, *at),
                _ if left || keys.shown(row).is_none() => None,
                missing => {
                    let name = &column.column.logical_name;
                    if let Some(fate) = missed(lookup, name, &keys, row, missing)
                        && prepared.fates[row].is_none()
                    {
                        prepared.fates[row] = Some(fate);
                    }
                    None
                }
            };
            match found {
                Some(id) => {
                    out.append_value(LookupValue { target: lookup.target, id }.to_bytes())?;
                }
                None => out.append_null(),
            }
        }
        let array: ArrayRef = Arc::new(out.finish());
        let leave = sought.leave;
        prepared.cells[position] = Cells::Ready(Values { array, leave });
    }
    Ok(())
}

/// The id in a row of found records.
pub(super) fn id_at(ids: &arrow_array::FixedSizeBinaryArray, at: u32) -> Option<Uuid> {
    Uuid::from_slice(ids.value(usize::try_from(at).ok()?)).ok()
}

fn missed(lookup: &Lookup, column: &str, keys: &KeyColumns, row: usize, hit: &Hit) -> Option<Fate> {
    let (entity, by) = (&lookup.entity.logical_name, &lookup.by.logical_name);
    let value = keys.shown(row).unwrap_or_default();
    if let Hit::Many { total, .. } = hit {
        return Some(
            Fate::dead(
                "lookup_ambiguous",
                format!("{total} records of `{entity}` have `{by}` = `{value}`"),
            )
            .at(column)
            .hint("look up by a column that is unique"),
        );
    }
    let message = format!("no record of `{entity}` has `{by}` = `{value}`");
    match lookup.on_missing {
        OnMissing::Null => None,
        OnMissing::Defer => Some(
            Fate::deferred(LOOKUP_MISSING, message)
                .again(Again::WithOthers)
                .at(column)
                .hint(format!("load `{entity}` first; the next run tries again")),
        ),
        OnMissing::Reject => Some(
            Fate::dead("lookup_missing", message)
                .at(column)
                .hint(format!("load `{entity}` first, or say on_missing = \"null\" or \"defer\"")),
        ),
    }
}
