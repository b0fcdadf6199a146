//! `?sql=`: a `SELECT` as Microsoft's Python client sends it.
//!
//! What the service takes is told by that client: columns by name, `DISTINCT`, `TOP`,
//! inner and left joins, `WHERE`, `GROUP BY` with `COUNT`, `SUM`, `AVG`, `MIN`, `MAX`,
//! `ORDER BY`, `OFFSET .. FETCH NEXT`. It is carried out as the FetchXML that says the
//! same. Refused, as by the service: `*`, subqueries, `HAVING`, `UNION`, other joins,
//! functions, writes.

mod select;
mod token;
mod xml;

use roxmltree::Document;

use super::{View, fetch};
use crate::call::{Options, Prefer};
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::schema::Table;
use crate::settings::SqlNames;

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::named(Name::InvalidSql, format!("Invalid SQL: {}", message.into()))
}

/// Answers a query against a set.
pub(super) fn run(
    view: &View<'_>,
    table: &Table,
    text: &str,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = view.table(table.position);
    let select = select::parse(text)?;
    if !select.from.table.eq_ignore_ascii_case(&table.name) {
        return Err(invalid(format!(
            "the table `{}` is not the one of the set `{}`",
            select.from.table, table.set
        )));
    }
    let plain = view.environment.behavior.sql_column_names == SqlNames::Plain;
    let text = xml::written(&select, table.id_name(), plain)?;
    let document = Document::parse(&text).map_err(|error| invalid(error.to_string()))?;
    let window = fetch::Window { skip: select.offset.unwrap_or(0), of: select.limit };
    fetch::selected(view, table, document.root_element(), window, prefer, options)
}
