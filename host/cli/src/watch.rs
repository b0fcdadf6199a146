//! Shows how far a run is: a bar on a terminal, a line now and then elsewhere.

use std::time::Duration;

use dvsync_engine::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::talk::Talk;

/// How often a bar is drawn, and how often a line is printed.
const BAR: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(10);

/// Shows `progress` until `work` is done.
pub(crate) async fn watch<T>(
    name: &str,
    progress: &Progress,
    talk: Talk,
    work: impl Future<Output = T>,
) -> T {
    if talk.is_quiet() {
        return work.await;
    }
    if talk.is_terminal() {
        let bar = bar(name);
        let done = tokio::select! {
            // What has failed at once has nothing to show.
            biased;
            done = work => done,
            never = draw(&bar, progress) => match never {},
        };
        bar.finish_and_clear();
        return done;
    }
    tokio::select! {
        biased;
        done = work => done,
        never = lines(name, progress, talk) => match never {},
    }
}

fn bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_prefix(name.to_owned());
    bar.set_style(style(WAITING));
    bar
}

const WAITING: &str = "{spinner} {prefix}: {msg}";
const SYNCING: &str =
    "{spinner} {prefix} [{wide_bar}] {human_pos}/{human_len} {per_sec}, {eta} left, {msg}";

fn style(template: &str) -> ProgressStyle {
    // The templates are ours and checked by a test.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

async fn draw(bar: &ProgressBar, progress: &Progress) -> std::convert::Infallible {
    let mut ticks = interval(BAR);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut syncing = false;
    loop {
        ticks.tick().await;
        let now_syncing = progress.stage() == Stage::Syncing;
        if now_syncing != syncing {
            syncing = now_syncing;
            bar.set_style(style(if syncing { SYNCING } else { WAITING }));
            bar.set_length(progress.rows());
            bar.reset_eta();
        }
        bar.set_position(progress.counts().read);
        bar.set_message(said(progress));
        bar.tick();
    }
}

async fn lines(name: &str, progress: &Progress, talk: Talk) -> std::convert::Infallible {
    let mut ticks = interval(BAR);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut stage = None;
    let mut due = Instant::now();
    let mut syncing_since = None;
    loop {
        let now = ticks.tick().await;
        if stage == Some(progress.stage()) && now < due {
            continue;
        }
        stage = Some(progress.stage());
        due = now + LINE;
        if progress.stage() != Stage::Syncing {
            talk.say(format!("{name}: {}", said(progress)));
            continue;
        }
        let since = *syncing_since.get_or_insert(now);
        let (done, all) = (progress.counts().read, progress.rows());
        let pace = pace(done, all, now.duration_since(since));
        talk.say(format!("{name}: {done} of {all} rows{pace}, {}", said(progress)));
    }
}

/// `, 1200 rows/s, 35 s left`; nothing before there is a pace.
fn pace(done: u64, all: u64, took: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    let (done, left) = (done as f64, all.saturating_sub(done) as f64);
    let rate = done / took.as_secs_f64();
    if !rate.is_finite() || rate <= 0.0 {
        return String::new();
    }
    format!(", {rate:.0} rows/s, {:.0} s left", left / rate)
}

fn said(progress: &Progress) -> String {
    match progress.stage() {
        Stage::Planning => "reading metadata".to_owned(),
        Stage::Surveying => "looking through the source's keys".to_owned(),
        Stage::ReadingTarget => {
            format!("reading the target, {} records so far", progress.target())
        }
        Stage::Syncing => {
            let counts = progress.counts();
            let troubled = counts.dead_lettered + counts.deferred;
            let written = counts.written();
            if troubled == 0 {
                format!("{written} written")
            } else {
                format!("{written} written, {troubled} with trouble")
            }
        }
        Stage::Retrying => {
            format!("{} deferred, which are tried again", progress.counts().deferred)
        }
        Stage::Done => "closing the journal".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_of_the_bar_are_valid() {
        for template in [WAITING, SYNCING] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn a_pace_is_told_once_there_is_one() {
        assert_eq!(pace(0, 100, Duration::ZERO), "");
        assert_eq!(pace(0, 100, Duration::from_secs(1)), "");
        assert_eq!(pace(50, 100, Duration::from_secs(5)), ", 10 rows/s, 5 s left");
        assert_eq!(pace(200, 100, Duration::from_secs(5)), ", 40 rows/s, 0 s left");
    }
}
