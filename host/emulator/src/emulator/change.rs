//! Metadata that changes while the emulator runs: a new schema, the rows carried
//! over, what was changed kept beside the rows.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::{Emulator, commit};
use serde_json::json;

use crate::call::{Call, Scene};
use crate::environment::Environment;
use crate::error::EmulatorError;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::{Schema, SchemaSettings};
use crate::settings::{CreateEntitiesReply, Settings};
use crate::store::Transaction;
use crate::{metadata, metadata::Made, seed};

/// In the state folder: tables as clients have changed them.
const NAME: &str = "schema.json";

fn file(settings: &Settings) -> Option<PathBuf> {
    settings.state.as_ref().map(|folder| folder.join(NAME))
}

/// Lays over `tables` what clients have changed in earlier runs.
pub(super) fn saved(settings: &Settings, tables: &mut SchemaSettings) -> Result<(), EmulatorError> {
    let Some(path) = file(settings).filter(|path| path.exists()) else { return Ok(()) };
    let text = fs::read_to_string(&path).map_err(|source| EmulatorError::State {
        verb: "read",
        path: path.clone(),
        source,
    })?;
    let saved: SchemaSettings = serde_json::from_str(&text)
        .map_err(|error| EmulatorError::Foreign { path, message: error.to_string() })?;
    tables.tables.extend(saved.tables);
    Ok(())
}

impl Emulator {
    /// Carries out a POST, PUT or DELETE of metadata.
    pub(super) fn change_metadata(
        &self,
        scene: &Scene,
        call: &Call<'_>,
        segments: &[String],
    ) -> Result<Reply, Refusal> {
        let mut store = self.write_store();
        let old = self.environment();
        let change = metadata::change(&old, &store, scene, call, segments)?;
        let schema = Schema::new(&change.tables)
            .map_err(|error| Refusal::invalid_argument(error.to_string()))?;
        let kept = self.keep(&change.tables);
        let adapted = kept.and_then(|()| store.adapt(&old.schema, &schema));
        let schema = Arc::new(schema);
        let new = Environment { schema, behavior: old.behavior.clone(), tables: change.tables };
        let new = self.publish(new);
        adapted.map_err(|error| {
            tracing::error!(%error, "a change of metadata is not on disk");
            Refusal::new(500, "0x80040216", "An unexpected error occurred.")
        })?;
        let mut transaction = Transaction::begin(&mut store);
        seed::plant(&new.schema, &mut transaction, &self.principals.users(), scene.now);
        commit(transaction)?;
        let told = new.behavior.create_entities_reply == CreateEntitiesReply::Ids;
        Ok(match change.made {
            Made::One(url) => Reply::empty(204).with("OData-EntityId", url),
            Made::Tables(ids) if told => {
                let context = "$metadata#Microsoft.Dynamics.CRM.CreateEntitiesResponse";
                let context = format!("{}{context}", scene.root);
                Reply::value(200, &json!({"@odata.context": context, "EntityIds": ids}))
            }
            Made::Tables(_) | Made::Nothing => Reply::empty(204),
        })
    }

    /// No rows, and metadata and switches as the settings say.
    pub(super) fn forget_changes(&self) -> Result<(), EmulatorError> {
        let mut store = self.write_store();
        let tables = self.settings.tables.clone();
        let schema = Schema::new(&tables)?;
        if let Some(path) = file(&self.settings).filter(|path| path.exists()) {
            fs::remove_file(&path).map_err(|source| EmulatorError::State {
                verb: "remove",
                path,
                source,
            })?;
        }
        let behavior = self.settings.behavior.clone();
        let cleared = store.clear(&schema, behavior.key_rules());
        self.publish(Environment { schema: Arc::new(schema), behavior, tables });
        cleared
    }

    /// From now on; whoever calls this holds the store.
    pub(super) fn publish(&self, environment: Environment) -> Arc<Environment> {
        let new = Arc::new(environment);
        *self.environment.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        new
    }

    fn keep(&self, tables: &SchemaSettings) -> Result<(), EmulatorError> {
        let Some(path) = file(&self.settings) else { return Ok(()) };
        let text = serde_json::to_string_pretty(tables)
            .map_err(|error| EmulatorError::Settings(error.to_string()))?;
        let fresh = path.with_extension("new");
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(|source| EmulatorError::State { verb: "write", path, source })
    }
}
