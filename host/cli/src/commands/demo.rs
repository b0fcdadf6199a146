//! `dvsync demo`

use std::collections::BTreeMap;

use dvsync_engine::Stop;
use dvsync_model::Counts;

use super::run;
use crate::args::{DemoArgs, Format};
use crate::demo::folder::{self, JOBS};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk::Talk;
use crate::{load, summary};

/// Rows of the generated data that cannot be synced, in all jobs: they show
/// what becomes of such rows, and are no reason to fail.
const SPOILT: u64 = 5;

pub(crate) async fn demo(args: &DemoArgs, talk: &Talk) -> Result<Exit, Failure> {
    if args.fresh {
        folder::clear(&args.folder)?;
    }
    let shown = args.folder.display();
    if folder::fill(&args.folder)? {
        talk.say(format!(
            "made {} accounts, {} contacts and their jobs in `{shown}`",
            folder::SIZE.accounts,
            folder::SIZE.contacts
        ));
    } else {
        talk.say(format!("syncing what is in `{shown}`"));
    }
    let stop = Stop::new();
    let mut exit = Exit::Complete;
    let mut total = Counts::default();
    for (name, _) in JOBS {
        let job = load::at(&args.folder.join(name), &BTreeMap::new())?;
        let (report, _) = run::one(&job, *talk, &stop).await?;
        summary::print(&report, args.report)?;
        total.merge(&report.counts);
        exit = exit.max(Exit::of(&report));
        if stop.asked() || exit > Exit::DeadLetters {
            return Ok(exit);
        }
    }
    if args.report == Format::Text {
        summary::out(&closing(&total, &shown.to_string()))?;
    }
    let expected = exit == Exit::DeadLetters && total.dead_lettered <= SPOILT;
    Ok(if expected { Exit::Complete } else { exit })
}

fn closing(total: &Counts, folder: &str) -> String {
    let mut text = String::from("\n");
    if total.written() == 0 {
        text.push_str("Nothing was written: the target has all of it already.\n");
        text.push_str("Change a cell in the data and run the demo again.\n");
    } else {
        text.push_str("Run it again: nothing will be written.\n");
    }
    if total.dead_lettered > 0 && total.dead_lettered <= SPOILT {
        text.push_str("The dead letters are spoilt rows that the demo put into its data.\n");
    }
    text.push_str(&format!(
        "\n  data      {folder}/data\n  jobs      {folder}/*.toml\n  records   {folder}/.dvsync/emulator\n  \
         reports   {folder}/.dvsync/*.report.json\n  journals  {folder}/.dvsync/*.db\n"
    ));
    text
}
