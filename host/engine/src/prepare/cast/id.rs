//! Ids, and lookups that are given as one.

use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeBinaryArray};
use dvsync_model::LookupValue;
use uuid::Uuid;

use super::raw::{Raw, clean};
use super::{CellRules, Misfit, Reason};

/// Ids as 16 bytes, or as 17 with the lookup's target before them.
pub(super) fn ids(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
    target: Option<u8>,
) -> Option<ArrayRef> {
    let found: Vec<Option<Uuid>> = match raw {
        Raw::Id(values) => {
            values.iter().map(|v| v.and_then(|v| Uuid::from_slice(v).ok())).collect()
        }
        Raw::Text(values) => values
            .iter()
            .enumerate()
            .map(|(row, text)| {
                let text = clean(rules, text?)?;
                let parsed = Uuid::try_parse(text.trim());
                if parsed.is_err() {
                    let reason = Reason::mismatch("a GUID", &text);
                    misfits.push(Misfit { row, code: reason.code, message: reason.message });
                }
                parsed.ok()
            })
            .collect(),
        _ => return None,
    };
    let array = match target {
        None => FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            found.iter().map(|id| id.as_ref().map(|id| id.as_bytes())),
            16,
        ),
        Some(target) => FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            found.iter().map(|id| id.map(|id| LookupValue { target, id }.to_bytes())),
            17,
        ),
    };
    array.ok().map(|array| Arc::new(array) as ArrayRef)
}
