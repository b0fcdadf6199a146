//! `dvsync runs list` and `dvsync runs show`

use std::path::{Path, PathBuf};

use dvsync_engine::journal::{Cause, Reader, RuleStanding, RunId, RunKind, RunRecord};
use dvsync_model::Outcome;
use serde_json::{Value, json};

use crate::args::{Format, RunsArgs, RunsCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::{at_fault, counts, out, word};
use crate::talk::Talk;

/// Letters that are shown of each cause.
const EXAMPLES: usize = 3;

pub(crate) fn runs(args: &RunsArgs, talk: &Talk) -> Result<Exit, Failure> {
    let journals = journals(args)?;
    match &args.command {
        RunsCommand::List => list(&journals, args.report, *talk)?,
        RunsCommand::Show { run } => show(&journals, run, args.report)?,
    }
    Ok(Exit::Complete)
}

/// The journals that are meant.
fn journals(args: &RunsArgs) -> Result<Vec<PathBuf>, Failure> {
    if let Some(path) = &args.journal {
        return Ok(vec![path.clone()]);
    }
    if let Some(path) = &args.job {
        // Looking at a journal needs no secrets: any will do.
        let any = |_: &str| Some("-".to_owned());
        let job = dvsync_engine::job::Job::load(path, &Default::default(), &any)?;
        return Ok(vec![job.journal.path]);
    }
    let folder = Path::new(".dvsync");
    let mut found: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "db"))
            .collect(),
        Err(_) => Vec::new(),
    };
    found.sort();
    if found.is_empty() {
        return Err(Failure::usage("there is no journal in `.dvsync`")
            .hint("name one: --job FILE or --journal FILE"));
    }
    Ok(found)
}

fn list(journals: &[PathBuf], format: Format, talk: Talk) -> Result<(), Failure> {
    let mut runs = Vec::new();
    for path in journals {
        runs.extend(Reader::open(path)?.runs()?);
    }
    runs.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
    match format {
        Format::Json => {
            json_out(&Value::Array(runs.iter().map(as_json).collect::<Result<_, _>>()?))
        }
        Format::Text if runs.is_empty() => {
            talk.say("no runs yet");
            Ok(())
        }
        Format::Text => out(&runs.iter().map(line).collect::<String>()),
    }
}

/// `20261122T085301-4f2a  complete  accounts  701 read: 701 created`
fn line(run: &RunRecord) -> String {
    let what = match run.kind {
        RunKind::Run => run.job.clone(),
        RunKind::Replay => format!("{} (replay)", run.job),
    };
    format!(
        "{}  {:17}  {:20}  {}\n",
        run.id,
        run.status.as_str(),
        what,
        counts(&run.counts).trim_start()
    )
}

fn show(journals: &[PathBuf], name: &str, format: Format) -> Result<(), Failure> {
    let id: RunId = name.parse().map_err(|error| {
        Failure::because("cannot show the run", error).hint("`dvsync runs list` names all runs")
    })?;
    for path in journals {
        let reader = Reader::open(path)?;
        if let Some(run) = reader.runs()?.into_iter().find(|run| run.id == id) {
            let causes = reader.causes(&id)?;
            return match format {
                Format::Json => shown_json(&reader, &run, &causes),
                Format::Text => shown_text(&reader, &run, &causes, path),
            };
        }
    }
    Err(Failure::usage(format!("there is no run `{id}`")).hint("`dvsync runs list` names all runs"))
}

fn shown_text(
    reader: &Reader,
    run: &RunRecord,
    causes: &[Cause],
    journal: &Path,
) -> Result<(), Failure> {
    let mut text = format!("{}  {}  {}\n", run.id, run.status, run.job);
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    say(format!("  {} of `{}` at {}", run.mode, run.entity, run.target));
    say(format!("  began {}", run.started));
    if let Some(ended) = run.ended {
        say(format!("  ended {ended}"));
    }
    say(counts(&run.counts));
    let requests = run.requests;
    say(format!(
        "  {} requests, {} retried, {} throttled, {} failed",
        requests.sent, requests.retried, requests.throttled, requests.failed
    ));
    let judged = reader.judgements(&run.id)?;
    for rule in &run.rules {
        let standing = match rule.standing {
            RuleStanding::Live => String::new(),
            other => format!(" ({})", other.as_str().replace('_', " ")),
        };
        say(format!("  rule {}@{}{standing} {}", rule.name, rule.version, rule.digest));
        let of = judged.iter().find(|of| of.judgement.as_ref() == Some(&rule.judgement));
        if let Some(of) = of.filter(|_| run.rules.len() > 1) {
            say(format!("    {}", counts(&of.counts)));
        }
    }
    if let Some(message) = &run.message {
        say(format!("  stopped: {message}"));
    }
    for cause in causes {
        let what = at_fault(&cause.code, cause.column.as_deref());
        say(format!("  {} {}: {what}", cause.letters, word(cause.outcome)));
        for example in examples(reader, run, cause)? {
            say(format!("      {example}"));
        }
        if let Some(hint) = &cause.hint {
            say(format!("      hint: {hint}"));
        }
    }
    say(format!("  journal {}", journal.display()));
    out(&text)
}

/// The first letters of a cause: where, which key, what.
fn examples(reader: &Reader, run: &RunRecord, cause: &Cause) -> Result<Vec<String>, Failure> {
    let mut examples = Vec::new();
    for letter in reader.letters(&run.id)? {
        let letter = letter?;
        let same = letter.outcome == cause.outcome
            && letter.letter.code == cause.code
            && letter.letter.column == cause.column;
        if !same {
            continue;
        }
        let key = match &letter.letter.key {
            Some(key) => format!(" `{key}`"),
            None => String::new(),
        };
        examples.push(format!("{}{key}: {}", letter.letter.origin, letter.letter.message));
        if examples.len() == EXAMPLES {
            break;
        }
    }
    Ok(examples)
}

fn shown_json(reader: &Reader, run: &RunRecord, causes: &[Cause]) -> Result<(), Failure> {
    let mut shown = as_json(run)?;
    let mut list = Vec::new();
    for cause in causes {
        list.push(json!({
            "outcome": outcome(cause.outcome),
            "code": cause.code,
            "column": cause.column,
            "count": cause.letters,
            "message": cause.message,
            "hint": cause.hint,
            "examples": examples(reader, run, cause)?,
        }));
    }
    shown["causes"] = Value::Array(list);
    shown["judgements"] = serde_json::to_value(reader.judgements(&run.id)?)
        .map_err(|error| Failure::bug("cannot write the run as JSON", error))?;
    json_out(&shown)
}

/// As the report names things.
fn as_json(run: &RunRecord) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(run)
        .map_err(|error| Failure::bug("cannot write the run as JSON", error))?;
    if let Value::Object(fields) = &mut value
        && let Some(id) = fields.remove("id")
    {
        fields.insert("run_id".to_owned(), id);
    }
    Ok(value)
}

fn outcome(outcome: Outcome) -> Value {
    serde_json::to_value(outcome).unwrap_or(Value::Null)
}

fn json_out(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::bug("cannot write JSON", error))?;
    out(&format!("{text}\n"))
}
