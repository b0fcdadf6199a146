//! The second step of records that are to be inactive: created, then set.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array};
use dvsync_dataverse::{Address, Field, Operation, Status, Write, WriteBuilder, Written};
use dvsync_model::Outcome;

use super::{Sender, Work};
use crate::error::RunError;
use crate::fate::Fate;
use crate::pack::Row;

impl Sender {
    /// Sets the states of records that were created. A record whose second step
    /// fails did land in part, and says so.
    pub(super) async fn set_states(&self, rows: Vec<Row>) -> Result<(), RunError> {
        let write = self.states(&rows)?;
        let form = self.form(Operation::Update, rows.len());
        let mut work = Work { write, rows, form, tries: 0, doubtful: false, hinted: false };
        while !work.rows.is_empty() {
            let intent = self.run.intent(self.intent(&work)).await?;
            let written = self.client.write(&work.write, work.form).await;
            self.run.replied(intent, self.reply(&written)).await?;
            let again = match written {
                Written::Each(statuses) => statuses
                    .into_iter()
                    .enumerate()
                    .filter_map(|(position, status)| self.state_set(&work, position, status))
                    .collect(),
                Written::Refused(refusal) if work.rows.len() == 1 => {
                    self.partial(&work.rows[0], &refusal.code_text(), &refusal.message);
                    Vec::new()
                }
                Written::Refused(_) | Written::InDoubt(_) => (0..work.rows.len()).collect(),
                Written::NotNow(later) if later.cancelled => {
                    let fate = Fate::deferred(
                        "not_answered",
                        "created, but the run ended before its state was set",
                    )
                    .at("statecode")
                    .hint("run the job again: it finds the record and sets the state")
                    .partial();
                    for row in &work.rows {
                        row.frame.settle_fate(row.at(), &fate, row.known_id());
                    }
                    Vec::new()
                }
                Written::NotNow(later) => {
                    for row in &work.rows {
                        self.partial(row, &later.code, &later.message);
                    }
                    Vec::new()
                }
                Written::Stop(error) => {
                    for row in &work.rows {
                        self.partial(row, "stopped", &error.to_string());
                    }
                    return Err(error.into());
                }
            };
            work = super::part(&work, &again);
            work.form = dvsync_dataverse::Form::Batch { continue_on_error: true };
            work.tries += 1;
            if work.tries >= self.plan.job.retry.attempts {
                for row in work.rows.drain(..) {
                    self.partial(&row, "not_answered", "its state was not confirmed in time");
                }
            } else if !work.rows.is_empty() {
                self.pause(&work).await;
            }
        }
        Ok(())
    }

    /// Settles one record; gives back its position if it is to be sent again.
    fn state_set(&self, work: &Work, position: usize, status: Status) -> Option<usize> {
        let row = &work.rows[position];
        match status {
            Status::Landed { .. } => {
                row.frame.settle(row.at(), Outcome::Created, row.known_id());
                None
            }
            Status::NotAttempted => Some(position),
            Status::Refused(refusal) => {
                use dvsync_dataverse::Disposition::{RetryAfter, RetryNow};
                if matches!(refusal.disposition, RetryNow | RetryAfter) {
                    return Some(position);
                }
                self.partial(row, &refusal.code_text(), &refusal.message);
                None
            }
        }
    }

    fn partial(&self, row: &Row, code: &str, message: &str) {
        let fate = Fate::dead(
            code.to_owned(),
            format!("created, but its state could not be set: {message}"),
        )
        .at("statecode")
        .hint("run the job again: it finds the record and sets the state")
        .partial();
        row.settle_fate(&fate, row.known_id());
    }

    fn states(&self, rows: &[Row]) -> Result<Write, RunError> {
        let column = |name: &str, pick: fn((i32, i32)) -> i32| {
            let column = self.plan.entity.column(name);
            let column = column.ok_or_else(|| RunError::Bug(format!("no column `{name}`")))?;
            let values: Int32Array = rows.iter().map(|row| row.then_state.map(pick)).collect();
            let values: ArrayRef = Arc::new(values);
            Field::new(column, values)
                .map_err(|error| RunError::Bug(format!("a state cannot be encoded: {error}")))
        };
        let fields = [column("statecode", |pair| pair.0)?, column("statuscode", |pair| pair.1)?];
        let mut builder = WriteBuilder::new(Arc::clone(&self.plan.entity), Operation::Update);
        for (at, row) in rows.iter().enumerate() {
            builder.push(Address::Id(row.id), &fields, at, &|_| true);
        }
        Ok(builder.finish())
    }
}
