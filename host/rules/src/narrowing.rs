//! Finds the rows at fault in a call that failed, in a bounded number of calls.
//! Pure: the call is an argument.
//!
//! A part that failed is cut in two and the left half is called. When it
//! succeeds, the right half must hold the fault and is cut without a call of its
//! own; a single row is always called before it is blamed. So one row at fault
//! among n costs about log2(n) calls, and a call that failed for its size only
//! costs no row at all.
//!
//! A call that times out has cost its whole deadline, so parts get a deadline in
//! proportion to their rows ([`Budget::part_deadline`]), and the deadlines that time-outs have
//! used up are counted: down to the row takes about two and a half whole
//! deadlines, and beyond four the rest of the part is given up.

use std::ops::Range;
use std::time::Duration;

/// A whole deadline, in thousandths.
const WHOLE: u32 = 1000;
/// No part gets less than this of the deadline, however few rows it has.
const SHARE_MIN: u32 = 50;
/// Nor less than this at all: a busy machine is no fault of a row.
const PART_DEADLINE_MIN: Duration = Duration::from_millis(100);
/// What time-outs may use up in one narrowing.
const TIMEOUTS_MAX: u32 = 4 * WHOLE;

/// What a call of some rows came to.
pub(crate) enum Attempt<O, F, E> {
    /// The rows are judged.
    Done(O),
    /// One row at least is at fault.
    Failed(F),
    /// As `Failed`; the call has used up its deadline.
    TimedOut(F),
    /// There is no point in going on.
    Stop(E),
}

/// Some rows, and what became of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<O, F> {
    /// Judged in one call.
    Judged(Range<usize>, O),
    /// One row, found to be at fault.
    AtFault(usize, F),
    /// Not narrowed further.
    GivenUp(Range<usize>),
}

/// What narrowing may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Of a call with all rows.
    pub(crate) deadline: Duration,
    pub(crate) calls_max: u32,
}

impl Budget {
    /// The deadline of a call with a part of the rows.
    pub(crate) fn part_deadline(&self, part: usize, rows: usize) -> Duration {
        self.deadline.saturating_mul(self.share(part, rows)) / WHOLE
    }

    /// Thousandths of the whole deadline: twice the part's share of the rows.
    fn share(&self, part: usize, rows: usize) -> u32 {
        let twice = part.saturating_mul(2 * 1000) / rows.max(1);
        let least = PART_DEADLINE_MIN.as_nanos() * 1000 / self.deadline.as_nanos().max(1);
        let least = u32::try_from(least).unwrap_or(WHOLE).clamp(SHARE_MIN, WHOLE);
        u32::try_from(twice).unwrap_or(WHOLE).clamp(least, WHOLE)
    }
}

/// Judges rows `0..rows`: one call when all goes well. The parts come in order
/// and cover each row once.
pub(crate) fn narrow<O, F, E>(
    rows: usize,
    budget: &Budget,
    mut call: impl FnMut(Range<usize>) -> Attempt<O, F, E>,
) -> Result<Vec<Part<O, F>>, E> {
    let mut parts = Vec::new();
    let mut open = vec![Open { rows: 0..rows, is_left: false, is_bad: false }];
    let mut calls = 0;
    let mut timeouts = 0;
    while let Some(Open { rows: part, is_left, is_bad }) = open.pop() {
        if calls >= budget.calls_max || timeouts >= TIMEOUTS_MAX {
            parts.push(Part::GivenUp(part));
            continue;
        }
        if is_bad && part.len() > 1 {
            open.extend(halves(part));
            continue;
        }
        calls += 1;
        let failure = match call(part.clone()) {
            Attempt::Done(output) => {
                // Its sibling lies on top: one of the two is at fault.
                if is_left && let Some(right) = open.last_mut() {
                    right.is_bad = true;
                }
                parts.push(Part::Judged(part, output));
                continue;
            }
            Attempt::Failed(failure) => failure,
            Attempt::TimedOut(failure) => {
                timeouts += budget.share(part.len(), rows);
                failure
            }
            Attempt::Stop(error) => return Err(error),
        };
        if part.len() > 1 {
            open.extend(halves(part));
        } else {
            parts.push(Part::AtFault(part.start, failure));
        }
    }
    Ok(parts)
}

struct Open {
    rows: Range<usize>,
    is_left: bool,
    /// Known to hold a row at fault, without a call.
    is_bad: bool,
}

