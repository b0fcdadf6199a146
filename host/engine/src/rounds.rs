//! Deferred rows, tried again within their run.
//!
//! They wait in the journal, not in memory; each round reads those that are due
//! from the source again, looks at the target anew, and sends them like any
//! others. What is not due before the deadline is left for another run.

use std::sync::Arc;

use jiff::Timestamp;

use crate::blocking::unblock;
use crate::classify::lookups::LOOKUP_MISSING;
use crate::deferral::{Next, next};
use crate::error::RunError;
use crate::progress::Stage;
use crate::read::{Due, Pass};
use crate::run::Course;

impl Course<'_> {
    /// Tries deferred rows again until none is left, or none is due in time.
    pub(crate) async fn rounds(&self, deadline: Timestamp) -> Result<(), RunError> {
        let clock = self.parts.clock;
        let mut written = self.book.counts().written();
        // Of a run that goes on: what others were waited for may have come meanwhile.
        let mut hurry = Some(LOOKUP_MISSING);
        while !self.halt.asked() {
            self.run.flush().await?;
            let (reader, id, now) = (self.run.reader()?, self.run.id().clone(), clock.wall());
            let (waiting, chunks) = unblock(move || {
                Ok::<_, RunError>((reader.waiting(&id)?, reader.due(&id, now, hurry)?))
            })
            .await??;
            let Some(waiting) = waiting else { return Ok(()) };
            if chunks.is_empty() || now >= deadline {
                match next(waiting.earliest, now, deadline) {
                    Next::Leave => return Ok(()),
                    Next::Now if chunks.is_empty() => return Ok(()),
                    Next::Now => {}
                    Next::Wait(wait) => {
                        self.progress.enter(Stage::Retrying);
                        tokio::select! {
                            () = clock.sleep_until(clock.now() + wait) => {}
                            () = self.halt.wait() => {}
                        }
                        hurry = None;
                        continue;
                    }
                }
            }
            self.progress.enter(Stage::Retrying);
            let rows = chunks.iter().map(|chunk| chunk.records).sum();
            let Some(known) = self.known(rows).await? else { return Ok(()) };
            let due = Due { chunks, now, code: hurry };
            let pass =
                Pass::Deferred { journal: self.run.reader()?, run: self.run.id().clone(), due };
            self.pass(pass, &Arc::new(known)).await;
            // What landed may be what others wait for.
            let landed = self.book.counts().written();
            hurry = (landed > written).then_some(LOOKUP_MISSING);
            written = landed;
        }
        Ok(())
    }
}
