use super::*;
use crate::settings::PaceSettings;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn load() -> Load {
    Load { class: Class::new(0, 100), records: 100 }
}

fn lending(names: &[&str]) -> Lending<()> {
    lending_with(names, |_| {})
}

fn lending_with(names: &[&str], change: impl FnOnce(&mut ClientSettings)) -> Lending<()> {
    let mut settings = ClientSettings::new("https://a.crm.dynamics.com", Vec::new());
    change(&mut settings);
    let mut lending = Lending::new(&settings);
    for name in names {
        lending.add(name, ());
    }
    lending
}

fn lent(lending: &mut Lending<()>, now: u64) -> Loan {
    match lending.choose(at(now), load(), None) {
        Ok(Choice::Lent(loan, ())) => loan,
        other => panic!("{other:?}"),
    }
}

fn waits(lending: &mut Lending<()>, now: u64) -> (Option<Duration>, bool) {
    match lending.choose(at(now), load(), None) {
        Ok(Choice::Wait { when, busy }) => (when, busy),
        other => panic!("{other:?}"),
    }
}

fn denied() -> ClientError {
    ClientError::Settings { setting: "test", message: "no".to_owned() }
}

fn throttled(seconds: u64) -> Ended {
    Ended::Throttled { wait: Some(at(seconds)), limit: Limit::Requests }
}

#[test]
fn requests_are_shared_by_what_each_may_have_in_flight() {
    let mut lending = lending(&["a", "b", "c"]);
    lending.hint(24);
    let loans: Vec<u64> = (0..12).map(|_| lent(&mut lending, 0).id.0).collect();
    for id in 0..3 {
        assert_eq!(loans.iter().filter(|lent| **lent == id).count(), 4, "{loans:?}");
    }
    assert_eq!(waits(&mut lending, 0), (None, true));
}

#[test]
fn the_one_that_thaws_first_is_waited_for() {
    let mut lending = lending(&["a", "b"]);
    let (first, second) = (lent(&mut lending, 0), lent(&mut lending, 0));
    lending.end(first, at(1), throttled(100));
    lending.end(second, at(1), throttled(50));
    assert_eq!(waits(&mut lending, 2), (Some(at(51)), false));
    assert_eq!(lent(&mut lending, 51).id, second.id);
}

#[test]
fn a_refused_one_stays_out_longer_each_time_and_one_request_tries_it_again() {
    let mut lending = lending(&["a"]);
    let mut now = 0;
    for minutes in [5, 10, 20, 40, 60, 60] {
        let loan = lent(&mut lending, now);
        lending.refuse(loan, at(now), denied(), true);
        now += minutes * 60;
        let early = lending.choose(at(now - 1), load(), None);
        assert!(matches!(early, Err(Refused::AllOut(_))), "{early:?}");
    }
    let trial = lent(&mut lending, now);
    assert_eq!(waits(&mut lending, now), (None, true));
    lending.end(trial, at(now + 1), Ended::Fine);
    let loans = [lent(&mut lending, now + 1), lent(&mut lending, now + 1)];
    // Taken again: the next refusal is a first one.
    lending.refuse(loans[0], at(now + 2), denied(), true);
    lending.refuse(loans[1], at(now + 2), denied(), true);
    lent(&mut lending, now + 2 + 300);
    assert_eq!(lending.counts(at(now))[0].quarantined, 7);
}

#[test]
fn a_trial_that_says_nothing_is_followed_by_another() {
    let mut lending = lending(&["a"]);
    let loan = lent(&mut lending, 0);
    lending.refuse(loan, at(0), denied(), true);
    let trial = lent(&mut lending, 300);
    lending.end(trial, at(301), Ended::Unknown);
    lent(&mut lending, 301);
    assert_eq!(waits(&mut lending, 301), (None, true));
}

