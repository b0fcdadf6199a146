//! CPU and disk work, off the threads that drive the network.

use crate::error::RunError;

/// Runs `work` on a blocking thread; what it logs stands in the caller's span.
///
/// # Errors
/// The work panicked: a bug of ours.
pub(crate) async fn unblock<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RunError> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await.map_err(RunError::panicked)
}
