//! Canonical cells as they stand in a filter.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use dvsync_model::{Column, Kind, LookupValue};
use uuid::Uuid;

use crate::encode;

/// A cell to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    /// A number, date, boolean or GUID, as OData writes it.
    Bare(String),
}

impl Literal {
    /// `'O''Hara'` or `42`.
    pub(super) fn odata(&self) -> String {
        match self {
            Self::Text(text) => crate::address::literal(text),
            Self::Bare(text) => text.clone(),
        }
    }
}

/// The cell of a row; `None` when it is null or empty. The array must be of the
/// column's canonical type.
pub(super) fn literal(column: &Column, array: &ArrayRef, row: usize) -> Option<Literal> {
    if array.is_null(row) {
        return None;
    }
    let bytes = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).ok()
    };
    let bare = match &column.kind {
        Kind::Text { .. } | Kind::Memo { .. } | Kind::MultiChoice { .. } | Kind::Other(_) => {
            let text = array.as_string::<i32>().value(row);
            return (!text.is_empty()).then(|| Literal::Text(text.to_owned()));
        }
        Kind::Integer { .. } | Kind::BigInt => {
            array.as_primitive::<Int64Type>().value(row).to_string()
        }
        Kind::Choice { .. } | Kind::State { .. } | Kind::Status { .. } => {
            array.as_primitive::<Int32Type>().value(row).to_string()
        }
        Kind::Decimal { .. } | Kind::Money { .. } => {
            let array = array.as_primitive::<Decimal128Type>();
            let scale = usize::try_from(array.scale()).unwrap_or(0);
            bytes(&|out| encode::decimal(array.value(row), scale, out))?
        }
        Kind::Double { .. } => {
            let value = array.as_primitive::<Float64Type>().value(row);
            value.is_finite().then(|| ryu::Buffer::new().format_finite(value).to_owned())?
        }
        Kind::Boolean => array.as_boolean().value(row).to_string(),
        Kind::DateTime => {
            let value = array.as_primitive::<TimestampMicrosecondType>().value(row);
            bytes(&|out| encode::time::instant(value, out))?
        }
        Kind::DateOnly => {
            let value = array.as_primitive::<Date32Type>().value(row);
            bytes(&|out| encode::time::date(i64::from(value), out))?
        }
        Kind::Uniqueidentifier => {
            Uuid::from_slice(array.as_fixed_size_binary().value(row)).ok()?.to_string()
        }
        Kind::Lookup { .. } => {
            LookupValue::from_bytes(array.as_fixed_size_binary().value(row))?.id.to_string()
        }
    };
    Some(Literal::Bare(bare))
}
