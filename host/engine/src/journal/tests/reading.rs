//! What the command line asks.

use super::*;

#[tokio::test]
async fn letters_are_grouped_by_cause_and_read_in_pages() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    let mut record = chunk(0, 100, &[Outcome::DeadLettered; 1300]);
    for entry in record.letters.iter_mut().step_by(2) {
        entry.letter.code = "bad-phone".into();
        entry.letter.column = None;
        entry.letter.message = format!("row {}", entry.row);
    }
    record.letters.pop();
    record.outcomes[4] = Outcome::Dropped;
    run.settle(record.clone()).await.unwrap();
    run.flush().await.unwrap();

    let reader = place.reader();
    let causes: Vec<_> = reader.causes(run.id()).unwrap();
    let shown: Vec<_> = causes
        .iter()
        .map(|cause| (cause.outcome, cause.code.as_str(), cause.letters, cause.message.as_str()))
        .collect();
    let long = "text has 300 characters, at most 160 fit";
    assert_eq!(
        shown,
        [
            (Outcome::DeadLettered, "bad-phone", 649, "row 0"),
            (Outcome::DeadLettered, "too_long", 649, long),
            (Outcome::Dropped, "bad-phone", 1, "row 4"),
        ]
    );
    let letters: Vec<_> = reader.letters(run.id()).unwrap().map(Result::unwrap).collect();
    assert_eq!(letters.len(), 1299);
    for (read, written) in letters.iter().zip(&record.letters) {
        assert_eq!((&read.letter, read.ordinal), (&written.letter, 100 + u64::from(written.row)));
        assert_eq!(&read.run, run.id());
    }
}

#[tokio::test]
async fn one_row_is_found_among_chunks_with_gaps() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    run.settle(chunk(1, 10, &[Outcome::Updated, Outcome::Unchanged])).await.unwrap();
    let mut gaps = chunk(0, 0, &[Outcome::Created, Outcome::Deferred]);
    gaps.ordinals = vec![3, 20];
    run.settle(gaps).await.unwrap();
    run.flush().await.unwrap();
    let reader = place.reader();
    let found = |ordinal| reader.outcome(run.id(), ordinal).unwrap();
    assert_eq!(found(3), Some((Outcome::Created, None)));
    assert_eq!(found(11), Some((Outcome::Unchanged, Some(Uuid::from_u128(11)))));
    assert_eq!(found(20), Some((Outcome::Deferred, Some(Uuid::from_u128(1)))));
    assert_eq!((found(4), found(12), found(u64::MAX)), (None, None, None));
    let chunks: Vec<_> =
        reader.outcomes(run.id()).unwrap().map(|chunk| chunk.unwrap().chunk).collect();
    assert_eq!(chunks, [0, 1]);
}

#[tokio::test]
async fn pruning_removes_old_runs_but_none_with_requests_in_doubt() {
    let place = place();
    let journal = place.open();
    let begun = async |second| {
        let run = journal.begin(RunStart { started: time(second), ..start() }).await.unwrap();
        run.settle(chunk(0, 0, &[Outcome::DeadLettered; 50])).await.unwrap();
        run.intent(intent(0..9)).await.map(|id| (run, id)).unwrap()
    };
    let (old, request) = begun(0).await;
    old.replied(request, landed(9)).await.unwrap();
    old.finish(end(RunStatus::Complete, Counts::default())).await.unwrap();
    let (doubtful, _) = begun(1).await;
    doubtful.finish(end(RunStatus::Incomplete, Counts::default())).await.unwrap();
    let (new, request) = begun(100).await;
    new.replied(request, landed(9)).await.unwrap();
    new.finish(end(RunStatus::Complete, Counts::default())).await.unwrap();

    assert_eq!(journal.prune(time(100)).await.unwrap(), 1);
    let reader = place.reader();
    let left: Vec<_> = reader.runs().unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(left, [new.id().clone(), doubtful.id().clone()]);
    let side = rusqlite::Connection::open(&place.path).unwrap();
    let rows = |table: &str| -> i64 {
        side.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((rows("letters"), rows("chunks"), rows("sources")), (100, 2, 2));
    assert_eq!((rows("intents"), rows("intent_records")), (2, 2));
    let free: i64 = side.query_row("PRAGMA freelist_count", [], |row| row.get(0)).unwrap();
    assert_eq!(free, 0, "space is given back");
}

#[tokio::test]
async fn the_last_run_is_never_pruned_however_old_it_is() {
    let place = place();
    let journal = place.open();
    let mut ids = Vec::new();
    for (second, kind) in [(0, RunKind::Run), (1, RunKind::Replay), (2, RunKind::Run)] {
        let start = RunStart { started: time(second), kind, ..start() };
        let run = journal.begin(start).await.unwrap();
        run.finish(end(RunStatus::Incomplete, Counts::default())).await.unwrap();
        ids.push(run.id().clone());
    }
    assert_eq!(journal.prune(time(99_999)).await.unwrap(), 1);
    let left: Vec<_> = place.reader().runs().unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(left, [ids[2].clone(), ids[1].clone()]);
    journal.resume(&ids[2], Vec::new(), time(3)).await.unwrap();
}

#[tokio::test]
async fn a_journal_that_is_pruned_does_not_grow() {
    let place = place();
    let mut sizes = Vec::new();
    for night in 0..12 {
        let journal = place.open();
        let run =
            journal.begin(RunStart { started: time(night * 86_400), ..start() }).await.unwrap();
        run.settle(chunk(0, 0, &[Outcome::DeadLettered; 200])).await.unwrap();
        let request = run.intent(intent(0..500)).await.unwrap();
        run.replied(request, landed(500)).await.unwrap();
        run.finish(end(RunStatus::WithDeadLetters, Counts::default())).await.unwrap();
        journal.prune(time((night - 2) * 86_400)).await.unwrap();
        drop((run, journal));
        sizes.push(std::fs::metadata(&place.path).unwrap().len());
    }
    let (early, late) = (sizes[4], sizes[11]);
    assert!(late <= early + early / 10, "{sizes:?}");
    assert_eq!(place.reader().runs().unwrap().len(), 3);
}

#[tokio::test]
async fn any_sqlite_tool_can_read_the_views() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    let request = run.intent(intent(0..2)).await.unwrap();
    run.settle(chunk(0, 0, &[Outcome::Created, Outcome::Dropped])).await.unwrap();
    run.flush().await.unwrap();
    let side = rusqlite::Connection::open(&place.path).unwrap();
    let one = |sql: &str| -> String { side.query_row(sql, [], |row| row.get(0)).unwrap() };
    let id = run.id().as_str();
    assert_eq!(one("SELECT run || ' ' || status FROM v_runs"), format!("{id} running"));
    assert_eq!(one("SELECT started FROM v_runs"), "2026-11-22T08:53:01.000Z");
    assert_eq!(one("SELECT run || created || dropped FROM v_outcomes"), format!("{id}11"));
    assert_eq!(one("SELECT outcome FROM v_letters"), "dropped");
    assert_eq!(one("SELECT id FROM v_letters"), Uuid::from_u128(5).to_string());
    assert_eq!(one("SELECT fate || records FROM v_intents"), "open2");
    let reply = Reply { fate: Fate::InDoubt, message: Some("reset".into()), ..landed(0) };
    run.replied(request, reply).await.unwrap();
    run.flush().await.unwrap();
    assert_eq!(one("SELECT fate || message FROM v_intents"), "in_doubtreset");
    assert_eq!(
        place.reader().doubts().map(Result::unwrap).collect::<Vec<_>>()[0].fate,
        Fate::InDoubt
    );
}
