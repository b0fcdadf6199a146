//! A table as `EntityMetadata`.

use serde_json::{Value, json};

use super::{attribute, metadata_id};
use crate::call::Options;
use crate::schema::{KeyStatus, Kind, OnDelete, OwnershipWord, Schema, Table, Target};
use crate::seed;

/// A label as metadata has it.
pub(super) fn label(text: &str) -> Value {
    let one = json!({"Label": text, "LanguageCode": 1033, "IsManaged": false, "HasChanged": null});
    json!({"LocalizedLabels": [one], "UserLocalizedLabel": one})
}

/// A managed property.
pub(super) fn managed(value: impl Into<Value>) -> Value {
    json!({"Value": value.into(), "CanBeChanged": true, "ManagedPropertyLogicalName": ""})
}

/// The definition, with the collections that `$expand` names.
pub(super) fn definition(schema: &Schema, table: &Table, options: &Options) -> Value {
    let ownership = match table.ownership {
        OwnershipWord::User => "UserOwned",
        OwnershipWord::Organization => "OrganizationOwned",
        OwnershipWord::None => "None",
    };
    let name = |column: Option<usize>| column.map(|column| &table.columns[column].name);
    let mut value = json!({
        "MetadataId": metadata_id(table),
        "LogicalName": table.name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set,
        "LogicalCollectionName": table.set,
        "CollectionSchemaName": table.set,
        "DisplayName": label(&table.display),
        "DisplayCollectionName": label(&table.set),
        "PrimaryIdAttribute": table.id_name(),
        "PrimaryNameAttribute": name(table.primary_name),
        "ObjectTypeCode": table.object_type_code,
        "OwnershipType": ownership,
        "TableType": if table.elastic { "Elastic" } else { "Standard" },
        "DataProviderId": null,
        "ChangeTrackingEnabled": table.change_tracking,
        "IsOptimisticConcurrencyEnabled": table.optimistic_concurrency,
        "EnforceStateTransitions": table.enforce_transitions,
        "IsStateModelAware": table.known.statecode.is_some(),
        "IsCustomEntity": table.custom,
        "IsActivity": table.activity,
        "IsIntersect": table.intersect,
        "IsLogicalEntity": false,
        "IsPrivate": false,
        "IsValidForAdvancedFind": true,
        "IsManaged": !table.custom,
        "IsCustomizable": managed(true),
        "HasActivities": false,
        "HasNotes": false,
    });
    let expanded =
        |wanted: &str| options.expand.as_deref().is_some_and(|expand| expand.contains(wanted));
    if expanded("Keys") {
        value["Keys"] = Value::Array(keys(table));
    }
    if expanded("Attributes") {
        let all = table.described().map(|column| attribute::definition(schema, table, column));
        value["Attributes"] = Value::Array(all.collect());
    }
    if expanded("ManyToOneRelationships") {
        value["ManyToOneRelationships"] = Value::Array(many_to_one(schema, table));
    }
    if expanded("ManyToManyRelationships") {
        value["ManyToManyRelationships"] = Value::Array(many_to_many(schema, table));
    }
    if expanded("OneToManyRelationships") {
        value["OneToManyRelationships"] = Value::Array(one_to_many(schema, table));
    }
    value
}

