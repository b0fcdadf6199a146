//! `dvsync rules ...`: the kit of a rule's author. Nothing here speaks to a
//! service; `build` and `test` start cargo.

mod bench;
mod build;
mod case;
mod check;
mod csv;
mod differences;
mod find;
mod inspect;
mod judge;
mod new;
mod tables;
mod test;

use crate::args::{RulesArgs, RulesCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk::Talk;

pub(crate) fn rules(args: &RulesArgs, talk: Talk) -> Result<Exit, Failure> {
    match &args.command {
        RulesCommand::New(args) => new::new(args, talk),
        RulesCommand::Build(args) => build::build(args, talk),
        RulesCommand::Test(args) => test::test(args, talk),
        RulesCommand::Check(args) => check::check(args, talk),
        RulesCommand::Bench(args) => bench::bench(args, talk),
        RulesCommand::Inspect(args) => inspect::inspect(args, talk),
    }
}
