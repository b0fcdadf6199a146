//! Admits rules: verified by name, compiled or taken from the cache, linked, and
//! asked who they are.

use std::sync::Arc;

use wasmtime::component::Component;

use crate::admission::admit;
use crate::cache::Cache;
use crate::contract::Description;
use crate::digest::sha256;
use crate::error::{Refusal, RuleError};
use crate::instance::Prepared;
use crate::machine::Machine;
use crate::rule::Rule;
use crate::settings::{Limits, SandboxSettings};
use crate::store::{Holdings, Who};
use crate::tables::Tables;

const NAME_BYTES_MAX: usize = 128;
const LIST_MAX: usize = 1000;
const SCHEMA_BYTES_MAX: usize = 1 << 20;

/// Where rules run. One for a process: it holds the engine, the thread that
/// keeps the deadlines, and the folder of compiled rules. Rules and bindings
/// keep the first two alive.
pub struct Sandbox {
    machine: Arc<Machine>,
    cache: Option<Cache>,
    settings: SandboxSettings,
}

impl Sandbox {
    /// Sets the engine up. Where the machine forbids to reserve the address
    /// space for a pool of instances, each is allocated on demand.
    ///
    /// # Errors
    ///
    /// [`RuleError::Sandbox`], [`RuleError::CacheFolder`].
    pub fn new(settings: SandboxSettings) -> Result<Self, RuleError> {
        let machine = Arc::new(Machine::new(&settings)?);
        let cache = settings
            .cache_dir
            .as_ref()
            .map(|path| {
                Cache::open(path, settings.cache_bytes_max)
                    .map_err(|source| RuleError::CacheFolder { path: path.clone(), source })
            })
            .transpose()?;
        Ok(Self { machine, cache, settings })
    }

    /// Takes a component in. `origin` is how messages name it: a path, a
    /// registry reference. Compiling takes 0.1 s for a Rust rule and some 10 s
    /// for a Python one; the cache takes a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`RuleError::Refused`] with what is wrong with it; [`RuleError::Setup`]
    /// when it traps or loops before it has said who it is.
    pub fn admit(&self, wasm: &[u8], origin: &str) -> Result<Rule, RuleError> {
        let refused = |reason| RuleError::Refused { origin: origin.to_owned(), reason };
        let surface = admit(wasm, self.settings.wasm_bytes_max).map_err(refused)?;
        let digest = sha256(wasm);
        let component = self.compile(wasm, &digest).map_err(refused)?;
        let prepared =
            Prepared::new(Arc::clone(&self.machine), &component, surface.hooks).map_err(refused)?;
        let description = describe(&prepared, origin, &self.settings)?;
        check(&description).map_err(|reason| refused(Refusal::Description(reason)))?;
        Ok(Rule::new(prepared, description, digest, surface))
    }

    /// Whether compiled code of this component lies in the folder of compiled
    /// rules, genuine and for this machine.
    #[must_use]
    pub fn is_cached(&self, wasm: &[u8]) -> bool {
        let load = |cache: &Cache| cache.load(&self.machine.engine, &sha256(wasm)).is_some();
        self.cache.as_ref().is_some_and(load)
    }

    /// Whether [`Sandbox::admit`] will have to compile it; looks for the file only.
    #[must_use]
    pub fn will_compile(&self, wasm: &[u8]) -> bool {
        let holds = |cache: &Cache| cache.holds(&self.machine.engine, &sha256(wasm));
        !self.cache.as_ref().is_some_and(holds)
    }

    fn compile(&self, wasm: &[u8], digest: &str) -> Result<Component, Refusal> {
        let cached = self.cache.as_ref().and_then(|at| at.load(&self.machine.engine, digest));
        if let Some(component) = cached {
            return Ok(component);
        }
        let component = Component::new(&self.machine.engine, wasm)
            .map_err(|error| Refusal::Unfit(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.store(&component, digest);
        }
        Ok(component)
    }
}

fn describe(
    prepared: &Prepared,
    origin: &str,
    settings: &SandboxSettings,
) -> Result<Description, RuleError> {
    let limits = Limits {
        memory_bytes_max: settings.memory_bytes_max,
        setup_deadline: settings.describe_deadline,
        ..Limits::default()
    };
    let who = Who { rule: Arc::from(origin), version: Arc::from("") };
    let holdings = Holdings::new(who, Arc::new(Tables::default()), &limits);
    let setup = |call, error: &dyn std::fmt::Display| RuleError::Setup {
        rule: origin.to_owned(),
        call,
        reason: error.to_string(),
    };
    let mut instance =
        prepared.instantiate(holdings, &limits).map_err(|error| setup("its start", &error))?;
    let said =
        instance.describe(limits.setup_deadline).map_err(|error| setup("describe", &error))?;
    Ok(Description {
        name: said.name,
        version: said.version,
        entities: said.entities,
        settings_schema: said.settings_schema,
        tables: said.tables,
    })
}

fn check(description: &Description) -> Result<(), String> {
    let Description { name, version, entities, settings_schema, tables } = description;
    for (what, text) in [("name", name), ("version", version)] {
        let printable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || text.len() > NAME_BYTES_MAX {
            return Err(format!("`{}` is no {what}", text.escape_debug()));
        }
    }
    if entities.is_empty() {
        return Err("it names no entity".to_owned());
    }
    for (what, list) in [("entities", entities), ("tables", tables)] {
        if list.len() > LIST_MAX || list.iter().any(|name| name.len() > NAME_BYTES_MAX) {
            return Err(format!("too many or too long {what}"));
        }
    }
    match settings_schema {
        Some(schema) if schema.len() > SCHEMA_BYTES_MAX => {
            Err(format!("a settings schema of {} bytes", schema.len()))
        }
        Some(schema) => serde_json::from_str::<serde_json::Value>(schema)
            .map(drop)
            .map_err(|error| format!("its settings schema is no JSON: {error}")),
        None => Ok(()),
    }
}
