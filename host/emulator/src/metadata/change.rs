//! Metadata that clients make: tables, columns, alternate keys, relationships
//! (*Create and update table definitions using the Web API*).
//!
//! Pure: the present settings in, changed settings out; the emulator builds the
//! schema anew and carries the rows over. Tables and columns that are there are
//! changed by PUT; PATCH is no method of metadata.

mod relationship;
mod update;

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;
use uuid::Uuid;

use super::{column, inside, logical_name, metadata_id, named};
use crate::call::{Call, Scene};
use crate::environment::Environment;
use crate::query::identity;
use crate::refusal::{Name, Refusal};
use crate::schema::{
    KeySettings, KeyStatus, KeyTable, KindWord, OwnershipWord, SchemaSettings, Table,
    TableSettings, import,
};
use crate::seed;
use crate::store::Store;

/// The action that makes tables with all their columns.
pub(crate) const CREATE_TABLES: &str = "CreateEntities";

/// What becomes of the settings.
pub(crate) struct Change {
    pub(crate) tables: SchemaSettings,
    /// What the reply tells.
    pub(crate) made: Made,
}

/// What a change has made.
pub(crate) enum Made {
    Nothing,
    /// One thing, at this address: `OData-EntityId`.
    One(String),
    /// Tables, by `CreateEntities`.
    Tables(Vec<Uuid>),
}

/// What a change is made to.
struct Desk<'e> {
    environment: &'e Environment,
    store: &'e Store,
    tables: SchemaSettings,
    body: Value,
}

/// Reads a POST or DELETE below `EntityDefinitions` or `RelationshipDefinitions`.
pub(crate) fn change(
    environment: &Environment,
    store: &Store,
    scene: &Scene,
    call: &Call<'_>,
    segments: &[String],
) -> Result<Change, Refusal> {
    let method = call.method.as_str();
    let body = match method {
        "DELETE" => Value::Null,
        "POST" | "PUT" => {
            serde_json::from_slice(call.body).map_err(|error| Refusal::malformed(&error))?
        }
        _ => return Err(Refusal::method(method)),
    };
    let tables = environment.tables.clone();
    let mut desk = Desk { environment, store, tables, body };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let made = match (method, segments.as_slice()) {
        ("POST", [CREATE_TABLES]) => {
            return Ok(Change { made: Made::Tables(desk.create_tables()?), tables: desk.tables });
        }
        ("POST", ["EntityDefinitions"]) => {
            let body = desk.body.take();
            Some(desk.table(&body)?.0)
        }
        ("POST", ["RelationshipDefinitions"]) => Some(desk.relationship()?),
        ("PUT", [one]) if one.starts_with("RelationshipDefinitions") => {
            return Err(Refusal::unsupported("changes of relationships that are there"));
        }
        ("PUT", [first]) => {
            let table = desk.named(first)?;
            desk.put_table(table)?;
            None
        }
        // With or without the cast of the column's type.
        ("PUT", [first, second] | [first, second, _]) if second.starts_with("Attributes") => {
            let table = desk.named(first)?;
            desk.put_column(table, second)?;
            None
        }
        ("DELETE", [one]) if one.starts_with("RelationshipDefinitions(") => {
            desk.drop_relationship(one)?;
            None
        }
        ("DELETE", [first]) => {
            let table = desk.named(first)?;
            desk.drop_table(table)?;
            None
        }
        ("POST", [first, "Attributes"]) => {
            let table = desk.named(first)?;
            Some(desk.column(table)?)
        }
        ("POST", [first, "Keys"]) => {
            let table = desk.named(first)?;
            Some(desk.key(table)?)
        }
        ("DELETE", [first, second]) => {
            let table = desk.named(first)?;
            desk.drop_part(table, second)?;
            None
        }
        _ => return Err(Refusal::method(method)),
    };
    let made = made.map_or(Made::Nothing, |path| Made::One(format!("{}{path}", scene.root)));
    Ok(Change { tables: desk.tables, made })
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::named(Name::MetadataRefused, message)
}

