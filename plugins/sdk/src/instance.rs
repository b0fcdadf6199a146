//! A configured rule behind the contract's own types: checks what comes, calls
//! the hook, checks what goes. Pure; the exports of [`crate::export!`] and the
//! native fixtures of [`crate::testing`] both go through it.

use crate::answers::{Choices, FinishedOwners, Keys, Owners, States};
use crate::bindings::matching::exports::dvsync::rules::matching;
use crate::bindings::owner::exports::dvsync::rules::owner;
use crate::bindings::rule::exports::dvsync::rules::plugin;
use crate::bindings::state::exports::dvsync::rules::state;
use crate::bindings::transform::exports::dvsync::rules::transform;
use crate::bindings::types::{self, Column};
use crate::context::Context;
use crate::failure::Failure;
use crate::field::{Field, Needs};
use crate::hooks::{Candidates, Matching, Owner, Rule, Side, State, Transform};
use crate::output::Output;
use crate::rows::{Part, Rows, split};

/// Name of a hook, and how to ask a rule what it needs.
pub type Hook<R> = (&'static str, fn(&R, &Context) -> Needs);

/// A rule, configured, with what each of its hooks declared.
#[derive(Debug)]
pub struct Instance<R> {
    rule: R,
    hooks: Vec<(&'static str, Declared)>,
}

#[derive(Debug)]
struct Declared {
    needs: Needs,
    /// Which of `needs.source` the source has.
    source: Vec<bool>,
    /// Which of `needs.target` and `needs.current` the target has.
    target: Vec<bool>,
    current: Vec<bool>,
}

impl Declared {
    fn new(needs: Needs, context: &Context) -> Self {
        let source = presence(&needs.source, &context.source);
        // An empty target is one that is not known yet.
        let known = !context.target.is_empty();
        let target = if known { presence(&needs.target, &context.target) } else { Vec::new() };
        let current = if known { presence(&needs.current, &context.target) } else { Vec::new() };
        Self { needs, source, target, current }
    }

    fn incoming<'a>(&'a self, columns: &'a [Column], rows: usize) -> Result<Rows<'a>, Failure> {
        let (source, target) = split(columns, &self.needs.source, &self.needs.target)?;
        Ok(Rows::new(
            Part { fields: &self.needs.source, columns: source, present: &self.source },
            Part { fields: &self.needs.target, columns: target, present: &self.target },
            rows,
        ))
    }

    fn current<'a>(&'a self, columns: &'a [Column], rows: usize) -> Result<Rows<'a>, Failure> {
        let (current, _) = split(columns, &self.needs.current, &[])?;
        let part = Part { fields: &self.needs.current, columns: current, present: &self.current };
        Ok(Rows::new(part, Part::default(), rows))
    }
}

fn presence(asked: &[Field], there: &[Field]) -> Vec<bool> {
    asked.iter().map(|field| there.iter().any(|column| column.name == field.name)).collect()
}

/// The rule's description in the contract's type.
#[must_use]
pub fn describe<R: Rule>() -> plugin::Description {
    let description = R::describe();
    let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    plugin::Description {
        name: description.name.to_owned(),
        version: description.version.to_owned(),
        entities: texts(description.entities),
        settings_schema: description.settings_schema,
        tables: texts(description.tables),
    }
}

/// What the hooks need, in the contract's types.
///
/// # Errors
/// As the rule's `configure`.
pub fn needs<R: Rule>(context: &Context, hooks: &[Hook<R>]) -> Result<Vec<plugin::Hook>, Failure> {
    let rule = R::configure(context)?;
    let fields = |list: Vec<Field>| list.into_iter().map(types::Field::from).collect();
    let hook = |(name, needs): &Hook<R>| {
        let needs = needs(&rule, context);
        plugin::Hook {
            name: (*name).to_owned(),
            reads_source: fields(needs.source),
            reads_target: fields(needs.target),
            reads_current: fields(needs.current),
            writes: fields(needs.writes),
        }
    };
    Ok(hooks.iter().map(hook).collect())
}

impl<R: Rule> Instance<R> {
    /// Configures a rule.
    ///
    /// # Errors
    /// As the rule's `configure`.
    pub fn new(context: &Context, hooks: &[Hook<R>]) -> Result<Self, Failure> {
        let rule = R::configure(context)?;
        let declare =
            |(name, needs): &Hook<R>| (*name, Declared::new(needs(&rule, context), context));
        let hooks = hooks.iter().map(declare).collect();
        Ok(Self { rule, hooks })
    }

    fn declared(&self, hook: &str) -> Result<&Declared, Failure> {
        self.hooks.iter().find(|(name, _)| *name == hook).map(|(_, declared)| declared).ok_or_else(
            || Failure::internal("no-hook", format!("the rule does not export `{hook}`")),
        )
    }

    /// `transform.apply`.
    ///
    /// # Errors
    /// As the hook, or its answer cannot be right.
    pub fn apply(&self, rows: u32, columns: &[Column]) -> Result<transform::Output, Failure>
    where
        R: Transform,
    {
        let declared = self.declared("transform")?;
        let rows = count(rows)?;
        let mut output = Output::new(&declared.needs.writes, rows);
        self.rule.apply(&declared.incoming(columns, rows)?, &mut output)?;
        Ok(output.finish())
    }

    /// `matching.derive`.
    ///
    /// # Errors
    /// As the hook, or its answer cannot be right.
    pub fn derive(
        &self,
        side: Side,
        rows: u32,
        columns: &[Column],
    ) -> Result<matching::RowKeys, Failure>
    where
        R: Matching,
    {
        let declared = self.declared("matching")?;
        let rows = count(rows)?;
        let read = match side {
            Side::Incoming => declared.incoming(columns, rows)?,
            Side::Current => declared.current(columns, rows)?,
        };
        let mut keys = Keys::new(rows);
        self.rule.derive(side, &read, &mut keys)?;
        let (keys, verdicts) = keys.finish(rows)?;
        Ok(matching::RowKeys { keys, verdicts })
    }

    /// `matching.choose`.
    ///
    /// # Errors
    /// As the hook, or its answer cannot be right.
    pub fn choose(
        &self,
        rows: u32,
        incoming: &[Column],
        offsets: &[i32],
        candidates: &[Column],
    ) -> Result<matching::Choices, Failure>
    where
        R: Matching,
    {
        let declared = self.declared("matching")?;
        let rows = count(rows)?;
        let all = usize::try_from(offsets.last().copied().unwrap_or(0)).unwrap_or(0);
        let candidates = Candidates { offsets, rows: declared.current(candidates, all)? };
        let mut choices = Choices::new(rows);
        self.rule.choose(&declared.incoming(incoming, rows)?, &candidates, &mut choices)?;
        let (chosen, verdicts) = choices.finish(rows)?;
        Ok(matching::Choices { chosen, verdicts })
    }

    /// `state.decide`.
    ///
    /// # Errors
    /// As the hook, or its answer cannot be right.
    pub fn state(
        &self,
        rows: u32,
        incoming: &[Column],
        current: &[Column],
    ) -> Result<state::Decision, Failure>
    where
        R: State,
    {
        let declared = self.declared("state")?;
        let rows = count(rows)?;
        let mut states = States::new(rows);
        let (incoming, current) =
            (declared.incoming(incoming, rows)?, declared.current(current, rows)?);
        self.rule.decide(&incoming, &current, &mut states)?;
        let (statecode, statuscode, verdicts) = states.finish(rows)?;
        Ok(state::Decision { statecode, statuscode, verdicts })
    }

    /// `owner.decide`.
    ///
    /// # Errors
    /// As the hook, or its answer cannot be right.
    pub fn owner(
        &self,
        rows: u32,
        incoming: &[Column],
        current: &[Column],
    ) -> Result<owner::Decision, Failure>
    where
        R: Owner,
    {
        let declared = self.declared("owner")?;
        let rows = count(rows)?;
        let mut owners = Owners::new(rows);
        let (incoming, current) =
            (declared.incoming(incoming, rows)?, declared.current(current, rows)?);
        self.rule.decide(&incoming, &current, &mut owners)?;
        let FinishedOwners { kinds, by, keys, verdicts } = owners.finish(rows)?;
        Ok(owner::Decision { kinds, by, keys, verdicts })
    }
}

fn count(rows: u32) -> Result<usize, Failure> {
    usize::try_from(rows)
        .map_err(|_| Failure::internal("bad-call", format!("{rows} rows are too many")))
}

/// Sends what a panic says to the log, before it ends the call as a trap.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| crate::log::error(&panic.to_string())));
}

impl From<matching::Side> for Side {
    fn from(side: matching::Side) -> Self {
        match side {
            matching::Side::Incoming => Side::Incoming,
            matching::Side::Current => Side::Current,
        }
    }
}
