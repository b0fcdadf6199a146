//! `dvsync rules ...`: the kit of a rule's author. Nothing here speaks to a
//! service; `build` and `test` start cargo. Below them the commands of a store
//! of rules.

mod bench;
mod build;
mod case;
mod check;
mod csv;
mod differences;
mod find;
mod inspect;
mod judge;
mod keys;
mod list;
mod new;
mod oci;
mod publish;
mod pull;
mod push;
mod quarantine;
mod tables;
mod test;
mod verify;

use std::path::Path;

use crate::args::{RulesArgs, RulesCommand, StoreArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shipped::usual_sandbox;
use crate::talk::Talk;

pub(crate) fn rules(args: &RulesArgs, talk: Talk) -> Result<Exit, Failure> {
    match &args.command {
        RulesCommand::New(args) => new::new(args, talk),
        RulesCommand::Build(args) => build::build(args, talk),
        RulesCommand::Test(args) => test::test(args, talk),
        RulesCommand::Check(args) => check::check(args, talk),
        RulesCommand::Bench(args) => bench::bench(args, talk),
        RulesCommand::Inspect(args) => inspect::inspect(args, talk),
        RulesCommand::Keygen(args) => keys::keygen(args, talk),
        RulesCommand::Sign(args) => keys::sign(args, talk),
        RulesCommand::Verify(args) => verify::verify(args, talk),
        RulesCommand::Push(args) => push::push(args, talk),
        RulesCommand::Pull(args) => pull::pull(args, talk),
        RulesCommand::List(args) => list::list(args, talk),
        RulesCommand::Remove(args) => list::remove(args, talk),
        RulesCommand::Quarantine(args) => quarantine::quarantine(args, talk),
        RulesCommand::Release(args) => quarantine::release(args, talk),
        RulesCommand::Publish(args) => publish::publish(args, talk),
        RulesCommand::Rollback(args) => publish::rollback(args, talk),
        RulesCommand::Status(args) => publish::status(args),
    }
}

/// The schema that a rule publishes of its settings.
pub(crate) fn settings_schema(
    rule: &Path,
    store: &StoreArgs,
    talk: Talk,
) -> Result<Option<serde_json::Value>, Failure> {
    let rule = find::Found::named(rule, store, talk)?.admit(&usual_sandbox()?)?.rule;
    let text = rule.description().settings_schema.as_deref();
    // It was read as JSON when the rule was admitted.
    Ok(text.and_then(|text| serde_json::from_str(text).ok()))
}
