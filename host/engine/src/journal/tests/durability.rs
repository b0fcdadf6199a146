//! What was acknowledged is there, whatever happens to the process.

use proptest::prelude::*;

use super::*;
use crate::journal::{schema, writer::Writer};

#[tokio::test]
async fn a_finished_run_is_read_back_whole() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    assert_eq!(run.id().as_str(), "20261122T085301-4f2a");
    let request = run.intent(intent(0..2)).await.unwrap();
    run.replied(request, landed(2)).await.unwrap();
    let settled = chunk(0, 0, &[Outcome::Created, Outcome::Created, Outcome::DeadLettered]);
    run.settle(settled.clone()).await.unwrap();
    let counts = Counts { read: 3, created: 2, dead_lettered: 1, ..Counts::default() };
    run.finish(end(RunStatus::WithDeadLetters, counts)).await.unwrap();

    let reader = place.reader();
    let record = reader.run(run.id()).unwrap();
    assert_eq!((record.status, record.counts), (RunStatus::WithDeadLetters, counts));
    assert_eq!((record.rules, record.sources), (start().rules, start().sources));
    assert_eq!((record.started, record.ended), (time(0), Some(time(60))));
    assert_eq!(record.requests.sent, 3);
    let chunks: Vec<_> = reader.outcomes(run.id()).unwrap().map(Result::unwrap).collect();
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].outcomes, settled.outcomes);
    assert_eq!((&chunks[0].ids, &chunks[0].next), (&settled.ids, &settled.next));
    assert_eq!(reader.doubts().map(Result::unwrap).collect::<Vec<_>>(), []);
}

#[tokio::test]
async fn two_runs_of_one_second_have_different_names() {
    let place = place();
    let journal = place.open();
    let first = journal.begin(start()).await.unwrap();
    let second = journal.begin(start()).await.unwrap();
    assert_eq!(second.id().as_str(), "20261122T085301-4f2b");
    assert!(first.id() < second.id());
}

#[tokio::test]
async fn a_killed_run_leaves_its_requests_in_doubt_and_can_be_resumed() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    let done = run.intent(intent(0..3)).await.unwrap();
    run.replied(done, landed(3)).await.unwrap();
    run.settle(chunk(0, 0, &[Outcome::Created; 3])).await.unwrap();
    run.intent(intent(3..500)).await.unwrap();

    let after = killed(journal.path());
    let record = after.reader().run(run.id()).unwrap();
    assert_eq!(record.status, RunStatus::Interrupted);
    assert_eq!(record.counts, Counts { read: 3, created: 3, ..Counts::default() });

    let reopened = after.open();
    let doubts = after.reader().doubts().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    assert_eq!((doubts[0].fate, doubts[0].operation.as_str()), (Fate::Open, "create"));
    assert_eq!(
        (&doubts[0].ordinals, &doubts[0].ids),
        (&intent(3..500).ordinals, &intent(3..500).ids)
    );
    assert_eq!(after.reader().run(run.id()).unwrap().status, RunStatus::Interrupted);

    let resumed = reopened.resume(run.id(), start().rules, time(9)).await.unwrap();
    assert_eq!(after.reader().run(run.id()).unwrap().status, RunStatus::Running);
    resumed.replied(doubts[0].intent, landed(497)).await.unwrap();
    resumed.flush().await.unwrap();
    assert_eq!(after.reader().doubts().map(Result::unwrap).collect::<Vec<_>>(), []);
}

#[tokio::test]
async fn a_dropped_journal_has_written_what_was_queued() {
    let place = place();
    let run = place.open().begin(start()).await.unwrap();
    let id = run.id().clone();
    for number in 0..100 {
        run.settle(chunk(number, number, &[Outcome::Unchanged])).await.unwrap();
    }
    drop(run);
    assert_eq!(place.reader().run(&id).unwrap().counts.unchanged, 100);
}

#[tokio::test]
async fn a_full_disk_fails_the_call_that_waits_and_all_later_ones() {
    let place = place();
    drop(place.open());
    let connection = schema::open_writable(&place.path, Durability::Process).unwrap();
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 8);
    connection.query_row(&limit, [], |_| Ok(())).unwrap();
    let writer = Writer::start(place.path.clone(), connection).unwrap();
    let run = over(&place, writer);
    let handle = run.begin(start()).await.unwrap();
    // Queued without a word, then too large for the disk.
    handle.settle(chunk(0, 0, &[Outcome::DeadLettered; 2000])).await.unwrap();
    let failed = handle.flush().await.unwrap_err();
    assert!(failed.hint().unwrap().contains("free space"), "{failed:?}");
    assert!(std::error::Error::source(&failed).unwrap().to_string().contains("full"));
    for _ in 0..3 {
        handle.settle(chunk(1, 9000, &[Outcome::Created])).await.unwrap_err();
        handle.intent(intent(0..1)).await.unwrap_err();
    }
    handle.finish(end(RunStatus::Complete, Counts::default())).await.unwrap_err();
    let record = place.reader().run(handle.id()).unwrap();
    assert_eq!((record.ended, record.counts.read), (None, 0), "no half of a group is kept");
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_says_so_at_once() {
    let place = place();
    drop(place.open());
    let connection = schema::open_readable(&place.path).unwrap();
    let journal = over(&place, Writer::start(place.path.clone(), connection).unwrap());
    let failed = journal.begin(start()).await.unwrap_err();
    assert!(matches!(failed, JournalError::Sqlite { verb: "write", .. }), "{failed:?}");
}

