//! A reply's body: whole, cut short, or stalled.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// A body that may promise more than it gives.
#[derive(Debug)]
pub(super) struct Body {
    data: Option<Bytes>,
    promised: u64,
    ending: Ending,
}

#[derive(Debug)]
enum Ending {
    Whole,
    /// First what is there must be on the wire.
    CutSoon,
    Cut,
    /// Nothing comes until then; after that the rest, or the cut.
    Stalled {
        until: Pin<Box<Sleep>>,
        rest: Option<Bytes>,
    },
}

/// The rest of the body never comes.
#[derive(Debug, thiserror::Error)]
#[error("truncated on command")]
pub(super) struct Truncated;

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Body {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { promised: length(&bytes), data: Some(bytes), ending: Ending::Whole }
    }

    /// Promises all and gives the first `kept` bytes.
    pub(super) fn truncated(bytes: Bytes, kept: usize) -> Self {
        let kept = kept.min(bytes.len());
        let ending = if kept == bytes.len() { Ending::Whole } else { Ending::CutSoon };
        Self { promised: length(&bytes), data: Some(bytes.slice(..kept)), ending }
    }

    /// Gives the first `kept` bytes, then nothing until then, and then the rest if
    /// it goes on.
    pub(super) fn stalled(bytes: Bytes, kept: usize, until: Instant, goes_on: bool) -> Self {
        if bytes.is_empty() {
            return Self::whole(bytes);
        }
        // A reply that has arrived in full does not stall.
        let kept = kept.min(bytes.len() - 1);
        let rest = goes_on.then(|| bytes.slice(kept..));
        let ending = Ending::Stalled { until: Box::pin(sleep_until(until)), rest };
        Self { promised: length(&bytes), data: Some(bytes.slice(..kept)), ending }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Truncated;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Truncated>>> {
        if let Some(data) = self.data.take().filter(|data| !data.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::CutSoon => {
                self.ending = Ending::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Cut => Poll::Ready(Some(Err(Truncated))),
            Ending::Stalled { until, rest } => {
                if until.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                let rest = rest.take();
                self.ending = Ending::Whole;
                Poll::Ready(Some(rest.map(Frame::data).ok_or(Truncated)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.ending, Ending::Whole) && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
