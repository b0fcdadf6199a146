//! `dvsync rules ...` as typed, as far as stores and keys go.

use std::path::PathBuf;

use dvsync_registry::{Reference, RuleName};

use super::Format;

/// Which store is meant.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct StoreArgs {
    /// Folder of the store of rules; without it `DVSYNC_STORE`, then
    /// `.dvsync/rules`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: Option<PathBuf>,
}

/// Which private key is meant.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct KeyArgs {
    /// File with the private key, readable by its owner alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Environment variable that holds the private key.
    #[arg(long, value_name = "NAME")]
    pub(crate) key_env: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct KeygenArgs {
    /// Where the private key goes; the public one is written beside it, as
    /// FILE.pub.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// A component, whose signature is written beside it, as FILE.sig; or
    /// `account@1.2.0` of a store; or a folder, which is built first.
    #[arg(value_name = "FOLDER|FILE|NAME", default_value = ".")]
    pub(crate) rule: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// Components, or references into a store; all of the store without any.
    #[arg(value_name = "FILE|NAME")]
    pub(crate) rules: Vec<PathBuf>,
    /// Public key, or file of one, that must have signed each of them; without
    /// any the store's policy counts.
    #[arg(long, value_name = "KEY|FILE")]
    pub(crate) trust: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// How the findings are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// Folder of a rule crate, which is built first; or a component, whose
    /// signatures (FILE.sig) go with it; or the name of a shipped rule.
    #[arg(value_name = "FOLDER|FILE|NAME", default_value = ".")]
    pub(crate) rule: PathBuf,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// An OCI registry instead of the store: `oci://host/repo/name:1.2.0`.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "store")]
    pub(crate) to: Option<String>,
    /// How the result is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PullArgs {
    /// `account@1.2.0`, `account@1`, `account@sha256:...` of the store; or
    /// `oci://host/repo/name:1.2.0[@sha256:...]`, which goes into the store
    /// without --to.
    #[arg(value_name = "NAME|ADDRESS")]
    pub(crate) rule: String,
    /// Where the component goes; its signatures go beside it, as FILE.sig.
    /// Without it NAME-VERSION.wasm.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// How the result is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only versions of this rule.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// How they are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// `account@1.2.0`.
    #[arg(value_name = "NAME@VERSION", value_parser = reference)]
    pub(crate) rule: Reference,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QuarantineArgs {
    /// `account@1.2.0`.
    #[arg(value_name = "NAME@VERSION", value_parser = reference)]
    pub(crate) rule: Reference,
    /// Told to whoever asks for the version.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// `account@1.2.0`.
    #[arg(value_name = "NAME@VERSION", value_parser = reference)]
    pub(crate) rule: Reference,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PublishArgs {
    /// `account@1.2.0`.
    #[arg(value_name = "NAME@VERSION", value_parser = reference)]
    pub(crate) rule: Reference,
    /// Percent of the keys, step by step; 0 = no canary; 5,25,50 without it.
    #[arg(long, value_name = "PERCENT", value_delimiter = ',',
        value_parser = clap::value_parser!(u8).range(0..=99))]
    pub(crate) canary: Option<Vec<u8>>,
    /// Chunks that both versions judge while the old one counts; 4 without it.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) shadow_chunks: Option<u32>,
    /// Folder of fixtures that it must judge as expected, before anything else.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) fixtures: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// Name of the rule.
    #[arg(value_name = "NAME", value_parser = rule_name)]
    pub(crate) name: RuleName,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Name of the rule.
    #[arg(value_name = "NAME", value_parser = rule_name)]
    pub(crate) name: RuleName,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// How it is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

fn rule_name(text: &str) -> Result<RuleName, String> {
    text.parse::<RuleName>()
        .map_err(|error| format!("{error}: {}", error.hint().unwrap_or_default()))
}

fn reference(text: &str) -> Result<Reference, String> {
    text.parse::<Reference>()
        .map_err(|error| format!("{error}: {}", error.hint().unwrap_or_default()))
}