#[test]
fn a_drained_one_is_lent_no_more_and_its_share_of_the_hint_goes_to_the_others() {
    let mut lending = lending(&["a", "b"]);
    lending.hint(12);
    let first = lent(&mut lending, 0);
    lending.drain(first.id);
    assert_eq!(lending.in_flight(first.id), 1);
    let loans: Vec<Id> = (0..4).map(|_| lent(&mut lending, 0).id).collect();
    assert!(loans.iter().all(|id| *id != first.id));
    lending.end(first, at(1), Ended::Fine);
    assert_eq!(lending.in_flight(first.id), 0);
    lending.drain(loans[0]);
    match lending.choose(at(2), load(), None) {
        Err(Refused::AllOut(error)) => assert!(error.to_string().contains("drained"), "{error}"),
        other => panic!("{other:?}"),
    }
    lending.renew(first.id, ());
    assert_eq!(lent(&mut lending, 3).id, first.id);
}

#[test]
fn the_hint_is_shared_unless_it_is_each_principals_own() {
    for (scope, expected) in [(DopHintScope::Environment, 4), (DopHintScope::Principal, 8)] {
        let mut lending = lending_with(&["a", "b"], |settings| settings.dop_hint_scope = scope);
        lending.hint(8);
        for second in 0..3 {
            let mut loans = Vec::new();
            while let Ok(Choice::Lent(loan, ())) = lending.choose(at(second), load(), None) {
                loans.push(loan);
            }
            for loan in loans {
                // A round that grows by one for each that ended fine.
                lending.end(loan, at(second + 1), Ended::Fine);
            }
        }
        let limits: Vec<usize> =
            lending.members.iter().map(|member| member.throttle.limit()).collect();
        assert!(limits.iter().all(|limit| limit.abs_diff(expected) <= 3), "{scope:?} {limits:?}");
        assert!(limits.iter().all(|limit| *limit >= expected), "{scope:?} {limits:?}");
    }
}

#[test]
fn what_the_job_wants_to_spend_holds_all_principals_back() {
    let mut lending = lending_with(&["a", "b"], |settings| {
        settings.pace = PaceSettings {
            requests_per_second: Some(1.0),
            records_per_day: Some(250),
            ..PaceSettings::default()
        };
    });
    let first = lent(&mut lending, 0);
    assert_eq!(waits(&mut lending, 0), (Some(at(1)), false));
    lending.end(first, at(1), Ended::NotSent);
    let third = lent(&mut lending, 1);
    let mut second = lent(&mut lending, 2);
    assert!(matches!(lending.choose(at(9), load(), None), Err(Refused::Spent(_))));
    let read = Load { records: 0, ..load() };
    assert!(matches!(lending.choose(at(9), read, None), Ok(Choice::Lent(..))));
    // What was refused has not been spent, what landed has.
    second.landed = true;
    lending.end(second, at(10), Ended::Fine);
    assert!(matches!(lending.choose(at(11), load(), None), Err(Refused::Spent(_))));
    lending.end(third, at(12), Ended::Throttled { wait: None, limit: Limit::Other });
    assert!(matches!(lending.choose(at(900), load(), None), Ok(Choice::Lent(..))));
}

#[test]
fn what_each_did_is_counted() {
    let mut lending = lending(&["a"]);
    let ended = |limit, wait| Ended::Throttled { wait: Some(at(wait)), limit };
    for (now, ended) in [
        (0, Ended::Fine),
        (1, ended(Limit::Seconds, 10)),
        (20, ended(Limit::Concurrency, 5)),
        (30, Ended::NotSent),
        (40, ended(Limit::Requests, 1000)),
    ] {
        let mut loan = lent(&mut lending, now);
        loan.landed = now == 0;
        lending.end(loan, at(now), ended);
    }
    let counts = lending.counts(at(50)).remove(0);
    assert_eq!(
        counts,
        PrincipalCounts {
            name: "a".to_owned(),
            lent: 5,
            sent: 4,
            throttled: 3,
            throttled_requests: 1,
            throttled_seconds: 1,
            throttled_concurrency: 1,
            records: 100,
            frozen: at(25),
            quarantined: 0,
        }
    );
}