#[tokio::test]
async fn a_disk_that_does_not_keep_up_holds_the_run_back() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    let side = rusqlite::Connection::open(&place.path).unwrap();
    side.execute_batch("BEGIN IMMEDIATE").unwrap();
    // One is on its way to the disk, the rest waits: no more than that.
    let mut taken = 0;
    while taken < 1000 {
        let settled = run.settle(chunk(taken, taken, &[Outcome::Created]));
        match futures::FutureExt::now_or_never(settled) {
            Some(told) => told.unwrap(),
            None => break,
        }
        taken += 1;
    }
    assert!((32..=34).contains(&taken), "{taken} chunks wait in memory");
    side.execute_batch("COMMIT").unwrap();
    run.flush().await.unwrap();
    assert_eq!(place.reader().run(run.id()).unwrap().counts.created, taken);
}

#[tokio::test]
async fn many_waiting_callers_share_commits_and_each_gets_its_own_answer() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    let calls = (0..300_u64).map(|at| run.intent(intent(at..at + 1)));
    let ids = futures_joined(calls).await;
    assert_eq!(ids.len(), 300);
    let doubts = place.reader().doubts().map(Result::unwrap).collect::<Vec<_>>();
    for (at, id) in (0..).zip(ids) {
        let doubt = doubts.iter().find(|doubt| doubt.intent == id).unwrap();
        assert_eq!(doubt.ordinals, [at]);
    }
}

async fn futures_joined<F>(calls: impl Iterator<Item = F>) -> Vec<IntentId>
where
    F: Future<Output = Result<IntentId, JournalError>>,
{
    let mut set = futures::stream::FuturesOrdered::new();
    set.extend(calls);
    futures::TryStreamExt::try_collect(set).await.unwrap()
}

fn over(place: &Place, writer: Writer) -> Journal {
    let lock = RunLock::take(&place.path).unwrap();
    let shared = Shared { writer, _lock: lock, path: place.path.clone() };
    Journal { shared: Arc::new(shared) }
}

#[derive(Debug, Clone)]
enum Step {
    Intent(u8),
    Reply(u8),
    Settle(Vec<usize>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..20_u8).prop_map(Step::Intent),
        any::<u8>().prop_map(Step::Reply),
        proptest::collection::vec(0..9_usize, 0..20).prop_map(Step::Settle),
    ];
    proptest::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Killed after any step: everything told before the last acknowledged
    /// write is there.
    #[test]
    fn what_was_acknowledged_survives_a_kill(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let place = place();
            let journal = place.open();
            let run = journal.begin(start()).await.unwrap();
            let (mut open, mut counts, mut letters, mut row, mut number) =
                (Vec::new(), Counts::default(), 0, 0_u64, 0);
            for step in &steps {
                match step {
                    Step::Intent(rows) => {
                        open.push(run.intent(intent(row..row + u64::from(*rows))).await.unwrap());
                    }
                    Step::Reply(which) if !open.is_empty() => {
                        let id = open.remove(usize::from(*which) % open.len());
                        run.replied(id, landed(1)).await.unwrap();
                    }
                    Step::Reply(_) => {}
                    Step::Settle(rows) => {
                        let outcomes: Vec<_> = rows.iter().map(|&at| Outcome::ALL[at]).collect();
                        let settled = chunk(number, row, &outcomes);
                        letters += settled.letters.len();
                        run.settle(settled).await.unwrap();
                        outcomes.iter().for_each(|&outcome| counts.settle(outcome));
                        row += outcomes.len() as u64;
                        number += 1;
                    }
                }
            }
            open.push(run.intent(intent(row..row + 1)).await.unwrap());
            let after = killed(journal.path());
            drop(after.open());
            let reader = after.reader();
            assert_eq!(reader.run(run.id()).unwrap().counts, counts);
            assert_eq!(reader.letters(run.id()).unwrap().map(Result::unwrap).count(), letters);
            let doubts: Vec<_> = reader.doubts().map(Result::unwrap).collect::<Vec<_>>().iter().map(|doubt| doubt.intent).collect();
            assert_eq!(doubts, open);
        });
    }
}
