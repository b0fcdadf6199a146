//! Models of services, in `tests/models/*.toml`: what the throttle makes of
//! them must lie within the ranges that each file expects.
//!
//! The real decisions (`Lending`, `Throttle`) meet the model on a virtual
//! clock; nothing waits. Whatever the model, nothing is ever sent before a
//! `Retry-After` has passed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::principal::{Choice, Lending, Load, Loan, Refused};
use crate::throttle::{Class, Ended, Limit};
use crate::{ClientError, ClientSettings, ErrorCode};

#[path = "../../tests/models/service.rs"]
mod service;

use service::{Answer, Service, Spec, oracle};

/// A file of `tests/models`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    about: String,
    seconds: f64,
    #[serde(default = "one")]
    principals: usize,
    #[serde(default = "hundred")]
    records: usize,
    /// So many requests, then it ends.
    requests: Option<usize>,
    #[serde(default)]
    service: Spec,
    expect: Expect,
}

fn one() -> usize {
    1
}

fn hundred() -> usize {
    100
}

type Range = Option<[f64; 2]>;

/// Ranges.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// In flight on average, in the second half.
    in_flight: Range,
    /// Records that landed, each second.
    rate: Range,
    /// Requests that landed, in percent of what one lands who knows the limits.
    of_oracle_percent: Range,
    /// The rate in the last tenth of the time.
    end_rate: Range,
    /// 429s after the first window, in percent of its requests.
    refused_percent: Range,
    /// 429s altogether.
    refused: Range,
    /// Failures, in percent of all requests.
    failed_percent: Range,
    /// When the last request ended.
    total_seconds: Range,
}

/// What came of it.
#[derive(Debug, Default)]
struct Ran {
    sent: usize,
    sent_later: usize,
    landed: usize,
    landed_at_end: usize,
    refused: usize,
    refused_later: usize,
    failed: usize,
    /// Sent before a wait had passed.
    early: usize,
    /// In flight times seconds, in the second half.
    busy: f64,
    ended: f64,
}

struct Flight {
    loan: Loan,
    principal: usize,
    answer: Answer,
}

fn run(model: &Model) -> Ran {
    let settings = ClientSettings::new("https://a.crm.dynamics.com", Vec::new());
    let mut lending = Lending::new(&settings);
    for principal in 0..model.principals {
        lending.add(&principal.to_string(), principal);
    }
    let mut service = Service::new(model.service.clone());
    let end = Duration::from_secs_f64(model.seconds);
    let window = Duration::from_secs_f64(model.service.window_seconds);
    let load = Load { class: Class::new(1, model.records), records: model.records };
    let mut flights: Vec<Option<Flight>> = Vec::new();
    let mut due: BinaryHeap<Reverse<(Duration, usize)>> = BinaryHeap::new();
    let mut asked_to_wait = vec![Duration::ZERO; model.principals];
    let mut ran = Ran::default();
    let mut now = Duration::ZERO;
    let mut open = model.requests.unwrap_or(usize::MAX);
    while now < end && (open > 0 || !due.is_empty()) {
        let mut thaw = None;
        while open > 0 {
            match lending.choose(now, load, None) {
                Ok(Choice::Lent(loan, principal)) => {
                    ran.sent += 1;
                    ran.sent_later += usize::from(now >= window);
                    ran.early += usize::from(now < asked_to_wait[principal]);
                    let answer = service.receive(now, principal, model.records);
                    due.push(Reverse((now + answer.after, flights.len())));
                    flights.push(Some(Flight { loan, principal, answer }));
                    open -= 1;
                }
                Ok(Choice::Wait { when, .. }) => {
                    thaw = when;
                    break;
                }
                // The engine would end; here somebody comes again.
                Err(Refused::AllOut(_) | Refused::Spent(_) | Refused::Frozen(_)) => {
                    thaw = Some(now + Duration::from_secs(10));
                    break;
                }
            }
        }
        let ends = due.peek().map(|Reverse((when, _))| *when);
        let next = [thaw, ends].into_iter().flatten().min().unwrap_or(end);
        assert!(next > now || ends == Some(now), "time stands still at {now:?}");
        if now >= end / 2 {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let busy = due.len() as f64;
            ran.busy += busy * (next.min(end) - now).as_secs_f64();
        }
        now = next;
        while let Some(Reverse((when, number))) = due.peek().copied()
            && when <= now
        {
            due.pop();
            let flight = flights[number].take().unwrap();
            if !settle(&mut lending, &flight, now, &mut ran, &mut asked_to_wait) {
                open = open.saturating_add(1);
            } else if now >= end.mul_f64(0.9) {
                ran.landed_at_end += 1;
            }
            if now >= window && flight.answer.status == 429 {
                ran.refused_later += 1;
            }
            ran.ended = now.as_secs_f64();
        }
    }
    ran
}

