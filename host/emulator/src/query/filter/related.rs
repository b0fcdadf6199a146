//! Conditions on related records: through a lookup, and over a collection.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Filter, Values};
use crate::cell::Cell;
use crate::query::View;
use crate::query::expression::Expression;
use crate::refusal::{Name, Refusal};
use crate::schema::{Collection, Kind, Table};
use crate::store::{Layout, Quick, Row, Store, encode};

/// Lookups in a row that no real filter goes through.
const LOOKUPS_MAX: usize = 10;

/// A condition on the record that a lookup names. Where it names none, the
/// condition meets a record of nulls: the service joins from the left.
#[derive(Debug)]
pub(crate) struct Through {
    column: usize,
    /// Position in the lookup's targets, and the table.
    target: u8,
    table: usize,
    inner: Filter,
    nothing: Row,
}

impl Through {
    /// The lookup of a navigation property that leads to one table.
    pub(crate) fn single<'e>(
        view: &View<'e>,
        table: &Table,
        navigation: &str,
    ) -> Result<(usize, u8, &'e Table), Refusal> {
        let (column, targets) = table
            .navigation(navigation)
            .ok_or_else(|| Refusal::no_such_property(table, navigation))?;
        let Kind::Lookup { targets: all, .. } = &table.columns[column].kind else {
            return Err(Refusal::no_such_property(table, navigation));
        };
        let [target] = targets else {
            return Err(Refusal::odata(format!(
                "The navigation property '{navigation}' is of type \
                 'Microsoft.Dynamics.CRM.principal', which has no such property."
            )));
        };
        let other = all.get(usize::from(*target)).map(|target| target.table);
        let other = other.ok_or_else(|| Refusal::no_such_property(table, navigation))?;
        Ok((column, *target, view.table(other)))
    }

    pub(super) fn matches(&self, store: &Store, layout: &Layout, row: &Row) -> bool {
        let rows = &store.tables[self.table];
        let found = match layout.cell(row, self.column) {
            Cell::Lookup(target, id) if target == self.target => rows.by_id(id),
            _ => None,
        };
        self.inner.matches(store, &rows.layout, found.unwrap_or(&self.nothing))
    }
}

/// `primarycontactid/fullname eq 'x'`.
pub(super) fn through(
    view: &View<'_>,
    table: &Table,
    navigation: &str,
    inner: Expression,
) -> Result<Filter, Refusal> {
    let path = match &inner {
        Expression::Compare(_, path, _) | Expression::Text(_, path, _) => path.as_str(),
        _ => "",
    };
    if path.split('/').count() > LOOKUPS_MAX {
        return Err(Refusal::odata(format!(
            "The path in $filter leads through more than {LOOKUPS_MAX} lookups."
        )));
    }
    let (column, target, other) = Through::single(view, table, navigation)?;
    unjoined(table)?;
    // The id of the other record stands in the row itself.
    if let Expression::Compare(operator, path, literal) = &inner
        && other.readable(path) == Some(other.primary_id)
    {
        let value = super::typed(table, column, literal, operator.name())?;
        return Ok(Filter::Compare(column, *operator, value));
    }
    let nothing = vec![Cell::Null; other.columns.len()];
    let nothing = Row { id: Uuid::nil(), version: 0, bytes: encode(&nothing) };
    let inner = Filter::new(inner, view, other)?;
    Ok(Filter::Through(Box::new(Through { column, target, table: other.position, inner, nothing })))
}

/// Elastic tables are not joined (*Elastic tables*).
pub(crate) fn unjoined(table: &Table) -> Result<(), Refusal> {
    if !table.elastic {
        return Ok(());
    }
    Err(Refusal::named(
        Name::ElasticJoin,
        format!("The elastic table '{}' does not support joins.", table.name),
    ))
}

/// `contact_customer_accounts/any(c:...)`, as the set of records that fit.
pub(super) fn lambda(
    view: &View<'_>,
    table: &Table,
    path: &str,
    any: bool,
    inner: Option<Expression>,
) -> Result<Filter, Refusal> {
    let Some(&collection) = table.collections.get(path) else {
        return Err(match path.split_once('/') {
            Some((first, _)) if table.navigation(first).is_some() => Refusal::odata(format!(
                "Conditions on a collection within a lookup are not supported: '{path}'."
            )),
            _ => Refusal::no_such_property(table, path),
        });
    };
    let other = view.table(collection.table());
    unjoined(table)?;
    unjoined(other)?;
    let inner = inner.map(|inner| Filter::new(inner, view, other)).transpose()?;
    let rows = view.rows(other.position);
    let fits =
        |row: &Row| inner.as_ref().is_none_or(|inner| inner.matches(view.store, &rows.layout, row));
    let within = |ids| Filter::In(table.primary_id, Values::Ids(ids));
    if any {
        return Ok(within(parents(view, other, collection, fits)));
    }
    // No member that does not fit.
    let all = Filter::Not(Box::new(within(parents(view, other, collection, |row| !fits(row)))));
    if view.environment.behavior.all_of_nothing {
        return Ok(all);
    }
    Ok(Filter::And(vec![within(parents(view, other, collection, |_| true)), all]))
}

/// The records in whose collection there is a row that fits.
fn parents(
    view: &View<'_>,
    other: &Table,
    collection: Collection,
    fits: impl Fn(&Row) -> bool,
) -> HashSet<Uuid, Quick> {
    let rows = view.rows(other.position);
    match collection {
        Collection::Many { column, target, .. } => rows
            .iter()
            .filter_map(|(_, row)| match rows.layout.cell(row, column) {
                Cell::Lookup(at, id) if at == target && fits(row) => Some(id),
                _ => None,
            })
            .collect(),
        Collection::Both { intersect, here, there, .. } => {
            let pairs = view.rows(intersect);
            pairs
                .iter()
                .filter_map(|(_, pair)| {
                    let member = rows.by_id(pairs.layout.cell(pair, there).id()?)?;
                    fits(member).then(|| pairs.layout.cell(pair, here).id()).flatten()
                })
                .collect()
        }
    }
}
