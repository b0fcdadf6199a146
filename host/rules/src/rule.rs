//! An admitted rule: who it is, and how a job binds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::bound::Bound;
use crate::contract::{Description, HookName, HookNeeds, Hooks, Surface};
use crate::error::RuleError;
use crate::instance::Prepared;
use crate::settings::{BindSettings, Context, Limits, Profile};
use crate::store::Who;

/// A rule that was admitted; cheap to clone.
#[derive(Clone)]
pub struct Rule {
    inner: Arc<Inner>,
}

struct Inner {
    prepared: Prepared,
    description: Description,
    digest: String,
    surface: Surface,
    label: Arc<str>,
    who: Who,
}

impl Rule {
    pub(crate) fn new(
        prepared: Prepared,
        description: Description,
        digest: String,
        surface: Surface,
    ) -> Self {
        let label = format!("{}@{}", description.name, description.version).into();
        let who = Who {
            rule: description.name.as_str().into(),
            version: description.version.as_str().into(),
        };
        Self { inner: Arc::new(Inner { prepared, description, digest, surface, label, who }) }
    }

    /// What the rule says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// `sha256:...` of the component.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Which hooks it exports.
    #[must_use]
    pub fn hooks(&self) -> Hooks {
        self.inner.surface.hooks
    }

    /// What can be read of the component without running it.
    #[must_use]
    pub fn surface(&self) -> &Surface {
        &self.inner.surface
    }

    /// Holds settings against the schema that the rule publishes; nothing of the
    /// rule runs. A rule without a schema takes whatever it takes.
    ///
    /// # Errors
    ///
    /// [`RuleError::Settings`] with the path to the first fault.
    pub fn check_settings(&self, settings: &serde_json::Value) -> Result<(), RuleError> {
        let Some(text) = &self.inner.description.settings_schema else { return Ok(()) };
        // It was read as JSON when the rule was admitted.
        let Ok(schema) = serde_json::from_str(text) else { return Ok(()) };
        crate::schema::check(&schema, settings).map_err(|fault| RuleError::Settings {
            rule: self.label().to_string(),
            fault: fault.into(),
        })
    }

    /// Which limits it asks for: [`Limits::of`] it where a job says no others.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.inner.surface.profile()
    }

    /// What each hook would read and set under this context, whether or not
    /// source and target have it. Tables need not be granted.
    ///
    /// # Errors
    ///
    /// When the rule calls itself misconfigured, fails, or asks for what cannot
    /// be.
    pub fn needs(
        &self,
        context: Context,
        limits: &Limits,
    ) -> Result<BTreeMap<HookName, HookNeeds>, RuleError> {
        crate::bound::asked(self, context, limits)
    }

    /// Binds the rule to a job: asks it once what it needs, checks that source
    /// and target have it and that its tables are granted, and configures a
    /// first instance.
    ///
    /// # Errors
    ///
    /// When the rule is for another entity, a table or column is missing, a type
    /// cannot be cast without loss, the rule calls itself misconfigured, or it
    /// fails while it is set up.
    pub fn bind(
        &self,
        context: Context,
        tables: BTreeMap<String, RecordBatch>,
        limits: Limits,
        settings: BindSettings,
    ) -> Result<Bound, RuleError> {
        Bound::new(self.clone(), context, tables, limits, settings)
    }

    pub(crate) fn prepared(&self) -> &Prepared {
        &self.inner.prepared
    }

    /// Name and version, for the log.
    pub(crate) fn who(&self) -> Who {
        self.inner.who.clone()
    }

    /// `name@version`, for messages.
    pub(crate) fn label(&self) -> &Arc<str> {
        &self.inner.label
    }
}
