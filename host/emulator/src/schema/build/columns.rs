//! The columns of a table: those typed, and those that the service adds.

mod service;

use std::collections::BTreeMap;

use crate::decimal;
use crate::schema::column::{Choice, Column, Kind, LookupWord, Origin, Target};
use crate::schema::raw::{
    BehaviorWord, ColumnSettings, KindWord, Number, OnDelete, RequiredWord, TableSettings,
};

use service::{elastic_columns, money_columns, service_columns};

type Positions<'a> = BTreeMap<&'a str, usize>;

/// Money lies within this (*MoneyAttributeMetadata*).
const MONEY_MAX: i64 = 922_337_203_685_477;
/// Decimals lie within this (*DecimalAttributeMetadata*).
const DECIMAL_MAX: i64 = 100_000_000_000;

/// All columns, sorted by logical name.
pub(super) fn all(
    table: &str,
    settings: &TableSettings,
    positions: &Positions<'_>,
) -> Result<Vec<Column>, String> {
    let mut columns = Vec::new();
    for (name, column) in &settings.columns {
        if !settings.internal {
            super::names::check(name)?;
        }
        columns.push(
            typed(name, column, positions)
                .map_err(|message| format!("column `{name}`: {message}"))?,
        );
    }
    let primary_id = settings.primary_id.clone().unwrap_or_else(|| format!("{table}id"));
    columns.retain(|column| column.name != primary_id);
    columns.push(Column {
        origin: Origin::PrimaryId,
        required: RequiredWord::System,
        update: false,
        ..system(&primary_id, Kind::Guid)
    });
    if matches!(table, "systemuser" | "team") {
        // The key of their base type `principal`.
        columns
            .push(Column { origin: Origin::PrimaryId, ..read_only(system("ownerid", Kind::Guid)) });
    }
    if settings.elastic == Some(true) {
        elastic_columns(&mut columns);
    }
    if !settings.internal && !settings.intersect {
        service_columns(settings, positions, &mut columns)?;
        if columns.iter().any(|column| matches!(column.kind, Kind::Money { .. })) {
            money_columns(positions, &mut columns)?;
        }
    }
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = columns.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(format!("column `{}` is added by the service, and typed too", pair[0].name));
    }
    Ok(columns)
}

fn system(name: &str, kind: Kind) -> Column {
    let property = match kind {
        Kind::Lookup { .. } => format!("_{name}_value"),
        _ => name.to_owned(),
    };
    Column {
        name: name.to_owned(),
        schema_name: name.to_owned(),
        display: name.to_owned(),
        kind,
        origin: Origin::Stored,
        required: RequiredWord::None,
        create: true,
        update: true,
        read_only_writes: None,
        source: None,
        system: true,
        property,
    }
}

fn read_only(column: Column) -> Column {
    Column { create: false, update: false, ..column }
}

