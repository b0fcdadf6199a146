//! The command line as typed. The documentation here is what `--help` shows.

mod rules;
mod store;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use dvsync_registry::Reference;

pub(crate) use rules::{
    BenchArgs, BuildArgs, CheckRuleArgs, InspectArgs, Language, NewArgs, RulesArgs, RulesCommand,
    TestArgs,
};
pub(crate) use store::{
    KeyArgs, KeygenArgs, ListArgs, PublishArgs, PullArgs, PushArgs, QuarantineArgs, ReleaseArgs,
    RemoveArgs, RollbackArgs, SignArgs, StatusArgs, StoreArgs, VerifyArgs,
};

/// Keeps Dynamics 365 (Dataverse) tables in step with the data you have.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, disable_help_subcommand = true, after_help = EXITS)]
pub(crate) struct Args {
    /// Says nothing but results and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Logs what happens; twice logs more.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXITS: &str = "Exit codes: 0 complete, 1 complete with dead letters, 2 incomplete and \
resumable, 64 usage or configuration, 70 a bug of dvsync, 75 the service cannot be reached";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Syncs generated CRM data into the embedded emulator: needs no set-up.
    Demo(DemoArgs),
    /// Runs a job.
    Run(RunArgs),
    /// Looks whether a job can run: file, source, credentials, columns, rule.
    Check(CheckArgs),
    /// Serves a local Dataverse over HTTP until Ctrl-C.
    Emulator(Box<EmulatorArgs>),
    /// Shows what runs did, from their journals.
    Runs(RunsArgs),
    /// Shows, exports, replays and drops rows that could not be written.
    Letters(LettersArgs),
    /// Makes, builds, tests, checks, measures, shows, signs and keeps rules.
    Rules(RulesArgs),
    /// Prints the JSON Schema of the job file, for editors.
    Schema(SchemaArgs),
    /// Prints completions for a shell.
    Completions(CompletionsArgs),
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Where data, jobs, journals and the emulator's records are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".dvsync-demo")]
    pub(crate) folder: PathBuf,
    /// Throws away what an earlier demo left there.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// How the reports are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct JobArgs {
    /// The job file: .toml, .yaml or .json.
    #[arg(value_name = "JOB")]
    pub(crate) job: PathBuf,
    /// Sets a variable of the job file. A value with a path separator that
    /// exists from here is made absolute; other paths start at the job file.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, String)>,
    /// Folder of the store of rules; without it `DVSYNC_STORE`, then what the
    /// job says, then `.dvsync/rules` beside the job.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Goes on with the last run, which was stopped, killed or left with
    /// deferred rows. Its source must be the same.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Another rule than the job's: a file, `account@1.2.0`, `account@1`. With
    /// --resume also `same` (the one that the run began with; another is refused)
    /// and `latest` (the job's, as it is now).
    #[arg(long, value_name = "RULE", value_parser = RuleChoice::read)]
    pub(crate) rules: Option<RuleChoice>,
    /// How the report is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

/// Under which rule a run goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RuleChoice {
    /// The one that it began with.
    Same,
    /// The job's, as it is now.
    Latest,
    /// A file or a reference.
    Named(String),
}

