//! `dvsync rules publish`, `rollback` and `status`: which version jobs follow.

use dvsync_registry::{Live, Reference, RuleName, Store, Wanted};
use serde_json::json;

use super::list::exact;
use super::test;
use crate::args::{Format, PublishArgs, RollbackArgs, StatusArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::out;
use crate::talk::Talk;
use crate::{shipped, store};

pub(super) fn publish(args: &PublishArgs, talk: Talk) -> Result<Exit, Failure> {
    let store = store::there(args.store.store.as_deref())?;
    let (name, version) = exact(&store, &args.rule)?;
    // One that is quarantined is refused here, in words.
    let found =
        store.find(&Reference { name: name.clone(), wanted: Wanted::Exact(version.clone()) })?;
    if let Some(fixtures) = &args.fixtures {
        let rule = shipped::usual_sandbox()?.admit(&store.component(&found)?, &found.label())?;
        test::conforms(&rule, fixtures)?;
    }
    let since = dvsync_dataverse::Clock::new().wall();
    let digest = found.record.digest.clone();
    let published = store.follow(&name, |live| {
        let previous = match live {
            Some(live) if live.version == version => live.previous,
            live => live.map(|live| live.version),
        };
        let (canary, shadow_chunks) = (args.canary.clone(), args.shadow_chunks);
        let stage = "registered".to_owned();
        let version = version.clone();
        Some(Live { version, digest, previous, stage, since, canary, shadow_chunks })
    })?;
    out(&format!("{name}@{version}\n"))?;
    let previous = published.and_then(|live| live.previous);
    talk.say(match previous {
        Some(previous) => format!("jobs with swap = \"follow\" take it; before it: {previous}"),
        None => "jobs with swap = \"follow\" begin with it".to_owned(),
    });
    Ok(Exit::Complete)
}

pub(super) fn rollback(args: &RollbackArgs, talk: Talk) -> Result<Exit, Failure> {
    let store = store::there(args.store.store.as_deref())?;
    let live = live(&store, &args.name)?;
    let Some(previous) = live.previous else {
        return Err(Failure::usage(format!(
            "`{}@{}` has no version before it to go back to",
            args.name, live.version
        ))
        .hint("publish another one: dvsync rules publish NAME@VERSION"));
    };
    let wanted = Wanted::Exact(previous.clone());
    let found = store.find(&Reference { name: args.name.clone(), wanted })?;
    let since = dvsync_dataverse::Clock::new().wall();
    store.follow(&args.name, |live| {
        let (version, digest) = (previous.clone(), found.record.digest.clone());
        let stage = "rolled_back".to_owned();
        live.map(|live| Live { version, digest, previous: None, stage, since, ..live })
    })?;
    out(&format!("{}@{previous}\n", args.name))?;
    talk.say("runs that follow go back to it, and judge again what the newer one wrote");
    Ok(Exit::Complete)
}

pub(super) fn status(args: &StatusArgs) -> Result<Exit, Failure> {
    let store = store::there(args.store.store.as_deref())?;
    let live = live(&store, &args.name)?;
    let name = args.name.as_str();
    out(&match args.report {
        Format::Json => {
            let shown = json!({
                "name": name, "version": live.version, "digest": live.digest,
                "previous": live.previous, "stage": live.stage, "since": live.since,
            });
            format!("{shown:#}\n")
        }
        Format::Text => {
            let previous = live.previous.map(|version| format!(", before it {version}"));
            format!(
                "{name}@{} ({}): {} since {}{}\n",
                live.version,
                live.digest.short(),
                live.stage.replace('_', " "),
                live.since,
                previous.unwrap_or_default()
            )
        }
    })?;
    Ok(Exit::Complete)
}

fn live(store: &Store, name: &RuleName) -> Result<Live, Failure> {
    store.live(name)?.ok_or_else(|| {
        Failure::usage(format!("no version of `{name}` is published"))
            .hint("dvsync rules publish NAME@VERSION")
    })
}