/// Whether it landed.
fn settle(
    lending: &mut Lending<usize>,
    flight: &Flight,
    now: Duration,
    ran: &mut Ran,
    asked_to_wait: &mut [Duration],
) -> bool {
    let Flight { loan, principal, answer } = flight;
    lending.hint(52);
    let (requests, seconds) = answer.remaining.unzip();
    lending.remaining(loan.id, now, requests, seconds);
    match answer.status {
        204 => lending.end(*loan, now, Ended::Fine),
        429 => {
            ran.refused += 1;
            let wait = answer.retry_after.map(Duration::from_secs);
            if let Some(wait) = wait {
                asked_to_wait[*principal] = asked_to_wait[*principal].max(now + wait);
            }
            let limit = Limit::of(ErrorCode::parse(answer.code));
            lending.end(*loan, now, Ended::Throttled { wait, limit });
        }
        403 => {
            ran.failed += 1;
            let why = ClientError::Settings { setting: "test", message: "refused".to_owned() };
            lending.refuse(*loan, now, why, true);
        }
        _ => {
            ran.failed += 1;
            lending.end(*loan, now, Ended::Overload);
        }
    }
    ran.landed += usize::from(answer.status == 204);
    answer.status == 204
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn check(name: &str, model: &Model) -> Vec<String> {
    let ran = run(model);
    let records = |requests: usize| (requests * model.records) as f64;
    let expect = &model.expect;
    let best = expect.of_oracle_percent.map_or(0, |_| {
        let end = Duration::from_secs_f64(model.seconds);
        oracle(&model.service, model.principals, model.records, end)
    });
    let figures = [
        ("in_flight", expect.in_flight, ran.busy / (model.seconds / 2.0)),
        ("rate", expect.rate, records(ran.landed) / model.seconds),
        ("of_oracle_percent", expect.of_oracle_percent, share(ran.landed, best)),
        ("end_rate", expect.end_rate, records(ran.landed_at_end) / (0.1 * model.seconds)),
        ("refused_percent", expect.refused_percent, share(ran.refused_later, ran.sent_later)),
        ("refused", expect.refused, ran.refused as f64),
        ("failed_percent", expect.failed_percent, share(ran.failed, ran.sent)),
        ("total_seconds", expect.total_seconds, ran.ended),
    ];
    println!("{name}: {}", model.about);
    let mut wrong = Vec::new();
    for (figure, range, found) in figures {
        println!("  {figure:>16} {found:>10.2}  {range:?}");
        if range.is_some_and(|[low, high]| found < low || found > high) {
            wrong.push(format!("{name}: {figure} is {found:.2}, expected {range:?}"));
        }
    }
    if ran.early > 0 {
        wrong.push(format!("{name}: {} sent before their Retry-After had passed", ran.early));
    }
    wrong
}

#[test]
fn each_model_is_met_within_its_ranges() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let mut models: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    models.sort();
    assert!(models.len() >= 12);
    let mut wrong = Vec::new();
    for path in models {
        let model: Model = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        wrong.extend(check(&name, &model));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
