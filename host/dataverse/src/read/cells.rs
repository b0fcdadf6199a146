//! One column under construction: JSON values in, canonical cells out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder,
    Float64Builder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use dvsync_model::{Column, Kind, LookupValue};
use uuid::Uuid;

use super::{number, time};

mod visit;

/// A column's cells so far.
pub(super) struct Cells {
    name: String,
    builder: Builder,
}

enum Builder {
    Text(StringBuilder),
    MultiChoice(StringBuilder),
    /// Whatever the service sends: text as it is, all else as JSON.
    Raw(StringBuilder),
    Int64(Int64Builder),
    Int32(Int32Builder),
    Decimal(Decimal128Builder, u32),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Instant(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Guid(FixedSizeBinaryBuilder),
    Lookup(Lookup),
}

/// A lookup's cell needs two members of the row, in either order.
struct Lookup {
    cells: FixedSizeBinaryBuilder,
    targets: Vec<String>,
    id: Option<Uuid>,
    target: Option<u8>,
}

impl Cells {
    pub(super) fn new(column: &Column, rows: usize) -> Self {
        let data_type = column.kind.arrow_type();
        let builder = match &column.kind {
            Kind::Text { .. } | Kind::Memo { .. } => {
                Builder::Text(StringBuilder::with_capacity(rows, rows * 16))
            }
            Kind::MultiChoice { .. } => Builder::MultiChoice(StringBuilder::new()),
            Kind::Other(_) => Builder::Raw(StringBuilder::new()),
            Kind::Integer { .. } | Kind::BigInt => {
                Builder::Int64(Int64Builder::with_capacity(rows))
            }
            Kind::Choice { .. } | Kind::State { .. } | Kind::Status { .. } => {
                Builder::Int32(Int32Builder::with_capacity(rows))
            }
            Kind::Decimal { precision, .. } => Builder::Decimal(
                Decimal128Builder::with_capacity(rows).with_data_type(data_type),
                u32::from(*precision),
            ),
            Kind::Money { .. } => Builder::Decimal(
                Decimal128Builder::with_capacity(rows).with_data_type(data_type),
                4,
            ),
            Kind::Double { .. } => Builder::Double(Float64Builder::with_capacity(rows)),
            Kind::Boolean => Builder::Boolean(BooleanBuilder::with_capacity(rows)),
            Kind::DateTime => Builder::Instant(
                TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(data_type),
            ),
            Kind::DateOnly => Builder::Date(Date32Builder::with_capacity(rows)),
            Kind::Uniqueidentifier => {
                Builder::Guid(FixedSizeBinaryBuilder::with_capacity(rows, 16))
            }
            Kind::Lookup { targets } => Builder::Lookup(Lookup {
                cells: FixedSizeBinaryBuilder::with_capacity(rows, 17),
                targets: targets.iter().map(|target| target.entity.clone()).collect(),
                id: None,
                target: None,
            }),
        };
        Self { name: column.logical_name.clone(), builder }
    }

    /// The row has ended, as number `row`: a member that was not there is null.
    pub(super) fn end_row(&mut self, row: usize) -> Result<(), String> {
        if let Builder::Lookup(lookup) = &mut self.builder {
            return lookup.end_row(&self.name);
        }
        let filled = self.as_builder().len();
        if filled == row {
            self.null();
        }
        if filled > row + 1 {
            return Err(format!("column `{}` comes twice in a row", self.name));
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match &mut self.builder {
            Builder::Text(b) | Builder::MultiChoice(b) | Builder::Raw(b) => Arc::new(b.finish()),
            Builder::Int64(b) => Arc::new(b.finish()),
            Builder::Int32(b) => Arc::new(b.finish()),
            Builder::Decimal(b, _) => Arc::new(b.finish()),
            Builder::Double(b) => Arc::new(b.finish()),
            Builder::Boolean(b) => Arc::new(b.finish()),
            Builder::Instant(b) => Arc::new(b.finish()),
            Builder::Date(b) => Arc::new(b.finish()),
            Builder::Guid(b) => Arc::new(b.finish()),
            Builder::Lookup(lookup) => Arc::new(lookup.cells.finish()),
        }
    }

    fn as_builder(&self) -> &dyn ArrayBuilder {
        match &self.builder {
            Builder::Text(b) | Builder::MultiChoice(b) | Builder::Raw(b) => b,
            Builder::Int64(b) => b,
            Builder::Int32(b) => b,
            Builder::Decimal(b, _) => b,
            Builder::Double(b) => b,
            Builder::Boolean(b) => b,
            Builder::Instant(b) => b,
            Builder::Date(b) => b,
            Builder::Guid(b) => b,
            Builder::Lookup(lookup) => &lookup.cells,
        }
    }

    fn null(&mut self) {
        match &mut self.builder {
            Builder::Text(b) | Builder::MultiChoice(b) | Builder::Raw(b) => b.append_null(),
            Builder::Int64(b) => b.append_null(),
            Builder::Int32(b) => b.append_null(),
            Builder::Decimal(b, _) => b.append_null(),
            Builder::Double(b) => b.append_null(),
            Builder::Boolean(b) => b.append_null(),
            Builder::Instant(b) => b.append_null(),
            Builder::Date(b) => b.append_null(),
            Builder::Guid(b) => b.append_null(),
            Builder::Lookup(lookup) => lookup.id = None,
        }
    }

    fn bad(&self, found: &dyn fmt::Display) -> String {
        format!("column `{}`: unexpected value {found}", self.name)
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            self.null();
            return Ok(());
        }
        let fits = match &mut self.builder {
            Builder::Text(b) => {
                b.append_value(text);
                true
            }
            Builder::MultiChoice(b) => {
                b.append_value(choices(text));
                true
            }
            Builder::Instant(b) => time::instant(text).map(|value| b.append_value(value)).is_some(),
            Builder::Date(b) => time::date(text).map(|value| b.append_value(value)).is_some(),
            Builder::Guid(b) => {
                Uuid::try_parse(text).is_ok_and(|id| b.append_value(id.as_bytes()).is_ok())
            }
            Builder::Lookup(lookup) => {
                lookup.id = Uuid::try_parse(text).ok();
                lookup.id.is_some()
            }
            Builder::Int64(b) => text.parse().map(|value| b.append_value(value)).is_ok(),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.bad(&format_args!("`{text}`"))) }
    }

