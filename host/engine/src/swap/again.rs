//! What a rolled-back version wrote is judged again, within the run.
//!
//! The rows are not kept: the journal knows which chunks rest on its judgement,
//! and they are read from the source again, like deferred rows. So it makes no
//! difference whether the process that rolled back is still alive.

use std::sync::Arc;

use crate::blocking::unblock;
use crate::error::RunError;
use crate::progress::Stage;
use crate::read::Pass;
use crate::run::Course;

impl Course<'_> {
    /// Judges again until nothing rests on a judgement that was rolled back.
    pub(crate) async fn judge_again(&self) -> Result<(), RunError> {
        let mut tried = None;
        while let Some(lost) = self.judging.lost() {
            if self.halt.asked() {
                return Ok(());
            }
            self.run.flush().await?;
            let (reader, id) = (self.run.reader()?, self.run.id().clone());
            let of = lost.clone();
            let chunks = unblock(move || reader.judged_under(&id, &of)).await??;
            // Chunks without a row that a rule could judge stay what they are.
            let before = tried.replace((lost.clone(), chunks.clone()));
            if chunks.is_empty() || before == tried {
                self.judging.found(&lost).await?;
                continue;
            }
            self.progress.enter(Stage::Retrying);
            let rows = chunks.iter().map(|chunk| chunk.records).sum();
            let Some(known) = self.known(rows).await? else { return Ok(()) };
            let (journal, run) = (self.run.reader()?, self.run.id().clone());
            let pass = Pass::Again { journal, run, judgement: Arc::from(lost), chunks };
            self.pass(pass, &Arc::new(known)).await;
        }
        Ok(())
    }
}
