//! Verdicts over time, as tables of numbers.

use super::*;

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn verdict(limits: &mut Limits, now: Duration, takes: Duration) -> Result<(), (String, u64)> {
    limits.admit(now).map_err(|throttled| (throttled.code, throttled.wait.as_secs()))?;
    limits.began(now, takes);
    Ok(())
}

fn limits(requests: u64, execution_seconds: f64, concurrency: u64) -> Limits {
    Limits::new(&LimitSettings {
        requests,
        execution_seconds,
        concurrency,
        ..LimitSettings::default()
    })
}

#[test]
fn the_request_after_the_limit_waits_for_the_oldest_to_leave_the_window() {
    let mut limits = limits(2, 1e6, 100);
    let zero = Duration::ZERO;
    assert_eq!(verdict(&mut limits, at(0), zero), Ok(()));
    assert_eq!(verdict(&mut limits, at(10), zero), Ok(()));
    assert_eq!(verdict(&mut limits, at(20), zero), Err(("0x80072322".to_owned(), 280)));
    assert_eq!(verdict(&mut limits, at(302), zero), Ok(()));
}

#[test]
fn sending_during_a_freeze_lengthens_it() {
    let mut limits = limits(1, 1e6, 100);
    assert_eq!(verdict(&mut limits, at(0), Duration::ZERO), Ok(()));
    let waits: Vec<u64> =
        (1..4).map(|_| verdict(&mut limits, at(100), Duration::ZERO).unwrap_err().1).collect();
    assert_eq!(waits, [200, 202, 204]);
    assert!(verdict(&mut limits, at(303), Duration::ZERO).is_err());
    assert_eq!(verdict(&mut limits, at(307), Duration::ZERO), Ok(()));
}

#[test]
fn execution_time_is_combined_over_the_window() {
    let mut limits = limits(1000, 10.0, 100);
    assert_eq!(verdict(&mut limits, at(0), at(6)), Ok(()));
    assert_eq!(verdict(&mut limits, at(1), at(6)), Ok(()));
    assert_eq!(verdict(&mut limits, at(2), at(6)), Err(("0x80072321".to_owned(), 298)));
    assert_eq!(verdict(&mut limits, at(301), at(6)), Ok(()));
}

#[test]
fn concurrency_bites_at_once_and_ends_with_a_request() {
    let mut limits = limits(1000, 1e6, 2);
    assert_eq!(verdict(&mut limits, at(0), at(5)), Ok(()));
    assert_eq!(verdict(&mut limits, at(0), at(9)), Ok(()));
    assert_eq!(verdict(&mut limits, at(1), at(1)), Err(("0x80072326".to_owned(), 4)));
    assert_eq!(verdict(&mut limits, at(5), at(1)), Ok(()));
}

#[test]
fn seconds_are_written_with_thousands_and_two_decimals() {
    assert_eq!(header_seconds(1200.0), "1,200.00");
    assert_eq!(header_seconds(7.456), "7.46");
}
