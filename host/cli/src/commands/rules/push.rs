//! `dvsync rules push`: a rule that can be admitted goes into a store, under the
//! name and version that it says of itself.

use dvsync_registry::Store;
use serde_json::json;

use super::find::{Found, statement};
use super::keys;
use crate::args::{Format, PushArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::out;
use crate::talk::Talk;
use crate::{shipped, store};

pub(super) fn push(args: &PushArgs, talk: Talk) -> Result<Exit, Failure> {
    if let Some(to) = &args.to {
        return super::oci::push(args, to, talk);
    }
    let found = Found::named(&args.rule, &args.store, talk)?;
    // What cannot run does not get in; this also compiles it.
    let rule = found.admit(&shipped::usual_sandbox()?)?.rule;
    let statement = statement(&rule)?;
    let mut signatures = found.signatures()?;
    if let Some(key) = keys::key(&args.key)? {
        signatures.push(key.sign(&statement));
    }
    let store = Store::create(&store::place(args.store.store.as_deref()))?;
    let now = dvsync_dataverse::Clock::new().wall();
    let pushed = store.push(&statement, &found.bytes, &signatures, now)?;
    let (label, digest) = (statement.label(), &pushed.record.digest);
    out(&match args.report {
        Format::Text => format!("{label}\n  {digest}\n"),
        Format::Json => format!(
            "{}\n",
            json!({"name": statement.name, "version": statement.version, "digest": digest,
                   "was_there": pushed.was_there, "store": store.path()})
        ),
    })?;
    let how = if pushed.was_there { "was there already" } else { "is there now" };
    talk.say(format!("{how}: store `{}`", store.path().display()));
    if let Err(why) = store.policy()?.check(&statement, &pushed.record.signatures) {
        talk.say(format!("no job may use it yet: {why}"));
    }
    Ok(Exit::Complete)
}
