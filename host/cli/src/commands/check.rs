//! `dvsync check`: a line for each thing that a run needs, and how to mend it.
//!
//! Reads only: nothing is written to a service. The embedded emulator is
//! started and seeded, as a run would do.

use std::sync::Arc;

use dvsync_engine::Parts;
use dvsync_engine::job::{Grant, Job, Match};
use dvsync_model::Entity;
use dvsync_rules::Rule;
use dvsync_sources::{Scan, Source};
use serde::Serialize;

use crate::args::{CheckArgs, Format, RuleChoice};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::{self, Which};
use crate::open::Opened;
use crate::summary::out;
use crate::talk::Talk;
use crate::{load, open, shipped};

/// What was found.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    /// What there is, or what is wrong.
    message: String,
    hint: Option<String>,
}

/// All findings; printed as they come, or at the end as JSON.
#[derive(Debug)]
pub(crate) struct Findings {
    format: Format,
    all: Vec<Finding>,
    exit: Exit,
}

impl Findings {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, all: Vec::new(), exit: Exit::Complete }
    }

    /// Notes a finding; what was wrong is gone afterwards.
    pub(crate) fn note<T>(
        &mut self,
        what: &'static str,
        found: Result<(T, String), Failure>,
    ) -> Result<Option<T>, Failure> {
        let (value, finding) = match found {
            Ok((value, message)) => (Some(value), Finding { what, ok: true, message, hint: None }),
            Err(failure) => {
                self.exit = self.exit.max(failure.exit);
                let message = failure.lines().join(": ");
                (None, Finding { what, ok: false, message, hint: failure.hint })
            }
        };
        if self.format == Format::Text {
            let word = if finding.ok { "ok     " } else { "failed " };
            let mut text = format!("{word}{what}: {}\n", finding.message);
            if let Some(hint) = &finding.hint {
                text.push_str(&format!("       hint: {hint}\n"));
            }
            out(&text)?;
        }
        self.all.push(finding);
        Ok(value)
    }

    /// Ends: the JSON, and a last word; `good` where nothing failed.
    pub(crate) fn finish(self, talk: Talk, good: &str) -> Result<Exit, Failure> {
        if self.format == Format::Json {
            let text = serde_json::to_string_pretty(&self.all)
                .map_err(|error| Failure::bug("cannot write the findings as JSON", error))?;
            out(&format!("{text}\n"))?;
        }
        let failed = self.all.iter().filter(|finding| !finding.ok).count();
        talk.say(match failed {
            0 => good.to_owned(),
            _ => format!("{failed} of {} checks failed", self.all.len()),
        });
        Ok(self.exit)
    }
}

pub(crate) async fn check(args: &CheckArgs, talk: &Talk) -> Result<Exit, Failure> {
    let mut findings = Findings::new(args.report);
    let rule = match &args.rules {
        None => None,
        Some(RuleChoice::Named(rule)) => Some(rule.as_str()),
        Some(RuleChoice::Same | RuleChoice::Latest) => {
            return Err(Failure::usage("`same` and `latest` are of a run that goes on")
                .hint("name a file or a rule: `account@1.2.0`"));
        }
    };
    let loaded = load::with_rule(&args.job, rule).map(|job| {
        let message = format!("`{}` is well-formed", job.file.display());
        (job, message)
    });
    if let Some(job) = findings.note("job file", loaded)? {
        parts(&job, &mut findings, *talk).await?;
    }
    findings.finish(*talk, "the job can run")
}

