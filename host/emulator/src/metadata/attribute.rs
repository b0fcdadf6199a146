//! A column as `AttributeMetadata` of its derived type.

use serde_json::{Value, json};
use uuid::Uuid;

use super::entity::{label, managed};
use crate::decimal;
use crate::schema::{Column, Kind, Origin, RequiredWord, Schema, SourceWord, Status, Table};
use crate::seed;

/// Properties that only a cast shows.
pub(super) const DERIVED: &[&str] = &["OptionSet", "GlobalOptionSet"];

/// The type that a cast segment names: `StringAttributeMetadata`.
pub(super) fn cast_name(segment: &str) -> Option<&str> {
    segment
        .strip_prefix("Microsoft.Dynamics.CRM.")
        .filter(|name| name.ends_with("AttributeMetadata") && *name != "EnumAttributeMetadata")
}

/// The derived type of a column's metadata.
pub(super) fn metadata_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text { .. } => "StringAttributeMetadata",
        Kind::Memo { .. } => "MemoAttributeMetadata",
        Kind::Integer { .. } => "IntegerAttributeMetadata",
        Kind::BigInt => "BigIntAttributeMetadata",
        Kind::Decimal { .. } => "DecimalAttributeMetadata",
        Kind::Double { .. } => "DoubleAttributeMetadata",
        Kind::Money { .. } => "MoneyAttributeMetadata",
        Kind::Boolean { .. } => "BooleanAttributeMetadata",
        Kind::DateTime { .. } | Kind::Date => "DateTimeAttributeMetadata",
        Kind::Choice { .. } => "PicklistAttributeMetadata",
        Kind::Choices { .. } => "MultiSelectPicklistAttributeMetadata",
        Kind::State { .. } => "StateAttributeMetadata",
        Kind::Status { .. } => "StatusAttributeMetadata",
        Kind::Lookup { .. } => "LookupAttributeMetadata",
        Kind::Guid => "UniqueIdentifierAttributeMetadata",
        Kind::Image => "ImageAttributeMetadata",
        Kind::File => "FileAttributeMetadata",
    }
}

/// `AttributeType` and `AttributeTypeName`.
fn type_names(kind: &Kind) -> (&'static str, &'static str) {
    use crate::schema::LookupWord;
    match kind {
        Kind::Text { .. } => ("String", "StringType"),
        Kind::Memo { .. } => ("Memo", "MemoType"),
        Kind::Integer { .. } => ("Integer", "IntegerType"),
        Kind::BigInt => ("BigInt", "BigIntType"),
        Kind::Decimal { .. } => ("Decimal", "DecimalType"),
        Kind::Double { .. } => ("Double", "DoubleType"),
        Kind::Money { .. } => ("Money", "MoneyType"),
        Kind::Boolean { .. } => ("Boolean", "BooleanType"),
        Kind::DateTime { .. } | Kind::Date => ("DateTime", "DateTimeType"),
        Kind::Choice { .. } => ("Picklist", "PicklistType"),
        Kind::Choices { .. } => ("Virtual", "MultiSelectPicklistType"),
        Kind::State { .. } => ("State", "StateType"),
        Kind::Status { .. } => ("Status", "StatusType"),
        Kind::Lookup { word: LookupWord::Lookup, .. } => ("Lookup", "LookupType"),
        Kind::Lookup { word: LookupWord::Customer, .. } => ("Customer", "CustomerType"),
        Kind::Lookup { word: LookupWord::Owner, .. } => ("Owner", "OwnerType"),
        Kind::Guid => ("Uniqueidentifier", "UniqueidentifierType"),
        Kind::Image => ("Virtual", "ImageType"),
        Kind::File => ("Virtual", "FileType"),
    }
}

/// `MetadataId` of a column.
pub(super) fn metadata_id(table: &Table, column: &Column) -> Uuid {
    seed::id(&format!("metadata/{}/{}", table.name, column.name))
}

pub(super) fn definition(schema: &Schema, table: &Table, column: &Column) -> Value {
    let (kind, type_name) = type_names(&column.kind);
    let required = match column.required {
        RequiredWord::None => "None",
        RequiredWord::Application => "ApplicationRequired",
        RequiredWord::System => "SystemRequired",
    };
    let source = column.source.map(|source| match source {
        SourceWord::Calculated => 1,
        SourceWord::Rollup => 2,
        SourceWord::Formula => 3,
    });
    let primary_name = table.primary_name.is_some_and(|at| table.columns[at].name == column.name);
    let mut value = json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{}", metadata_name(&column.kind)),
        "MetadataId": metadata_id(table, column),
        "LogicalName": column.name,
        "SchemaName": column.schema_name,
        "EntityLogicalName": table.name,
        "DisplayName": label(&column.display),
        "AttributeType": kind,
        "AttributeTypeName": {"Value": type_name},
        "AttributeOf": null,
        "IsPrimaryId": column.origin == Origin::PrimaryId,
        "IsPrimaryName": primary_name,
        "IsCustomAttribute": !column.system && (table.custom || column.name.contains('_')),
        "IsLogical": matches!(column.origin, Origin::OwningUser | Origin::OwningTeam),
        "IsValidForCreate": column.create,
        "IsValidForUpdate": column.update,
        "IsValidForRead": true,
        "IsValidODataAttribute": true,
        "IsSecured": false,
        "IsManaged": !table.custom,
        "RequiredLevel": managed(required),
        "SourceType": source.unwrap_or(0),
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, limits(schema, table, column))
    {
        value.extend(more);
    }
    value
}