    fn integer(&mut self, value: i64) -> Result<(), String> {
        let fits = match &mut self.builder {
            Builder::Int64(b) => {
                b.append_value(value);
                true
            }
            Builder::Int32(b) => i32::try_from(value).map(|value| b.append_value(value)).is_ok(),
            Builder::MultiChoice(b) => {
                b.append_value(value.to_string());
                true
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.bad(&value)) }
    }

    fn float(&mut self, value: f64) -> Result<(), String> {
        // `5.0` in a column of whole numbers.
        #[expect(clippy::cast_possible_truncation, reason = "compared right after")]
        let whole = value as i64;
        #[expect(clippy::cast_precision_loss, reason = "compared only")]
        let same = (whole as f64).total_cmp(&value).is_eq();
        if same { self.integer(whole) } else { Err(self.bad(&value)) }
    }

    /// A value as it stands in the body.
    fn raw(&mut self, raw: &str) -> Result<(), String> {
        if raw == "null" {
            self.null();
            return Ok(());
        }
        match &mut self.builder {
            Builder::Decimal(b, scale) => {
                let value = number::decimal(raw.trim_matches('"'), *scale);
                let fits = value.map(|value| b.append_value(value)).is_some();
                if fits { Ok(()) } else { Err(self.bad(&raw)) }
            }
            // serde_json's own floats are off by a unit in the last place.
            Builder::Double(b) => {
                let value = raw.trim_matches('"').parse::<f64>().ok().filter(|v| v.is_finite());
                let fits = value.map(|value| b.append_value(value)).is_some();
                if fits { Ok(()) } else { Err(self.bad(&raw)) }
            }
            Builder::Raw(b) => {
                match serde_json::from_str::<Cow<'_, str>>(raw) {
                    Ok(text) if text.is_empty() => b.append_null(),
                    Ok(text) => b.append_value(text),
                    Err(_) => b.append_value(raw),
                }
                Ok(())
            }
            _ => Err(self.bad(&raw)),
        }
    }

    /// The annotation that says which table a lookup points to.
    pub(super) fn target(&mut self, entity: &str) -> Result<(), String> {
        let Builder::Lookup(lookup) = &mut self.builder else { return Ok(()) };
        let position = lookup.targets.iter().position(|target| target == entity);
        match position.and_then(|position| u8::try_from(position).ok()) {
            Some(position) => {
                lookup.target = Some(position);
                Ok(())
            }
            None => Err(format!(
                "column `{}` points to `{entity}`, which is none of its targets",
                self.name
            )),
        }
    }
}

impl Lookup {
    fn end_row(&mut self, name: &str) -> Result<(), String> {
        let target = self.target.take();
        let Some(id) = self.id.take() else {
            self.cells.append_null();
            return Ok(());
        };
        let target = match (target, self.targets.len()) {
            (Some(target), _) => target,
            (None, 1) => 0,
            (None, _) => {
                return Err(format!("column `{name}` does not say which table it points to"));
            }
        };
        let cell = LookupValue { target, id }.to_bytes();
        self.cells.append_value(cell).map_err(|error| error.to_string())
    }
}

/// `4, 1` as `1,4`.
fn choices(text: &str) -> String {
    let mut values: Vec<&str> = text.split(',').map(str::trim).collect();
    values.sort_unstable_by_key(|value| (value.parse::<i64>().unwrap_or(i64::MAX), *value));
    values.join(",")
}
