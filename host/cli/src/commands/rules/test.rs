//! `dvsync rules test`: fixture tables in, expected tables out, in the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dvsync_rules::Rule;
use serde::Serialize;

use super::case::{self, Case};
use super::csv::Table;
use super::differences::{Dependence, Difference, as_expected, compare, dependences};
use super::find::{Found, fixtures};
use super::judge::{Row, judge};
use crate::args::{Format, TestArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shipped;
use crate::summary::out;
use crate::talk::Talk;

const EXPECTED: &str = "expected.csv";
/// Differences of a case that are printed as text; JSON has all of them.
const SHOWN_MAX: usize = 20;

#[derive(Debug, Serialize)]
struct Tested {
    rule: String,
    digest: String,
    passed: bool,
    cases: Vec<TestedCase>,
    /// How often each code of a verdict or fault occurred.
    codes: BTreeMap<String, usize>,
    /// Codes of `codes.txt` that did not.
    never: Vec<String>,
    /// Codes that occurred and are not in `codes.txt`, where there is one.
    undeclared: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TestedCase {
    name: String,
    rows: usize,
    passed: bool,
    /// What is wrong with the case as a whole.
    fault: Option<String>,
    differences: Vec<Difference>,
    dependences: Vec<Dependence>,
}

pub(super) fn test(args: &TestArgs, talk: Talk) -> Result<Exit, Failure> {
    let found = Found::named(&args.rule, &args.store, talk)?;
    let rule = found.admit(&shipped::usual_sandbox()?)?.rule;
    let fixtures = fixtures(args.fixtures.as_deref(), &args.rule);
    let mut tested = Tested {
        rule: format!("{}@{}", rule.description().name, rule.description().version),
        digest: rule.digest().to_owned(),
        passed: true,
        cases: Vec::new(),
        codes: BTreeMap::new(),
        never: Vec::new(),
        undeclared: Vec::new(),
    };
    for folder in case::folders(&fixtures, &args.case)? {
        let case = Case::read(&folder, &rule)?;
        let (result, rows) = run(&case, &rule, args.update)?;
        if args.update {
            talk.say(format!("wrote `{}`", folder.join(EXPECTED).display()));
        }
        for row in rows {
            if let Row::Stopped { code, .. } = row {
                *tested.codes.entry(code).or_default() += 1;
            }
        }
        tested.passed &= result.passed;
        tested.cases.push(result);
    }
    // Of some cases alone nothing follows.
    if args.case.is_empty() {
        coverage(&mut tested, &fixtures);
    }
    match args.report {
        Format::Text => out(&as_text(&tested))?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&tested)
                .map_err(|error| Failure::bug("cannot write the result as JSON", error))?;
            out(&format!("{text}\n"))?;
        }
    }
    Ok(if tested.passed { Exit::Complete } else { Exit::DeadLetters })
}

/// The rule judges all cases as expected.
pub(super) fn conforms(rule: &Rule, fixtures: &Path) -> Result<(), Failure> {
    for folder in case::folders(fixtures, &[])? {
        let case = Case::read(&folder, rule)?;
        let (result, _) = run(&case, rule, false)?;
        if !result.passed {
            return Err(Failure::usage(format!("the case `{}` fails", result.name))
                .hint("dvsync rules test shows what differs"));
        }
    }
    Ok(())
}

fn run(case: &Case, rule: &Rule, update: bool) -> Result<(TestedCase, Vec<Row>), Failure> {
    let bound = case.bind(rule)?;
    let rows = judge(&bound, &case.source, case.current.as_ref())?;
    let path = case.folder.join(EXPECTED);
    if update {
        std::fs::write(&path, as_expected(&rows).write()).map_err(|error| {
            Failure::because(format!("cannot write `{}`", path.display()), error)
        })?;
    }
    let (fault, differences) = if path.is_file() {
        (None, compare(&Table::read(&case.folder, EXPECTED)?, &rows))
    } else {
        let fault = format!("there is no `{}`: write it with --update", path.display());
        (Some(fault), Vec::new())
    };
    let dependences = dependences(&bound, &case.source, case.current.as_ref(), &rows)?;
    let result = TestedCase {
        name: case.name.clone(),
        rows: rows.len(),
        passed: fault.is_none() && differences.is_empty() && dependences.is_empty(),
        fault,
        differences,
        dependences,
    };
    Ok((result, rows))
}

fn coverage(tested: &mut Tested, fixtures: &Path) {
    let Some(declared) = case::codes(fixtures) else { return };
    let declared: BTreeSet<String> = declared.into_iter().collect();
    let occurred: BTreeSet<String> = tested.codes.keys().cloned().collect();
    tested.never = declared.difference(&occurred).cloned().collect();
    tested.undeclared = occurred.difference(&declared).cloned().collect();
}

fn as_text(tested: &Tested) -> String {
    let mut lines = Vec::new();
    for case in &tested.cases {
        let TestedCase { name, rows, differences, dependences, .. } = case;
        let word = if case.passed { "ok    " } else { "failed" };
        lines.push(format!("{word} {name}: {rows} rows"));
        lines.extend(case.fault.iter().map(|fault| format!("       {fault}")));
        let differs = differences.iter().map(|difference| {
            let Difference { row, column, expected, found } = difference;
            format!("       row {row}, {column}: expected `{expected}`, found `{found}`")
        });
        let depends = dependences.iter().map(|dependence| {
            let Dependence { row, cut, whole, otherwise } = dependence;
            format!(
                "       row {row} depends on more than itself: `{whole}` in one call, \
                 `{otherwise}` when judged {cut}"
            )
        });
        let told: Vec<String> = differs.chain(depends).collect();
        lines.extend(told.iter().take(SHOWN_MAX).cloned());
        if let Some(more) = told.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            lines.push(format!("       and {more} more: --report json has all of them"));
        }
    }
    if !tested.codes.is_empty() {
        let codes: Vec<_> =
            tested.codes.iter().map(|(code, count)| format!("{code} ({count})")).collect();
        lines.push(format!("codes that occurred: {}", codes.join(", ")));
    }
    for (what, codes) in [
        ("that never occurred", &tested.never),
        ("that codes.txt does not name", &tested.undeclared),
    ] {
        if !codes.is_empty() {
            lines.push(format!("codes {what}: {}", codes.join(", ")));
        }
    }
    let failed = tested.cases.iter().filter(|case| !case.passed).count();
    lines.push(match failed {
        0 => format!("{}: all passed, {} in number", tested.rule, tested.cases.len()),
        _ => format!("{}: {failed} of {} failed", tested.rule, tested.cases.len()),
    });
    lines.join("\n") + "\n"
}
