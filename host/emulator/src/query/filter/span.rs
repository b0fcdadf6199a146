//! Spans of time that have names: `Today`, `LastXDays`, `next-seven-days`.
//!
//! Pure. A week begins on Sunday. Where a span of whole days begins and ends is as
//! the SDK's *ConditionOperator* describes it: from the beginning of a day up to
//! now, or from now up to the end of a day. Switches have it otherwise, and the days
//! of another time zone than UTC.

use crate::cell::Cell;
use crate::instant::{DAY, civil, days, month_days};
use crate::settings::{Behavior, SpanEnds};

const HOUR: i64 = 3600;

/// From and to, in seconds since 1970 by local clocks; the end does not belong to
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    /// Seconds that local clocks are ahead of UTC.
    offset: i64,
}

/// What a span of time depends on, besides its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    /// Seconds since 1970, UTC.
    now: i64,
    offset: i64,
    whole_days: bool,
}

impl Calendar {
    pub(crate) fn new(behavior: &Behavior, now: i64) -> Self {
        Self {
            now,
            offset: i64::from(behavior.utc_offset_minutes) * 60,
            whole_days: behavior.span_ends == SpanEnds::WholeDays,
        }
    }

    /// Local time, seconds since 1970.
    pub(super) fn local(self) -> i64 {
        self.now + self.offset
    }

    pub(crate) fn span(self, from: Option<i64>, to: Option<i64>) -> Span {
        Span { from, to, offset: self.offset }
    }

    /// Whole days; the last one does not belong to it.
    pub(crate) fn days(self, from: i64, to: i64) -> Span {
        self.span(Some(from * DAY), Some(to * DAY))
    }
}

impl Span {
    pub(crate) fn holds(&self, cell: &Cell<'_>) -> bool {
        let seconds = match cell {
            Cell::Time(seconds) => *seconds + self.offset,
            Cell::Date(day) => i64::from(*day) * DAY,
            _ => return false,
        };
        self.from.is_none_or(|from| seconds >= from) && self.to.is_none_or(|to| seconds < to)
    }
}

/// The span of that name: `LastXDays` and `last-x-days` alike. `None`: there is
/// none, or it needs a positive `count`.
pub(crate) fn span(name: &str, count: Option<i64>, calendar: Calendar) -> Option<Span> {
    let now = calendar.local();
    let name: String = name.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
    let today = now.div_euclid(DAY);
    let (year, month, _) = civil(today);
    let sunday = today - (today + 4).rem_euclid(7);
    let first = |year: i64, month: i64| {
        let month = year * 12 + month - 1;
        days(month.div_euclid(12), month.rem_euclid(12) + 1, 1)
    };
    let (morning, midnight) = match calendar.whole_days {
        true => (today * DAY, (today + 1) * DAY),
        false => (now, now + 1),
    };
    let since = |from: i64| Some(calendar.span(Some(from), Some(midnight)));
    let until = |to: i64| Some(calendar.span(Some(morning), Some(to)));
    let before = |to: i64| Some(calendar.span(None, Some(to)));
    let whole = match name.as_str() {
        "today" => Some((today, today + 1)),
        "yesterday" => Some((today - 1, today)),
        "tomorrow" => Some((today + 1, today + 2)),
        "thisweek" => Some((sunday, sunday + 7)),
        "lastweek" => Some((sunday - 7, sunday)),
        "nextweek" => Some((sunday + 7, sunday + 14)),
        "thismonth" => Some((first(year, month), first(year, month + 1))),
        "lastmonth" => Some((first(year, month - 1), first(year, month))),
        "nextmonth" => Some((first(year, month + 1), first(year, month + 2))),
        "thisyear" => Some((first(year, 1), first(year + 1, 1))),
        "lastyear" => Some((first(year - 1, 1), first(year, 1))),
        "nextyear" => Some((first(year + 1, 1), first(year + 2, 1))),
        _ => None,
    };
    if let Some((from, to)) = whole {
        return Some(calendar.days(from, to));
    }
    match name.as_str() {
        "last7days" | "lastsevendays" => return since((today - 7) * DAY),
        "next7days" | "nextsevendays" => return until((today + 8) * DAY),
        _ => {}
    }
    let count = count.filter(|count| (1..=1_000_000).contains(count))?;
    match name.as_str() {
        "lastxhours" => Some(calendar.span(Some(now - count * HOUR), Some(now + 1))),
        "nextxhours" => Some(calendar.span(Some(now), Some(now + count * HOUR))),
        "lastxdays" => since((today - count) * DAY),
        "nextxdays" => until((today + count + 1) * DAY),
        "lastxweeks" => since((today - 7 * count) * DAY),
        "nextxweeks" => until((today + 7 * count + 1) * DAY),
        "lastxmonths" => since(moved(today, -count) * DAY),
        "nextxmonths" => until((moved(today, count) + 1) * DAY),
        "lastxyears" => since(moved(today, -12 * count) * DAY),
        "nextxyears" => until((moved(today, 12 * count) + 1) * DAY),
        "olderthanxminutes" => before(now - count * 60),
        "olderthanxhours" => before(now - count * HOUR),
        "olderthanxdays" => before((today - count) * DAY),
        "olderthanxweeks" => before((today - 7 * count) * DAY),
        "olderthanxmonths" => before(moved(today, -count) * DAY),
        "olderthanxyears" => before(moved(today, -12 * count) * DAY),
        _ => None,
    }
}

/// The same day of another month, or that month's last.
fn moved(day: i64, months: i64) -> i64 {
    let (year, month, of_month) = civil(day);
    let month = year * 12 + month - 1 + months;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    days(year, month, of_month.min(month_days(year, month)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, count: i64) -> String {
        // A Wednesday.
        let now = days(2024, 5, 15) * DAY + 10 * HOUR;
        let calendar = Calendar { now, offset: 0, whole_days: false };
        let Some(span) = span(name, Some(count), calendar) else { return "none".to_owned() };
        let day = |seconds: Option<i64>| match seconds {
            None => "..".to_owned(),
            Some(seconds) if seconds == now || seconds == now + 1 => "now".to_owned(),
            Some(seconds) => {
                let (year, month, day) = civil(seconds.div_euclid(DAY));
                let hour = seconds.rem_euclid(DAY) / HOUR;
                format!("{year}-{month}-{day}+{hour}")
            }
        };
        format!("{} {}", day(span.from), day(span.to))
    }

    #[test]
    fn spans_begin_and_end_with_days() {
        let expect = [
            ("Today", 0, "2024-5-15+0 2024-5-16+0"),
            ("this-week", 0, "2024-5-12+0 2024-5-19+0"),
            ("LastMonth", 0, "2024-4-1+0 2024-5-1+0"),
            ("NextYear", 0, "2025-1-1+0 2026-1-1+0"),
            ("last-seven-days", 0, "2024-5-8+0 now"),
            ("LastXDays", 3, "2024-5-12+0 now"),
            ("NextXDays", 1, "now 2024-5-17+0"),
            ("LastXMonths", 3, "2024-2-15+0 now"),
            ("LastXHours", 4, "2024-5-15+6 now"),
            ("OlderThanXYears", 1, ".. 2023-5-15+0"),
            ("LastXDays", 0, "none"),
            ("LastXFortnights", 1, "none"),
        ];
        for (name, count, span) in expect {
            assert_eq!(shown(name, count), span, "{name}");
        }
    }

    #[test]
    fn a_month_is_left_at_its_last_day() {
        assert_eq!(moved(days(2024, 3, 31), -1), days(2024, 2, 29));
        assert_eq!(moved(days(2024, 1, 31), 13), days(2025, 2, 28));
    }
}
