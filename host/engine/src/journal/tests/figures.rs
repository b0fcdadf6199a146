//! What the journal costs, printed: in a release build, the aims are a settled
//! row of a chunk of 8,192 below 1 us and a request of 500 ids below 100 us.

use std::time::Instant;

use super::*;

#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_row_and_a_request_cost_is_printed() {
    let place = place();
    let journal = place.open();
    let run = journal.begin(start()).await.unwrap();
    let (chunks, requests) = if cfg!(debug_assertions) { (8, 50) } else { (128, 2000) };

    let outcomes = vec![Outcome::Created; 8192];
    let records: Vec<_> = (0..chunks)
        .map(|number| {
            let mut record = chunk(number, number * 8192, &outcomes);
            record.ids = (0..8192).map(|_| Some(Uuid::new_v4())).collect();
            record
        })
        .collect();
    let began = now();
    for record in records {
        run.settle(record).await.unwrap();
    }
    run.flush().await.unwrap();
    let row = began.elapsed() / u32::try_from(chunks * 8192).unwrap();

    let began = now();
    for at in 0..requests {
        let id = run.intent(intent(at * 500..(at + 1) * 500)).await.unwrap();
        run.replied(id, landed(500)).await.unwrap();
    }
    let request = began.elapsed() / u32::try_from(requests).unwrap();

    let began = now();
    run.finish(end(RunStatus::Complete, Counts::default())).await.unwrap();
    let finish = began.elapsed();
    let bytes = std::fs::metadata(&place.path).unwrap().len();
    println!(
        "settled row {row:?}, request of 500 ids {request:?}, finish {finish:?}, {bytes} bytes"
    );
}
