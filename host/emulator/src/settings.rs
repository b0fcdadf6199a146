//! How an emulator is set up, from TOML or in code.
//!
//! Unknown keys are errors that name line and column.

mod behavior;
mod codes;
mod latency;
mod limits;
mod principal;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::EmulatorError;
use crate::faults::FaultRule;
use crate::schema::{self, SchemaSettings};
use crate::servers::Spread;
pub(crate) use behavior::KeyRules;
pub use behavior::{
    Behavior, BulkErrorDetails, CookieEncoding, CreateEntitiesReply, DeleteOwner, DisabledOwner,
    EnforcedTransitions, FetchAllLinks, IdOrder, Leniency, Rounding, SpanEnds, SqlNames,
    TextLength,
};
pub use codes::{Codes, Coding};
pub use latency::{LatencySettings, Milliseconds};
pub use limits::{EntitlementSettings, LimitSettings};
pub use principal::{PrincipalSettings, TokenSettings};

/// Most web servers.
const SERVERS_MAX: usize = 1000;
/// Fastest clock.
const TIME_SCALE_MAX: f64 = 1e6;

/// All settings. `Settings::default()` is an environment with the standard
/// tables, one principal with token and client secret `emulator`, no limits and no
/// latency.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder that keeps the rows; none: memory only.
    pub state: Option<PathBuf>,
    /// Same seed, same requests, same times: same ids and same faults.
    pub seed: u64,
    /// Tables laid over the standard ones.
    pub tables: SchemaSettings,
    /// Who may sign in, by name.
    pub principals: BTreeMap<String, PrincipalSettings>,
    /// The tokens that the token endpoint gives.
    pub tokens: TokenSettings,
    /// Web servers, each with its own limits for each principal.
    pub web_servers: usize,
    /// How requests without an affinity cookie find a web server.
    pub spread: Spread,
    /// Service-protection limits of each principal; none: not enforced.
    pub limits: Option<LimitSettings>,
    /// What a principal may send in a day; none: not enforced.
    pub entitlement: Option<EntitlementSettings>,
    /// Seconds of the service in a second of the client: windows, freezes,
    /// latencies, delays and the lives of tokens pass faster.
    pub time_scale: f64,
    /// How long requests take.
    pub latency: LatencySettings,
    /// What goes wrong, first match wins.
    pub faults: Vec<FaultRule>,
    /// What is remembered of the requests.
    pub recorder: RecorderSettings,
    /// Behaviour that the documentation leaves open.
    pub behavior: Behavior,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            state: None,
            seed: 0,
            tables: SchemaSettings::default(),
            principals: BTreeMap::from([(
                "emulator".to_owned(),
                PrincipalSettings {
                    client_secret: Some("emulator".to_owned()),
                    ..PrincipalSettings::with_token("emulator")
                },
            )]),
            tokens: TokenSettings::default(),
            web_servers: 1,
            spread: Spread::RoundRobin,
            limits: None,
            entitlement: None,
            time_scale: 1.0,
            latency: LatencySettings::default(),
            faults: Vec::new(),
            recorder: RecorderSettings::default(),
            behavior: Behavior::default(),
        }
    }
}

impl Settings {
    /// Reads settings from TOML.
    ///
    /// # Errors
    /// Names line and column, and the keys that are known.
    pub fn from_toml(text: &str) -> Result<Self, EmulatorError> {
        toml::from_str(text).map_err(|error| EmulatorError::Settings(error.to_string()))
    }

    /// The same with these tables laid over the standard ones: TOML, JSON if it
    /// begins with a brace, or metadata that a real environment exported (see
    /// [`Settings::with_metadata`]; its notes go to the log).
    ///
    /// # Errors
    /// Names line and column, and the keys that are known.
    pub fn with_schema(mut self, text: &str) -> Result<Self, EmulatorError> {
        /// A schema file holds `[tables.x]` and nothing else.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            tables: SchemaSettings,
        }
        if schema::import::is_export(text) {
            let (settings, notes) = self.with_metadata(text)?;
            for note in notes {
                tracing::warn!("{note}");
            }
            return Ok(settings);
        }
        let file: File = if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
                .map_err(|error| EmulatorError::Settings(error.to_string()))?
        } else {
            toml::from_str(text).map_err(|error| EmulatorError::Settings(error.to_string()))?
        };
        self.tables.tables.extend(file.tables.tables);
        Ok(self)
    }

    /// The same with tables from exported metadata: `EntityDefinitions` as the
    /// service returns them, expanded by `Attributes`, `Keys` and
    /// `ManyToOneRelationships`; one, a list, or a JSON list of such documents,
    /// among them the casts that carry option sets. The second value names what
    /// could not be taken over.
    ///
    /// # Errors
    /// A document that is no such metadata.
    pub fn with_metadata(mut self, text: &str) -> Result<(Self, Vec<String>), EmulatorError> {
        let mut known = schema::standard_names();
        known.extend(self.tables.tables.keys().cloned());
        let imported = schema::import::import(text, &known)?;
        self.tables.tables.extend(imported.tables.tables);
        Ok((self, imported.notes))
    }

    /// The same with these faults after its own: TOML with `[[faults]]`, or JSON:
    /// `{"faults": [...]}`, a list of rules or one rule.
    ///
    /// # Errors
    /// Names line and column, and the keys that are known.
    pub fn with_faults(mut self, text: &str) -> Result<Self, EmulatorError> {
        self.faults.extend(crate::faults::read(text).map_err(EmulatorError::Settings)?);
        Ok(self)
    }

    /// Numbers that nothing can be made of.
    pub(crate) fn check(&self) -> Result<(), EmulatorError> {
        let wrong = |text: String| Err(EmulatorError::Settings(text));
        if !(1..=SERVERS_MAX).contains(&self.web_servers) {
            let found = self.web_servers;
            return wrong(format!("`web_servers` must be from 1 to {SERVERS_MAX}, found {found}"));
        }
        if !(self.time_scale >= 1e-3 && self.time_scale <= TIME_SCALE_MAX) {
            let found = self.time_scale;
            let message =
                format!("`time_scale` must be from 0.001 to {TIME_SCALE_MAX}, found {found}");
            return wrong(message);
        }
        self.behavior.check().map_err(EmulatorError::Settings)?;
        let can = |one: &PrincipalSettings| one.token.is_some() || one.client_secret.is_some();
        match self.principals.iter().find(|(_, principal)| !can(principal)) {
            Some((name, _)) => {
                wrong(format!("principal `{name}` needs a `token` or a `client_secret`"))
            }
            None => Ok(()),
        }
    }
}

/// What is remembered of the requests; the oldest are forgotten first.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecorderSettings {
    /// Most requests.
    pub requests_max: usize,
    /// Most records that were created.
    pub creates_max: usize,
}

impl Default for RecorderSettings {
    fn default() -> Self {
        Self { requests_max: 10_000, creates_max: 100_000 }
    }
}