/// Right, then left, so that the left one is on top.
fn halves(rows: Range<usize>) -> [Open; 2] {
    let middle = rows.start + rows.len() / 2;
    [
        Open { rows: middle..rows.end, is_left: false, is_bad: false },
        Open { rows: rows.start..middle, is_left: true, is_bad: false },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn budget(calls_max: u32) -> Budget {
        Budget { deadline: Duration::from_secs(10), calls_max }
    }

    #[test]
    fn parts_get_twice_their_share_of_the_deadline_within_bounds() {
        let ms = |deadline_ms, part| {
            let budget = Budget { deadline: Duration::from_millis(deadline_ms), calls_max: 1 };
            budget.part_deadline(part, 1000).as_millis()
        };
        assert_eq!([ms(10_000, 1000), ms(10_000, 500), ms(10_000, 250)], [10_000, 10_000, 5_000]);
        assert_eq!([ms(10_000, 1), ms(1000, 1), ms(50, 1)], [500, 100, 50]);
    }

    /// Narrows calls that fail when they hold a bad row or too many rows;
    /// returns rows judged, rows at fault, rows given up, and the calls made.
    fn run(
        rows: usize,
        bad: &BTreeSet<usize>,
        rows_max: usize,
        calls_max: u32,
    ) -> (BTreeSet<usize>, BTreeSet<usize>, BTreeSet<usize>, u32) {
        let mut calls = 0;
        let parts = narrow::<_, _, Infallible>(rows, &budget(calls_max), |part| {
            calls += 1;
            if bad.range(part.clone()).next().is_some() || part.len() > rows_max {
                Attempt::Failed(())
            } else {
                Attempt::Done(part)
            }
        });
        let (mut judged, mut at_fault, mut given_up) =
            <(BTreeSet<_>, BTreeSet<_>, BTreeSet<_>)>::default();
        let mut next = 0;
        for part in parts.expect("infallible") {
            let (covered, set) = match part {
                Part::Judged(range, seen) => {
                    assert_eq!(range, seen);
                    (range, &mut judged)
                }
                Part::AtFault(row, ()) => (row..row + 1, &mut at_fault),
                Part::GivenUp(range) => (range, &mut given_up),
            };
            assert_eq!(covered.start, next, "in order, no row twice and none left out");
            next = covered.end;
            set.extend(covered);
        }
        assert_eq!(next, rows);
        (judged, at_fault, given_up, calls)
    }

    fn log2(rows: usize) -> u32 {
        rows.next_power_of_two().ilog2()
    }

    proptest! {
        #[test]
        fn exactly_the_rows_at_fault_are_found(
            rows in 1usize..3000,
            bad in proptest::collection::btree_set(0usize..3000, 0..12),
        ) {
            let bad: BTreeSet<_> = bad.into_iter().filter(|row| *row < rows).collect();
            let (judged, at_fault, given_up, calls) = run(rows, &bad, usize::MAX, u32::MAX);
            prop_assert_eq!(&at_fault, &bad);
            prop_assert_eq!(judged.len() + at_fault.len(), rows);
            prop_assert!(given_up.is_empty());
            let each = 2 * log2(rows) + 1;
            prop_assert!(calls <= 1 + u32::try_from(bad.len()).expect("few") * each, "{} calls", calls);
        }

        #[test]
        fn no_more_calls_than_the_budget_and_no_bad_row_is_judged(
            rows in 1usize..3000,
            bad in proptest::collection::btree_set(0usize..3000, 0..40),
            calls_max in 1u32..60,
        ) {
            let (judged, at_fault, _, calls) = run(rows, &bad, usize::MAX, calls_max);
            prop_assert!(calls <= calls_max);
            prop_assert!(judged.is_disjoint(&bad));
            prop_assert!(at_fault.is_subset(&bad));
        }

        #[test]
        fn a_call_that_fails_for_its_size_costs_no_row(
            rows in 1usize..3000,
            rows_max in 1usize..3000,
        ) {
            let (judged, ..) = run(rows, &BTreeSet::new(), rows_max, u32::MAX);
            prop_assert_eq!(judged.len(), rows);
        }
    }

    #[test]
    fn one_row_of_8192_takes_about_as_many_calls_as_it_has_bits() {
        for row in [0, 1, 4095, 4096, 8191] {
            let (_, at_fault, _, calls) = run(8192, &BTreeSet::from([row]), usize::MAX, u32::MAX);
            assert_eq!(at_fault, BTreeSet::from([row]));
            assert!(calls <= 27, "{calls} calls for row {row}");
        }
    }

    #[test]
    fn a_row_that_loops_is_found_within_four_deadlines_and_many_are_given_up() {
        for (bad, found) in [(BTreeSet::from([5000]), true), ((0..8192).collect(), false)] {
            let mut spent = 0;
            let parts = narrow::<_, _, Infallible>(8192, &budget(1000), |part| {
                if bad.range(part.clone()).next().is_some() {
                    spent += budget(1000).share(part.len(), 8192);
                    Attempt::TimedOut(())
                } else {
                    Attempt::Done(())
                }
            })
            .expect("infallible");
            assert!(spent <= TIMEOUTS_MAX + WHOLE, "{spent}");
            assert_eq!(parts.contains(&Part::AtFault(5000, ())), found);
            assert_eq!(parts.iter().any(|part| matches!(part, Part::GivenUp(_))), !found);
        }
    }

    #[test]
    fn a_stop_ends_it() {
        let stopped = narrow::<(), (), _>(8, &budget(100), |_| Attempt::Stop("misconfigured"));
        assert_eq!(stopped, Err("misconfigured"));
    }
}
