//! Relationships that clients make: a lookup with its one-to-many relationship,
//! or a many-to-many one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Desk, refused};
use crate::metadata::inside;
use crate::refusal::{Name, Refusal};
use crate::schema::{
    ColumnSettings, Kind, KindWord, ManyToManySettings, OnDelete, RequiredWord, import,
};
use crate::seed;

fn text(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Desk<'_> {
    /// Makes a relationship; returns its path.
    pub(super) fn relationship(&mut self) -> Result<String, Refusal> {
        let name = text(&self.body, "SchemaName")
            .ok_or_else(|| refused("The relationship needs a SchemaName."))?;
        if self.ids().iter().any(|(_, taken)| *taken == name) {
            return Err(refused(format!("A relationship '{name}' exists already.")));
        }
        match self.body["@odata.type"].as_str().unwrap_or_default().rsplit('.').next() {
            Some("ManyToManyRelationshipMetadata") => self.pairs(&name)?,
            _ => self.lookup(&name)?,
        }
        Ok(format!("RelationshipDefinitions({})", seed::id(&format!("relationship/{name}"))))
    }

    fn table_at(&self, member: &str) -> Result<String, Refusal> {
        let name = text(&self.body, member).unwrap_or_default();
        match self.environment.schema.table(&name) {
            Some(table) => Ok(table.name.clone()),
            None => Err(refused(format!("The {member} '{name}' does not exist."))),
        }
    }

    fn lookup(&mut self, name: &str) -> Result<(), Refusal> {
        let referencing = self.table_at("ReferencingEntity")?;
        let referenced = self.table_at("ReferencedEntity")?;
        let lookup = &self.body["Lookup"];
        let column = import::logical_name(lookup)
            .ok_or_else(|| refused("The relationship needs a Lookup with a SchemaName."))?;
        let table = self.environment.schema.table(&referencing);
        if table.is_some_and(|table| table.column(&column).is_some()) {
            return Err(refused(format!("An attribute with the name '{column}' exists already.")));
        }
        let one = |value: Option<String>| value.map(|v| BTreeMap::from([(referenced.clone(), v)]));
        let navigation = text(&self.body, "ReferencingEntityNavigationPropertyName");
        let settings = ColumnSettings {
            schema_name: text(lookup, "SchemaName"),
            display: import::label(&lookup["DisplayName"]),
            targets: Some(vec![referenced.clone()]),
            navigation: one(navigation),
            relationships: one(Some(name.to_owned())),
            collections: one(text(&self.body, "ReferencedEntityNavigationPropertyName")),
            on_delete: Some(match self.body["CascadeConfiguration"]["Delete"].as_str() {
                Some("Cascade") => OnDelete::Cascade,
                Some("Restrict") => OnDelete::Restrict,
                _ => OnDelete::RemoveLink,
            }),
            required: Some(match lookup["RequiredLevel"]["Value"].as_str() {
                Some("ApplicationRequired") => RequiredWord::Application,
                Some("SystemRequired") => RequiredWord::System,
                _ => RequiredWord::None,
            }),
            ..ColumnSettings::of(KindWord::Lookup)
        };
        self.settings(&referencing).columns.insert(column, settings);
        Ok(())
    }

    fn pairs(&mut self, name: &str) -> Result<(), Refusal> {
        let first = self.table_at("Entity1LogicalName")?;
        let with = self.table_at("Entity2LogicalName")?;
        let get = |member: &str| text(&self.body, member);
        let one = ManyToManySettings {
            with,
            intersect: get("IntersectEntityName").map(|name| name.to_lowercase()),
            set: None,
            navigation: get("Entity1NavigationPropertyName"),
            with_navigation: get("Entity2NavigationPropertyName"),
        };
        self.settings(&first).many_to_many.insert(name.to_owned(), one);
        Ok(())
    }

    /// Tables and names of all relationships.
    fn ids(&self) -> Vec<(String, String)> {
        let schema = &self.environment.schema;
        let mut all = Vec::new();
        for table in &schema.tables {
            for column in &table.columns {
                if let Kind::Lookup { targets, .. } = &column.kind {
                    let names = targets.iter().map(|target| target.relationship.clone());
                    all.extend(names.map(|name| (table.name.clone(), name)));
                }
            }
        }
        for one in &schema.many_to_many {
            all.push((schema.tables[one.sides[0].0].name.clone(), one.name.clone()));
        }
        all
    }

    /// Removes a relationship with its lookup or its pairs.
    pub(super) fn drop_relationship(&mut self, segment: &str) -> Result<(), Refusal> {
        let wanted = inside(segment, "RelationshipDefinitions").unwrap_or_default();
        let found = self.ids().into_iter().find(|(_, name)| {
            seed::id(&format!("relationship/{name}")).to_string() == wanted
                || wanted.strip_prefix("SchemaName='").and_then(|w| w.strip_suffix('\''))
                    == Some(name)
        });
        let Some((table, name)) = found else {
            let text = format!("There is no relationship with id {wanted}.");
            return Err(Refusal::named(Name::UnknownDefinition, text));
        };
        let settings = self.settings(&table);
        let column = settings.columns.iter().find(|(_, column)| {
            column.relationships.as_ref().is_some_and(|all| all.values().any(|one| *one == name))
        });
        let column = column.map(|(column, _)| column.clone());
        let gone = match column {
            Some(column) => settings.columns.remove(&column).is_some(),
            None => settings.many_to_many.remove(&name).is_some(),
        };
        if gone {
            return Ok(());
        }
        Err(refused(format!("The relationship '{name}' cannot be deleted: it is not custom.")))
    }
}
