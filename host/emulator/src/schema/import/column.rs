//! One `AttributeMetadata` as a column.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::label;
use crate::schema::raw::{
    BehaviorWord, ColumnSettings, KindWord, Number, OnDelete, RequiredWord, SourceWord,
};

/// A column, and what of it was not taken over.
pub(crate) struct Attribute {
    pub(crate) column: ColumnSettings,
    pub(crate) notes: Vec<String>,
}

/// `LogicalName`, or the `SchemaName` in lower case, as clients send it.
pub(crate) fn logical_name(attribute: &Value) -> Option<String> {
    let name = attribute["LogicalName"].as_str().or_else(|| attribute["SchemaName"].as_str());
    name.map(str::to_lowercase)
}

/// The type of a column; an error names one that there is none for.
fn kind(one: &Value) -> Result<KindWord, String> {
    let derived = one["@odata.type"].as_str().unwrap_or_default();
    let derived = derived.rsplit('.').next().unwrap_or_default();
    let derived = derived.strip_suffix("AttributeMetadata").unwrap_or_default();
    // As `CreateEntities` and `RetrieveMetadataChanges` call them.
    let derived = derived.strip_prefix("Complex").unwrap_or(derived);
    let named = one["AttributeTypeName"]["Value"].as_str().unwrap_or_default();
    let named = named.strip_suffix("Type").unwrap_or_default();
    let plain = one["AttributeType"].as_str().unwrap_or_default();
    // `Virtual` says nothing: the derived type does.
    let word = match (named, plain) {
        ("" | "Virtual", "" | "Virtual") => derived,
        ("" | "Virtual", plain) => plain,
        (named, _) => named,
    };
    Ok(match word {
        "String" => KindWord::Text,
        "Memo" => KindWord::Memo,
        "Integer" => KindWord::Integer,
        "BigInt" => KindWord::Bigint,
        "Decimal" => KindWord::Decimal,
        "Double" => KindWord::Double,
        "Money" => KindWord::Money,
        "Boolean" => KindWord::Boolean,
        "DateTime" if one["DateTimeBehavior"]["Value"] == "DateOnly" => KindWord::Date,
        "DateTime" => KindWord::Datetime,
        "Picklist" => KindWord::Choice,
        "MultiSelectPicklist" => KindWord::Choices,
        "Lookup" => KindWord::Lookup,
        "Customer" => KindWord::Customer,
        "Uniqueidentifier" | "UniqueIdentifier" => KindWord::Uniqueidentifier,
        "Image" => KindWord::Image,
        "File" => KindWord::File,
        "" => return Err("it has no type".to_owned()),
        other => return Err(format!("the emulator has no columns of type `{other}`")),
    })
}

/// Reads a column. `set`: its option set, where that came apart from it;
/// `tables`: those that lookups may point to.
pub(crate) fn attribute(
    one: &Value,
    relationships: &[Value],
    set: Option<&Value>,
    tables: &BTreeSet<String>,
) -> Result<Attribute, String> {
    let kind = kind(one)?;
    let flag = |name: &str| one[name].as_bool();
    let mut column = ColumnSettings::of(kind);
    column.schema_name = one["SchemaName"].as_str().map(str::to_owned);
    column.display = label(&one["DisplayName"]);
    column.create = flag("IsValidForCreate");
    column.update = flag("IsValidForUpdate");
    column.required = Some(match one["RequiredLevel"]["Value"].as_str() {
        Some("SystemRequired") => RequiredWord::System,
        Some("ApplicationRequired") => RequiredWord::Application,
        _ => RequiredWord::None,
    });
    column.source = match one["SourceType"].as_i64() {
        Some(1) => Some(SourceWord::Calculated),
        Some(2) => Some(SourceWord::Rollup),
        Some(3) => Some(SourceWord::Formula),
        _ => None,
    };
    let whole = |name: &str| one[name].as_i64();
    column.precision = whole("Precision").and_then(|digits| digits.try_into().ok());
    let mut notes = Vec::new();
    match kind {
        KindWord::Text | KindWord::Memo => {
            column.max_length = whole("MaxLength").and_then(|length| length.try_into().ok());
            let format = one["FormatName"]["Value"].as_str().or_else(|| one["Format"].as_str());
            column.format = format.filter(|_| kind == KindWord::Text).map(str::to_owned);
        }
        KindWord::Integer | KindWord::Decimal | KindWord::Double | KindWord::Money => {
            column.min = number(&one["MinValue"]);
            column.max = number(&one["MaxValue"]);
        }
        KindWord::Boolean => column.default = flag("DefaultValue").map(i32::from),
        KindWord::Datetime if one["DateTimeBehavior"]["Value"] == "TimeZoneIndependent" => {
            column.behavior = Some(BehaviorWord::TimeZoneIndependent);
        }
        KindWord::Choice | KindWord::Choices => {
            let own = ["OptionSet", "GlobalOptionSet"].into_iter().map(|name| &one[name]);
            let set = set.into_iter().chain(own).find(|set| set["Options"].is_array());
            let options = set.and_then(|set| set["Options"].as_array());
            let Some(options) = options else {
                return Err("its option set was not exported: expand it at the cast".to_owned());
            };
            column.options = Some(labelled(options));
            let default = whole("DefaultFormValue").and_then(|value| value.try_into().ok());
            column.default = default.filter(|value| *value != -1);
        }
        KindWord::Lookup | KindWord::Customer => {
            references(one, relationships, tables, &mut column, &mut notes)?;
        }
        _ => {}
    }
    Ok(Attribute { column, notes })
}

