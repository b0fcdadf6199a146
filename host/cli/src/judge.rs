//! The rule that a job judges by: found, trusted, then admitted.
//!
//! A file is a file; a name is looked up in the store first, then among the
//! shipped rules. Nothing of a component is compiled before its signatures are
//! what the store's policy and the job ask for. Shipped rules are part of the
//! program, and trusted as it is.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use dvsync_engine::job::{Job, Kept, Plugin, SwapWord};
use dvsync_engine::journal::{Reader, RuleStanding, RunKind, RunStatus};
use dvsync_registry::{
    Digest, Found, Reference, RegistryError, Signature, Signed, Statement, Store, Trust, Version,
    Wanted,
};
use dvsync_rules::{Rule, RuleError, Sandbox};

use crate::failure::Failure;
use crate::talk::Talk;
use crate::{follow, shipped};

/// A rule that was found, and from where.
pub(crate) struct Judge {
    pub(crate) rule: Rule,
    /// For people: `shipped`, a path, a store and who has signed it.
    pub(crate) from: String,
    /// Where it lies in a store.
    pub(crate) kept: Option<Kept>,
}

/// Whether a run takes the rule that it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// What the job's reference stands for now.
    Now,
    /// What the job's last run judged by, as long as the store has it.
    AsTheRun,
}

/// The job's rule, admitted; nothing where the job names none.
pub(crate) fn of(
    job: &Job,
    which: Which,
    sandbox: &Sandbox,
    talk: Talk,
) -> Result<Option<Judge>, Failure> {
    let Some(rules) = &job.rules else { return Ok(None) };
    let store = Store::open(&job.registry.path)?;
    let policies = Policies {
        store: store.as_ref().map(Store::policy).transpose()?.unwrap_or_default(),
        job: &rules.trust,
    };
    let component = match &rules.plugin {
        Plugin::File(path) => of_file(path, &policies)?,
        Plugin::Named(reference) => {
            let reference = match which {
                Which::Now if rules.swap == SwapWord::Follow => {
                    follow::begin(reference, store.as_ref())?
                }
                Which::Now => reference.clone(),
                Which::AsTheRun => as_the_run(job, reference)?,
            };
            let kept = store.as_ref().map(|store| of_store(&reference, store, &policies));
            match kept.transpose()?.flatten() {
                Some(component) => component,
                None => of_shipped(&reference, store.as_ref())?,
            }
        }
    };
    shipped::tell_of_compiling(sandbox, &component.bytes, &component.label, talk);
    let judge = component.admit(sandbox)?;
    settings_fit(job, &judge.rule)?;
    let described = judge.rule.description();
    tracing::info!(
        rule = described.name,
        version = described.version,
        digest = judge.rule.digest(),
        from = judge.from,
        "the job's rule"
    );
    Ok(Some(judge))
}

/// Whose signatures a rule needs: it must satisfy both.
struct Policies<'a> {
    store: Trust,
    job: &'a Trust,
}

impl Policies<'_> {
    fn is_none(&self) -> bool {
        self.store == Trust::default() && *self.job == Trust::default()
    }

    /// Trusted keys that have signed, as words.
    fn check(&self, statement: &Statement, signatures: &[Signature]) -> Result<String, Failure> {
        let mut keys = Vec::new();
        for (whom, trust) in [("the store's policy", &self.store), ("the job", self.job)] {
            let trusted = trust.check(statement, signatures);
            keys.extend(trusted.map_err(|why| untrusted(&statement.label(), whom, why))?);
        }
        keys.sort();
        keys.dedup();
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        Ok(if keys.is_empty() {
            String::new()
        } else {
            format!(", signed by {}", keys.join(" and "))
        })
    }
}

fn untrusted(label: &str, whom: &'static str, why: dvsync_registry::Untrusted) -> Failure {
    RegistryError::Untrusted { label: label.to_owned(), whom, why }.into()
}

/// A component that nobody has looked into.
struct Component {
    /// As messages name it.
    label: String,
    from: String,
    bytes: Cow<'static, [u8]>,
    claims: Claims,
}

/// What is said of a component, to be held against what it says of itself.
enum Claims {
    /// Nothing.
    None,
    /// By a signature file.
    Signed(Statement),
    /// By a store.
    Kept(PathBuf, Found),
    /// By the job alone: the rule is shipped.
    Wanted(Reference, Option<Vec<Version>>),
}

/// Reads the signatures beside a component: `<file>.sig`.
pub(crate) fn signed_beside(path: &Path) -> Result<Option<Signed>, Failure> {
    let path = signature_file(path);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Signed::read(&text, &path.display().to_string())?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::because(format!("cannot read the signatures `{}`", path.display()), error))
        }
    }
}

/// Where the signatures of a component lie.
pub(crate) fn signature_file(component: &Path) -> PathBuf {
    let mut path = component.as_os_str().to_owned();
    path.push(".sig");
    path.into()
}

fn of_file(path: &Path, policies: &Policies<'_>) -> Result<Component, Failure> {
    let label = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::because(format!("cannot read the rule `{label}`"), error))?;
    let mut component =
        Component { from: format!("`{label}`"), label, bytes: bytes.into(), claims: Claims::None };
    if policies.is_none() {
        return Ok(component);
    }
    // The bytes that there are, under the name that was signed.
    let Some(signed) = signed_beside(path)? else {
        for (whom, trust) in [("the store's policy", &policies.store), ("the job", policies.job)] {
            if trust.require {
                return Err(untrusted(
                    &component.label,
                    whom,
                    dvsync_registry::Untrusted::Unsigned,
                ));
            }
        }
        return Ok(component);
    };
    let statement = Statement { digest: Digest::of(&component.bytes), ..signed.statement()? };
    component.from.push_str(&policies.check(&statement, &signed.signatures)?);
    component.claims = Claims::Signed(statement);
    Ok(component)
}

