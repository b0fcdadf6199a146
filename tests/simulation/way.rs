//! The way to the service: requests that arrive twice, late or never, and the
//! end of the process that sends them.
//!
//! A process ends with its so manieth request: from then on no reply comes, and
//! whoever waits for its death is told; or somebody asks it to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dvsync_cli::Embedded;
use dvsync_dataverse::{Clock, Phase, Transport, TransportError, TransportFault};
use dvsync_emulator::Emulator;
use dvsync_engine::Stop;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use tokio::sync::Notify;

use crate::case::{Death, How, LATE_MAX, Last};
use crate::witness::Witness;

pub(crate) struct Way {
    emulator: Arc<Emulator>,
    /// Of the service.
    clock: Clock,
    faults: WayFaults,
    death: Option<Death>,
    /// Looks whether what leaves is on the disk.
    witness: Option<Witness>,
    pub(crate) died: Notify,
    pub(crate) stop: Stop,
    sent: AtomicUsize,
    writes: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

/// No process sends so many.
const REQUESTS_MAX: usize = 20_000;

/// Every so many writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WayFaults {
    pub(crate) twice: Option<usize>,
    pub(crate) late: Option<usize>,
}

/// What a way has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) sent: usize,
    pub(crate) most_in_flight: usize,
}

/// What becomes of a request.
enum Course {
    Plain,
    Twice,
    Late(Duration),
    Dies(Last),
    Never,
}

impl Way {
    pub(crate) fn new(
        emulator: Arc<Emulator>,
        clock: Clock,
        faults: WayFaults,
        death: Option<Death>,
        witness: Option<Witness>,
    ) -> Self {
        Self {
            emulator,
            clock,
            faults,
            death,
            witness,
            died: Notify::new(),
            stop: Stop::new(),
            sent: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            sent: self.sent.load(Ordering::Relaxed),
            most_in_flight: self.most_in_flight.load(Ordering::Relaxed),
        }
    }

    fn course(&self, request: &Request<Bytes>) -> Course {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        if number > REQUESTS_MAX {
            println!("{}: {} {}", self.clock.now().as_secs(), request.method(), request.uri());
            assert!(number < REQUESTS_MAX + 20, "requests without an end");
        }
        match &self.death {
            Some(Death { after, how: How::Stopped }) if number == *after => self.stop.ask(),
            Some(Death { after, how: How::Killed { last, .. } }) if number == *after => {
                return Course::Dies(*last);
            }
            Some(Death { after, how: How::Killed { .. } }) if number > *after => {
                return Course::Never;
            }
            _ => {}
        }
        if !is_write(request) {
            return Course::Plain;
        }
        let write = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(witness) = &self.witness {
            witness.look(write, request.body());
        }
        let hit = |every: Option<usize>| every.is_some_and(|every| write.is_multiple_of(every));
        if hit(self.faults.late) {
            let seconds = u64::try_from(write * 37).unwrap() % LATE_MAX + 1;
            Course::Late(Duration::from_secs(seconds))
        } else if hit(self.faults.twice) {
            Course::Twice
        } else {
            Course::Plain
        }
    }

    fn arrive(emulator: &Emulator, clock: &Clock, request: Request<Bytes>) {
        let now = Duration::try_from(clock.wall().as_duration()).unwrap();
        drop(emulator.handle(request, now));
    }

    fn arrive_later(&self, request: Request<Bytes>, wait: Duration) {
        let (emulator, clock) = (Arc::clone(&self.emulator), self.clock);
        let at = clock.now() + wait;
        tokio::spawn(async move {
            clock.sleep_until(at).await;
            Self::arrive(&emulator, &clock, request);
        });
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let embedded = Embedded::new(Arc::clone(&self.emulator), self.clock);
        match self.course(&request) {
            Course::Plain => {}
            Course::Twice => Self::arrive(&self.emulator, &self.clock, request.clone()),
            Course::Late(wait) => {
                self.arrive_later(request, wait);
                let message = "the connection was closed before a reply came".to_owned();
                return Err(TransportError {
                    phase: Phase::Sent,
                    kind: TransportFault::Reset,
                    message,
                });
            }
            Course::Dies(last) => {
                match last {
                    Last::Lost => {}
                    Last::Arrives => Self::arrive(&self.emulator, &self.clock, request),
                    Last::Late(wait) => self.arrive_later(request, wait),
                }
                self.died.notify_one();
                return std::future::pending().await;
            }
            Course::Never => return std::future::pending().await,
        }
        embedded.send(request, timeout).await
    }
}

/// Ends with the request, however that ends.
struct InFlight<'w>(&'w Way);

impl<'w> InFlight<'w> {
    fn begin(way: &'w Way) -> Self {
        let now = way.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        way.most_in_flight.fetch_max(now, Ordering::Relaxed);
        Self(way)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Not a token either.
fn is_write(request: &Request<Bytes>) -> bool {
    *request.method() == Method::POST && request.uri().path().starts_with("/api/data/")
}

impl Transport for Way {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let counted = request.uri().path().starts_with("/api/data/");
        async move {
            let _in_flight = counted.then(|| InFlight::begin(self));
            self.exchange(request, timeout).await
        }
        .boxed()
    }
}
