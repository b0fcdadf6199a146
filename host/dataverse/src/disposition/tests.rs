use super::*;
use Disposition::*;

fn facts(status: u16, code: u32, operation: Option<Operation>, records: usize) -> Facts {
    Facts {
        phase: Phase::Replied,
        status,
        code: (code != u32::MAX).then_some(ErrorCode(code)),
        sql_number: None,
        operation,
        records,
        attempt: 1,
    }
}

/// No code in the body.
const NONE: u32 = u32::MAX;

#[test]
fn codes_are_listed_once_and_in_order() {
    assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

/// Status and code; then what a bulk write of 200, a single write, and a read
/// call for, at the first attempt. What is no Dataverse code is unknown to the
/// table, and judged by its class.
const REFUSALS: &[(u16, u32, Disposition, Disposition, Disposition)] = &[
    // Service protection, and other throttles.
    (429, 0x8007_2322, RetryAfter, RetryAfter, RetryAfter),
    (429, 0x8007_2321, RetryAfter, RetryAfter, RetryAfter),
    (429, 0x8007_2326, RetryAfter, RetryAfter, RetryAfter),
    (429, 0x8007_1151, RetryAfter, RetryAfter, RetryAfter),
    (429, NONE, RetryAfter, RetryAfter, RetryAfter),
    (429, 0x8004_0217, RetryAfter, RetryAfter, RetryAfter),
    (500, 0x8004_ed47, RetryAfter, RetryAfter, RetryAfter),
    (500, 0x8004_8544, RetryAfter, RetryAfter, RetryAfter),
    (500, 0x8004_8551, RetryAfter, RetryAfter, RetryAfter),
    (500, 0x8008_1116, RetryAfter, RetryAfter, RetryAfter),
    (500, 0x8004_418d, RetryAfter, RetryAfter, RetryAfter),
    (403, 0x8004_a104, RetryAfter, RetryAfter, RetryAfter),
    // SQL.
    (500, 0x8004_4151, Halve, RetryAfter, RetryAfter),
    (500, 0x8004_4150, Narrow, DeadLetter, StopRun),
    (500, 0x8004_0255, RetryNow, RetryNow, RetryNow),
    // Plug-ins and the unexpected.
    (500, 0x8004_0224, RetryNow, RetryNow, RetryNow),
    (400, 0x8004_0216, RetryNow, RetryNow, RetryNow),
    (400, 0x8004_0265, Narrow, DeadLetter, StopRun),
    // What the request says.
    (404, 0x8006_088a, StopRun, StopRun, StopRun),
    (400, 0, Narrow, DeadLetter, StopRun),
    (400, NONE, Narrow, DeadLetter, StopRun),
    (400, 0x8004_8d19, Narrow, DeadLetter, StopRun),
    (400, 0x8006_0888, StopRun, StopRun, StopRun),
    (400, 0x8006_0890, StopRun, StopRun, StopRun),
    (400, 0x8006_0883, StopRun, StopRun, StopRun),
    (400, 0x8006_088d, StopRun, StopRun, StopRun),
    (405, 0x8004_023b, Narrow, StopRun, StopRun),
    (501, 0x8004_0219, Narrow, StopRun, StopRun),
    (501, NONE, Narrow, StopRun, StopRun),
    // Records that exist, changed, or are missing.
    (412, 0x8006_0892, LookBeforeResend, LookBeforeResend, StopRun),
    (412, 0x8004_0237, LookBeforeResend, LookBeforeResend, StopRun),
    (412, 0x8004_0333, Narrow, DeadLetter, StopRun),
    (412, 0x8006_0882, Narrow, LookBeforeResend, LookBeforeResend),
    (412, NONE, Narrow, LookBeforeResend, StopRun),
    (404, 0x8004_0217, Narrow, DeadLetter, StopRun),
    (404, 0x8006_0891, Narrow, Defer, StopRun),
    (400, 0x8006_089d, Narrow, DeadLetter, StopRun),
    (405, 0x8004_0227, Narrow, DeadLetter, StopRun),
    // Who may.
    (401, NONE, RefreshToken, RefreshToken, RefreshToken),
    (401, 0x8004_0277, RefreshToken, RefreshToken, RefreshToken),
    (403, NONE, OtherPrincipal, OtherPrincipal, OtherPrincipal),
    (403, 0x8004_0220, OtherPrincipal, OtherPrincipal, OtherPrincipal),
    (403, 0x8004_0256, OtherPrincipal, OtherPrincipal, OtherPrincipal),
    (403, 0x8004_8405, OtherPrincipal, OtherPrincipal, OtherPrincipal),
    (403, 0x8004_f504, OtherPrincipal, OtherPrincipal, OtherPrincipal),
    (403, 0x8004_f507, OtherPrincipal, OtherPrincipal, OtherPrincipal),
    (403, 0x8007_2560, OtherPrincipal, OtherPrincipal, OtherPrincipal),
    // Who may, or who is to own.
    (403, 0x8004_0231, Narrow, DeadLetter, OtherPrincipal),
    (403, 0x8004_0299, Narrow, DeadLetter, OtherPrincipal),
    (403, 0x8004_8306, Narrow, DeadLetter, OtherPrincipal),
    (403, 0x8004_2f09, Narrow, DeadLetter, OtherPrincipal),
    (403, 0x8004_1d1f, Narrow, DeadLetter, OtherPrincipal),
    (403, 0x8004_020d, Narrow, DeadLetter, OtherPrincipal),
    (403, 0x8004_ffff, Narrow, DeadLetter, OtherPrincipal),
    (400, 0x8004_0229, Narrow, DeadLetter, StopRun),
    (400, 0x8004_0215, Narrow, DeadLetter, StopRun),
    (400, 0x8004_0210, Narrow, DeadLetter, StopRun),
    (400, 0x8004_8340, Narrow, DeadLetter, StopRun),
    (400, 0x8004_032d, Narrow, DeadLetter, StopRun),
    // Values.
    (400, 0x8004_4331, Narrow, DeadLetter, StopRun),
    (400, 0x8004_432f, Narrow, DeadLetter, StopRun),
    (400, 0x8004_4330, Narrow, DeadLetter, StopRun),
    (400, 0x8004_431a, Narrow, DeadLetter, StopRun),
    (400, 0x8004_431c, Narrow, DeadLetter, StopRun),
    (400, 0x8004_4354, Narrow, DeadLetter, StopRun),
    (400, 0x8004_0239, Narrow, DeadLetter, StopRun),
    (400, 0x8004_0278, Narrow, DeadLetter, StopRun),
    (400, 0x8004_0203, Narrow, DeadLetter, StopRun),
    (400, 0x8004_8408, Narrow, DeadLetter, StopRun),
    (400, 0x8004_f00e, Narrow, DeadLetter, StopRun),
    (400, 0x8004_0233, Narrow, DeadLetter, StopRun),
    (400, 0x8004_0515, Narrow, DeadLetter, StopRun),
    (400, 0x8004_ffff, Narrow, DeadLetter, StopRun),
    // By status alone.
    (413, NONE, Halve, DeadLetter, StopRun),
    (408, NONE, LookBeforeResend, LookBeforeResend, RetryAfter),
    (500, NONE, LookBeforeResend, LookBeforeResend, RetryAfter),
    (500, 0x8004_ffff, LookBeforeResend, LookBeforeResend, RetryAfter),
    (502, NONE, LookBeforeResend, LookBeforeResend, RetryAfter),
    (503, NONE, LookBeforeResend, LookBeforeResend, RetryAfter),
    (504, NONE, LookBeforeResend, LookBeforeResend, RetryAfter),
    (520, NONE, LookBeforeResend, LookBeforeResend, RetryAfter),
    (302, NONE, StopRun, StopRun, StopRun),
    (404, NONE, StopRun, StopRun, StopRun),
    (404, 0x8004_ffff, Narrow, DeadLetter, StopRun),
    (418, NONE, StopRun, StopRun, StopRun),
    // Success.
    (200, NONE, Landed, Landed, Landed),
    (204, NONE, Landed, Landed, Landed),
];

/// What an update or an upsert calls for where a create is to be looked for:
/// `a_clash_depends_on_what_was_asked_for`.
const CLASHES: [u32; 2] = [0x8004_0237, 0x8006_0892];

#[test]
fn each_refusal_has_its_disposition() {
    for &(status, code, bulk, single, read) in REFUSALS {
        for operation in [Operation::Create, Operation::Update, Operation::Upsert] {
            if operation != Operation::Create && CLASHES.contains(&code) {
                continue;
            }
            for (operation, records, expected) in
                [(Some(operation), 200, bulk), (Some(operation), 1, single), (None, 0, read)]
            {
                let (found, reason) = judge(&facts(status, code, operation, records));
                assert_eq!(found, expected, "{status} {code:#x} {operation:?} {records}: {reason}");
                assert!(!reason.is_empty());
            }
        }
    }
}

#[test]
fn each_known_code_is_tested_and_told_to_users() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/troubleshooting.md");
    let document = std::fs::read_to_string(path).unwrap();
    for (code, _, reason) in CODES {
        assert!(REFUSALS.iter().any(|row| row.1 == *code), "{code:#x} ({reason}) has no row");
        assert!(document.contains(&format!("`0x{code:08x}`")), "{code:#x} is not in {path}");
    }
}

