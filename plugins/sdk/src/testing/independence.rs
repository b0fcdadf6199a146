//! The promise that every rule makes: a row's result depends on that row only.

use super::Table;

/// Splits and shuffles the rows in many ways and compares what is said of each
/// with what is said when all are judged in one call.
///
/// `judge` gives a line a row: [`super::Answer::lines`].
///
/// # Panics
/// With the row and both results, where they differ.
pub fn assert_rows_independent(table: &Table, mut judge: impl FnMut(&Table) -> Vec<String>) {
    let whole = judge(table);
    assert_eq!(whole.len(), table.len(), "one line a row");
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for round in 0..24 {
        let mut order: Vec<usize> = (0..table.len()).collect();
        if round > 0 {
            for left in (1..order.len()).rev() {
                order.swap(left, random.below(left + 1));
            }
        }
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            // The first round judges each row alone.
            let size = if round == 0 { 1 } else { 1 + random.below(rest.len()) };
            let (call, after) = rest.split_at(size);
            for (line, &row) in judge(&table.select(call)).iter().zip(call) {
                assert_eq!(line, &whole[row], "row {row} differs when judged among {call:?}");
            }
            rest = after;
        }
    }
}

/// Xorshift: the same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(self.0 % bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "row 1 differs")]
    fn a_rule_that_looks_at_its_neighbours_is_caught() {
        let table = Table::of(&["name"], &[&["a"], &["b"], &["c"]]);
        assert_rows_independent(&table, |rows| {
            (0..rows.len()).map(|row| format!("row {row} of the call")).collect()
        });
    }
}
