use super::*;

const WINDOW: Duration = Duration::from_secs(300);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn class() -> Class {
    Class::new(0, 100)
}

fn throttle(concurrency_max: usize) -> Throttle {
    Throttle::new(concurrency_max, WINDOW)
}

fn refused(seconds: Option<u64>, limit: Limit) -> Ended {
    Ended::Throttled { wait: seconds.map(at), limit }
}

/// Sends `count` at once at `second`; all end one second later.
fn round(throttle: &mut Throttle, second: u64, count: usize, ended: Ended) {
    let tickets: Vec<_> = (0..count).map(|_| throttle.begin(at(second), class())).collect();
    for ticket in tickets {
        throttle.end(ticket, at(second + 1), ended);
    }
}

/// As many as it lets go in each of `rounds` seconds; how many that were.
fn full_rounds(throttle: &mut Throttle, from: u64, rounds: u64) -> Vec<usize> {
    (from..from + rounds)
        .map(|second| {
            let count = throttle.limit();
            round(throttle, second, count, Ended::Fine);
            count
        })
        .collect()
}

#[test]
fn it_doubles_up_to_the_hint_and_is_never_above_the_maximum() {
    for (concurrency_max, hint, expected) in [
        (52, None, vec![4, 5, 6, 7]),
        (2, None, vec![2, 2, 2, 2]),
        (0, None, vec![1, 1, 1, 1]),
        (52, Some(16), vec![4, 8, 16, 17]),
        (52, Some(2), vec![2, 3, 4, 5]),
        (52, Some(0), vec![1, 2, 3, 4]),
        (8, Some(48), vec![4, 8, 8, 8]),
    ] {
        let mut throttle = throttle(concurrency_max);
        hint.into_iter().for_each(|hint| throttle.hint(hint));
        let rounds = full_rounds(&mut throttle, 0, 4);
        for (round, expected) in rounds.iter().zip(&expected) {
            // Growth within a round leaves it a little short of one.
            assert!(round.abs_diff(*expected) <= 1, "{concurrency_max} {hint:?}: {rounds:?}");
        }
        assert!(rounds.iter().all(|&round| round <= concurrency_max.max(1)));
    }
}

#[test]
fn an_idle_limit_does_not_grow() {
    let mut throttle = throttle(52);
    (0..100).for_each(|second| round(&mut throttle, second, 1, Ended::Fine));
    assert_eq!(throttle.limit(), 4);
}

#[test]
fn one_round_of_refusals_shrinks_once() {
    let mut throttle = throttle(52);
    throttle.hint(10);
    full_rounds(&mut throttle, 0, 4);
    let before = throttle.limit();
    round(&mut throttle, 10, 10, refused(Some(1), Limit::Other));
    let after = throttle.limit();
    assert!(after < before && after * 10 >= before * 6, "{before} {after}");
    (0..60).for_each(|n| round(&mut throttle, 20 + 2 * n, 1, refused(Some(1), Limit::Other)));
    assert_eq!(throttle.limit(), 1);
}

#[test]
fn a_refused_concurrency_is_approached_again_slowly() {
    let mut throttle = throttle(52);
    throttle.hint(30);
    full_rounds(&mut throttle, 0, 6);
    // The thirtieth is refused while 29 are under way.
    let tickets: Vec<_> = (0..30).map(|_| throttle.begin(at(10), class())).collect();
    throttle.end(tickets[29], at(10), refused(Some(1), Limit::Concurrency));
    for ticket in &tickets[..29] {
        throttle.end(*ticket, at(11), Ended::Fine);
    }
    assert_eq!(throttle.limit(), 20);
    let rounds = full_rounds(&mut throttle, 12, 100);
    assert!(rounds[10] >= 25, "{rounds:?}");
    assert!(*rounds.last().unwrap() <= 28, "{rounds:?}");
}

