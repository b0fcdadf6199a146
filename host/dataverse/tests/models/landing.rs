//! The real client against a modelled service under the real limits, on a
//! paused clock, next to an oracle that knows the limits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::{ArrayRef, StringArray};
use bytes::Bytes;
use dvsync_dataverse::{
    Address, Client, ClientSettings, Clock, Credential, Field, Form, Operation, PrincipalSettings,
    Transport, TransportError, Write, WriteBuilder, Written,
};
use dvsync_model::{Bulk, Column, Entity, Kind, Ownership, Required, Secret};
use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::service::{Service, Spec, oracle};

/// Records of each request.
pub(crate) const RECORDS: usize = 100;
/// Batches that the engine has under way at most.
const CALLERS: usize = 128;

/// One run and its oracle.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Records.
    pub(crate) landed: usize,
    /// Records that the oracle landed.
    pub(crate) oracle: usize,
    /// Requests after the first window.
    pub(crate) sent_later: usize,
    /// 429s among their replies.
    pub(crate) refused_later: usize,
    /// 429s altogether.
    pub(crate) refused: usize,
    /// Sent although a `Retry-After` of the same principal had not passed.
    pub(crate) early: usize,
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(crate) fn of_oracle_percent(&self) -> f64 {
        100.0 * self.landed as f64 / self.oracle.max(1) as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(crate) fn refused_percent(&self) -> f64 {
        100.0 * self.refused_later as f64 / self.sent_later.max(1) as f64
    }
}

/// So many principals, against so many web servers, for so many windows.
pub(crate) fn land(principals: usize, servers: usize, windows: u32, seed: u64) -> Figures {
    let spec = Spec { servers, seed, ..Spec::default() };
    let end = Duration::from_secs_f64(spec.window_seconds) * windows;
    let best = oracle(&spec, principals, RECORDS, end);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let log = runtime.block_on(send(spec, principals, end, seed));
    Figures {
        landed: log.landed * RECORDS,
        oracle: best * RECORDS,
        sent_later: log.sent_later,
        refused_later: log.refused_later,
        refused: log.refused,
        early: log.early,
    }
}

async fn send(spec: Spec, principals: usize, end: Duration, seed: u64) -> Log {
    let clock = Clock::new();
    let window = Duration::from_secs_f64(spec.window_seconds);
    let log = Log { asked_to_wait: vec![Duration::ZERO; principals], ..Log::default() };
    let wire = Arc::new(Wire { state: Mutex::new((Service::new(spec), log)), clock, window, end });
    let principals = (0..principals)
        .map(|number| PrincipalSettings {
            name: number.to_string(),
            credential: Credential::Token(Secret::new(number.to_string())),
        })
        .collect();
    let url = "https://contoso.crm.dynamics.com";
    let settings = ClientSettings { seed: Some(seed), ..ClientSettings::new(url, principals) };
    let client = Client::new(settings, wire.clone(), clock).unwrap();
    let write = accounts();
    let callers = (0..CALLERS).map(|_| async {
        loop {
            let written = client.write(&write, Form::Bulk).await;
            assert!(matches!(written, Written::Each(_)), "{written:?}");
        }
    });
    tokio::select! {
        _ = futures::future::join_all(callers) => {}
        () = clock.sleep_until(end) => {}
    }
    let state = wire.state.lock().unwrap();
    state.1.clone()
}

#[derive(Debug, Clone, Default)]
struct Log {
    landed: usize,
    sent_later: usize,
    refused: usize,
    refused_later: usize,
    early: usize,
    asked_to_wait: Vec<Duration>,
}

struct Wire {
    state: Mutex<(Service, Log)>,
    clock: Clock,
    window: Duration,
    end: Duration,
}

impl Transport for Wire {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        async move {
            let token = request.headers()["authorization"].to_str().unwrap();
            let principal: usize = token.strip_prefix("Bearer ").unwrap().parse().unwrap();
            let now = self.clock.now();
            let answer = {
                let (service, log) = &mut *self.state.lock().unwrap();
                log.sent_later += usize::from(now >= self.window);
                log.early += usize::from(now < log.asked_to_wait[principal]);
                service.receive(now, principal, RECORDS)
            };
            self.clock.sleep_until(now + answer.after).await;
            let now = self.clock.now();
            let log = &mut self.state.lock().unwrap().1;
            let mut response = http::Response::builder()
                .status(answer.status)
                .header("odata-version", "4.0")
                .header("x-ms-dop-hint", "52");
            if let Some((requests, seconds)) = answer.remaining {
                response = response
                    .header("x-ms-ratelimit-burst-remaining-xrm-requests", requests.to_string())
                    .header("x-ms-ratelimit-time-remaining-xrm-requests", format!("{seconds:.2}"));
            }
            let mut body = String::new();
            match answer.status {
                204 => log.landed += usize::from(now <= self.end),
                429 => {
                    log.refused += 1;
                    log.refused_later += usize::from(now >= self.window);
                    let code = answer.code;
                    body = format!(r#"{{"error":{{"code":"{code}","message":"too much"}}}}"#);
                    if let Some(seconds) = answer.retry_after {
                        response = response.header("retry-after", seconds.to_string());
                        let until = now + Duration::from_secs(seconds);
                        let known = &mut log.asked_to_wait[principal];
                        *known = (*known).max(until);
                    }
                }
                status => panic!("{status}"),
            }
            Ok(response.body(body.into()).unwrap())
        }
        .boxed()
    }
}

/// A hundred accounts with a name each.
fn accounts() -> Write {
    let name = Column {
        logical_name: "name".to_owned(),
        kind: Kind::Text { length_max: 160 },
        required: Required::No,
        valid_for_create: true,
        valid_for_update: true,
        valid_for_read: true,
    };
    let names: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..RECORDS).map(|row| format!("Contoso {row}"))));
    let fields = [Field::new(&name, names).unwrap()];
    let entity = Entity {
        logical_name: "account".to_owned(),
        entity_set: "accounts".to_owned(),
        primary_id: "accountid".to_owned(),
        primary_name: Some("name".to_owned()),
        ownership: Ownership::User,
        change_tracking: false,
        optimistic_concurrency: true,
        enforce_transitions: false,
        bulk: Bulk { create: true, update: true },
        columns: vec![name],
        keys: Vec::new(),
    };
    let mut builder = WriteBuilder::new(Arc::new(entity), Operation::Update);
    for row in 0..RECORDS {
        builder.push(Address::Id(Uuid::from_u128(row as u128 + 1)), &fields, row, &|_| true);
    }
    builder.finish()
}
