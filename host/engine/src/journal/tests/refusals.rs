//! What is refused, in words that a person can act on.

use super::*;

#[track_caller]
fn refused(path: &Path, message: &str, hint: &str) {
    let error = Journal::open(path, Durability::Process).unwrap_err();
    let text = error.to_string().replace(&path.display().to_string(), "PATH");
    let text = text.replace(&std::process::id().to_string(), "PID");
    assert_eq!(text, message);
    assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
}

fn with_file(content: &[u8]) -> Place {
    let place = place();
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    std::fs::write(&place.path, content).unwrap();
    place
}

fn changed(sql: &str) -> Place {
    let place = place();
    drop(place.open());
    rusqlite::Connection::open(&place.path).unwrap().execute_batch(sql).unwrap();
    place
}

#[test]
fn a_second_run_of_a_job_is_refused_until_the_first_is_gone() {
    let place = place();
    let first = place.open();
    let message = "journal `PATH` is in use by another run (process PID)";
    refused(&place.path, message, "wait until");
    let clone = first.clone();
    drop(first);
    refused(&place.path, message, "wait until");
    drop(clone);
    place.open();
}

#[cfg(unix)]
#[test]
fn a_journal_has_one_lock_whatever_it_is_called() {
    let place = place();
    let _first = place.open();
    let link = place.path.with_file_name("link.db");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let error = Journal::open(&link, Durability::Process).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error:?}");
}

#[tokio::test]
async fn readers_neither_take_the_lock_nor_wait_for_it() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    assert_eq!(place.reader().run(run.id()).unwrap().status, RunStatus::Running);
    let reader = place.reader();
    drop((run, journal));
    let _second = place.open();
    assert_eq!(reader.runs().unwrap()[0].status, RunStatus::Interrupted);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let content = "erp_id;name\n".repeat(100);
    let place = with_file(content.as_bytes());
    let message = "`PATH` is not a dvsync journal: it is not an SQLite database";
    refused(&place.path, message, "[journal] path");
    assert_eq!(std::fs::read_to_string(&place.path).unwrap(), content);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let place = with_file(b"");
    let other = rusqlite::Connection::open(&place.path).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    let message = "`PATH` is not a dvsync journal: it is an SQLite database of another program";
    refused(&place.path, message, "not there yet");
}

#[test]
fn an_empty_file_becomes_a_journal() {
    with_file(b"").open();
}

#[test]
fn a_journal_of_a_newer_version_is_refused() {
    let place = changed("PRAGMA user_version = 9");
    let message = "journal `PATH` has schema version 9, newer than 3";
    refused(&place.path, message, "newer one");
    let error = Reader::open(&place.path).unwrap_err();
    assert!(matches!(error, JournalError::Newer { found: 9, .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_file_is_an_error_with_a_hint_and_never_a_panic() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    run.settle(chunk(0, 0, &[Outcome::DeadLettered; 900])).await.unwrap();
    let id = run.id().clone();
    drop((journal, run));
    let whole = std::fs::read(&place.path).unwrap();
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096 + 100..(page + 1) * 4096].fill(0xA5);
        let place = with_file(&damaged);
        let said = read_everything(&place.path, &id);
        if let Err(error) = said {
            let told =
                matches!(error, JournalError::Damaged { .. } | JournalError::NotAJournal { .. });
            assert!(told && error.hint().is_some(), "page {page}: {error:?}");
        }
    }
}

fn read_everything(path: &Path, id: &RunId) -> Result<(), JournalError> {
    let reader = Reader::open(path)?;
    reader.runs()?;
    reader.doubts().collect::<Result<Vec<_>, _>>()?;
    reader.causes(id)?;
    reader.letters(id)?.collect::<Result<Vec<_>, _>>()?;
    reader.outcomes(id)?.collect::<Result<Vec<_>, _>>()?;
    Ok(())
}

#[tokio::test]
async fn a_damaged_blob_is_named() {
    let place = place();
    let run = place.open().begin(start()).await.unwrap();
    run.settle(chunk(0, 0, &[Outcome::Created; 9])).await.unwrap();
    run.flush().await.unwrap();
    let side = rusqlite::Connection::open(&place.path).unwrap();
    side.execute("UPDATE chunks SET outcomes = x'00'", []).unwrap();
    let mut chunks = place.reader();
    let error = chunks_of(&mut chunks, run.id()).unwrap_err();
    let expected = "is damaged: a blob of outcomes cannot be decompressed";
    assert!(error.to_string().ends_with(expected), "{error}");
}

fn chunks_of(reader: &mut Reader, id: &RunId) -> Result<usize, JournalError> {
    Ok(reader.outcomes(id)?.collect::<Result<Vec<_>, _>>()?.len())
}

#[test]
fn reading_a_journal_that_is_not_there_does_not_make_one() {
    let place = place();
    let error = Reader::open(&place.path).unwrap_err();
    assert!(matches!(error, JournalError::Missing { .. }), "{error:?}");
    assert!(!place.path.exists());
}

#[tokio::test]
async fn lists_that_do_not_belong_together_are_refused_before_they_are_queued() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    let good = chunk(4, 10, &[Outcome::Created, Outcome::Dropped]);
    let mut short = good.clone();
    short.ids.pop();
    let mut doubled = good.clone();
    doubled.ordinals[1] = 10;
    let mut outside = good.clone();
    outside.letters[0].row = 2;
    for (bad, message) in [
        (short, "cannot journal chunk 4: 2 ordinals, 2 outcomes, 1 ids"),
        (doubled, "cannot journal chunk 4: ordinal 10 before 10"),
        (outside, "cannot journal chunk 4: a letter for row 2 of 2"),
    ] {
        assert_eq!(run.settle(bad).await.unwrap_err().to_string(), message);
    }
    let mut bad = intent(0..2);
    bad.ids.clear();
    run.intent(bad).await.unwrap_err();
    run.settle(good.clone()).await.unwrap();
    run.flush().await.unwrap();
    run.settle(good).await.unwrap();
    run.flush().await.expect_err("a chunk is settled once");
}

#[tokio::test]
async fn resuming_an_unknown_run_is_refused_and_the_journal_goes_on() {
    let place = place();
    let journal = place.open();
    let id: RunId = "20261122T085301-0000".parse().unwrap();
    let error = journal.resume(&id, Vec::new(), time(9)).await.unwrap_err();
    assert!(error.to_string().ends_with("has no run `20261122T085301-0000`"), "{error}");
    journal.begin(start()).await.unwrap();
    place.reader().run(&id).unwrap_err();
}

#[cfg(unix)]
#[tokio::test]
async fn every_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = with_file(b"");
    std::fs::set_permissions(&place.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = place.open().begin(start()).await.unwrap();
    let files = std::fs::read_dir(place.path.parent().unwrap()).unwrap();
    let modes: Vec<_> = files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name(), file.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    assert!(modes.len() >= 4, "{modes:?}");
    assert!(modes.iter().all(|&(_, mode)| mode == 0o600), "{modes:?}");
    drop(run);
}

#[test]
fn text_that_is_no_run_id_is_told() {
    for text in
        ["", "20261122T085301", "20261122 085301-4f2a", "20261122T085301-4F2A", "äöüäöüäöüä"]
    {
        let error = text.parse::<RunId>().unwrap_err();
        assert!(error.to_string().contains("such as `20261122T085301-4f2a`"));
    }
}
