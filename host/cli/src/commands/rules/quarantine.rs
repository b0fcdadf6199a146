//! `dvsync rules quarantine` and `release`: a version that no job may use.

use super::list::exact;
use crate::args::{QuarantineArgs, ReleaseArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::store;
use crate::summary::out;
use crate::talk::Talk;

pub(super) fn quarantine(args: &QuarantineArgs, talk: Talk) -> Result<Exit, Failure> {
    let store = store::there(args.store.store.as_deref())?;
    let (name, version) = exact(&store, &args.rule)?;
    let now = dvsync_dataverse::Clock::new().wall();
    store.quarantine(&name, &version, &args.reason, now)?;
    out(&format!("{name}@{version}\n"))?;
    talk.say("runs that begin or go on from now on do not take it");
    Ok(Exit::Complete)
}

pub(super) fn release(args: &ReleaseArgs, talk: Talk) -> Result<Exit, Failure> {
    let store = store::there(args.store.store.as_deref())?;
    let (name, version) = exact(&store, &args.rule)?;
    store.release(&name, &version)?;
    out(&format!("{name}@{version}\n"))?;
    talk.say("jobs may use it again");
    Ok(Exit::Complete)
}
