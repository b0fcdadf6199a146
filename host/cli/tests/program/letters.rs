//! Letters, from the list to the replay.

use crate::harness::{JOB, Place};

/// Two letters of one cause, one of another, and a row that is fine.
fn place() -> Place {
    let place = Place::new(0);
    let long = "x".repeat(161);
    let rows = format!("number,name\nA1,Good\nA2,{long}\nA3,\"{long}, Ltd\"\nA4,\"open\n");
    place.write("accounts.csv", &rows);
    let run = place.run(&["run", "job.toml"]);
    assert_eq!(run.exit, Some(1), "{run:?}");
    assert!(run.stderr.ends_with("look: dvsync letters list job.toml\n"), "{}", run.stderr);
    place
}

/// What was printed, without what differs from run to run.
fn told(place: &Place, text: &str) -> String {
    let runs = place.json(&["runs", "list", "--report", "json"], 0);
    let mut text = text.replace(&"x".repeat(161), "XXX");
    for (number, run) in runs.as_array().unwrap().iter().rev().enumerate() {
        text = text.replace(run["run_id"].as_str().unwrap(), &format!("RUN{}", number + 1));
    }
    let mut out = String::new();
    for line in text.lines() {
        // A time and what happened then.
        match line.split_once("Z ") {
            Some((time, what)) if time.trim_start().starts_with("20") => {
                out.push_str(&format!("  TIME {what}\n"));
            }
            _ => out.push_str(&format!("{line}\n")),
        }
    }
    out
}

#[test]
fn letters_are_listed_by_cause_and_shown_with_row_and_history() {
    let place = place();
    let list = place.run(&["letters", "list", "job.toml"]);
    assert_eq!(list.exit, Some(0), "{list:?}");
    let expected = "\
2 dead-lettered: text_too_long in `name`
  1  accounts.csv:3 `A2`: 161 characters, at most 160 fit: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`...
  2  accounts.csv:4 `A3`: 166 characters, at most 160 fit: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`...
  hint: shorten it in the source, or say too_long = \"truncate\" for the column
1 dead-lettered: malformed_record
";
    assert!(list.stdout.starts_with(expected), "{}", list.stdout);
    assert!(list.stdout.contains("\n  3  accounts.csv:5: "), "{}", list.stdout);

    let one = place.run(&["letters", "list", "job.toml", "--key", "a3"]).stdout;
    assert!(one.starts_with("1 dead-lettered: text_too_long in `name`\n  2  "), "{one}");
    let json = place.json(&["letters", "list", "job.toml", "--report", "json"], 0);
    assert_eq!(json[0]["letters"], 2);
    assert_eq!(json[0]["examples"][0]["row"]["number"], "A2");

    let dropped = place.run(&["letters", "drop", "job.toml", "--key", "A3", "--reason", "sold"]);
    assert_eq!((dropped.exit, dropped.stdout.as_str()), (Some(0), "1 dropped\n"));
    let show = place.run(&["letters", "show", "job.toml", "2"]);
    assert_eq!(
        told(&place, &show.stdout),
        "letter 2 of run RUN1: dead-lettered, dropped
  accounts.csv:4, key `A3`
  text_too_long in `name`: 166 characters, at most 160 fit: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`...
  hint: shorten it in the source, or say too_long = \"truncate\" for the column
  row {\"name\":\"XXX, Ltd\",\"number\":\"A3\"}
  TIME dropped: sold
"
    );
    let gone = place.run(&["letters", "show", "job.toml", "99"]);
    assert_eq!(gone.exit, Some(64));
    assert!(gone.stderr.starts_with("error: there is no letter 99\nhint: "), "{}", gone.stderr);
    let none = place.run(&["letters", "drop", "job.toml", "--key", "A3", "--reason", "sold"]);
    assert_eq!(none.exit, Some(64));
    assert!(none.stderr.starts_with("error: no open letter is meant\n"), "{}", none.stderr);
}

#[test]
fn exported_rows_can_be_mended_and_read_as_a_source() {
    let place = place();
    let export = place.run(&["letters", "export", "job.toml", "--format", "csv"]);
    assert_eq!(export.exit, Some(0), "{export:?}");
    let message = "characters, at most 160 fit: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`...\"";
    assert_eq!(
        told(&place, &export.stdout),
        format!(
            "name,number,dvsync_letter,dvsync_code,dvsync_message\n\
             XXX,A2,1,text_too_long,\"161 {message}\n\
             \"XXX, Ltd\",A3,2,text_too_long,\"166 {message}\n"
        )
    );
    assert!(export.stderr.contains("1 letters have no readable row"), "{}", export.stderr);
    let jsonl = place.run(&["letters", "export", "job.toml", "--to", "rest.jsonl"]);
    assert_eq!((jsonl.exit, jsonl.stdout.as_str()), (Some(0), ""));
    assert_eq!(place.read("rest.jsonl").lines().count(), 2);

    place.write("mended.csv", &export.stdout.replace(&"x".repeat(161), "Mended"));
    place.write("job.toml", &JOB.replace("accounts.csv", "mended.csv"));
    let report = place.json(&["run", "job.toml", "--report", "json"], 0);
    assert_eq!(report["counts"]["created"], 2);
    // Their letters have closed by themselves.
    let left = place.run(&["letters", "list", "job.toml"]).stdout;
    assert!(left.starts_with("1 dead-lettered: malformed_record"), "{left}");
}

#[test]
fn letters_are_replayed_through_the_job_as_it_is_now() {
    let place = place();
    let lenient = JOB.replace("from = \"name\"", "from = \"name\"\ntoo_long = \"truncate\"");
    place.write("job.toml", &lenient);
    let replay = place.run(&["letters", "replay", "job.toml", "--cause", "text_too_long"]);
    assert_eq!(replay.exit, Some(0), "{replay:?}");
    assert!(replay.stdout.contains("2 read: 2 created"), "{}", replay.stdout);
    let show = place.run(&["letters", "show", "job.toml", "1"]).stdout;
    assert!(told(&place, &show).contains("\n  TIME replayed by run RUN2: created\n"), "{show}");
    let rest = place.run(&["letters", "replay", "job.toml"]);
    assert_eq!(rest.exit, Some(64));
    assert!(rest.stderr.contains("1 have no readable row"), "{}", rest.stderr);
}
