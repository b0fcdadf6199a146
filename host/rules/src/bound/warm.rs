//! Instances between calls: a bounded stack, so that the one used last, whose
//! memory is in the caches, is used next.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::instance::Instance;

pub(crate) struct Warm {
    idle: Mutex<Vec<Instance>>,
    idle_max: usize,
    recycle_after: NonZeroU32,
    /// Nothing is kept.
    resting: AtomicBool,
}

impl Warm {
    pub(super) fn new(idle_max: usize, recycle_after: NonZeroU32) -> Self {
        let idle = Mutex::new(Vec::with_capacity(idle_max.min(64)));
        Self { idle, idle_max, recycle_after, resting: AtomicBool::new(false) }
    }

    pub(super) fn take(&self) -> Option<Instance> {
        self.idle().pop()
    }

    /// Keeps an instance that has done well, unless it has had its calls, enough
    /// are kept, or somebody waits for room.
    pub(super) fn put_back(&self, instance: Instance) {
        if instance.calls >= self.recycle_after.get() || instance.machine.is_awaited() {
            return;
        }
        let mut idle = self.idle();
        if idle.len() < self.idle_max && !self.resting.load(Ordering::SeqCst) {
            idle.push(instance);
        }
    }

    /// Lets go of what is idle.
    pub(crate) fn clear(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    pub(super) fn rest(&self) {
        self.resting.store(true, Ordering::SeqCst);
        self.clear();
    }

    pub(super) fn wake(&self) {
        self.resting.store(false, Ordering::SeqCst);
    }

    pub(super) fn len(&self) -> usize {
        self.idle().len()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        // Nothing panics while it holds the lock, and a stack of whole instances
        // is sound at any moment.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
