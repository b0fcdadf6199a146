//! When a deferred row is tried again; pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::fate::Again;
use crate::job::Retry;

/// The wait doubles at most so often.
const DOUBLINGS_MAX: u32 = 10;

/// Not before then; `None` where only another run can help. `tried`: how often
/// this run has deferred the row before.
pub(crate) fn until(again: Again, tried: u32, now: Timestamp, retry: &Retry) -> Option<Timestamp> {
    let wait = |doublings: u32| {
        let wait = retry.deferred_backoff.saturating_mul(1 << doublings.min(DOUBLINGS_MAX));
        now.saturating_add(wait).unwrap_or(Timestamp::MAX)
    };
    match again {
        Again::NextRun => None,
        Again::Later => Some(wait(tried)),
        // What it waits for may have landed meanwhile: tried at once, once.
        Again::WithOthers if tried == 0 => Some(now),
        Again::WithOthers => Some(wait(tried - 1)),
        Again::NotBefore(until) if tried == 0 => Some(until.max(now)),
        Again::NotBefore(until) => Some(until.max(wait(tried - 1))),
    }
}

/// What a run does about its deferrals, told when the first of them is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// They are due.
    Now,
    /// Wait so long.
    Wait(Duration),
    /// They are left for another run.
    Leave,
}

/// What to do at `now`, up to `deadline`.
pub(crate) fn next(earliest: Timestamp, now: Timestamp, deadline: Timestamp) -> Next {
    if now >= deadline || earliest > deadline {
        return Next::Leave;
    }
    match Duration::try_from(earliest.duration_since(now)) {
        Ok(wait) if !wait.is_zero() => Next::Wait(wait),
        _ => Next::Now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(1_795_337_581 + second, 0).unwrap()
    }

    fn retry() -> Retry {
        Retry {
            attempts: 6,
            base: Duration::from_millis(500),
            max: Duration::from_secs(30),
            deferred_backoff: Duration::from_secs(30),
            deferred_deadline: Duration::from_secs(600),
        }
    }

    #[test]
    fn a_wait_doubles_and_what_the_service_asks_for_is_never_shortened() {
        let never = Timestamp::MAX;
        for (again, tried, expect) in [
            (Again::Later, 0, Some(at(30))),
            (Again::Later, 1, Some(at(60))),
            (Again::Later, 3, Some(at(240))),
            (Again::Later, u32::MAX, Some(at(30 * 1024))),
            (Again::WithOthers, 0, Some(at(0))),
            (Again::WithOthers, 1, Some(at(30))),
            (Again::WithOthers, 2, Some(at(60))),
            (Again::NotBefore(at(7)), 0, Some(at(7))),
            (Again::NotBefore(at(7)), 1, Some(at(30))),
            (Again::NotBefore(at(4000)), 3, Some(at(4000))),
            (Again::NotBefore(at(-9)), 0, Some(at(0))),
            (Again::NotBefore(never), 9, Some(never)),
            (Again::NextRun, 0, None),
        ] {
            assert_eq!(until(again, tried, at(0), &retry()), expect, "{again:?} {tried}");
        }
    }

    #[test]
    fn nothing_is_tried_after_the_deadline() {
        for (earliest, now, deadline, expect) in [
            (0, 0, 600, Next::Now),
            (-5, 0, 600, Next::Now),
            (30, 0, 600, Next::Wait(Duration::from_secs(30))),
            (600, 0, 600, Next::Wait(Duration::from_secs(600))),
            (601, 0, 600, Next::Leave),
            (0, 600, 600, Next::Leave),
            (0, 0, 0, Next::Leave),
        ] {
            assert_eq!(next(at(earliest), at(now), at(deadline)), expect, "{earliest} {now}");
        }
    }
}
