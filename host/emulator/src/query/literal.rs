//! Literals of URLs as values of a column.

use std::borrow::Cow;

use uuid::Uuid;

use super::expression::Literal;
use crate::cell::Cell;
use crate::schema::Kind;
use crate::{decimal, instant};

/// The literal as a value of that kind; `None` where its type does not fit.
pub(crate) fn cell(kind: &Kind, literal: &Literal) -> Option<Cell<'static>> {
    if *literal == Literal::Null {
        return Some(Cell::Null);
    }
    let bare = match literal {
        Literal::Bare(text) => Some(text.as_str()),
        _ => None,
    };
    Some(match kind {
        Kind::Text { .. } | Kind::Memo { .. } | Kind::Choices { .. } | Kind::Image => match literal
        {
            Literal::Text(text) => Cell::Text(Cow::Owned(text.clone())),
            _ => return None,
        },
        Kind::Integer { .. }
        | Kind::BigInt
        | Kind::Choice { .. }
        | Kind::State { .. }
        | Kind::Status { .. } => Cell::Int(bare?.parse().ok()?),
        Kind::Decimal { .. } | Kind::Money { .. } => {
            Cell::Decimal(decimal::parse(bare?, kind.scale())?)
        }
        Kind::Double { .. } => Cell::Double(bare?.parse().ok().filter(|v: &f64| v.is_finite())?),
        Kind::Boolean { .. } => match (literal, bare) {
            (Literal::Bool(value), _) => Cell::Bool(*value),
            (_, Some("1" | "true")) => Cell::Bool(true),
            (_, Some("0" | "false")) => Cell::Bool(false),
            _ => return None,
        },
        Kind::DateTime { independent } => Cell::Time(instant::parse_instant(bare?, *independent)?),
        Kind::Date => Cell::Date(instant::parse_date(bare?.get(..10)?)?),
        Kind::Guid | Kind::File => Cell::Guid(guid(bare?)?),
        Kind::Lookup { .. } => Cell::Lookup(0, guid(bare?)?),
    })
}

/// The OData type of a literal, for messages.
pub(crate) fn edm(literal: &Literal) -> &'static str {
    match literal {
        Literal::Null => "<null>",
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Text(_) => "Edm.String",
        Literal::Bare(text) if guid(text).is_some() => "Edm.Guid",
        Literal::Bare(text) if text.parse::<i64>().is_ok() => "Edm.Int32",
        Literal::Bare(text) if text.parse::<f64>().is_ok() => "Edm.Double",
        Literal::Bare(text) if text.len() == 10 => "Edm.Date",
        Literal::Bare(_) => "Edm.DateTimeOffset",
        Literal::Enum(_) => "Edm.Enum",
        Literal::List(_) => "Collection(Edm.String)",
    }
}

/// A GUID with its dashes, without braces or quotes.
pub(crate) fn guid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}
