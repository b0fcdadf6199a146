//! How a run ends: what is left goes to the journal, and the report is made.

use std::time::Duration;

use dvsync_dataverse::{PrincipalCounts, RequestCounts};

use crate::blocking::unblock;
use crate::error::RunError;
use crate::job::Job;
use crate::journal::{Requests, RunEnd, RunStatus};
use crate::opening::mode;
use crate::progress::Stage;
use crate::report::{Report, principals, status};
use crate::run::Course;
use crate::swap::JudgementReport;

impl Course<'_> {
    /// Journals the end. `began`: by the clock, and the requests made before.
    pub(crate) async fn close(
        &self,
        job: &Job,
        began: (Duration, RequestCounts, Vec<PrincipalCounts>),
        stopped: bool,
    ) -> Report {
        let (book, failure, halt) = (self.book, &self.failure, &self.halt);
        let clock = self.parts.clock;
        failure.catch(book.close().await, halt);
        failure.catch(self.judging.end().await, halt);
        self.progress.enter(Stage::Done);

        let counts = book.counts();
        failure.catch(counts.check().map_err(|law| RunError::Bug(law.to_string())), halt);
        let mut error = failure.take();
        let earlier = self.opened.requests_before();
        let requests = requests(earlier, began.1, self.parts.client.counts());
        let mut status = status(&counts, stopped, error.as_ref());
        let end = RunEnd {
            ended: clock.wall(),
            status,
            counts,
            requests,
            message: error.as_ref().map(ToString::to_string),
        };
        if let Err(lost) = self.run.finish(end).await {
            tracing::error!(error = %lost, "the end of the run could not be journalled");
            status = RunStatus::Failed;
            error = error.or(Some(lost.into()));
        }
        let journal = &self.opened.journal;
        crate::keeping::release(job, self.run, status).await;
        if let Ok(before) = clock.wall().checked_sub(job.journal.retention)
            && let Err(error) = journal.prune(before).await
        {
            tracing::warn!(%error, "old runs stay in the journal");
        }
        let seconds = (clock.now() - began.0).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let records_per_second = counts.read as f64 / seconds.max(1e-9);
        Report {
            run_id: self.run.id().clone(),
            job: job.name.clone(),
            mode: mode(job),
            status,
            counts,
            requests,
            principals: principals(&began.2, &self.parts.client.principals()),
            seconds,
            records_per_second,
            rules: self.judging.rules(),
            judgements: self.judgements().await,
            swaps: self.judging.reports(book.again()),
            causes: book.causes(),
            journal: journal.path().to_owned(),
            message: error.as_ref().map(ToString::to_string),
            hint: error.as_ref().and_then(RunError::hint),
            error,
        }
    }
}

impl Course<'_> {
    /// Rows by judgement; the journal knows them all.
    async fn judgements(&self) -> Vec<JudgementReport> {
        let rules = self.judging.rules();
        let id = self.run.id().clone();
        let counted = match self.run.reader() {
            Ok(reader) => unblock(move || Ok(reader.judgements(&id)?)).await.and_then(|read| read),
            Err(error) => Err(error.into()),
        };
        let counted = counted.unwrap_or_else(|error: RunError| {
            tracing::warn!(%error, "rows by judgement cannot be counted");
            Vec::new()
        });
        let of = |judgement: Option<String>| {
            rules.iter().find(|rule| Some(&rule.judgement) == judgement.as_ref()).cloned()
        };
        let reports = counted
            .into_iter()
            .map(|judged| JudgementReport { rule: of(judged.judgement), counts: judged.counts });
        reports.collect()
    }
}

fn requests(earlier: Requests, before: RequestCounts, after: RequestCounts) -> Requests {
    Requests {
        sent: earlier.sent + after.sent - before.sent,
        retried: earlier.retried + after.retried - before.retried,
        throttled: earlier.throttled + after.throttled - before.throttled,
        failed: earlier.failed + after.failed - before.failed,
    }
}
