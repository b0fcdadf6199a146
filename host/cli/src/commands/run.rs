//! `dvsync run`

use std::path::PathBuf;
use std::sync::Arc;

use dvsync_engine::job::Job;
use dvsync_engine::journal::{LetterFilter, RunStatus};
use dvsync_engine::{LeftAlone, Parts, Progress, Report, RulesOnResume, Stop};
use dvsync_rules::{Rule, Sandbox};

use crate::args::{RuleChoice, RunArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::{self, Which};
use crate::talk::Talk;
use crate::{follow, load, open, shipped, signals, summary, watch};

/// The same for every run: a replay judges as the run did.
const SEED: u64 = 0;

pub(crate) async fn run(args: &RunArgs, talk: &Talk) -> Result<Exit, Failure> {
    let (way, rule) = match (args.resume, &args.rules) {
        (false, None) => (Way::Anew, None),
        (false, Some(RuleChoice::Named(rule))) => (Way::Anew, Some(rule.as_str())),
        (false, Some(RuleChoice::Same | RuleChoice::Latest)) => {
            return Err(Failure::usage("`--rules same` and `--rules latest` go with --resume")
                .hint("without --resume a run takes the job's rule as it is now"));
        }
        (true, None | Some(RuleChoice::Same)) => (Way::Resume(RulesOnResume::Same), None),
        (true, Some(RuleChoice::Latest)) => (Way::Resume(RulesOnResume::Latest), None),
        (true, Some(RuleChoice::Named(rule))) => {
            (Way::Resume(RulesOnResume::Latest), Some(rule.as_str()))
        }
    };
    let job = load::with_rule(&args.job, rule)?;
    let (report, _) = go(&job, way, *talk, &Stop::new()).await?;
    let kept = summary::keep(&report)?;
    summary::print(&report, args.report)?;
    talk.say(format!("report: {}", kept.display()));
    talk.say(format!("journal: {}", report.journal.display()));
    if matches!(report.status, RunStatus::Incomplete | RunStatus::Failed) {
        talk.say(format!("go on: dvsync run {} --resume", args.job.job.display()));
    } else if report.counts.dead_lettered > 0 {
        talk.say(format!("look: dvsync letters list {}", args.job.job.display()));
    }
    Ok(Exit::of(&report))
}

/// How a run begins.
pub(crate) enum Way {
    Anew,
    Resume(RulesOnResume),
    Replay(LetterFilter),
}

/// Runs a job, keeps its report and says where.
pub(crate) async fn one(job: &Job, talk: Talk, stop: &Stop) -> Result<(Report, PathBuf), Failure> {
    let (report, _) = go(job, Way::Anew, talk, stop).await?;
    let kept = summary::keep(&report)?;
    Ok((report, kept))
}

/// Runs a job, resumes it, or replays its letters.
pub(crate) async fn go(
    job: &Job,
    way: Way,
    talk: Talk,
    stop: &Stop,
) -> Result<(Report, LeftAlone), Failure> {
    let progress = Progress::new();
    let running = async {
        let sandbox = Arc::new(shipped::sandbox(job)?);
        let swaps = follow::swaps(job, &sandbox)?;
        let which = match way {
            Way::Resume(RulesOnResume::Same) => Which::AsTheRun,
            _ => Which::Now,
        };
        let (job, rule) = judged(job, which, &sandbox, talk)?;
        let job = &job;
        let target = open::target(job).await?;
        let parts =
            Parts { client: target.client.clone(), clock: target.clock, rule, seed: SEED, swaps };
        let none = LeftAlone::default();
        let done = match way {
            Way::Anew => (dvsync_engine::run(job, parts, &progress, stop).await?, none),
            Way::Resume(rules) => {
                (dvsync_engine::resume(job, parts, rules, &progress, stop).await?, none)
            }
            Way::Replay(letters) => {
                dvsync_engine::replay(job, parts, letters, &progress, stop).await?
            }
        };
        target.close()?;
        Ok::<_, Failure>(done)
    };
    let watched = watch::watch(&job.name, &progress, talk, running);
    signals::heed(stop, talk, watched).await
}

/// The job with what its rule turned out to be; a store's is told.
fn judged(
    job: &Job,
    which: Which,
    sandbox: &Sandbox,
    talk: Talk,
) -> Result<(Job, Option<Rule>), Failure> {
    let mut job = job.clone();
    let Some(judge) = judge::of(&job, which, sandbox, talk)? else { return Ok((job, None)) };
    if let Some(kept) = &judge.kept {
        let (name, version, digest) = (&kept.name, &kept.version, kept.digest.short());
        talk.say(format!("rule: {name}@{version} ({digest}), {}", judge.from));
    }
    if let Some(rules) = &mut job.rules {
        rules.kept = judge.kept;
    }
    Ok((job, Some(judge.rule)))
}
