//! `dvsync rules list` and `remove`: what is in a store.

use dvsync_registry::{Record, Reference, RuleName, Store, Version, Wanted};
use serde_json::{Value, json};

use crate::args::{Format, ListArgs, RemoveArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::store;
use crate::summary::out;
use crate::talk::Talk;

pub(super) fn list(args: &ListArgs, talk: Talk) -> Result<Exit, Failure> {
    let store = store::there(args.store.store.as_deref())?;
    let names = match &args.name {
        None => store.names()?,
        Some(name) => {
            let name: RuleName = name.parse()?;
            if store.versions(&name)?.is_empty() {
                store.find(&Reference { name: name.clone(), wanted: Wanted::Newest })?;
            }
            vec![name]
        }
    };
    let pins = store.pins()?;
    let mut lines = Vec::new();
    let mut all = Vec::new();
    for name in &names {
        for (version, record) in store.versions(name)? {
            let needed: Vec<&str> = pins
                .iter()
                .filter(|pin| pin.digest == record.digest && pin.counts())
                .map(|pin| pin.run.as_str())
                .collect();
            all.push(as_json(name, &version, &record, &needed));
            lines.push(line(name, &version, &record, &needed));
        }
    }
    match args.report {
        Format::Text => out(&lines.concat())?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&all)
                .map_err(|error| Failure::bug("cannot write JSON", error))?;
            out(&format!("{text}\n"))?;
        }
    }
    talk.say(format!("{} versions in the store `{}`", lines.len(), store.path().display()));
    Ok(Exit::Complete)
}

fn line(name: &RuleName, version: &Version, record: &Record, needed: &[&str]) -> String {
    let mut line = format!(
        "{name}@{version}  {}  {} bytes  pushed {:.0}",
        record.digest.short(),
        record.size,
        record.pushed_at
    );
    let keys: Vec<String> = record.signatures.iter().map(|one| one.key_id.to_string()).collect();
    if !keys.is_empty() {
        line.push_str(&format!("  signed by {}", keys.join(", ")));
    }
    if !needed.is_empty() {
        line.push_str(&format!("  needed by run {}", needed.join(", ")));
    }
    if let Some(quarantine) = &record.quarantined {
        line.push_str(&format!("  in quarantine: {}", quarantine.reason));
    }
    line + "\n"
}

fn as_json(name: &RuleName, version: &Version, record: &Record, needed: &[&str]) -> Value {
    json!({
        "name": name,
        "version": version,
        "digest": record.digest,
        "size": record.size,
        "contract": record.contract,
        "pushed_at": record.pushed_at,
        "signed_by": record.signatures.iter().map(|one| &one.key_id).collect::<Vec<_>>(),
        "needed_by": needed,
        "quarantined": record.quarantined,
    })
}

pub(super) fn remove(args: &RemoveArgs, talk: Talk) -> Result<Exit, Failure> {
    let store = store::there(args.store.store.as_deref())?;
    let (name, version) = exact(&store, &args.rule)?;
    let record = store.remove(&name, &version)?;
    out(&format!("{name}@{version}\n"))?;
    talk.say(format!(
        "removed {} from the store `{}`",
        record.digest.short(),
        store.path().display()
    ));
    Ok(Exit::Complete)
}

/// The one version that a reference names, in quarantine or not.
pub(super) fn exact(store: &Store, reference: &Reference) -> Result<(RuleName, Version), Failure> {
    let Reference { name, wanted } = reference;
    if !wanted.is_exact() {
        return Err(Failure::usage(format!("`{reference}` may stand for several versions"))
            .hint("name one: `account@1.2.0`"));
    }
    let all = store.versions(name)?;
    match all.into_iter().find(|(version, record)| wanted.accepts(version, &record.digest)) {
        Some((version, _)) => Ok((name.clone(), version)),
        None => match store.find(reference) {
            Ok(found) => Ok((found.name, found.version)),
            Err(error) => Err(error.into()),
        },
    }
}
