//! Bytes under way: the batches that are sent at the same time share a part of
//! the job's memory, however wide their records are.
//!
//! Pure but for waiting. Promises: what is under way stays below the limit, or is
//! one batch; whoever waits gets in once enough has landed.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are of so many bytes.
const UNIT: usize = 1 << 10;

/// How much may be under way.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    free: Arc<Semaphore>,
    units: u32,
}

impl Flight {
    pub(crate) fn of(bytes: usize) -> Self {
        let units = units(bytes);
        let permits = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(permits)), units }
    }

    /// Waits until so many bytes may leave; they are under way until the permit
    /// is dropped.
    pub(crate) async fn enter(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = units(bytes).min(self.units);
        // Nobody closes it.
        Arc::clone(&self.free).acquire_many_owned(wanted).await.ok()
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT).clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX >> 3)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn what_does_not_fit_waits_until_enough_has_landed() {
        let flight = Flight::of(4 * UNIT);
        let first = flight.enter(3 * UNIT).now_or_never().unwrap();
        let mut second = Box::pin(flight.enter(2 * UNIT));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    #[test]
    fn a_batch_larger_than_the_limit_goes_alone() {
        let flight = Flight::of(4 * UNIT);
        let large = flight.enter(100 * UNIT).now_or_never().unwrap();
        assert!(flight.enter(1).now_or_never().is_none());
        drop(large);
        assert!(flight.enter(1).now_or_never().is_some());
        assert!(Flight::of(usize::MAX).enter(usize::MAX).now_or_never().is_some());
    }
}
