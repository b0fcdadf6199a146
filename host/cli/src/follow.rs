//! Runs that follow a store: what is published there while they go on is taken,
//! and the store is told what became of it.

use std::sync::Arc;

use dvsync_dataverse::Clock;
use dvsync_engine::job::{Job, Plugin, SwapWord};
use dvsync_engine::swap::{Candidate, Judges, Noted, Swaps, Wish};
use dvsync_registry::{Digest, Live, Reference, RegistryError, RuleName, Store, Trust, Wanted};
use dvsync_rules::Sandbox;
use dvsync_rules::swap::{Stage, SwapSettings};

use crate::failure::Failure;

/// The stages of a version that judges all rows.
const SETTLED: [&str; 4] = ["published", "watching", "proved", "rolled_back"];

/// What a run that follows begins with: the version that is live, or the one
/// before it as long as the live one has not judged all rows anywhere.
pub(crate) fn begin(reference: &Reference, store: Option<&Store>) -> Result<Reference, Failure> {
    let live = store.map(|store| store.live(&reference.name)).transpose()?.flatten();
    let Some(live) = live.filter(|live| reference.wanted.accepts(&live.version, &live.digest))
    else {
        return Ok(reference.clone());
    };
    let settled = SETTLED.contains(&live.stage.as_str());
    let version = if settled { live.version } else { live.previous.unwrap_or(live.version) };
    Ok(Reference { name: reference.name.clone(), wanted: Wanted::Exact(version) })
}

/// The way by which versions come; nothing where the job does not follow, or
/// there is no store to follow.
pub(crate) fn swaps(job: &Job, sandbox: &Arc<Sandbox>) -> Result<Option<Swaps>, Failure> {
    let Some(rules) = job.rules.as_ref().filter(|rules| rules.swap == SwapWord::Follow) else {
        return Ok(None);
    };
    let Plugin::Named(reference) = &rules.plugin else {
        return Err(Failure::usage(
            "[rules] swap = \"follow\" needs a rule of a store, not a file",
        )
        .hint("push it (dvsync rules push FILE) and name it: plugin = \"account\""));
    };
    let Some(store) = Store::open(&job.registry.path)? else {
        return Err(crate::store::missing(&job.registry.path));
    };
    let follower = Arc::new(Follower {
        store,
        reference: reference.clone(),
        trust: rules.trust.clone(),
        clock: Clock::new(),
    });
    let noting = Arc::clone(&follower);
    // Nobody waits for a row of a batch run: it takes the new version at once.
    let swaps = Swaps::new(Arc::clone(sandbox), SwapSettings::default())
        .waiting()
        .following(Box::new(move |judges| follower.look(judges).map_err(|why| told(&why))))
        .noting(Box::new(move |noted| noting.note(noted).map_err(|why| told(&why))));
    Ok(Some(swaps))
}

fn told(error: &RegistryError) -> String {
    error.to_string()
}

struct Follower {
    store: Store,
    reference: Reference,
    trust: Trust,
    clock: Clock,
}

impl Follower {
    fn name(&self) -> &RuleName {
        &self.reference.name
    }

    fn look(&self, judges: &Judges) -> Result<Wish, RegistryError> {
        let Some(live) = self.store.live(self.name())? else { return Ok(Wish::Nothing) };
        let wanted = live.digest.to_string();
        let is = |digest: &Option<String>| digest.as_deref() == Some(wanted.as_str());
        // What is shipped or pinned by the job beyond the store is not followed.
        if !self.reference.wanted.accepts(&live.version, &live.digest) || is(&judges.candidate) {
            return Ok(Wish::Nothing);
        }
        if judges.live == wanted {
            // Back to what judges anyhow, while another one is on trial.
            return Ok(match &judges.candidate {
                Some(_) => Wish::RollBack(format!("the store is back at {}", live.version)),
                None => Wish::Nothing,
            });
        }
        if is(&judges.previous) {
            return Ok(Wish::RollBack(format!("the store is back at {}", live.version)));
        }
        Ok(Wish::Take(Box::new(self.candidate(live)?)))
    }

    fn candidate(&self, live: Live) -> Result<Candidate, RegistryError> {
        let wanted = Wanted::Exact(live.version.clone());
        let found = self.store.find(&Reference { name: self.name().clone(), wanted })?;
        let statement = found.statement()?;
        let policy = self.store.policy()?;
        let mut untrusted = None;
        for trust in [&policy, &self.trust] {
            if let Err(why) = trust.check(&statement, &found.record.signatures) {
                untrusted = Some(why.to_string());
            }
        }
        let component = match untrusted {
            Some(why) => Err(why),
            None => Ok(self.store.component(&found)?),
        };
        let usual = SwapSettings::default();
        let canary = live.canary.unwrap_or_else(|| usual.canary_percent.clone());
        let canary = canary.into_iter().filter(|percent| *percent > 0).collect();
        let settings = SwapSettings {
            canary_percent: canary,
            shadow_chunks: live.shadow_chunks.unwrap_or(usual.shadow_chunks),
            ..usual
        };
        Ok(Candidate {
            name: found.label(),
            digest: Some(live.digest.to_string()),
            component: Box::new(move || component),
            fixtures: None,
            settings: Some(settings),
        })
    }

    /// The stage of the live version; one that was at fault is quarantined, and
    /// the one before it is live again.
    fn note(&self, noted: &Noted<'_>) -> Result<(), RegistryError> {
        let Ok(digest) = noted.digest.parse::<Digest>() else { return Ok(()) };
        let now = self.clock.wall();
        let at_fault = match noted.stage {
            Stage::RolledBack { cause } | Stage::Quarantined { cause } => {
                cause.is_its_own().then(|| cause.to_string())
            }
            _ => None,
        };
        let Some(live) = self.store.live(self.name())?.filter(|live| live.digest == digest) else {
            return Ok(());
        };
        let Some(reason) = at_fault else {
            let stage = noted.stage.word().to_owned();
            // A run that cannot take it says nothing of the version itself.
            let lasting = !matches!(noted.stage, Stage::RolledBack { .. });
            return self
                .change(&digest, |live| lasting.then(|| Live { stage, since: now, ..live }));
        };
        self.store.quarantine(self.name(), &live.version, &reason, now)?;
        let before = live.previous.clone();
        let previous = before.map(|version| self.digest_of(version)).transpose()?;
        self.change(&digest, |live| {
            let (version, digest) = previous?;
            let stage = "rolled_back".to_owned();
            Some(Live { version, digest, previous: None, stage, since: now, ..live })
        })
    }

    fn digest_of(
        &self,
        version: dvsync_registry::Version,
    ) -> Result<(dvsync_registry::Version, Digest), RegistryError> {
        let wanted = Wanted::Exact(version.clone());
        let found = self.store.find(&Reference { name: self.name().clone(), wanted })?;
        Ok((version, found.record.digest))
    }

    /// Changes what is live, if it still is that.
    fn change(
        &self,
        digest: &Digest,
        change: impl FnOnce(Live) -> Option<Live>,
    ) -> Result<(), RegistryError> {
        let changed = |live: Option<Live>| change(live.filter(|live| live.digest == *digest)?);
        self.store.follow(self.name(), changed).map(drop)
    }
}
