//! What a rule may depend on apart from rows and tables. Pure.

use crate::bindings::rule::exports::dvsync::rules::plugin;
use crate::failure::Failure;
use crate::field::{Field, Type};
use crate::settings::Settings;
use crate::tables::Tables;

/// The job as the rule sees it; the same for the whole run and for its replay.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Logical name: `account`.
    pub entity: String,
    /// The job's settings for this rule, as JSON; see [`Context::settings`].
    pub settings_json: String,
    /// Columns that the source has.
    pub source: Vec<Field>,
    /// Columns that the target has; empty when they are not known yet.
    pub target: Vec<Field>,
    /// The only randomness that there is.
    pub seed: u64,
    /// The start of the run, microseconds since 1970-01-01T00:00:00Z: the only
    /// clock that there is.
    pub now_us: i64,
    /// The granted tables.
    pub tables: Tables,
}

impl Context {
    /// The settings, to be taken one by one.
    ///
    /// # Errors
    /// `misconfigured` when they are not a JSON map.
    pub fn settings(&self) -> Result<Settings, Failure> {
        Settings::parse(&self.settings_json)
    }

    /// The source has a column of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.source_type(name).is_some()
    }

    /// The type of a source column.
    #[must_use]
    pub fn source_type(&self, name: &str) -> Option<Type> {
        self.source.iter().find(|field| field.name == name).map(|field| field.kind)
    }

    /// A source column of numbers, asked for as the source has it: integers and
    /// decimals as they are, everything else as text, so that one cell that is
    /// not a number costs its row and not the job. To be read with
    /// [`crate::Rows::numbers`].
    #[must_use]
    pub fn number(&self, name: &str) -> Field {
        match self.source_type(name) {
            Some(kind @ (Type::Int64 | Type::Decimal)) => Field::new(name, kind),
            _ => Field::text(name),
        }
    }

    /// A source column that says yes or no, asked for as the source has it, else
    /// as text. To be read with [`crate::Rows::flags`].
    #[must_use]
    pub fn flag(&self, name: &str) -> Field {
        match self.source_type(name) {
            Some(kind @ (Type::Int64 | Type::Boolean)) => Field::new(name, kind),
            _ => Field::text(name),
        }
    }

    /// A source column of identifiers: integers where the source has integers or
    /// whole floats, else text. To be read with [`crate::Rows::column`], as keys
    /// to [`Tables::resolve`].
    #[must_use]
    pub fn identifier(&self, name: &str) -> Field {
        match self.source_type(name) {
            Some(Type::Int64 | Type::Float64) => Field::int64(name),
            Some(kind @ Type::Uuid) => Field::new(name, kind),
            _ => Field::text(name),
        }
    }
}

impl From<plugin::Context> for Context {
    fn from(context: plugin::Context) -> Self {
        Self {
            entity: context.entity,
            settings_json: context.settings,
            source: context.source.into_iter().map(Field::from).collect(),
            target: context.target.into_iter().map(Field::from).collect(),
            seed: context.seed,
            now_us: context.now_us,
            tables: Tables::default(),
        }
    }
}
