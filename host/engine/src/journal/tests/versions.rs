//! Journals of older versions, and files that a power cut has left short.

use proptest::prelude::*;

use super::*;

/// Written by the first version: 40 rows, three of them dead letters, and a
/// request whose reply never came.
const V1: &[u8] = include_bytes!("v1.db");

#[test]
fn a_journal_of_version_1_is_migrated_and_keeps_its_runs() {
    let place = place();
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    std::fs::write(&place.path, V1).unwrap();
    let error = Reader::open(&place.path).unwrap_err();
    assert!(matches!(error, JournalError::Older { found: 1, known: 3, .. }), "{error:?}");
    drop(place.open());

    let reader = place.reader();
    let runs = reader.runs().unwrap();
    let expected = Counts { read: 40, created: 37, dead_lettered: 3, ..Counts::default() };
    assert_eq!((runs[0].counts, runs[0].kind), (expected, RunKind::Run));
    let id = &runs[0].id;
    assert_eq!(reader.letters(id).unwrap().count(), 3);
    assert_eq!(reader.outcome(id, 0).unwrap().unwrap().0, Outcome::Created);
    let superseded =
        LetterFilter { state: Some(LetterState::Superseded), ..LetterFilter::default() };
    assert_eq!(reader.meant(&superseded).count(), 3, "without hashes they are never replayed");
    let note = reader.history(1).unwrap().remove(0).note.unwrap();
    assert!(note.ends_with("run the job again"), "{note}");
    let doubt = reader.doubts().next().unwrap().unwrap();
    assert_eq!((doubt.operation.as_str(), doubt.ids.len()), ("create", 2));
    assert_eq!((doubt.until, doubt.alive, &doubt.keys), (None, None, &vec![None, None]));
    drop(place.open());
}

/// A journal of so many intents and chunks, as its files lie on the disk while it
/// is open: the whole file and the log beside it.
async fn written(durability: Durability) -> (Vec<u8>, Vec<u8>, RunId) {
    let place = place();
    let journal = Journal::open(&place.path, durability).unwrap();
    let run = journal.begin(start()).await.unwrap();
    for number in 0..20 {
        let request = run.intent(intent(number * 9..number * 9 + 9)).await.unwrap();
        run.replied(request, landed(9)).await.unwrap();
        run.settle(chunk(number, number * 9, &[Outcome::Created; 9])).await.unwrap();
    }
    run.flush().await.unwrap();
    let log = PathBuf::from(format!("{}-wal", journal.path().display()));
    let files = (std::fs::read(journal.path()).unwrap(), std::fs::read(log).unwrap());
    (files.0, files.1, run.id().clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The log ends anywhere, its last page torn or full of what lay there
    /// before: the journal opens, is whole, and holds a beginning of what was
    /// told, nothing later without what came before it.
    #[test]
    fn a_journal_survives_a_power_cut_at_any_byte(
        kept in 0.0_f64..1.0,
        torn in prop_oneof![Just(None), any::<u8>().prop_map(Some)],
        power_cut in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let durability = if power_cut { Durability::PowerCut } else { Durability::Process };
        let (file, mut log, id) = runtime.block_on(written(durability));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a length")]
        let length = (log.len() as f64 * kept) as usize;
        match torn {
            // A sector that was never written holds anything.
            Some(byte) => log[length..].iter_mut().take(700).for_each(|old| *old = byte),
            None => log.truncate(length),
        }
        let after = place();
        std::fs::create_dir_all(after.path.parent().unwrap()).unwrap();
        std::fs::write(&after.path, &file).unwrap();
        std::fs::write(format!("{}-wal", after.path.display()), &log).unwrap();
        drop(after.open());
        let side = rusqlite::Connection::open(&after.path).unwrap();
        let sound: String = side.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(sound, "ok");
        let reader = after.reader();
        if reader.run(&id).is_ok() {
            let chunks: Vec<u64> =
                reader.outcomes(&id).unwrap().map(|chunk| chunk.unwrap().chunk).collect();
            let all = chunks.len() as u64;
            prop_assert_eq!(chunks, (0..all).collect::<Vec<_>>());
            let intents: u64 = side
                .query_row("SELECT count(*) FROM intents", [], |row| row.get::<_, i64>(0))
                .unwrap()
                .try_into()
                .unwrap();
            prop_assert!(intents >= all, "{all} chunks, {intents} intents");
            prop_assert_eq!(reader.run(&id).unwrap().status, RunStatus::Interrupted);
        }
    }
}