impl RuleChoice {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "same" => return Ok(Self::Same),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        if text.contains(['/', '\\']) || text.ends_with(".wasm") {
            return Ok(Self::Named(text.to_owned()));
        }
        match text.parse::<Reference>() {
            Ok(_) => Ok(Self::Named(text.to_owned())),
            Err(error) => Err(format!("{error}: {}", error.hint().unwrap_or_default())),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct LettersArgs {
    #[command(subcommand)]
    pub(crate) command: LettersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LettersCommand {
    /// Lists letters by cause, with examples.
    List {
        #[command(flatten)]
        job: JobArgs,
        #[command(flatten)]
        meant: MeantArgs,
        /// Letters that stand so.
        #[arg(long, value_name = "STATE", value_enum, default_value_t)]
        state: StateWord,
        /// How they are printed.
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        report: Format,
    },
    /// Shows one letter: its row, why, and what has happened to it.
    Show {
        #[command(flatten)]
        job: JobArgs,
        /// As `letters list` prints it.
        #[arg(value_name = "NUMBER")]
        number: u64,
        /// How it is printed.
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        report: Format,
    },
    /// Writes the rows of open letters, to be mended and read as a source.
    Export {
        #[command(flatten)]
        job: JobArgs,
        #[command(flatten)]
        meant: MeantArgs,
        /// How rows are written.
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        format: RowFormat,
        /// Where to; stdout without it.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Sends the rows of open letters again, through the job as it is now.
    Replay {
        #[command(flatten)]
        job: JobArgs,
        #[command(flatten)]
        meant: MeantArgs,
        /// How the report is printed.
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        report: Format,
    },
    /// Closes open letters: nothing shall come of them.
    Drop {
        #[command(flatten)]
        job: JobArgs,
        #[command(flatten)]
        meant: MeantArgs,
        /// Kept with each letter.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Which letters are meant: those that meet all that is said.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct MeantArgs {
    /// Letters with this code.
    #[arg(long, value_name = "CODE")]
    pub(crate) cause: Option<String>,
    /// Letters with this source key.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Letters of this run.
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The letter with this number.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) number: Option<u64>,
}

/// How letters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum StateWord {
    /// Nothing has come of them yet.
    #[default]
    Open,
    /// Deferrals that their own run has brought to an end.
    Resolved,
    /// Another run has taken their rows from the journal.
    Replayed,
    /// A newer version of their rows has come.
    Superseded,
    /// Somebody has dropped them.
    Dropped,
    /// Whatever has come of them.
    All,
}

/// How rows of letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum RowFormat {
    /// One JSON object a line.
    #[default]
    Jsonl,
    /// Comma-separated, with a header.
    Csv,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Another rule than the job's: a file, `account@1.2.0`, `account@1`.
    #[arg(long, value_name = "RULE", value_parser = RuleChoice::read)]
    pub(crate) rules: Option<RuleChoice>,
    /// How the findings are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

const EMULATOR_EXAMPLES: &str = "\
Examples:
  dvsync emulator
      http://127.0.0.1:8080, token `emulator`
  curl -H 'Authorization: Bearer emulator' http://127.0.0.1:8080/api/data/v9.2/WhoAmI
      the first request
  dvsync emulator --tls --tls-pem emulator.pem --client 11111111-1111-4111-8111-111111111111:secret
      for clients that want https and a token of their own
  dvsync emulator --state records --seed-data account=accounts.csv --seed-data contact=contacts.parquet
      records that are there from the start and survive a restart
  dvsync emulator --settings limits.toml --faults faults.toml --time-scale 60
      limits, latency and faults; an hour of the service passes in a minute

docs/emulator.md tells of settings, schema, faults, switches and the admin paths (/emulator/...).";

#[derive(Debug, clap::Args)]
#[command(after_help = EMULATOR_EXAMPLES)]
pub(crate) struct EmulatorArgs {
    /// Port to listen on; 0 takes any that is free. The address is printed.
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: std::net::IpAddr,
    /// Bearer token that it accepts; several make several principals. Without
    /// this and `--client`: `emulator`.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Vec<String>,
    /// Application (client) id and secret that its token endpoint accepts;
    /// several make several principals.
    #[arg(long, value_name = "ID:SECRET", value_parser = client)]
    pub(crate) client: Vec<(uuid::Uuid, String)>,
    /// Speaks https, with a certificate for localhost and 127.0.0.1 that it makes
    /// for itself.
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) tls: bool,
    /// Writes that certificate to a file for clients to trust; printed without.
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) tls_pem: Option<PathBuf>,
    /// One more name that the certificate is for.
    #[arg(long, value_name = "NAME", requires = "tls")]
    pub(crate) tls_name: Vec<String>,
    /// Speaks https with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// TOML or JSON file with tables and columns besides the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// Folder that keeps the records; in memory without it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
    /// TOML file with all settings: limits, latency, faults, behaviour.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// TOML or JSON file with faults besides those of the settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Vec<PathBuf>,
    /// Puts the rows of a CSV, JSON, Parquet or Arrow file into a table that has
    /// no records yet. Columns are named as in the Web API.
    #[arg(long, value_name = "TABLE=FILE", value_parser = setting)]
    pub(crate) seed_data: Vec<(String, String)>,
    /// Web servers, each with its own limits.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) web_servers: Option<usize>,
    /// Seconds of the service that pass in one of yours.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) time_scale: Option<f64>,
    /// Same seed, same requests: same ids and faults.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
    /// The job whose journal is meant.
    #[arg(long, global = true, value_name = "JOB", conflicts_with = "journal")]
    pub(crate) job: Option<PathBuf>,
    /// The journal; all of `.dvsync` without it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// How they are printed.
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) report: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Lists runs, the newest first.
    List,
    /// Shows one run: counts, and why rows were not written.
    Show {
        /// As `runs list` prints it.
        #[arg(value_name = "RUN")]
        run: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// With the settings of this rule: a component, `account@1.2.0` of the store,
    /// or a shipped rule's name.
    #[arg(long, value_name = "FILE|NAME")]
    pub(crate) rule: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("expected `name=value`, found `{text}`")),
    }
}

fn client(text: &str) -> Result<(uuid::Uuid, String), String> {
    let (id, secret) = text.split_once(':').unwrap_or((text, ""));
    if secret.is_empty() {
        return Err("expected `id:secret`, found no secret".to_owned());
    }
    let id = id.parse().map_err(|_| format!("expected a guid before the colon, found `{id}`"))?;
    Ok((id, secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_setting_is_a_name_and_a_value() {
        assert_eq!(setting("data=a=b"), Ok(("data".to_owned(), "a=b".to_owned())));
        assert_eq!(setting("data="), Ok(("data".to_owned(), String::new())));
        assert!(setting("data").is_err());
        assert!(setting("=x").is_err());
        assert!(client("11111111-1111-4111-8111-111111111111:a:b").is_ok_and(|c| c.1 == "a:b"));
        assert!(client("11111111-1111-4111-8111-111111111111").is_err());
        assert!(client("x:y").is_err());
    }
}
