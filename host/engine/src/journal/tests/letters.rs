//! Letters that change, and deferrals that come to an end.

use dvsync_model::KeyHash;

use super::*;

/// Deferred, dead, created: with letters of keys 1, 2, ...
fn mixed(number: u64, first: u64) -> ChunkRecord {
    let mut record =
        chunk(number, first, &[Outcome::Deferred, Outcome::DeadLettered, Outcome::Created]);
    for (key, entry) in (1..).zip(&mut record.letters) {
        entry.key = Some(KeyHash(key));
        entry.letter.id = None;
    }
    record
}

fn states(reader: &Reader) -> Vec<(u64, LetterState)> {
    let all = LetterFilter::default();
    let letters = reader.meant(&all).map(Result::unwrap);
    letters.map(|record| (record.number, record.state.unwrap())).collect()
}

fn revised(ordinal: u64, outcome: Outcome, letter: Option<RowLetter>) -> Revision {
    let row = RevisedRow { ordinal, outcome, id: Some(Uuid::from_u128(77)), letter };
    Revision { chunk: 0, at: time(40), rows: vec![row], judgement: None, again: false }
}

#[tokio::test]
async fn a_deferral_becomes_its_outcome_exactly_once() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    run.settle(mixed(0, 10)).await.unwrap();
    run.flush().await.unwrap();
    let reader = place.reader();
    let waiting = reader.waiting(run.id()).unwrap().unwrap();
    assert_eq!((waiting.earliest, waiting.rows), (time(30), 1));
    assert_eq!(reader.due(run.id(), time(29), None).unwrap(), []);
    let due = reader.due(run.id(), time(30), None).unwrap();
    assert_eq!((due[0].chunk, due[0].records), (0, 1));
    assert_eq!(reader.due(run.id(), time(0), Some("too_long")).unwrap(), due);
    let rows = reader.due_rows(run.id(), 0, time(30), None).unwrap();
    assert_eq!((rows[0].ordinal, rows[0].attempts), (10, 1));

    // Deferred again: the same letter, later.
    let mut later = row_letter(0, "held");
    later.until = Some(time(90));
    run.revise(revised(10, Outcome::Deferred, Some(later))).await.unwrap();
    run.flush().await.unwrap();
    assert_eq!(reader.waiting(run.id()).unwrap().unwrap().earliest, time(90));
    assert_eq!(reader.due_rows(run.id(), 0, time(90), None).unwrap()[0].attempts, 2);

    run.revise(revised(10, Outcome::Updated, None)).await.unwrap();
    run.flush().await.unwrap();
    assert_eq!(reader.waiting(run.id()).unwrap(), None);
    let counts = reader.run(run.id()).unwrap().counts;
    let expected =
        Counts { read: 3, updated: 1, dead_lettered: 1, created: 1, ..Counts::default() };
    assert_eq!(counts, expected);
    assert_eq!(
        reader.outcome(run.id(), 10).unwrap(),
        Some((Outcome::Updated, Some(Uuid::from_u128(77))))
    );
    assert_eq!(states(&reader), [(1, LetterState::Resolved), (2, LetterState::Open)]);
    assert_eq!(reader.causes(run.id()).unwrap().len(), 1, "what is resolved is no cause");
    assert_eq!(reader.history(1).unwrap()[0].note.as_deref(), Some("updated"));

    // A second time would count it twice: nothing more is written.
    run.revise(revised(10, Outcome::Created, None)).await.unwrap();
    let error = run.flush().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot journal a new outcome of row 10: not deferred");
    assert_eq!(reader.run(run.id()).unwrap().counts, expected);
}

#[tokio::test]
async fn deferrals_of_a_clock_that_was_ahead_wait_no_longer_than_they_had_to() {
    const AHEAD: i64 = 31_000_000;
    let place = place();
    let journal = place.open();
    let run = journal.begin(RunStart { started: time(AHEAD), ..start() }).await.unwrap();
    let mut record = mixed(0, 0);
    record.letters[0].until = Some(time(AHEAD + 90));
    run.settle(record).await.unwrap();
    run.alive(time(AHEAD + 20)).await.unwrap();
    run.flush().await.unwrap();
    for (now, expected) in [(AHEAD + 21, AHEAD + 90), (0, 70), (5, 70)] {
        journal.resume(run.id(), Vec::new(), time(now)).await.unwrap();
        let waiting = place.reader().waiting(run.id()).unwrap().unwrap();
        assert_eq!(waiting.earliest, time(expected), "{now}");
    }
}

