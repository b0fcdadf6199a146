//! `dvsync rules bench`: rows per second, against a rule that does nothing.
//!
//! That rule (`plugins/nothing`) reads the same columns and sets none, so the
//! ratio is what the rule itself costs; its own figure is the boundary's.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat_batches;
use dvsync_rules::{BindSettings, Bound, Context, HookName, Limits, Sandbox};
use dvsync_sources::CHUNK_ROWS_DEFAULT;
use serde_json::json;
use tokio::time::Instant;

use super::case::{self, Case};
use super::find::{Found, fixtures};
use crate::args::{BenchArgs, Format};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shipped;
use crate::summary::out;
use crate::talk::Talk;

/// Calls before the first that counts.
const WARM_UP: usize = 3;

pub(super) fn bench(args: &BenchArgs, talk: Talk) -> Result<Exit, Failure> {
    if args.rows == 0 {
        return Err(Failure::usage("`--rows 0` measures nothing"));
    }
    let sandbox = shipped::usual_sandbox()?;
    let rule = Found::named(&args.rule, &args.store, talk)?.admit(&sandbox)?.rule;
    let label = format!("{}@{}", rule.description().name, rule.description().version);
    let fixtures = fixtures(args.fixtures.as_deref(), &args.rule);
    let only: Vec<String> = args.case.iter().cloned().collect();
    let folder: &Path = &case::folders(&fixtures, &only)?[0];
    let case = Case::read(folder, &rule)?;
    let bound = case.bind(&rule)?;
    let Some(needs) = bound.needs(HookName::Transform) else {
        return Err(Failure::usage(format!("`{label}` has no hook `transform` to measure")));
    };
    let fields = needs
        .reads_source
        .iter()
        .map(|column| Field::new(&column.name, column.data_type.clone(), true));
    let reads = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = reads.fields().len();
    let nothing = nothing(&sandbox, case.context(), Arc::clone(&reads))?;
    let chunk = repeated(&case.source, args.rows.min(CHUNK_ROWS_DEFAULT))?;
    talk.say(format!("judging {} rows of `{}`, {columns} columns", args.rows, case.name));

    let mut stopped = 0;
    let rule_seconds = seconds(&bound, &chunk, args.rows, &mut stopped)?;
    let nothing_seconds = seconds(&nothing, &chunk, args.rows, &mut 0)?;
    let count = rows(args.rows);
    let per_second = |seconds: f64| count / seconds.max(f64::MIN_POSITIVE);
    let ratio = rule_seconds / nothing_seconds.max(f64::MIN_POSITIVE);
    out(&match args.report {
        Format::Json => format!(
            "{}\n",
            json!({
                "rule": label, "case": case.name, "rows": args.rows, "columns": columns,
                "stopped": stopped,
                "rows_per_second": per_second(rule_seconds),
                "nothing_rows_per_second": per_second(nothing_seconds),
                "ratio": ratio,
            })
        ),
        Format::Text => {
            let line = |name: &str, seconds: f64| {
                let (rate, each) = (per_second(seconds), seconds * 1e9 / count);
                format!("{name:<24} {rate:>12.0} rows/s {each:>9.0} ns a row\n")
            };
            format!(
                "{}{}{label} takes {ratio:.1} times as long as doing nothing\n",
                line(&label, rule_seconds),
                line("doing nothing", nothing_seconds),
            )
        }
    })?;
    Ok(Exit::Complete)
}

/// The rule that reads these columns and sets none.
fn nothing(sandbox: &Sandbox, context: &Context, reads: Arc<Schema>) -> Result<Bound, Failure> {
    let rule = sandbox.admit(shipped::NOTHING, "nothing")?;
    let settings = serde_json::Value::Null;
    let context = Context { settings, source: reads, ..context.clone() };
    let settings = BindSettings { recheck_every: None, ..BindSettings::default() };
    Ok(rule.bind(context, Default::default(), Limits::default(), settings)?)
}

/// Seconds of judging so many rows, a chunk after the other.
fn seconds(
    bound: &Bound,
    chunk: &RecordBatch,
    rows: usize,
    stopped: &mut usize,
) -> Result<f64, Failure> {
    for _ in 0..WARM_UP {
        bound.transform(chunk)?;
    }
    let start = Instant::now();
    let mut left = rows;
    while left > 0 {
        let count = left.min(chunk.num_rows());
        let answer = bound.transform(&chunk.slice(0, count))?;
        *stopped += answer.verdicts.len() + answer.faults.len();
        left -= count;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// The rows again and again, up to so many.
fn repeated(rows: &RecordBatch, count: usize) -> Result<RecordBatch, Failure> {
    if rows.num_rows() == 0 {
        return Err(Failure::usage("the case has no rows").hint("name another with --case"));
    }
    let times = count.div_ceil(rows.num_rows());
    let all = concat_batches(&rows.schema(), std::iter::repeat_n(rows, times))
        .map_err(|error| Failure::bug("cannot repeat the rows of a case", error))?;
    Ok(all.slice(0, count))
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn rows(count: usize) -> f64 {
    count as f64
}
