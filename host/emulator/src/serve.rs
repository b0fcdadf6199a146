//! The emulator behind HTTP/1.1, with or without TLS.
//!
//! The only place with sockets and real time: it takes the wall clock, waits
//! out a reply's delay and really cuts connections. One task a connection, all
//! of them awaited before it returns.

mod spoiled;
mod tls;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::emulator::{Cut, Emulator, Handled, Secure};
use spoiled::Body;
pub use tls::{SelfSigned, Tls};

/// Largest body that is taken (*Use bulk operation messages* names 116.85 MB).
const BODY_MAX: usize = 128 << 20;
/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long requests under way may take once it is to stop.
const GRACE: Duration = Duration::from_secs(5);
/// A reply that stalls for ever ends after this.
const STALL_MAX: Duration = Duration::from_secs(600);
/// Pause after an accept that failed, as it does without file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done; then ends what is under way and flushes.
///
/// # Errors
/// The state cannot be flushed.
pub async fn serve(
    emulator: Arc<Emulator>,
    listener: TcpListener,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let emulator = Arc::clone(&emulator);
                    connections.spawn(connection(emulator, stream, tls.clone(), graceful.watcher()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep_until(Instant::now() + ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async {
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!("requests were still under way");
    }
    emulator.flush().map_err(std::io::Error::other)
}

async fn connection(
    emulator: Arc<Emulator>,
    stream: TcpStream,
    tls: Option<Tls>,
    watcher: Watcher,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    match tls {
        None => speak(emulator, stream, false, watcher).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
            Ok(Ok(stream)) => speak(emulator, stream, true, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        },
    }
}

async fn speak(
    emulator: Arc<Emulator>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    secure: bool,
    watcher: Watcher,
) {
    let service = service_fn(move |request| answer(Arc::clone(&emulator), request, secure));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// The connection is to be cut.
#[derive(Debug, thiserror::Error)]
#[error("cut on command")]
struct CutError;

async fn answer(
    emulator: Arc<Emulator>,
    request: Request<Incoming>,
    secure: bool,
) -> Result<Response<Body>, CutError> {
    let arrived = Instant::now();
    let (mut parts, body) = request.into_parts();
    let body = match Limited::new(body, BODY_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(status(StatusCode::PAYLOAD_TOO_LARGE)),
    };
    if secure {
        parts.extensions.insert(Secure);
    }
    let request = Request::from_parts(parts, body);
    let now = wall_clock();
    let handled = tokio::task::spawn_blocking(move || emulator.handle(request, now)).await;
    let Ok(Handled { response, delay, cut }) = handled else {
        tracing::error!("a request could not be handled");
        return Ok(status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    if delay > Duration::ZERO {
        tokio::time::sleep_until(arrived + delay).await;
    }
    match cut {
        Some(Cut::BeforeCommit | Cut::AfterCommit) => Err(CutError),
        Some(Cut::Truncate(bytes)) => Ok(response.map(|body| Body::truncated(body, bytes))),
        Some(Cut::Stall { bytes, pause }) => {
            let until = Instant::now() + pause.unwrap_or(STALL_MAX).min(STALL_MAX);
            let goes_on = pause.is_some();
            Ok(response.map(|body| Body::stalled(body, bytes, until, goes_on)))
        }
        None => Ok(response.map(Body::whole)),
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

#[expect(clippy::disallowed_methods, reason = "the one place where real time enters")]
fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
