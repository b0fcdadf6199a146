//! `dvsync completions`

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::out;

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "dvsync", &mut script);
    out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Complete)
}
