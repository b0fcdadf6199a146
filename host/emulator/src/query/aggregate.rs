//! Sums, counts and extremes of groups of rows, for `$apply` and FetchXML.
//!
//! Nulls are left out of everything but a count of rows (*Aggregate data using
//! FetchXml*). The average of whole numbers is a whole number, as SQL has it.

use std::collections::{BTreeMap, HashSet};

use crate::cell::{Cell, compare, fold};
use crate::refusal::{Name, Refusal};
use crate::schema::Kind;

/// *Aggregate data using FetchXml*: most rows that an aggregate looks at.
const ROWS_MAX: usize = 50_000;

/// What is made of the values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Of rows.
    Count,
    /// Of values that are not null.
    CountColumn,
    /// Of different values.
    CountDistinct,
    Sum,
    Average,
    Min,
    Max,
}

/// The result for a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Total {
    Count(usize),
    Null,
    /// A value of the column itself.
    Cell(Cell<'static>),
    /// A decimal at its column's scale, of which nine digits are shown.
    Decimal(i128, u8),
}

impl Total {
    /// For `order`; null comes first.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        match (self, other) {
            (Total::Null, Total::Null) => Ordering::Equal,
            (Total::Null, _) => Ordering::Less,
            (_, Total::Null) => Ordering::Greater,
            (Total::Count(a), Total::Count(b)) => a.cmp(b),
            (Total::Decimal(a, _), Total::Decimal(b, _)) => a.cmp(b),
            (Total::Cell(a), Total::Cell(b)) => compare(a, b).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        }
    }
}

impl Measure {
    /// Whether columns of that kind can be measured so.
    pub(super) fn takes(self, kind: &Kind) -> bool {
        let number = matches!(
            kind,
            Kind::Integer { .. }
                | Kind::BigInt
                | Kind::Decimal { .. }
                | Kind::Money { .. }
                | Kind::Double { .. }
        );
        match self {
            Measure::Sum | Measure::Average => number,
            Measure::Min | Measure::Max => {
                number || matches!(kind, Kind::DateTime { .. } | Kind::Date)
            }
            _ => true,
        }
    }

    /// The total of the values of a group; nulls among them.
    pub(super) fn total(self, kind: &Kind, cells: &[Cell<'_>]) -> Total {
        let values = || cells.iter().filter(|cell| !cell.is_null());
        match self {
            Measure::Count => Total::Count(cells.len()),
            Measure::CountColumn => Total::Count(values().count()),
            Measure::CountDistinct => {
                Total::Count(values().map(identity).collect::<HashSet<_>>().len())
            }
            Measure::Min | Measure::Max => {
                let extreme = values().reduce(|best, cell| {
                    let less = compare(cell, best) == Some(std::cmp::Ordering::Less);
                    if less == (self == Measure::Min) { cell } else { best }
                });
                match extreme {
                    None => Total::Null,
                    Some(Cell::Decimal(value)) => Total::Decimal(*value, kind.scale()),
                    Some(cell) => Total::Cell(owned(cell)),
                }
            }
            Measure::Sum | Measure::Average => {
                let count = i128::try_from(values().count()).unwrap_or(i128::MAX);
                if count == 0 {
                    return Total::Null;
                }
                let average = self == Measure::Average;
                if matches!(kind, Kind::Double { .. }) {
                    let sum: f64 = values()
                        .map(|cell| if let Cell::Double(value) = cell { *value } else { 0.0 })
                        .sum();
                    let divisor = if average { u32::try_from(count).unwrap_or(1) } else { 1 };
                    return Total::Cell(Cell::Double(sum / f64::from(divisor)));
                }
                let sum: i128 = values()
                    .map(|cell| match cell {
                        Cell::Decimal(value) => *value,
                        Cell::Int(value) => i128::from(*value),
                        _ => 0,
                    })
                    .sum();
                let total = if average { sum / count } else { sum };
                match kind {
                    Kind::Decimal { .. } | Kind::Money { .. } => {
                        // An average has more digits than its column.
                        let unit = 10_i128.pow(u32::from(9_u8.saturating_sub(kind.scale())));
                        let total = if average { sum * unit / count } else { sum * unit };
                        Total::Decimal(total, kind.scale().max(9))
                    }
                    _ => Total::Cell(Cell::Int(i64::try_from(total).unwrap_or(i64::MAX))),
                }
            }
        }
    }
}

/// A group: what its rows have in common, and what they are measured by.
pub(super) type Group = (Vec<Cell<'static>>, Vec<Vec<Cell<'static>>>);

/// Rows into groups, ordered by what they have in common. Each row gives its
/// common values and one value for each measure.
pub(super) fn grouped(
    rows: impl Iterator<Item = (Vec<Cell<'static>>, Vec<Cell<'static>>)>,
    measures: usize,
    limit: bool,
) -> Result<Vec<Group>, Refusal> {
    let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
    for (index, (common, values)) in rows.enumerate() {
        if limit && index == ROWS_MAX {
            return Err(Refusal::named(
                Name::AggregateLimit,
                "The maximum record limit is exceeded. Reduce the number of records.",
            ));
        }
        let key = common.iter().map(identity).collect();
        let group =
            groups.entry(key).or_insert_with(|| (common.clone(), vec![Vec::new(); measures]));
        for (all, value) in group.1.iter_mut().zip(values) {
            all.push(value);
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by(|a, b| super::order::by_keys(&a.0, &b.0, std::iter::repeat_n(false, a.0.len())));
    Ok(groups)
}

/// Equal for equal values, as the service compares them.
pub(crate) fn identity(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => format!("t{}", fold(text)),
        Cell::Guid(id) | Cell::Lookup(_, id) => format!("g{id}"),
        Cell::Double(value) => format!("d{value}"),
        Cell::Bool(value) => format!("b{value}"),
        Cell::Int(value) | Cell::Time(value) => format!("i{value}"),
        Cell::Date(value) => format!("i{value}"),
        Cell::Decimal(value) => format!("i{value}"),
    }
}

/// A cell that outlives its row.
pub(super) fn owned(cell: &Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Null => Cell::Null,
        Cell::Bool(value) => Cell::Bool(*value),
        Cell::Int(value) => Cell::Int(*value),
        Cell::Decimal(value) => Cell::Decimal(*value),
        Cell::Double(value) => Cell::Double(*value),
        Cell::Text(text) => Cell::Text(text.clone().into_owned().into()),
        Cell::Time(value) => Cell::Time(*value),
        Cell::Date(value) => Cell::Date(*value),
        Cell::Guid(id) => Cell::Guid(*id),
        Cell::Lookup(target, id) => Cell::Lookup(*target, *id),
    }
}
