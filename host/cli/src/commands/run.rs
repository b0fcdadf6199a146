//! `dvsync run`

use std::path::PathBuf;

use dvsync_engine::job::Job;
use dvsync_engine::{Parts, Progress, Report, Stop};

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk::Talk;
use crate::{load, open, shipped, signals, summary, watch};

/// The same for every run: a replay judges as the run did.
const SEED: u64 = 0;

pub(crate) async fn run(args: &RunArgs, talk: &Talk) -> Result<Exit, Failure> {
    let job = load::job(&args.job)?;
    let (report, kept) = one(&job, *talk, &Stop::new()).await?;
    summary::print(&report, args.report)?;
    talk.say(format!("report: {}", kept.display()));
    talk.say(format!("journal: {}", report.journal.display()));
    Ok(Exit::of(&report))
}

/// Runs a job, keeps its report and says where.
pub(crate) async fn one(job: &Job, talk: Talk, stop: &Stop) -> Result<(Report, PathBuf), Failure> {
    let progress = Progress::new();
    let running = async {
        let sandbox = shipped::sandbox(job)?;
        let rule = shipped::admit(job, &sandbox)?;
        let target = open::target(job).await?;
        let parts = Parts { client: target.client.clone(), clock: target.clock, rule, seed: SEED };
        let report = dvsync_engine::run(job, parts, &progress, stop).await?;
        target.close()?;
        Ok::<_, Failure>(report)
    };
    let watched = watch::watch(&job.name, &progress, talk, running);
    let report = signals::heed(stop, talk, watched).await?;
    let kept = summary::keep(&report)?;
    Ok((report, kept))
}