fn limits(schema: &Schema, table: &Table, column: &Column) -> Value {
    match &column.kind {
        Kind::Text { length_max, format } => json!({
            "MaxLength": length_max,
            "DatabaseLength": length_max * 2,
            "Format": format,
            "FormatName": {"Value": format},
        }),
        Kind::Memo { length_max } => json!({"MaxLength": length_max, "Format": "TextArea"}),
        Kind::Integer { min, max } => {
            json!({"MinValue": min, "MaxValue": max, "Format": "None"})
        }
        Kind::BigInt => json!({"MinValue": i64::MIN, "MaxValue": i64::MAX}),
        Kind::Decimal { precision, min, max } => json!({
            "Precision": precision,
            "MinValue": number(*min, *precision),
            "MaxValue": number(*max, *precision),
        }),
        Kind::Double { precision, min, max } => {
            json!({"Precision": precision, "MinValue": min, "MaxValue": max})
        }
        Kind::Money { precision, min, max } => json!({
            "Precision": precision,
            "PrecisionSource": 0,
            "MinValue": number(*min, 4),
            "MaxValue": number(*max, 4),
            "IsBaseCurrency": column.name.ends_with("_base"),
        }),
        Kind::Boolean { default } => json!({
            "DefaultValue": default,
            "OptionSet": {
                "OptionSetType": "Boolean",
                "TrueOption": {"Value": 1, "Label": label("Yes")},
                "FalseOption": {"Value": 0, "Label": label("No")},
            },
        }),
        Kind::DateTime { independent } => json!({
            "Format": "DateAndTime",
            "DateTimeBehavior": {
                "Value": if *independent { "TimeZoneIndependent" } else { "UserLocal" },
            },
        }),
        Kind::Date => json!({"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}),
        Kind::Choice { options, default } => {
            let options =
                options.iter().map(|o| json!({"Value": o.value, "Label": label(&o.label)}));
            json!({
                "DefaultFormValue": default.unwrap_or(-1),
                "OptionSet": option_set(table, column, "Picklist", options.collect()),
                "GlobalOptionSet": null,
            })
        }
        Kind::Choices { options } => {
            let options =
                options.iter().map(|o| json!({"Value": o.value, "Label": label(&o.label)}));
            json!({
                "OptionSet": option_set(table, column, "Picklist", options.collect()),
                "GlobalOptionSet": null,
            })
        }
        Kind::State { states } => {
            let options = states.iter().map(|state| {
                json!({
                    "@odata.type": "#Microsoft.Dynamics.CRM.StateOptionMetadata",
                    "Value": state.value,
                    "Label": label(&state.label),
                    "DefaultStatus": state.default_status,
                    "InvariantName": state.label,
                })
            });
            json!({
                "OptionSet": option_set(table, column, "State", options.collect()),
                "GlobalOptionSet": null,
            })
        }
        Kind::Status { statuses } => {
            let options = statuses.iter().map(|status| {
                json!({
                    "@odata.type": "#Microsoft.Dynamics.CRM.StatusOptionMetadata",
                    "Value": status.value,
                    "Label": label(&status.label),
                    "State": status.state,
                    "TransitionData": transition_data(status),
                })
            });
            json!({
                "OptionSet": option_set(table, column, "Status", options.collect()),
                "GlobalOptionSet": null,
            })
        }
        Kind::Lookup { targets, .. } => {
            let names: Vec<&str> =
                targets.iter().map(|target| schema.tables[target.table].name.as_str()).collect();
            json!({"Targets": names, "Format": "None"})
        }
        Kind::Guid => json!({}),
        Kind::Image => json!({"MaxSizeInKB": 10240, "IsPrimaryImage": false}),
        Kind::File => json!({"MaxSizeInKB": 32768}),
    }
}

fn number(scaled: i128, scale: u8) -> Value {
    let mut text = Vec::new();
    decimal::write(&mut text, scaled, scale);
    serde_json::from_slice(&text).unwrap_or(Value::Null)
}

fn option_set(table: &Table, column: &Column, kind: &str, options: Vec<Value>) -> Value {
    let name = format!("{}_{}", table.name, column.name);
    json!({
        "MetadataId": seed::id(&format!("optionset/{name}")),
        "Name": name,
        "OptionSetType": kind,
        "IsGlobal": false,
        "DisplayName": label(&column.display),
        "Options": options,
    })
}

fn transition_data(status: &Status) -> Option<String> {
    let allowed = status.transitions.as_ref()?;
    let all: String = allowed
        .iter()
        .map(|to| {
            format!("<allowedtransition sourcestatusid=\"{}\" tostatusid=\"{to}\" />", status.value)
        })
        .collect();
    Some(format!(
        "<allowedtransitions xmlns=\"http://schemas.microsoft.com/crm/2009/WebServices\">{all}\
         </allowedtransitions>"
    ))
}