async fn parts(job: &Job, findings: &mut Findings, talk: Talk) -> Result<(), Failure> {
    let source = findings.note("source", source(job))?;
    for (name, grant) in &job.tables {
        if let Grant::Source(settings) = grant {
            findings.note("table", rows(settings).map(|said| ((), format!("`{name}`: {said}"))))?;
        }
    }
    let rule = findings.note("rule", rule(job, talk))?;
    let opened = findings.note("target", target(job).await)?;
    let Some(opened) = opened else { return Ok(()) };
    let mut signed_in = false;
    for (name, answer) in opened.client.who_am_i_each().await {
        let found = answer.map_err(Failure::from).map(|who| {
            (
                (),
                format!("`{name}` is user {} of organization {}", who.user_id, who.organization_id),
            )
        });
        signed_in |= findings.note("principal", found)?.is_some();
    }
    if signed_in
        && let Some(entity) = findings.note("entity", entity(job, &opened).await)?
        && let Match::Key(columns) = &job.target.matching
    {
        findings.note("alternate key", alternate_key(&entity, columns))?;
    }
    // What fits together is judged as a run would judge it.
    if let (true, Some(_), Some(rule)) = (signed_in, source, rule) {
        let parts = Parts {
            client: opened.client.clone(),
            clock: opened.clock,
            rule,
            seed: 0,
            swaps: None,
        };
        let planned = dvsync_engine::plan(job, &parts).await.map_err(Failure::from);
        let said = "columns, rule and target fit together";
        findings.note("mapping", planned.map(|_| ((), said.to_owned())))?;
    }
    opened.close()
}

/// The source opens, has its key columns, and its first rows can be read.
fn source(job: &Job) -> Result<(Box<dyn Source>, String), Failure> {
    let settings = &job.source.settings;
    let source = dvsync_sources::open(settings)?;
    let mut chunks = source.scan(&Scan { chunk_rows: 100, ..Scan::default() })?;
    let first = chunks.next().transpose()?;
    drop(chunks);
    let columns = source.schema().fields().len();
    let mut said = format!("`{}` has {columns} columns", settings.path);
    if let Some(rows) = source.rows_hint() {
        said.push_str(&format!(" and {rows} rows"));
    }
    match first {
        None => said.push_str("; it is empty"),
        Some(chunk) if !chunk.bad.is_empty() => {
            said.push_str(&format!("; {} of the first rows cannot be read", chunk.bad.len()));
        }
        Some(_) => {}
    }
    Ok((source, said))
}

fn rows(settings: &dvsync_sources::Settings) -> Result<String, Failure> {
    let source = dvsync_sources::open(settings)?;
    Ok(format!("`{}` has {} columns", settings.path, source.schema().fields().len()))
}

fn rule(job: &Job, talk: Talk) -> Result<(Option<Rule>, String), Failure> {
    let sandbox = shipped::sandbox(job)?;
    let Some(judge) = judge::of(job, Which::Now, &sandbox, talk)? else {
        return Ok((None, "the job has none".to_owned()));
    };
    let (description, from) = (judge.rule.description(), &judge.from);
    let said =
        format!("{}@{} ({from}), {}", description.name, description.version, judge.rule.digest());
    Ok((Some(judge.rule), said))
}

async fn target(job: &Job) -> Result<(Opened, String), Failure> {
    let opened = open::target(job).await?;
    Ok((opened, format!("`{}`", job.target.address())))
}

async fn entity(job: &Job, opened: &Opened) -> Result<(Arc<Entity>, String), Failure> {
    let entity = opened.client.entity(&job.target.entity).await?;
    let said = format!("`{}` has {} columns", entity.logical_name, entity.columns.len());
    Ok((entity, said))
}

fn alternate_key(entity: &Entity, columns: &[String]) -> Result<((), String), Failure> {
    let over = columns.join("`, `");
    match entity.key_over(columns) {
        Some(key) if key.active => Ok(((), format!("`{}` over `{over}` is active", key.name))),
        Some(key) => Err(Failure::usage(format!("`{}` over `{over}` is not active", key.name))
            .hint("wait until the service has built its index, or reactivate it")),
        None => Err(Failure::usage(format!(
            "`{}` has no alternate key over `{over}`",
            entity.logical_name
        ))
        .hint("define one in the environment, or use match = { columns = [...] }")),
    }
}
