//! From the command line to a job.

use std::collections::BTreeMap;
use std::path::{MAIN_SEPARATOR, Path};

use dvsync_engine::job::Job;

use crate::args::JobArgs;
use crate::failure::Failure;
use crate::store;

/// Loads the job that the command line names.
pub(crate) fn job(args: &JobArgs) -> Result<Job, Failure> {
    with_rule(args, None)
}

/// The same, with another rule than its own, where one is given.
pub(crate) fn with_rule(args: &JobArgs, rule: Option<&str>) -> Result<Job, Failure> {
    // A component needs no separator to be a path.
    let here = |text: &str| match text.strip_suffix(".wasm") {
        Some(_) if !text.contains('/') => from_here(&format!("./{text}")),
        _ => from_here(text),
    };
    let rule = rule.map(here);
    let variables = variables(args)?;
    let mut job = Job::load_with_rule(&args.job, &variables, &environment, rule.as_deref())?;
    in_store(&mut job, args)?;
    Ok(job)
}

/// The store that the command line or the environment names goes before the
/// job's, and has to be there.
fn in_store(job: &mut Job, args: &JobArgs) -> Result<(), Failure> {
    if let Some(path) = store::named(args.store.as_deref()) {
        if !path.is_dir() {
            return Err(store::missing(&path));
        }
        job.registry.path = path;
    }
    Ok(())
}

/// Loads a job whose journal alone is looked at: that needs no secrets.
pub(crate) fn without_secrets(args: &JobArgs) -> Result<Job, Failure> {
    Ok(Job::load(&args.job, &variables(args)?, &|_| Some("-".to_owned()))?)
}

fn variables(args: &JobArgs) -> Result<BTreeMap<String, String>, Failure> {
    let mut variables = BTreeMap::new();
    for (name, value) in &args.set {
        if variables.insert(name.clone(), from_here(value)).is_some() {
            return Err(Failure::usage(format!("variable `{name}` is set twice")));
        }
    }
    Ok(variables)
}

/// Loads a job with these variables.
pub(crate) fn at(path: &Path, variables: &BTreeMap<String, String>) -> Result<Job, Failure> {
    Ok(Job::load(path, variables, &environment)?)
}

fn environment(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

/// Paths in a job file start at the job file, those that are typed start here:
/// what looks like a path and exists from here is made absolute.
fn from_here(value: &str) -> String {
    let looks_like_a_path = value.contains(['/', MAIN_SEPARATOR]) || matches!(value, "." | "..");
    if !looks_like_a_path {
        return value.to_owned();
    }
    let absolute = std::path::absolute(value).ok().filter(|path| path.exists());
    absolute
        .and_then(|path| path.into_os_string().into_string().ok())
        .unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_exists_from_here_is_made_absolute() {
        assert_eq!(from_here("data"), "data");
        assert_eq!(from_here("no/such/folder"), "no/such/folder");
        assert!(Path::new(&from_here("./src")).is_absolute());
        assert!(Path::new(&from_here(".")).is_absolute());
    }
}
