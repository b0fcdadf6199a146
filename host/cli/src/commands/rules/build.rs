//! `dvsync rules build`: from a project in Rust, Python or JavaScript to a component.

use std::path::{Path, PathBuf};

use dvsync_rules_build::{BuildError, Tools};
use serde_json::json;

use super::find::Found;
use crate::args::{BuildArgs, Format};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shipped;
use crate::summary::out;
use crate::talk::Talk;

pub(super) fn build(args: &BuildArgs, talk: Talk) -> Result<Exit, Failure> {
    let path = built(&args.folder, &args.profile, talk)?;
    let found = Found::file(&path, talk)?;
    // Also compiles it, so that the first run need not.
    let rule = found.admit(&shipped::usual_sandbox()?)?.rule;
    let (path, bytes, digest) = (path.display(), found.bytes.len(), rule.digest());
    out(&match args.report {
        Format::Text => format!("{path}\n  {bytes} bytes\n  {digest}\n"),
        Format::Json => {
            format!("{}\n", json!({"path": path.to_string(), "bytes": bytes, "digest": digest}))
        }
    })?;
    Ok(Exit::Complete)
}

/// Builds the project in a folder and returns the component's path.
pub(super) fn built(folder: &Path, profile: &str, talk: Talk) -> Result<PathBuf, Failure> {
    talk.say(format!("building the rule in `{}`", folder.display()));
    let say = |line: &str| talk.say(line);
    let tools = Tools { folder: &shipped::tools_dir(folder), say: &say };
    dvsync_rules_build::build_project(folder, profile, tools).map_err(failure)
}

fn failure(error: BuildError) -> Failure {
    let hint = error.hint();
    let failure = Failure { exit: Exit::Usage, error: error.into(), hint: None };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