#[tokio::test]
async fn the_run_begun_last_comes_first_whatever_the_clock_showed() {
    let place = place();
    let journal = place.open();
    let ahead = journal.begin(RunStart { started: time(86_400), ..start() }).await.unwrap();
    let last = journal.begin(start()).await.unwrap();
    let runs: Vec<_> = place.reader().runs().unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(runs, [last.id().clone(), ahead.id().clone()]);
}

#[tokio::test]
async fn a_deferral_can_become_a_dead_letter() {
    let place = place();
    let run = place.open().begin(start()).await.unwrap();
    run.settle(mixed(0, 0)).await.unwrap();
    run.revise(revised(0, Outcome::DeadLettered, Some(row_letter(0, "0x80040265")))).await.unwrap();
    run.flush().await.unwrap();
    let reader = place.reader();
    assert_eq!(reader.run(run.id()).unwrap().counts.dead_lettered, 2);
    assert_eq!(
        states(&reader),
        [(1, LetterState::Resolved), (2, LetterState::Open), (3, LetterState::Open)]
    );
}

#[tokio::test]
async fn newer_data_supersedes_by_key_or_record_and_never_in_its_own_run() {
    let place = place();
    let journal = place.open();
    let old = journal.begin(start()).await.unwrap();
    let mut record = mixed(0, 0);
    record.letters[1].key = None;
    record.letters[1].letter.id = Some(Uuid::from_u128(9));
    old.settle(record).await.unwrap();
    old.flush().await.unwrap();
    assert_eq!(place.reader().open_marks(10).unwrap(), (vec![1, 9], true));
    assert_eq!(place.reader().open_marks(1).unwrap(), (vec![1], false));

    let new = journal.begin(start()).await.unwrap();
    new.settle(ChunkRecord { supersedes: vec![1], ..mixed(0, 0) }).await.unwrap();
    let leaving = Intent { supersedes: vec![9, 404], ..intent(0..2) };
    new.intent(leaving).await.unwrap();
    let reader = place.reader();
    use LetterState::{Open, Superseded};
    assert_eq!(states(&reader), [(1, Superseded), (2, Superseded), (3, Open), (4, Open)]);
    assert_eq!(reader.history(2).unwrap()[0].run.as_ref(), Some(new.id()));
}

#[tokio::test]
async fn dropped_letters_keep_the_reason_and_replayed_ones_what_came_of_them() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    run.settle(mixed(0, 0)).await.unwrap();
    run.flush().await.unwrap();
    let drop = async |filter: LetterFilter| {
        journal.drop_letters(filter, "sold".into(), time(50)).await.unwrap()
    };
    let second = || LetterFilter { number: Some(2), ..LetterFilter::default() };
    let other = LetterFilter { cause: Some("other".into()), ..second() };
    assert_eq!((drop(other).await, drop(second()).await, drop(second()).await), (0, 1, 0));
    let reader = place.reader();
    let event = reader.history(2).unwrap().remove(0);
    assert_eq!((event.at, event.note.as_deref()), (time(50), Some("sold")));

    let replay = RunStart { kind: RunKind::Replay, ..start() };
    let again = journal.begin(replay).await.unwrap();
    let mut record = chunk(0, 0, &[Outcome::Unchanged]);
    record.replays = vec![(0, 1)];
    again.settle(record).await.unwrap();
    again.flush().await.unwrap();
    assert_eq!(states(&reader), [(1, LetterState::Replayed), (2, LetterState::Dropped)]);
    let event = reader.history(1).unwrap().remove(0);
    assert_eq!((event.run.as_ref(), event.note.as_deref()), (Some(again.id()), Some("unchanged")));
    assert_eq!(reader.run(again.id()).unwrap().kind, RunKind::Replay);
}

#[tokio::test]
async fn what_is_settled_is_known_row_by_row() {
    let place = place();
    let run = place.open().begin(start()).await.unwrap();
    run.settle(chunk(0, 0, &[Outcome::Created; 4])).await.unwrap();
    let mut gaps = chunk(1, 4, &[Outcome::Created; 3]);
    gaps.ordinals = vec![4, 6, 9];
    run.settle(gaps).await.unwrap();
    run.flush().await.unwrap();
    let reader = place.reader();
    assert_eq!(reader.settled(run.id(), 2, 8).unwrap(), [2, 3, 4, 6]);
    assert_eq!(reader.settled(run.id(), 10, 99).unwrap(), Vec::<u64>::new());
    let spans = reader.spans(run.id()).unwrap();
    assert_eq!(spans.iter().map(|span| span.records).collect::<Vec<_>>(), [4, 3]);
}
