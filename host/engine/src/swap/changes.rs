//! What a row is whose rolled-back outcome is replaced. Pure.

use dvsync_model::Outcome;
use uuid::Uuid;

use crate::journal::SettledRow;

/// What has become of a row over both judgements, and whether the first one left
/// a record behind that the second one has not put right.
pub(crate) fn over_both(
    before: &SettledRow,
    now: Outcome,
    id: Option<Uuid>,
) -> (Outcome, Option<Uuid>) {
    if !before.is_written() {
        return (now, None);
    }
    let looked_at =
        matches!(now, Outcome::Created | Outcome::Updated | Outcome::Upserted | Outcome::Unchanged);
    // The service does not always tell which record it upserted.
    let same = before.id.is_none() || id.is_none() || before.id == id;
    if looked_at && same { (before.outcome, None) } else { (now, before.id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_created_and_then_put_right_was_created() {
        use Outcome::{Created, DeadLettered, Dropped, Unchanged, Updated};
        let (x, y) = (Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2)));
        for (outcome, was, now, id, expect) in [
            (Created, x, Updated, x, (Created, None)),
            (Created, x, Unchanged, x, (Created, None)),
            (Updated, x, Unchanged, x, (Updated, None)),
            (Unchanged, x, Updated, x, (Updated, None)),
            (Dropped, None, Created, x, (Created, None)),
            (DeadLettered, None, Created, x, (Created, None)),
            (Created, x, Created, y, (Created, x)),
            (Created, x, DeadLettered, x, (DeadLettered, x)),
            (Updated, x, Dropped, None, (Dropped, x)),
        ] {
            let before = SettledRow { outcome, id: was, why: None };
            assert_eq!(over_both(&before, now, id), expect, "{outcome:?} then {now:?}");
        }
    }
}