/// Lays what a definition says over a column that is there; what it leaves out
/// stays.
pub(crate) fn overlay(one: &Value, column: &mut ColumnSettings) -> Result<(), String> {
    let typed = ["@odata.type", "AttributeType", "AttributeTypeName"];
    if typed.iter().any(|name| !one[*name].is_null()) {
        let given = kind(one)?;
        // The format is not told apart: `DateTimeBehavior` may be left out.
        let dates = [KindWord::Date, KindWord::Datetime];
        let alike = given == column.kind || dates.contains(&given) && dates.contains(&column.kind);
        if !alike {
            return Err("its type is another".to_owned());
        }
    }
    fn put<T>(place: &mut Option<T>, given: Option<T>) {
        if given.is_some() {
            *place = given;
        }
    }
    let whole = |name: &str| one[name].as_i64();
    put(&mut column.display, label(&one["DisplayName"]));
    put(
        &mut column.required,
        match one["RequiredLevel"]["Value"].as_str() {
            Some("SystemRequired") => Some(RequiredWord::System),
            Some("ApplicationRequired") => Some(RequiredWord::Application),
            Some(_) => Some(RequiredWord::None),
            None => None,
        },
    );
    match column.kind {
        KindWord::Text | KindWord::Memo => {
            let length = whole("MaxLength").and_then(|length| length.try_into().ok());
            put(&mut column.max_length, length);
            let format = one["FormatName"]["Value"].as_str().map(str::to_owned);
            put(&mut column.format, format.filter(|_| column.kind == KindWord::Text));
        }
        KindWord::Integer | KindWord::Decimal | KindWord::Double | KindWord::Money => {
            put(&mut column.min, number(&one["MinValue"]));
            put(&mut column.max, number(&one["MaxValue"]));
            let precision = whole("Precision").and_then(|digits| digits.try_into().ok());
            put(&mut column.precision, precision.filter(|_| column.kind != KindWord::Integer));
        }
        KindWord::Boolean => put(&mut column.default, one["DefaultValue"].as_bool().map(i32::from)),
        KindWord::Choice | KindWord::Choices => {
            put(&mut column.options, one["OptionSet"]["Options"].as_array().map(|o| labelled(o)));
            let default = whole("DefaultFormValue").and_then(|value| value.try_into().ok());
            put(&mut column.default, default.filter(|value| *value != -1));
        }
        _ => {}
    }
    Ok(())
}

fn number(value: &Value) -> Option<Number> {
    value.as_i64().map(Number::Whole).or_else(|| value.as_f64().map(Number::Fraction))
}

/// Options without a value are numbered, as the service numbers them.
fn labelled(options: &[Value]) -> BTreeMap<String, String> {
    options
        .iter()
        .enumerate()
        .map(|(index, option)| {
            let value = option["Value"].as_i64();
            let value =
                value.unwrap_or_else(|| 100_000_000 + i64::try_from(index).unwrap_or_default());
            (value.to_string(), label(&option["Label"]).unwrap_or_default())
        })
        .collect()
}

fn references(
    one: &Value,
    relationships: &[Value],
    tables: &BTreeSet<String>,
    column: &mut ColumnSettings,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let name = logical_name(one).unwrap_or_default();
    let all: Vec<String> = one["Targets"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|target| target.as_str().map(str::to_owned))
        .collect();
    let (targets, left): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|target| tables.contains(target));
    if targets.is_empty() {
        return Err(format!("it points to `{}`, which are not tables here", left.join("`, `")));
    }
    if !left.is_empty() {
        notes.push(format!("targets `{}` left out: not tables here", left.join("`, `")));
    }
    let (mut navigation, mut relations, mut collections) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for relation in relationships {
        let target = relation["ReferencedEntity"].as_str().unwrap_or_default();
        if relation["ReferencingAttribute"] != *name || !targets.iter().any(|one| one == target) {
            continue;
        }
        let put = |map: &mut BTreeMap<String, String>, property: &str| {
            if let Some(value) = relation[property].as_str() {
                map.insert(target.to_owned(), value.to_owned());
            }
        };
        put(&mut navigation, "ReferencingEntityNavigationPropertyName");
        put(&mut relations, "SchemaName");
        put(&mut collections, "ReferencedEntityNavigationPropertyName");
        if relation["IsHierarchical"] == true {
            column.hierarchical = Some(true);
        }
        column.on_delete = Some(match relation["CascadeConfiguration"]["Delete"].as_str() {
            Some("Cascade") => OnDelete::Cascade,
            Some("Restrict") => OnDelete::Restrict,
            _ => OnDelete::RemoveLink,
        });
    }
    if navigation.is_empty() {
        notes.push("no relationships were exported: its navigation property is a guess".to_owned());
    }
    column.targets = Some(targets);
    column.navigation = Some(navigation);
    column.relationships = Some(relations);
    column.collections = Some(collections);
    Ok(())
}
