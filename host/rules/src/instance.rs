//! One live guest: made from what was prepared once, called under a deadline,
//! and thrown away by its owner after any failure.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Store, Trap};

use crate::bindings::dvsync::rules::types::{ColumnParam, Failure};
use crate::bindings::dvsync::rules::{log, lookups, types};
use crate::bindings::exports::dvsync::rules::{matching, owner, plugin, state, transform};
use crate::contract::Hooks;
use crate::error::Refusal;
use crate::gate::Pass;
use crate::judged::codes;
use crate::machine::Machine;
use crate::settings::Limits;
use crate::store::{Holdings, cut};

/// The rule's own words in a message are cut there.
const MESSAGE_BYTES_MAX: usize = 512;
const MEMORY: &str = "the rule wanted more memory than it may have";

/// Why a call did not give an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    /// Some row may be at fault.
    Failed(Failed),
    /// The job must stop.
    Misconfigured { code: String, message: String },
}

/// A failure that rows can be blamed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// One of [`codes`].
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl CallError {
    pub(crate) fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self::Failed(Failed { code, message: message.into() })
    }

    pub(crate) fn invalid_output(broken: String) -> Self {
        Self::failed(codes::INVALID_OUTPUT, broken)
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(Failed { code, message }) => write!(f, "{message} (`{code}`)"),
            Self::Misconfigured { code, message } => write!(f, "{message} (`{code}`)"),
        }
    }
}

/// A component ready to be instantiated: linked, its exports found.
pub(crate) struct Prepared {
    pub(crate) machine: Arc<Machine>,
    pre: InstancePre<Holdings>,
    plugin: plugin::GuestIndices,
    transform: Option<transform::GuestIndices>,
    matching: Option<matching::GuestIndices>,
    state: Option<state::GuestIndices>,
    owner: Option<owner::GuestIndices>,
}

impl Prepared {
    /// Links the component against this contract and nothing else.
    pub(crate) fn new(
        machine: Arc<Machine>,
        component: &Component,
        hooks: Hooks,
    ) -> Result<Self, Refusal> {
        let link = || -> wasmtime::Result<_> {
            let mut linker = Linker::<Holdings>::new(&machine.engine);
            types::add_to_linker::<_, HasSelf<_>>(&mut linker, |holdings| holdings)?;
            log::add_to_linker::<_, HasSelf<_>>(&mut linker, |holdings| holdings)?;
            lookups::add_to_linker::<_, HasSelf<_>>(&mut linker, |holdings| holdings)?;
            let pre = linker.instantiate_pre(component)?;
            let indices = (
                plugin::GuestIndices::new(&pre)?,
                hooks.transform.then(|| transform::GuestIndices::new(&pre)).transpose()?,
                hooks.matching.then(|| matching::GuestIndices::new(&pre)).transpose()?,
                hooks.state.then(|| state::GuestIndices::new(&pre)).transpose()?,
                hooks.owner.then(|| owner::GuestIndices::new(&pre)).transpose()?,
            );
            Ok((pre, indices))
        };
        let (pre, (plugin, transform, matching, state, owner)) =
            link().map_err(|error| Refusal::Unfit(format!("{error:#}")))?;
        Ok(Self { machine, pre, plugin, transform, matching, state, owner })
    }

    /// A fresh instance; its start code runs under the set-up deadline.
    pub(crate) fn instantiate(
        &self,
        holdings: Holdings,
        limits: &Limits,
    ) -> Result<Instance, CallError> {
        let slot = self.machine.slot().ok_or_else(|| {
            CallError::failed(codes::FAILED, "no other instance of a rule came free in time")
        })?;
        let mut store = Store::new(&self.machine.engine, holdings);
        store.limiter(|holdings| holdings);
        store.set_hostcall_fuel(limits.output_bytes_max);
        store.set_epoch_deadline(self.machine.ticks(limits.setup_deadline));
        let mut load = || -> wasmtime::Result<_> {
            let instance = self.pre.instantiate(&mut store)?;
            let plugin = self.plugin.load(&mut store, &instance)?;
            let load = |of: &transform::GuestIndices| of.load(&mut store, &instance);
            let transform = self.transform.as_ref().map(load).transpose()?;
            let load = |of: &matching::GuestIndices| of.load(&mut store, &instance);
            let matching = self.matching.as_ref().map(load).transpose()?;
            let load = |of: &state::GuestIndices| of.load(&mut store, &instance);
            let state = self.state.as_ref().map(load).transpose()?;
            let load = |of: &owner::GuestIndices| of.load(&mut store, &instance);
            let owner = self.owner.as_ref().map(load).transpose()?;
            Ok((plugin, transform, matching, state, owner))
        };
        match load() {
            Ok((plugin, transform, matching, state, owner)) => Ok(Instance {
                store,
                machine: Arc::clone(&self.machine),
                plugin,
                transform,
                matching,
                state,
                owner,
                calls: 0,
                _slot: slot,
            }),
            Err(error) => Err(explain(&error, store.data())),
        }
    }
}

/// A live guest.
pub(crate) struct Instance {
    store: Store<Holdings>,
    pub(crate) machine: Arc<Machine>,
    plugin: plugin::Guest,
    transform: Option<transform::Guest>,
    matching: Option<matching::Guest>,
    state: Option<state::Guest>,
    owner: Option<owner::Guest>,
    /// Calls of hooks so far.
    pub(crate) calls: u32,
    /// Let go after the store, so that its memory is free for the next one.
    _slot: Pass,
}

