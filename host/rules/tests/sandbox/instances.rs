//! Warm, recycled and parallel instances.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::DataType;
use dvsync_rules::{BindSettings, Bound, Isolation, Limits, Sandbox, SandboxSettings};
use serde_json::json;

use crate::guests::{context, numbers, sandbox, schema, wasm};

/// A rule whose result tells how many calls its instance had: `1000 * 2 + calls`.
fn bind_remembering(sandbox: &Sandbox, settings: BindSettings) -> Bound {
    let rule = sandbox.admit(&wasm("guest-hostile"), "hostile.wasm").expect("a rule");
    let source = schema(&[("n", DataType::Int64)]);
    let context = context(source, json!({"mode": "remembers"}));
    rule.bind(context, BTreeMap::new(), Limits::default(), settings).expect("bound")
}

fn calls_so_far(bound: &Bound) -> i64 {
    let result = bound.transform(&numbers(1, &[])).expect("transformed");
    result.columns[0].array.as_primitive::<Int64Type>().value(0) - 2000
}

fn never_checked() -> BindSettings {
    BindSettings { recheck_every: None, ..BindSettings::default() }
}

#[test]
fn warm_instances_live_on_until_they_are_recycled() {
    let sandbox = sandbox();
    let recycle_after = NonZeroU32::new(3).expect("not zero");
    let bound = bind_remembering(&sandbox, BindSettings { recycle_after, ..never_checked() });
    let seen: Vec<_> = (0..7).map(|_| calls_so_far(&bound)).collect();
    assert_eq!(seen, [1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn isolation_by_chunk_makes_a_fresh_instance_for_each_call() {
    let sandbox = sandbox();
    let bound =
        bind_remembering(&sandbox, BindSettings { isolation: Isolation::Chunk, ..never_checked() });
    assert_eq!([calls_so_far(&bound), calls_so_far(&bound)], [1, 1]);
}

#[test]
fn a_rule_that_remembers_is_caught_by_the_recheck() {
    let sandbox = sandbox();
    let recheck_every = NonZeroU32::new(2);
    let bound = bind_remembering(&sandbox, BindSettings { recheck_every, ..never_checked() });
    for _ in 0..4 {
        bound.transform(&numbers(8, &[])).expect("transformed");
    }
    let health = bound.health();
    assert_eq!((health.rechecked, health.inconsistent), (2, 2));
}

#[test]
fn many_threads_share_one_binding() {
    let sandbox = sandbox();
    let bound = bind_remembering(&sandbox, BindSettings { workers: 4, ..never_checked() });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let result = bound.transform(&numbers(100, &[])).expect("transformed");
                    assert_eq!(result.faults, []);
                }
            });
        }
    });
    assert_eq!(bound.health().calls, 400);
}

#[test]
fn rules_and_bindings_outlive_their_sandbox() {
    let bound = bind_remembering(&sandbox(), never_checked());
    assert_eq!(calls_so_far(&bound), 1);
}

#[test]
fn an_idle_instance_makes_room_for_another_rule() {
    let settings = SandboxSettings { instances_max: 1, ..SandboxSettings::default() };
    let sandbox = Sandbox::new(settings).expect("a sandbox");
    // It keeps the only instance warm.
    let first = bind_remembering(&sandbox, never_checked());
    assert_eq!((calls_so_far(&first), first.idle()), (1, 1));
    let second = bind_remembering(&sandbox, never_checked());
    assert_eq!((first.idle(), calls_so_far(&second)), (0, 1));
    assert_eq!([calls_so_far(&first), calls_so_far(&first)], [1, 2]);
}

#[test]
fn more_threads_than_instances_wait_for_each_other() {
    let settings = SandboxSettings { instances_max: 2, ..SandboxSettings::default() };
    let sandbox = Sandbox::new(settings).expect("a sandbox");
    // Each keeps what it has warm, so that the others find the pool full.
    let warm = || BindSettings { workers: 4, ..never_checked() };
    let bounds: Vec<Bound> = (0..3).map(|_| bind_remembering(&sandbox, warm())).collect();
    std::thread::scope(|scope| {
        for thread in 0..9 {
            let bound = &bounds[thread % bounds.len()];
            scope.spawn(move || (0..20).for_each(|_| assert!(calls_so_far(bound) >= 1)));
        }
    });
    assert!(bounds.iter().map(Bound::idle).sum::<usize>() <= 2);
}

#[test]
fn a_tenant_has_so_many_calls_at_once_and_the_others_wait() {
    let sandbox = sandbox();
    let gate = dvsync_rules::Gate::new(1);
    let tenant = Some(gate.clone());
    let bound = bind_remembering(&sandbox, BindSettings { workers: 8, tenant, ..never_checked() });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10).for_each(|_| assert!(calls_so_far(&bound) >= 1)));
        }
    });
    // One at a time: there was never a need for a second instance.
    assert_eq!((bound.idle(), gate.inside()), (1, 0));
    assert_eq!(calls_so_far(&bound), 81);
}

#[test]
fn a_resting_rule_keeps_no_instance_and_still_judges() {
    let sandbox = sandbox();
    let bound = bind_remembering(&sandbox, never_checked());
    assert_eq!([calls_so_far(&bound), calls_so_far(&bound)], [1, 2]);
    bound.rest();
    assert_eq!(bound.idle(), 0);
    assert_eq!([calls_so_far(&bound), calls_so_far(&bound)], [1, 1]);
    bound.wake();
    assert_eq!([calls_so_far(&bound), calls_so_far(&bound)], [1, 2]);
}
