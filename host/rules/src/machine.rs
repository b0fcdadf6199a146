//! The engine: how guests are compiled, allocated and interrupted; and the
//! thread that advances its epoch, so that no call outlives its deadline.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

use crate::bound::Warm;
use crate::error::RuleError;
use crate::gate::{Gate, Pass};
use crate::settings::SandboxSettings;

/// Core instances, memories and tables that one component may have; a Python
/// rule has 38 core instances, most of them stubs.
pub(crate) const CORE_INSTANCES_MAX: u32 = 64;
pub(crate) const MEMORIES_MAX: u32 = 4;
pub(crate) const TABLES_MAX: u32 = 16;
/// What the pool holds ready per table; a `Limits` beyond it cannot be met.
const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Bytes of a linear memory that are zeroed and kept, rather than given back,
/// between two instances in one slot.
const KEEP_RESIDENT: usize = 1 << 20;
const STACK_BYTES_MAX: usize = 512 << 10;
/// How long somebody waits for one of the instances that may live at once; each
/// call has a deadline, so that one comes free long before.
const SLOT_WAIT_MAX: Duration = Duration::from_secs(300);

/// One engine and its clock; lives as long as anything made by it.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    ticker: Ticker,
    /// One for each instance that may live.
    slots: Gate,
    /// Where instances wait for their next call.
    warm: Mutex<Vec<Weak<Warm>>>,
}

impl Machine {
    pub(crate) fn new(settings: &SandboxSettings) -> Result<Self, RuleError> {
        let engine = match Engine::new(&config(Some(pool(settings)))) {
            Ok(engine) => engine,
            // The pool reserves address space for each instance at once, which
            // a limit on virtual memory may forbid.
            Err(error) => {
                tracing::warn!(%error, "no pool of rule instances: each is allocated on demand");
                Engine::new(&config(None)).map_err(RuleError::Sandbox)?
            }
        };
        let ticker = Ticker::start(engine.clone(), settings.tick)
            .map_err(|error| RuleError::Sandbox(error.into()))?;
        let slots = Gate::new(usize::try_from(settings.instances_max).unwrap_or(usize::MAX));
        Ok(Self { engine, ticker, slots, warm: Mutex::default() })
    }

    /// Room for one more instance. Where there is none, idle ones make room,
    /// and then it is waited for; none after minutes of that.
    pub(crate) fn slot(&self) -> Option<Pass> {
        if let Some(slot) = self.slots.try_enter() {
            return Some(slot);
        }
        let warm: Vec<_> = self.warm().iter().filter_map(Weak::upgrade).collect();
        let make_room = || warm.iter().for_each(|warm| warm.clear());
        self.slots.enter_within(SLOT_WAIT_MAX, make_room)
    }

    /// Somebody waits for room: nothing is to be kept.
    pub(crate) fn is_awaited(&self) -> bool {
        self.slots.is_awaited()
    }

    /// Instances that make room when there is none.
    pub(crate) fn register(&self, warm: &Arc<Warm>) {
        let mut all = self.warm();
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(warm));
    }

    fn warm(&self) -> MutexGuard<'_, Vec<Weak<Warm>>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Epochs after which a call has had its time, rounded up.
    pub(crate) fn ticks(&self, deadline: Duration) -> u64 {
        let ticks = deadline.as_nanos().div_ceil(self.ticker.every.as_nanos().max(1));
        // One more, since the epoch under way counts as a whole one.
        u64::try_from(ticks).unwrap_or(u64::MAX - 1).saturating_add(1).min(1 << 40)
    }
}

/// Threads are not even compiled in.
fn config(pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_nan_canonicalization(true)
        .epoch_interruption(true)
        .concurrency_support(false)
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_backtrace_max_frames(None)
        .max_wasm_stack(STACK_BYTES_MAX)
        .memory_init_cow(true);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn pool(settings: &SandboxSettings) -> PoolingAllocationConfig {
    let instances = settings.instances_max;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        // A count, no memory: as many rules of any language as there are instances.
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(4))
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_tables_per_module(4)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(settings.memory_bytes_max)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .max_unused_warm_slots(instances.min(8));
    pool
}

/// The thread that advances the epoch; ends when this is dropped.
struct Ticker {
    every: Duration,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: Engine, every: Duration) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let tick = move || {
            while matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout)) {
                engine.increment_epoch();
            }
        };
        let thread = std::thread::Builder::new().name("rule-epochs".to_owned()).spawn(tick)?;
        Ok(Self { every, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // Closing the channel ends the loop.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that advances rule epochs had panicked");
        }
    }
}