#[test]
fn a_single_failure_costs_nothing_and_a_share_of_failures_does() {
    let mut noisy = throttle(52);
    noisy.hint(20);
    full_rounds(&mut noisy, 0, 5);
    for second in 10..60 {
        round(&mut noisy, second, 1, if second % 30 == 0 { Ended::Overload } else { Ended::Fine });
    }
    assert!(noisy.limit() >= 20, "{}", noisy.limit());
    round(&mut noisy, 100, 10, Ended::Overload);
    assert!(noisy.limit() <= 15, "{}", noisy.limit());
}

#[test]
fn much_slower_replies_shrink_it_and_slightly_slower_ones_do_not() {
    for (times, expected) in [(1, 20..=52), (4, 1..=12)] {
        let mut throttle = throttle(20);
        throttle.hint(20);
        for second in 0..40 {
            let count = throttle.limit();
            let tickets: Vec<_> =
                (0..count).map(|_| throttle.begin(at(100 * second), class())).collect();
            let took = if second < 10 { 10 } else { 10 * times + 2 };
            for ticket in tickets {
                throttle.end(ticket, at(100 * second + took), Ended::Fine);
            }
        }
        assert!(expected.contains(&throttle.limit()), "{times}: {}", throttle.limit());
    }
}

#[test]
fn a_freeze_lasts_in_full_and_is_never_shortened() {
    for limit in [Limit::Requests, Limit::Seconds, Limit::Concurrency, Limit::Other] {
        let mut throttle = throttle(52);
        round(&mut throttle, 9, 1, refused(Some(37), limit));
        for (now, frozen) in [(10, true), (46, true), (48, false)] {
            let ready = throttle.ready(at(now), class());
            assert_eq!(ready == Ready::At(at(47)), frozen, "{limit:?} {now}: {ready:?}");
        }
        round(&mut throttle, 10, 1, refused(Some(1), limit));
        assert_eq!(throttle.ready(at(20), class()), Ready::At(at(47)));
        round(&mut throttle, 19, 1, refused(Some(100), limit));
        assert_eq!(throttle.frozen_until(), at(120));
        round(&mut throttle, 21, 1, Ended::Fine);
        assert_eq!(throttle.frozen_until(), at(120));
    }
}

#[test]
fn without_a_time_the_freeze_doubles_until_something_goes_well() {
    let mut throttle = throttle(52);
    let mut now = 0;
    let waits: Vec<u64> = (0..10)
        .map(|_| {
            round(&mut throttle, now, 1, refused(None, Limit::Other));
            let wait = throttle.frozen_until().as_secs() - (now + 1);
            now += 1000;
            wait
        })
        .collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    round(&mut throttle, now, 1, Ended::Fine);
    round(&mut throttle, now + 10, 1, refused(None, Limit::Other));
    assert_eq!(throttle.frozen_until(), at(now + 13));
}

#[test]
fn when_the_limit_is_in_flight_the_next_waits_for_one_to_end() {
    let mut throttle = throttle(2);
    let first = throttle.begin(at(0), class());
    assert_eq!(throttle.ready(at(0), class()), Ready::Now);
    throttle.begin(at(0), class());
    assert_eq!(throttle.ready(at(0), class()), Ready::WhenFree);
    throttle.end(first, at(1), Ended::Unknown);
    assert_eq!(throttle.ready(at(1), class()), Ready::Now);
}

#[test]
fn a_ceiling_exists_once_a_refusal_has_shown_it_and_only_of_that_limit() {
    for (limit, requests, seconds) in [
        (Limit::Requests, Some(100.0), None),
        (Limit::Seconds, None, Some(100.0)),
        (Limit::Concurrency, None, None),
        (Limit::Other, None, None),
    ] {
        let mut throttle = throttle(52);
        (0..25).for_each(|second| round(&mut throttle, second, 4, Ended::Fine));
        assert_eq!((throttle.requests_known(), throttle.seconds_known()), (None, None));
        round(&mut throttle, 25, 1, refused(Some(275), limit));
        let rounded = |known: Option<f64>| known.map(f64::round);
        assert_eq!(
            (rounded(throttle.requests_known()), rounded(throttle.seconds_known())),
            (requests, seconds),
            "{limit:?}"
        );
    }
}

