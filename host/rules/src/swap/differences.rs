//! What two versions judge differently: by column and record, bounded.

use std::collections::BTreeMap;

/// Columns that are told apart; of more the rest is one entry.
const COLUMNS_MAX: usize = 200;
/// Where columns beyond those are counted.
const OTHERS: &str = "(other columns)";

/// What is different in one column.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct ColumnDifference {
    /// Cells.
    pub cells: u64,
    /// Keys of the first records.
    pub keys: Vec<String>,
}

/// What two versions judge differently.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Differences {
    /// Rows that both judged.
    pub rows: u64,
    /// Of these, rows with a difference.
    pub different: u64,
    /// By column of the target; `(outcome)` where only one lets the row go on.
    pub columns: BTreeMap<String, ColumnDifference>,
}

impl Differences {
    /// Notes a cell; lists its record while fewer than `keys_max` are listed.
    pub fn note(&mut self, column: &str, key: impl FnOnce() -> String, keys_max: usize) {
        let known = self.columns.contains_key(column) || self.columns.len() < COLUMNS_MAX;
        let column = if known { column } else { OTHERS };
        let entry = self.columns.entry(column.to_owned()).or_default();
        entry.cells += 1;
        if entry.keys.len() < keys_max {
            entry.keys.push(key());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_listed_up_to_a_limit_and_counted_beyond() {
        let mut differences = Differences::default();
        for n in 0..5 {
            differences.note("name", || format!("K{n}"), 2);
        }
        let name = &differences.columns["name"];
        assert_eq!(
            (name.cells, name.keys.as_slice()),
            (5, &["K0".to_owned(), "K1".to_owned()][..])
        );
        for n in 0..1000 {
            differences.note(&format!("c{n}"), String::new, 2);
        }
        assert_eq!(differences.columns.len(), COLUMNS_MAX + 1);
        assert_eq!(differences.columns.values().map(|column| column.cells).sum::<u64>(), 1005);
    }
}
