//! `dvsync letters list`, `show`, `export`, `replay` and `drop`

mod export;

use dvsync_dataverse::Clock;
use dvsync_engine::job::Job;
use dvsync_engine::journal::{
    Cause, Durability, Journal, LetterFilter, LetterRecord, LetterState, Reader,
};
use dvsync_engine::{LeftAlone, Stop};
use serde_json::{Value, json};

use super::run::{Way, go};
use crate::args::{Format, LettersArgs, LettersCommand, MeantArgs, StateWord};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::{at_fault, out, word};
use crate::talk::Talk;
use crate::{load, summary};

/// Letters that are shown of each cause.
const EXAMPLES: usize = 3;

pub(crate) async fn letters(args: LettersArgs, talk: &Talk) -> Result<Exit, Failure> {
    match args.command {
        LettersCommand::List { job, meant, state, report } => {
            let job = load::without_secrets(&job)?;
            list(&job, &filter(&meant, standing(state))?, report, *talk)?;
        }
        LettersCommand::Show { job, number, report } => {
            show(&load::without_secrets(&job)?, number, report)?;
        }
        LettersCommand::Export { job, meant, format, to } => {
            let job = load::without_secrets(&job)?;
            let filter = filter(&meant, Some(LetterState::Open))?;
            export::export(&Reader::open(&job.journal.path)?, &filter, format, to, *talk)?;
        }
        LettersCommand::Replay { job, meant, report } => {
            let filter = filter(&meant, None)?;
            let (done, left) =
                go(&load::job(&job)?, Way::Replay(filter), *talk, &Stop::new()).await?;
            summary::print(&done, report)?;
            for line in left_alone(left) {
                talk.say(line);
            }
            return Ok(Exit::of(&done));
        }
        LettersCommand::Drop { job, meant, reason } => {
            drop_letters(&load::without_secrets(&job)?, filter(&meant, None)?, reason).await?;
        }
    }
    Ok(Exit::Complete)
}

fn filter(meant: &MeantArgs, state: Option<LetterState>) -> Result<LetterFilter, Failure> {
    let run = meant.run.as_deref().map(str::parse).transpose().map_err(|error| {
        Failure::because("cannot tell which run is meant", error)
            .hint("`dvsync runs list` names all runs")
    })?;
    Ok(LetterFilter {
        run,
        cause: meant.cause.clone(),
        key: meant.key.clone(),
        number: meant.number,
        state,
    })
}

fn standing(state: StateWord) -> Option<LetterState> {
    match state {
        StateWord::Open => Some(LetterState::Open),
        StateWord::Resolved => Some(LetterState::Resolved),
        StateWord::Replayed => Some(LetterState::Replayed),
        StateWord::Superseded => Some(LetterState::Superseded),
        StateWord::Dropped => Some(LetterState::Dropped),
        StateWord::All => None,
    }
}

fn list(job: &Job, filter: &LetterFilter, format: Format, talk: Talk) -> Result<(), Failure> {
    let reader = Reader::open(&job.journal.path)?;
    let causes = reader.causes_of(filter)?;
    if format == Format::Json {
        let causes = causes.iter().map(|cause| {
            let examples = examples(&reader, filter, cause)?;
            let examples: Vec<Value> = examples.iter().map(as_json).collect::<Result<_, _>>()?;
            let mut value = to_json(cause)?;
            value["examples"] = Value::Array(examples);
            Ok::<_, Failure>(value)
        });
        return json_out(&Value::Array(causes.collect::<Result<_, _>>()?));
    }
    if causes.is_empty() {
        talk.say("no such letters");
        return Ok(());
    }
    let mut text = String::new();
    for cause in &causes {
        let what = at_fault(&cause.code, cause.column.as_deref());
        text.push_str(&format!("{} {}: {what}\n", cause.letters, word(cause.outcome)));
        for record in examples(&reader, filter, cause)? {
            let letter = &record.letter;
            let key = letter.key.as_ref().map(|key| format!(" `{key}`")).unwrap_or_default();
            let number = record.number;
            text.push_str(&format!("  {number}  {}{key}: {}\n", letter.origin, letter.message));
        }
        if let Some(hint) = &cause.hint {
            text.push_str(&format!("  hint: {hint}\n"));
        }
    }
    out(&text)
}