/// The store's; nothing where it has none and a shipped one may do.
fn of_store(
    reference: &Reference,
    store: &Store,
    policies: &Policies<'_>,
) -> Result<Option<Component>, Failure> {
    let found = match store.find(reference) {
        Err(error) if error.is_missing() => return Ok(None),
        other => other?,
    };
    let signed = policies.check(&found.statement()?, &found.record.signatures)?;
    let bytes = store.component(&found)?;
    Ok(Some(Component {
        label: found.label(),
        from: format!("the store `{}`{signed}", store.path().display()),
        bytes: bytes.into(),
        claims: Claims::Kept(store.path().to_owned(), found),
    }))
}

fn of_shipped(reference: &Reference, store: Option<&Store>) -> Result<Component, Failure> {
    let name = reference.name.as_str();
    let versions = match store {
        Some(store) => Some(store.versions(&reference.name)?),
        None => None,
    };
    let Some(bytes) = shipped::component(name) else {
        return Err(match (store, &versions) {
            (Some(store), Some(versions)) if !versions.is_empty() => {
                store.find(reference).map_or_else(Failure::from, |found| {
                    Failure::usage(format!("`{}` came just now", found.label())).hint("try again")
                })
            }
            _ => {
                let and = match store {
                    Some(store) => format!("nor is it in the store `{}`", store.path().display()),
                    None => "and there is no store of rules".to_owned(),
                };
                Failure::usage(format!("no rule `{name}` is shipped, {and}")).hint(format!(
                    "shipped are `{}`; or push it (dvsync rules push FILE), or name a file",
                    shipped::names().join("` and `")
                ))
            }
        });
    };
    let versions = versions.map(|all| all.into_iter().map(|(version, _)| version).collect());
    Ok(Component {
        label: name.to_owned(),
        from: "shipped".to_owned(),
        bytes: Cow::Borrowed(bytes),
        claims: Claims::Wanted(reference.clone(), versions),
    })
}

impl Component {
    fn admit(self, sandbox: &Sandbox) -> Result<Judge, Failure> {
        let rule = sandbox.admit(&self.bytes, &self.label)?;
        let described = rule.description();
        let says = format!("{}@{}", described.name, described.version);
        let differs = |claimed: String| {
            Failure::usage(format!("`{claimed}` calls itself `{says}`"))
                .hint("sign or push it again, as what it is")
        };
        let mut kept = None;
        match self.claims {
            Claims::None => {}
            Claims::Signed(statement) => {
                if statement.label() != says || statement.contract != rule.surface().contract {
                    return Err(differs(statement.label()));
                }
            }
            Claims::Kept(store, found) => {
                if found.label() != says || found.record.contract != rule.surface().contract {
                    return Err(differs(found.label()));
                }
                let Found { name, version, record } = found;
                kept = Some(Kept { store, name, version, digest: record.digest });
            }
            Claims::Wanted(reference, kept) => {
                let version = described.version.parse();
                let digest = rule.digest().parse();
                let fits = matches!((version, digest), (Ok(version), Ok(digest))
                    if reference.wanted.accepts(&version, &digest));
                if !fits {
                    let failure = Failure::usage(format!(
                        "the job wants rule `{reference}`, this program ships `{says}`"
                    ));
                    return Err(failure.hint(match kept.as_deref() {
                        None | Some([]) => {
                            "push that version into the store, or change `rules.plugin`".to_owned()
                        }
                        Some(kept) => {
                            let kept: Vec<String> =
                                kept.iter().map(|version| format!("`{version}`")).collect();
                            format!("the store has {}", kept.join(", "))
                        }
                    }));
                }
            }
        }
        Ok(Judge { rule, from: self.from, kept })
    }
}

/// The version that the job's last run judged by, where it can be resumed and
/// the job's reference still means that one, too.
fn as_the_run(job: &Job, reference: &Reference) -> Result<Reference, Failure> {
    if reference.wanted.is_exact() || !job.journal.path.exists() {
        return Ok(reference.clone());
    }
    let runs = Reader::open(&job.journal.path)?.runs()?;
    let last = runs.into_iter().find(|run| run.kind == RunKind::Run);
    let used = last
        .filter(|run| !matches!(run.status, RunStatus::Complete | RunStatus::WithDeadLetters))
        .and_then(|run| run.rules.into_iter().find(|rule| rule.standing == RuleStanding::Live));
    let Some(used) = used.filter(|used| used.name == reference.name.as_str()) else {
        return Ok(reference.clone());
    };
    match (used.version.parse::<Version>(), used.digest.parse::<Digest>()) {
        (Ok(version), Ok(digest)) if reference.wanted.accepts(&version, &digest) => {
            Ok(Reference { name: reference.name.clone(), wanted: Wanted::Digest(digest) })
        }
        _ => Ok(reference.clone()),
    }
}

/// The settings fit the schema that the rule publishes; a fault is told at its
/// place in the job file.
fn settings_fit(job: &Job, rule: &Rule) -> Result<(), Failure> {
    let Some(rules) = &job.rules else { return Ok(()) };
    match rule.check_settings(&rules.settings) {
        Err(RuleError::Settings { rule, fault }) => Err(job.settings_error(&rule, &fault).into()),
        other => Ok(other?),
    }
}
