//! The emulator in process, as the client's way to the target.
//!
//! The second real [`Transport`]: no sockets; what the emulator says of delays
//! and broken connections happens here as it would on a wire.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dvsync_dataverse::{Clock, Phase, Transport, TransportError, TransportFault};
use dvsync_emulator::{Cut, Emulator, Handled};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};

/// Sends requests to an emulator in process.
#[derive(Debug, Clone)]
pub struct Embedded {
    emulator: Arc<Emulator>,
    clock: Clock,
}

impl Embedded {
    /// A way to `emulator` whose time is that of `clock`.
    #[must_use]
    pub fn new(emulator: Arc<Emulator>, clock: Clock) -> Self {
        Self { emulator, clock }
    }

    async fn exchange(
        self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let began = self.clock.now();
        let since_epoch = self.clock.wall().as_duration();
        let now = Duration::try_from(since_epoch).unwrap_or_default();
        let emulator = Arc::clone(&self.emulator);
        let Handled { response, delay, cut } =
            tokio::task::spawn_blocking(move || emulator.handle(request, now))
                .await
                .map_err(|error| fault(Phase::Sent, TransportFault::Other, error.to_string()))?;
        if delay > timeout {
            self.clock.sleep_until(began + timeout).await;
            let message = format!("no reply within {} s", timeout.as_secs_f64());
            return Err(fault(Phase::Sent, TransportFault::Timeout, message));
        }
        if !delay.is_zero() {
            self.clock.sleep_until(began + delay).await;
        }
        match cut {
            None => Ok(response),
            Some(Cut::BeforeCommit | Cut::AfterCommit) => {
                let message = "the connection was closed before a reply came";
                Err(fault(Phase::Sent, TransportFault::Reset, message))
            }
            Some(Cut::Stall { bytes, pause }) => {
                let due = began + delay;
                let gives_up = began + timeout;
                if let Some(pause) = pause.filter(|pause| due + *pause <= gives_up) {
                    self.clock.sleep_until(due + pause).await;
                    return Ok(response);
                }
                self.clock.sleep_until(gives_up).await;
                let whole = response.body().len();
                let message = format!("the reply stalled after {bytes} of {whole} bytes");
                Err(fault(Phase::ReplyCut, TransportFault::Timeout, message))
            }
            Some(Cut::Truncate(bytes)) if bytes >= response.body().len() => Ok(response),
            Some(Cut::Truncate(bytes)) => {
                let whole = response.body().len();
                let message = format!("the reply ended after {bytes} of {whole} bytes");
                Err(fault(Phase::ReplyCut, TransportFault::Truncated, message))
            }
        }
    }
}

impl Transport for Embedded {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.clone().exchange(request, timeout).boxed()
    }
}

fn fault(phase: Phase, kind: TransportFault, message: impl Into<String>) -> TransportError {
    TransportError { phase, kind, message: message.into() }
}

#[cfg(test)]
mod tests {
    use dvsync_emulator::{Effect, FaultRule, LatencySettings, Settings};

    use super::*;

    fn whoami() -> Request<Bytes> {
        Request::get("https://emulator.localhost/api/data/v9.2/WhoAmI")
            .header("authorization", "Bearer emulator")
            .body(Bytes::new())
            .unwrap()
    }

    async fn send(settings: Settings) -> Result<Response<Bytes>, TransportError> {
        let emulator = Arc::new(Emulator::new(settings).unwrap());
        Embedded::new(emulator, Clock::new()).send(whoami(), Duration::from_secs(10)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_answered_in_process() {
        assert_eq!(send(Settings::default()).await.unwrap().status(), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reply_is_a_timeout_of_a_sent_request() {
        let latency = LatencySettings { base_ms: 20_000.0.into(), ..LatencySettings::default() };
        let error = send(Settings { latency, ..Settings::default() }).await.unwrap_err();
        assert_eq!((error.phase, error.kind), (Phase::Sent, TransportFault::Timeout));
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_says_how_far_the_request_came() {
        for (effect, phase, kind) in [
            (Effect::CutBeforeCommit, Phase::Sent, TransportFault::Reset),
            (Effect::CutAfterCommit, Phase::Sent, TransportFault::Reset),
            (Effect::Truncate { bytes: 10 }, Phase::ReplyCut, TransportFault::Truncated),
            (
                Effect::Stall { bytes: 10, milliseconds: None },
                Phase::ReplyCut,
                TransportFault::Timeout,
            ),
            (
                Effect::Stall { bytes: 10, milliseconds: Some(11_000) },
                Phase::ReplyCut,
                TransportFault::Timeout,
            ),
        ] {
            let faults = vec![FaultRule::always(effect)];
            let error = send(Settings { faults, ..Settings::default() }).await.unwrap_err();
            assert_eq!((error.phase, error.kind), (phase, kind));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_reply_that_goes_on_in_time_arrives_whole() {
        let effect = Effect::Stall { bytes: 0, milliseconds: Some(9000) };
        let faults = vec![FaultRule::always(effect)];
        assert_eq!(send(Settings { faults, ..Settings::default() }).await.unwrap().status(), 200);
    }
}
