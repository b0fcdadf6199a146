//! What a run does, decided before the first row is read.
//!
//! The plan is the job resolved against the target's metadata, the source's
//! columns and the rule's needs. Whatever can be wrong for every row is wrong
//! here, with the name of what to change; what is left can only be wrong for a
//! row.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::{ArrayRef, RecordBatch};
use dvsync_model::{Column, Entity};
use dvsync_rules::{Bound, Context};
use uuid::Uuid;

use crate::job::{Job, OnMissing};
use crate::prepare::cast::CellRules;

mod columns;
mod grants;
mod make;
mod under;

pub(crate) use make::masked;
pub use make::{Parts, make};

/// What a run does.
pub struct Plan {
    pub(crate) job: Job,
    pub(crate) organization: Uuid,
    pub(crate) entity: Arc<Entity>,
    pub(crate) source: Arc<dyn dvsync_sources::Source>,
    /// Source columns that are read; the rest is not even parsed.
    pub(crate) projection: Vec<String>,
    /// Source columns that letters never show.
    pub(crate) masked: Arc<[String]>,
    pub(crate) rule: Option<RuleHooks>,
    /// Target columns that the job sets, by name; key columns among them.
    pub(crate) columns: Vec<TargetColumn>,
    pub(crate) matching: Matching,
    /// Columns of the target that are read back, to compare with and for the
    /// rule; empty where records are not read.
    pub(crate) retrieved: Vec<String>,
    /// What another version of the rule would be bound to.
    binding: Option<Binding>,
    /// The rule is on trial: its failures cost no row and end no run.
    on_trial: AtomicBool,
}

/// What a rule is bound to; the same for each version in a run.
#[derive(Clone)]
struct Binding {
    context: Context,
    tables: BTreeMap<String, RecordBatch>,
    lookups: BTreeMap<String, Arc<Entity>>,
}

/// The rule and which of its hooks take part.
pub(crate) struct RuleHooks {
    pub(crate) bound: Arc<Bound>,
    /// Its judgement id.
    pub(crate) judgement: Arc<str>,
    pub(crate) transform: bool,
    pub(crate) state: bool,
    pub(crate) owner: bool,
    /// The rule is the one that picks among several matches.
    pub(crate) choose: bool,
}

/// A target column that the job sets.
pub(crate) struct TargetColumn {
    pub(crate) column: Column,
    pub(crate) from: From,
    pub(crate) rules: CellRules,
    /// Null leaves the cell as the target has it.
    pub(crate) leave_null: bool,
    pub(crate) lookup: Option<Lookup>,
}

/// Where the value of a target column comes from.
#[derive(Debug, Clone)]
pub(crate) enum From {
    /// What the rule's transform sets under this name.
    Rule(String),
    /// A column of the source.
    Source(String),
    /// The same for each row: an array of one canonical cell.
    Constant(ArrayRef),
    /// The rule's state or owner hook, once the current record is known.
    Hook,
}

/// A reference to be found by one of its columns.
pub(crate) struct Lookup {
    /// Table that is looked in.
    pub(crate) entity: Arc<Entity>,
    /// Its position among the lookup's targets.
    pub(crate) target: u8,
    pub(crate) on_missing: OnMissing,
    /// Its column that holds the value.
    pub(crate) by: Column,
}

/// When a row and a record are the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Matching {
    /// Position of the column that holds the primary id.
    Id(usize),
    /// Positions of the key's columns.
    Columns {
        positions: Vec<usize>,
        /// They are an active alternate key.
        alternate_key: bool,
    },
    /// What the rule derives.
    Rules,
}

impl Plan {
    /// Whether the rule is on trial.
    pub(crate) fn is_on_trial(&self) -> bool {
        self.on_trial.load(Ordering::SeqCst)
    }

    /// Says whether the rule is on trial.
    pub(crate) fn try_out(&self, on_trial: bool) {
        self.on_trial.store(on_trial, Ordering::SeqCst);
    }

    /// The judgement id that its rows are judged under.
    pub(crate) fn judgement(&self) -> Option<Arc<str>> {
        self.rule.as_ref().map(|rule| Arc::clone(&rule.judgement))
    }

    /// The position of a target column.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.column.logical_name == name)
    }
}
