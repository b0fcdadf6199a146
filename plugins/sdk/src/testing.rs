//! Rules under test natively: tables in, answers out, through the same checks as
//! in a component, without a sandbox. Pure.
//!
//! ```
#![doc = include_str!("../examples/prospects.rs")]
//! use dvsync_rules_sdk::testing::{Bench, Table};
//!
//! let rows = Table::of(&["name"], &[&[" ann  lee "], &[""]]);
//! let answer = Bench::<Prospects>::new(&rows).transform(&rows)?;
//! assert_eq!(answer.cell(0, "lastname"), "ann lee");
//! assert_eq!(answer.verdict(1), "reject no-name (name): the prospect has no name");
//! # Ok::<(), Failure>(())
//! ```

mod answer;
mod independence;
mod table;

pub use answer::Answer;
pub use independence::assert_rows_independent;
pub use table::Table;

use crate::bindings::types::{Column, TextBuffers};
use crate::context::Context;
use crate::failure::Failure;
use crate::field::{Field, Needs};
use crate::hooks::{Matching, Owner, Rule, Side, State, Transform};
use crate::instance::Instance;
use std::marker::PhantomData;
use std::sync::Arc;

/// A rule, the job's context, and the tables that the job grants.
#[derive(Debug, Clone)]
pub struct Bench<R> {
    /// What the rule is configured with; `source` has the table's columns.
    pub context: Context,
    rule: PhantomData<fn() -> R>,
}

impl<R: Rule> Bench<R> {
    /// A job whose source has the columns of that table, without settings.
    #[must_use]
    pub fn new(source: &Table) -> Self {
        let context = Context { source: source.fields(), ..Context::default() };
        Self { context, rule: PhantomData }
    }

    /// With the settings document.
    #[must_use]
    pub fn settings(mut self, json: &str) -> Self {
        json.clone_into(&mut self.context.settings_json);
        self
    }

    /// With a granted table.
    #[must_use]
    pub fn grant(mut self, name: &str, table: Table) -> Self {
        Arc::make_mut(&mut self.context.tables.granted).insert(name.to_owned(), table);
        self
    }

    /// What `transform` answers.
    ///
    /// # Errors
    /// As the rule.
    pub fn transform(&self, source: &Table) -> Result<Answer, Failure>
    where
        R: Transform,
    {
        let (instance, needs) = self.instance("transform", <R as Transform>::needs)?;
        let columns = pick(source, &needs.source)?;
        let output = instance.apply(rows_of(source)?, &columns)?;
        let mut answer = Answer::new(source.len(), output.verdicts);
        for setting in output.columns {
            answer.set(&setting.column, setting.leave.as_deref());
        }
        Ok(answer)
    }

    /// What `matching` derives: the column `key`.
    ///
    /// # Errors
    /// As the rule.
    pub fn derive(&self, side: Side, table: &Table) -> Result<Answer, Failure>
    where
        R: Matching,
    {
        let (instance, needs) = self.instance("matching", <R as Matching>::needs)?;
        let columns = match side {
            Side::Incoming => pick(table, &needs.source)?,
            Side::Current => pick(table, &needs.current)?,
        };
        let keys = instance.derive(side, rows_of(table)?, &columns)?;
        let mut answer = Answer::new(table.len(), keys.verdicts);
        answer.set_text("key", &keys.keys);
        Ok(answer)
    }

    /// What `matching` chooses: the column `chosen`, `-1` for none.
    ///
    /// # Errors
    /// As the rule.
    pub fn choose(
        &self,
        source: &Table,
        offsets: &[i32],
        candidates: &Table,
    ) -> Result<Answer, Failure>
    where
        R: Matching,
    {
        let (instance, needs) = self.instance("matching", <R as Matching>::needs)?;
        let incoming = pick(source, &needs.source)?;
        let candidates = pick(candidates, &needs.current)?;
        let choices = instance.choose(rows_of(source)?, &incoming, offsets, &candidates)?;
        let mut answer = Answer::new(source.len(), choices.verdicts);
        for (row, position) in choices.chosen.iter().enumerate() {
            answer.put(row, "chosen", position.to_string());
        }
        Ok(answer)
    }

    /// What `state` decides: the columns `statecode` and `statuscode`.
    ///
    /// # Errors
    /// As the rule.
    pub fn state(&self, source: &Table, current: &Table) -> Result<Answer, Failure>
    where
        R: State,
    {
        let (instance, needs) = self.instance("state", <R as State>::needs)?;
        let (incoming, current) = (pick(source, &needs.source)?, pick(current, &needs.current)?);
        let decision = instance.state(rows_of(source)?, &incoming, &current)?;
        let mut answer = Answer::new(source.len(), decision.verdicts);
        for (name, list) in
            [("statecode", &decision.statecode), ("statuscode", &decision.statuscode)]
        {
            for (row, value) in list.iter().enumerate() {
                let text = value.map_or_else(|| Answer::LEAVE.to_owned(), |code| code.to_string());
                answer.put(row, name, text);
            }
        }
        Ok(answer)
    }

    /// What `owner` decides: the column `owner`, as `user KEY` or `team KEY`.
    ///
    /// # Errors
    /// As the rule.
    pub fn owner(&self, source: &Table, current: &Table) -> Result<Answer, Failure>
    where
        R: Owner,
    {
        let (instance, needs) = self.instance("owner", <R as Owner>::needs)?;
        let (incoming, current) = (pick(source, &needs.source)?, pick(current, &needs.current)?);
        let decision = instance.owner(rows_of(source)?, &incoming, &current)?;
        let mut answer = Answer::new(source.len(), decision.verdicts);
        for (row, kind) in decision.kinds.iter().enumerate() {
            let key = text_at(&decision.keys, row);
            let text = match kind {
                1 => format!("user {key}"),
                2 => format!("team {key}"),
                _ => Answer::LEAVE.to_owned(),
            };
            answer.put(row, "owner", text);
        }
        Ok(answer)
    }

    fn instance(
        &self,
        hook: &'static str,
        needs: fn(&R, &Context) -> Needs,
    ) -> Result<(Instance<R>, Needs), Failure> {
        let declared = needs(&R::configure(&self.context)?, &self.context);
        Ok((Instance::new(&self.context, &[(hook, needs)])?, declared))
    }
}

fn rows_of(table: &Table) -> Result<u32, Failure> {
    u32::try_from(table.len()).map_err(|_| Failure::internal("bad-fixture", "too many rows"))
}

/// The declared columns in the declared types; a missing one is all null.
fn pick(table: &Table, fields: &[Field]) -> Result<Vec<Column>, Failure> {
    fields.iter().map(|field| table.column_as(field)).collect()
}

fn text_at(buffers: &TextBuffers, row: usize) -> String {
    let offset = |row: usize| {
        buffers.offsets.get(row).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0)
    };
    let bytes = buffers.data.get(offset(row)..offset(row + 1)).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}
