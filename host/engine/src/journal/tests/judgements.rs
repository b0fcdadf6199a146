//! Rows by the judgement that they rest on, and rows that are judged again.

use super::*;

fn under(number: u64, first: u64, outcomes: &[Outcome], judgement: &str) -> ChunkRecord {
    ChunkRecord { judgement: Some(judgement.into()), ..chunk(number, first, outcomes) }
}

fn row(ordinal: u64, outcome: Outcome, code: Option<&str>) -> RevisedRow {
    let letter = code.map(|code| row_letter(0, code));
    RevisedRow { ordinal, outcome, id: Some(Uuid::from_u128(99)), letter }
}

fn by_judgement(reader: &Reader, id: &RunId) -> Vec<(Option<String>, u64, u64)> {
    let judged = reader.judgements(id).unwrap().into_iter();
    judged.map(|of| (of.judgement, of.counts.read, of.counts.created)).collect()
}

#[tokio::test]
async fn rows_are_counted_by_judgement_and_a_deferred_one_by_that_of_its_end() {
    use Outcome::{Created, Deferred, Updated};
    let place = place();
    let run = place.open().begin(start()).await.unwrap();
    run.settle(under(0, 0, &[Created, Deferred, Created], "one")).await.unwrap();
    run.settle(under(1, 3, &[Updated, Created], "two")).await.unwrap();
    run.flush().await.unwrap();
    let (reader, id) = (place.reader(), run.id().clone());
    let (one, two) = (Some("one".to_owned()), Some("two".to_owned()));
    assert_eq!(by_judgement(&reader, &id), [(one.clone(), 3, 2), (two.clone(), 2, 1)]);

    let revision = |judgement: &str| Revision {
        chunk: 0,
        at: time(9),
        rows: vec![row(1, Created, None)],
        judgement: Some(judgement.into()),
        again: false,
    };
    run.revise(revision("two")).await.unwrap();
    run.flush().await.unwrap();
    assert_eq!(by_judgement(&reader, &id), [(one, 2, 2), (two, 3, 2)]);
    let chunks = |judgement| -> Vec<u64> {
        let spans = reader.judged_under(&id, judgement).unwrap();
        spans.into_iter().map(|span| span.chunk).collect()
    };
    assert_eq!((chunks("one"), chunks("two"), chunks("three")), (vec![0], vec![0, 1], vec![]));
}

#[tokio::test]
async fn a_chunk_that_is_judged_again_rests_on_the_new_judgement_alone() {
    use Outcome::{Created, DeadLettered, Deferred, Dropped};
    let place = place();
    let run = place.open().begin(start()).await.unwrap();
    let mut bad = under(0, 0, &[Created, Deferred, DeadLettered, Dropped], "bad");
    bad.letters[2].letter.code = "duplicate_in_source".to_owned();
    run.settle(bad).await.unwrap();
    let other = Revision {
        chunk: 0,
        at: time(8),
        rows: vec![row(1, Created, None)],
        judgement: Some("other".into()),
        again: false,
    };
    run.revise(other).await.unwrap();
    run.flush().await.unwrap();
    let (reader, id) = (place.reader(), run.id().clone());
    let rows = reader.judged_rows(&id, 0).unwrap();
    let shown: Vec<_> = rows.iter().map(|(at, row)| (*at, row.outcome, row.why.clone())).collect();
    let why = Some(("too_long".to_owned(), Some("name".to_owned())));
    let expect = [(0, Created, None), (1, Created, None), (2, DeadLettered, why)];
    assert_eq!(shown, expect, "a duplicate is none for any rule");

    let again = vec![row(0, Created, None), row(1, Dropped, Some("no")), row(2, Created, None)];
    let judgement = Some("good".into());
    let again = Revision { chunk: 0, at: time(9), rows: again, judgement, again: true };
    run.revise(again).await.unwrap();
    run.flush().await.unwrap();
    assert_eq!(by_judgement(&reader, &id), [(Some("good".to_owned()), 4, 2)]);
    assert!(reader.judged_under(&id, "bad").unwrap().is_empty());
    assert!(reader.judged_under(&id, "other").unwrap().is_empty());
    let codes: Vec<String> =
        reader.letters(&id).unwrap().map(|letter| letter.unwrap().letter.code).collect();
    assert_eq!(codes, ["duplicate_in_source", "no"]);
    let closed = reader.history(2).unwrap().pop().unwrap();
    assert_eq!(closed.note.as_deref(), Some("judged again: created"));
    assert_eq!(reader.waiting(&id).unwrap(), None);
}

#[tokio::test]
async fn which_versions_judge_is_written_in_order_with_what_they_judged() {
    let place = place();
    let run = place.open().begin(start()).await.unwrap();
    let used = |judgement: &str, standing| RuleUsed {
        judgement: judgement.into(),
        standing,
        ..start().rules[0].clone()
    };
    let rules = vec![used("one", RuleStanding::Superseded), used("two", RuleStanding::Live)];
    run.rules(rules.clone()).await.unwrap();
    run.settle(under(0, 0, &[Outcome::Created], "two")).await.unwrap();
    run.flush().await.unwrap();
    assert_eq!(place.reader().run(run.id()).unwrap().rules, rules);
}
