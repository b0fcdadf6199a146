//! Back-pressure: at most so many at once, the others wait.
//!
//! A tenant's calls pass through its gate, so that it takes no more threads than
//! it may; the instances of a process pass through one of their own, so that a
//! full pool means waiting and not an error. Blocks the thread: for threads that
//! may.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lets a bounded number through. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    count: Mutex<Count>,
    left: Condvar,
    max: usize,
}

#[derive(Debug, Default)]
struct Count {
    inside: usize,
    waiting: usize,
}

/// Lets the next one through when it is dropped.
#[derive(Debug)]
pub struct Pass {
    shared: Arc<Shared>,
}

impl Gate {
    /// At most `max` at once, one at least.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let shared = Shared { count: Mutex::default(), left: Condvar::new(), max: max.max(1) };
        Self { shared: Arc::new(shared) }
    }

    /// Waits for its turn.
    #[must_use]
    pub fn enter(&self) -> Pass {
        let mut count = self.shared.count();
        count.waiting += 1;
        while count.inside >= self.shared.max {
            count = self.shared.left.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
        count.waiting -= 1;
        count.inside += 1;
        self.pass()
    }

    /// Does not wait.
    pub(crate) fn try_enter(&self) -> Option<Pass> {
        let mut count = self.shared.count();
        if count.inside >= self.shared.max {
            return None;
        }
        count.inside += 1;
        Some(self.pass())
    }

    /// Waits so long. `make_room` is called once somebody who leaves can know
    /// that it is waited for.
    pub(crate) fn enter_within(
        &self,
        patience: Duration,
        make_room: impl FnOnce(),
    ) -> Option<Pass> {
        self.shared.count().waiting += 1;
        make_room();
        let count = self.shared.count();
        let waited = self
            .shared
            .left
            .wait_timeout_while(count, patience, |count| count.inside >= self.shared.max);
        let (mut count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        count.waiting -= 1;
        if count.inside >= self.shared.max {
            return None;
        }
        count.inside += 1;
        Some(self.pass())
    }

    /// How many are inside.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.shared.count().inside
    }

    /// Somebody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        self.shared.count().waiting > 0
    }

    fn pass(&self) -> Pass {
        Pass { shared: Arc::clone(&self.shared) }
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for Gate {}

impl Shared {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut count = self.shared.count();
        count.inside = count.inside.saturating_sub(1);
        drop(count);
        self.shared.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_than_its_number_are_inside_and_all_come_through() {
        let gate = Gate::new(3);
        let (most, through) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _pass = gate.enter();
                        most.fetch_max(gate.inside(), Ordering::Relaxed);
                        through.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(most.load(Ordering::Relaxed) <= 3);
        assert_eq!((through.load(Ordering::Relaxed), gate.inside()), (3200, 0));
    }

    #[test]
    fn who_does_not_wait_for_ever_is_told() {
        let gate = Gate::new(1);
        let pass = gate.enter();
        assert!(gate.try_enter().is_none());
        assert!(gate.enter_within(Duration::from_millis(1), || ()).is_none());
        drop(pass);
        assert!(gate.enter_within(Duration::ZERO, || ()).is_some());
    }
}
