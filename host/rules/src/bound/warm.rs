//! Instances between calls: a bounded stack, so that the one used last, whose
//! memory is in the caches, is used next.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::instance::Instance;

pub(super) struct Warm {
    idle: Mutex<Vec<Instance>>,
    idle_max: usize,
    recycle_after: NonZeroU32,
}

impl Warm {
    pub(super) fn new(idle_max: usize, recycle_after: NonZeroU32) -> Self {
        Self { idle: Mutex::new(Vec::with_capacity(idle_max.min(64))), idle_max, recycle_after }
    }

    pub(super) fn take(&self) -> Option<Instance> {
        self.idle().pop()
    }

    /// Keeps an instance that has done well, unless it has had its calls or
    /// enough are kept.
    pub(super) fn put_back(&self, instance: Instance) {
        if instance.calls >= self.recycle_after.get() {
            return;
        }
        let mut idle = self.idle();
        if idle.len() < self.idle_max {
            idle.push(instance);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        // Nothing panics while it holds the lock, and a stack of whole instances
        // is sound at any moment.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
