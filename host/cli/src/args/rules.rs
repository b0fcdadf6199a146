//! `dvsync rules ...` as typed.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{
    Format, KeygenArgs, ListArgs, PublishArgs, PullArgs, PushArgs, QuarantineArgs, ReleaseArgs,
    RemoveArgs, RollbackArgs, SignArgs, StatusArgs, StoreArgs, VerifyArgs,
};

#[derive(Debug, clap::Args)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Makes a folder with a rule that builds and passes its test as it is.
    New(NewArgs),
    /// Builds a rule in Rust, Python or JavaScript into a component.
    Build(BuildArgs),
    /// Judges fixture tables in the sandbox and compares with what is expected.
    Test(TestArgs),
    /// Looks whether this program can run a rule, and whether it fits a job.
    Check(CheckRuleArgs),
    /// Measures rows per second, against a rule that does nothing.
    Bench(BenchArgs),
    /// Shows what a rule is: hooks, columns, settings, imports, digest, size.
    Inspect(InspectArgs),
    /// Makes a key to sign rules with.
    Keygen(KeygenArgs),
    /// Signs a component, or a version in a store.
    Sign(SignArgs),
    /// Looks whether components are whole, and who has signed them.
    Verify(VerifyArgs),
    /// Puts a rule into a store, under its name and version, for ever.
    Push(PushArgs),
    /// Takes a component out of a store.
    Pull(PullArgs),
    /// Lists what is in a store.
    List(ListArgs),
    /// Removes a version from a store.
    Remove(RemoveArgs),
    /// Keeps all jobs from a version.
    Quarantine(QuarantineArgs),
    /// Ends the quarantine of a version.
    Release(ReleaseArgs),
    /// Makes a version the one that jobs with `swap = "follow"` take, runs under
    /// way included.
    Publish(PublishArgs),
    /// Makes the version before it the one that jobs take.
    Rollback(RollbackArgs),
    /// Shows which version jobs take, and how far it got.
    Status(StatusArgs),
}

/// What a rule is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Language {
    /// With cargo; needs rustup (rustup.rs).
    #[default]
    Rust,
    /// Needs Python 3.10 or later, and PyPI at its first build.
    Python,
    /// JavaScript; needs Node.js 20 or later, and npm's registry at its first build.
    Js,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// Name of the rule and of its folder: lower case, `-` between words.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is written in.
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t)]
    pub(crate) lang: Language,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// Folder of the project: a `Cargo.toml`, `pyproject.toml` or `package.json`.
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Cargo profile, for a rule in Rust.
    #[arg(long, value_name = "PROFILE", default_value = "release")]
    pub(crate) profile: String,
    /// How the result is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Folder of a rule project, which is built first; or a component; or
    /// `account@1.2.0` of a store; or the name of a shipped rule.
    #[arg(value_name = "FOLDER|FILE|NAME", default_value = ".")]
    pub(crate) rule: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Folder of fixtures; without it `fixtures` in the rule's folder, or here.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Runs only the cases of this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) case: Vec<String>,
    /// Writes `expected.csv` of each case as the rule judges now.
    #[arg(long)]
    pub(crate) update: bool,
    /// How the result is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckRuleArgs {
    /// Folder of a rule project, which is built first; or a component; or
    /// `account@1.2.0` of a store; or the name of a shipped rule.
    #[arg(value_name = "FOLDER|FILE|NAME", default_value = ".")]
    pub(crate) rule: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// A job to bind it to, in place of the job's own rule: its source's
    /// columns, settings and granted tables. The target is not asked.
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<PathBuf>,
    /// Sets a variable of the job file.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = super::setting, requires = "job")]
    pub(crate) set: Vec<(String, String)>,
    /// How the findings are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Folder of a rule project, which is built first; or a component; or
    /// `account@1.2.0` of a store; or the name of a shipped rule.
    #[arg(value_name = "FOLDER|FILE|NAME", default_value = ".")]
    pub(crate) rule: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Folder of fixtures whose rows are repeated; without it `fixtures` in the
    /// rule's folder, or here.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) fixtures: Option<PathBuf>,
    /// The case to take rows, settings and tables from; the first without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) case: Option<String>,
    /// How many rows are judged.
    #[arg(long, value_name = "NUMBER", default_value_t = 200_000)]
    pub(crate) rows: usize,
    /// How the figures are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// Folder of a rule project, which is built first; or a component; or
    /// `account@1.2.0` of a store; or the name of a shipped rule.
    #[arg(value_name = "FOLDER|FILE|NAME", default_value = ".")]
    pub(crate) rule: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// A data file whose columns the rule is told of: some rules read a column
    /// only where there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) source: Option<PathBuf>,
    /// Settings of the rule (TOML or JSON); none without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// How it is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}