#[test]
fn with_a_ceiling_requests_are_spread_over_the_window() {
    let mut throttle = throttle(52);
    (0..30).for_each(|second| round(&mut throttle, second, 10, Ended::Fine));
    round(&mut throttle, 30, 1, refused(Some(270), Limit::Requests));
    let mut left = Vec::new();
    let mut now = at(301);
    while now < at(900) {
        match throttle.ready(now, class()) {
            Ready::Now => {
                let ticket = throttle.begin(now, class());
                throttle.end(ticket, now + Duration::from_millis(500), Ended::Fine);
                left.push(now.as_secs());
            }
            Ready::At(when) => {
                assert!(when > now);
                now = when;
            }
            Ready::WhenFree => unreachable!(),
        }
    }
    // 300 in 300 seconds: about one a second, never many at once.
    assert!((540..=640).contains(&left.len()), "{}", left.len());
    let most = left.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
    assert!(most <= Some(8), "{most:?}");
    for window in left.windows(330) {
        assert!(window[329] - window[0] >= 299, "{window:?}");
    }
}

#[test]
fn what_was_not_sent_or_was_refused_is_not_spent() {
    let mut throttle = throttle(52);
    round(&mut throttle, 0, 4, Ended::Fine);
    round(&mut throttle, 5, 50, Ended::NotSent);
    round(&mut throttle, 10, 50, refused(Some(290), Limit::Requests));
    assert_eq!(throttle.requests_known(), Some(4.0));
}

#[test]
fn headers_that_approach_zero_slow_down_for_a_while_and_bound_nothing() {
    let mut throttle = throttle(52);
    throttle.hint(40);
    full_rounds(&mut throttle, 0, 6);
    let lets_go = |throttle: &Throttle, now: u64| throttle.limit_at(at(now));
    throttle.remaining(at(10), Some(5999.0), Some(1200.0));
    assert_eq!(lets_go(&throttle, 10), throttle.limit());
    throttle.remaining(at(11), Some(3000.0), Some(30.0));
    assert_eq!(lets_go(&throttle, 11), throttle.limit() / 4);
    assert_eq!(lets_go(&throttle, 12), throttle.limit());
    // They say so forever, and nothing is refused: not believed any longer.
    (12..60).for_each(|now| throttle.remaining(at(now), Some(0.0), None));
    assert_eq!(lets_go(&throttle, 59), throttle.limit());
    throttle.remaining(at(61), Some(f64::NAN), Some(-1.0));
}

#[test]
fn a_code_tells_which_limit_it_was() {
    use crate::ErrorCode;
    for (code, limit) in [
        (0x8007_2322, Limit::Requests),
        (0x8007_2321, Limit::Seconds),
        (0x8007_2326, Limit::Concurrency),
        (0x8007_1151, Limit::Other),
    ] {
        assert_eq!(Limit::of(Some(ErrorCode(code))), limit);
    }
    assert_eq!(Limit::of(None), Limit::Other);
}

#[test]
fn a_refusal_teaches_no_less_than_its_wait_allows() {
    for (wait, known) in [(None, 2.0), (Some(300), 2.0), (Some(30), 10.0), (Some(0), 300.0)] {
        let mut throttle = throttle(4);
        // Two land, the third is refused: few are no limit of five minutes.
        round(&mut throttle, 0, 2, Ended::Fine);
        let ticket = throttle.begin(at(2), class());
        throttle.end(ticket, at(3), refused(wait, Limit::Requests));
        assert_eq!(throttle.requests_known(), Some(known), "{wait:?}");
    }
}
