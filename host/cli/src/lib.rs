//! The `dvsync` program: what is typed becomes jobs, runs and exit codes.
//!
//! The only crate that reads the environment, the terminal and signals. Data
//! goes to stdout, talk to stderr. Deliberately not here: anything that a
//! server or a notebook would want too; that is the engine's.

mod allocator;
mod args;
mod commands;
mod demo;
mod embedded;
mod exit;
mod failure;
mod follow;
mod judge;
mod load;
mod open;
mod seed;
mod shipped;
mod signals;
mod store;
mod summary;
mod talk;
mod watch;

use std::process::ExitCode;

use clap::Parser;

pub use allocator::set as set_allocator;
use args::{Args, Command};
pub use embedded::Embedded;
use exit::Exit;
use failure::Failure;
pub use shipped::component;
use talk::Talk;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    allocator::set();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let talk = Talk::new(args.quiet);
    talk::log(args.verbose);
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return talk.fail(&Failure::bug("cannot start the runtime", error)),
    };
    match runtime.block_on(dispatch(args.command, &talk)) {
        Ok(exit) => exit.into(),
        Err(failure) => talk.fail(&failure),
    }
}

/// The threads that the program runs on.
///
/// Few for what blocks: it is short work, or waits for the journal's own thread,
/// and each thread keeps memory of its own.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    const BLOCKING_MAX: usize = 16;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_MAX)
        .build()
}

async fn dispatch(command: Command, talk: &Talk) -> Result<Exit, Failure> {
    match command {
        Command::Demo(args) => commands::demo::demo(&args, talk).await,
        Command::Run(args) => commands::run::run(&args, talk).await,
        Command::Check(args) => commands::check::check(&args, talk).await,
        Command::Emulator(args) => commands::emulator::emulator(*args, talk).await,
        Command::Runs(args) => commands::runs::runs(&args, talk),
        Command::Letters(args) => commands::letters::letters(args, talk).await,
        Command::Rules(args) => commands::rules::rules(&args, *talk),
        Command::Schema(args) => commands::schema::schema(&args, *talk),
        Command::Completions(args) => commands::completions::completions(&args),
    }
}

/// Help and version are answers; anything else that clap says is a usage error.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (false, Ok(())) => Exit::Complete.into(),
        _ => Exit::Usage.into(),
    }
}