impl<'e> Desk<'e> {
    fn named(&self, segment: &str) -> Result<&'e Table, Refusal> {
        let inside =
            inside(segment, "EntityDefinitions").ok_or_else(|| Refusal::no_segment(segment))?;
        named(&self.environment.schema, inside)
    }

    fn names(&self) -> BTreeSet<String> {
        let there = self.environment.schema.tables.iter().map(|table| table.name.clone());
        there.chain(self.tables.tables.keys().cloned()).collect()
    }

    fn settings(&mut self, table: &str) -> &mut TableSettings {
        self.tables.tables.entry(table.to_owned()).or_default()
    }

    /// `CreateEntities`: all of them or none.
    fn create_tables(&mut self) -> Result<Vec<Uuid>, Refusal> {
        let Value::Array(entities) = self.body["Entities"].take() else {
            return Err(Refusal::payload("The parameter 'Entities' is missing."));
        };
        if entities.is_empty() {
            return Err(refused("The parameter 'Entities' holds no tables."));
        }
        entities.iter().map(|one| self.table(one).map(|(_, id)| id)).collect()
    }

    /// Makes a table; its path and id.
    fn table(&mut self, body: &Value) -> Result<(String, Uuid), Refusal> {
        let name =
            import::logical_name(body).ok_or_else(|| refused("The table needs a SchemaName."))?;
        if self.names().contains(&name) {
            return Err(refused(format!("An entity with the name '{name}' exists already.")));
        }
        let empty = Vec::new();
        let attributes = body["Attributes"].as_array().unwrap_or(&empty);
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let ownership = match body["OwnershipType"].as_str() {
            None | Some("UserOwned") => OwnershipWord::User,
            Some("OrganizationOwned") => OwnershipWord::Organization,
            Some(other) => return Err(refused(format!("The OwnershipType '{other}'."))),
        };
        let mut settings = TableSettings {
            schema_name: text("SchemaName"),
            set: text("EntitySetName"),
            display: import::label(&body["DisplayName"]),
            ownership: Some(ownership),
            elastic: text("TableType").map(|kind| kind == "Elastic"),
            change_tracking: body["ChangeTrackingEnabled"].as_bool(),
            ..TableSettings::default()
        };
        let names = self.names();
        for one in attributes {
            let column =
                import::logical_name(one).ok_or_else(|| refused("A column needs a SchemaName."))?;
            if one["IsPrimaryName"] == true {
                settings.primary_name = Some(column.clone());
            }
            let made = import::attribute(one, &[], None, &names)
                .map_err(|why| refused(format!("The column '{column}' cannot be made: {why}.")))?;
            settings.columns.insert(column, made.column);
        }
        if settings.primary_name.is_none() {
            return Err(refused("The table needs a column with IsPrimaryName."));
        }
        self.tables.tables.insert(name.clone(), settings);
        let id = seed::id(&format!("metadata/{name}"));
        Ok((format!("EntityDefinitions({id})"), id))
    }

    fn column(&mut self, table: &Table) -> Result<String, Refusal> {
        let name = import::logical_name(&self.body)
            .ok_or_else(|| refused("The column needs a SchemaName."))?;
        if table.column(&name).is_some() {
            return Err(refused(format!(
                "An attribute with the name '{name}' exists already in '{}'.",
                table.name
            )));
        }
        let made = import::attribute(&self.body, &[], None, &self.names())
            .map_err(|why| refused(format!("The column '{name}' cannot be made: {why}.")))?;
        if matches!(made.column.kind, KindWord::Lookup | KindWord::Customer) {
            return Err(refused(format!(
                "The lookup '{name}' is made with its relationship, at RelationshipDefinitions."
            )));
        }
        self.settings(&table.name).columns.insert(name.clone(), made.column);
        let id = seed::id(&format!("metadata/{}/{name}", table.name));
        Ok(format!("EntityDefinitions({})/Attributes({id})", metadata_id(table)))
    }

    /// A key over rows that are there: active, or failed where two rows have the
    /// same value.
    fn key(&mut self, table: &Table) -> Result<String, Refusal> {
        let name = import::logical_name(&self.body)
            .ok_or_else(|| refused("The key needs a SchemaName."))?;
        if table.keys.iter().any(|key| key.name == name) {
            return Err(refused(format!("A key with the name '{name}' exists already.")));
        }
        let columns: Vec<String> = self.body["KeyAttributes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|column| column.as_str().map(str::to_owned))
            .collect();
        let positions: Option<Vec<usize>> =
            columns.iter().map(|column| table.column_position(column)).collect();
        let Some(positions) = positions else {
            return Err(refused(format!("A column of the key '{name}' does not exist.")));
        };
        let status = match self.environment.behavior.new_keys {
            KeyStatus::Active if self.repeated(table, &positions) => KeyStatus::Failed,
            status => status,
        };
        let key = KeySettings::Full(KeyTable { columns, status });
        self.settings(&table.name).keys.insert(name.clone(), key);
        let id = seed::id(&format!("key/{}/{name}", table.name));
        Ok(format!("EntityDefinitions({})/Keys({id})", metadata_id(table)))
    }

    /// Whether two rows have the same values, none of them null.
    fn repeated(&self, table: &Table, columns: &[usize]) -> bool {
        let rows = &self.store.tables[table.position];
        let mut seen = HashSet::new();
        rows.iter().any(|(_, row)| {
            let cells: Vec<_> =
                columns.iter().map(|&column| rows.layout.cell(row, column)).collect();
            let nulls = self.environment.behavior.nulls_are_unique;
            if !nulls && cells.iter().any(crate::cell::Cell::is_null) {
                return false;
            }
            !seen.insert(cells.iter().map(identity).collect::<Vec<_>>())
        })
    }

    fn drop_table(&mut self, table: &Table) -> Result<(), Refusal> {
        if !table.custom || self.tables.tables.remove(&table.name).is_none() {
            return Err(refused(format!(
                "The entity '{}' cannot be deleted: it is not a custom one.",
                table.name
            )));
        }
        Ok(())
    }

    fn drop_part(&mut self, table: &Table, segment: &str) -> Result<(), Refusal> {
        if let Some(inside) = inside(segment, "Keys") {
            let wanted = |name: &str| {
                logical_name(inside) == Some(name)
                    || seed::id(&format!("key/{}/{name}", table.name)).to_string() == inside
            };
            let key = table.keys.iter().find(|key| wanted(&key.name));
            let key = key.ok_or_else(|| {
                Refusal::named(
                    Name::UnknownDefinition,
                    format!("There is no key with id {inside}."),
                )
            })?;
            let gone = self.settings(&table.name).keys.remove(&key.name);
            return gone.map(drop).ok_or_else(|| {
                refused(format!("The key '{}' cannot be deleted: it is managed.", key.name))
            });
        }
        let inside = inside(segment, "Attributes").ok_or_else(|| Refusal::no_segment(segment))?;
        let found = column(table, inside).ok_or_else(|| {
            let text = format!("Could not find an attribute with specified name: {inside}");
            Refusal::named(Name::UnknownDefinition, text)
        })?;
        let position = table.column_position(&found.name);
        let keyed =
            table.keys.iter().any(|key| key.columns.iter().any(|&one| Some(one) == position));
        if keyed || table.primary_name == position {
            return Err(Refusal::named(
                Name::ColumnInUse,
                format!("The Attribute({}) cannot be deleted: others refer to it.", found.name),
            ));
        }
        let gone = self.settings(&table.name).columns.remove(&found.name);
        gone.map(drop).ok_or_else(|| {
            refused(format!("The attribute '{}' cannot be deleted: it is not custom.", found.name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::attribute;

    #[test]
    fn ids_of_what_is_made_are_those_that_are_read() {
        let schema = crate::schema::Schema::new(&SchemaSettings::default()).unwrap();
        let account = schema.table("account").unwrap();
        let name = account.column("name").unwrap();
        assert_eq!(attribute::metadata_id(account, name), seed::id("metadata/account/name"));
        assert_eq!(metadata_id(account), seed::id("metadata/account"));
    }
}
