//! CPU and disk work, off the threads that drive the network.

use crate::error::RunError;

/// Runs `work` on a blocking thread.
///
/// # Errors
/// The work panicked: a bug of ours.
pub(crate) async fn unblock<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RunError> {
    tokio::task::spawn_blocking(work).await.map_err(RunError::panicked)
}