/// Alternate keys as `EntityKeyMetadata`.
pub(super) fn keys(table: &Table) -> Vec<Value> {
    let key = |key: &crate::schema::AlternateKey| {
        let columns: Vec<&str> =
            key.columns.iter().map(|&column| table.columns[column].name.as_str()).collect();
        let status = match key.status {
            KeyStatus::Pending => "Pending",
            KeyStatus::InProgress => "InProgress",
            KeyStatus::Active => "Active",
            KeyStatus::Failed => "Failed",
        };
        json!({
            "MetadataId": seed::id(&format!("key/{}/{}", table.name, key.name)),
            "LogicalName": key.name,
            "SchemaName": key.name,
            "EntityLogicalName": table.name,
            "DisplayName": label(&key.name),
            "KeyAttributes": columns,
            "EntityKeyIndexStatus": status,
            "IsManaged": false,
        })
    };
    let own = table.keys.iter().filter(|_| !table.intersect).map(key);
    let elastic = table.partition().map(|_| {
        let name = "KeyForNoSqlEntityWithPKPartitionId";
        json!({
            "MetadataId": seed::id(&format!("key/{}/{name}", table.name)),
            "LogicalName": name.to_lowercase(),
            "SchemaName": name,
            "EntityLogicalName": table.name,
            "DisplayName": label(name),
            "KeyAttributes": [table.id_name(), "partitionid"],
            "EntityKeyIndexStatus": "Active",
            "IsManaged": true,
        })
    });
    own.chain(elastic).collect()
}

/// What this table refers to.
pub(super) fn many_to_one(schema: &Schema, table: &Table) -> Vec<Value> {
    relationships(schema, table).collect()
}

/// What refers to this table.
pub(super) fn one_to_many(schema: &Schema, table: &Table) -> Vec<Value> {
    schema
        .tables
        .iter()
        .filter(|other| !other.internal)
        .flat_map(|other| relationships(schema, other))
        .filter(|one| one["ReferencedEntity"] == table.name.as_str())
        .collect()
}

/// The many-to-many relationships that the table is in.
pub(super) fn many_to_many(schema: &Schema, table: &Table) -> Vec<Value> {
    let all = schema.many_to_many.iter();
    let of_table = all.filter(|one| one.sides.iter().any(|(side, _, _)| *side == table.position));
    of_table
        .map(|one| {
            let intersect = &schema.tables[one.intersect];
            let [(first, here, navigation), (second, there, back)] = &one.sides;
            json!({
                "MetadataId": seed::id(&format!("relationship/{}", one.name)),
                "SchemaName": one.name,
                "RelationshipType": "ManyToManyRelationship",
                "IntersectEntityName": intersect.name,
                "Entity1LogicalName": schema.tables[*first].name,
                "Entity1IntersectAttribute": intersect.columns[*here].name,
                "Entity1NavigationPropertyName": navigation,
                "Entity2LogicalName": schema.tables[*second].name,
                "Entity2IntersectAttribute": intersect.columns[*there].name,
                "Entity2NavigationPropertyName": back,
                "IsCustomRelationship": schema.tables[*first].custom,
            })
        })
        .collect()
}

fn relationships<'s>(schema: &'s Schema, table: &'s Table) -> impl Iterator<Item = Value> + 's {
    table.columns.iter().enumerate().flat_map(move |(position, column)| {
        let (targets, on_delete): (&[Target], OnDelete) = match &column.kind {
            Kind::Lookup { targets, on_delete, .. } => (targets, *on_delete),
            _ => (&[], OnDelete::RemoveLink),
        };
        targets.iter().map(move |target| {
            let referenced = &schema.tables[target.table];
            let schema_name = &target.relationship;
            let delete = match on_delete {
                OnDelete::RemoveLink => "RemoveLink",
                OnDelete::Restrict => "Restrict",
                OnDelete::Cascade => "Cascade",
            };
            json!({
                "MetadataId": seed::id(&format!("relationship/{schema_name}")),
                "SchemaName": schema_name,
                "RelationshipType": "OneToManyRelationship",
                "ReferencingEntity": table.name,
                "ReferencingAttribute": column.name,
                "ReferencedEntity": target.name,
                "ReferencedAttribute": referenced.id_name(),
                "ReferencingEntityNavigationPropertyName": target.navigation,
                "ReferencedEntityNavigationPropertyName": target.collection,
                "IsCustomRelationship": table.custom,
                "IsHierarchical": table.hierarchy == Some(position),
                "CascadeConfiguration": {"Delete": delete, "Assign": "NoCascade"},
            })
        })
    })
}