/// Hex of either case, signed decimal, as text or as a number: one code.
#[test]
fn a_code_is_judged_alike_however_it_is_written() {
    use crate::reply::{problem, statuses};
    for &(status, code, bulk, ..) in REFUSALS.iter().filter(|row| row.1 != NONE && row.1 != 0) {
        let decimal = code.cast_signed();
        for written in [
            format!("\"0x{code:08x}\""),
            format!("\"0x{code:08X}\""),
            format!("\"{decimal}\""),
            format!("{decimal}"),
        ] {
            let body = format!(r#"{{"error":{{"code":{written},"message":"m"}}}}"#);
            let read = problem(body.as_bytes());
            let facts = statuses::facts(status, &read, Some(Operation::Create), 200, 1);
            assert_eq!(judge(&facts).0, bulk, "{written}");
        }
    }
}

/// No code can be read: the status decides.
#[test]
fn pages_and_empty_bodies_are_judged_by_their_status() {
    use crate::reply::{problem, statuses};
    let bodies: [&[u8]; 5] =
        [b"", b"<html><title>Error</title>", b"{}", br#"{"error":{"code":""}}"#, b"\xff\xfe"];
    for &(status, code, bulk, single, read) in REFUSALS.iter().filter(|row| row.1 == NONE) {
        for body in bodies {
            for (operation, records, expected) in [
                (Some(Operation::Update), 200, bulk),
                (Some(Operation::Update), 1, single),
                (None, 0, read),
            ] {
                let facts = statuses::facts(status, &problem(body), operation, records, 1);
                assert_eq!(judge(&facts).0, expected, "{status} {code:#x} {body:?} {operation:?}");
            }
        }
    }
}

#[test]
fn the_sql_number_decides_within_the_generic_sql_error() {
    for (number, bulk, single, read) in [
        (1205, RetryNow, RetryNow, RetryNow),
        (3732, RetryNow, RetryNow, RetryNow),
        (2766, RetryNow, RetryNow, RetryNow),
        (2812, RetryNow, RetryNow, RetryNow),
        (-2, Halve, RetryAfter, RetryAfter),
        (10054, LookBeforeResend, LookBeforeResend, RetryAfter),
        (8152, Narrow, DeadLetter, StopRun),
        (245, Narrow, DeadLetter, StopRun),
    ] {
        let create = Some(Operation::Create);
        for (operation, records, expected) in
            [(create, 200, bulk), (create, 1, single), (None, 0, read)]
        {
            let facts =
                Facts { sql_number: Some(number), ..facts(500, 0x8004_4150, operation, records) };
            assert_eq!(judge(&facts).0, expected, "{number} {operation:?} {records}");
        }
    }
}

#[test]
fn what_was_tried_before_counts() {
    for (code, status, attempt, expected) in [
        (0x8004_0216, 400, 2, Narrow),
        (0x8004_0224, 500, 2, Narrow),
        (0x8004_418d, 500, 2, RetryAfter),
        (0x8004_418d, 500, 3, Narrow),
        (NONE, 401, 2, OtherPrincipal),
    ] {
        let facts = Facts { attempt, ..facts(status, code, Some(Operation::Create), 200) };
        assert_eq!(judge(&facts).0, expected, "{code:#x} {attempt}");
    }
}

#[test]
fn a_clash_depends_on_what_was_asked_for() {
    for (operation, attempt, records, expected) in [
        (Operation::Create, 1, 200, LookBeforeResend),
        (Operation::Create, 3, 1, LookBeforeResend),
        (Operation::Upsert, 1, 200, RetryNow),
        (Operation::Upsert, 2, 200, Narrow),
        (Operation::Upsert, 2, 1, DeadLetter),
        (Operation::Update, 1, 200, Narrow),
        (Operation::Update, 1, 1, DeadLetter),
    ] {
        let facts = Facts { attempt, ..facts(412, 0x8004_0237, Some(operation), records) };
        assert_eq!(judge(&facts).0, expected, "{operation:?} {attempt} {records}");
    }
}

#[test]
fn how_far_the_request_came_decides_when_no_reply_did() {
    for (phase, read, write) in [
        (Phase::NotSent, RetryAfter, RetryAfter),
        (Phase::Sent, RetryAfter, LookBeforeResend),
        (Phase::ReplyCut, RetryAfter, LookBeforeResend),
    ] {
        for (operation, expected) in [
            (None, read),
            (Some(Operation::Create), write),
            (Some(Operation::Update), write),
            (Some(Operation::Upsert), write),
        ] {
            let facts = Facts { phase, status: 0, ..facts(0, NONE, operation, 1) };
            assert_eq!(judge(&facts).0, expected, "{phase:?} {operation:?}");
        }
    }
}
