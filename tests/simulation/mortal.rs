//! A way to the service that ends with the process: after so many requests no
//! reply comes any more, and whoever waits for the death is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dvsync_cli::Embedded;
use dvsync_dataverse::{Transport, TransportError};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::Notify;

pub(crate) struct Mortal {
    pub(crate) inner: Embedded,
    /// Requests until death; none: immortal.
    pub(crate) left: Option<AtomicUsize>,
    /// Whether the service gets the last request.
    pub(crate) last_arrives: bool,
    pub(crate) died: Arc<Notify>,
}

impl Transport for Mortal {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            let Some(left) = &self.left else { return self.inner.send(request, timeout).await };
            // 1 is the last that leaves; later ones never do.
            let order = left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    Some(left.saturating_sub(1))
                })
                .unwrap_or(0);
            if order > 1 {
                return self.inner.send(request, timeout).await;
            }
            if order == 1 && self.last_arrives {
                drop(self.inner.send(request, timeout).await);
            }
            self.died.notify_one();
            std::future::pending().await
        }
        .boxed()
    }
}