/// The first letters of a cause.
fn examples(
    reader: &Reader,
    filter: &LetterFilter,
    cause: &Cause,
) -> Result<Vec<LetterRecord>, Failure> {
    let narrow = LetterFilter { cause: Some(cause.code.clone()), ..filter.clone() };
    let mut examples = Vec::new();
    for record in reader.meant(&narrow) {
        let record = record?;
        if record.outcome == cause.outcome && record.letter.column == cause.column {
            examples.push(record);
        }
        if examples.len() == EXAMPLES {
            break;
        }
    }
    Ok(examples)
}

fn show(job: &Job, number: u64, format: Format) -> Result<(), Failure> {
    let reader = Reader::open(&job.journal.path)?;
    let filter = LetterFilter { number: Some(number), ..LetterFilter::default() };
    let Some(record) = reader.meant(&filter).next().transpose()? else {
        return Err(Failure::usage(format!("there is no letter {number}"))
            .hint("dvsync letters list JOB --state all shows those that there are"));
    };
    let history = reader.history(number)?;
    if format == Format::Json {
        let mut value = as_json(&record)?;
        value["history"] = to_json(&history)?;
        return json_out(&value);
    }
    let letter = &record.letter;
    let state = record.state.map_or("a note", LetterState::as_str);
    let mut lines =
        vec![format!("letter {number} of run {}: {}, {state}", record.run, word(record.outcome))];
    let key = letter.key.as_ref().map(|key| format!(", key `{key}`")).unwrap_or_default();
    let id = letter.id.map(|id| format!(", record {id}")).unwrap_or_default();
    lines.push(format!("  {}{key}{id}", letter.origin));
    let what = at_fault(&letter.code, letter.column.as_deref());
    lines.push(format!("  {what}: {}", letter.message));
    if let Some(hint) = &letter.hint {
        lines.push(format!("  hint: {hint}"));
    }
    if letter.landed_partially {
        lines.push("  landed in part: a replay does only the rest".to_owned());
    }
    if record.attempts > 1 {
        lines.push(format!("  tried {} times", record.attempts));
    }
    if let Some(row) = &letter.row {
        lines.push(format!("  row {row}"));
    }
    for event in history {
        let by = event.run.map(|run| format!(" by run {run}")).unwrap_or_default();
        let note = event.note.map(|note| format!(": {note}")).unwrap_or_default();
        lines.push(format!("  {} {}{by}{note}", event.at, event.state));
    }
    lines.push(String::new());
    out(&lines.join("\n"))
}

async fn drop_letters(job: &Job, filter: LetterFilter, reason: String) -> Result<(), Failure> {
    if !job.journal.path.exists() {
        Reader::open(&job.journal.path)?;
    }
    let journal = Journal::open(&job.journal.path, Durability::default())?;
    match journal.drop_letters(filter, reason, Clock::new().wall()).await? {
        0 => Err(Failure::usage("no open letter is meant")
            .hint("dvsync letters list JOB shows those that there are")),
        dropped => out(&format!("{dropped} dropped\n")),
    }
}

/// Letters that were meant and not replayed, and why.
fn left_alone(left: LeftAlone) -> Vec<String> {
    let rows = [
        (left.unreadable, "have no readable row: mend the source and run the job"),
        (left.masked, "have masked columns, whose values are in the source only: run the job"),
        (left.other_columns, "have other columns than the first one: replay them by --run"),
        (left.beyond, "are beyond what one replay takes: replay again"),
    ];
    let some = rows.into_iter().filter(|(letters, _)| *letters > 0);
    some.map(|(letters, why)| format!("left alone: {letters} {why}")).collect()
}

fn as_json(record: &LetterRecord) -> Result<Value, Failure> {
    let mut value = to_json(record)?;
    let letter = value["letter"].take();
    if let (Value::Object(fields), Value::Object(letter)) = (&mut value, letter) {
        fields.remove("letter");
        fields.extend(letter);
        // The row as an object, where it is one.
        let row = fields.get("row").and_then(Value::as_str);
        if let Some(row) = row.and_then(|row| serde_json::from_str::<Value>(row).ok()) {
            fields.insert("row".to_owned(), row);
        }
    }
    Ok(value)
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::bug("cannot write JSON", error))
}

fn json_out(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&json!(value))
        .map_err(|error| Failure::bug("cannot write JSON", error))?;
    out(&format!("{text}\n"))
}