impl Instance {
    pub(crate) fn describe(
        &mut self,
        deadline: Duration,
    ) -> Result<plugin::Description, CallError> {
        self.call(deadline, |guest, store| guest.plugin.call_describe(store).map(Ok))
    }

    pub(crate) fn needs(
        &mut self,
        deadline: Duration,
        context: plugin::Context<'_>,
    ) -> Result<Vec<plugin::Hook>, CallError> {
        self.call(deadline, |guest, store| guest.plugin.call_needs(store, context))
    }

    pub(crate) fn configure(
        &mut self,
        deadline: Duration,
        context: plugin::Context<'_>,
    ) -> Result<(), CallError> {
        self.call(deadline, |guest, store| guest.plugin.call_configure(store, context))
    }

    pub(crate) fn apply(
        &mut self,
        deadline: Duration,
        rows: u32,
        columns: &[ColumnParam<'_>],
    ) -> Result<transform::Output, CallError> {
        self.call(deadline, |guest, store| bound(guest.transform)?.call_apply(store, rows, columns))
    }

    pub(crate) fn derive(
        &mut self,
        deadline: Duration,
        side: matching::Side,
        rows: u32,
        columns: &[ColumnParam<'_>],
    ) -> Result<matching::RowKeys, CallError> {
        self.call(deadline, |guest, store| {
            bound(guest.matching)?.call_derive(store, side, rows, columns)
        })
    }

    pub(crate) fn choose(
        &mut self,
        deadline: Duration,
        rows: u32,
        incoming: &[ColumnParam<'_>],
        offsets: &[i32],
        candidates: &[ColumnParam<'_>],
    ) -> Result<matching::Choices, CallError> {
        self.call(deadline, |guest, store| {
            bound(guest.matching)?.call_choose(store, rows, incoming, offsets, candidates)
        })
    }

    pub(crate) fn decide_state(
        &mut self,
        deadline: Duration,
        rows: u32,
        incoming: &[ColumnParam<'_>],
        current: &[ColumnParam<'_>],
    ) -> Result<state::Decision, CallError> {
        self.call(deadline, |guest, store| {
            bound(guest.state)?.call_decide(store, rows, incoming, current)
        })
    }

    pub(crate) fn decide_owner(
        &mut self,
        deadline: Duration,
        rows: u32,
        incoming: &[ColumnParam<'_>],
        current: &[ColumnParam<'_>],
    ) -> Result<owner::Decision, CallError> {
        self.call(deadline, |guest, store| {
            bound(guest.owner)?.call_decide(store, rows, incoming, current)
        })
    }

    fn call<R>(
        &mut self,
        deadline: Duration,
        call: impl FnOnce(Guests<'_>, &mut Store<Holdings>) -> wasmtime::Result<Result<R, Failure>>,
    ) -> Result<R, CallError> {
        self.calls = self.calls.saturating_add(1);
        self.store.set_epoch_deadline(self.machine.ticks(deadline));
        self.store.data_mut().begin();
        let guests = Guests {
            plugin: &self.plugin,
            transform: self.transform.as_ref(),
            matching: self.matching.as_ref(),
            state: self.state.as_ref(),
            owner: self.owner.as_ref(),
        };
        let answer = call(guests, &mut self.store);
        self.store.data().end();
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) => Err(told(failure, self.store.data())),
            Err(error) => Err(explain(&error, self.store.data())),
        }
    }
}

struct Guests<'a> {
    plugin: &'a plugin::Guest,
    transform: Option<&'a transform::Guest>,
    matching: Option<&'a matching::Guest>,
    state: Option<&'a state::Guest>,
    owner: Option<&'a owner::Guest>,
}

fn bound<G>(guest: Option<&G>) -> wasmtime::Result<&G> {
    guest.ok_or_else(|| wasmtime::Error::msg("the rule does not export this hook"))
}

/// What the rule itself said of the failure. An interpreter makes an exception of
/// memory that it was refused.
fn told(failure: Failure, holdings: &Holdings) -> CallError {
    let (Failure::Misconfigured(detail)
    | Failure::InvalidInput(detail)
    | Failure::Internal(detail)) = &failure;
    let code = cut(&detail.code, MESSAGE_BYTES_MAX);
    let message = cut(&detail.message, MESSAGE_BYTES_MAX);
    match failure {
        Failure::Misconfigured(_) => {
            CallError::Misconfigured { code: code.to_owned(), message: message.to_owned() }
        }
        Failure::InvalidInput(_) | Failure::Internal(_) if holdings.memory_refused() => {
            CallError::failed(codes::MEMORY, format!("{MEMORY}: {message}"))
        }
        Failure::InvalidInput(_) | Failure::Internal(_) => {
            CallError::failed(codes::FAILED, format!("{code}: {message}"))
        }
    }
}

/// What wasmtime said: a trap, or an answer that cannot even be read.
fn explain(error: &wasmtime::Error, holdings: &Holdings) -> CallError {
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::Interrupt) {
        return CallError::failed(codes::TIMEOUT, "the call did not end within its deadline");
    }
    if holdings.memory_refused() {
        return CallError::failed(codes::MEMORY, MEMORY);
    }
    match trap {
        Some(trap) => {
            let mut message = trap.to_string();
            if let Some(line) = holdings.last_error() {
                // What a panic hook says before the trap.
                message = format!("{message}; its last words: {line}");
            }
            CallError::failed(codes::TRAP, message)
        }
        None => CallError::invalid_output(format!("{:#}", error)),
    }
}