fn lookup(
    name: &str,
    targets: &[&str],
    word: LookupWord,
    positions: &Positions<'_>,
) -> Result<Kind, String> {
    let targets = targets
        .iter()
        .map(|&target| {
            Ok(Target {
                table: *positions.get(target).ok_or_else(|| format!("unknown table `{target}`"))?,
                name: target.to_owned(),
                navigation: name.to_owned(),
                relationship: String::new(),
                collection: String::new(),
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Kind::Lookup { targets, word, on_delete: OnDelete::RemoveLink })
}

fn typed(name: &str, column: &ColumnSettings, positions: &Positions<'_>) -> Result<Column, String> {
    let schema_name = column.schema_name.clone().unwrap_or_else(|| name.to_owned());
    let kind = kind(&schema_name, column, positions)?;
    let read_only =
        column.read_only || column.source.is_some() || matches!(column.kind, KindWord::File);
    Ok(Column {
        display: column.display.clone().unwrap_or_else(|| schema_name.clone()),
        schema_name,
        required: column.required.unwrap_or_default(),
        create: !read_only && column.create.unwrap_or(true),
        update: !read_only && column.update.unwrap_or(true),
        read_only_writes: column.read_only_writes,
        source: column.source,
        system: false,
        ..system(name, kind)
    })
}

fn kind(
    schema_name: &str,
    column: &ColumnSettings,
    positions: &Positions<'_>,
) -> Result<Kind, String> {
    let length = |default: u32| usize::try_from(column.max_length.unwrap_or(default)).unwrap_or(0);
    let precision = |default: u8, max: u8| match column.precision.unwrap_or(default) {
        precision if precision <= max => Ok(precision),
        precision => Err(format!("precision {precision}: expected 0 to {max}")),
    };
    Ok(match column.kind {
        KindWord::Text => Kind::Text {
            length_max: length(100),
            format: column.format.clone().unwrap_or_else(|| "Text".to_owned()),
        },
        KindWord::Memo => Kind::Memo { length_max: length(2000) },
        KindWord::Integer => Kind::Integer {
            min: whole(column.min, i64::from(i32::MIN))?,
            max: whole(column.max, i64::from(i32::MAX))?,
        },
        KindWord::Bigint => Kind::BigInt,
        KindWord::Decimal => {
            let precision = precision(2, 10)?;
            Kind::Decimal {
                precision,
                min: scaled(column.min, -DECIMAL_MAX, precision)?,
                max: scaled(column.max, DECIMAL_MAX, precision)?,
            }
        }
        KindWord::Double => Kind::Double {
            precision: precision(2, 5)?,
            min: float(column.min, -100_000_000_000.0),
            max: float(column.max, 100_000_000_000.0),
        },
        KindWord::Money => Kind::Money {
            precision: precision(2, 4)?,
            min: scaled(column.min, -MONEY_MAX, 4)?,
            max: scaled(column.max, MONEY_MAX, 4)?,
        },
        KindWord::Boolean => Kind::Boolean { default: column.default == Some(1) },
        KindWord::Datetime => Kind::DateTime {
            independent: column.behavior == Some(BehaviorWord::TimeZoneIndependent),
        },
        KindWord::Date => Kind::Date,
        KindWord::Choice => Kind::Choice { options: options(column)?, default: column.default },
        KindWord::Choices => Kind::Choices { options: options(column)? },
        KindWord::Lookup => references(schema_name, column, LookupWord::Lookup, positions)?,
        KindWord::Customer => references(schema_name, column, LookupWord::Customer, positions)?,
        KindWord::Uniqueidentifier => Kind::Guid,
        KindWord::Image => Kind::Image,
        KindWord::File => Kind::File,
    })
}

fn references(
    schema_name: &str,
    column: &ColumnSettings,
    word: LookupWord,
    positions: &Positions<'_>,
) -> Result<Kind, String> {
    let customer = || vec!["account".to_owned(), "contact".to_owned()];
    let names = match (&column.targets, word) {
        (Some(names), _) if !names.is_empty() && names.len() <= 255 => names.clone(),
        (None, LookupWord::Customer) => customer(),
        _ => return Err("a lookup needs `targets`".to_owned()),
    };
    let several = names.len() > 1;
    let targets = names
        .into_iter()
        .map(|name| {
            let table = *positions
                .get(name.as_str())
                .ok_or_else(|| format!("target `{name}` is not a table"))?;
            let typed = column.navigation.as_ref().and_then(|all| all.get(&name)).cloned();
            let navigation = typed.unwrap_or_else(|| {
                if several { format!("{schema_name}_{name}") } else { schema_name.to_owned() }
            });
            let named = |all: &Option<std::collections::BTreeMap<String, String>>| {
                all.as_ref().and_then(|all| all.get(&name)).cloned().unwrap_or_default()
            };
            Ok(Target {
                table,
                navigation,
                relationship: named(&column.relationships),
                collection: named(&column.collections),
                name,
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Kind::Lookup { targets, word, on_delete: column.on_delete.unwrap_or_default() })
}

fn options(column: &ColumnSettings) -> Result<Vec<Choice>, String> {
    let options = column.options.as_ref().ok_or("a choice needs `options`")?;
    let mut choices = options
        .iter()
        .map(|(value, label)| Ok(Choice { value: option_value(value)?, label: label.clone() }))
        .collect::<Result<Vec<_>, String>>()?;
    choices.sort_by_key(|choice| choice.value);
    Ok(choices)
}

fn option_value(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| format!("option value `{text}` is not a whole number"))
}

fn whole(number: Option<Number>, default: i64) -> Result<i64, String> {
    match number {
        None => Ok(default),
        Some(Number::Whole(value)) => Ok(value),
        Some(Number::Fraction(value)) => Err(format!("bound {value} is not a whole number")),
    }
}

fn float(number: Option<Number>, default: f64) -> f64 {
    match number {
        None => default,
        Some(Number::Fraction(value)) => value,
        // Through text: exact as far as a double can be.
        Some(Number::Whole(value)) => value.to_string().parse().unwrap_or(default),
    }
}

fn scaled(number: Option<Number>, default: i64, scale: u8) -> Result<i128, String> {
    let text = match number {
        None => default.to_string(),
        Some(Number::Whole(value)) => value.to_string(),
        Some(Number::Fraction(value)) => value.to_string(),
    };
    decimal::parse(&text, scale).ok_or_else(|| format!("bound {text} is out of range"))
}
